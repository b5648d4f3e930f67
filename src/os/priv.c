/* SPDX-License-Identifier: Apache-2.0 */
/* priv - see priv.h.  Runs in the launcher, in sandboxed children and in gateway roles; input
 * is ours. */
#include "os/priv.h"

#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

int priv_write(int dirfd, const char *path, const char *text)
{
	_cleanup_(close_fd) int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	return n < 0 ? -errno : 0;
}

int priv_map_self(uid_t uid, gid_t gid, struct err *e)
{
	const char *file = "/proc/self/setgroups";
	char text[64];
	int r = priv_write(AT_FDCWD, file, "deny");

	if (r == 0) {
		file = "/proc/self/uid_map";
		snprintf(text, sizeof(text), "%u %u 1", uid, uid);
		r = priv_write(AT_FDCWD, file, text);
	}
	if (r == 0) {
		file = "/proc/self/gid_map";
		snprintf(text, sizeof(text), "%u %u 1", gid, gid);
		r = priv_write(AT_FDCWD, file, text);
	}
	return r < 0 ? err_sys(e, r, "%s", file) : 0;
}

/* 1, 0, or -errno. */
static int may_drop_bounding(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct have[2];

	if (syscall(SYS_capget, &head, have) < 0)
		return -errno;
	return (have[0].effective & (1u << CAP_SETPCAP)) != 0;
}

int priv_drop_caps(struct err *e)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };
	int may = may_drop_bounding();

	if (may < 0)
		return err_sys(e, may, "capget");
	/* An ordinary user without namespaces cannot, and under no_new_privs need not: nothing is
	 * there that the bounding set would bound.  EINVAL ends the kernel's list. */
	for (int cap = 0; may && cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			if (errno == EINVAL && cap > CAP_SETPCAP)
				break;
			return err_sys(e, -errno, "capability bounding set");
		}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &head, none) < 0)
		return err_sys(e, -errno, "dropping capabilities");
	return 0;
}

int priv_no_new(struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, -errno, "no_new_privs");
	return 0;
}

int priv_seccomp(const struct sock_filter *filter, size_t n, struct err *e)
{
	struct sock_fprog prog = { .len = (unsigned short)n, .filter = (void *)(uintptr_t)filter };

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0u, &prog) < 0)
		return err_sys(e, -errno, "seccomp: the kernel needs CONFIG_SECCOMP_FILTER");
	return 0;
}
