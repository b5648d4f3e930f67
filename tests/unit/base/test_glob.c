/* SPDX-License-Identifier: Apache-2.0 */
/* Path patterns: '*' stops at slashes, '**' does not, and no path makes matching slow. */
#include "base/glob.h"

#include "base/own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

static void matches(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool yes;
	} rows[] = {
		{ "/a", "/a", true },
		{ "/a", "/ab", false },
		{ "/a", "/A", false },
		{ "/a", "/", false },
		{ "/a", "", false },
		{ "/*", "/abc", true },
		{ "/*", "/", true },
		{ "/*", "/a/b", false },
		{ "/*/b", "/a/b", true },
		{ "/*/b", "/a/c/b", false },
		{ "/a*c", "/abbbc", true },
		{ "/a*c", "/ab/c", false },
		{ "/a*b*c", "/aXbYbZc", true },
		{ "/**", "/", true },
		{ "/**", "/a/b/c", true },
		{ "/**", "a", false },
		{ "/a/**", "/a/b/c", true },
		{ "/a/**", "/a/", true },
		{ "/a/**", "/a", false },
		{ "/a/**", "/ab/c", false },
		{ "/a/**/z", "/a/z", true },
		{ "/a/**/z", "/a/b/z", true },
		{ "/a/**/z", "/a/b/c/z", true },
		{ "/a/**/z", "/az", false },
		{ "/a/**/z", "/a/bz", false },
		{ "**/z", "z", true },
		{ "**/z", "a/b/z", true },
		{ "**/z", "az", false },
		{ "/a**z", "/a/b/z", true },
		{ "/a?c", "/abc", true },
		{ "/a?c", "/a/c", false },
		{ "/a?c", "/ac", false },
		{ "/?", "/", false },
		{ "/a/*.js", "/a/x.js", true },
		{ "/a/*.js", "/a/x/y.js", false },
		{ "/**/*.js", "/x.js", true },
		{ "/**/*.js", "/a/b/x.js", true },
		{ "/**/a/**/b", "/a/b", true },
		{ "/**/a/**/b", "/x/a/y/a/b", true },
		{ "/[a]", "/a", false },
		{ "/[a]", "/[a]", true },
		{ "/{a}", "/{a}", true },
		{ "/repos/acme/**", "/repos/acme/../evil", true }, /* the caller normalises */
		{ "***", "a", false },
		{ "", "", false },
		{ "/a\\*", "/a*", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (glob_match(str_from(rows[i].pattern), str_from(rows[i].path)) != rows[i].yes)
			fail_msg("'%s' on '%s': expected %d", rows[i].pattern, rows[i].path,
				 rows[i].yes);
}

static void checks(void **state)
{
	char longest[GLOB_MAX + 1];

	(void)state;
	memset(longest, 'a', sizeof longest);
	assert_int_equal(glob_check((struct str){ longest, GLOB_MAX }), 0);
	assert_int_equal(glob_check((struct str){ longest, GLOB_MAX + 1 }), -EINVAL);
	assert_int_equal(glob_check(STR_LIT("/a\0b")), -EINVAL);
	assert_int_equal(glob_check(STR_LIT("/a\x7f")), -EINVAL);
	assert_int_equal(glob_check(STR_LIT("/**a**")), 0);
	assert_true(glob_is_literal(STR_LIT("/a/b")));
	assert_false(glob_is_literal(STR_LIT("/a*")));
	assert_false(glob_is_literal(STR_LIT("/a?")));
}

/* Backtracking would not end on these. */
static void stays_fast(void **state)
{
	char pattern[GLOB_MAX], path[2048];
	clock_t start = clock();

	(void)state;
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = "**/"[i % 3];
	memset(path, '/', sizeof path);
	path[sizeof path - 1] = 'x';
	assert_true(glob_match((struct str){ pattern, 509 }, (struct str){ path, 2048 }));
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = "*a"[i % 2];
	memset(path, 'a', sizeof path);
	path[sizeof path - 1] = 'b';
	assert_false(glob_match((struct str){ pattern, GLOB_MAX }, (struct str){ path, 2048 }));
	/* Far above what it takes, far below what backtracking takes. */
	assert_true((clock() - start) / CLOCKS_PER_SEC < 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches),
		cmocka_unit_test(checks),
		cmocka_unit_test(stays_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
