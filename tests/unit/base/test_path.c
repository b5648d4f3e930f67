/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as text: normalised, joined, compared; what cannot be known without a disk is refused. */
#include "base/path.h"

#include "base/own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void normalises(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "/", "/" },		{ "//", "/" },	     { "/.", "/" },
		{ "/a", "/a" },		{ "/a/", "/a" },     { "//a///b/", "/a/b" },
		{ "/a/./b/.", "/a/b" }, { "~", "~" },	     { "~/", "~" },
		{ "~/a//b", "~/a/b" },	{ ".", "." },	     { "./", "." },
		{ "./a/./b", "./a/b" }, { "/..a", "/..a" },  { "/a/...", "/a/..." },
		{ "/~", "/~" },		{ "", NULL },	     { "a", NULL },
		{ "a/b", NULL },	{ "..", NULL },	     { "/..", NULL },
		{ "/a/../b", NULL },	{ "./..", NULL },    { "~/..", NULL },
		{ "~user", NULL },	{ "~user/x", NULL }, { ".a", NULL },
		{ "/a\nb", NULL },	{ "/a\x7f", NULL },  { "/\x1b[0m", NULL },
	};
	char out[PATH_TEXT_MAX], longest[PATH_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r = path_normalise(str_from(rows[i].in), out);

		if ((r == 0) != (rows[i].out != NULL))
			fail_msg("'%s': got %d", rows[i].in, r);
		if (r == 0 && strcmp(out, rows[i].out) != 0)
			fail_msg("'%s': got '%s', expected '%s'", rows[i].in, out, rows[i].out);
	}
	assert_int_equal(path_normalise(STR_LIT("/a\0b"), out), -EINVAL);
	memset(longest, 'a', sizeof longest);
	longest[0] = '/';
	assert_int_equal(path_normalise((struct str){ longest, PATH_TEXT_MAX - 1 }, out), 0);
	assert_int_equal(strlen(out), PATH_TEXT_MAX - 1);
	assert_int_equal(path_normalise((struct str){ longest, PATH_TEXT_MAX }, out),
			 -ENAMETOOLONG);
	assert_int_equal(path_join((struct str){ longest, PATH_TEXT_MAX - 3 }, STR_LIT("b"), out),
			 0);
	assert_int_equal(path_join((struct str){ longest, PATH_TEXT_MAX - 2 }, STR_LIT("b"), out),
			 -ENAMETOOLONG);
}

static void joins(void **state)
{
	static const char *const rows[][3] = {
		{ "/a", "b", "/a/b" }, { "/a/", "/b", "/a/b" }, { "/", "b", "/b" },
		{ "", "b", "/b" },     { "/a", "", "/a/" },
	};
	char out[PATH_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(path_join(str_from(rows[i][0]), str_from(rows[i][1]), out), 0);
		assert_string_equal(out, rows[i][2]);
	}
}

static void is_under(void **state)
{
	static const struct {
		const char *path, *dir;
		bool yes;
	} rows[] = {
		{ "/a/b", "/a", true },	 { "/a", "/a", true },	  { "/ab", "/a", false },
		{ "/a", "/a/b", false }, { "/a", "/", true },	  { "~/x", "/", false },
		{ "~/x", "~", true },	 { "./x", ".", true },	  { "./x", "~", false },
		{ "/", "/", true },	 { "/a/b", "/b", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (path_is_under(str_from(rows[i].path), str_from(rows[i].dir)) != rows[i].yes)
			fail_msg("'%s' under '%s': expected %d", rows[i].path, rows[i].dir,
				 rows[i].yes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normalises),
		cmocka_unit_test(joins),
		cmocka_unit_test(is_under),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
