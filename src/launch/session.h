/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session - one run, from policy to summary: the log, the boundary, the roles on first need, and
 * an end that leaves nothing behind.
 *
 * Order matters and reads from top to bottom in session.c.  Whatever fails before the program was
 * let go leaves nothing half-started; whatever fails after it kills the sandbox (fail closed).
 */
#ifndef STOCKADE_LAUNCH_SESSION_H
#define STOCKADE_LAUNCH_SESSION_H

#include "audit/store.h"
#include "audit/tally.h"
#include "base/err.h"
#include "launch/facts.h"
#include "policy/policy.h"
#include "sandbox/sandbox.h"

#include <stdbool.h>

struct session_request {
	const struct policy *policy; /* borrowed */
	char *const *argv;	     /* program and arguments, borrowed */
	bool allow_degraded;
	int status_fd; /* JSON lines about the session are written here; -1: none */
};

struct session_result {
	int exit_code;	/* as `stockade run` returns it, 0..255 */
	bool started;	/* the program was let go */
	bool timed_out; /* the policy's wall clock ended it */
	char id[STORE_ID_LEN + 1];
	char log_path[PATH_MAX]; /* of audit.jsonl */
	char changed[PATH_MAX];	 /* the workspace or another path that was writable; "": none */
	unsigned nchanged;	 /* how many such paths there were */
	struct audit_tally tally;
	struct sandbox_tier tier;
};

/* Runs to the end; once in a process, with `ret` zeroed.  On failure `e` says why and
 * ret->exit_code is one of enum sandbox_exit; the error is in the log too, where a log could be
 * opened. */
int session_run(const struct session_request *req, struct session_result *ret, struct err *e);

/* Only the plan: for --dry-run. */
int session_plan(const struct session_request *req, struct facts *facts, struct plan *ret,
		 struct err *e);

#endif
