/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect - see connect.h.  Runs in front; the destination is the agent's word.
 *
 * What no rule could ever let pass is refused at once, with its reason.  Otherwise the dial starts
 * before the agent's first byte inside is seen, but nothing is sent on it until those bytes (the
 * TLS name, the Host) agree with the destination; port 80 waits for the request instead, because
 * the rule that fits may want to look at it.
 */
#include "front/connect.h"

#include "front/intent.h"
#include "front/opening.h"
#include "front/refuse.h"
#include "front/sniff.h"
#include "front/socksface.h"

#define PORT_HTTP 80
#define PORT_HTTPS 443

/* The question for back: what the bytes inside will have to be. */
static void dial_ahead(struct conn *c)
{
	struct intent in = {
		.kind = INTENT_TUNNEL, .host = c->host, .port = c->port, .explicit_port = true
	};
	struct verdict v;

	decide(c->front->setup->policy, &in, &v);
	if (v.action != ACTION_ALLOW || c->port == PORT_HTTPS) {
		in.sni_state = c->host.addr.family ? SNI_MISSING : SNI_NAME;
		in.sni = c->host.addr.family ? (struct host){ 0 } : c->host;
	}
	opening_ask(c, OPENING_CONNECT, &in);
}

void connect_decide(struct conn *c)
{
	struct intent in = {
		.kind = INTENT_CONNECT, .host = c->host, .port = c->port, .explicit_port = true
	};
	struct verdict v;

	c->fixed = true;
	c->inner = true;
	decide(c->front->setup->policy, &in, &v);
	/* TLS is what comes on 443, and a rule that must see requests cannot see into it. */
	if (v.action == ACTION_ALLOW && v.mediated && c->port == PORT_HTTPS)
		v = (struct verdict){ ACTION_DENY, REASON_NEEDS_REQUEST, v.rule };
	if (v.action != ACTION_ALLOW) {
		refuse_connect(c, &in, &v);
		return;
	}
	if (c->port != PORT_HTTP && !v.mediated) {
		dial_ahead(c);
		return;
	}
	conn_set_state(c, CONN_FIRST);
	sniff_begin(c);
	if (c->via == LISTENER_SOCKS)
		socksface_reply(c, SOCKS_OK);
	else
		conn_send_str(c, STR_LIT("HTTP/1.1 200 Connection established\r\n\r\n"));
}

void connect_begin(struct conn *c)
{
	const struct http1_request *r = &c->front->request;

	if (c->fixed) {
		refuse_bytes(c, "CONNECT inside a connection that has its destination");
		return;
	}
	intent_host(c->front->names, &r->host, &c->host);
	c->port = r->port;
	buf_consume(&c->in, r->head_len);
	connect_decide(c);
}
