/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - see probe.h.  Called by `stockade doctor`.  One child gathers namespaces one after the
 * other and tries in them what a sandbox does; its answers come back in a shared page, so that what
 * was found stands even when it is killed half-way.
 */
#include "os/probe.h"

#include "base/num.h"
#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

/* A probe that hangs is killed with its child. */
#define CHILD_SECONDS 2
/* Lines of /proc/self/cgroup, paths and small files. */
#define TEXT_MAX 4096
/* open_tree(2)'s flag, which C libraries declare or not. */
#define TREE_CLONE 1u

static int answer(long r)
{
	return r < 0 ? -errno : 0;
}

static int write_text(const char *path, const char *text)
{
	_cleanup_(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

static int try_uidmap(uid_t uid, gid_t gid)
{
	char map[64];
	int r = write_text("/proc/self/setgroups", "deny");

	snprintf(map, sizeof map, "%u %u 1", uid, uid);
	if (r == 0)
		r = write_text("/proc/self/uid_map", map);
	snprintf(map, sizeof map, "%u %u 1", gid, gid);
	return r < 0 ? r : write_text("/proc/self/gid_map", map);
}

/* A tmpfs made and put over /tmp of this mount namespace, and made read-only by attribute. */
static int try_mount_api(void)
{
	_cleanup_(close_fd) int ctx = -1, mnt = -1, tree = -1;
	struct mount_attr ro = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	ctx = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	if (ctx < 0 || syscall(SYS_fsconfig, ctx, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mnt = (int)syscall(SYS_fsmount, ctx, FSMOUNT_CLOEXEC, 0);
	if (mnt < 0 ||
	    syscall(SYS_move_mount, mnt, "", AT_FDCWD, "/tmp", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/tmp", TREE_CLONE | O_CLOEXEC);
	if (tree < 0)
		return -errno;
	return answer(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &ro, (size_t)sizeof ro));
}

/* On the tmpfs that try_mount_api() left at /tmp. */
static int try_overlay(void)
{
	static const char *const dirs[] = { "/tmp/l", "/tmp/u", "/tmp/w", "/tmp/m" };

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdir(dirs[i], 0700) < 0)
			return -errno;
	return answer(mount("overlay", "/tmp/m", "overlay", 0,
			    "userxattr,lowerdir=/tmp/l,upperdir=/tmp/u,workdir=/tmp/w"));
}

struct nft_message {
	struct nlmsghdr h;
	struct nfgenmsg g;
	struct nlattr name_attr;
	char name[8];
};

static struct nft_message nft_message(uint16_t type, uint16_t flags, uint8_t family)
{
	struct nft_message m = {
		.h = { .nlmsg_type = type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags) },
		.g = { .nfgen_family = family, .version = NFNETLINK_V0 },
	};

	return m;
}

/* One batch that makes one table: begin, table, end. */
static int try_nftables(void)
{
	const uint32_t bare = sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg);
	struct nft_message m[3] = {
		nft_message(NFNL_MSG_BATCH_BEGIN, 0, 0),
		nft_message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK,
			    1 /* NFPROTO_INET */),
		nft_message(NFNL_MSG_BATCH_END, 0, 0),
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[1024];
	} reply;
	_cleanup_(close_fd) int fd =
	    socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	struct iovec parts[3];
	struct msghdr msg = {
		.msg_name = &kernel, .msg_namelen = sizeof kernel, .msg_iov = parts, .msg_iovlen = 3
	};

	if (fd < 0)
		return -errno;
	m[0].h.nlmsg_len = m[2].h.nlmsg_len = bare;
	m[0].g.res_id = m[2].g.res_id = __builtin_bswap16(NFNL_SUBSYS_NFTABLES);
	m[1].h.nlmsg_len = sizeof m[1];
	m[1].name_attr = (struct nlattr){ .nla_len = sizeof(struct nlattr) + sizeof "probe",
					  .nla_type = NFTA_TABLE_NAME };
	memcpy(m[1].name, "probe", sizeof "probe");
	for (size_t i = 0; i < 3; i++)
		parts[i] = (struct iovec){ &m[i], m[i].h.nlmsg_len };
	if (sendmsg(fd, &msg, 0) < 0)
		return -errno;
	/* Netlink answers before sendmsg() returns. */
	if (recv(fd, &reply, sizeof reply, 0) < (ssize_t)(sizeof reply.h + sizeof reply.e))
		return errno == EAGAIN ? -EPROTO : -errno;
	return reply.h.nlmsg_type == NLMSG_ERROR ? reply.e.error : -EPROTO;
}

static pid_t fork_child(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };

	return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

static int try_proc(void)
{
	pid_t pid = fork_child();
	int status;

	if (pid == 0)
		_exit(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0
			  ? errno
			  : 0);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ENODATA;
}

static int try_openat2(void)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	_cleanup_(close_fd) int fd = (int)syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how);

	return answer(fd);
}

static int try_seccomp(void)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	return answer(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
}

static int try_notif(void)
{
	struct seccomp_notif_sizes sizes;

	return answer(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes));
}

static const struct {
	enum probe probe;
	int flag;
} spaces[] = {
	{ PROBE_MNTNS, CLONE_NEWNS },	     { PROBE_NETNS, CLONE_NEWNET },
	{ PROBE_IPCNS, CLONE_NEWIPC },	     { PROBE_UTSNS, CLONE_NEWUTS },
	{ PROBE_CGROUPNS, CLONE_NEWCGROUP }, { PROBE_TIMENS, CLONE_NEWTIME },
	{ PROBE_PIDNS, CLONE_NEWPID },
};

static void run_child(int *result, uid_t uid, gid_t gid)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(CHILD_SECONDS);
	result[PROBE_USERNS] = answer(unshare(CLONE_NEWUSER));
	if (result[PROBE_USERNS] < 0)
		return;
	result[PROBE_UIDMAP] = try_uidmap(uid, gid);
	for (size_t i = 0; i < ARRAY_LEN(spaces); i++)
		result[spaces[i].probe] = answer(unshare(spaces[i].flag));
	if (result[PROBE_MNTNS] == 0)
		result[PROBE_MOUNT_API] = try_mount_api();
	if (result[PROBE_MOUNT_API] == 0)
		result[PROBE_OVERLAY] = try_overlay();
	if (result[PROBE_NETNS] == 0)
		result[PROBE_NFTABLES] = try_nftables();
	if (result[PROBE_MNTNS] == 0 && result[PROBE_PIDNS] == 0)
		result[PROBE_PROC] = try_proc();
}

int probe_kernel(struct probes *ret, struct err *e)
{
	const size_t size = sizeof(int) * PROBE_MAX;
	int *result = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uid_t uid = geteuid();
	gid_t gid = getegid();
	pid_t pid;

	if (result == MAP_FAILED)
		return err_sys(e, -errno, "mmap");
	for (size_t i = 0; i < PROBE_MAX; i++)
		result[i] = -ENODATA;
	pid = fork_child();
	result[PROBE_CLONE3] = answer(pid);
	if (pid < 0 && errno == ENOSYS)
		pid = fork();
	if (pid == 0) {
		run_child(result, uid, gid);
		_exit(0);
	}
	if (pid < 0) {
		munmap(result, size);
		return err_sys(e, -errno, "cannot make a child process");
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	result[PROBE_OPENAT2] = try_openat2();
	result[PROBE_SECCOMP] = try_seccomp();
	result[PROBE_NOTIF] = try_notif();
	ret->landlock_abi =
	    (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	result[PROBE_LANDLOCK] = answer(ret->landlock_abi);
	if (ret->landlock_abi < 0)
		ret->landlock_abi = 0;
	ret->root = uid == 0;
	memcpy(ret->result, result, size);
	munmap(result, size);
	return 0;
}

/* The path that follows "<n>:<controllers>:" of the hierarchy that has `controller`. */
static bool own_cgroup(struct str text, const char *controller, struct str *ret)
{
	struct str line, part;

	while (str_next(&text, '\n', &line)) {
		struct str rest = line, names;

		if (!str_next(&rest, ':', &part) || !str_next(&rest, ':', &names))
			continue;
		if (names.len == 0 && controller[0] == '\0') {
			*ret = rest;
			return true;
		}
		while (str_next(&names, ',', &part))
			if (part.len && str_eq(part, str_from(controller))) {
				*ret = rest;
				return true;
			}
	}
	return false;
}

static bool may_write(const char *base, struct str group, const char *file)
{
	char path[TEXT_MAX];
	int n = snprintf(path, sizeof path, "%s%.*s/%s", base, STR_FMT(group), file);

	return n > 0 && (size_t)n < sizeof path && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

static bool has_word(struct str text, const char *word)
{
	struct str part;

	while (str_next(&text, ' ', &part)) {
		struct str line;

		while (str_next(&part, '\n', &line))
			if (str_eq(line, str_from(word)))
				return true;
	}
	return false;
}

static bool v2_delegated(const char *base, struct str group)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
	char path[TEXT_MAX];

	snprintf(path, sizeof path, "%s%.*s/cgroup.controllers", base, STR_FMT(group));
	return fd_read_file(AT_FDCWD, path, &b) == 0 && has_word(buf_str(&b), "memory") &&
	       has_word(buf_str(&b), "pids") && may_write(base, group, "cgroup.procs") &&
	       may_write(base, group, ".");
}

enum probe_cgroup probe_cgroups(void)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(16 * TEXT_MAX);
	struct str group, memory, pids;

	if (fd_read_file(AT_FDCWD, "/proc/self/cgroup", &b) < 0)
		return PROBE_CGROUP_NONE;
	if (own_cgroup(buf_str(&b), "", &group) && (v2_delegated("/sys/fs/cgroup", group) ||
						    v2_delegated("/sys/fs/cgroup/unified", group)))
		return PROBE_CGROUP_V2;
	if (own_cgroup(buf_str(&b), "memory", &memory) && own_cgroup(buf_str(&b), "pids", &pids) &&
	    may_write("/sys/fs/cgroup/memory", memory, ".") &&
	    may_write("/sys/fs/cgroup/pids", pids, "."))
		return PROBE_CGROUP_V1;
	return PROBE_CGROUP_NONE;
}

long probe_sysctl(const char *path)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(64);
	uint64_t v = 0;
	int r = fd_read_file(AT_FDCWD, path, &b);

	if (r == 0)
		r = num_parse_u64((struct str){ b.base, str_index(buf_str(&b), '\n') }, LONG_MAX,
				  &v);
	return r < 0 ? r : (long)v;
}

int probe_device(const char *path)
{
	_cleanup_(close_fd) int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return answer(fd);
}

bool probe_program(const char *path, const char *name)
{
	struct str rest = str_from(path), dir;
	char full[TEXT_MAX];

	while (str_next(&rest, ':', &dir)) {
		int n = snprintf(full, sizeof full, "%.*s/%s", STR_FMT(dir), name);

		if (dir.len && n > 0 && (size_t)n < sizeof full && access(full, X_OK) == 0)
			return true;
	}
	return false;
}
