/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forward - see forward.h.  Runs in front; input is hostile.
 *
 * Every request of a connection is parsed and decided on by itself, bytes after a request's body
 * included.  Nothing of its head is copied through: request line, Host and framing are written from
 * what was understood and decided, and only end-to-end fields follow.
 */
#include "front/forward.h"

#include "front/account.h"
#include "front/connect.h"
#include "front/intent.h"
#include "front/mediate.h"
#include "front/opening.h"
#include "front/refuse.h"
#include "front/upstream.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

static int put_target(const struct http1_request *r, const struct intent *in, struct buf *out)
{
	int e = buf_append_str(out, in->path);

	if (e == 0 && r->has_query)
		e = buf_append_c(out, '?');
	if (e == 0 && r->has_query)
		e = buf_append_str(out, r->query);
	return e;
}

static int put_host(const struct intent *in, struct buf *out)
{
	bool v6 = in->host.addr.family == 6;
	uint16_t usual = in->https ? 443 : 80;
	int e = buf_append_str(out, STR_LIT(" HTTP/1.1\r\nHost: "));

	if (e == 0 && v6)
		e = buf_append_c(out, '[');
	if (e == 0)
		e = buf_append_str(out, host_str(&in->host));
	if (e == 0 && v6)
		e = buf_append_c(out, ']');
	if (e == 0 && in->port != usual)
		e = buf_printf(out, ":%u", in->port);
	return e ? e : buf_append_str(out, STR_LIT("\r\n"));
}

static int put_field(const struct http1_header *h, struct buf *out)
{
	int e = buf_reserve(out, h->name.len + h->value.len + 4);

	if (e < 0)
		return e;
	buf_append_str(out, h->name);
	buf_append(out, ": ", 2);
	buf_append_str(out, h->value);
	return buf_append(out, "\r\n", 2);
}

static bool is_ours(struct str name)
{
	return str_ieq(name, STR_LIT("host")) || str_ieq(name, STR_LIT("content-length"));
}

int forward_head(const struct http1_request *r, const struct intent *in, struct buf *out)
{
	int e = buf_append_str(out, r->method);

	if (e == 0)
		e = buf_append_c(out, ' ');
	if (e == 0)
		e = put_target(r, in, out);
	if (e == 0)
		e = put_host(in, out);
	for (size_t i = 0; e == 0 && i < r->nheaders; i++) {
		const struct http1_header *h = &r->headers[i];

		if (!is_ours(h->name) && !http1_hop_by_hop(r->headers, r->nheaders, h))
			e = put_field(h, out);
	}
	if (e == 0 && r->body == BODY_LENGTH)
		e = buf_printf(out, "Content-Length: %llu\r\n", (unsigned long long)r->length);
	if (e == 0 && r->body == BODY_CHUNKED)
		e = buf_append_str(out, STR_LIT("Transfer-Encoding: chunked\r\n"));
	return e ? e : buf_append(out, "\r\n", 2);
}

/* RFC 9110 9.2.2; a request that may be sent twice when the first may have been lost. */
static bool repeatable(const struct http1_request *r)
{
	static const struct str methods[] = { STR_LIT("GET"), STR_LIT("HEAD"), STR_LIT("OPTIONS") };

	if (r->body != BODY_NONE)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (str_eq(r->method, methods[i]))
			return true;
	return false;
}

void forward_failed(struct conn *c, const char *what)
{
	struct exchange *x = &c->ex;

	if (c->front->failed)
		return; /* the role ends: not one byte more */
	if (!x->resumed && x->head_kept && c->up->reused) {
		upstream_close(TAKE_PTR(c->up));
		c->retry = true;
		conn_set_state(c, CONN_HEAD);
		conn_read_agent(c, true);
		conn_step(c);
		return;
	}
	if (x->head_done) {
		conn_close(c); /* cut short, as the upstream did; nothing may look complete */
		return;
	}
	refuse_upstream(c, 502, "upstream", str_from(what));
}

/* The agent's body bytes go up: plain, or in chunks of our own making.  0, or -errno. */
static int put_body(struct conn *c, struct str data)
{
	struct upstream *u = c->up;
	char size[24];
	struct iovec iov[3] = { { size, 0 },
				{ (void *)(uintptr_t)data.p, data.len },
				{ (void *)(uintptr_t) "\r\n", 2 } };
	int n;

	if (data.len == 0)
		return 0;
	if (u->mediated)
		return mediate_body(c, data);
	if (!c->ex.chunk_up)
		return front_send(u->fd, &u->out, &iov[1], 1);
	n = snprintf(size, sizeof size, "%zx\r\n", data.len);
	iov[0].iov_len = (size_t)n;
	return front_send(u->fd, &u->out, iov, 3);
}

static int end_body(struct conn *c)
{
	struct upstream *u = c->up;
	struct iovec last = { (void *)(uintptr_t) "0\r\n\r\n", 5 };

	if (u->mediated)
		return mediate_body_end(c);
	return c->ex.chunk_up ? front_send(u->fd, &u->out, &last, 1) : 0;
}

static bool waits(const struct upstream *u)
{
	return buf_len(&u->out) > 0 || (u->mediated && channel_pending(&u->stream));
}

/* Takes body bytes off `in`; returns how many were used, or -1 after the connection was dealt
 * with. */
static ssize_t pump(struct conn *c, struct str in)
{
	struct exchange *x = &c->ex;
	size_t total = 0;

	while (!x->up.done && total < in.len) {
		struct str data = STR_NONE;
		size_t used = 0;
		int r = http1_framer_feed(&x->up, (struct str){ in.p + total, in.len - total },
					  &used, &data);

		if (r < 0) {
			refuse_bytes(c, "the request body's chunks are malformed");
			return -1;
		}
		total += used;
		r = put_body(c, data);
		if (r == 0 && x->up.done)
			r = end_body(c);
		if (r < 0) {
			forward_failed(c, "the upstream stopped reading the request");
			return -1;
		}
	}
	if (waits(c->up)) {
		conn_want(c, false, EPOLLOUT, EPOLLOUT);
		conn_read_agent(c, false);
	}
	return (ssize_t)total;
}

bool forward_from_agent(struct conn *c)
{
	struct front *f = c->front;
	ssize_t n, used;

	if (c->ex.up.done)
		return false;
	if (waits(c->up)) {
		conn_read_agent(c, false);
		return true;
	}
	n = recv(c->agent.fd, f->scratch, sizeof f->scratch, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0) {
		conn_close(c); /* a body cut short must not look complete */
		return true;
	}
	conn_timer(c, FRONT_EXCHANGE_MS);
	used = pump(c, (struct str){ f->scratch, (size_t)n });
	if (used >= 0 && used < n && c->state == CONN_EXCHANGE &&
	    buf_append(&c->in, f->scratch + used, (size_t)(n - used)) < 0)
		conn_close(c);
	return true;
}

static void exchange_init(struct conn *c, const struct http1_request *r)
{
	struct exchange *x = &c->ex;

	memset(x, 0, sizeof *x);
	http1_framer_init(&x->up, r->body, r->length);
	x->is_head = str_eq(r->method, STR_LIT("HEAD"));
	x->agent_10 = r->minor == 0;
	x->keep_agent = r->keep_alive;
	x->chunk_up = r->body == BODY_CHUNKED;
}

/* The head goes out: with all others of this turn at its end, or at once when a body follows it.
 * 0, or -errno; a head that surely was not seen upstream stays in `in`. */
static int send_head(struct conn *c, const struct intent *in)
{
	struct front *f = c->front;
	const struct http1_request *r = &f->request;
	bool mediated = c->up->mediated;
	int e;

	c->ex.head_kept = r->head_len;
	e = mediated ? mediate_request(c, in) : forward_head(r, in, &c->up->out);
	if (e < 0)
		return e;
	if (mediated || !repeatable(r)) {
		buf_consume(&c->in, r->head_len);
		c->ex.head_kept = 0;
	}
	if (mediated)
		/* Content-Length: 0 is a body that ends here. */
		return c->ex.up.done && r->body != BODY_NONE ? mediate_body_end(c) : 0;
	upstream_hold(c->up);
	return c->ex.up.done ? 0 : upstream_release(c->up);
}

/* Head, and what of the body is already here. */
static void start(struct conn *c, const struct intent *in)
{
	const struct http1_request *r = &c->front->request;
	ssize_t used;

	exchange_init(c, r);
	conn_set_state(c, CONN_EXCHANGE);
	conn_timer(c, FRONT_EXCHANGE_MS);
	if (send_head(c, in) < 0) {
		forward_failed(c, "the upstream closed the connection");
		return;
	}
	if (waits(c->up) && !c->up->prev_held)
		conn_want(c, false, EPOLLOUT, EPOLLOUT);
	/* Back leaves Expect out: nobody upstream is asked, the body may come. */
	if (c->up->mediated && r->expect_continue)
		conn_send_str(c, STR_LIT("HTTP/1.1 100 Continue\r\n\r\n"));
	if (c->state != CONN_EXCHANGE || c->ex.up.done)
		return;
	used = pump(c, buf_str(&c->in));
	if (used > 0 && c->state == CONN_EXCHANGE)
		buf_consume(&c->in, (size_t)used);
}

/* An upstream for this request: the one just opened, or one from the pool. */
static bool find_upstream(struct conn *c, const struct intent *in, bool mediated)
{
	struct front *f = c->front;

	if (c->up && (c->up->mediated || !mediated))
		return true;
	if (c->up) {
		/* Back thinks that this rule needs no look at requests; we do. */
		upstream_close(TAKE_PTR(c->up));
		return false;
	}
	if (c->retry)
		return false;
	do {
		c->up = upstream_take(f, &in->host, in->port, mediated);
		if (c->up && (mediated || repeatable(&f->request) || upstream_fresh(c->up)))
			break;
		if (c->up)
			upstream_close(TAKE_PTR(c->up));
		else
			return false;
	} while (true);
	c->up->owner = c;
	return true;
}

static bool holds_placeholder(struct str s)
{
	static const struct str prefix = STR_LIT(POLICY_PLACEHOLDER_PREFIX);

	return s.len >= prefix.len && memmem(s.p, s.len, prefix.p, prefix.len);
}

/* A placeholder on a request that nobody would replace it on: an attempt to send a credential
 * where it does not belong, by somebody who takes it for one. */
static bool carries_placeholder(const struct http1_request *r)
{
	if (holds_placeholder(r->path) || holds_placeholder(r->query))
		return true;
	for (size_t i = 0; i < r->nheaders; i++)
		if (holds_placeholder(r->headers[i].value))
			return true;
	return false;
}

static void allowed(struct conn *c, const struct intent *in, const struct verdict *v)
{
	struct front *f = c->front;
	bool fresh = c->up != NULL;

	if (!v->mediated && carries_placeholder(&f->request)) {
		struct verdict no = *v;

		no.action = ACTION_DENY;
		refuse_request(c, in, &no, "placeholder-elsewhere");
		return;
	}

	if (!find_upstream(c, in, v->mediated || v->upgrade)) {
		if (fresh) {
			refuse_upstream(c, 502, "gateway", STR_LIT("the roles disagree"));
			return;
		}
		if (!c->fixed) {
			c->host = in->host;
			c->port = in->port;
		}
		opening_ask(c, OPENING_REQUEST, in);
		return;
	}
	/* Back records what it mediates. */
	if (!c->retry && !c->up->mediated && account_allowed(f, c->via, in, v) < 0)
		return;
	c->retry = false;
	start(c, in);
}

static bool one_request(struct conn *c)
{
	struct front *f = c->front;
	const struct http1_request *r = &f->request;
	struct intent in = { 0 };
	struct verdict v;

	if (r->form == TARGET_AUTHORITY) {
		connect_begin(c);
		return true;
	}
	switch (intent_request(r, c->fixed ? &c->host : NULL, c->port, f->path, &in)) {
	case INTENT_OTHER_HOST:
		refuse_request(c, &in, NULL, "host-mismatch");
		return true;
	case INTENT_BAD_PATH:
		refuse_request(c, &in, NULL, "ambiguous-path");
		return true;
	case INTENT_OK:
		break;
	}
	decide(f->setup->policy, &in, &v);
	/* A URL of https:// that arrived in clear may only leave encrypted, which back does. */
	if (v.action == ACTION_ALLOW && in.https && !v.mediated && !v.upgrade) {
		refuse_request(c, &in, &v, "use-connect");
		return true;
	}
	if (v.action != ACTION_ALLOW)
		refuse_request(c, &in, &v, NULL);
	else
		allowed(c, &in, &v);
	return true;
}

void forward_release(struct front *f)
{
	/* One that failed may be tried again, which may hold another: until none is left. */
	while (f->failed == 0 && f->held) {
		struct upstream *u = f->held;
		struct conn *c = u->owner;

		if (upstream_release(u) < 0)
			forward_failed(c, "the upstream closed the connection");
		else if (waits(u))
			conn_want(c, false, EPOLLOUT, EPOLLOUT);
	}
	account_flush(f);
}

bool forward_step(struct conn *c)
{
	const char *why = NULL;
	int r;

	if (buf_len(&c->in) == 0)
		return false;
	r = http1_request_parse(buf_str(&c->in), &c->front->request, &why);
	if (r == 0)
		return false;
	if (r < 0) {
		refuse_malformed(c, (unsigned)-r, why);
		return false;
	}
	one_request(c);
	return true;
}

void forward_late(struct conn *c)
{
	refuse_malformed(c, 408, "the request head did not come to its end in time");
}

void forward_done(struct conn *c)
{
	struct exchange *x = &c->ex;
	bool keep = x->keep_agent && x->up.done;

	if (x->head_kept)
		buf_consume(&c->in, x->head_kept);
	if (c->up->mediated && mediate_done(c, x->keep_up && x->up.done) < 0)
		x->keep_up = false;
	if (x->keep_up && x->up.done && !x->upstream_eof)
		upstream_idle(TAKE_PTR(c->up));
	else
		upstream_close(TAKE_PTR(c->up));
	if (!keep) {
		conn_finish(c);
		return;
	}
	conn_set_state(c, CONN_HEAD);
	if (buf_len(&c->in) == 0 && c->in.cap > FRONT_KEEP_BUF)
		buf_done(&c->in);
	conn_timer(c, FRONT_KEEPALIVE_MS);
	conn_read_agent(c, true);
	conn_step(c);
}
