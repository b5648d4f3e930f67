/* SPDX-License-Identifier: Apache-2.0 */
/* str, num, err, hash: the small pure pieces, by table. */
#include "base/err.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/own.h"
#include "base/str.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void numbers_are_strict(void **state)
{
	static const struct {
		const char *text;
		int expect;
		uint64_t value;
	} sizes[] = {
		{ "0", 0, 0 },
		{ "1", 0, 1 },
		{ "100M", 0, 104857600 },
		{ "2G", 0, 2147483648 },
		{ "1K", 0, 1024 },
		{ "3T", 0, 3298534883328 },
		{ "", -EINVAL, 0 },
		{ "M", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "1m", -EINVAL, 0 },
		{ "1MB", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "18446744073709551615K", -ERANGE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint64_t v = 77;
		int r = num_parse_size(str_from(sizes[i].text), &v);

		if (r != sizes[i].expect || v != (r ? 77 : sizes[i].value))
			fail_msg("size \"%s\": got %d, %llu", sizes[i].text, r,
				 (unsigned long long)v);
	}
}

static void durations_and_fractions(void **state)
{
	uint64_t v = 0;

	(void)state;
	assert_int_equal(num_parse_duration(STR_LIT("2h"), &v), 0);
	assert_int_equal(v, 7200);
	assert_int_equal(num_parse_duration(STR_LIT("90"), &v), 0);
	assert_int_equal(v, 90);
	assert_int_equal(num_parse_duration(STR_LIT("1d"), &v), 0);
	assert_int_equal(v, 86400);
	assert_int_equal(num_parse_duration(STR_LIT("1w"), &v), -EINVAL);
	assert_int_equal(num_parse_milli(STR_LIT("1.5"), &v), 0);
	assert_int_equal(v, 1500);
	assert_int_equal(num_parse_milli(STR_LIT("2"), &v), 0);
	assert_int_equal(v, 2000);
	assert_int_equal(num_parse_milli(STR_LIT("0.25"), &v), 0);
	assert_int_equal(v, 250);
	assert_int_equal(num_parse_milli(STR_LIT("0.001"), &v), 0);
	assert_int_equal(v, 1);
	assert_int_equal(num_parse_milli(STR_LIT("1."), &v), -EINVAL);
	assert_int_equal(num_parse_milli(STR_LIT(".5"), &v), -EINVAL);
	assert_int_equal(num_parse_milli(STR_LIT("1.0001"), &v), -EINVAL);
	assert_int_equal(num_parse_milli(STR_LIT("1.x"), &v), -EINVAL);
	assert_int_equal(num_parse_u64(STR_LIT("11"), 10, &v), -ERANGE);
}

static void slices(void **state)
{
	struct str rest = STR_LIT("a,,b"), part;
	_cleanup_(free_ptr) char *copy = NULL;

	(void)state;
	assert_true(str_ieq(STR_LIT("HoSt"), STR_LIT("hOsT")));
	assert_false(str_ieq(STR_LIT("host"), STR_LIT("hosts")));
	assert_false(str_ieq(STR_LIT("host"), STR_LIT("hosu")));
	assert_false(str_eq(STR_LIT("a\0b"), STR_LIT("a\0c")));
	assert_true(str_eq(STR_NONE, STR_LIT("")));
	assert_true(str_has_prefix(STR_LIT("abc"), STR_LIT("ab")));
	assert_false(str_has_prefix(STR_LIT("a"), STR_LIT("ab")));
	assert_true(str_has_suffix(STR_LIT("abc"), STR_LIT("bc")));
	assert_false(str_has_suffix(STR_LIT("c"), STR_LIT("bc")));
	assert_int_equal(str_index(STR_NONE, 'x'), 0);
	assert_true(str_eq(str_trim(STR_LIT(" \ta b\t ")), STR_LIT("a b")));
	assert_int_equal(str_trim(STR_LIT("  ")).len, 0);
	assert_true(str_next(&rest, ',', &part) && str_eq(part, STR_LIT("a")));
	assert_true(str_next(&rest, ',', &part) && part.len == 0);
	assert_true(str_next(&rest, ',', &part) && str_eq(part, STR_LIT("b")));
	assert_false(str_next(&rest, ',', &part));
	assert_true(str_printable(STR_LIT("a ~")));
	assert_false(str_printable(STR_LIT("a\x7f")));
	assert_false(str_printable(STR_LIT("a\n")));
	copy = str_dup(STR_LIT("xyz"));
	assert_string_equal(copy, "xyz");
}

static void errors_carry_context_and_no_escapes(void **state)
{
	struct err e = ERR_INIT;
	char big[2 * ERR_TEXT_MAX];

	(void)state;
	assert_int_equal(err_set(NULL, -EINVAL, "x"), -EINVAL);
	assert_int_equal(err_sys(NULL, -EIO, "x"), -EIO);
	assert_int_equal(err_context(NULL, -EIO, "x"), -EIO);
	assert_int_equal(err_sys(&e, -ENOENT, "open %s", "a\033[2Jb\n"), -ENOENT);
	assert_string_equal(e.text, "open a?[2Jb?: No such file or directory");
	assert_int_equal(err_context(&e, -EIO, "policy"), -ENOENT);
	assert_string_equal(e.text, "policy: open a?[2Jb?: No such file or directory");
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	err_set(&e, -E2BIG, "%s", big);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	assert_string_equal(e.text + ERR_TEXT_MAX - 4, "...");
	err_sys(&e, -E2BIG, "%s", big);
	err_context(&e, -E2BIG, "%s", big);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
}

static void sha256_known_answer(void **state)
{
	uint8_t h[HASH_LEN];
	char hex[HASH_HEX_LEN + 1];

	(void)state;
	hash_sha256(STR_LIT("abc"), h); /* FIPS 180-4 example */
	hash_hex(h, hex);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_strict),
		cmocka_unit_test(durations_and_fractions),
		cmocka_unit_test(slices),
		cmocka_unit_test(errors_carry_context_and_no_escapes),
		cmocka_unit_test(sha256_known_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
