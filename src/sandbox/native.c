/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native - the sandbox out of the kernel's own parts, seen from the launcher.
 *
 * Called by launch/session.c in the launcher.  One clone3 makes all namespaces; the child carries
 * out the steps of sandbox/inside.c and reports.  A report comes from our own code before the agent
 * runs, so it is trusted; still its length and counts are checked.
 */
#include "sandbox/inside.h"

#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/blocked.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | \
	 CLONE_NEWCGROUP | CLONE_NEWTIME)

/* ---- reports ---- */

static void take_descriptors(struct msghdr *msg, int *fds, unsigned max, unsigned *n)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		unsigned count = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (unsigned i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (*n < max)
				fds[(*n)++] = fd;
			else
				close(fd);
		}
	}
}

static int report_receive(int sock, int flags, struct report *rep, int *fds, unsigned *nfds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * (SANDBOX_LISTENERS_MAX + 1))];
	} control;
	struct iovec iov = { .iov_base = rep, .iov_len = sizeof(*rep) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	ssize_t n;

	*nfds = 0;
	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | flags);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	take_descriptors(&msg, fds, SANDBOX_LISTENERS_MAX + 1, nfds);
	if (n != sizeof(*rep) || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    rep->nlisteners + (rep->terminal ? 1u : 0u) != *nfds) {
		for (unsigned i = 0; i < *nfds; i++)
			close(fds[i]);
		*nfds = 0;
		if (msg.msg_flags & MSG_CTRUNC)
			return -EMFILE; /* they came, and there was no room for them here */
		return n == 0 ? -ECONNRESET : -EPROTO;
	}
	rep->text[sizeof(rep->text) - 1] = 0;
	return 0;
}

/* ---- steps of sandbox_prepare ---- */

static int check(const struct plan *plan, const struct sandbox_options *opt, struct err *e)
{
	if (!opt->argv || !opt->argv[0] || !opt->argv[0][0])
		return err_set(e, -EINVAL, "no program to run");
	if (plan->uid != geteuid() || plan->gid != getegid())
		return err_set(e, -EINVAL, "the plan is for another user");
	/* A closed one would be reused by a descriptor of ours and followed inside; a directory is
	 * a way out. */
	for (int fd = 0; fd < 3; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
			return err_set(
			    e, -EINVAL,
			    "descriptor %d must be open, and no directory or block device", fd);
	}
	return 0;
}

static void read_window(struct inside *in)
{
	for (int fd = 0; fd < 3; fd++)
		if (ioctl(fd, TIOCGWINSZ, &in->window) == 0)
			return;
}

/*
 * Root's supplementary groups do not follow it inside, where they could no longer be dropped.  The
 * raw call changes this thread only; an ordinary user has no such right and keeps its own.
 */
static pid_t clone_without_groups(struct clone_args *args, int *ret_errno)
{
	gid_t groups[256];
	int n = geteuid() == 0 ? getgroups((int)ARRAY_LEN(groups), groups) : 0;
	pid_t pid;

	if (n > 0 && syscall(SYS_setgroups, 0, NULL) < 0)
		n = 0;
	pid = sys_clone3(args);
	*ret_errno = errno;
	if (pid != 0 && n > 0)
		syscall(SYS_setgroups, n, groups);
	return pid;
}

/* Without namespaces, by the call that every outer sandbox lets through. */
static pid_t clone_degraded(int *pidfd)
{
	return (pid_t)syscall(SYS_clone, (unsigned long)(CLONE_PIDFD | SIGCHLD), NULL, pidfd, NULL,
			      0);
}

static int start_inside(struct inside *in, struct sandbox *s, struct err *e)
{
	struct clone_args args = { .flags = NAMESPACES | CLONE_PIDFD,
				   .pidfd = (uint64_t)(uintptr_t)&s->pidfd,
				   .exit_signal = SIGCHLD };
	int pair[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, -errno, "socket pair");
	in->sync = pair[1];
	if (in->degraded) {
		s->pid = clone_degraded(&s->pidfd);
		error = errno;
	} else {
		s->pid = clone_without_groups(&args, &error);
	}
	if (s->pid == 0)
		inside_main(in);
	close(pair[1]);
	s->sync_fd = pair[0];
	if (s->pid < 0) {
		in->blocked = true;
		return blocked_explain(-error, e);
	}
	return 0;
}

/* The child died without a word: how, and what it was at. */
static int explain_death(struct sandbox *s, const char *when, struct err *e)
{
	siginfo_t si = { 0 };
	int sig;

	while (waitid(P_PIDFD, (id_t)s->pidfd, &si, WEXITED) < 0)
		if (errno != EINTR)
			return err_sys(e, -errno, "the sandbox ended %s", when);
	s->pid = -1;
	/* Init passes on how the agent's process ended. */
	sig = si.si_code == CLD_EXITED ? si.si_status - EXIT_SIGNAL_BASE : si.si_status;
	if (sig > 0 && sig < NSIG)
		return err_set(e, -EPROTO, "the sandbox was killed by signal %d (%s) %s", sig,
			       strsignal(sig), when);
	return err_set(e, -EPROTO, "the sandbox ended with status %d %s", si.si_status, when);
}

static int await_ready(struct inside *in, struct sandbox *s, struct err *e)
{
	int fds[SANDBOX_LISTENERS_MAX + 1], r;
	unsigned nfds, at = 0;
	struct report rep;

	r = report_receive(s->sync_fd, 0, &rep, fds, &nfds);
	if (r == -ECONNRESET) {
		char when[96];

		snprintf(when, sizeof(when), "while %s", *in->stage);
		return explain_death(s, when, e);
	}
	if (r < 0)
		return err_sys(e, r, "the sandbox's report of its set-up");
	if (rep.kind != REPORT_READY) {
		err_set(e, rep.code, "%s", rep.text);
		in->blocked = blocked_context(rep.code, e);
		return rep.code;
	}
	s->tier = rep.tier;
	if (rep.terminal)
		s->pty_fd = fds[at++];
	for (; at < nfds; at++, s->nlisteners++) {
		s->listeners[s->nlisteners].kind = rep.kinds[s->nlisteners];
		s->listeners[s->nlisteners].fd = fds[at];
	}
	return 0;
}

static int attempt(struct inside *in, struct sandbox *s, struct err *e)
{
	int r = limits_prepare(&in->plan->limits, &s->limits, e);

	if (r == 0)
		r = start_inside(in, s, e);
	limits_close(&s->limits);
	if (r == 0 && in->opt->meanwhile && !in->meanwhile_done) {
		in->meanwhile_done = true; /* a second attempt finds it done */
		r = in->opt->meanwhile(in->opt->meanwhile_arg, e);
	}
	if (r == 0)
		r = await_ready(in, s, e);
	if (r < 0)
		sandbox_done(s);
	else
		snprintf(s->tier.cgroup, sizeof(s->tier.cgroup), "%s", s->limits.tier);
	return r;
}

int sandbox_prepare(const struct plan *plan, const struct sandbox_options *opt, struct sandbox *ret,
		    struct err *e)
{
	struct inside in = { .plan = plan,
			     .opt = opt,
			     .limits = &ret->limits,
			     .terminal = -1,
			     .agent_tty = -1,
			     .root = -1 };
	int r;

	sandbox_init(ret);
	r = check(plan, opt, e);
	if (r < 0)
		return r;
	if (opt->pty)
		read_window(&in);
	in.stage = mmap(NULL, sizeof(*in.stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (in.stage == MAP_FAILED)
		return err_sys(e, -errno, "memory shared with the sandbox");
	*in.stage = "starting";
	r = attempt(&in, ret, e);
	if (r < 0 && opt->allow_degraded && in.blocked) {
		sandbox_init(ret);
		in.degraded = true;
		r = attempt(&in, ret, e);
	}
	munmap((void *)(uintptr_t)in.stage, sizeof(*in.stage));
	return r;
}

/* ---- the running sandbox ---- */

int sandbox_start(struct sandbox *s, struct err *e)
{
	if (send(s->sync_fd, "g", 1, MSG_NOSIGNAL) != 1)
		return explain_death(s, "before its program started", e);
	return 0;
}

int sandbox_wait(struct sandbox *s, int *ret_code, struct err *e)
{
	int fds[SANDBOX_LISTENERS_MAX + 1];
	siginfo_t si = { 0 };
	struct report rep;
	unsigned nfds;

	while (waitid(P_PIDFD, (id_t)s->pidfd, &si, WEXITED) < 0)
		if (errno != EINTR)
			return err_sys(e, -errno, "waiting for the sandbox");
	s->pid = -1;
	*ret_code = si.si_code == CLD_EXITED ? si.si_status : EXIT_SIGNAL_BASE + si.si_status;
	if (report_receive(s->sync_fd, MSG_DONTWAIT, &rep, fds, &nfds) < 0)
		return 0; /* the usual: the program ran */
	if (rep.kind == REPORT_EXEC_FAILED)
		return err_sys(e, -rep.code, "cannot run the program");
	return err_set(e, rep.code < 0 ? rep.code : -EPROTO, "%s", rep.text);
}

int sandbox_signal(struct sandbox *s, int sig)
{
	const bool key = sig == SIGINT || sig == SIGQUIT || sig == SIGTSTP;

	if (s->pidfd < 0)
		return -ESRCH;
	/* As if typed: to the foreground process group of the agent's terminal. */
	if (s->pty_fd >= 0 && key && ioctl(s->pty_fd, TIOCSIG, sig) == 0)
		return 0;
	return sys_pidfd_send_signal(s->pidfd, sig) < 0 ? -errno : 0;
}

void sandbox_done(struct sandbox *s)
{
	siginfo_t si;

	if (s->pidfd >= 0 && s->pid > 0) {
		sys_pidfd_send_signal(s->pidfd, SIGKILL);
		while (waitid(P_PIDFD, (id_t)s->pidfd, &si, WEXITED) < 0 && errno == EINTR)
			;
		s->pid = -1;
	}
	close_fd(&s->pidfd);
	close_fd(&s->sync_fd);
	close_fd(&s->pty_fd);
	while (s->nlisteners)
		close_fd(&s->listeners[--s->nlisteners].fd);
	limits_remove(&s->limits);
}
