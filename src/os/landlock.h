/* SPDX-License-Identifier: Apache-2.0 */
/*
 * landlock - rule sets with all rights that the running kernel's ABI knows.
 *
 * Source: Documentation/userspace-api/landlock.rst; constants newer than Linux 6.1 are ours.
 */
#ifndef STOCKADE_OS_LANDLOCK_H
#define STOCKADE_OS_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum landlock_grant {
	LANDLOCK_READ,	/* read, list, execute */
	LANDLOCK_WRITE, /* that and every change, but no device nodes made */
	LANDLOCK_DEVICE /* read, write and ioctl of device nodes and what lies beside them */
};

/* ABI of this kernel, 0 when Landlock is missing or switched off. */
int landlock_abi(void);
/* A rule set that denies all of the file system, the scopes (abstract sockets, signals), and with
 * `net` TCP bind and connect.  Returns a descriptor or -errno. */
int landlock_new(int abi, bool net);
/* Grants `what` beneath an O_PATH descriptor; a file gets what applies to files. */
int landlock_allow(int ruleset, int abi, int path_fd, bool is_dir, enum landlock_grant what);
/* For ever, for this thread and all its children; needs no_new_privs. */
int landlock_enforce(int ruleset);

#endif
