/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opening - see opening.h.  Front decides first, back decides again and dials.  Runs in front; what
 * comes in is back's word: its form is checked, its sense believed.
 */
#include "front/opening.h"

#include "base/wire.h"
#include "front/forward.h"
#include "front/refuse.h"
#include "front/sniff.h"
#include "front/socksface.h"
#include "front/tunnel.h"
#include "front/upstream.h"
#include "os/fd.h"

#include <errno.h>

#define TEXT_MAX 1024u

static struct conn **bucket(struct front *f, uint32_t id)
{
	return &f->pending[id % FRONT_BUCKETS];
}

static struct conn *take(struct front *f, uint32_t id)
{
	for (struct conn **at = bucket(f, id); *at; at = &(*at)->pending) {
		struct conn *c = *at;

		if (c->open_id == id) {
			*at = c->pending;
			c->pending = NULL;
			return c;
		}
	}
	return NULL;
}

void opening_ask(struct conn *c, enum opening why, const struct intent *in)
{
	struct front *f = c->front;
	int error = 0;

	conn_set_state(c, CONN_OPENING);
	c->opening = why;
	c->open_id = ++f->last_id;
	c->pending = *bucket(f, c->open_id);
	*bucket(f, c->open_id) = c;
	conn_timer(c, FRONT_OPENING_MS);
	buf_clear(&f->message);
	wire_u32(&f->message, &error, c->open_id);
	wire_u8(&f->message, &error, (uint8_t)c->via);
	wire_u8(&f->message, &error, (uint8_t)in->kind);
	wire_str(&f->message, &error, host_str(&in->host));
	wire_u16(&f->message, &error, in->port);
	wire_u8(&f->message, &error, (uint8_t)in->sni_state);
	wire_str(&f->message, &error, host_str(&in->sni));
	if (error == 0)
		error = channel_send(f->setup->back, MSG_OPEN, buf_str(&f->message), -1);
	if (error < 0)
		front_fail(f, error);
}

void opening_cancel(struct conn *c)
{
	struct front *f = c->front;
	int r;

	if (!take(f, c->open_id))
		return;
	r = channel_send(f->setup->back, MSG_CANCEL,
			 (struct str){ (const char *)&c->open_id, sizeof c->open_id }, -1);
	if (r < 0)
		front_fail(f, r);
}

static void opened_connect(struct conn *c)
{
	conn_set_state(c, CONN_FIRST);
	sniff_begin(c);
	if (c->via == LISTENER_SOCKS)
		socksface_reply(c, SOCKS_OK);
	else
		conn_send_str(c, STR_LIT("HTTP/1.1 200 Connection established\r\n\r\n"));
	if (c->state != CONN_DEAD)
		conn_step(c);
}

static void opened(struct conn *c)
{
	/* What was read ahead is looked at first; more is wanted now. */
	conn_read_agent(c, true);
	switch (c->opening) {
	case OPENING_CONNECT:
		opened_connect(c);
		break;
	case OPENING_TUNNEL:
		tunnel_start(c);
		break;
	case OPENING_REQUEST:
		conn_set_state(c, CONN_HEAD);
		conn_step(c);
		break;
	}
}

/* What a connection may be given: only a request can go through a stream. */
static bool usable(const struct conn *c, bool mediated)
{
	return !mediated || c->opening == OPENING_REQUEST;
}

static int take_opened(struct front *f, struct msg *m)
{
	struct wire_in in = { m->payload };
	uint32_t id = wire_get_u32(&in);
	uint8_t mediated = wire_get_u8(&in);
	struct upstream *u;
	struct conn *c;

	wire_get_u32(&in); /* rule: front has decided by itself */
	if (wire_in_done(&in) < 0 || mediated > 1)
		return -EPROTO;
	c = take(f, id);
	if (!c)
		return 0; /* cancelled meanwhile; the socket is closed by the caller */
	u = usable(c, mediated) ? upstream_new(f, m->fd, mediated) : NULL;
	if (!u) {
		refuse_upstream(c, 502, "no-socket",
				STR_LIT("the gateway could not use its socket"));
		return 0;
	}
	m->fd = -1;
	u->owner = c;
	c->up = u;
	u->host = c->host;
	u->port = c->port;
	opened(c);
	return 0;
}

static int take_refused(struct front *f, struct msg *m)
{
	struct wire_in in = { m->payload };
	uint32_t id = wire_get_u32(&in);
	uint16_t status = wire_get_u16(&in);
	uint8_t reason = wire_get_u8(&in);
	struct str text = wire_get_str(&in, TEXT_MAX);
	struct conn *c;

	if (wire_in_done(&in) < 0 || status < 400 || status > 599)
		return -EPROTO;
	c = take(f, id);
	if (c)
		refuse_upstream(c, status,
				reason < REASON_MAX ? reason_name((enum reason)reason) : "upstream",
				text);
	return 0;
}

int opening_answer(struct front *f, struct msg *m)
{
	int r = m->type == MSG_OPENED	 ? take_opened(f, m)
		: m->type == MSG_REFUSED ? take_refused(f, m)
					 : -EPROTO;

	close_fd(&m->fd);
	return r;
}
