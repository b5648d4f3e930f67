/* SPDX-License-Identifier: Apache-2.0 */
/* read_filesystem - the sections workspace, filesystem and sockets.  Pure; launcher and CLI; the
 * file may be hostile. */
#include "policy/schema.h"

#include "base/own.h"
#include "base/path.h"

#include <errno.h>

/* A path of the policy: absolute, below "~/" or below "./"; no globs in this version. */
static int read_path(struct reader *r, const struct node *n, char **ret)
{
	char path[PATH_TEXT_MAX];
	char *text;
	int err = schema_text(r, n, &text);

	if (err < 0)
		return err;
	if (strpbrk(text, "*?["))
		return schema_error(r, n->line,
				    "patterns in paths are not yet supported by this "
				    "version: '%.80s'",
				    text);
	if (path_normalise(n->text, path) < 0)
		return schema_error(
		    r, n->line, "path '%.80s' must start with '/', '~/' or './' and hold no '..'",
		    text);
	*ret = arena_str(r->arena, str_from(path));
	return *ret ? 0 : schema_oom(r);
}

static int read_workspace_path(struct reader *r, const struct node *n, void *target)
{
	struct policy_layer *l = target;
	int err = read_path(r, n, &l->workspace);

	return err < 0 ? err : schema_set(r, n, SETTING_WORKSPACE_PATH, 0);
}

static int read_workspace_mode(struct reader *r, const struct node *n, void *target)
{
	static const char *const words[] = {
		[WORKSPACE_RANK_NONE] = "none",
		[WORKSPACE_RANK_RO] = "ro",
		[WORKSPACE_RANK_RW] = "rw",
	};
	size_t which;
	int err;

	(void)target;
	if (str_eq(n->text, STR_LIT("review")) || str_eq(n->text, STR_LIT("copy")))
		return schema_error(r, n->line,
				    "workspace mode '%s' is not yet supported by this version",
				    n->text.p);
	err = schema_word(r, n, words, ARRAY_LEN(words), &which);
	return err < 0 ? err : schema_set(r, n, SETTING_WORKSPACE_MODE, which);
}

int read_workspace(struct reader *r, const struct node *n, void *target)
{
	static const struct field fields[] = {
		{ "path", FIELD_SCALAR, read_workspace_path },
		{ "mode", FIELD_SCALAR, read_workspace_mode },
		{ "exclude", FIELD_LATER, NULL },
	};

	return schema_map(r, n, "workspace", fields, ARRAY_LEN(fields), target);
}

static int add_mount(struct reader *r, const struct node *n, enum mount_mode mode)
{
	struct policy_layer *l = r->layer;
	void *items = l->mounts;
	struct policy_mount *m;
	char *path;
	int err = read_path(r, n, &path);

	if (err < 0)
		return err;
	if (l->nmounts >= POLICY_MOUNTS_MAX)
		return err_set(r->e, -E2BIG, "%s:%u: more than %u paths", r->name, n->line,
			       POLICY_MOUNTS_MAX);
	for (size_t i = 0; i < l->nmounts; i++)
		if (strcmp(l->mounts[i].path, path) == 0)
			return schema_error(r, n->line, "path '%.80s' is listed twice (line %u)",
					    path, l->mounts[i].origin.line);
	m = schema_push(r, &items, &l->nmounts, sizeof *m);
	if (!m)
		return -ENOMEM;
	l->mounts = items;
	m->mode = mode;
	m->path = path;
	m->optional = l->source == SOURCE_PROFILE;
	m->origin = schema_origin(r, n);
	return 0;
}

static int add_read(struct reader *r, const struct node *n, void *target)
{
	(void)target;
	return add_mount(r, n, MOUNT_READ);
}

static int add_write(struct reader *r, const struct node *n, void *target)
{
	(void)target;
	return add_mount(r, n, MOUNT_WRITE);
}

static int add_hide(struct reader *r, const struct node *n, void *target)
{
	(void)target;
	return add_mount(r, n, MOUNT_HIDE);
}

static int read_reads(struct reader *r, const struct node *n, void *target)
{
	return schema_list(r, n, POLICY_MOUNTS_MAX, false, add_read, target);
}

static int read_writes(struct reader *r, const struct node *n, void *target)
{
	return schema_list(r, n, POLICY_MOUNTS_MAX, false, add_write, target);
}

static int read_hides(struct reader *r, const struct node *n, void *target)
{
	return schema_list(r, n, POLICY_MOUNTS_MAX, false, add_hide, target);
}

int read_filesystem(struct reader *r, const struct node *n, void *target)
{
	static const struct field fields[] = {
		{ "read", FIELD_LIST, read_reads },
		{ "write", FIELD_LIST, read_writes },
		{ "hide", FIELD_LIST, read_hides },
	};

	return schema_map(r, n, "filesystem", fields, ARRAY_LEN(fields), target);
}

static int add_socket(struct reader *r, const struct node *n, void *target)
{
	struct policy_layer *l = target;
	void *items = l->unix_sockets;
	struct layer_name *s;
	char *path;
	int err = read_path(r, n, &path);

	if (err < 0)
		return err;
	if (path[0] != '/' && path[0] != '~')
		return schema_error(r, n->line, "a socket's path must start with '/' or '~/'");
	s = schema_push(r, &items, &l->nunix_sockets, sizeof *s);
	if (!s)
		return -ENOMEM;
	l->unix_sockets = items;
	*s = (struct layer_name){ path, n->line };
	return 0;
}

static int read_unix(struct reader *r, const struct node *n, void *target)
{
	return schema_list(r, n, POLICY_LIST_MAX, false, add_socket, target);
}

int read_sockets(struct reader *r, const struct node *n, void *target)
{
	static const struct field fields[] = {
		{ "unix", FIELD_LIST, read_unix },
	};

	return schema_map(r, n, "sockets", fields, ARRAY_LEN(fields), target);
}
