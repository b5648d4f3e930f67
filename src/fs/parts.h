/* SPDX-License-Identifier: Apache-2.0 */
/* parts - what the files of the planner share; nobody else includes it. */
#ifndef STOCKADE_FS_PARTS_H
#define STOCKADE_FS_PARTS_H

#include "base/path.h"
#include "fs/plan.h"

/* --- path.c: paths as text --- */

/* Absolute, without ".", "" and trailing '/'; "~/" and "./" are replaced.  -EINVAL for "..",
 * control bytes and other relative paths, -ENAMETOOLONG. */
int path_expand(const char *path, const char *home, const char *cwd, char **ret);
/* `path` is `root` or lies in it. */
static inline bool path_within(const char *path, const char *root)
{
	return path_is_under(str_from(path), str_from(root));
}

bool path_in_list(const char *path, const char *const *list, bool trees);
/* Parents before children, siblings by byte. */
int path_compare(const char *a, const char *b);

/* --- mounts.c: what the policy wants, resolved and checked --- */

struct want {
	enum mount_mode mode;
	char *source; /* resolved */
	char *target; /* as written, expanded */
	bool workspace;
	bool optional;
	struct origin origin;
};

struct wants {
	struct want *w; /* heap */
	size_t n;
	char *workspace; /* inside; NULL with WORKSPACE_NONE */
};

/* The path without symbolic links, by facts->resolve; heap. */
int plan_resolve(const struct plan_facts *facts, const char *path, char **ret);
void wants_done(struct wants *w);
int wants_make(const struct policy *pol, const struct plan_facts *facts, const char *home,
	       struct wants *ret, struct err *e);

/* --- guard.c --- */

/* Adds a read-only want for each policy file in a writable tree; `ws` has room for pol->nfiles. */
int guard_policy_files(struct wants *ws, const struct policy *pol, const struct plan_facts *facts,
		       struct err *e);

/* --- env.c --- */

int plan_env_make(const struct policy *pol, const struct plan_facts *facts, const char *home,
		  struct plan *p, struct err *e);
const char *plan_user_name(const struct plan_facts *facts);

#endif
