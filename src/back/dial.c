/* SPDX-License-Identifier: Apache-2.0 */
/* dial - see dial.h.  Runs in back; what the resolver answers may come from a hostile name server.
 */
#include "back/dial.h"

#include "base/own.h"
#include "os/fd.h"
#include "policy/decide.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

static void enter(struct dial *d, enum dial_state to)
{
	static const bool legal[3][3] = {
		[DIAL_IDLE] = { [DIAL_IDLE] = true,
				[DIAL_RESOLVING] = true,
				[DIAL_CONNECTING] = true },
		[DIAL_RESOLVING] = { [DIAL_IDLE] = true, [DIAL_CONNECTING] = true },
		[DIAL_CONNECTING] = { [DIAL_IDLE] = true, [DIAL_CONNECTING] = true },
	};

	assert(legal[d->state][to]);
	d->state = to;
}

static void fail(struct dial *d, unsigned status, const char *why)
{
	d->status = status;
	snprintf(d->why, sizeof d->why, "%s", why);
}

/* Everything but the result is put away. */
static void put_away(struct dial *d)
{
	resolve_cancel(d->context->resolver, &d->query);
	loop_remove(d->context->loop, &d->watch);
	loop_timer_clear(d->context->loop, &d->attempt);
	loop_timer_clear(d->context->loop, &d->total);
	enter(d, DIAL_IDLE);
}

/* What fails while dial_start() runs is told in the next turn of the loop: `done` is never called
 * from within. */
static void on_early_failure(struct timer *t);

static void finish(struct dial *d)
{
	if (d->starting) {
		loop_timer_set(d->context->loop, &d->attempt, 0, on_early_failure);
		return;
	}
	if (d->status)
		close_fd(&d->fd);
	put_away(d);
	d->done(d);
}

static socklen_t to_sockaddr(const struct addr *a, uint16_t port, struct sockaddr_storage *ret)
{
	*ret = (struct sockaddr_storage){ 0 };
	if (a->family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, a->bytes, 4);
		return sizeof *in;
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		memcpy(&in6->sin6_addr, a->bytes, 16);
		return sizeof *in6;
	}
}

/* Addresses that policy wrote down itself may be anything; all others are judged by class. */
static bool may_dial(const struct net_rule *rule, const struct addr *a)
{
	return rule->upstream_addr.family ? addr_eq(a, &rule->upstream_addr)
					  : rule_allows_address(rule, a);
}

/* A non-blocking connect to one address: a descriptor, or -errno. */
static int connect_to(const struct net_rule *rule, const struct addr *a, uint16_t port)
{
	_cleanup_(close_fd) int fd = -1;
	struct sockaddr_storage sa;
	socklen_t len = to_sockaddr(a, port, &sa);
	int one = 1;

	if (!may_dial(rule, a)) /* judged before; again where it counts */
		return -EACCES;
	fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	if (fd < 0)
		return -errno;
	/* Best effort: both only change timing. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
	if (connect(fd, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS)
		return -errno;
	return TAKE_FD(fd);
}

static void note_failure(struct dial *d, int code)
{
	char text[ADDR_TEXT_MAX];

	d->status = code == -ETIMEDOUT ? 504 : 502;
	snprintf(d->why, sizeof d->why, "connecting to %s port %u: %s",
		 addr_format(&d->dialled, text), d->port, strerror(-code));
}

static void on_connected(struct watch *w, uint32_t events);
static void on_attempt_late(struct timer *t);

/* Starts on the next address that lets itself be tried; finishes when there is none. */
static void try_next(struct dial *d)
{
	while (d->next < d->naddrs) {
		int r;

		d->dialled = d->addrs[d->next++];
		r = connect_to(d->rule, &d->dialled, d->port);
		if (r >= 0) {
			d->fd = r;
			r = loop_add(d->context->loop, &d->watch, d->fd, EPOLLOUT, on_connected);
			if (r == 0) {
				enter(d, DIAL_CONNECTING);
				loop_timer_set(d->context->loop, &d->attempt, DIAL_ATTEMPT_MS,
					       on_attempt_late);
				return;
			}
			close_fd(&d->fd);
		}
		note_failure(d, r);
	}
	finish(d);
}

static void give_up_attempt(struct dial *d, int code)
{
	note_failure(d, code);
	loop_timer_clear(d->context->loop, &d->attempt);
	loop_remove(d->context->loop, &d->watch);
	close_fd(&d->fd);
	try_next(d);
}

static void on_connected(struct watch *w, uint32_t events)
{
	struct dial *d = container_of(w, struct dial, watch);
	int code = 0;
	socklen_t len = sizeof code;

	(void)events;
	if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
		code = errno;
	if (code) {
		give_up_attempt(d, -code);
		return;
	}
	d->status = 0;
	finish(d);
}

static void on_attempt_late(struct timer *t)
{
	give_up_attempt(container_of(t, struct dial, attempt), -ETIMEDOUT);
}

static void on_total_late(struct timer *t)
{
	struct dial *d = container_of(t, struct dial, total);

	if (d->state == DIAL_RESOLVING)
		fail(d, 504, "the name was not resolved in time");
	else
		note_failure(d, -ETIMEDOUT);
	finish(d);
}

/* One bad address spoils the answer: a name that points inside is not one to be trusted with the
 * choice of which of its addresses is used. */
static bool judge(struct dial *d, const struct host *literal)
{
	for (size_t i = 0; i < d->naddrs; i++) {
		char text[ADDR_TEXT_MAX];

		if (may_dial(d->rule, &d->addrs[i]))
			continue;
		d->dialled = d->addrs[i];
		d->status = 403;
		snprintf(
		    d->why, sizeof d->why,
		    "%s %s, which is %s: only a rule with 'addresses' that names it reaches it",
		    literal ? "the address is" : "the name points to",
		    addr_format(&d->addrs[i], text), addr_class_name(addr_classify(&d->addrs[i])));
		return false;
	}
	return true;
}

static void on_resolved(struct resolve *q, unsigned status, const struct addr *addrs, size_t n)
{
	struct dial *d = container_of(q, struct dial, query);

	if (status) {
		snprintf(d->why, sizeof d->why, "the name does not resolve: %s",
			 gai_strerror(-(int)status));
		d->status = status == (unsigned)-EAI_AGAIN ? 504 : 502;
		finish(d);
		return;
	}
	memcpy(d->addrs, addrs, n * sizeof *addrs);
	d->naddrs = n;
	if (judge(d, NULL))
		try_next(d);
	else
		finish(d);
}

static void on_early_failure(struct timer *t)
{
	finish(container_of(t, struct dial, attempt));
}

void dial_start(struct dial *d, const struct dial_context *context, const struct net_rule *rule,
		const struct host *host, uint16_t port, dial_fn done)
{
	const struct addr *known = rule->upstream_addr.family ? &rule->upstream_addr
				   : host->addr.family	      ? &host->addr
							      : NULL;

	*d =
	    (struct dial){ .context = context, .rule = rule, .port = port, .done = done, .fd = -1 };
	d->starting = true;
	loop_timer_set(context->loop, &d->total, DIAL_TOTAL_MS, on_total_late);
	if (known) {
		d->addrs[0] = *known;
		d->naddrs = 1;
		if (judge(d, host))
			try_next(d);
		else
			finish(d);
	} else if (resolve_start(context->resolver, &d->query, host_str(host), on_resolved) == 0) {
		enter(d, DIAL_RESOLVING);
	} else {
		fail(d, 502, "the resolver does not answer");
		finish(d);
	}
	d->starting = false;
}

void dial_cancel(struct dial *d)
{
	if (!d->context)
		return;
	put_away(d);
	close_fd(&d->fd);
}
