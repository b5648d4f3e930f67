/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits - see limits.h.
 *
 * Groups are directories "stockade.<pid namespace>.<pid>.<start time>.<n>" beneath our own cgroup
 * (or the root of the hierarchy): the name tells whether the launcher that made it still lives, so
 * what a killed one left is swept by the next.  Nothing here runs when the policy sets no bound.
 */
#include "sandbox/limits.h"

#include "base/num.h"
#include "os/fd.h"
#include "os/priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_HYBRID CGROUP_ROOT "/unified" /* where v2 lies beside v1 */
#define GROUP_PREFIX "stockade."
/* Seconds: a launcher needs milliseconds from making a group to moving into it. */
#define FOREIGN_AGE 60
/* /proc/self/cgroup has a line a controller: two dozen of at most PATH_MAX, short in practice. */
#define SELF_MAX 16384
#define CPU_PERIOD_US 100000u
/* kernel.pid_max of a pid namespace cannot go below RESERVED_PIDS + 1. */
#define PID_MAX_LEAST 301u
/* From here on a bound that is up to PID_MAX_LEAST too high is still the bound that was meant. */
#define PIDNS_LEAST 1024u
/* Since Linux 6.14 kernel.pid_max is the pid namespace's own; before, it is the whole machine's. */
#define PID_MAX_MAJOR 6
#define PID_MAX_MINOR 14

/* ---- names ---- */

/* Start time in clock ticks since boot: field 22 of /proc/<pid>/stat, 0 when there is none. */
static uint64_t start_time(uint64_t pid)
{
	char path[64], text[1024] = { 0 };
	_cleanup_(close_fd) int fd = -1;
	struct str rest, field = STR_NONE;
	uint64_t ticks = 0;

	snprintf(path, sizeof(path), "/proc/%" PRIu64 "/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return 0;
	rest = str_from(strrchr(text, ')')); /* the program's name may hold anything */
	for (int n = 2; n <= 22; n++)
		if (!str_next(&rest, ' ', &field))
			return 0;
	num_parse_u64(field, UINT64_MAX, &ticks);
	return ticks;
}

/* Pids mean nothing in another pid namespace, so its number is part of the name. */
static uint64_t pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

/* Made by a launcher that is gone; one of another pid namespace when it is old enough that its
 * launcher must long have moved its sandbox in. */
static bool is_stale(int dir, const char *name)
{
	enum { NS, PID, TICKS, NUMBERS };
	struct str rest = str_from(name), part;
	uint64_t n[NUMBERS];
	struct stat st;

	if (!str_has_prefix(rest, STR_LIT(GROUP_PREFIX)))
		return false;
	rest.p += strlen(GROUP_PREFIX);
	rest.len -= strlen(GROUP_PREFIX);
	for (unsigned i = 0; i < NUMBERS; i++)
		if (!str_next(&rest, '.', &part) || num_parse_u64(part, UINT64_MAX, &n[i]) < 0)
			return false;
	if (n[NS] == pid_namespace())
		return start_time(n[PID]) != n[TICKS];
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       time(NULL) - st.st_mtime > FOREIGN_AGE;
}

/* rmdir refuses a group that still has members, so a wrong guess harms nobody. */
static void sweep(const char *parent)
{
	DIR *d = opendir(parent);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (is_stale(dirfd(d), entry->d_name))
			unlinkat(dirfd(d), entry->d_name, AT_REMOVEDIR);
	if (d)
		closedir(d);
}

/* ---- groups ---- */

static int write_value(const char *group, const char *file, const char *text)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", group, file) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return priv_write(AT_FDCWD, path, text);
}

/* Our own path in the hierarchy whose line in /proc/self/cgroup has `controller` ("" is v2). */
static bool own_path(const char *self, const char *controller, char ret[static PATH_MAX])
{
	const size_t n = strlen(controller);

	for (const char *line = self; line && *line; line = strchr(line, '\n')) {
		const char *list, *path;

		line += *line == '\n';
		list = strchr(line, ':');
		path = list ? strchr(list + 1, ':') : NULL;
		if (!path)
			return false;
		for (list++; list <= path; list += strcspn(list, ",:") + 1) {
			if (strncmp(list, controller, n) || (list[n] != ',' && list[n] != ':'))
				continue;
			path++;
			snprintf(ret, PATH_MAX, "%.*s", (int)strcspn(path, "\n"), path);
			return true;
		}
	}
	return false;
}

/* Makes our group beneath `parent` and opens its list of members. */
static int make_group(struct limits *l, const char *parent)
{
	char procs[PATH_MAX];
	char *path = l->groups[l->ngroups].path;
	int fd;

	sweep(parent);
	if (snprintf(path, PATH_MAX, "%s/" GROUP_PREFIX "%" PRIu64 ".%ld.%" PRIu64 ".%u", parent,
		     pid_namespace(), (long)getpid(), start_time((uint64_t)getpid()),
		     l->serial) >= PATH_MAX ||
	    snprintf(procs, sizeof(procs), "%s/cgroup.procs", path) >= (int)sizeof(procs))
		return -ENAMETOOLONG;
	if (mkdir(path, 0755) < 0)
		return -errno;
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		int r = -errno;

		rmdir(path);
		return r;
	}
	l->groups[l->ngroups++].procs = fd;
	return 0;
}

struct bound {
	const char *controller, *v1_file, *v2_file;
	char v1[32], v2[48];
};

static unsigned list_bounds(const struct policy_limits *want, struct bound b[static 3])
{
	unsigned n = 0;

	if (want->memory) {
		b[n] = (struct bound){ "memory", "memory.limit_in_bytes", "memory.max", "", "" };
		snprintf(b[n].v1, sizeof(b[n].v1), "%" PRIu64, want->memory);
		snprintf(b[n].v2, sizeof(b[n].v2), "%" PRIu64, want->memory);
		n++;
	}
	if (want->pids) {
		b[n] = (struct bound){ "pids", "pids.max", "pids.max", "", "" };
		snprintf(b[n].v1, sizeof(b[n].v1), "%" PRIu64, want->pids);
		snprintf(b[n].v2, sizeof(b[n].v2), "%" PRIu64, want->pids);
		n++;
	}
	if (want->cpu_milli) {
		const uint64_t quota = want->cpu_milli * (CPU_PERIOD_US / 1000);

		b[n] = (struct bound){ "cpu", "cpu.cfs_quota_us", "cpu.max", "", "" };
		snprintf(b[n].v1, sizeof(b[n].v1), "%" PRIu64, quota);
		snprintf(b[n].v2, sizeof(b[n].v2), "%" PRIu64 " %u", quota, CPU_PERIOD_US);
		n++;
	}
	return n;
}

static int bound_v2(struct limits *l, const char *parent, const struct bound *b, unsigned n)
{
	const char *group = l->groups[l->ngroups].path;
	int r = 0;

	/* Where the controllers are not delegated yet; fails quietly where they cannot be. */
	for (unsigned i = 0; i < n; i++) {
		char enable[24];

		snprintf(enable, sizeof(enable), "+%s", b[i].controller);
		write_value(parent, "cgroup.subtree_control", enable);
	}
	r = make_group(l, parent);
	for (unsigned i = 0; r == 0 && i < n; i++)
		r = write_value(group, b[i].v2_file, b[i].v2);
	if (r == 0) { /* without swap accounting the files are missing */
		write_value(group, "memory.swap.max", "0");
		write_value(group, "memory.oom.group", "1");
	}
	return r;
}

static int try_v2(struct limits *l, const char *self, const struct bound *b, unsigned n)
{
	static const char *const mounts[] = { CGROUP_ROOT, CGROUP_HYBRID };
	char own[PATH_MAX], parent[PATH_MAX];
	int r = -ENOENT;

	if (!own_path(self, "", own))
		return -ENOENT;
	for (unsigned i = 0; r < 0 && i < 2 * ARRAY_LEN(mounts); i++) {
		const bool at_root = i % 2;

		snprintf(parent, sizeof(parent), "%s%.*s", mounts[i / 2],
			 at_root ? 0 : (int)(sizeof(parent) - 64), own);
		if (at_root && !strcmp(own, "/"))
			continue;
		r = bound_v2(l, parent, b, n);
		if (r < 0)
			limits_remove(l);
	}
	return r;
}

static int try_v1(struct limits *l, const char *self, const struct bound *b, unsigned n)
{
	char own[PATH_MAX], parent[PATH_MAX];
	int r = 0;

	for (unsigned i = 0; r == 0 && i < n; i++) {
		if (!own_path(self, b[i].controller, own))
			return -ENOENT;
		snprintf(parent, sizeof(parent), CGROUP_ROOT "/%s%.*s", b[i].controller,
			 (int)(sizeof(parent) - 64), own);
		r = make_group(l, parent);
		if (r == 0)
			r = write_value(l->groups[l->ngroups - 1].path, b[i].v1_file, b[i].v1);
	}
	return r;
}

static bool pid_max_is_ours(void)
{
	struct str rest, part;
	uint64_t major, minor;
	struct utsname u;

	if (uname(&u) < 0)
		return false;
	rest = str_from(u.release);
	if (!str_next(&rest, '.', &part) || num_parse_u64(part, UINT32_MAX, &major) < 0 || !rest.p)
		return false;
	rest.len = strspn(rest.p, "0123456789"); /* "6.14-rc1", "6.14+" */
	if (num_parse_u64(rest, UINT32_MAX, &minor) < 0)
		return false;
	return major > PID_MAX_MAJOR || (major == PID_MAX_MAJOR && minor >= PID_MAX_MINOR);
}

/* Where only processes are bounded, and not tightly, the pid namespace does it alone: no directory
 * to make and to sweep, and no move between groups, which waits for the whole machine (1 to 10 ms).
 */
static bool pid_namespace_suffices(const struct policy_limits *want)
{
	return want->pids >= PIDNS_LEAST && !want->memory && !want->cpu_milli &&
	       want->cgroup == REQUIRE_NO && pid_max_is_ours();
}

int limits_prepare(const struct policy_limits *want, struct limits *l, struct err *e)
{
	static unsigned serial;
	_cleanup_(buf_done) struct buf self = BUF_INIT(SELF_MAX);
	struct bound bounds[3];
	const unsigned n = list_bounds(want, bounds);
	int r;

	l->ngroups = 0;
	l->serial = serial++;
	snprintf(l->tier, sizeof(l->tier), "none");
	if (n == 0 && want->cgroup == REQUIRE_NO)
		return 0;
	if (pid_namespace_suffices(want)) {
		snprintf(l->tier, sizeof(l->tier), "pidns");
		return 0;
	}
	r = fd_read_file(AT_FDCWD, "/proc/self/cgroup", &self);
	if (r == 0) {
		r = try_v2(l, buf_cstr(&self), bounds, n);
		snprintf(l->tier, sizeof(l->tier), "v2");
	}
	if (r < 0 && buf_len(&self)) {
		r = try_v1(l, buf_cstr(&self), bounds, n);
		snprintf(l->tier, sizeof(l->tier), "v1");
	}
	if (r == 0)
		return 0;
	limits_close(l);
	limits_remove(l);
	snprintf(l->tier, sizeof(l->tier), "rlimit");
	if (want->cgroup == REQUIRE_YES)
		return err_sys(
		    e, r,
		    "limits.cgroup is required, but no cgroup can be made here; run in a "
		    "delegated one (systemd-run --user --scope -p Delegate=yes) or as root");
	return 0;
}

/* ---- the child ---- */

int limits_join(struct limits *l, struct err *e)
{
	for (unsigned i = 0; i < l->ngroups; i++)
		if (write(l->groups[i].procs, "0", 1) != 1)
			return err_sys(e, -errno, "joining %s", l->groups[i].path);
	return 0;
}

/* Numbers below PID_MAX_LEAST are not given out a second time, so that many more must be there for
 * `pids` to be always possible; the bound is up to PID_MAX_LEAST looser than a cgroup's. */
static int bound_pid_namespace(uint64_t pids)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, pids + PID_MAX_LEAST);
	return priv_write(AT_FDCWD, "/proc/sys/kernel/pid_max", text);
}

/* What a bound on processes is worth without a cgroup: RLIMIT_NPROC means nothing to root, and
 * pid_max is PID_MAX_LEAST too high. */
static unsigned lost_of_pids(uint64_t pids, bool bounded)
{
	if (geteuid() != 0)
		return 0;
	if (!bounded)
		return LIMITS_LOST_PIDS;
	return pids < PIDNS_LEAST ? LIMITS_LOST_FEW : 0;
}

/*
 * Processes: pid_max holds for root too; RLIMIT_NPROC counts this user namespace's only.  Memory:
 * what a process may write of its own; address space alone is no cost and runtimes reserve much of
 * it.
 */
int limits_own(const struct policy_limits *want, const struct limits *l, bool pid_namespace,
	       unsigned *ret_lost, struct err *e)
{
	const struct rlimit nproc = { want->pids, want->pids };
	const struct rlimit data = { want->memory, want->memory };
	const bool pidns = !strcmp(l->tier, "pidns");
	int r = -ENOTSUP;

	*ret_lost = 0;
	if (strcmp(l->tier, "rlimit") && !pidns)
		return 0;
	/* Outside a pid namespace of our own it would be the machine's. */
	if (want->pids && pid_namespace && pid_max_is_ours())
		r = bound_pid_namespace(want->pids);
	if (r < 0 && pidns && pid_namespace)
		return err_sys(e, r, "bounding the pid namespace");
	if (want->cpu_milli)
		*ret_lost |= LIMITS_LOST_CPU;
	if (want->memory)
		*ret_lost |= LIMITS_LOST_MEMORY;
	if (want->pids)
		*ret_lost |= lost_of_pids(want->pids, r == 0);
	if ((want->pids && setrlimit(RLIMIT_NPROC, &nproc) < 0) ||
	    (want->memory && setrlimit(RLIMIT_DATA, &data) < 0))
		return err_sys(e, -errno, "resource limits");
	return 0;
}

/* ---- the end ---- */

void limits_close(struct limits *l)
{
	for (unsigned i = 0; i < l->ngroups; i++)
		close_fd(&l->groups[i].procs);
}

void limits_remove(struct limits *l)
{
	/* The last member's end may still be on its way through the kernel: a few milliseconds. */
	const struct timespec pause = { .tv_nsec = 1000000 };

	limits_close(l);
	while (l->ngroups) {
		const char *path = l->groups[--l->ngroups].path;

		for (int i = 0; i < 100 && rmdir(path) < 0 && errno == EBUSY; i++) {
			write_value(path, "cgroup.kill", "1");
			nanosleep(&pause, NULL);
		}
	}
}
