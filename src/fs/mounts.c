/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts - what the policy wants to be seen inside: expanded, resolved, checked against what may
 * never be seen and against itself.  Pure but for facts->resolve; runs in launch, before anything
 * is made.  Everything that is not understood is refused: there is no second guess.
 */
#include "fs/parts.h"
#include "fs/table.h"

#include "base/own.h"

#include <errno.h>
#include <stdio.h>

/* "file:line: " of a policy line, or "workspace: ". */
struct where {
	char text[512];
};

static struct where where(const struct want *w)
{
	struct where t;

	if (w->workspace)
		snprintf(t.text, sizeof t.text, "workspace");
	else if (w->origin.file)
		snprintf(t.text, sizeof t.text, "%s:%u", w->origin.file, w->origin.line);
	else
		snprintf(t.text, sizeof t.text, "policy");
	return t;
}

static const char *mode_name(const struct want *w)
{
	static const char *const names[] = { "read", "write", "hide" };

	return names[w->mode];
}

void wants_done(struct wants *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->w[i].source);
		free(w->w[i].target);
	}
	free(w->w);
	free(w->workspace);
	*w = (struct wants){ 0 };
}

int plan_resolve(const struct plan_facts *facts, const char *path, char **ret)
{
	if (facts->resolve)
		return facts->resolve(facts->arg, path, ret);
	*ret = str_dup(str_from(path));
	return *ret ? 0 : -ENOMEM;
}

/* Is, holds, or lies in one of stockade's own directories. */
static int check_own(const struct want *w, const char *path, const char *own, const char *what,
		     struct err *e)
{
	if (!own || !own[0])
		return 0;
	if (w->mode == MOUNT_HIDE || (!path_within(path, own) && !path_within(own, path)))
		return 0;
	return err_set(e, -EINVAL,
		       "%s: '%s' would show stockade's own %s (%s) inside; choose a directory that "
		       "does not hold it",
		       where(w).text, path, what, own);
}

static int check_place(const struct want *w, const char *path, const char *home, struct err *e)
{
	if (w->mode == MOUNT_HIDE)
		return 0;
	if (path_within(home, path))
		return err_set(e, -EINVAL,
			       "%s: '%s' is %s; name the directory that is needed in it, or go "
			       "there (stockade run --workspace DIR)",
			       where(w).text, path,
			       strcmp(path, "/") == 0	 ? "the whole file system"
			       : strcmp(path, home) == 0 ? "your home directory"
							 : "above your home directory");
	if (path_in_list(path, plan_never_roots, false))
		return err_set(e, -EINVAL,
			       "%s: '%s' is a whole branch of the system; name the directory that "
			       "is needed in it",
			       where(w).text, path);
	if (path_in_list(path, plan_never_trees, true))
		return err_set(
		    e, -EINVAL,
		    "%s: '%s' holds the host's devices, kernel files or sockets, which a "
		    "sandbox never sees (a single socket: 'sockets: {unix: [...]}')",
		    where(w).text, path);
	if (w->mode == MOUNT_WRITE && path_in_list(path, plan_never_write, true) &&
	    !path_in_list(path, plan_write_anyway, true))
		return err_set(e, -EINVAL, "%s: '%s' is a system directory: it is never writable",
			       where(w).text, path);
	return 0;
}

static int check_want(const struct want *w, const struct plan_facts *facts, const char *home,
		      struct err *e)
{
	const char *paths[] = { w->source, w->target };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		int r = check_place(w, paths[i], home, e);

		if (r == 0)
			r = check_own(w, paths[i], facts->state_dir, "state directory", e);
		if (r == 0)
			r = check_own(w, paths[i], facts->config_dir, "configuration", e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Where `path` really is: what of it exists is resolved, the rest follows. A home or a state
 * directory may lie behind a link, and getcwd() names what is behind it. */
static int resolve_deepest(const struct plan_facts *facts, const char *path, char **ret)
{
	_cleanup_(free_ptr) char *head = path ? str_dup(str_from(path)) : NULL;
	_cleanup_(free_ptr) char *real = NULL;
	_cleanup_(buf_done) struct buf b = BUF_INIT(2 * PATH_TEXT_MAX);
	int r = -ENOENT;

	*ret = NULL;
	if (!path || !path[0])
		return 0;
	if (!head)
		return -ENOMEM;
	while ((r = plan_resolve(facts, head, &real)) == -ENOENT && strrchr(head, '/') > head)
		*strrchr(head, '/') = '\0';
	if (r == -ENOENT)
		return 0; /* nothing of it is there: as it is written */
	if (r == 0)
		r = buf_printf(&b, "%s%s", strcmp(real, "/") == 0 ? "" : real, path + strlen(head));
	if (r < 0)
		return r;
	*ret = str_dup(buf_str(&b));
	return *ret ? 0 : -ENOMEM;
}

/* Once more against where the home, the state and the configuration really are. */
static int check_real(const struct wants *ws, const struct plan_facts *facts, const char *home,
		      struct err *e)
{
	_cleanup_(free_ptr) char *real_home = NULL, *state = NULL, *config = NULL;
	struct plan_facts real = *facts;
	int r = resolve_deepest(facts, home, &real_home);

	if (r == 0)
		r = resolve_deepest(facts, facts->state_dir, &state);
	if (r == 0)
		r = resolve_deepest(facts, facts->config_dir, &config);
	if (r < 0)
		return err_sys(e, r == -ENOMEM ? r : -EINVAL,
			       "cannot resolve the home, state or configuration directory (%s)",
			       strerror(-r));
	real.state_dir = state;
	real.config_dir = config;
	for (size_t i = 0; i < ws->n; i++) {
		r = check_want(&ws->w[i], &real, real_home ? real_home : home, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Opening a FIFO waits for whoever has its other end, a socket is a way to a service, a device one
 * to the hardware: none is a file to be granted by the way. */
static int check_node(const struct want *w, const struct plan_facts *facts, struct err *e)
{
	static const char *const why[] = {
		[PLAN_NODE_SOCKET] = "is a socket; 'sockets: {unix: [...]}' grants one",
		[PLAN_NODE_FIFO] = "is a FIFO, and only files and directories can be granted",
		[PLAN_NODE_DEVICE] = "is a device, and only files and directories can be granted",
	};
	int node = w->mode == MOUNT_HIDE || !facts->node ? PLAN_NODE_DIR
							 : facts->node(facts->arg, w->source);

	if (node < 0)
		return err_sys(e, -EINVAL, "%s: cannot look at '%s' (%s)", where(w).text, w->target,
			       strerror(-node));
	if (node != PLAN_NODE_FILE && node != PLAN_NODE_DIR)
		return err_set(e, -EINVAL, "%s: '%s' %s", where(w).text, w->target, why[node]);
	if (w->workspace && node != PLAN_NODE_DIR)
		return err_set(e, -EINVAL, "%s: '%s' is not a directory", where(w).text, w->target);
	return 0;
}

/* 1 taken, 0 skipped (optional and not there). */
static int want_add(struct wants *ws, struct want *w, const char *path,
		    const struct plan_facts *facts, const char *home, struct err *e)
{
	_cleanup_(free_ptr) char *target = NULL;
	_cleanup_(free_ptr) char *source = NULL;
	int r = path_expand(path, home, facts->cwd, &target);

	if (r == -ENOMEM)
		return err_set(e, r, "out of memory");
	if (r < 0)
		return err_set(e, -EINVAL,
			       "%s: '%s' is no path that can be granted: write an absolute one, or "
			       "one that starts with ~/ or ./, without '..'",
			       where(w).text, str_printable(str_from(path)) ? path : "?");
	r = plan_resolve(facts, target, &source);
	if ((r == -ENOENT || r == -ENOTDIR) && (w->optional || w->mode == MOUNT_HIDE))
		return 0;
	if (r < 0)
		return err_sys(e, r == -ENOMEM ? r : -EINVAL, "%s: cannot resolve '%s' (%s)",
			       where(w).text, target, strerror(-r));
	w->source = source;
	w->target = target;
	r = check_want(w, facts, home, e);
	if (r == 0)
		r = check_node(w, facts, e);
	if (r < 0)
		return r;
	ws->w[ws->n] = *w;
	ws->n++;
	source = target = NULL;
	return 1;
}

static int contradiction(const struct want *a, const struct want *b, struct err *e)
{
	if (a->workspace || b->workspace) {
		const struct want *other = a->workspace ? b : a;

		return err_set(e, -EINVAL,
			       "%s: filesystem.%s names '%s', which the workspace's mode (%s) "
			       "contradicts; set workspace.mode instead",
			       where(other).text, mode_name(other), other->target,
			       a->workspace ? mode_name(a) : mode_name(b));
	}
	return err_set(e, -EINVAL, "%s: filesystem.%s '%s' contradicts filesystem.%s '%s' at %s",
		       where(b).text, mode_name(b), b->target, mode_name(a), a->target,
		       where(a).text);
}

static int check_pair(const struct want *a, const struct want *b, struct err *e)
{
	bool same = strcmp(a->target, b->target) == 0 || strcmp(a->source, b->source) == 0;

	if (a->mode == MOUNT_HIDE || b->mode == MOUNT_HIDE) {
		const struct want *hide = a->mode == MOUNT_HIDE ? a : b;
		const struct want *other = hide == a ? b : a;

		if (other->mode != MOUNT_HIDE && (path_within(other->source, hide->source) ||
						  path_within(other->target, hide->target)))
			return contradiction(a, b, e);
	} else if (same && a->mode != b->mode) {
		return contradiction(a, b, e);
	}
	return 0;
}

/* Says what one of the first `kept` says already. */
static bool repeats(const struct wants *ws, size_t kept, const char *target)
{
	for (size_t k = 0; k < kept; k++)
		if (strcmp(ws->w[k].target, target) == 0)
			return true;
	return false;
}

static int check_all(struct wants *ws, struct err *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < ws->n; i++)
		for (size_t k = i + 1; k < ws->n; k++) {
			int r = check_pair(&ws->w[i], &ws->w[k], e);

			if (r < 0)
				return r;
		}
	for (size_t i = 0; i < ws->n; i++) {
		if (repeats(ws, kept, ws->w[i].target)) {
			free(ws->w[i].source);
			free(ws->w[i].target);
			continue;
		}
		ws->w[kept++] = ws->w[i];
	}
	ws->n = kept;
	return 0;
}

/* A path that lies in another mount, and is reached there through a symbolic link, is mounted where
 * the link leads: a mount on the link itself would follow it (CVE-2026-87766). */
static int settle_targets(struct wants *ws, struct err *e)
{
	for (size_t i = 0; i < ws->n; i++) {
		struct want *w = &ws->w[i];

		for (size_t k = 0; k < ws->n && strcmp(w->source, w->target) != 0; k++) {
			char *copy;

			if (k == i || ws->w[k].mode == MOUNT_HIDE ||
			    !path_within(w->target, ws->w[k].target))
				continue;
			/* Whoever writes there chose where the link leads: an earlier agent, say.
			 */
			if (ws->w[k].mode == MOUNT_WRITE && w->mode != MOUNT_HIDE &&
			    !path_within(w->source, ws->w[k].source))
				return err_set(
				    e, -EINVAL,
				    "%s: '%s' leads through a symbolic link to '%s', out "
				    "of a tree that the agent can write; name where it "
				    "leads instead",
				    where(w).text, w->target, w->source);
			copy = str_dup(str_from(w->source));
			if (!copy)
				return err_set(e, -ENOMEM, "out of memory");
			free(w->target);
			w->target = copy;
		}
	}
	return 0;
}

static int add_workspace(struct wants *ws, const struct policy *pol, const struct plan_facts *facts,
			 const char *home, struct err *e)
{
	struct want w = {
		.mode = pol->workspace_mode == WORKSPACE_RW ? MOUNT_WRITE : MOUNT_READ,
		.workspace = true,
	};
	char *target;
	int r;

	if (pol->workspace_mode == WORKSPACE_NONE)
		return 0;
	r = want_add(ws, &w, pol->workspace ? pol->workspace : ".", facts, home, e);
	if (r < 0)
		return r;
	/* The workspace stands at its real path: programs ask getcwd(). */
	target = str_dup(str_from(ws->w[0].source));
	ws->workspace = str_dup(str_from(ws->w[0].source));
	if (!target || !ws->workspace) {
		free(target);
		return err_set(e, -ENOMEM, "out of memory");
	}
	free(ws->w[0].target);
	ws->w[0].target = target;
	return 0;
}

int wants_make(const struct policy *pol, const struct plan_facts *facts, const char *home,
	       struct wants *ret, struct err *e)
{
	_cleanup_(wants_done) struct wants ws = { 0 };
	int r;

	ws.w = calloc(pol->nmounts + pol->nfiles + 1, sizeof *ws.w);
	if (!ws.w)
		return err_set(e, -ENOMEM, "out of memory");
	r = add_workspace(&ws, pol, facts, home, e);
	for (size_t i = 0; r >= 0 && i < pol->nmounts; i++) {
		const struct policy_mount *m = &pol->mounts[i];
		struct want w = { .mode = m->mode, .optional = m->optional, .origin = m->origin };

		r = want_add(&ws, &w, m->path, facts, home, e);
	}
	if (r >= 0)
		r = check_real(&ws, facts, home, e);
	if (r >= 0)
		r = guard_policy_files(&ws, pol, facts, e);
	if (r >= 0)
		r = check_all(&ws, e);
	if (r >= 0)
		r = settle_targets(&ws, e);
	if (r < 0)
		return r;
	*ret = ws;
	ws = (struct wants){ 0 };
	return 0;
}
