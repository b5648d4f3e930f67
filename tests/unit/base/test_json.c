/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer: commas, escapes, bad UTF-8, and errors that stick; and SHA-256 by its examples.
 */
#include "base/json.h"

#include "base/hash.h"
#include "base/own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_structure(void **state)
{
	struct buf b = BUF_INIT(1024);
	struct json j = JSON_INIT(&b);

	(void)state;
	json_object_begin(&j);
	json_member_cstr(&j, "a", "x");
	json_member_cstr(&j, "n", NULL);
	json_member_str(&j, "s", STR_LIT("y"));
	json_member_u64(&j, "u", UINT64_MAX);
	json_member_bool(&j, "t", true);
	json_key(&j, "l");
	json_array_begin(&j);
	json_i64(&j, INT64_MIN);
	json_bool(&j, false);
	json_put_null(&j);
	json_array_begin(&j);
	json_array_end(&j);
	json_object_begin(&j);
	json_object_end(&j);
	json_array_end(&j);
	json_object_end(&j);
	assert_int_equal(json_done(&j), 0);
	assert_string_equal(
	    buf_cstr(&b),
	    "{\"a\":\"x\",\"n\":null,\"s\":\"y\",\"u\":18446744073709551615,\"t\":true,"
	    "\"l\":[-9223372036854775808,false,null,[],{}]}");
	buf_done(&b);
}

#define BAD "\xef\xbf\xbd"

static void test_strings(void **state)
{
	static const struct {
		struct str in;
		const char *out;
	} rows[] = {
		{ STR_LIT(""), "\"\"" },
		{ STR_LIT("a\"b\\c"), "\"a\\\"b\\\\c\"" },
		{ STR_LIT("\n\r\t"), "\"\\n\\r\\t\"" },
		{ STR_LIT("a\0b\x1b[2J\x7f"), "\"a\\u0000b\\u001b[2J\\u007f\"" },
		{ STR_LIT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
		  "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ STR_LIT("\xc2\x9b"), "\"" BAD "\"" }, /* a control character: CSI */
		{ STR_LIT("\xc2\xa0"), "\"\xc2\xa0\"" },
		{ STR_LIT("\x80"), "\"" BAD "\"" },	    /* continues nothing */
		{ STR_LIT("\xc0\xaf"), "\"" BAD BAD "\"" }, /* overlong */
		{ STR_LIT("\xe0\x9f\xbf"), "\"" BAD BAD BAD "\"" },
		{ STR_LIT("\xed\xa0\x80"), "\"" BAD BAD BAD "\"" }, /* a surrogate */
		{ STR_LIT("\xf0\x8f\xbf\xbf"), "\"" BAD BAD BAD BAD "\"" },
		{ STR_LIT("\xf4\x90\x80\x80"), "\"" BAD BAD BAD BAD "\"" }, /* past U+10FFFF */
		{ STR_LIT("\xf5\x80"), "\"" BAD BAD "\"" },
		{ STR_LIT("\xe2\x82"), "\"" BAD BAD "\"" }, /* cut */
		{ STR_LIT("\xe2\x82z"), "\"" BAD BAD "z\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = BUF_INIT(1024);
		struct json j = JSON_INIT(&b);

		json_str(&j, rows[i].in);
		assert_int_equal(json_done(&j), 0);
		assert_string_equal(buf_cstr(&b), rows[i].out);
		buf_done(&b);
	}
}

static void test_error_sticks(void **state)
{
	(void)state;
	for (size_t max = 0; max < 12; max++) {
		struct buf b = BUF_INIT(max);
		struct json j = JSON_INIT(&b);

		json_array_begin(&j);
		json_str(&j, STR_LIT("abc"));
		json_u64(&j, 12345);
		json_array_end(&j);
		assert_int_equal(json_done(&j), -ENOBUFS);
		buf_done(&b);
	}
}

static void test_sha256(void **state)
{
	static const char *const rows[][2] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t hash[HASH_LEN];
		char hex[HASH_HEX_LEN + 1];

		hash_sha256(str_from(rows[i][0]), hash);
		hash_hex(hash, hex);
		assert_string_equal(hex, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_error_sticks),
		cmocka_unit_test(test_sha256),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
