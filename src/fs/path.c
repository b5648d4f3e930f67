/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path - paths as text, for the planner.  Pure; runs in launch.  The text comes from policy files:
 * whoever wrote one may want to be read in two ways, so ".." is refused rather than resolved.
 */
#include "fs/parts.h"

#include <errno.h>

int path_expand(const char *path, const char *home, const char *cwd, char **ret)
{
	char text[PATH_TEXT_MAX], base[PATH_TEXT_MAX], whole[PATH_TEXT_MAX];
	int r = path_normalise(str_from(path), text);

	if (r == 0 && text[0] != '/') {
		r = path_normalise(str_from(text[0] == '~' ? home : cwd), base);
		if (r == 0 && base[0] != '/')
			r = -EINVAL;
		if (r == 0)
			r = path_join(str_from(base), str_from(text + 1), whole);
		if (r == 0) /* "~" alone left a slash at the end */
			r = path_normalise(str_from(whole), text);
	}
	if (r < 0)
		return r;
	*ret = str_dup(str_from(text));
	return *ret ? 0 : -ENOMEM;
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
