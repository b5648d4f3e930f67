/* SPDX-License-Identifier: Apache-2.0 */
/* buf and json: bounds, order of bytes, and that nothing speaks to a terminal. */
#include "base/buf.h"
#include "base/json.h"
#include "base/own.h"
#include "base/rand.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void a_limit_is_a_limit(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1000);
	char block[600] = { 0 };

	(void)state;
	assert_int_equal(buf_append(&b, block, 600), 0);
	assert_int_equal(buf_append(&b, block, 401), -ENOBUFS);
	assert_int_equal(buf_len(&b), 600);
	assert_int_equal(buf_append(&b, block, 400), 0);
	assert_int_equal(buf_append_c(&b, 'x'), -ENOBUFS);
	assert_int_equal(buf_reserve(&b, SIZE_MAX), -ENOBUFS);
	buf_consume(&b, 999);
	assert_int_equal(buf_append(&b, block, 600), 0);
	assert_int_equal(buf_len(&b), 601);
}

static void bytes_keep_their_order(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(4096);
	unsigned next_in = 0, next_out = 0;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		uint8_t want[2];
		unsigned n;

		rand_bytes(want, sizeof want);
		for (n = want[0] % 40; n && buf_len(&b) < 4096; n--)
			assert_int_equal(buf_append_c(&b, (char)(next_in++ & 0xff)), 0);
		for (n = want[1] % 40; n && buf_len(&b); n--) {
			assert_int_equal((unsigned char)buf_str(&b).p[0], next_out++ & 0xff);
			buf_consume(&b, 1);
		}
		assert_int_equal(buf_cstr(&b)[buf_len(&b)], 0);
	}
}

static void printf_of_any_length(void **state)
{
	_cleanup_(buf_wipe) struct buf b = BUF_INIT(2000);

	(void)state;
	assert_string_equal(buf_cstr(&b), "");
	assert_int_equal(buf_printf(&b, "%s-%d", "a", 1), 0);
	assert_int_equal(buf_printf(&b, "%500d", 7), 0);
	assert_int_equal(buf_len(&b), 503);
	assert_int_equal(buf_printf(&b, "%3000d", 7), -ENOBUFS);
	assert_int_equal(buf_len(&b), 503);
	buf_clear(&b);
	assert_string_equal(buf_cstr(&b), "");
}

static void json_escapes_what_a_terminal_or_parser_would_obey(void **state)
{
	static const struct {
		struct str in;
		const char *out;
	} rows[] = {
		{ STR_LIT("plain"), "\"plain\"" },
		{ STR_LIT("a\"b\\c"), "\"a\\\"b\\\\c\"" },
		{ STR_LIT("\n\r\t"), "\"\\n\\r\\t\"" },
		{ STR_LIT("\033[2J\007\0"), "\"\\u001b[2J\\u0007\\u0000\"" },
		{ STR_LIT("\x7f"), "\"\\u007f\"" },
		{ STR_LIT("\xc3\xa9"), "\"\xc3\xa9\"" },
		{ STR_LIT("\xc2\x9b"
			  "31m"),
		  "\"\xef\xbf\xbd"
		  "31m\"" }, /* C1 CSI */
		{ STR_LIT("\xff"
			  "a\xc3"),
		  "\"\xef\xbf\xbd"
		  "a\xef\xbf\xbd\"" },
		{ STR_LIT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ STR_LIT("\xe0\x80\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ STR_LIT("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"" },
		{ STR_LIT("\xf4\x90\x80\x80"),
		  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ STR_LIT("\xf0\x80\x80\x80"),
		  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ STR_LIT("\xe2\x82\xac"), "\"\xe2\x82\xac\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(4096);
		struct json j = JSON_INIT(&b);

		json_str(&j, rows[i].in);
		assert_int_equal(json_done(&j), 0);
		assert_string_equal(buf_cstr(&b), rows[i].out);
	}
}

static void json_puts_commas_itself(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(4096);
	struct json j = JSON_INIT(&b);

	(void)state;
	json_object_begin(&j);
	json_member_cstr(&j, "a", "x");
	json_member_cstr(&j, "n", NULL);
	json_key(&j, "l");
	json_array_begin(&j);
	json_u64(&j, 1);
	json_i64(&j, -2);
	json_array_begin(&j);
	json_array_end(&j);
	json_bool(&j, true);
	json_null(&j);
	json_array_end(&j);
	json_member_bool(&j, "f", false);
	json_member_u64(&j, "u", UINT64_MAX);
	json_member_str(&j, "s", STR_LIT("t"));
	json_object_end(&j);
	assert_int_equal(json_done(&j), 0);
	assert_string_equal(buf_cstr(&b), "{\"a\":\"x\",\"n\":null,\"l\":[1,-2,[],true,null],"
					  "\"f\":false,\"u\":18446744073709551615,\"s\":\"t\"}");
}

static void json_errors_stick(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(8);
	struct json j = JSON_INIT(&b);

	(void)state;
	json_str(&j, STR_LIT("far too long for this"));
	json_u64(&j, 1);
	json_i64(&j, 1);
	assert_int_equal(json_done(&j), -ENOBUFS);
}

static void random_text_has_its_alphabet(void **state)
{
	char a[33], b[33];

	(void)state;
	rand_text(a, 32);
	rand_text(b, 32);
	assert_string_not_equal(a, b);
	assert_int_equal(strspn(a, "0123456789abcdefghjkmnpqrstvwxyz"), 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_is_a_limit),
		cmocka_unit_test(bytes_keep_their_order),
		cmocka_unit_test(printf_of_any_length),
		cmocka_unit_test(json_escapes_what_a_terminal_or_parser_would_obey),
		cmocka_unit_test(json_puts_commas_itself),
		cmocka_unit_test(json_errors_stick),
		cmocka_unit_test(random_text_has_its_alphabet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
