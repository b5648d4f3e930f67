/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roles - the gateway's five processes: started together, watched, stopped in order.
 *
 * Each is `stockade-gateway ROLE` with a channel to us on fd 3.  They start in parallel; a role
 * that ends while the session runs ends the session.
 */
#ifndef STOCKADE_LAUNCH_ROLES_H
#define STOCKADE_LAUNCH_ROLES_H

#include "audit/log.h"
#include "audit/tally.h"
#include "ipc/channel.h"
#include "launch/secrets.h"
#include "policy/policy.h"
#include "sandbox/sandbox.h"

/* From spawn to READY of all: certificates are read and jails are shut; a loaded machine is slow.
 */
#define ROLES_START_MS 20000
/* From STOP to exit: open connections are dropped, what the log still owes is written. */
#define ROLES_STOP_MS 5000

struct role_process {
	pid_t pid;
	int pidfd; /* -1: not running */
	struct channel channel;
};

struct roles {
	struct role_process p[ROLE_MAX]; /* [ROLE_LAUNCH] is unused */
	bool up;
};

struct roles_request {
	const struct policy *policy;
	const struct secrets *secrets;
	struct audit_log *log;	       /* handed to the audit role; closed here on success */
	const struct sandbox *sandbox; /* its listeners are handed to front */
	const char *session_id;
};

void roles_init(struct roles *r);
/* On failure everything that was started is killed and reaped. */
int roles_start(const struct roles_request *req, struct roles *ret, struct err *e);
/* A role spoke, or its process ended (pidfd readable): fills `e` with which and why. */
int roles_failed(struct roles *r, struct err *e);
/* Front and back first, so that nothing more is let out; then the audit role is told the session's
 * end, writes it as its last line, and says what it counted.  Kills what does not stop in time.
 * -EIO when the log was not closed properly. */
int roles_stop(struct roles *r, const struct audit_record *session_end,
	       struct audit_tally *ret_tally, struct err *e);
/* Kills and reaps all at once. */
void roles_kill(struct roles *r);

#endif
