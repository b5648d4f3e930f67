/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: one printable line whatever goes into it, cut and marked when too long; and wire fields.
 */
#include "base/err.h"
#include "base/wire.h"

#include "base/own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_err(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&e, -EINVAL, "port %d", 0), -EINVAL);
	assert_string_equal(e.text, "port 0");
	assert_int_equal(err_context(&e, -ENOENT, "line %d", 3),
			 -EINVAL); /* the first code stays */
	assert_string_equal(e.text, "line 3: port 0");
	assert_int_equal(err_sys(&e, -ENOENT, "open %s", "f"), -ENOENT);
	assert_string_equal(e.text, "open f: No such file or directory");
	err_set(&e, -EINVAL, "%s", "a\033[2J\nb\x7f");
	assert_string_equal(e.text, "a?[2J?b?");
	e = ERR_INIT;
	assert_int_equal(err_context(&e, -EIO, "x"), -EIO);
	assert_int_equal(err_set(NULL, -EIO, "x"), -EIO);
	assert_int_equal(err_sys(NULL, -EIO, "x"), -EIO);
	assert_int_equal(err_context(NULL, -EIO, "x"), -EIO);
}

static void test_err_long(void **state)
{
	char text[2 * ERR_TEXT_MAX];
	struct err e = ERR_INIT;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (size_t from = 0; from < sizeof text; from++) {
		const char *tail = text + from;
		bool cut = strlen(tail) >= ERR_TEXT_MAX;

		err_set(&e, -EIO, "%s", tail);
		assert_int_equal(strlen(e.text), cut ? ERR_TEXT_MAX - 1 : strlen(tail));
		assert_int_equal(strcmp(e.text + strlen(e.text) - (cut ? 3 : 0), "...") == 0, cut);
		err_context(&e, -EIO, "%s", "context");
		assert_true(strlen(e.text) < ERR_TEXT_MAX);
		err_sys(&e, -EIO, "%s", tail);
		assert_true(strlen(e.text) < ERR_TEXT_MAX);
	}
}

static void test_wire_round_trip(void **state)
{
	struct buf b = BUF_INIT(256);
	struct wire_in in;
	struct str all;
	int error = 0;

	(void)state;
	wire_u8(&b, &error, 200);
	wire_u16(&b, &error, 60000);
	wire_u32(&b, &error, 4000000000u);
	wire_u64(&b, &error, UINT64_MAX);
	wire_str(&b, &error, STR_LIT("a\0b"));
	wire_str(&b, &error, STR_NONE);
	assert_int_equal(error, 0);
	all = buf_str(&b);
	for (size_t len = 0; len <= all.len; len++) { /* every truncation is found */
		in = (struct wire_in){ .rest = { all.p, len } };
		assert_int_equal(wire_get_u8(&in), len >= 1 ? 200 : 0);
		(void)wire_get_u16(&in);
		(void)wire_get_u32(&in);
		(void)wire_get_u64(&in);
		(void)wire_get_str(&in, 3);
		(void)wire_get_str(&in, 0);
		assert_int_equal(wire_in_done(&in), len == all.len ? 0 : -EBADMSG);
	}
	in = (struct wire_in){ .rest = { all.p, all.len - 1 } };
	(void)wire_get_u8(&in);
	assert_int_equal(wire_in_done(&in), -EBADMSG); /* something is left over */
	in = (struct wire_in){ .rest = { all.p + 15, all.len - 15 } };
	assert_int_equal(wire_get_str(&in, 2).len, 0); /* longer than it may be */
	assert_int_equal(wire_in_done(&in), -EBADMSG);
	buf_done(&b);
}

static void test_wire_no_room(void **state)
{
	(void)state;
	for (size_t max = 0; max < 11; max++) {
		struct buf b = BUF_INIT(max);
		int error = 0;

		wire_u32(&b, &error, 1);
		wire_str(&b, &error, STR_LIT("abc"));
		assert_int_equal(error, -ENOBUFS);
		wire_u8(&b, &error, 1);
		assert_int_equal(error, -ENOBUFS);
		buf_done(&b);
	}
}

/* A length that the four bytes of the wire cannot hold is an error, not another length. */
static void test_wire_long_string(void **state)
{
	struct buf b = BUF_INIT(64);
	int error = 0;

	(void)state;
	wire_str(&b, &error, (struct str){ "", (size_t)UINT32_MAX + 1 });
	assert_int_equal(error, -EMSGSIZE);
	assert_int_equal(buf_len(&b), 0);
	wire_u8(&b, &error, 1);
	assert_int_equal(buf_len(&b), 0);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_err),
		cmocka_unit_test(test_err_long),
		cmocka_unit_test(test_wire_round_trip),
		cmocka_unit_test(test_wire_no_room),
		cmocka_unit_test(test_wire_long_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
