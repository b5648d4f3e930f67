/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glob - see glob.h.  Pure; every process; the path is hostile, the pattern is policy.
 *
 * All places in the pattern that the bytes so far can have led to are followed at once, so that no
 * path makes it try again: backtracking over "**" takes cubic time on a path made for it.
 */
#include "base/glob.h"

#include <errno.h>

int glob_check(struct str pattern)
{
	if (pattern.len == 0 || pattern.len > GLOB_MAX)
		return -EINVAL;
	for (size_t i = 0; i < pattern.len; i++)
		if ((unsigned char)pattern.p[i] < 0x20 || pattern.p[i] == 0x7f ||
		    pattern.p[i] == '\\' ||
		    (i >= 2 && pattern.p[i] == '*' && pattern.p[i - 1] == '*' &&
		     pattern.p[i - 2] == '*'))
			return -EINVAL;
	return 0;
}

bool glob_is_literal(struct str pattern)
{
	return str_index(pattern, '*') == pattern.len && str_index(pattern, '?') == pattern.len;
}

/* Two bytes "**" at j. */
static bool deep(struct str p, size_t j)
{
	return j + 1 < p.len && p.p[j] == '*' && p.p[j + 1] == '*';
}

/* Adds place j and those reached from it without a byte of path. */
static void reach(struct str p, bool *set, size_t j)
{
	while (!set[j]) {
		set[j] = true;
		if (j >= p.len || p.p[j] != '*')
			return;
		if (!deep(p, j)) {
			j++;
			continue;
		}
		/* At most one more level: the place after "**" + "/" is followed by its own bytes.
		 */
		if (j + 2 < p.len && p.p[j + 2] == '/' && (j == 0 || p.p[j - 1] == '/'))
			reach(p, set, j + 3);
		j += 2;
	}
}

/* Places entered by a byte first; then stars that take one more.  A "**" that has taken a byte
 * stands for something, so the way round it for "no directory" is open only on entry. */
static void step(struct str p, const bool *now, bool *next, char c)
{
	for (size_t j = 0; j < p.len; j++)
		if (now[j] && p.p[j] != '*' && (p.p[j] == c || (p.p[j] == '?' && c != '/')))
			reach(p, next, j + 1);
	for (size_t j = 0; j < p.len; j++) {
		if (!now[j] || p.p[j] != '*' || (c == '/' && !deep(p, j)))
			continue;
		next[j] = true;
		next[j + (deep(p, j) ? 2 : 1)] = true; /* no star: glob_check() refuses "***" */
	}
}

bool glob_match(struct str pattern, struct str path)
{
	bool sets[2][GLOB_MAX + 1] = { 0 };
	unsigned at = 0;

	if (glob_check(pattern) < 0)
		return false;
	reach(pattern, sets[0], 0);
	for (size_t i = 0; i < path.len; i++) {
		memset(sets[at ^ 1], 0, pattern.len + 1);
		step(pattern, sets[at], sets[at ^ 1], path.p[i]);
		at ^= 1;
	}
	return sets[at][pattern.len];
}
