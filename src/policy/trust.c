/* SPDX-License-Identifier: Apache-2.0 */
/* trust - see trust.h.  Pure; launcher and CLI; the store is the user's own file. */
#include "policy/trust.h"

#include <errno.h>

/* "hex path" -> its parts. */
static bool split(struct str line, struct str *hex, struct str *path)
{
	if (line.len < HASH_HEX_LEN + 2 || line.p[HASH_HEX_LEN] != ' ' ||
	    line.p[HASH_HEX_LEN + 1] != '/')
		return false;
	*hex = (struct str){ line.p, HASH_HEX_LEN };
	*path = (struct str){ line.p + HASH_HEX_LEN + 1, line.len - HASH_HEX_LEN - 1 };
	for (size_t i = 0; i < hex->len; i++)
		if (!memchr("0123456789abcdef", hex->p[i], 16))
			return false;
	return !memchr(path->p, '\0', path->len);
}

int trust_check(struct str store, const char *name, struct err *e)
{
	struct str rest = store, line, hex, path;
	unsigned n = 0;

	while (str_next(&rest, '\n', &line)) {
		n++;
		if (line.len && !split(line, &hex, &path))
			return err_set(e, -EINVAL, "%s:%u: not a line of the trust store", name, n);
	}
	return 0;
}

bool trust_has(struct str store, const char *hex, const char *path)
{
	struct str rest = store, line, h, p;

	while (str_next(&rest, '\n', &line))
		if (split(line, &h, &p) && str_eq(h, str_from(hex)) && str_eq(p, str_from(path)))
			return true;
	return false;
}

int trust_update(struct str store, const char *hex, const char *path, struct buf *out)
{
	struct str rest = store, line, h, p;
	int err = 0;

	if (path[0] != '/' || strchr(path, '\n'))
		return -EINVAL;
	while (err == 0 && str_next(&rest, '\n', &line))
		if (split(line, &h, &p) && !str_eq(p, str_from(path)))
			err = buf_printf(out, "%.*s\n", STR_FMT(line));
	if (err == 0 && hex)
		err = buf_printf(out, "%s %s\n", hex, path);
	return err;
}
