/* SPDX-License-Identifier: Apache-2.0 */
/*
 * degraded - what is left where namespaces are forbidden, for --allow-degraded only: Landlock on
 * the host's own paths, the system call list without any socket, no capability, no_new_privs,
 * resource limits.
 *
 * Runs in the child as sandbox/inside.c does.  There is no network at all, nothing can be hidden
 * behind another name, and what the plan would mount elsewhere is simply not there.  Without
 * Landlock it refuses: a list of system calls alone keeps nothing from being read.
 */
#include "sandbox/inside.h"

#include "base/num.h"
#include "os/fd.h"
#include "os/landlock.h"
#include "os/priv.h"

#include "sandbox/offline-seccomp.h" /* generated: the agent's list without socket */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Rounds of "kill all children, reap": each round meets what the last one's orphans forked. */
#define KILL_ROUNDS 1000

static int grant(int rules, int abi, const char *path, enum landlock_grant what)
{
	_cleanup_(close_fd) int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	if (S_ISSOCK(st.st_mode))
		return 0; /* no socket can be made to reach it */
	return landlock_allow(rules, abi, fd, S_ISDIR(st.st_mode),
			      S_ISCHR(st.st_mode) ? LANDLOCK_DEVICE : what);
}

/* Only what has the same name inside as outside; a mask cannot be cut out of a tree, so such a tree
 * is refused. */
static int grant_plan(int rules, int abi, const struct plan *plan, struct err *e)
{
	static const char *const nodes[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random",
					     "/dev/urandom" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(nodes); i++)
		r = grant(rules, abi, nodes[i], LANDLOCK_DEVICE);
	if (r == 0)
		r = grant(rules, abi, "/proc", LANDLOCK_READ);
	for (size_t i = 0; r == 0 && i < plan->nsteps; i++) {
		const struct plan_step *s = &plan->steps[i];

		if (s->kind == PLAN_MASK)
			return err_set(e, -ENOTSUP,
				       "degraded: %s cannot be hidden without namespaces",
				       s->target);
		if (s->kind == PLAN_BIND && !strcmp(s->source, s->target))
			r = grant(rules, abi, s->source,
				  s->read_only ? LANDLOCK_READ : LANDLOCK_WRITE);
	}
	return r < 0 ? err_sys(e, r, "degraded: Landlock rules") : 0;
}

/* A read-only mount inside a writable one would be writable by Landlock's union of rules. */
static int check_overlap(const struct plan *plan, struct err *e)
{
	for (size_t i = 0; i < plan->nsteps; i++)
		for (size_t j = 0; j < plan->nsteps; j++) {
			const struct plan_step *outer = &plan->steps[i], *inner = &plan->steps[j];
			size_t n = strlen(outer->target);

			if (outer->kind == PLAN_BIND && !outer->read_only && i != j &&
			    inner->kind != PLAN_TMPFS && inner->kind != PLAN_DIR &&
			    (inner->kind != PLAN_BIND || inner->read_only) &&
			    !strncmp(inner->target, outer->target, n) && inner->target[n] == '/')
				return err_set(
				    e, -ENOTSUP,
				    "degraded: %s cannot be protected inside the writable %s "
				    "without namespaces",
				    inner->target, outer->target);
		}
	return 0;
}

int degraded_files(struct inside *in, struct err *e)
{
	const int abi = landlock_abi();
	_cleanup_(close_fd) int rules = -1;
	int r = check_overlap(in->plan, e);

	if (r < 0)
		return r;
	if (abi == 0)
		return err_set(
		    e, -ENOTSUP,
		    "neither namespaces nor Landlock can be used here: nothing is left that "
		    "would hold a program; see `stockade doctor`");
	in->report.tier.landlock_abi = abi;
	inside_lost(in,
		    "all namespaces: no network at all, host's process list visible, no private "
		    "/tmp, home, /proc or /dev, file names and metadata visible");
	if (abi < 6)
		inside_lost(in, "signals to the user's other processes are not refused");
	rules = landlock_new(abi, true);
	r = rules < 0 ? err_sys(e, rules, "Landlock") : grant_plan(rules, abi, in->plan, e);
	if (r < 0)
		return r;
	r = landlock_enforce(rules);
	return r < 0 ? err_sys(e, r, "Landlock") : 0;
}

int degraded_calls(struct inside *in, struct err *e)
{
	(void)in;
	return priv_seccomp(seccomp_offline, ARRAY_LEN(seccomp_offline), e);
}

/* Orphans come to us instead of to the host's init, so that none outlives the session. */
int degraded_adopt(struct inside *in, struct err *e)
{
	(void)in;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_sys(e, -errno, "child subreaper");
	return 0;
}

/* Kills every child we have, as /proc lists them; 0 when there is none. */
static int kill_children(void)
{
	char text[4096];
	_cleanup_(close_fd) int fd = -1;
	int killed = 0;
	ssize_t n;

	snprintf(text, sizeof(text), "/proc/self/task/%d/children", (int)getpid());
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text));
	for (struct str rest = { text, n > 0 ? (size_t)n : 0 }, part;
	     str_next(&rest, ' ', &part);) {
		uint64_t pid;

		if (num_parse_u64(part, INT32_MAX, &pid) == 0 && pid > 1 &&
		    kill((pid_t)pid, SIGKILL) == 0)
			killed++;
	}
	return killed;
}

void degraded_kill_all(void)
{
	for (int i = 0; i < KILL_ROUNDS && kill_children(); i++)
		while (waitpid(-1, NULL, 0) > 0 && !kill_children())
			;
}
