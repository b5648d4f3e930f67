/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard - a policy file that lies where the agent may write is read-only there, so that no session
 * can change what the next one is allowed.  Called by the planner, in launch; pure but for
 * facts->resolve.
 *
 * The mount on the file holds its directories too: the native back end mounts each directory
 * between a writable tree and a protected child on itself, so that none can be renamed away.
 */
#include "fs/parts.h"

#include "base/own.h"

#include <errno.h>
#include <stdio.h>

/* A profile or the command line: no file of the host. */
static bool is_file(const char *name)
{
	return !str_has_prefix(str_from(name), STR_LIT("profile:")) &&
	       strcmp(name, "command line") != 0;
}

/* Where the name itself stands: its directory resolved, its last part as written. */
static int resolve_name(const struct plan_facts *facts, const char *name, char **ret)
{
	const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
	_cleanup_(free_ptr) char *dir = NULL, *real = NULL;
	_cleanup_(buf_done) struct buf b = BUF_INIT(2 * PATH_TEXT_MAX);
	int r;

	dir = str_dup(slash ? (struct str){ name, slash > name ? (size_t)(slash - name) : 1 }
			    : STR_LIT("."));
	if (!dir)
		return -ENOMEM;
	r = plan_resolve(facts, dir, &real);
	if (r == 0)
		r = buf_printf(&b, "%s/%s", strcmp(real, "/") == 0 ? "" : real, last);
	if (r < 0)
		return r;
	*ret = str_dup(buf_str(&b));
	return *ret ? 0 : -ENOMEM;
}

static const struct want *writable_tree(const struct wants *ws, const char *path)
{
	for (size_t i = 0; i < ws->n; i++)
		if (ws->w[i].mode == MOUNT_WRITE && path_within(path, ws->w[i].source))
			return &ws->w[i];
	return NULL;
}

static int guard_one(struct wants *ws, const struct plan_facts *facts, const char *name,
		     struct err *e)
{
	_cleanup_(free_ptr) char *real = NULL, *stands = NULL, *target = NULL;
	_cleanup_(buf_done) struct buf b = BUF_INIT(2 * PATH_TEXT_MAX);
	const struct want *tree;
	int r = plan_resolve(facts, name, &real);

	if (r == 0)
		r = resolve_name(facts, name, &stands);
	if (r != 0)
		return err_sys(e, r, "policy file %s", name);
	if (strcmp(real, stands) != 0 && writable_tree(ws, stands))
		return err_set(e, -EINVAL,
			       "policy file %s is a symbolic link in a directory that the program "
			       "may write, so it could be made to lead elsewhere; name %s instead",
			       name, real);
	tree = writable_tree(ws, real);
	if (!tree)
		return 0;
	r = buf_printf(&b, "%s%s", tree->target, real + strlen(tree->source));
	target = r == 0 ? str_dup(buf_str(&b)) : NULL;
	if (!target)
		return err_set(e, -ENOMEM, "out of memory");
	ws->w[ws->n++] = (struct want){ .mode = MOUNT_READ,
					.source = TAKE_PTR(real),
					.target = TAKE_PTR(target),
					.origin = { name, 0, SOURCE_COMMAND } };
	return 0;
}

int guard_policy_files(struct wants *ws, const struct policy *pol, const struct plan_facts *facts,
		       struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < pol->nfiles; i++)
		if (is_file(pol->files[i]))
			r = guard_one(ws, facts, pol->files[i], e);
	return r;
}
