/* SPDX-License-Identifier: Apache-2.0 */
/* The one reading of a path; attack row N30. */
#include "net/http1.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	struct str in;
	const char *out; /* NULL: refused */
} rows[] = {
	{ STR_LIT(""), NULL },
	{ STR_LIT("a"), NULL },
	{ STR_LIT("%2f"), NULL },
	{ STR_LIT("**"), NULL },
	{ STR_LIT("//"), NULL },
	{ STR_LIT("/a//b"), NULL },
	{ STR_LIT("/a//"), NULL },
	{ STR_LIT("/.//a"), NULL },
	{ STR_LIT("/a/..//b"), NULL },
	{ STR_LIT("/a%2fb"), NULL },
	{ STR_LIT("/a%2Fb"), NULL },
	{ STR_LIT("/..%2f"), NULL },
	{ STR_LIT("/a%5cb"), NULL },
	{ STR_LIT("/a\\b"), NULL },
	{ STR_LIT("/..\\b"), NULL },
	{ STR_LIT("/%252e"), NULL },
	{ STR_LIT("/%252e%252e/"), NULL },
	{ STR_LIT("/%25%32%65"), NULL },
	{ STR_LIT("/%2525"), NULL },
	{ STR_LIT("/a;v=1"), NULL },
	{ STR_LIT("/..;/b"), NULL },
	{ STR_LIT("/a%00"), NULL },
	{ STR_LIT("/a\0b"), NULL },
	{ STR_LIT("/a%0d%0a"), NULL },
	{ STR_LIT("/a%1f"), NULL },
	{ STR_LIT("/a%7f"), NULL },
	{ STR_LIT("/a\x7f"), NULL },
	{ STR_LIT("/a b"), NULL },
	{ STR_LIT("/a\x80"), NULL },
	{ STR_LIT("/a?b"), NULL },
	{ STR_LIT("/a#b"), NULL },
	{ STR_LIT("/%"), NULL },
	{ STR_LIT("/%2"), NULL },
	{ STR_LIT("/%2g"), NULL },
	{ STR_LIT("/%g2"), NULL },
	{ STR_LIT("/%%32"), NULL },
	{ STR_LIT("/%u002e"), NULL },
	{ STR_LIT("*"), "*" },
	{ STR_LIT("/"), "/" },
	{ STR_LIT("/a"), "/a" },
	{ STR_LIT("/a/"), "/a/" },
	{ STR_LIT("/."), "/" },
	{ STR_LIT("/./"), "/" },
	{ STR_LIT("/.."), "/" },
	{ STR_LIT("/../"), "/" },
	{ STR_LIT("/../../a"), "/a" },
	{ STR_LIT("/a/."), "/a/" },
	{ STR_LIT("/a/./b"), "/a/b" },
	{ STR_LIT("/a/.."), "/" },
	{ STR_LIT("/a/b/.."), "/a/" },
	{ STR_LIT("/a/b/../c"), "/a/c" },
	{ STR_LIT("/a/b/../../c"), "/c" },
	{ STR_LIT("/repos/me/../evil"), "/repos/evil" },
	{ STR_LIT("/repos/me/%2e%2e/evil"), "/repos/evil" },
	{ STR_LIT("/repos/me/.%2E/evil"), "/repos/evil" },
	{ STR_LIT("/%2e/a"), "/a" },
	{ STR_LIT("/..."), "/..." },
	{ STR_LIT("/.a/..b"), "/.a/..b" },
	{ STR_LIT("/%41%7a%2d%7E"), "/Az-~" },
	{ STR_LIT("/%c3%a9%20%3b"), "/%C3%A9%20%3B" },
	{ STR_LIT("/100%25"), "/100%25" },
	{ STR_LIT("/100%25x"), "/100%25x" },
	{ STR_LIT("/100%25/41"), "/100%25/41" },
	{ STR_LIT("/a:b@c!$&'()*+,=~_-."), "/a:b@c!$&'()*+,=~_-." },
	{ STR_LIT("/{a}|^`<>\"[]"), "/{a}|^`<>\"[]" },
};

static void test_rows(void **state)
{
	char out[HTTP1_TARGET_MAX], again[HTTP1_TARGET_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str ret = STR_LIT("untouched"), second;
		int r = http1_path_normalize(rows[i].in, out, &ret);

		if (!rows[i].out) {
			if (r >= 0 || ret.len != 9)
				fail_msg("\"%.*s\": expected a refusal, got %.*s",
					 STR_FMT(rows[i].in), STR_FMT(ret));
			continue;
		}
		if (r != 0 || !str_eq(ret, str_from(rows[i].out)))
			fail_msg("\"%.*s\": expected %s, got %d %.*s", STR_FMT(rows[i].in),
				 rows[i].out, r, STR_FMT(ret));
		/* What was normalised stays as it is. */
		assert_int_equal(http1_path_normalize(ret, again, &second), 0);
		assert_true(str_eq(ret, second));
	}
}

static void test_length(void **state)
{
	static char path[HTTP1_TARGET_MAX + 1], out[HTTP1_TARGET_MAX];
	struct str ret;

	(void)state;
	memset(path, 'a', sizeof path);
	path[0] = '/';
	assert_int_equal(http1_path_normalize((struct str){ path, HTTP1_TARGET_MAX }, out, &ret),
			 0);
	assert_int_equal(ret.len, HTTP1_TARGET_MAX);
	assert_true(http1_path_normalize((struct str){ path, sizeof path }, out, &ret) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
