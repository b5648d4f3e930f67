/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glob - patterns for slash-separated paths.
 *
 * '?' is one byte that is no slash, '*' any number of them, '**' any bytes at all, and a "**" that
 * stands alone between slashes may also stand for no directory: "/a/" "**" "/b" matches "/a/b".
 * Everything else is itself.  Time is bounded by pattern length times path length.
 */
#ifndef STOCKADE_BASE_GLOB_H
#define STOCKADE_BASE_GLOB_H

#include "base/str.h"

/* Longer patterns are refused: matching a 2 KB path then stays below a millisecond. */
#define GLOB_MAX 512

/* -EINVAL: empty, too long, "***", a backslash or a control byte. */
int glob_check(struct str pattern);
/* False for a pattern that glob_check() refuses. */
bool glob_match(struct str pattern, struct str path);
bool glob_is_literal(struct str pattern);

#endif
