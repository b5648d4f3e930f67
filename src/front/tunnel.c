/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tunnel - see tunnel.h.  Runs in front; the bytes are never looked at.
 *
 * Theory of operation.  Each direction is copied through the shared scratch buffer until
 * TUNNEL_SPLICE_AFTER bytes went by; then pages move through a pipe (splice(2)) that is borrowed
 * from a pool for as long as it holds bytes.  What the destination does not take waits in the
 * destination's buffer or in the pipe; the source is not read meanwhile.  End of input is passed
 * on as a half close once nothing waits any more; the tunnel ends when both directions ended.
 */
#include "front/tunnel.h"

#include "front/account.h"
#include "front/upstream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Turns of one callback, so that a fast tunnel leaves the others their share. */
#define MOVES_MAX 8
/* One splice, and what the pipes of the pool are made to hold: a quarter of what the kernel lets an
 * ordinary user ask for, so that a fast tunnel needs few calls. */
#define SPLICE_MAX (256u * 1024)

struct ends {
	int from, to;
	struct buf *wait; /* of the destination */
};

static struct ends ends_of(struct conn *c, int which)
{
	return which == FLOW_UP ? (struct ends){ c->agent.fd, c->up->fd, &c->up->out }
				: (struct ends){ c->up->fd, c->agent.fd, &c->out };
}

static bool pipe_take(struct front *f, struct flow *w)
{
	if (f->npipes > 0) {
		f->npipes--;
		w->pipe[0] = f->pipes[f->npipes][0];
		w->pipe[1] = f->pipes[f->npipes][1];
		w->wide = true;
		return true;
	}
	if (pipe2(w->pipe, O_NONBLOCK | O_CLOEXEC) == 0) {
		/* Not more of them than the pool keeps: beyond the user's share
		 * (pipe-user-pages-soft) every new pipe of the user becomes a tiny one.  Refused:
		 * it stays as it is. */
		if (f->nwide < FRONT_PIPES_SPARE &&
		    fcntl(w->pipe[1], F_SETPIPE_SZ, SPLICE_MAX) >= 0) {
			f->nwide++;
			w->wide = true;
		}
		return true;
	}
	w->pipe[0] = w->pipe[1] = -1;
	return false;
}

static void pipe_give(struct front *f, struct flow *w)
{
	if (w->pipe[0] < 0)
		return;
	if (w->piped == 0 && w->wide) { /* there are no more of these than the pool holds */
		f->pipes[f->npipes][0] = w->pipe[0];
		f->pipes[f->npipes][1] = w->pipe[1];
		f->npipes++;
	} else {
		f->nwide -= w->wide;
		close(w->pipe[0]);
		close(w->pipe[1]);
	}
	w->pipe[0] = w->pipe[1] = -1;
	w->piped = 0;
	w->wide = false;
}

static bool again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* Each of these: 1 moved all it took, 0 nothing to read now, -1 the destination is full, -2 broken,
 * and w->eof at the end of input. */
enum { MOVED = 1, NOTHING = 0, FULL = -1, BROKEN = -2 };

static int move_copy(struct front *f, struct flow *w, const struct ends *e)
{
	ssize_t n = recv(e->from, f->scratch, sizeof f->scratch, MSG_DONTWAIT);
	struct iovec iov = { f->scratch, n > 0 ? (size_t)n : 0 };

	if (n < 0)
		return again() ? NOTHING : BROKEN;
	if (n == 0) {
		w->eof = true;
		return NOTHING;
	}
	w->bytes += (uint64_t)n;
	if (front_send(e->to, e->wait, &iov, 1) < 0)
		return BROKEN;
	if (buf_len(e->wait) > 0)
		return FULL;
	/* A short read is the end of what was there: no call just to hear EAGAIN. */
	return (size_t)n < sizeof f->scratch ? NOTHING : MOVED;
}

/* Pipe to destination. */
static int splice_out(struct flow *w, const struct ends *e)
{
	while (w->piped > 0) {
		ssize_t n = splice(w->pipe[0], NULL, e->to, NULL, w->piped,
				   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

		if (n < 0)
			return again() ? FULL : BROKEN;
		if (n == 0)
			return BROKEN;
		w->piped -= (size_t)n;
	}
	return MOVED;
}

static int move_splice(struct front *f, struct flow *w, const struct ends *e)
{
	ssize_t n;

	if (w->pipe[0] < 0 && !pipe_take(f, w))
		return move_copy(f, w, e); /* no descriptor to spare */
	n = splice(e->from, NULL, w->pipe[1], NULL, SPLICE_MAX, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n < 0)
		return again() ? NOTHING : BROKEN;
	if (n == 0) {
		w->eof = true;
		return NOTHING;
	}
	w->bytes += (uint64_t)n;
	w->piped += (size_t)n;
	return splice_out(w, e);
}

/* What waits for the destination goes first. */
static int move_waiting(struct flow *w, const struct ends *e)
{
	struct str s = buf_str(e->wait);
	ssize_t n;

	if (w->piped > 0)
		return splice_out(w, e);
	if (s.len == 0)
		return MOVED;
	n = send(e->to, s.p, s.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && !again())
		return BROKEN;
	buf_consume(e->wait, n > 0 ? (size_t)n : 0);
	if (buf_len(e->wait) > 0)
		return FULL;
	buf_done(e->wait);
	return MOVED;
}

static int move(struct front *f, struct flow *w, const struct ends *e)
{
	int r = move_waiting(w, e);

	for (int i = 0; r == MOVED && !w->eof && i < MOVES_MAX; i++)
		r = w->bytes < TUNNEL_SPLICE_AFTER ? move_copy(f, w, e) : move_splice(f, w, e);
	if (w->piped == 0)
		pipe_give(f, w);
	if (r >= 0 && w->eof && !w->shut) {
		shutdown(e->to, SHUT_WR);
		w->shut = true;
	}
	return r;
}

/* What each side must tell us now: bytes to read, room to write. */
static void watch_both(struct conn *c)
{
	for (int i = FLOW_UP; i <= FLOW_DOWN; i++) {
		const struct flow *w = &c->flow[i];
		const struct ends e = ends_of(c, i);
		bool full = w->piped > 0 || buf_len(e.wait) > 0, read = !full && !w->eof;

		conn_want(c, i == FLOW_UP, read ? EPOLLIN : 0, EPOLLIN);
		conn_want(c, i != FLOW_UP, full ? EPOLLOUT : 0, EPOLLOUT);
	}
}

void tunnel_move(struct conn *c, int which)
{
	struct ends e = ends_of(c, which);
	struct flow *w = &c->flow[which];

	c->active_ms = c->front->loop.now_ms;
	if (move(c->front, w, &e) == BROKEN || (c->flow[0].shut && c->flow[1].shut)) {
		conn_close(c);
		return;
	}
	watch_both(c);
}

void tunnel_upstream(struct conn *c, uint32_t events)
{
	if (events & EPOLLERR)
		conn_close(c);
	else if (c->up->watch.events & EPOLLIN)
		tunnel_move(c, FLOW_DOWN);
	else if (events & EPOLLHUP)
		loop_remove(&c->front->loop, &c->up->watch); /* cannot be masked */
}

void tunnel_start(struct conn *c)
{
	struct str waiting = buf_str(&c->in);
	struct iovec iov = { (void *)(uintptr_t)waiting.p, waiting.len };

	conn_set_state(c, CONN_TUNNEL);
	for (int i = 0; i < 2; i++)
		c->flow[i] = (struct flow){ .pipe = { -1, -1 } };
	c->active_ms = c->front->loop.now_ms;
	c->flow[FLOW_UP].bytes = waiting.len;
	c->flow[FLOW_UP].eof = c->agent_eof;
	conn_timer(c, FRONT_TUNNEL_MS);
	if (waiting.len && front_send(c->up->fd, &c->up->out, &iov, 1) < 0) {
		conn_close(c);
		return;
	}
	buf_done(&c->in);
	if (c->agent_eof)
		tunnel_move(c, FLOW_UP);
	else
		watch_both(c);
}

void tunnel_idle(struct conn *c)
{
	uint64_t silent = c->front->loop.now_ms - c->active_ms;

	if (silent >= FRONT_TUNNEL_MS)
		conn_close(c);
	else
		conn_timer(c, FRONT_TUNNEL_MS - silent);
}

void tunnel_end(struct conn *c)
{
	account_close(c);
	for (int i = 0; i < 2; i++) {
		/* Pages of this tunnel must not reach another: only an empty pipe goes back. */
		pipe_give(c->front, &c->flow[i]);
	}
}
