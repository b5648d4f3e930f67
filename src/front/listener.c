/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener - see listener.h.  Runs in front.  The kernel says where a transparent connection wanted
 * to go: SO_ORIGINAL_DST where netfilter redirected it, getsockname() where the listener itself
 * stands on every address.
 */
#include "front/listener.h"

#include "front/dnsstub.h"
#include "front/intent.h"
#include "front/sniff.h"
#include "os/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* linux/netfilter_ipv4.h and linux/netfilter_ipv6/ip6_tables.h, which do not get on with libc's
 * headers. */
#define SO_ORIGINAL_DST_4 80
#define SO_ORIGINAL_DST_6 80

static int from_sockaddr(const struct sockaddr_storage *s, struct addr *ret, uint16_t *ret_port)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)s;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)s;

	switch (s->ss_family) {
	case AF_INET:
		*ret_port = ntohs(v4->sin_port);
		return addr_from_bytes((const uint8_t *)&v4->sin_addr, 4, ret);
	case AF_INET6:
		*ret_port = ntohs(v6->sin6_port);
		return addr_from_bytes((const uint8_t *)&v6->sin6_addr, 16, ret);
	default:
		return -EAFNOSUPPORT;
	}
}

static int original_destination(int fd, enum listener_kind kind, struct addr *ret,
				uint16_t *ret_port)
{
	bool v6 = kind == LISTENER_TRANSPARENT6;
	struct sockaddr_storage s = { 0 };
	socklen_t n = sizeof s;

	if (getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
		       v6 ? SO_ORIGINAL_DST_6 : SO_ORIGINAL_DST_4, &s, &n) == 0 &&
	    from_sockaddr(&s, ret, ret_port) == 0)
		return 0;
	n = sizeof s;
	if (getsockname(fd, (struct sockaddr *)&s, &n) < 0)
		return -errno;
	return from_sockaddr(&s, ret, ret_port);
}

static bool is_transparent(enum listener_kind k)
{
	return k == LISTENER_TRANSPARENT4 || k == LISTENER_TRANSPARENT6;
}

static bool is_dns(enum listener_kind k)
{
	return k == LISTENER_DNS4 || k == LISTENER_DNS6;
}

static void accepted(struct listener *l, int fd)
{
	struct front *f = l->front;
	struct addr a = { 0 };
	struct conn *c;
	uint16_t port = 0;
	int on = 1;

	if (is_transparent(l->kind) && original_destination(fd, l->kind, &a, &port) < 0) {
		close(fd);
		return;
	}
	if (l->kind != LISTENER_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	c = conn_new(f, fd, l->kind);
	if (!c) {
		close(fd);
		return;
	}
	if (!is_transparent(l->kind))
		return;
	c->fixed = true;
	c->port = port;
	intent_destination(f->names, &a, &c->host);
	sniff_begin(c);
}

static void pause_all(struct front *f, bool pause)
{
	for (size_t i = 0; i < f->setup->nlisteners; i++)
		if (!is_dns(f->listeners[i].kind))
			loop_change(&f->loop, &f->listeners[i].watch, pause ? 0 : EPOLLIN);
	f->accept_paused = pause;
}

static void on_backoff(struct timer *t)
{
	pause_all(container_of(t, struct front, accept_timer), false);
}

void listener_resume(struct front *f)
{
	if (f->accept_paused && f->nconns < FRONT_CONNS_MAX && !f->accept_timer.prev)
		pause_all(f, false);
}

/* Room for a newcomer at the cost of the one that has idled longest: the list is newest first. */
static bool evict(struct front *f)
{
	struct conn *oldest = NULL;

	for (struct conn *c = f->conns; c; c = c->next)
		if (c->state == CONN_FIRST || c->state == CONN_SOCKS || c->state == CONN_HEAD ||
		    c->state == CONN_CLOSING)
			oldest = c;
	if (oldest)
		conn_close(oldest);
	return oldest != NULL;
}

static void on_listener(struct watch *w, uint32_t events)
{
	struct listener *l = container_of(w, struct listener, watch);
	struct front *f = l->front;

	(void)events;
	for (int i = 0; i < LISTENER_BATCH; i++) {
		int fd;

		if (f->nconns >= FRONT_CONNS_MAX && !evict(f)) {
			pause_all(f, true);
			return;
		}
		fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			accepted(l, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			pause_all(f, true);
			loop_timer_set(&f->loop, &f->accept_timer, LISTENER_BACKOFF_MS, on_backoff);
		}
		if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

static void on_dns(struct watch *w, uint32_t events)
{
	struct listener *l = container_of(w, struct listener, watch);

	(void)events;
	dnsstub_serve(l->front, w->fd, l->kind);
}

int listener_start(struct front *f)
{
	const struct front_setup *s = f->setup;

	f->listeners = calloc(s->nlisteners + 1, sizeof *f->listeners);
	if (!f->listeners)
		return -ENOMEM;
	for (size_t i = 0; i < s->nlisteners; i++) {
		struct listener *l = &f->listeners[i];
		int fd = s->listeners[i].fd, r;

		l->front = f;
		l->kind = s->listeners[i].kind;
		r = fd_set_nonblock(fd, true);
		if (r == 0 && is_dns(l->kind))
			r = dnsstub_prepare(fd, l->kind);
		if (r == 0)
			r = loop_add(&f->loop, &l->watch, fd, EPOLLIN,
				     is_dns(l->kind) ? on_dns : on_listener);
		if (r < 0)
			return r;
	}
	return 0;
}

void listener_stop(struct front *f)
{
	for (size_t i = 0; f->listeners && i < f->setup->nlisteners; i++) {
		loop_remove(&f->loop, &f->listeners[i].watch);
		close(f->setup->listeners[i].fd);
	}
	loop_timer_clear(&f->loop, &f->accept_timer);
	free(f->listeners);
	f->listeners = NULL;
}
