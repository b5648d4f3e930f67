/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - what this kernel lets this user do, found out by doing it in a child that is thrown away.
 * Nothing on the host is changed.  All of it takes some milliseconds.
 */
#ifndef STOCKADE_OS_PROBE_H
#define STOCKADE_OS_PROBE_H

#include "base/err.h"

#include <stdbool.h>

/* In the order in which the child tries them: each needs some of those before it. */
enum probe {
	PROBE_CLONE3,
	PROBE_USERNS,
	PROBE_UIDMAP, /* one id mapped in it: what AppArmor's restriction denies */
	PROBE_MNTNS,
	PROBE_NETNS,
	PROBE_IPCNS,
	PROBE_UTSNS,
	PROBE_CGROUPNS,
	PROBE_TIMENS,
	PROBE_PIDNS,
	PROBE_MOUNT_API, /* fsopen, fsmount, open_tree, mount_setattr, move_mount */
	PROBE_OVERLAY,	 /* overlayfs on tmpfs, userxattr */
	PROBE_NFTABLES,	 /* a table made by netlink */
	PROBE_PROC,	 /* a fresh /proc for a pid namespace */
	PROBE_OPENAT2,
	PROBE_SECCOMP, /* filters that answer with an errno */
	PROBE_NOTIF,   /* user notification */
	PROBE_LANDLOCK,
	PROBE_MAX
};

struct probes {
	/* 0: yes; -errno: no; -ENODATA: what it stands on is missing, so it could not be tried. */
	int result[PROBE_MAX];
	int landlock_abi;
	bool root; /* effective uid 0 */
};

/* Fails only when no child can be made. */
int probe_kernel(struct probes *ret, struct err *e);

enum probe_cgroup {
	PROBE_CGROUP_NONE,
	PROBE_CGROUP_V1, /* memory and pids hierarchies that we may make groups in */
	PROBE_CGROUP_V2, /* memory and pids controllers, delegated to us */
};
enum probe_cgroup probe_cgroups(void);

/* The number in a /proc/sys file, or -errno. */
long probe_sysctl(const char *path);
/* Whether this device can be opened for reading and writing: 0 or -errno. */
int probe_device(const char *path);
/* Whether `name` can be executed from one of the directories of `path` ("a:b"). */
bool probe_program(const char *path, const char *name);

#endif
