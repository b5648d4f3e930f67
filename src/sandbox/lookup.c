/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup - see lookup.h.
 *
 * Runs in the sandboxed child before any restriction, on hostile trees: an agent may have left
 * symbolic links in them in an earlier session.  So:
 *  - a target is looked up by openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS): no link leads out
 *    of the new root;
 *  - a missing target is made only on a tmpfs of ours, never in a tree of the host;
 *  - a source beneath a tree that the agent may write is looked up without following any link.
 */
#include "sandbox/lookup.h"

#include "os/fd.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Symbolic links followed for a target that does not exist yet; system links to a missing file are
 * one or two deep. */
#define LINKS_MAX 8
/* Tries before a lookup that keeps being disturbed is given up; each takes microseconds. */
#define RACES_MAX 10000
#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

/* openat2(2) says EAGAIN when anything on the whole machine was mounted or renamed while it passed
 * a "..": on a busy host that happens, and asking again is the answer. */
static int open_scoped(int dirfd, const char *path, uint64_t flags, uint64_t resolve)
{
	int fd = -1;

	for (unsigned i = 0; i < RACES_MAX; i++) {
		fd = sys_openat2(dirfd, path, flags, resolve);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd < 0 ? -errno : fd;
}

bool lookup_is_own(const struct mounts *m, int fd)
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

int lookup_inside(const struct mounts *m, const char *path, uint64_t flags)
{
	return open_scoped(m->root, path, O_PATH | flags, IN_ROOT);
}

/* Length of the directory part, "/" included: "/a/b" is 3. */
size_t lookup_dir_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Opens the directory that `path` lies in, making what is missing on file systems of ours. */
int lookup_parent(const struct mounts *m, const char *path)
{
	char part[PATH_MAX];
	size_t len = lookup_dir_length(path);
	int fd;

	if (len == 0 || len >= sizeof(part))
		return -EINVAL;
	memcpy(part, path, len);
	part[len] = 0;
	fd = lookup_inside(m, part, O_DIRECTORY);
	for (size_t i = 1; fd == -ENOENT && i < len; i++) {
		_cleanup_(close_fd) int above = -1;
		size_t leaf;

		if (path[i] != '/' || path[i - 1] == '/')
			continue;
		part[i] = 0;
		leaf = lookup_dir_length(part);
		above = lookup_inside(m, part, O_DIRECTORY);
		if (above == -ENOENT) {
			char up[PATH_MAX];

			memcpy(up, part, leaf);
			up[leaf] = 0;
			above = lookup_inside(m, up, O_DIRECTORY);
			if (above < 0)
				return above;
			if (!lookup_is_own(m, above))
				return -ENOENT;
			if (mkdirat(above, part + leaf, 0755) < 0 && errno != EEXIST)
				return -errno;
		} else if (above < 0) {
			return above;
		}
		part[i] = '/';
		if (i == len - 1)
			fd = lookup_inside(m, part, O_DIRECTORY);
	}
	return fd;
}

void lookup_near_done(struct mounts *m)
{
	close_fd(&m->near);
}

int lookup_near(struct mounts *m, const char *path, const char **ret_leaf)
{
	size_t dir = lookup_dir_length(path);
	struct stat st;

	if (dir == 0 || dir >= sizeof(m->near_path))
		return -EINVAL;
	*ret_leaf = path + dir;
	if (m->near >= 0 && !strncmp(m->near_path, path, dir) && !m->near_path[dir])
		return m->near;
	lookup_near_done(m);
	m->near = lookup_parent(m, path);
	if (m->near < 0)
		return m->near;
	if (fstat(m->near, &st) < 0 || st.st_dev != m->own[0]) {
		lookup_near_done(m);
		return -EXDEV;
	}
	memcpy(m->near_path, path, dir);
	m->near_path[dir] = 0;
	return m->near;
}

/* An O_PATH descriptor of the mount point, made when it is missing and lies on our own. */
int lookup_target(const struct mounts *m, const char *target, enum node node)
{
	char path[PATH_MAX], link[PATH_MAX];

	if (target[0] != '/' || snprintf(path, sizeof(path), "%s", target) >= (int)sizeof(path))
		return -EINVAL;
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		_cleanup_(close_fd) int parent = -1, made = -1;
		int fd = lookup_inside(m, path, 0);
		size_t dir = lookup_dir_length(path);
		ssize_t n;

		if (fd != -ENOENT)
			return fd;
		parent = lookup_parent(m, path);
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
		if (!lookup_is_own(m, parent))
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

/* The outermost tree that the agent may write and that holds `path`, by source or by target. */
static const struct plan_step *writable_above(const struct plan *plan, const char *path,
					      bool target)
{
	const struct plan_step *found = NULL;

	for (size_t i = 0; i < plan->nsteps; i++) {
		const struct plan_step *s = &plan->steps[i];
		const char *base = target ? s->target : s->source, *rest;

		if (s->kind != PLAN_BIND || s->read_only)
			continue;
		rest = beneath(path, base);
		if (rest && *rest &&
		    (!found || strlen(base) < strlen(target ? found->target : found->source)))
			found = s;
	}
	return found;
}

const struct plan_step *lookup_writable_target(const struct plan *plan, const char *target)
{
	return writable_above(plan, target, true);
}

int lookup_source(const struct plan *plan, const char *source)
{
	const struct plan_step *above = writable_above(plan, source, false);
	_cleanup_(close_fd) int base = -1;
	int fd;

	if (!above) {
		fd = openat(AT_FDCWD, source, O_PATH | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	base = openat(AT_FDCWD, above->source, O_PATH | O_CLOEXEC);
	if (base < 0)
		return -errno;
	return open_scoped(base, beneath(source, above->source), O_PATH,
			   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}
