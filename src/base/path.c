/* SPDX-License-Identifier: Apache-2.0 */
/* path - see path.h.  Pure; launcher; text comes from policy files, which may be hostile. */
#include "base/path.h"

#include <errno.h>

static bool clean(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

int path_normalise(struct str s, char ret[static PATH_TEXT_MAX])
{
	struct str rest = s, part;
	size_t n = 0;
	bool first = true;

	if (s.len == 0 || !clean(s))
		return -EINVAL;
	if (s.len >= PATH_TEXT_MAX)
		return -ENAMETOOLONG;
	while (str_next(&rest, '/', &part)) {
		bool dot = str_eq(part, STR_LIT("."));

		if (str_eq(part, STR_LIT("..")))
			return -EINVAL;
		if (first && !dot && part.len && !str_eq(part, STR_LIT("~")))
			return -EINVAL;
		if (first && part.len) {
			ret[n++] = part.p[0];
		} else if (part.len && !dot) {
			ret[n++] = '/';
			memcpy(ret + n, part.p, part.len);
			n += part.len;
		}
		first = false;
	}
	if (n == 0)
		ret[n++] = '/';
	ret[n] = '\0';
	return 0;
}

int path_join(struct str dir, struct str name, char ret[static PATH_TEXT_MAX])
{
	size_t n;

	while (dir.len && dir.p[dir.len - 1] == '/')
		dir.len--;
	while (name.len && name.p[0] == '/')
		name = (struct str){ name.p + 1, name.len - 1 };
	n = dir.len + 1 + name.len;
	if (n >= PATH_TEXT_MAX)
		return -ENAMETOOLONG;
	if (dir.len)
		memcpy(ret, dir.p, dir.len);
	ret[dir.len] = '/';
	if (name.len)
		memcpy(ret + dir.len + 1, name.p, name.len);
	ret[n] = '\0';
	return 0;
}

bool path_is_under(struct str path, struct str dir)
{
	if (str_eq(dir, STR_LIT("/")))
		return path.len > 0 && path.p[0] == '/';
	return str_has_prefix(path, dir) && (path.len == dir.len || path.p[dir.len] == '/');
}
