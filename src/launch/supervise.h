/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervise - the time between "the program runs" and "it ended": signals, the terminal, the first
 * connection, the roles' health, the wall clock.
 */
#ifndef STOCKADE_LAUNCH_SUPERVISE_H
#define STOCKADE_LAUNCH_SUPERVISE_H

#include "launch/roles.h"
#include "sandbox/sandbox.h"

#include <stdint.h>

/* Between SIGTERM and SIGKILL when the wall clock of the policy has run out. */
#define SUPERVISE_GRACE_MS 5000u

struct supervise {
	struct sandbox *sandbox;
	struct roles *roles;			 /* started here, on the first connection */
	const struct roles_request *roles_start; /* with what */
	uint64_t time_limit_s;			 /* 0: none */
	int status_fd;
	bool timed_out; /* out: the wall clock ended it */
};

/* Returns 0 when the program has ended (sandbox_wait() then says how), or -errno with `e` when the
 * session must end: a role failed, or could not be started.  The caller tears down. */
int supervise(struct supervise *s, struct err *e);

#endif
