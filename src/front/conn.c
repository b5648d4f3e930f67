/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn - the life of one agent connection: bytes in, the step its state asks for, bytes out, end.
 *
 * Called by listener.c (new connections) and by the loop.  Runs in front; everything that is read
 * here is hostile.
 */
#include "front/conn.h"

#include "front/forward.h"
#include "front/opening.h"
#include "front/sniff.h"
#include "front/socksface.h"
#include "front/tunnel.h"
#include "front/upstream.h"
#include "os/fd.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

#define BIT(s) (1u << (s))

/* Which state may follow which. */
static const unsigned legal[CONN_STATES] = {
	[CONN_FIRST] = BIT(CONN_HEAD) | BIT(CONN_OPENING) | BIT(CONN_TUNNEL) | BIT(CONN_CLOSING),
	[CONN_SOCKS] = BIT(CONN_FIRST) | BIT(CONN_OPENING) | BIT(CONN_CLOSING),
	[CONN_HEAD] = BIT(CONN_OPENING) | BIT(CONN_EXCHANGE) | BIT(CONN_FIRST) | BIT(CONN_CLOSING),
	[CONN_OPENING] = BIT(CONN_FIRST) | BIT(CONN_TUNNEL) | BIT(CONN_HEAD) | BIT(CONN_CLOSING),
	[CONN_TUNNEL] = 0,
	[CONN_EXCHANGE] = BIT(CONN_HEAD) | BIT(CONN_OPENING) | BIT(CONN_CLOSING),
	[CONN_CLOSING] = 0,
	[CONN_DEAD] = 0,
};

void conn_set_state(struct conn *c, enum conn_state s)
{
	assert(s == CONN_DEAD || (legal[c->state] & BIT(s)));
	c->state = s;
}

void front_fail(struct front *f, int code)
{
	if (f->failed == 0)
		f->failed = code;
	f->loop.stop = true;
}

int front_send(int fd, struct buf *wait, struct iovec *iov, size_t n)
{
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = n };
	ssize_t sent = 0;

	if (buf_len(wait) == 0) {
		/* Most are one piece, and send(2) has less to copy in. */
		sent = n == 1 ? send(fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL | MSG_DONTWAIT)
			      : sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (sent < 0)
			sent = 0;
	}
	for (size_t i = 0; i < n; i++) {
		size_t skip = (size_t)sent < iov[i].iov_len ? (size_t)sent : iov[i].iov_len;
		int r;

		sent -= (ssize_t)skip;
		if (skip == iov[i].iov_len)
			continue;
		r = buf_append(wait, (char *)iov[i].iov_base + skip, iov[i].iov_len - skip);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A watch that a pause had to take out of the loop comes back. */
static void watch_set(struct front *f, struct watch *w, uint32_t events, watch_fn fn)
{
	int r =
	    w->events ? loop_change(&f->loop, w, events) : loop_add(&f->loop, w, w->fd, events, fn);

	if (r < 0)
		front_fail(f, r);
}

static void on_agent(struct watch *w, uint32_t events);

void conn_want(struct conn *c, bool agent, uint32_t events, uint32_t mask)
{
	struct watch *w = agent ? &c->agent : c->up ? &c->up->watch : NULL;

	if (c->state == CONN_DEAD || !w)
		return;
	watch_set(c->front, w, (w->events & ~mask) | events, agent ? on_agent : conn_on_upstream);
}

void conn_read_agent(struct conn *c, bool on)
{
	conn_want(c, true, on && !c->agent_eof ? EPOLLIN : 0, EPOLLIN);
}

void conn_read_upstream(struct conn *c, bool on)
{
	conn_want(c, false, on ? EPOLLIN : 0, EPOLLIN);
}

static void on_timer(struct timer *t);

void conn_timer(struct conn *c, uint64_t ms)
{
	loop_timer_set(&c->front->loop, &c->timer, ms, on_timer);
}

struct conn *conn_new(struct front *f, int fd, enum listener_kind via)
{
	struct conn *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->front = f;
	c->via = via;
	c->state = via == LISTENER_SOCKS			   ? CONN_SOCKS
		   : via == LISTENER_PROXY || via == LISTENER_UNIX ? CONN_HEAD
								   : CONN_FIRST;
	c->in = BUF_INIT(FRONT_WAIT_MAX);
	c->out = BUF_INIT(FRONT_WAIT_MAX);
	if (loop_add(&f->loop, &c->agent, fd, EPOLLIN, on_agent) < 0) {
		free(c);
		return NULL;
	}
	c->next = f->conns;
	c->prev = &f->conns;
	if (f->conns)
		f->conns->prev = &c->next;
	f->conns = c;
	f->nconns++;
	conn_timer(c, FRONT_HEAD_MS);
	return c;
}

void conn_close(struct conn *c)
{
	struct front *f = c->front;

	if (c->state == CONN_DEAD)
		return;
	if (c->state == CONN_TUNNEL)
		tunnel_end(c);
	if (c->state == CONN_OPENING)
		opening_cancel(c);
	if (c->up)
		upstream_close(TAKE_PTR(c->up));
	conn_set_state(c, CONN_DEAD);
	loop_timer_clear(&f->loop, &c->timer);
	loop_remove(&f->loop, &c->agent);
	close(c->agent.fd);
	buf_done(&c->in);
	buf_done(&c->out);
	*c->prev = c->next;
	if (c->next)
		c->next->prev = c->prev;
	c->next = f->dead_conns;
	f->dead_conns = c;
	f->nconns--;
}

void conn_send(struct conn *c, struct iovec *iov, size_t n)
{
	int r;

	if (c->state == CONN_DEAD)
		return;
	r = front_send(c->agent.fd, &c->out, iov, n);
	if (r < 0)
		conn_close(c);
	else if (buf_len(&c->out) > 0)
		conn_want(c, true, EPOLLOUT, EPOLLOUT);
}

void conn_send_str(struct conn *c, struct str s)
{
	struct iovec iov = { (void *)(uintptr_t)s.p, s.len };

	conn_send(c, &iov, 1);
}

/* Our side is said to be over; the agent may still be sending, and closing with its bytes unread
 * would reset the connection before it has read our answer. */
static void linger(struct conn *c)
{
	buf_done(&c->out);
	if (c->agent_eof) {
		conn_close(c);
		return;
	}
	shutdown(c->agent.fd, SHUT_WR);
	conn_timer(c, FRONT_LINGER_MS);
	conn_read_agent(c, true);
}

void conn_finish(struct conn *c)
{
	if (c->state == CONN_DEAD)
		return;
	if (c->up)
		upstream_close(TAKE_PTR(c->up));
	conn_set_state(c, CONN_CLOSING);
	buf_done(&c->in);
	if (buf_len(&c->out) == 0)
		linger(c);
	else
		conn_timer(c, FRONT_HEAD_MS);
}

static void drain(struct conn *c)
{
	struct front *f = c->front;
	ssize_t n = recv(c->agent.fd, f->scratch, sizeof f->scratch, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	c->drained += n > 0 ? (uint64_t)n : 0;
	if (n <= 0 || c->drained > FRONT_LINGER_BYTES)
		conn_close(c);
}

/* Receives into `in`; false when there is nothing to look at. */
static bool receive(struct conn *c)
{
	struct front *f = c->front;
	ssize_t n = recv(c->agent.fd, f->scratch, sizeof f->scratch, MSG_DONTWAIT);
	bool first = buf_len(&c->in) == 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < 0) {
		conn_close(c);
		return false;
	}
	if (n == 0) {
		c->agent_eof = true;
		conn_read_agent(c, false);
		return true;
	}
	if (buf_append(&c->in, f->scratch, (size_t)n) < 0) {
		conn_close(c);
		return false;
	}
	if (first && c->state == CONN_HEAD)
		conn_timer(c, FRONT_HEAD_MS); /* from its first byte on */
	return true;
}

void conn_step(struct conn *c)
{
	static bool (*const step[CONN_STATES])(struct conn *) = {
		[CONN_FIRST] = sniff_step,
		[CONN_SOCKS] = socksface_step,
		[CONN_HEAD] = forward_step,
	};

	/* Each step consumes bytes, changes the state, or says that it wants more. */
	while (!c->front->failed && step[c->state] && step[c->state](c))
		;
	if (c->agent_eof && step[c->state] && c->state != CONN_FIRST)
		conn_finish(c);
}

/* Pipelined bytes are read ahead a little while an answer is on its way. */
static void read_ahead(struct conn *c)
{
	if (c->agent_eof || buf_len(&c->in) >= FRONT_AHEAD_MAX)
		conn_read_agent(c, false);
	else
		receive(c);
}

static void step_received(struct conn *c)
{
	if (receive(c))
		conn_step(c);
}

static void exchange_received(struct conn *c)
{
	if (!forward_from_agent(c))
		read_ahead(c);
}

static void tunnel_received(struct conn *c)
{
	tunnel_move(c, FLOW_UP);
}

static void flushed(struct conn *c)
{
	struct str s = buf_str(&c->out);

	if (c->state == CONN_TUNNEL) {
		tunnel_move(c, FLOW_DOWN);
		return;
	}
	if (s.len) {
		ssize_t n = send(c->agent.fd, s.p, s.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			conn_close(c);
			return;
		}
		buf_consume(&c->out, n > 0 ? (size_t)n : 0);
		if (buf_len(&c->out))
			return;
	}
	buf_done(&c->out);
	conn_want(c, true, 0, EPOLLOUT);
	if (c->state == CONN_CLOSING)
		linger(c);
	else if (c->state == CONN_EXCHANGE)
		conn_read_upstream(c, true);
}

static void on_agent(struct watch *w, uint32_t events)
{
	static void (*const received[CONN_STATES])(struct conn *) = {
		[CONN_FIRST] = step_received,
		[CONN_SOCKS] = step_received,
		[CONN_HEAD] = step_received,
		[CONN_OPENING] = read_ahead,
		[CONN_EXCHANGE] = exchange_received,
		[CONN_TUNNEL] = tunnel_received,
		[CONN_CLOSING] = drain,
	};
	struct conn *c = container_of(w, struct conn, agent);

	if (c->front->failed)
		return; /* not one byte more */
	if (events & EPOLLERR) {
		conn_close(c);
		return;
	}
	if (events & EPOLLOUT)
		flushed(c);
	if (c->state == CONN_DEAD || !(events & (EPOLLIN | EPOLLHUP)))
		return;
	if (c->agent.events & EPOLLIN)
		received[c->state](c);
	else if ((events & EPOLLHUP) && c->state != CONN_TUNNEL)
		conn_close(c); /* gone both ways: nobody reads the answer */
	else if (events & EPOLLHUP)
		loop_remove(&c->front->loop, w); /* cannot be masked; back when wanted */
}

static void on_timer(struct timer *t)
{
	struct conn *c = container_of(t, struct conn, timer);

	if (c->state == CONN_TUNNEL) {
		tunnel_idle(c);
		return;
	}
	if (c->state == CONN_FIRST && !c->timed_out) {
		c->timed_out = true;
		conn_timer(c, FRONT_HEAD_MS);
		conn_step(c);
		return;
	}
	if (c->state == CONN_HEAD && buf_len(&c->in) > 0) {
		forward_late(c);
		return;
	}
	conn_close(c);
}
