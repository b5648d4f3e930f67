/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front - the role that reads what the agent sends: HTTP, SOCKS, TLS ClientHellos, DNS questions.
 *
 * It holds no secret, opens no file and makes no connection: back hands it connected sockets.
 * Five steps in a row: listener, intent, decide, dial (ask back), relay.
 */
#ifndef STOCKADE_FRONT_FRONT_H
#define STOCKADE_FRONT_FRONT_H

#include "ipc/channel.h"
#include "policy/policy.h"

#include <stddef.h>

/* One of each kind, and several transparent ones where nf_tables is missing and the listeners
 * stand on the policy's own ports. */
#define FRONT_LISTENERS_MAX 64u

struct front_listener {
	enum listener_kind kind;
	int fd; /* listening (TCP, Unix) or bound (UDP); front makes it non-blocking and closes it
		 */
};

struct front_setup {
	struct channel *launch, *back, *audit; /* running; borrowed */
	const struct policy *policy;	       /* borrowed */
	struct front_listener listeners[FRONT_LISTENERS_MAX];
	size_t nlisteners;
};

/* Serves until launch says STOP (0), or until back, audit or launch is gone or breaks the message
 * table (-errno): then every connection is closed and the process must exit non-zero.
 *
 * Called after the jail is shut; SIGPIPE must be ignored (splice(2) has no MSG_NOSIGNAL), READY
 * is the caller's to send.  System calls from here on: epoll_create1 epoll_ctl epoll_wait(pwait)
 * accept4 read readv write writev recvfrom recvmsg sendto sendmsg splice pipe2 close shutdown
 * getsockopt setsockopt getsockname fcntl(F_GETFL, F_SETFL, F_SETPIPE_SZ) poll clock_gettime
 * getrandom, and what malloc needs (brk mmap munmap mremap madvise). */
int front_run(const struct front_setup *setup);

#endif
