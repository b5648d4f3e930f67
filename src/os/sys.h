/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys - system calls and constants that the C library or the oldest kernel headers that we build
 * with (glibc 2.36, Linux 6.1) do not have.  Thin: each returns what libc would, with errno.
 */
#ifndef STOCKADE_OS_SYS_H
#define STOCKADE_OS_SYS_H

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

static inline int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = resolve };

	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

static inline int sys_pidfd_send_signal(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0u);
}

/* A fork with a choice of namespaces; the C library must not notice, so the child may only make
 * system calls and use memory that it already has.  Returns as fork does. */
static inline pid_t sys_clone3(struct clone_args *a)
{
	return (pid_t)syscall(SYS_clone3, a, sizeof(*a));
}

#endif
