/* SPDX-License-Identifier: Apache-2.0 */
/* The growing buffer: its maximum holds whatever is done to it, and a refusal changes nothing. */
#include "base/buf.h"

#include "base/own.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_maximum(void **state)
{
	struct buf b = BUF_INIT(10);

	(void)state;
	assert_string_equal(buf_cstr(&b), "");
	assert_int_equal(buf_str(&b).len, 0);
	assert_int_equal(buf_append(&b, "0123456789a", 11), -ENOBUFS);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(buf_append(&b, "0123456789", 10), 0);
	assert_int_equal(buf_append_c(&b, 'a'), -ENOBUFS);
	assert_int_equal(buf_reserve(&b, SIZE_MAX), -ENOBUFS);
	assert_string_equal(buf_cstr(&b), "0123456789");
	buf_consume(&b, 4); /* room again, by sliding */
	assert_int_equal(buf_append_str(&b, STR_LIT("abcd")), 0);
	assert_string_equal(buf_cstr(&b), "456789abcd");
	assert_int_equal(buf_append_c(&b, 'e'), -ENOBUFS);
	buf_consume(&b, 10);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(buf_append(&b, NULL, 0), 0);
	buf_done(&b);
	assert_int_equal(b.max, 10);
	assert_null(b.base);
}

/* Against the plainest model: bytes in are bytes out, in order. */
static void test_stream(void **state)
{
	struct buf b = BUF_INIT(4000);
	unsigned in = 0, out = 0;

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		for (unsigned i = 0; i < (round * 37) % 900; i++)
			if (buf_append_c(&b, (char)(in & 0x7f)) == 0)
				in++;
		for (unsigned i = (round * 53) % 900; i > 0 && buf_len(&b); i--, out++) {
			assert_int_equal(buf_str(&b).p[0], (char)(out & 0x7f));
			buf_consume(&b, 1);
		}
		assert_int_equal(buf_len(&b), in - out);
		if (b.base)
			assert_int_equal(b.base[b.end], 0);
	}
	assert_true(in > 10000);
	buf_wipe(&b);
	assert_null(b.base);
	buf_wipe(&b);
}

static void test_printf(void **state)
{
	volatile int width = INT_MAX; /* the compiler would warn of it */
	char text[1001];
	struct buf b = BUF_INIT(sizeof text - 1);

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_int_equal(buf_printf(&b, "%sy", text), -ENOBUFS);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(buf_printf(&b, "%s", text), 0); /* fits to the byte */
	assert_string_equal(buf_cstr(&b), text);
	buf_clear(&b);
	assert_int_equal(buf_printf(&b, "%d-%s", 5, "a"), 0);
	assert_string_equal(buf_cstr(&b), "5-a");
	/* Longer than an int can count. */
	assert_int_equal(buf_printf(&b, "%*d%s", width, 1, "x"), -EINVAL);
	assert_string_equal(buf_cstr(&b), "5-a");
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maximum),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_printf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
