/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_path - the one reading of a path (RFC 3986 6.2.2, 5.2.4).  Called by front before it asks
 * for a decision, and what it writes is what the upstream is sent; input is hostile.
 *
 * Whatever servers are known to read in two ways is refused rather than repaired.
 */
#include "net/http1_bytes.h"

#include <errno.h>

static bool hex_pair(const char *p, const char *end)
{
	return end - p >= 2 && http1_is(p[0], HTTP1_HEX) && http1_is(p[1], HTTP1_HEX);
}

/* One "%xx" whose digits are at p: appends the decoded byte when it is unreserved, the triplet in
 * upper case otherwise. */
static int put_escape(const char *p, const char *end, char *out, size_t *o)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned v;

	if (!hex_pair(p, end))
		return -EINVAL;
	v = http1_hex(p[0]) << 4 | http1_hex(p[1]);
	if (v < 0x20 || v == 0x7f || v == '/' || v == '\\')
		return -EINVAL;
	if (http1_is((char)v, HTTP1_UNRESERVED)) {
		out[(*o)++] = (char)v;
		return 0;
	}
	out[(*o)++] = '%';
	out[(*o)++] = digits[v >> 4];
	out[(*o)++] = digits[v & 15];
	return 0;
}

/* One segment, up to a slash or the end. */
static int put_segment(const char **p, const char *end, char *out, size_t *o)
{
	while (*p < end && **p != '/') {
		char b = *(*p)++;

		if (!http1_is(b, HTTP1_TARGET) || b == '\\' || b == ';' || b == '?')
			return -EINVAL;
		if (b != '%') {
			out[(*o)++] = b;
			continue;
		}
		if (put_escape(*p, end, out, o) < 0)
			return -EINVAL;
		*p += 2;
	}
	return 0;
}

/* "%25" and two hex digits: looked for in what was written, where decoding may have made it. */
static bool encoded_twice(const char *p, const char *end)
{
	for (; end - p >= 5; p++)
		if (p[0] == '%' && p[1] == '2' && p[2] == '5' && hex_pair(p + 3, end))
			return true;
	return false;
}

/* Where the segment before `start` begins; the root stays. */
static size_t parent(const char *out, size_t start)
{
	if (start > 1)
		start--;
	while (start > 1 && out[start - 1] != '/')
		start--;
	return start;
}

int http1_path_normalize(struct str path, char out[static HTTP1_TARGET_MAX], struct str *ret)
{
	const char *p = path.p, *end = path.p + path.len;
	size_t o = 0;

	if (path.len == 0 || path.len > HTTP1_TARGET_MAX)
		return -EINVAL;
	if (str_eq(path, STR_LIT("*"))) {
		out[0] = '*';
		*ret = (struct str){ out, 1 };
		return 0;
	}
	if (*p != '/')
		return -EINVAL;
	out[o++] = *p++;
	while (p < end) {
		size_t start = o;
		struct str segment;

		if (*p == '/')
			return -EINVAL; /* an empty segment */
		if (put_segment(&p, end, out, &o) < 0 || encoded_twice(out + start, out + o))
			return -EINVAL;
		segment = (struct str){ out + start, o - start };
		if (str_eq(segment, STR_LIT(".")))
			o = start;
		else if (str_eq(segment, STR_LIT("..")))
			o = parent(out, start);
		else if (p < end)
			out[o++] = '/';
		if (p < end)
			p++; /* the slash */
	}
	*ret = (struct str){ out, o };
	return 0;
}
