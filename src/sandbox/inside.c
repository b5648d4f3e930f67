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
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define HOST_NAME "stockade"
/* What `ps` inside calls pid 1; at most 15 bytes, see PR_SET_NAME in prctl(2). */
#define INIT_NAME "stockade-init"

extern char **environ;

/* The launcher's death, however it comes, is ours. */
static int step_bind_to_launcher(struct inside *in, struct err *e)
{
	/* Without a pid namespace init must live to kill the rest; it sees the socket close. */
	if ((!in->degraded && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) || setsid() < 0)
		return err_sys(e, -errno, "parent death signal");
	if (in->sync != INSIDE_SYNC_FD) {
		if (dup3(in->sync, INSIDE_SYNC_FD, O_CLOEXEC) < 0)
			return err_sys(e, -errno, "socket pair");
		in->sync = INSIDE_SYNC_FD;
	}
	return fd_close_from(INSIDE_SYNC_FD + 1);
}

/* The agent's arguments, out of the memory that is about to be wiped. */
static int copy_arguments(struct inside *in)
{
	size_t n = 0;

	while (in->opt->argv[n])
		n++;
	in->argv = calloc(n + 1, sizeof(*in->argv));
	for (size_t i = 0; in->argv && i < n; i++) {
		in->argv[i] = strdup(in->opt->argv[i]);
		if (!in->argv[i])
			return -ENOMEM;
	}
	return in->argv ? 0 : -ENOMEM;
}

/*
 * The host's environment and the launcher's command line were copied with us.  Init's memory is
 * closed to the agent, and this leaves nothing there that a hole in that wall would show; the
 * command line anybody inside may read in /proc/1/cmdline.  The kernel lays the strings of both one
 * after another, and the name of the program after them.
 */
static int step_forget(struct inside *in, struct err *e)
{
	char *first = program_invocation_name;
	char *end = (char *)getauxval(AT_EXECFN);

	if (copy_arguments(in) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	for (char **entry = environ; entry && *entry; entry++)
		explicit_bzero(*entry, strlen(*entry));
	if (first && end > first) {
		explicit_bzero(first, (size_t)(end - first));
		snprintf(first, (size_t)(end - first), INIT_NAME);
	}
	if (prctl(PR_SET_NAME, INIT_NAME) < 0)
		return err_sys(e, -errno, "name of init");
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
	static const char *const texts[] = {
		"limits.cpus: not bounded without a cgroup",
		"limits.memory: of each process, not of all, without a cgroup",
		"limits.pids: not bounded for root without a cgroup",
		"limits.pids: up to 301 more for root without a cgroup",
	};
	unsigned lost = 0;
	int r = limits_own(&in->plan->limits, in->limits, !in->degraded, &lost, e);

	for (unsigned i = 0; i < ARRAY_LEN(texts); i++)
		if (lost & (1u << i))
			inside_lost(in, texts[i]);
	return r;
}

struct step {
	int (*carry_out)(struct inside *, struct err *);
	const char *name; /* "... while <name>" */
};

static const struct step steps[] = {
	/* Into the cgroup before anything is allocated. */
	{ step_join_limits, "joining its control group" },
	/* Die with it; no descriptor of its but the socket pair. */
	{ step_bind_to_launcher, "binding itself to the launcher" },
	/* The same uid and gid inside as outside. */
	{ step_identity, "mapping its user" },
	/* Loopback, any-address routes, redirect, listeners. */
	{ netns_set_up, "setting up the network" },
	/* Rlimits where there is no cgroup; needs the host's /proc. */
	{ step_own_limits, "setting resource limits" },
	/* The plan's steps under a new root. */
	{ mounts_build, "mounting" },
	/* A socket in the new root. */
	{ netns_unix_listener, "making the gateway's socket" },
	/* The old root is gone. */
	{ mounts_enter, "entering the new root" },
	{ step_host_name, "setting the host name" },
	/* In the new devpts. */
	{ terminal_open, "opening the terminal" },
	/* No capability, no_new_privs, no core. */
	{ confine_privileges, "dropping privileges" },
	{ confine_files, "enforcing Landlock" },
	{ confine_calls, "installing the list of system calls (seccomp)" },
	/* Last look at the host's variables and arguments. */
	{ step_forget, "clearing its memory" },
};

/* In the same order, of what needs no namespace. */
static const struct step degraded_steps[] = {
	{ step_join_limits, "joining its control group" },
	{ step_bind_to_launcher, "binding itself to the launcher" },
	{ degraded_adopt, "adopting orphans" },
	{ step_own_limits, "setting resource limits" },
	{ confine_privileges, "dropping privileges" },
	{ degraded_files, "enforcing Landlock" },
	{ degraded_calls, "installing the list of system calls (seccomp)" },
	{ step_forget, "clearing its memory" },
};

static int carry_out(struct inside *in, struct err *e)
{
	const struct step *table = in->degraded ? degraded_steps : steps;
	const size_t n = in->degraded ? ARRAY_LEN(degraded_steps) : ARRAY_LEN(steps);
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++) {
		*in->stage = table[i].name;
		r = table[i].carry_out(in, e);
		if (r < 0 && e->text[0] == 0)
			err_sys(e, r, "%s", table[i].name);
	}
	return r;
}

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

_Noreturn void inside_fail(struct inside *in, const struct err *e)
{
	/* Nothing rides along, whatever had been made for it. */
	in->report = (struct report){ .kind = REPORT_FAILED, .code = e->code };
	memcpy(in->report.text, e->text, sizeof(in->report.text));
	report_send(in->sync, &in->report, NULL, 0);
	_exit(EXIT_SANDBOX);
}

_Noreturn void inside_main(struct inside *in)
{
	struct err e = ERR_INIT;

	if (carry_out(in, &e) < 0)
		inside_fail(in, &e);
	init_main(in);
}
