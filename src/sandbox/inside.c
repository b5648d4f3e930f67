/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside - the steps between clone3 and init, in order.
 *
 * Runs in the sandboxed child, which is a copy of the launcher: it must not leave the table below.
 */
#include "sandbox/inside.h"

#include "os/fd.h"
#include "os/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define HOST_NAME "stockade"

extern char **environ;

/* The launcher's death, however it comes, is ours. */
static int step_bind_to_launcher(struct inside *in, struct err *e)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || setsid() < 0)
		return err_sys(e, -errno, "parent death signal");
	if (in->sync != INSIDE_SYNC_FD) {
		if (dup3(in->sync, INSIDE_SYNC_FD, O_CLOEXEC) < 0)
			return err_sys(e, -errno, "socket pair");
		in->sync = INSIDE_SYNC_FD;
	}
	return fd_close_from(INSIDE_SYNC_FD + 1);
}

/* The host's environment was copied with us; init's memory is closed to the agent, and this leaves
 * nothing there that a hole in that wall would show. */
static int step_forget_environment(struct inside *in, struct err *e)
{
	(void)in;
	(void)e;
	for (char **entry = environ; entry && *entry; entry++)
		explicit_bzero(*entry, strlen(*entry));
	return 0;
}

static int step_join_limits(struct inside *in, struct err *e)
{
	return limits_join(in->limits, e);
}

static int step_identity(struct inside *in, struct err *e)
{
	return priv_map_self(in->plan->uid, in->plan->gid, e);
}

static int step_host_name(struct inside *in, struct err *e)
{
	(void)in;
	if (sethostname(HOST_NAME, sizeof(HOST_NAME) - 1) < 0)
		return err_sys(e, -errno, "host name");
	return 0;
}

static int step_own_limits(struct inside *in, struct err *e)
{
	return limits_own(&in->plan->limits, in->limits, e);
}

static int (*const steps[])(struct inside *, struct err *) = {
	step_join_limits,	 /* into the cgroup before anything is allocated */
	step_bind_to_launcher,	 /* die with it; no descriptor of its but the socket pair */
	step_identity,		 /* the same uid and gid inside as outside */
	netns_set_up,		 /* loopback, any-address routes, redirect, listeners */
	step_own_limits,	 /* rlimits where there is no cgroup; needs the host's /proc */
	mounts_build,		 /* the plan's steps under a new root */
	netns_unix_listener,	 /* a socket in the new root */
	mounts_enter,		 /* the old root is gone */
	step_host_name,		 /* */
	terminal_open,		 /* in the new devpts */
	confine_privileges,	 /* no capability, no_new_privs, no core */
	confine_files,		 /* Landlock */
	confine_calls,		 /* seccomp */
	step_forget_environment, /* last look at the host's variables */
};

void inside_lost(struct inside *in, const char *what)
{
	char *at = in->report.tier.lost;
	size_t used = strlen(at), room = sizeof(in->report.tier.lost) - used;

	snprintf(at + used, room, "%s%s", used ? "; " : "", what);
}

int report_send(int sock, const struct report *rep, const int *fds, unsigned nfds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * (SANDBOX_LISTENERS_MAX + 1))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)rep, .iov_len = sizeof(*rep) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds) {
		struct cmsghdr *c;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

_Noreturn void inside_main(struct inside *in)
{
	struct err e = ERR_INIT;

	for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
		int r = steps[i](in, &e);

		if (r < 0) {
			in->report.kind = REPORT_FAILED;
			in->report.code = r;
			memcpy(in->report.text, e.text, sizeof(e.text));
			report_send(in->sync, &in->report, NULL, 0);
			_exit(EXIT_SANDBOX);
		}
	}
	init_main(in);
}
