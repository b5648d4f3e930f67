/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path - paths as text, for the planner.  Pure; runs in launch.  The text comes from policy files:
 * whoever wrote one may want to be read in two ways, so ".." is refused rather than resolved.
 */
#include "fs/parts.h"

#include "base/own.h"

#include <errno.h>

/* Appends the components of `path`, each with a '/' before it. */
static int add_components(struct buf *b, struct str path)
{
	struct str part;

	while (str_next(&path, '/', &part)) {
		int r;

		if (part.len == 0 || str_eq(part, STR_LIT(".")))
			continue;
		if (str_eq(part, STR_LIT("..")))
			return -EINVAL;
		for (size_t i = 0; i < part.len; i++)
			if ((unsigned char)part.p[i] < 0x20 || part.p[i] == 0x7f)
				return -EINVAL;
		r = buf_append_c(b, '/');
		if (r == 0)
			r = buf_append_str(b, part);
		if (r < 0)
			return r;
	}
	return 0;
}

int path_expand(const char *path, const char *home, const char *cwd, char **ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(PLAN_PATH_MAX - 1);
	struct str s = str_from(path);
	int r = 0;

	if (s.len == 0)
		return -EINVAL;
	if (str_eq(s, STR_LIT("~")) || str_has_prefix(s, STR_LIT("~/"))) {
		r = add_components(&b, str_from(home));
		s.p++;
		s.len--;
	} else if (str_eq(s, STR_LIT(".")) || str_has_prefix(s, STR_LIT("./"))) {
		r = add_components(&b, str_from(cwd));
	} else if (s.p[0] != '/') {
		return -EINVAL;
	}
	if (r == 0)
		r = add_components(&b, s);
	if (r == 0 && buf_len(&b) == 0)
		r = buf_append_c(&b, '/');
	if (r < 0)
		return r == -ENOBUFS ? -ENAMETOOLONG : r;
	*ret = str_dup(buf_str(&b));
	return *ret ? 0 : -ENOMEM;
}

bool path_within(const char *path, const char *root)
{
	size_t n = strlen(root);

	if (strcmp(root, "/") == 0)
		return path[0] == '/';
	return strncmp(path, root, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

bool path_in_list(const char *path, const char *const *list, bool trees)
{
	for (; *list; list++)
		if (trees ? path_within(path, *list) : strcmp(path, *list) == 0)
			return true;
	return false;
}

int path_compare(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	/* '/' sorts before every other byte, so that "/a/b" comes before "/a.b". */
	if (*a == '\0' || *b == '\0')
		return *a == '\0' ? -1 : 1;
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}
