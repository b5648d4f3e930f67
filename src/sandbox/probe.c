/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - tries what must be refused, and refuses to start when it is not.
 *
 * Runs in the process that will exec the agent, after every restriction is on.  A control that was
 * set but does not bite (a kernel without it, an order that changed, an outer sandbox that lies) is
 * found here, in a few dozen microseconds.
 */
#include "sandbox/inside.h"

#include "os/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

static bool refused_with(long r, int a, int b, int c)
{
	return r < 0 && (errno == a || errno == b || errno == c);
}

static bool refused_open(const char *path, int flags)
{
	_cleanup_(close_fd) int fd = open(path, flags | O_CLOEXEC | O_NOCTTY, 0600);

	return refused_with(fd, EACCES, EROFS, EPERM) || (fd < 0 && errno == ENOENT);
}

/* Whether the mount itself is read-only: an attempt to write would be refused by Landlock first. */
static bool read_only(const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
	return (fs.f_flags & ST_RDONLY) != 0;
}

/* The mounts: nothing of the kernel's, of the root, and of what the plan only shows can be written.
 */
static bool bites_mounts(const struct inside *in)
{
	const struct plan *plan = in->plan;

	if (!in->degraded && (!read_only("/") || !read_only("/proc")))
		return false;
	for (size_t i = 0; !in->degraded && i < plan->nsteps; i++)
		if (plan->steps[i].kind == PLAN_BIND && plan->steps[i].read_only &&
		    !read_only(plan->steps[i].target))
			return false;
	return refused_open("/proc/sys/kernel/core_pattern", O_WRONLY) &&
	       refused_open("/proc/sysrq-trigger", O_WRONLY) &&
	       refused_open("/.probe", O_WRONLY | O_CREAT | O_EXCL);
}

/* Landlock alone refuses a whiteout node (0:0), which needs no capability, on a tmpfs of ours. */
static bool bites_landlock(const struct inside *in)
{
	static const char path[] = "/dev/shm/.probe";

	if (in->report.tier.landlock_abi == 0)
		return true; /* given up openly, see confine_files() */
	if (mknodat(AT_FDCWD, path, S_IFCHR | 0600, 0) == 0) {
		unlink(path);
		return false;
	}
	return errno == EACCES || errno == ENOENT;
}

static bool bites_socket(const struct inside *in)
{
	_cleanup_(close_fd) int netlink = socket(AF_NETLINK, SOCK_RAW, 0);

	(void)in;
	return refused_with(netlink, EPERM, EACCES, EPERM);
}

/* The network namespace: only a loopback, and a datagram to the world meets nobody. */
static bool bites_network(const struct inside *in)
{
	_cleanup_(close_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct ifreq second = { .ifr_ifindex = 2 };
	char c = 0;

	if (in->degraded)
		return refused_with(fd, EPERM, EPERM, EPERM);
	to.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1, TEST-NET-1 */
	if (fd < 0 || ioctl(fd, SIOCGIFNAME, &second) == 0)
		return false;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return errno == ENETUNREACH || errno == EHOSTUNREACH;
	return send(fd, &c, 1, 0) == 1 && recv(fd, &c, 1, 0) < 0 && errno == ECONNREFUSED;
}

static bool bites_calls(const struct inside *in)
{
	(void)in;
	return refused_with(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0),
			    EPERM, EPERM, EPERM) &&
	       refused_with(syscall(SYS_bpf, 0, NULL, 0), EPERM, EPERM, EPERM) &&
	       refused_with(unshare(CLONE_NEWUSER), EPERM, EPERM, EPERM);
}

static bool bites_privileges(const struct inside *in)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct have[2];

	(void)in;
	if (syscall(SYS_capget, &head, have) < 0)
		return false;
	return !(have[0].permitted | have[1].permitted | have[0].effective | have[1].effective) &&
	       !(have[0].inheritable | have[1].inheritable) &&
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
	       prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2;
}

static const struct {
	const char *name;
	bool (*bites)(const struct inside *in);
} probes[] = {
	{ "read-only mounts", bites_mounts }, { "Landlock", bites_landlock },
	{ "socket families", bites_socket },  { "network namespace", bites_network },
	{ "system call list", bites_calls },  { "no capabilities", bites_privileges },
};

int probe_bites(struct inside *in, struct err *e)
{
	for (unsigned i = 0; i < ARRAY_LEN(probes); i++)
		if (!probes[i].bites(in))
			return err_set(e, -EPERM,
				       "probe: the control '%s' does not bite on this host; see "
				       "`stockade doctor`",
				       probes[i].name);
	return 0;
}
