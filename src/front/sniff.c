/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sniff - see sniff.h.  For streams whose destination is known (transparent, inside CONNECT and
 * SOCKS).  Runs in front; its input is hostile.
 *
 * Port 443 must speak TLS or HTTP, port 80 HTTP: whatever else would come there is not what a rule
 * that says nothing about ports meant.  On other ports (which only a rule that lists them allows)
 * anything goes, the server may speak first, and a TLS name is still compared.
 */
#include "front/sniff.h"

#include "front/conn.h"
#include "front/opening.h"
#include "front/refuse.h"
#include "front/tunnel.h"
#include "front/upstream.h"
#include "net/sni.h"

#define PORT_HTTP 80
#define PORT_HTTPS 443
#define TLS_HANDSHAKE 0x16

static const char *const methods[] = {
	"GET ",	    "HEAD ",   "POST ",	    "PUT ",	  "PATCH ",	 "DELETE ", "OPTIONS ",
	"CONNECT ", "TRACE ",  "PROPFIND ", "PROPPATCH ", "MKCOL ",	 "COPY ",   "MOVE ",
	"LOCK ",    "UNLOCK ", "REPORT ",   "SEARCH ",	  "MKCALENDAR ", "PRI ",
};

enum first_bytes sniff_first(struct str in)
{
	bool maybe = false;

	if (in.len == 0)
		return FIRST_MORE;
	if (in.p[0] == TLS_HANDSHAKE)
		return FIRST_TLS;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct str m = str_from(methods[i]);

		if (str_has_prefix(in, m))
			return FIRST_HTTP;
		maybe |= str_has_prefix(m, in);
	}
	return maybe ? FIRST_MORE : FIRST_OPAQUE;
}

void sniff_begin(struct conn *c)
{
	bool server_first = c->port != PORT_HTTP && c->port != PORT_HTTPS;

	c->timed_out = !server_first;
	conn_timer(c, server_first ? FRONT_FIRST_MS : FRONT_HEAD_MS);
}

/* Decides on a tunnel whose first bytes are known and relays it, or asks for its socket. */
static bool tunnel(struct conn *c, enum sni_state state, const struct host *sni)
{
	struct intent in = { .kind = INTENT_TUNNEL,
			     .host = c->host,
			     .port = c->port,
			     .explicit_port = c->inner,
			     .sni_state = state };
	struct verdict v;

	if (sni)
		in.sni = *sni;
	decide(c->front->setup->policy, &in, &v);
	if (v.action == ACTION_ALLOW && v.mediated)
		v = (struct verdict){ ACTION_DENY, REASON_NEEDS_REQUEST, v.rule };
	if (v.action != ACTION_ALLOW)
		refuse_tunnel(c, &in, &v, NULL);
	else if (c->up)
		tunnel_start(c);
	else
		opening_ask(c, OPENING_TUNNEL, &in);
	return false;
}

static bool tls(struct conn *c)
{
	struct host sni = { 0 };

	switch (sni_parse(buf_str(&c->in), &sni)) {
	case SNI_MORE:
		if (c->agent_eof)
			conn_close(c);
		return false;
	case SNI_FOUND:
		return tunnel(c, SNI_NAME, &sni);
	case SNI_ABSENT:
		return tunnel(c, SNI_MISSING, NULL);
	case SNI_PLAIN:
	case SNI_BAD:
		break;
	}
	refuse_bytes(c, "not a TLS ClientHello that can be read");
	return false;
}

static bool http(struct conn *c)
{
	/* Dialled ahead for a CONNECT: the first request will find it there. */
	if (c->up)
		upstream_idle(TAKE_PTR(c->up));
	conn_set_state(c, CONN_HEAD);
	conn_timer(c, FRONT_HEAD_MS);
	return true;
}

static bool opaque(struct conn *c)
{
	if (c->port == PORT_HTTP || c->port == PORT_HTTPS) {
		refuse_bytes(c, c->port == PORT_HTTP ? "port 80 speaks HTTP here, nothing else"
						     : "port 443 speaks TLS here, nothing else");
		return false;
	}
	return tunnel(c, SNI_NOT_TLS, NULL);
}

bool sniff_step(struct conn *c)
{
	struct str in = buf_str(&c->in);

	switch (sniff_first(in)) {
	case FIRST_TLS:
		if (c->port != PORT_HTTP)
			return tls(c);
		break;
	case FIRST_HTTP:
		return http(c);
	case FIRST_MORE:
		if (c->agent_eof && in.len == 0 && !c->up) {
			conn_close(c);
			return false;
		}
		if (!c->agent_eof &&
		    (!c->timed_out || c->port == PORT_HTTP || c->port == PORT_HTTPS))
			return false;
		break;
	case FIRST_OPAQUE:
		break;
	}
	return opaque(c);
}
