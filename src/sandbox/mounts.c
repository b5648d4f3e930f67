/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts - carries out the steps of a plan under a new root, and moves into it.
 *
 * Runs in the sandboxed child (sandbox/inside.c) before any restriction.  The plan is ours, but the
 * trees that it names are hostile: every path is looked up by sandbox/lookup.c.
 */
#include "sandbox/inside.h"
#include "sandbox/lookup.h"

#include "os/fd.h"
#include "os/priv.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* The root holds directories, links and the small files of the plan. */
#define ROOT_SIZE (4ull << 20)
/* Where the plan names no size. */
#define TMPFS_SIZE (64ull << 20)
/* An empty file costs about a kilobyte of kernel memory, which no size counts. */
#define BYTES_PER_INODE 1024
#define SHM_SIZE (64ull << 20)
#define ATTR_SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

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
	char size_text[24], inodes_text[24], mode_text[12];
	const struct option options[] = { { "size", size_text },
					  { "nr_inodes", inodes_text },
					  { "mode", mode_text } };
	struct stat st;
	int fd;

	snprintf(size_text, sizeof(size_text), "%llu", (unsigned long long)size);
	snprintf(inodes_text, sizeof(inodes_text), "%llu",
		 (unsigned long long)size / BYTES_PER_INODE + 16);
	snprintf(mode_text, sizeof(mode_text), "%o", mode & 07777);
	fd = make_fs("tmpfs", options, ARRAY_LEN(options), attrs);
	if (fd < 0)
		return fd;
	if (m->nown == OWN_MAX || fstat(fd, &st) < 0) {
		close(fd);
		return -E2BIG;
	}
	m->own[m->nown++] = st.st_dev;
	return fd;
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

static bool is_mount_root(int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH, 0, &st) == 0 &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/*
 * A directory between a writable tree and something mounted in it could be renamed away, and
 * another put in its place: what is protected inside would then not be what the host sees.  Mounted
 * on itself it cannot.
 */
static int pin_parents(struct mounts *m, const char *target)
{
	const struct plan_step *above = lookup_writable_target(m->in->plan, target);
	char path[PATH_MAX];
	size_t base, len = strlen(target);

	if (!above || len >= sizeof(path))
		return 0;
	base = strlen(above->target);
	memcpy(path, target, len + 1);
	for (size_t i = base + 1; i < len; i++) {
		_cleanup_(close_fd) int dir = -1, tree = -1;

		if (path[i] != '/' || path[i - 1] == '/')
			continue;
		path[i] = 0;
		dir = lookup_inside(m, path, O_DIRECTORY);
		path[i] = '/';
		if (dir == -ENOENT || (dir >= 0 && is_mount_root(dir)))
			continue;
		tree = dir < 0 ? dir : clone_tree(dir, 0);
		if (tree < 0)
			return tree;
		if (move_mount(tree, "", dir, "",
			       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
			return -errno;
	}
	return 0;
}

/* On a new mount point in the root, which is where most of a plan stands. -EEXIST, -EXDEV: it is
 * there already, or is to be elsewhere. */
static int attach_new(struct mounts *m, int tree, const char *target, enum node node)
{
	_cleanup_(close_fd) int made = -1;
	const char *leaf;
	int dir = lookup_near(m, target, &leaf);

	if (dir < 0)
		return dir;
	if (node == NODE_DIR) {
		if (mkdirat(dir, leaf, 0755) < 0)
			return -errno;
	} else {
		made =
		    openat(dir, leaf, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0444);
		if (made < 0)
			return -errno;
	}
	return move_mount(tree, "", dir, leaf, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

static int attach(struct mounts *m, int tree, const char *target, enum node node)
{
	int r = attach_new(m, tree, target, node);
	_cleanup_(close_fd) int at = -1;

	if (r != -EEXIST && r != -EXDEV)
		return r;
	lookup_near_done(m);
	r = pin_parents(m, target);
	at = r < 0 ? r : lookup_target(m, target, node);
	if (at < 0)
		return at;
	if (move_mount(tree, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -errno;
	return 0;
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
	if (r == -ENOTSUP)
		return err_set(e, r, "%s:%u: %s: a FIFO or a block device is never mounted", where,
			       s->origin.line, s->source);
	if (s->source && s->kind == PLAN_BIND)
		return err_sys(e, r, "%s:%u: mount %s at %s", where, s->origin.line, s->source,
			       s->target);
	return err_sys(e, r, "%s:%u: mount %s", where, s->origin.line, s->target);
}

static int step_bind(struct mounts *m, const struct plan_step *s)
{
	_cleanup_(close_fd) int source = lookup_source(m->in->plan, s->source), tree = -1;
	uint64_t attrs = ATTR_SAFE | (s->read_only ? MOUNT_ATTR_RDONLY : 0) |
			 (s->no_exec ? MOUNT_ATTR_NOEXEC : 0);
	struct stat st;

	if (source < 0)
		return source;
	if (fstat(source, &st) < 0)
		return -errno;
	if (S_ISFIFO(st.st_mode) || S_ISBLK(st.st_mode))
		return -ENOTSUP;
	if (S_ISCHR(st.st_mode)) /* named by policy: must stay a device */
		attrs &= ~(uint64_t)MOUNT_ATTR_NODEV;
	tree = clone_tree(source, attrs);
	if (tree < 0)
		return tree;
	return attach(m, tree, s->target, S_ISDIR(st.st_mode) ? NODE_DIR : NODE_FILE);
}

static int step_tmpfs(struct mounts *m, const struct plan_step *s)
{
	_cleanup_(close_fd) int fs =
	    make_tmpfs(m, s->size ? s->size : TMPFS_SIZE, s->mode ? s->mode : 0755,
		       ATTR_SAFE | (s->no_exec ? MOUNT_ATTR_NOEXEC : 0) |
			   (s->read_only ? MOUNT_ATTR_RDONLY : 0));

	return fs < 0 ? fs : attach(m, fs, s->target, NODE_DIR);
}

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
 * The bound on namespaces belongs to our user namespace, whatever /proc it is written through.
 */
static int finish_proc(struct mounts *m)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };

	if (m->proc < 0)
		return 0;
	/* Without a user namespace of its own the agent, which has no capability, gets none of the
	 * other kinds. */
	if (priv_write(m->proc, "sys/user/max_user_namespaces", "0") < 0)
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
	_cleanup_(close_fd) int dev = lookup_target(m, s->target, NODE_DIR);
	int r = 0;

	if (dev < 0)
		return dev;
	if (!lookup_is_own(m, dev))
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

/* Over something that is there. */
static int mount_file(struct mounts *m, const struct plan_step *s)
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

/* In the root itself, which is read-only in the end; no mount is needed. */
static int step_file(struct mounts *m, const struct plan_step *s)
{
	_cleanup_(close_fd) int fd = -1;
	const char *leaf;
	int dir = lookup_near(m, s->target, &leaf);

	if (dir < 0 && dir != -EXDEV)
		return dir;
	if (dir >= 0)
		fd = openat(dir, leaf, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0444);
	if (dir >= 0 && fd < 0 && errno != EEXIST)
		return -errno;
	if (fd < 0)
		return mount_file(m, s);
	return s->content ? fd_write_all(fd, s->content, strlen(s->content)) : 0;
}

static int step_symlink(struct mounts *m, const struct plan_step *s)
{
	const char *leaf;
	_cleanup_(close_fd) int parent = -1;
	int dir = lookup_near(m, s->target, &leaf);

	if (dir == -EXDEV) {
		dir = parent = lookup_parent(m, s->target);
		if (dir >= 0 && !lookup_is_own(m, dir))
			return -EROFS;
	}
	if (dir < 0)
		return dir;
	return symlinkat(s->source, dir, leaf) < 0 ? -errno : 0;
}

static int step_dir(struct mounts *m, const struct plan_step *s)
{
	const char *leaf;
	_cleanup_(close_fd) int fd = -1;
	int dir = lookup_near(m, s->target, &leaf);

	if (dir >= 0 && mkdirat(dir, leaf, 0755) == 0)
		return 0;
	fd = lookup_target(m, s->target, NODE_DIR);
	return fd < 0 ? fd : 0;
}

/* Something empty and read-only over what is there; what is not there needs none. */
static int step_mask(struct mounts *m, const struct plan_step *s)
{
	_cleanup_(close_fd) int at = lookup_inside(m, s->target, 0), fs = -1;
	const unsigned attrs = ATTR_SAFE | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY;
	struct plan_step file = *s;
	struct stat st;

	if (at < 0)
		return at;
	if (fstat(at, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode)) {
		file.content = NULL;
		return mount_file(m, &file);
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
	struct mounts m = { .in = in, .empty_dir = -1, .proc = -1, .near = -1 };
	const struct plan *plan = in->plan;
	int r = 0;

	m.root = make_tmpfs(&m, ROOT_SIZE, 0755, ATTR_SAFE);
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
	lookup_near_done(&m);
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
