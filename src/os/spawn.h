/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn - the only fork on the host side: gateway roles and `cmd:` credential sources.
 *
 * The child is made by clone(CLONE_VM | CLONE_VFORK | CLONE_PIDFD): no page tables are copied, and
 * a failed exec is known when spawn() returns.  The child gets exactly what is written here: the
 * descriptors of the table (whatever of 0, 1 and 2 is not in it is /dev/null), the environment,
 * default signal handlers, an empty signal mask.
 */
#ifndef STOCKADE_OS_SPAWN_H
#define STOCKADE_OS_SPAWN_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* stdin, stdout, stderr, the channel, and a few listeners. */
#define SPAWN_FDS_MAX 16u

struct spawn_fd {
	int from; /* ours; not closed */
	int to;	  /* the child's number, 0..SPAWN_FDS_MAX-1 */
};

struct spawn {
	const char *path;  /* program, no PATH search; or NULL: exec_fd */
	int exec_fd;	   /* used when path is NULL */
	char *const *argv; /* NULL-terminated */
	char *const *env;  /* NULL-terminated: the whole environment */
	const char *cwd;   /* NULL: ours */
	struct spawn_fd fds[SPAWN_FDS_MAX];
	unsigned nfds;
	bool new_session;     /* setsid(2): no controlling terminal, no Ctrl-C from ours */
	bool die_with_parent; /* SIGKILL when the calling thread ends */
};

/* Returns the pidfd (close-on-exec, owned by the caller) or -errno; `ret_pid` may be NULL. */
int spawn(const struct spawn *s, pid_t *ret_pid, struct err *e);
/* Waits for the end; `ret_code` is the exit code or 128 + signal.  -EAGAIN when `block` is false
 * and it still runs. */
int spawn_wait(int pidfd, bool block, int *ret_code);
int spawn_kill(int pidfd, int sig);

#endif
