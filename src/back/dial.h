/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial - from a decided rule and host to a connected socket: resolve once, judge every address,
 * connect to what was judged.
 *
 * dial.c holds the program's only connect() of an Internet socket.
 */
#ifndef STOCKADE_BACK_DIAL_H
#define STOCKADE_BACK_DIAL_H

#include "back/resolve.h"
#include "base/host.h"
#include "net/loop.h"
#include "policy/policy.h"

/* One address gets this long: three lost SYNs (1, 2, 4 s) are a dead address. */
#define DIAL_ATTEMPT_MS 5000u
/* All of it, the name included: a client's own patience is about 30 s. */
#define DIAL_TOTAL_MS 15000u

struct dial;
typedef void (*dial_fn)(struct dial *d);

struct dial_context {
	struct loop *loop;
	struct resolve_client *resolver;
};

enum dial_state {
	DIAL_IDLE,	 /* nothing under way; the result stands */
	DIAL_RESOLVING,	 /* the resolver was asked */
	DIAL_CONNECTING, /* a connect() is under way on fd */
};

struct dial {
	const struct dial_context *context;
	enum dial_state state;
	const struct net_rule *rule;
	uint16_t port;
	struct addr addrs[RESOLVE_ADDRS_MAX];
	size_t naddrs, next;
	struct resolve query;
	struct watch watch;
	struct timer attempt, total;
	dial_fn done;
	bool starting; /* dial_start() has not returned yet */

	int fd;		     /* connected socket on success: TAKE_FD it; else -1 */
	struct addr dialled; /* where it went, or last tried */
	unsigned status;     /* 0 connected; 403 an address that policy does not name; 502; 504 */
	char why[256];	     /* for a person, when status is not 0 */
};

/* Calls `done` later, once: never before dial_start() returned. */
void dial_start(struct dial *d, const struct dial_context *context, const struct net_rule *rule,
		const struct host *host, uint16_t port, dial_fn done);
/* `done` will not be called any more; closes what is open. */
void dial_cancel(struct dial *d);

#endif
