/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netns - the inside of the sandbox's network namespace: every address is local, and our listeners
 * stand where connections arrive.
 *
 * Runs in the sandboxed child before any restriction.  The sockets are handed to the launcher and
 * closed here; whoever holds them accepts from outside, so there is no relay in between.
 */
#include "sandbox/inside.h"

#include "os/fd.h"
#include "os/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* Connections that wait while the gateway starts, or is busy; the kernel's own default bound. */
#define BACKLOG 4096

#define LOOPBACK4 "127.0.0.1"
#define LOOPBACK6 "::1"

struct listener {
	enum sandbox_listener kind;
	int family, type;
	const char *address;
	uint16_t port;
};

static const struct listener fixed[] = {
	{ SANDBOX_PROXY, AF_INET, SOCK_STREAM, PLAN_GATEWAY_IP, PLAN_PROXY_PORT },
	{ SANDBOX_SOCKS, AF_INET, SOCK_STREAM, PLAN_GATEWAY_IP, PLAN_SOCKS_PORT },
	{ SANDBOX_DNS4, AF_INET, SOCK_DGRAM, "0.0.0.0", 53 },
	{ SANDBOX_DNS6, AF_INET6, SOCK_DGRAM, "::", 53 },
};

/* A redirected connection arrives at the loopback address. */
static const struct listener redirected[] = {
	{ SANDBOX_TRANSPARENT4, AF_INET, SOCK_STREAM, LOOPBACK4, PLAN_TRANSPARENT_PORT },
	{ SANDBOX_TRANSPARENT6, AF_INET6, SOCK_STREAM, LOOPBACK6, PLAN_TRANSPARENT_PORT },
};

static int set_on(int fd, int level, int option)
{
	const int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on)) < 0 ? -errno : 0;
}

/* DNS answers leave from the address that was asked. */
static int ask_destination(int fd, const struct listener *l)
{
	if (l->type != SOCK_DGRAM)
		return 0;
	return l->family == AF_INET ? set_on(fd, IPPROTO_IP, IP_PKTINFO)
				    : set_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
}

static int open_listener(const struct listener *l)
{
	_cleanup_(close_fd) int fd = socket(l->family, l->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = { 0 };
	socklen_t size = l->family == AF_INET ? sizeof(a.v4) : sizeof(a.v6);
	int r;

	if (fd < 0)
		return -errno;
	a.any.sa_family = (sa_family_t)l->family;
	if (l->family == AF_INET) {
		a.v4.sin_port = htons(l->port);
		inet_pton(AF_INET, l->address, &a.v4.sin_addr);
	} else {
		a.v6.sin6_port = htons(l->port);
		inet_pton(AF_INET6, l->address, &a.v6.sin6_addr);
		r = set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);
		if (r < 0)
			return r;
	}
	r = ask_destination(fd, l);
	if (r < 0)
		return r;
	if (bind(fd, &a.any, size) < 0 || (l->type == SOCK_STREAM && listen(fd, BACKLOG) < 0))
		return -errno;
	return TAKE_FD(fd);
}

static void keep(struct inside *in, enum sandbox_listener kind, int fd)
{
	in->report.kinds[in->report.nlisteners] = (int)kind;
	in->listeners[in->report.nlisteners++] = fd;
}

static int add_listeners(struct inside *in, const struct listener *l, unsigned n, struct err *e)
{
	for (unsigned i = 0; i < n; i++) {
		int fd = open_listener(&l[i]);

		if (fd == -EAFNOSUPPORT && l[i].family == AF_INET6)
			continue; /* no IPv6 here: nothing can come over it */
		if (fd < 0)
			return err_sys(e, fd, "listener on %s port %u", l[i].address, l[i].port);
		keep(in, l[i].kind, fd);
	}
	return 0;
}

/* Without nftables: each port that policy names, on every address of both families. */
static int listen_on_ports(struct inside *in, struct err *e)
{
	for (unsigned i = 0; i < in->plan->nports && i < PLAN_PORTS_MAX; i++) {
		const struct listener both[] = {
			{ SANDBOX_TRANSPARENT4, AF_INET, SOCK_STREAM, "0.0.0.0",
			  in->plan->ports[i] },
			{ SANDBOX_TRANSPARENT6, AF_INET6, SOCK_STREAM, "::", in->plan->ports[i] },
		};
		int r = add_listeners(in, both, ARRAY_LEN(both), e);

		if (r < 0)
			return r;
	}
	return 0;
}

int netns_set_up(struct inside *in, struct err *e)
{
	const bool listen_here = in->opt->supervise_net && in->plan->network;
	struct in_addr gateway;
	int r = netlink_loopback(listen_here, e);

	if (r < 0 || !listen_here)
		return r;
	r = add_listeners(in, fixed, ARRAY_LEN(fixed), e);
	if (r < 0)
		return r;
	inet_pton(AF_INET, PLAN_GATEWAY_IP, &gateway);
	in->report.tier.redirect =
	    netlink_redirect(gateway.s_addr, PLAN_TRANSPARENT_PORT, NULL) == 0;
	if (in->report.tier.redirect)
		return add_listeners(in, redirected, ARRAY_LEN(redirected), e);
	return listen_on_ports(in, e);
}

/* In the new root, while it is still writable and not yet entered. */
int netns_unix_listener(struct inside *in, struct err *e)
{
	_cleanup_(close_fd) int fd = -1;
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (!in->opt->supervise_net || !in->plan->network || !in->plan->unix_gateway)
		return 0;
	/* Directories first: the plan may have made them. */
	if ((mkdirat(in->root, "run", 0755) < 0 && errno != EEXIST) ||
	    (mkdirat(in->root, "run/stockade", 0755) < 0 && errno != EEXIST))
		return err_sys(e, -errno, "directory of the gateway's socket");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d%s", in->root, PLAN_UNIX_SOCKET);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, BACKLOG) < 0)
		return err_sys(e, -errno, "gateway's Unix socket");
	keep(in, SANDBOX_UNIX, TAKE_FD(fd));
	return 0;
}
