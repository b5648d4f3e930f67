/* SPDX-License-Identifier: Apache-2.0 */
/* Slices: NUL is a byte like any other, and the empty slice has no special case. */
#include "base/str.h"

#include "base/own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_compare(void **state)
{
	static const struct {
		const char *a, *b;
		bool eq, ieq, prefix, suffix; /* a begins, ends with b */
	} rows[] = {
		{ "", "", true, true, true, true },
		{ "a", "", false, false, true, true },
		{ "", "a", false, false, false, false },
		{ "Host", "host", false, true, false, false },
		{ "a.test", "test", false, false, false, true },
		{ "a.test", "a.", false, false, true, false },
		{ "[", "{", false, false, false, false }, /* 0x20 apart, and no letters */
		{ "\xc3\x84", "\xc3\xa4", false, false, false, false }, /* ASCII only */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str a = str_from(rows[i].a), b = str_from(rows[i].b);

		assert_int_equal(str_eq(a, b), rows[i].eq);
		assert_int_equal(str_ieq(a, b), rows[i].ieq);
		assert_int_equal(str_has_prefix(a, b), rows[i].prefix);
		assert_int_equal(str_has_suffix(a, b), rows[i].suffix);
	}
	assert_false(str_eq(STR_LIT("a\0b"), STR_LIT("a\0c")));
	assert_true(str_eq(STR_NONE, str_from(NULL)));
}

static void test_next(void **state)
{
	static const struct {
		const char *text;
		const char *parts[5];
	} rows[] = {
		{ "", { "" } },
		{ "a", { "a" } },
		{ ",", { "", "" } },
		{ "a,b", { "a", "b" } },
		{ ",a,,b,", { "", "a", "", "b", "" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str rest = str_from(rows[i].text), part;
		size_t n = 0;

		for (; str_next(&rest, ',', &part); n++)
			assert_true(str_eq(part, str_from(rows[i].parts[n])));
		assert_true(n == ARRAY_LEN(rows[i].parts) || !rows[i].parts[n]);
	}
	assert_false(str_next(&STR_NONE, ',', &(struct str){ 0 }));
}

static void test_trim(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ " \t ", "" },
		{ " a b\t", "a b" },
		{ "\na\r", "\na\r" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_true(str_eq(str_trim(str_from(rows[i][0])), str_from(rows[i][1])));
}

static void test_printable(void **state)
{
	(void)state;
	assert_true(str_printable(STR_LIT("")));
	assert_true(str_printable(STR_LIT(" ~aZ09")));
	assert_false(str_printable(STR_LIT("a\0b")));
	assert_false(str_printable(STR_LIT("\x1f")));
	assert_false(str_printable(STR_LIT("\x7f")));
	assert_false(str_printable(STR_LIT("\x80")));
}

static void test_dup(void **state)
{
	char *a = str_dup(STR_LIT("a\0b")), *none = str_dup(STR_NONE);

	(void)state;
	assert_memory_equal(a, "a\0b", 4);
	assert_string_equal(none, "");
	free(a);
	free(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare), cmocka_unit_test(test_next),
		cmocka_unit_test(test_trim),	cmocka_unit_test(test_printable),
		cmocka_unit_test(test_dup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
