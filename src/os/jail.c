/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail - see jail.h.
 *
 * Called by every gateway role at its start, in its own process, before hostile input.
 */
#include "os/jail.h"

#include "os/fd.h"
#include "os/landlock.h"
#include "os/priv.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static int fresh_tmpfs(void)
{
	_cleanup_(close_fd) int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0)
		return -errno;
	if (fsconfig(fs, FSCONFIG_SET_STRING, "size", "4k", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "555", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(fs, FSMOUNT_CLOEXEC,
		     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -errno : fd;
}

/* An empty read-only tmpfs on top of "/", then into it; the old tree is let go. */
static int empty_root(struct err *e)
{
	_cleanup_(close_fd) int root = -1;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, -errno, "jail: private mounts");
	root = fresh_tmpfs();
	if (root < 0)
		return err_sys(e, root, "jail: tmpfs");
	if (move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 || fchdir(root) < 0 ||
	    sys_pivot_root(".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(e, -errno, "jail: empty root");
	return 0;
}

/* 1 when the namespaces stand, 0 when this host forbids them. */
static int enter_namespaces(const struct jail *j, struct err *e)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	int r;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | (j->own_net ? CLONE_NEWNET : 0)) <
	    0)
		return 0;
	r = priv_map_self(uid, gid, e);
	if (r == 0)
		r = empty_root(e);
	/* Namespaces without power in them: AppArmor's restricted profile.  Landlock then. */
	if (r == -EACCES || r == -EPERM)
		return 0;
	return r < 0 ? r : 1;
}

static int allow_reads(const struct jail *j, int rules, int abi, struct err *e)
{
	for (const char *const *path = j->reads; path && *path; path++) {
		_cleanup_(close_fd) int fd = open(*path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		int r = fd < 0 ? 0 : landlock_allow(rules, abi, fd, true, LANDLOCK_READ);

		if (r < 0)
			return err_sys(e, r, "jail: Landlock: %s", *path);
	}
	return 0;
}

static int lock_files(const struct jail *j, bool namespaces, struct err *e)
{
	int abi = landlock_abi(), r;
	_cleanup_(close_fd) int rules = abi ? landlock_new(abi, !j->connects) : -1;

	if (!abi && namespaces)
		return 0;
	if (!abi)
		return err_set(e, -ENOTSUP,
			       "jail: neither user namespaces nor Landlock can be used here; see "
			       "`stockade doctor`");
	r = rules < 0 ? rules : allow_reads(j, rules, abi, e);
	if (r == 0)
		r = landlock_enforce(rules);
	return r < 0 ? err_sys(e, r, "jail: Landlock") : 0;
}

static int bound_resources(const struct jail *j, struct err *e)
{
	const struct rlimit none = { 0, 0 }, files = { j->nofile, j->nofile };

	if (setrlimit(RLIMIT_CORE, &none) < 0 ||
	    (j->nofile && setrlimit(RLIMIT_NOFILE, &files) < 0))
		return err_sys(e, -errno, "jail: resource limits");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, -errno, "jail: undumpable");
	return 0;
}

int jail_enter(const struct jail *j, struct err *e)
{
	int namespaces, r;

	if (!j->filter || !j->nfilter)
		return err_set(e, -EINVAL, "jail: no seccomp list");
	namespaces = j->reads ? 0 : enter_namespaces(j, e);
	r = namespaces < 0 ? namespaces : bound_resources(j, e);
	if (r == 0)
		r = priv_no_new(e);
	if (r == 0)
		r = lock_files(j, namespaces > 0, e);
	if (r == 0)
		r = priv_drop_caps(e);
	if (r == 0)
		r = priv_seccomp(j->filter, j->nfilter, e);
	return r;
}
