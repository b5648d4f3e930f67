/* SPDX-License-Identifier: Apache-2.0 */
/* lookup - finding a plan's targets and sources in trees that an agent may have prepared.  Used by
 * sandbox/mounts.c only. */
#ifndef STOCKADE_SANDBOX_LOOKUP_H
#define STOCKADE_SANDBOX_LOOKUP_H

#include "sandbox/inside.h"

#include <linux/limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Our own file systems: the root, and a tmpfs a step; more than that is refused. */
#define OWN_MAX 64

struct mounts {
	struct inside *in;
	int root;
	dev_t own[OWN_MAX]; /* own[0] is the root's: made read-only at the end */
	unsigned nown;
	int empty_dir; /* O_PATH, made when the first mask needs it */
	int proc;      /* of the plan's /proc, to finish it in the end; -1 */
	bool proc_fresh;
	unsigned staged;
	int near; /* the directory of the root in which the last step was carried out; -1 */
	char near_path[PATH_MAX]; /* its path with a final "/" */
};

enum node { NODE_FILE, NODE_DIR };

/* Whether a descriptor lies on a file system that we made. */
bool lookup_is_own(const struct mounts *m, int fd);
/* Length of the directory part, "/" included: "/a/b" is 3. */
size_t lookup_dir_length(const char *path);
/* O_PATH descriptors or -errno; links are followed, none leads out of the new root. */
int lookup_inside(const struct mounts *m, const char *path, uint64_t flags);
/* The directory that `path` lies in, made where it is missing on a file system of ours. */
int lookup_parent(const struct mounts *m, const char *path);
/* The directory of `path` when it lies on the root's own file system, where nobody but us has put
 * anything: borrowed, kept open for the next step, which is mostly its neighbour's.  -EXDEV when it
 * lies elsewhere.  *ret_leaf: the last part of `path`. */
int lookup_near(struct mounts *m, const char *path, const char **ret_leaf);
/* Forgets it: something was mounted by another way, maybe over it. */
void lookup_near_done(struct mounts *m);
/* The mount point, made when it is missing and lies on our own. */
int lookup_target(const struct mounts *m, const char *target, enum node node);
/* What to mount; beneath a tree that the agent may write no link is followed: -ELOOP. */
int lookup_source(const struct plan *plan, const char *source);
/* The outermost writable bind whose target holds `target`, NULL when none. */
const struct plan_step *lookup_writable_target(const struct plan *plan, const char *target);

#endif
