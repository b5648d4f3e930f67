/* SPDX-License-Identifier: Apache-2.0 */
/*
 * respond - see respond.h.  Runs in front; an upstream may be hostile too, and its framing is read
 * as strictly as the agent's.
 *
 * Bytes leave in the callback that received them (server-sent events must not wait); the head is
 * written anew, with what belongs to a hop replaced by ours, the body is passed as it is.
 */
#include "front/respond.h"

#include "front/forward.h"
#include "front/mediate.h"
#include "front/tunnel.h"
#include "front/upstream.h"

#include <errno.h>
#include <sys/socket.h>

static int put_fields(const struct http1_response *r, struct buf *out)
{
	for (size_t i = 0; i < r->nheaders; i++) {
		const struct http1_header *h = &r->headers[i];
		int e;

		if (http1_hop_by_hop(r->headers, r->nheaders, h))
			continue;
		e = buf_reserve(out, h->name.len + h->value.len + 4);
		if (e < 0)
			return e;
		buf_append_str(out, h->name);
		buf_append(out, ": ", 2);
		buf_append_str(out, h->value);
		buf_append(out, "\r\n", 2);
	}
	return 0;
}

/* `interim` heads have no framing and say nothing about the connection. */
static int put_head(const struct conn *c, const struct http1_response *r, bool interim,
		    struct buf *out)
{
	const struct exchange *x = &c->ex;
	int e = buf_printf(out, "HTTP/1.1 %u ", r->status);

	if (e == 0)
		e = buf_append_str(out, r->reason);
	if (e == 0)
		e = buf_append(out, "\r\n", 2);
	if (e == 0)
		e = put_fields(r, out);
	if (e == 0 && !interim && r->body == BODY_CHUNKED && !x->dechunk)
		e = buf_append_str(out, STR_LIT("Transfer-Encoding: chunked\r\n"));
	if (e == 0 && !interim && !x->keep_agent)
		e = buf_append_str(out, STR_LIT("Connection: close\r\n"));
	else if (e == 0 && !interim && x->agent_10)
		e = buf_append_str(out, STR_LIT("Connection: keep-alive\r\n"));
	return e ? e : buf_append(out, "\r\n", 2);
}

/* Interim answers are passed on, but to HTTP/1.0, which knows none. */
static bool interim(struct conn *c, const struct http1_response *r)
{
	struct buf *out = &c->front->head;

	if (r->status == 101) {
		forward_failed(c, "the upstream changed protocols without being asked");
		return false;
	}
	if (c->ex.agent_10)
		return true;
	buf_clear(out);
	if (put_head(c, r, true, out) < 0) {
		conn_close(c);
		return false;
	}
	conn_send_str(c, buf_str(out));
	return c->state == CONN_EXCHANGE;
}

static void final(struct conn *c, const struct http1_response *r)
{
	struct exchange *x = &c->ex;

	http1_framer_init(&x->down, r->body, r->length);
	x->dechunk = r->body == BODY_CHUNKED && x->agent_10;
	x->keep_up = r->keep_alive && r->body != BODY_UNTIL_CLOSE;
	/* Without a length the end of the body is the end of the connection. */
	if (r->body == BODY_UNTIL_CLOSE || x->dechunk || !x->up.done)
		x->keep_agent = false;
	x->head_done = true;
	buf_clear(&c->front->head);
	if (put_head(c, r, false, &c->front->head) < 0)
		conn_close(c);
}

/* Reads heads off `in` until the final one is written to front->head: 1; 0 when more bytes are
 * wanted (they were kept), -1 when the connection was dealt with.  *ret_used bytes are done. */
static int heads(struct conn *c, struct str in, size_t *ret_used)
{
	struct front *f = c->front;
	struct http1_response *r = &f->response;
	size_t used = 0;

	while (used < in.len) {
		const char *why = "";
		int e = http1_response_parse((struct str){ in.p + used, in.len - used },
					     c->ex.is_head, false, r, &why);

		if (e < 0) {
			forward_failed(c, why);
			return -1;
		}
		if (e == 0)
			break;
		used += r->head_len;
		if (r->status >= 200) {
			final(c, r);
			*ret_used = used;
			return c->state == CONN_EXCHANGE ? 1 : -1;
		}
		if (!interim(c, r))
			return -1;
	}
	*ret_used = used;
	return 0;
}

/* Passes body bytes on, after `head` (may be empty), in one call.  -1: bad framing. */
static int body(struct conn *c, struct str head, struct str in)
{
	struct front *f = c->front;
	struct exchange *x = &c->ex;
	struct iovec iov[2] = { { (void *)(uintptr_t)head.p, head.len } };
	struct str pass = { in.p, 0 };
	size_t at = 0;
	int r = 0;

	buf_clear(&f->message);
	while (at < in.len && !x->down.done) {
		struct str data = STR_NONE;
		size_t used = 0;

		r = http1_framer_feed(&x->down, (struct str){ in.p + at, in.len - at }, &used,
				      &data);
		if (r < 0)
			break;
		at += used;
		if (x->dechunk && buf_append_str(&f->message, data) < 0)
			return -1;
	}
	pass.len = at;
	if (x->dechunk)
		pass = buf_str(&f->message);
	iov[1] = (struct iovec){ (void *)(uintptr_t)pass.p, pass.len };
	if (head.len + pass.len > 0)
		conn_send(c, iov, 2);
	if (at < in.len)
		x->keep_up = false; /* bytes after the end: an upstream not to be trusted again */
	return r;
}

void respond_feed(struct conn *c, struct str in)
{
	struct upstream *u = c->up;
	struct exchange *x = &c->ex;
	struct str head = STR_NONE;
	bool kept = buf_len(&u->in) > 0;

	x->resumed = true;
	if (x->head_kept) {
		buf_consume(&c->in, x->head_kept);
		x->head_kept = 0;
	}
	if (kept) {
		if (buf_append_str(&u->in, in) < 0) {
			forward_failed(c, "the response head is too long");
			return;
		}
		in = buf_str(&u->in);
	}
	if (!x->head_done) {
		size_t used = 0;
		int r = heads(c, in, &used);

		if (r < 0)
			return;
		in = (struct str){ in.p + used, in.len - used };
		if (r == 0) {
			if (kept)
				buf_consume(&u->in, used);
			else if (buf_append_str(&u->in, in) < 0)
				conn_close(c);
			return;
		}
		head = buf_str(&c->front->head);
	}
	if (body(c, head, in) < 0) {
		conn_close(c); /* cut: the agent must not take it for whole */
		return;
	}
	if (kept && c->state == CONN_EXCHANGE)
		buf_done(&u->in);
	if (c->state == CONN_EXCHANGE && x->down.done)
		forward_done(c);
}

void respond_eof(struct conn *c)
{
	struct exchange *x = &c->ex;

	if (x->head_done && x->down.kind == BODY_UNTIL_CLOSE) {
		x->upstream_eof = true;
		forward_done(c);
		return;
	}
	forward_failed(c, "the upstream closed the connection without an answer");
}

static void received(struct conn *c)
{
	struct front *f = c->front;
	ssize_t n;

	if (buf_len(&c->out) > 0) {
		conn_read_upstream(c, false); /* until the agent has taken it */
		return;
	}
	n = recv(c->up->fd, f->scratch, sizeof f->scratch, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	conn_timer(c, FRONT_EXCHANGE_MS);
	if (n > 0)
		respond_feed(c, (struct str){ f->scratch, (size_t)n });
	else
		respond_eof(c);
}

/* The request's bytes that waited for the upstream. */
static void flushed(struct conn *c)
{
	struct upstream *u = c->up;

	if (upstream_flush(u) < 0) {
		forward_failed(c, "the upstream stopped reading the request");
		return;
	}
	if (buf_len(&u->out) > 0)
		return;
	conn_want(c, false, 0, EPOLLOUT);
	conn_read_agent(c, true);
}

/* Dialled ahead and not decided on: only its end is of interest. */
static void early(struct conn *c, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP))
		conn_close(c);
	else
		conn_read_upstream(c, false); /* the server speaks first: it waits in the socket */
}

void conn_on_upstream(struct watch *w, uint32_t events)
{
	struct upstream *u = container_of(w, struct upstream, watch);
	struct conn *c = u->owner;

	if (u->front->failed)
		return;
	if (!c) {
		upstream_close(u);
		return;
	}
	if (c->state == CONN_TUNNEL) {
		if (events & EPOLLOUT)
			tunnel_move(c, FLOW_UP);
		if (c->state == CONN_TUNNEL && (events & ~(uint32_t)EPOLLOUT))
			tunnel_upstream(c, events);
		return;
	}
	if (c->state != CONN_EXCHANGE) {
		early(c, events);
		return;
	}
	if (u->mediated) {
		mediate_event(c, events);
		return;
	}
	if (u->prev_held)
		return; /* it was asked nothing yet: looked at when the head is out */
	if (events & EPOLLOUT)
		flushed(c);
	if (c->state != CONN_EXCHANGE || c->up != u)
		return;
	if (w->events & EPOLLIN)
		received(c);
	else if (events & (EPOLLERR | EPOLLHUP))
		loop_remove(&c->front->loop,
			    w); /* cannot be masked; read when the agent is ready */
}
