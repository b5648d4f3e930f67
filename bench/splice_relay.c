/* SPDX-License-Identifier: Apache-2.0 */
/*
 * splice_relay - the least that a relay can do: accept, connect to one fixed address, splice both
 * ways.  A yardstick for `make bench`, no part of the product.
 *
 *   splice_relay LISTEN-PORT TARGET-PORT      both on 127.0.0.1
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define CHUNK (1u << 20)

/* One direction's end: what is read from fd goes through the pipe to peer->fd. */
struct end {
	int fd, pipe[2];
	size_t held;
	int eof;
	struct end *peer;
	struct end *next_dead;
	int dead;
};

static int epoll_fd;
static struct end *graveyard;

static void bury(struct end *e)
{
	struct end *pair[2] = { e, e->peer };
	for (int i = 0; i < 2; i++) {
		if (pair[i]->dead)
			continue;
		pair[i]->dead = 1;
		close(pair[i]->fd);
		close(pair[i]->pipe[0]);
		close(pair[i]->pipe[1]);
		pair[i]->next_dead = graveyard;
		graveyard = pair[i];
	}
}

/* Moves what can be moved from e to its peer; -1 when the connection is over. */
static int pump(struct end *e)
{
	for (;;) {
		if (e->held == 0 && !e->eof) {
			ssize_t n = splice(e->fd, NULL, e->pipe[1], NULL, CHUNK,
					   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
			if (n < 0)
				return errno == EAGAIN ? 0 : -1;
			if (n == 0)
				e->eof = 1;
			e->held += (size_t)n;
		}
		if (e->held == 0) {
			shutdown(e->peer->fd, SHUT_WR);
			return e->peer->eof && e->peer->held == 0 ? -1 : 0;
		}
		ssize_t n = splice(e->pipe[0], NULL, e->peer->fd, NULL, e->held,
				   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		e->held -= (size_t)n;
	}
}

static struct end *end_new(int fd)
{
	struct end *e = calloc(1, sizeof(*e));
	int one = 1;
	if (!e || pipe2(e->pipe, O_NONBLOCK | O_CLOEXEC) < 0)
		abort();
	e->fd = fd;
	fcntl(e->pipe[1], F_SETPIPE_SZ, CHUNK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return e;
}

static void watch(struct end *e)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP,
				  .data.ptr = e };
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, e->fd, &ev);
}

static void take(int listener, const struct sockaddr_in *target)
{
	int in = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (in < 0)
		return;
	int out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (out < 0 || connect(out, (const struct sockaddr *)target, sizeof(*target)) < 0) {
		close(in);
		if (out >= 0)
			close(out);
		return;
	}
	fcntl(out, F_SETFL, O_NONBLOCK);
	struct end *a = end_new(in), *b = end_new(out);
	a->peer = b;
	b->peer = a;
	watch(a);
	watch(b);
}

static struct sockaddr_in loopback(const char *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_port = htons((uint16_t)atoi(port)),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	return sin;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: splice_relay LISTEN-PORT TARGET-PORT\n");
		return 2;
	}
	struct sockaddr_in here = loopback(argv[1]), target = loopback(argv[2]);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&here, sizeof(here)) < 0 || listen(listener, 4096) < 0) {
		perror("splice_relay: listen");
		return 1;
	}
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = { .events = EPOLLIN }, events[64];
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &ev);
	for (;;) {
		int n = epoll_wait(epoll_fd, events, 64, -1);
		for (int i = 0; i < n; i++) {
			struct end *e = events[i].data.ptr;
			if (!e) {
				take(listener, &target);
				continue;
			}
			if (!e->dead && (pump(e) < 0 || pump(e->peer) < 0))
				bury(e);
		}
		while (graveyard) {
			struct end *e = graveyard;
			graveyard = e->next_dead;
			free(e);
		}
	}
}
