/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn - see spawn.h.
 *
 * Called by launch (roles) and keeper's parent (`cmd:` sources), on the host side.  Input is ours.
 */
#include "os/spawn.h"

#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* The child calls a dozen system call wrappers; 64 KiB leaves room for sanitizers. */
#define SPAWN_STACK 65536u

/* What runs in the child.  Its frames are never left, so the address sanitizer would keep what it
 * noted of them in the memory that parent and child share, and find it under the next stack. */
#define IN_CHILD __attribute__((no_sanitize("address")))

struct attempt {
	const struct spawn *s;
	pid_t parent;
	int error;	  /* positive errno of what failed in the child */
	const char *what; /* which step that was */
};

IN_CHILD static int child_fail(struct attempt *a, const char *what)
{
	a->error = errno ? errno : EIO;
	a->what = what;
	_exit(127);
}

IN_CHILD static void reset_signals(void)
{
	const struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &dfl, NULL); /* fails for KILL and STOP, and libc's own two */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* All sources are first lifted above every target, so that no dup2 overwrites a source. */
IN_CHILD static int map_fds(const struct spawn *s)
{
	int high[SPAWN_FDS_MAX];
	bool mapped[3] = { false };

	for (unsigned i = 0; i < s->nfds; i++) {
		high[i] = fcntl(s->fds[i].from, F_DUPFD_CLOEXEC, (int)SPAWN_FDS_MAX);
		if (high[i] < 0)
			return -1;
		if (s->fds[i].to < 3)
			mapped[s->fds[i].to] = true;
	}
	if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return -1;
	for (int fd = 0; fd < 3; fd++) {
		int null = mapped[fd] ? -1 : open("/dev/null", O_RDWR | O_CLOEXEC);

		if (mapped[fd])
			continue;
		if (null < 0 || (null != fd && dup2(null, fd) < 0))
			return -1;
		if (null == fd && fcntl(fd, F_SETFD, 0) < 0)
			return -1;
	}
	for (unsigned i = 0; i < s->nfds; i++)
		if (dup2(high[i], s->fds[i].to) < 0)
			return -1;
	return 0;
}

IN_CHILD static int child_main(void *arg)
{
	struct attempt *a = arg;
	const struct spawn *s = a->s;

	errno = 0;
	reset_signals();
	if (s->die_with_parent) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
			child_fail(a, "parent death signal");
		if (getppid() != a->parent)
			child_fail(a, "parent is gone");
	}
	if (s->new_session && setsid() < 0)
		child_fail(a, "new session");
	if (s->cwd && chdir(s->cwd) < 0)
		child_fail(a, "chdir");
	if (map_fds(s) < 0)
		child_fail(a, "file descriptors");
	if (s->path)
		execve(s->path, s->argv, s->env);
	else
		syscall(SYS_execveat, s->exec_fd, "", s->argv, s->env, AT_EMPTY_PATH);
	child_fail(a, "exec");
	return 127;
}

static int check(const struct spawn *s, struct err *e)
{
	if (s->nfds > SPAWN_FDS_MAX)
		return err_set(e, -EINVAL, "spawn: more than %u descriptors", SPAWN_FDS_MAX);
	for (unsigned i = 0; i < s->nfds; i++)
		if (s->fds[i].to < 0 || s->fds[i].to >= (int)SPAWN_FDS_MAX)
			return err_set(e, -EINVAL, "spawn: descriptor %d is not 0..%u",
				       s->fds[i].to, SPAWN_FDS_MAX - 1);
	return 0;
}

int spawn(const struct spawn *s, pid_t *ret_pid, struct err *e)
{
	struct attempt a = { .s = s, .parent = getpid() };
	_cleanup_(close_fd) int pidfd = -1;
	sigset_t all, before;
	char *stack;
	int pid, r = check(s, e);

	if (r < 0)
		return r;
	stack = mmap(NULL, SPAWN_STACK, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return err_sys(e, -errno, "spawn: stack");
	/* No handler of ours may run in the child, which borrows our memory. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = clone(child_main, stack + SPAWN_STACK, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
		    &a, &pidfd);
	r = pid < 0 ? -errno : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	munmap(stack, SPAWN_STACK);
	if (r < 0)
		return err_sys(e, r, "spawn: clone");
	if (a.error) {
		spawn_wait(pidfd, true, NULL);
		return err_sys(e, -a.error, "%s: %s", s->path ? s->path : "program", a.what);
	}
	if (ret_pid)
		*ret_pid = pid;
	return TAKE_FD(pidfd);
}

int spawn_wait(int pidfd, bool block, int *ret_code)
{
	siginfo_t si = { 0 };
	int code;

	while (waitid(P_PIDFD, (id_t)pidfd, &si, WEXITED | (block ? 0 : WNOHANG)) < 0)
		if (errno != EINTR)
			return -errno;
	if (si.si_pid == 0)
		return -EAGAIN;
	code = si.si_code == CLD_EXITED ? si.si_status : 128 + si.si_status;
	if (ret_code)
		*ret_code = code;
	return 0;
}

int spawn_kill(int pidfd, int sig)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0u) < 0)
		return -errno;
	return 0;
}
