/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream - see upstream.h.  Runs in front.  An upstream stays in the loop while it is idle: any
 * event there means that it is over, and moving it in and out of the pool costs no system call.
 */
#include "front/upstream.h"

#include "front/account.h"
#include "os/fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

static struct upstream **bucket(struct front *f, const struct host *host, uint16_t port)
{
	uint32_t h = 2166136261u ^ port; /* FNV-1a; a bad spread costs the agent's own time */

	for (size_t i = 0; i < host->len; i++)
		h = (h ^ (unsigned char)host->text[i]) * 16777619u;
	return &f->idle[h % FRONT_BUCKETS];
}

struct upstream *upstream_new(struct front *f, int fd, bool mediated)
{
	struct upstream *u;
	int on = 1;

	/* splice(2) blocks on a socket that does, whatever its flags say. */
	if (fd_set_nonblock(fd, true) < 0)
		return NULL;
	u = calloc(1, sizeof *u);
	if (!u)
		return NULL;
	u->front = f;
	u->fd = fd;
	u->mediated = mediated;
	u->in = BUF_INIT(2 * HTTP1_HEAD_MAX + FRONT_SCRATCH);
	u->out = BUF_INIT(FRONT_WAIT_MAX);
	if (loop_add(&f->loop, &u->watch, fd, EPOLLIN, conn_on_upstream) < 0) {
		free(u);
		return NULL;
	}
	if (mediated) {
		channel_init(&u->stream, fd, ROLE_FRONT, ROLE_BACK);
		channel_set_running(&u->stream);
	} else {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	}
	return u;
}

static void leave_pool(struct upstream *u)
{
	if (!u->prev)
		return;
	*u->prev = u->next;
	if (u->next)
		u->next->prev = u->prev;
	u->prev = NULL;
	u->next = NULL;
	u->front->nidle--;
	loop_timer_clear(&u->front->loop, &u->timer);
}

void upstream_hold(struct upstream *u)
{
	struct front *f = u->front;

	if (u->prev_held)
		return;
	u->next_held = f->held;
	u->prev_held = &f->held;
	if (f->held)
		f->held->prev_held = &u->next_held;
	f->held = u;
}

static void unhold(struct upstream *u)
{
	if (!u->prev_held)
		return;
	*u->prev_held = u->next_held;
	if (u->next_held)
		u->next_held->prev_held = u->prev_held;
	u->prev_held = NULL;
	u->next_held = NULL;
}

int upstream_release(struct upstream *u)
{
	int r = account_flush(u->front);

	unhold(u);
	return r < 0 ? r : upstream_flush(u);
}

int upstream_flush(struct upstream *u)
{
	struct str s = buf_str(&u->out);
	ssize_t n = s.len ? send(u->fd, s.p, s.len, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	buf_consume(&u->out, n > 0 ? (size_t)n : 0);
	/* Heads are small: their buffer stays for the next one. */
	if (buf_len(&u->out) == 0 && u->out.cap > FRONT_KEEP_BUF)
		buf_done(&u->out);
	return 0;
}

void upstream_close(struct upstream *u)
{
	struct front *f = u->front;

	leave_pool(u);
	unhold(u);
	loop_remove(&f->loop, &u->watch);
	loop_timer_clear(&f->loop, &u->timer);
	if (u->mediated)
		channel_done(&u->stream);
	else
		close(u->fd);
	u->fd = -1;
	u->owner = NULL;
	buf_done(&u->in);
	buf_done(&u->out);
	u->next = f->dead_upstreams;
	f->dead_upstreams = u;
}

static void on_idle_timer(struct timer *t)
{
	upstream_close(container_of(t, struct upstream, timer));
}

void upstream_idle(struct upstream *u)
{
	struct front *f = u->front;
	struct upstream **at = bucket(f, &u->host, u->port);

	if (f->nidle >= UPSTREAM_IDLE_MAX || buf_len(&u->in) || buf_len(&u->out) ||
	    loop_change(&f->loop, &u->watch, EPOLLIN) < 0) {
		upstream_close(u);
		return;
	}
	u->owner = NULL;
	u->reused = true;
	u->next = *at;
	u->prev = at;
	if (*at)
		(*at)->prev = &u->next;
	*at = u;
	f->nidle++;
	loop_timer_set(&f->loop, &u->timer, UPSTREAM_IDLE_MS, on_idle_timer);
}

struct upstream *upstream_take(struct front *f, const struct host *host, uint16_t port,
			       bool mediated)
{
	for (struct upstream *u = *bucket(f, host, port); u; u = u->next) {
		if (u->port != port || (mediated && !u->mediated) ||
		    !str_eq(host_str(&u->host), host_str(host)))
			continue;
		leave_pool(u);
		return u;
	}
	return NULL;
}

bool upstream_fresh(const struct upstream *u)
{
	char byte;
	ssize_t n = recv(u->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n < 0 && errno == EAGAIN;
}

void upstream_close_all(struct front *f)
{
	for (size_t i = 0; i < FRONT_BUCKETS; i++)
		while (f->idle[i])
			upstream_close(f->idle[i]);
}
