/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str - a slice of bytes that somebody else owns.
 *
 * Strings from outside always travel as slices: they carry their length, so a NUL in them is a
 * byte like any other and can be refused by name.  A slice is valid as long as its owner is.
 */
#ifndef STOCKADE_BASE_STR_H
#define STOCKADE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
	const char *p; /* not NUL-terminated; NULL only when len is 0 */
	size_t len;
};

#define STR_NONE ((struct str){ 0 })
#define STR_LIT(s) ((struct str){ "" s, sizeof(s) - 1 })
#define STR_FMT(s) (int)(s).len, ((s).p ? (s).p : "") /* for "%.*s" */

static inline struct str str_from(const char *s)
{
	return (struct str){ s, s ? strlen(s) : 0 };
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* ASCII; never the locale's. */
static inline char str_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* ASCII case folded. */
bool str_ieq(struct str a, struct str b);
bool str_has_prefix(struct str s, struct str prefix);
bool str_has_suffix(struct str s, struct str suffix);
/* Index of the first `c`, or s.len when there is none. */
size_t str_index(struct str s, char c);
/* Without leading and trailing spaces and tabs (RFC 9110 OWS). */
struct str str_trim(struct str s);
/* Takes what stands before the next `sep` off `*rest`; false when nothing is left. */
bool str_next(struct str *rest, char sep, struct str *ret_part);
/* True when every byte is printable ASCII (0x20..0x7e). */
bool str_printable(struct str s);
/* A NUL-terminated copy on the heap, NULL without memory. */
char *str_dup(struct str s);

#endif
