/* SPDX-License-Identifier: Apache-2.0 */
/* landlock - see landlock.h.  Runs in sandboxed children and in gateway roles; input is ours. */
#include "os/landlock.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct landlock_ruleset_attr as of ABI 6; shorter kernels get the part they know. */
struct ruleset_attr {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct path_rule {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

#define RULE_PATH_BENEATH 1
#define CREATE_RULESET_VERSION 1u

#define FS_EXECUTE (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)
#define FS_MAKE_CHAR (1ull << 6)
#define FS_MAKE_BLOCK (1ull << 11)
#define FS_TRUNCATE (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)

#define FS_FILE (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define FS_READ (FS_EXECUTE | FS_READ_FILE | FS_READ_DIR)
#define NET_ALL 3ull   /* bind, connect: ABI 4 */
#define SCOPE_ALL 3ull /* abstract Unix sockets, signals: ABI 6 */

/* ABI 1 has bits 0..12; 2 adds REFER, 3 TRUNCATE, 5 IOCTL_DEV. */
static uint64_t fs_rights(int abi)
{
	static const unsigned bits[] = { 0, 13, 14, 15, 15, 16 };

	return (1ull << bits[abi < 5 ? abi : 5]) - 1;
}

int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

int landlock_new(int abi, bool net)
{
	struct ruleset_attr attr = { .fs = fs_rights(abi) };
	size_t size = sizeof(attr.fs);
	long fd;

	if (abi < 1)
		return -ENOSYS;
	if (abi >= 4) {
		attr.net = net ? NET_ALL : 0;
		size = offsetof(struct ruleset_attr, scoped);
	}
	if (abi >= 6) {
		attr.scoped = SCOPE_ALL;
		size = sizeof(attr);
	}
	fd = syscall(SYS_landlock_create_ruleset, &attr, size, 0u); /* born close-on-exec */
	return fd < 0 ? -errno : (int)fd;
}

int landlock_allow(int ruleset, int abi, int path_fd, bool is_dir, enum landlock_grant what)
{
	const uint64_t grants[] = {
		[LANDLOCK_READ] = FS_READ,
		[LANDLOCK_WRITE] = ~(FS_MAKE_CHAR | FS_MAKE_BLOCK | FS_IOCTL_DEV),
		[LANDLOCK_DEVICE] =
		    FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
	};
	struct path_rule rule = { .access = grants[what] & fs_rights(abi), .fd = path_fd };

	if (!is_dir)
		rule.access &= FS_FILE;
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0u) < 0)
		return -errno;
	return 0;
}

int landlock_enforce(int ruleset)
{
	return syscall(SYS_landlock_restrict_self, ruleset, 0u) < 0 ? -errno : 0;
}
