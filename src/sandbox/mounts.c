/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts - carries out the steps of a plan under a new root, and moves into it.
 *
 * Runs in the sandboxed child (sandbox/inside.c) before any restriction.  The plan is ours, but the
 * trees that it names are hostile: an agent may have left symbolic links in them in an earlier
 * session.  So:
 *  - a target is looked up by openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS): no link leads out
 *    of the new root;
 *  - a missing target is made only on a tmpfs of ours, never in a tree of the host;
 *  - a source beneath a tree that the agent may write is looked up without following any link.
 */
#include "sandbox/inside.h"

#include "os/fd.h"
#include "os/priv.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Symbolic links followed for a target that does not exist yet, as for any path (MAXSYMLINKS is
 * 40; system links to a missing file are one or two deep). */
#define LINKS_MAX 8
/* Our own file systems: the root, and a tmpfs a step; more steps than that are refused. */
#define OWN_MAX 64
/* The root holds directories, links and the small files of the plan. */
#define ROOT_SIZE "4m"
#define SHM_SIZE (64ull << 20)
#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
#define ATTR_SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

struct mounts {
	struct inside *in;
	int root;
	dev_t own[OWN_MAX]; /* own[0] is the root's: made read-only at the end */
	unsigned nown;
	int empty_dir; /* O_PATH, made when the first mask needs it */
	int proc;      /* of the plan's /proc, to finish it in the end; -1 */
	bool proc_fresh;
	unsigned staged;
};

/* ---- file systems ---- */

struct option {
	const char *key, *value; /* value NULL: a flag */
};

static int make_fs(const char *type, const struct option *options, unsigned n, unsigned attrs)
{
	_cleanup_(close_fd) int fs = fsopen(type, FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0)
		return -errno;
	for (unsigned i = 0; i < n; i++)
		if (fsconfig(fs, options[i].value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			     options[i].key, options[i].value, 0) < 0)
			return -errno;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(fs, FSMOUNT_CLOEXEC, attrs);
	return fd < 0 ? -errno : fd;
}

static int make_tmpfs(struct mounts *m, uint64_t size, unsigned mode, unsigned attrs)
{
	char size_text[24], mode_text[12];
	const struct option options[] = { { "size", size_text }, { "mode", mode_text } };
	struct stat st;
	int fd;

	snprintf(size_text, sizeof(size_text), "%llu", (unsigned long long)size);
	snprintf(mode_text, sizeof(mode_text), "%o", mode & 07777);
	fd = make_fs("tmpfs", options, size ? 2 : 0, attrs);
	if (fd < 0)
		return fd;
	if (m->nown == OWN_MAX || fstat(fd, &st) < 0) {
		close(fd);
		return -E2BIG;
	}
	m->own[m->nown++] = st.st_dev;
	return fd;
}

static bool is_own(const struct mounts *m, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	for (unsigned i = 0; i < m->nown; i++)
		if (m->own[i] == st.st_dev)
			return true;
	return false;
}

/* ---- targets ---- */

static int open_inside(const struct mounts *m, const char *path, uint64_t flags)
{
	int fd = sys_openat2(m->root, path, O_PATH | flags, IN_ROOT);

	return fd < 0 ? -errno : fd;
}

/* Length of the directory part, "/" included: "/a/b" is 3. */
static size_t dir_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Opens the directory that `path` lies in, making what is missing on file systems of ours. */
static int open_parent(const struct mounts *m, const char *path)
{
	char part[PATH_MAX];
	size_t len = dir_length(path);
	int fd;

	if (len == 0 || len >= sizeof(part))
		return -EINVAL;
	memcpy(part, path, len);
	part[len] = 0;
	fd = open_inside(m, part, O_DIRECTORY);
	for (size_t i = 1; fd == -ENOENT && i < len; i++) {
		_cleanup_(close_fd) int above = -1;
		size_t leaf;

		if (path[i] != '/' || path[i - 1] == '/')
			continue;
		part[i] = 0;
		leaf = dir_length(part);
		above = open_inside(m, part, O_DIRECTORY);
		if (above == -ENOENT) {
			char up[PATH_MAX];

			memcpy(up, part, leaf);
			up[leaf] = 0;
			above = open_inside(m, up, O_DIRECTORY);
			if (above < 0)
				return above;
			if (!is_own(m, above))
				return -ENOENT;
			if (mkdirat(above, part + leaf, 0755) < 0 && errno != EEXIST)
				return -errno;
		} else if (above < 0) {
			return above;
		}
		part[i] = '/';
		if (i == len - 1)
			fd = open_inside(m, part, O_DIRECTORY);
	}
	return fd;
}

enum node { NODE_FILE, NODE_DIR };

/* An O_PATH descriptor of the mount point, made when it is missing and lies on our own. */
static int open_target(const struct mounts *m, const char *target, enum node node)
{
	char path[PATH_MAX], link[PATH_MAX];

	if (strlen(target) >= sizeof(path) || target[0] != '/')
		return -EINVAL;
	strcpy(path, target);
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		_cleanup_(close_fd) int parent = -1, made = -1;
		int fd = open_inside(m, path, 0);
		size_t dir = dir_length(path);
		ssize_t n;

		if (fd != -ENOENT)
			return fd;
		parent = open_parent(m, path);
		if (parent < 0)
			return parent;
		n = readlinkat(parent, path + dir, link, sizeof(link) - 1);
		if (n > 0) { /* dangles: on to what it names, still inside the new root */
			link[n] = 0;
			if (link[0] == '/')
				dir = 0;
			if (dir + (size_t)n >= sizeof(path))
				return -ENAMETOOLONG;
			memcpy(path + dir, link, (size_t)n + 1);
			continue;
		}
		if (!is_own(m, parent))
			return -ENOENT;
		if (node == NODE_DIR) {
			if (mkdirat(parent, path + dir, 0755) < 0)
				return -errno;
		} else {
			made = openat(parent, path + dir,
				      O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0444);
			if (made < 0)
				return -errno;
		}
	}
	return -ELOOP;
}

static int attach(const struct mounts *m, int tree, const char *target, enum node node)
{
	_cleanup_(close_fd) int at = open_target(m, target, node);

	if (at < 0)
		return at;
	if (move_mount(tree, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/* ---- sources ---- */

/* What `path` is beneath `base`: "" for itself, NULL when it is not. */
static const char *beneath(const char *path, const char *base)
{
	size_t n = strlen(base);

	while (n > 1 && base[n - 1] == '/')
		n--;
	if (strncmp(path, base, n) || (path[n] && path[n] != '/'))
		return NULL;
	path += n;
	while (*path == '/')
		path++;
	return path;
}

/* The outermost tree that the agent may write and that holds `source`: no component beneath it may
 * be a link. */
static const struct plan_step *writable_above(const struct plan *plan, const char *source)
{
	const struct plan_step *found = NULL;

	for (size_t i = 0; i < plan->nsteps; i++) {
		const struct plan_step *s = &plan->steps[i];
		const char *rest;

		if (s->kind != PLAN_BIND || s->read_only)
			continue;
		rest = beneath(source, s->source);
		if (rest && *rest && (!found || strlen(s->source) < strlen(found->source)))
			found = s;
	}
	return found;
}

static int open_source(const struct plan *plan, const char *source)
{
	const struct plan_step *above = writable_above(plan, source);
	_cleanup_(close_fd) int base = -1;
	int fd;

	if (!above) {
		fd = openat(AT_FDCWD, source, O_PATH | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	base = openat(AT_FDCWD, above->source, O_PATH | O_CLOEXEC);
	if (base < 0)
		return -errno;
	fd = sys_openat2(base, beneath(source, above->source), O_PATH,
			 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	return fd < 0 ? -errno : fd;
}

/* A detached copy of what `fd` (or `path`) names, with these attributes on all of it. */
static int clone_tree(int fd, uint64_t attrs)
{
	struct mount_attr attr = { .attr_set = attrs, .propagation = MS_PRIVATE };
	int tree =
	    open_tree(fd, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return -errno;
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0) {
		int r = -errno;

		close(tree);
		return r;
	}
	return tree;
}

/* ---- steps ---- */

static int refuse(const struct plan_step *s, int r, struct err *e)
{
	const char *where = s->origin.file ? s->origin.file : "plan";

	if (r == -ELOOP)
		return err_set(e, r,
			       "%s:%u: %s: a symbolic link in a tree that the agent may write; "
			       "remove it or name what it points to",
			       where, s->origin.line, s->source ? s->source : s->target);
	return err_sys(e, r, "%s:%u: mount %s", where, s->origin.line, s->target);
}

static int step_bind(struct mounts *m, const struct plan_step *s)
{
	_cleanup_(close_fd) int source = open_source(m->in->plan, s->source), tree = -1;
	uint64_t attrs = ATTR_SAFE | (s->read_only ? MOUNT_ATTR_RDONLY : 0) |
			 (s->no_exec ? MOUNT_ATTR_NOEXEC : 0);
	struct stat st;

	if (source < 0)
		return source;
	if (fstat(source, &st) < 0)
		return -errno;
	if (S_ISFIFO(st.st_mode) || S_ISBLK(st.st_mode))
		return -EINVAL;
	if (S_ISCHR(st.st_mode)) /* named by policy: must stay a device */
		attrs &= ~(uint64_t)MOUNT_ATTR_NODEV;
	tree = clone_tree(source, attrs);
	if (tree < 0)
		return tree;
	return attach(m, tree, s->target, S_ISDIR(st.st_mode) ? NODE_DIR : NODE_FILE);
}

static int step_tmpfs(struct mounts *m, const struct plan_step *s)
{
	_cleanup_(close_fd) int fs = make_tmpfs(m, s->size, s->mode ? s->mode : 0755,
						ATTR_SAFE | (s->no_exec ? MOUNT_ATTR_NOEXEC : 0) |
						    (s->read_only ? MOUNT_ATTR_RDONLY : 0));

	return fs < 0 ? fs : attach(m, fs, s->target, NODE_DIR);
}

static const char *const no_namespaces[] = {
	"sys/user/max_user_namespaces",	  "sys/user/max_mnt_namespaces",
	"sys/user/max_pid_namespaces",	  "sys/user/max_net_namespaces",
	"sys/user/max_ipc_namespaces",	  "sys/user/max_uts_namespaces",
	"sys/user/max_cgroup_namespaces", "sys/user/max_time_namespaces",
};

/*
 * Our own /proc, all of it read-only: /proc/sys, sysrq-trigger and the memory of processes cannot
 * be written, whoever we are outside.  Where parts of the existing one are masked (in a container)
 * the kernel forbids a fresh one, and that one is bound.
 */
static int step_proc(struct mounts *m, const struct plan_step *s)
{
	const uint64_t attrs = ATTR_SAFE | MOUNT_ATTR_NOEXEC;
	int fs = make_fs("proc", NULL, 0, (unsigned)attrs), r;

	m->proc_fresh = fs >= 0;
	if (fs == -EPERM || fs == -EACCES) {
		_cleanup_(close_fd) int existing = openat(AT_FDCWD, "/proc", O_PATH | O_CLOEXEC);

		if (existing < 0)
			return -errno;
		inside_lost(m->in, "private /proc (the existing one is masked and was bound)");
		fs = clone_tree(existing, attrs);
	}
	if (fs < 0)
		return fs;
	r = attach(m, fs, s->target, NODE_DIR);
	close_fd(&m->proc);
	m->proc = fs;
	return r;
}

/*
 * The bounds on namespaces belong to our user namespace, whatever /proc they are written through.
 * A detached mount counts as a mount namespace, so this comes after the last of them.
 */
static int finish_proc(struct mounts *m)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };

	if (m->proc < 0)
		return 0;
	for (unsigned i = 0; i < ARRAY_LEN(no_namespaces); i++)
		if (priv_write(m->proc, no_namespaces[i], "0") < 0 && i == 0)
			inside_lost(m->in, "user.max_user_namespaces=0 (/proc/sys is read-only)");
	if (mount_setattr(m->proc, "", AT_EMPTY_PATH | (m->proc_fresh ? 0 : AT_RECURSIVE),
			  &read_only, sizeof(read_only)) < 0)
		return -errno;
	close_fd(&m->proc);
	return 0;
}

static const struct {
	const char *host;
	bool optional;
} dev_nodes[] = { { "/dev/null", false },   { "/dev/zero", false },    { "/dev/full", false },
		  { "/dev/random", false }, { "/dev/urandom", false }, { "/dev/tty", true } };

static const struct {
	const char *name, *text;
} dev_links[] = { { "fd", "/proc/self/fd" },
		  { "stdin", "/proc/self/fd/0" },
		  { "stdout", "/proc/self/fd/1" },
		  { "stderr", "/proc/self/fd/2" },
		  { "ptmx", "pts/ptmx" } };

static int dev_node(struct mounts *m, int dev, const char *host, bool optional)
{
	_cleanup_(close_fd) int source = -1, tree = -1, made = -1;
	const char *name = strrchr(host, '/') + 1;
	struct stat st;

	(void)m;
	source = openat(AT_FDCWD, host, O_PATH | O_CLOEXEC);
	if (source < 0)
		return optional ? 0 : -errno;
	if (fstat(source, &st) < 0 || !S_ISCHR(st.st_mode))
		return -ENODEV;
	tree = open_tree(source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	made = openat(dev, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444);
	if (tree < 0 || made < 0)
		return -errno;
	if (move_mount(tree, "", dev, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

static int dev_fs(int dev, const char *name, int fs)
{
	int r = 0;

	if (fs < 0)
		return fs;
	if (mkdirat(dev, name, 0755) < 0 ||
	    move_mount(fs, "", dev, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		r = -errno;
	close(fs);
	return r;
}

/* Plain nodes of the host in a directory of the root, which is read-only in the end. */
static int step_dev(struct mounts *m, const struct plan_step *s)
{
	static const struct option pts[] = { { "newinstance", NULL },
					     { "ptmxmode", "0666" },
					     { "mode", "620" } };
	const unsigned quiet = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
	_cleanup_(close_fd) int dev = open_target(m, s->target, NODE_DIR);
	int r = 0;

	if (dev < 0)
		return dev;
	if (!is_own(m, dev))
		return -EBUSY;
	for (unsigned i = 0; r == 0 && i < ARRAY_LEN(dev_nodes); i++)
		r = dev_node(m, dev, dev_nodes[i].host, dev_nodes[i].optional);
	for (unsigned i = 0; r == 0 && i < ARRAY_LEN(dev_links); i++)
		r = symlinkat(dev_links[i].text, dev, dev_links[i].name) < 0 ? -errno : 0;
	if (r == 0)
		r = dev_fs(dev, "pts", make_fs("devpts", pts, ARRAY_LEN(pts), quiet));
	if (r == 0)
		r = dev_fs(dev, "shm", make_tmpfs(m, SHM_SIZE, 01777, quiet | MOUNT_ATTR_NODEV));
	if (r == 0)
		r = dev_fs(dev, "mqueue", make_fs("mqueue", NULL, 0, quiet | MOUNT_ATTR_NODEV));
	return r;
}

/* A file of the root under a name of its own, removed again once it is mounted elsewhere. */
static int stage_file(struct mounts *m, const char *content, char name[static 24])
{
	_cleanup_(close_fd) int fd = -1;
	int r;

	snprintf(name, 24, ".stage-%u", m->staged++);
	fd = openat(m->root, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0444);
	if (fd < 0)
		return -errno;
	r = content ? fd_write_all(fd, content, strlen(content)) : 0;
	return r < 0 ? r : TAKE_FD(fd);
}

static int step_file(struct mounts *m, const struct plan_step *s)
{
	char name[24];
	_cleanup_(close_fd) int file = stage_file(m, s->content, name), tree = -1;
	int r;

	if (file < 0)
		return file;
	tree = clone_tree(file, ATTR_SAFE | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY);
	r = tree < 0 ? tree : attach(m, tree, s->target, NODE_FILE);
	unlinkat(m->root, name, 0);
	return r;
}

static int step_symlink(struct mounts *m, const struct plan_step *s)
{
	_cleanup_(close_fd) int parent = open_parent(m, s->target);

	if (parent < 0)
		return parent;
	if (!is_own(m, parent))
		return -EROFS;
	return symlinkat(s->source, parent, s->target + dir_length(s->target)) < 0 ? -errno : 0;
}

static int step_dir(struct mounts *m, const struct plan_step *s)
{
	_cleanup_(close_fd) int fd = open_target(m, s->target, NODE_DIR);

	return fd < 0 ? fd : 0;
}

/* Something empty and read-only over what is there; what is not there needs none. */
static int step_mask(struct mounts *m, const struct plan_step *s)
{
	_cleanup_(close_fd) int at = open_inside(m, s->target, 0), fs = -1;
	const unsigned attrs = ATTR_SAFE | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY;
	struct plan_step file = *s;
	struct stat st;

	if (at < 0)
		return at;
	if (fstat(at, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode)) {
		file.content = NULL;
		return step_file(m, &file);
	}
	if (m->empty_dir < 0) {
		if (mkdirat(m->root, ".empty", 0555) < 0)
			return -errno;
		m->empty_dir = openat(m->root, ".empty", O_PATH | O_CLOEXEC);
		if (m->empty_dir < 0)
			return -errno;
	}
	fs = clone_tree(m->empty_dir, attrs);
	return fs < 0 ? fs : attach(m, fs, s->target, NODE_DIR);
}

static int (*const steps[])(struct mounts *, const struct plan_step *) = {
	[PLAN_BIND] = step_bind, [PLAN_TMPFS] = step_tmpfs, [PLAN_PROC] = step_proc,
	[PLAN_DEV] = step_dev,	 [PLAN_FILE] = step_file,   [PLAN_SYMLINK] = step_symlink,
	[PLAN_DIR] = step_dir,	 [PLAN_MASK] = step_mask,
};

static bool is_missing(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -EACCES;
}

/* The new root is stacked on "/": lookups of the host's paths start below it and go on working. */
int mounts_build(struct inside *in, struct err *e)
{
	struct mounts m = { .in = in, .empty_dir = -1, .proc = -1 };
	const struct plan *plan = in->plan;
	int r = 0;

	m.root = make_tmpfs(&m, 4ull << 20, 0755, ATTR_SAFE);
	if (m.root < 0)
		return err_sys(e, m.root, "tmpfs for the new root");
	in->root = m.root;
	if (move_mount(m.root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, -errno, "new root");
	for (size_t i = 0; i < plan->nsteps; i++) {
		const struct plan_step *s = &plan->steps[i];

		r = steps[s->kind](&m, s);
		if (r < 0 && !(s->optional && is_missing(r)))
			return refuse(s, r, e);
	}
	close_fd(&m.empty_dir);
	r = finish_proc(&m);
	return r < 0 ? err_sys(e, r, "read-only /proc") : 0;
}

int mounts_enter(struct inside *in, struct err *e)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mount_setattr(in->root, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) < 0)
		return err_sys(e, -errno, "read-only root");
	if (fchdir(in->root) < 0 || sys_pivot_root(".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
	    chdir("/") < 0)
		return err_sys(e, -errno, "entering the new root");
	close_fd(&in->root);
	return 0;
}
