/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roles - starts the five processes of the gateway, connects them, and ends them.
 *
 * A role that dies ends the session: roles_check() says so, and the caller ends everything.
 */
#ifndef STOCKADE_LAUNCH_ROLES_H
#define STOCKADE_LAUNCH_ROLES_H

#include "audit/log.h"
#include "audit/tally.h"
#include "ipc/channel.h"
#include "launch/secrets.h"

#include <sys/types.h>

/* launch itself is no child */
#define ROLES_N (ROLE_MAX - 1)
#define ROLES_LISTENERS_MAX 64u

struct roles_request {
	const struct policy *policy;
	const char *session;
	struct secrets *secrets; /* values are wiped once they were sent */
	struct audit_log *log;	 /* goes on in the audit role: not to be written here any more */
	char *const *environ;	 /* the host's: SSL_CERT_FILE is handed on, nothing else */
	const char *program;	 /* stockade-gateway, or NULL: roles_program() */
	struct {
		enum listener_kind kind;
		int fd; /* borrowed */
	} listeners[ROLES_LISTENERS_MAX];
	unsigned nlisteners;
};

struct role_process {
	enum role role;
	int pidfd; /* readable when it ended; owned */
	pid_t pid;
	struct channel channel;
	bool ready;
};

struct roles {
	struct role_process all[ROLES_N];
	bool running;
};

/* Where the gateway's executable is: beside this program, or in the build tree's src/role when
 * this program is in its src/cli, or LIBEXECDIR/stockade as it was configured. */
int roles_program(char *ret, size_t size, struct err *e);
/* Blocks until all five are jailed and serve (some ten milliseconds).  On failure nothing is left
 * running. */
int roles_start(const struct roles_request *req, struct roles *ret, struct err *e);
/* After a pidfd or a channel became readable: 0, or -errno with the reason when a role has died. */
int roles_check(struct roles *r, struct err *e);
/* One record of launch's own, through the audit role. */
int roles_record(struct roles *r, const struct audit_record *rec);
/* Orderly end: STOP to all but audit, then audit, whose summary lands in *ret_tally (may be NULL).
 * Bounded in time; what does not end is killed.  Safe after a failure, and twice. */
int roles_stop(struct roles *r, struct audit_tally *ret_tally, struct err *e);
/* At once. */
void roles_kill(struct roles *r);

#endif
