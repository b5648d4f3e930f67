/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mediate - see mediate.h.  Runs in front.  What goes to back was parsed here and will be trusted
 * by nobody; what comes back is the upstream's, hostile like any response.
 */
#include "front/mediate.h"

#include "base/wire.h"
#include "front/forward.h"
#include "front/refuse.h"
#include "front/respond.h"

#include <errno.h>

/* As the table says of BODY. */
#define BODY_MESSAGE_MAX 65536u
#define TEXT_MAX 1024u
/* Messages taken in one callback, so that one stream leaves the others their share. */
#define MESSAGES_A_TURN 8

static bool crosses(const struct http1_request *r, const struct http1_header *h)
{
	return !str_ieq(h->name, STR_LIT("host")) && !str_ieq(h->name, STR_LIT("content-length")) &&
	       !str_ieq(h->name, STR_LIT("expect")) &&
	       !http1_hop_by_hop(r->headers, r->nheaders, h);
}

int mediate_request(struct conn *c, const struct intent *in)
{
	struct front *f = c->front;
	const struct http1_request *r = &f->request;
	struct request *q = &f->fields;
	int e;

	q->method = r->method;
	q->https = in->https;
	q->host = in->host;
	q->port = in->port;
	q->path = in->path;
	q->query = r->query;
	q->has_query = r->has_query;
	q->body = (uint8_t)r->body;
	q->length = r->body == BODY_LENGTH ? r->length : 0;
	q->nheaders = 0;
	for (size_t i = 0; i < r->nheaders; i++)
		if (crosses(r, &r->headers[i]))
			q->headers[q->nheaders++] =
			    (struct request_header){ r->headers[i].name, r->headers[i].value };
	buf_clear(&f->message);
	e = request_pack(q, &f->message);
	return e ? e : channel_send(&c->up->stream, MSG_REQUEST, buf_str(&f->message), -1);
}

int mediate_body(struct conn *c, struct str data)
{
	int e = 0;

	while (e == 0 && data.len) {
		struct str part = { data.p,
				    data.len < BODY_MESSAGE_MAX ? data.len : BODY_MESSAGE_MAX };

		e = channel_send(&c->up->stream, MSG_BODY, part, -1);
		data = (struct str){ data.p + part.len, data.len - part.len };
	}
	return e;
}

int mediate_body_end(struct conn *c)
{
	return channel_send(&c->up->stream, MSG_BODY_END, STR_NONE, -1);
}

int mediate_done(struct conn *c, bool reusable)
{
	char flag = reusable;

	return channel_send(&c->up->stream, MSG_DONE, (struct str){ &flag, 1 }, -1);
}

static void failed(struct conn *c, struct str payload)
{
	struct wire_in in = { payload };
	uint16_t status = wire_get_u16(&in);
	uint8_t reason = wire_get_u8(&in);
	struct str text = wire_get_str(&in, TEXT_MAX);

	if (wire_in_done(&in) < 0 || status < 400 || status > 599 || c->ex.head_done) {
		conn_close(c);
		return;
	}
	refuse_upstream(c, status,
			reason < REASON_MAX ? reason_name((enum reason)reason) : "upstream", text);
}

static void take(struct conn *c, struct msg *m)
{
	if (m->type == MSG_DATA) {
		conn_timer(c, FRONT_EXCHANGE_MS);
		respond_feed(c, m->payload);
	} else if (m->type == MSG_DATA_END) {
		respond_eof(c);
	} else if (m->type == MSG_FAILED) {
		failed(c, m->payload);
	} else {
		conn_close(c);
	}
}

static void flushed(struct conn *c)
{
	int r = channel_flush(&c->up->stream);

	if (r < 0)
		forward_failed(c, "the gateway's stream broke");
	if (r != 0)
		return;
	conn_want(c, false, 0, EPOLLOUT);
	conn_read_agent(c, true);
}

void mediate_event(struct conn *c, uint32_t events)
{
	struct upstream *u = c->up;

	if (events & EPOLLOUT)
		flushed(c);
	for (int i = 0; i < MESSAGES_A_TURN && c->state == CONN_EXCHANGE && c->up == u; i++) {
		struct msg m;
		int r;

		if (buf_len(&c->out) > 0) {
			conn_read_upstream(c, false);
			if (events & (EPOLLHUP | EPOLLERR))
				loop_remove(&c->front->loop, &u->watch);
			return;
		}
		r = channel_recv(&u->stream, &m);
		if (r == 0)
			return;
		if (r < 0)
			forward_failed(c, "the gateway's stream ended");
		else
			take(c, &m);
	}
}
