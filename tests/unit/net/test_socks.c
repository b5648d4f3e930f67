/* SPDX-License-Identifier: Apache-2.0 */
/* Whole conversations with the SOCKS side, in pieces of every size; attack rows N02, N16. */
#include "net/socks.h"

#include "base/buf.h"
#include "base/own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HELLO "\5\1\0"
#define HELLO_OK "\5\0"
#define FAIL(code) "\5" code "\0\1\0\0\0\0\0\0"
#define NAME(len, name, port) "\5\1\0\3" len name port

static const struct {
	struct str in, reply;
	int expect;
	const char *to; /* for 1 */
	size_t used;	/* SIZE_MAX: all */
} rows[] = {
	{ STR_LIT("\4\1\0\x50\1\2\3\4x\0"), STR_LIT("\0\x5b\0\0\0\0\0\0"), -EINVAL, NULL, 0 },
	{ STR_LIT("GET /"), STR_LIT(""), -EINVAL, NULL, 0 },
	{ STR_LIT("\5\0"), STR_LIT("\5\xff"), -EINVAL, NULL, 2 },
	{ STR_LIT("\5\1\1"), STR_LIT("\5\xff"), -EINVAL, NULL, 3 },
	{ STR_LIT("\5\2\1\x80"), STR_LIT("\5\xff"), -EINVAL, NULL, 4 },
	{ STR_LIT("\5\1\2\2\1u\1p"), STR_LIT("\5\2\1\1"), -EINVAL, NULL, 3 },
	{ STR_LIT(HELLO "\4\1\0\1\1\2\3\4\0\x50"), STR_LIT(HELLO_OK FAIL("\1")), -EINVAL, NULL, 3 },
	{ STR_LIT(HELLO "\5\2\0\1\1\2\3\4\0\x50"), STR_LIT(HELLO_OK FAIL("\7")), -EINVAL, NULL, 3 },
	{ STR_LIT(HELLO "\5\3\0\1\1\2\3\4\0\x50"), STR_LIT(HELLO_OK FAIL("\7")), -EINVAL, NULL, 3 },
	{ STR_LIT(HELLO "\5\1\1\1\1\2\3\4\0\x50"), STR_LIT(HELLO_OK FAIL("\1")), -EINVAL, NULL, 3 },
	{ STR_LIT(HELLO "\5\1\0\2\1\2\3\4\0\x50"), STR_LIT(HELLO_OK FAIL("\x8")), -EINVAL, NULL,
	  3 },
	{ STR_LIT(HELLO "\5\1\0\1\1\2\3\4\0\0"), STR_LIT(HELLO_OK FAIL("\1")), -EINVAL, NULL, 3 },
	{ STR_LIT(HELLO NAME("\0", "", "\0\x50")), STR_LIT(HELLO_OK FAIL("\x8")), -EINVAL, NULL,
	  3 },
	{ STR_LIT(HELLO NAME("\x1b", "attacker.test\0.allowed.test", "\1\xbb")),
	  STR_LIT(HELLO_OK FAIL("\x8")), -EINVAL, NULL, 3 },
	{ STR_LIT(HELLO NAME("\7", "a\n.test", "\1\xbb")), STR_LIT(HELLO_OK FAIL("\x8")), -EINVAL,
	  NULL, 3 },
	{ STR_LIT(HELLO NAME("\7", "a\x7f.test", "\1\xbb")), STR_LIT(HELLO_OK FAIL("\x8")), -EINVAL,
	  NULL, 3 },
	{ STR_LIT(HELLO NAME("\5", "127.1", "\1\xbb")), STR_LIT(HELLO_OK FAIL("\x8")), -EINVAL,
	  NULL, 3 },
	{ STR_LIT(HELLO NAME("\xa", "0x7f000001", "\1\xbb")), STR_LIT(HELLO_OK FAIL("\x8")),
	  -EINVAL, NULL, 3 },
	{ STR_LIT(HELLO NAME("\x8", "u@a.test", "\1\xbb")), STR_LIT(HELLO_OK FAIL("\x8")), -EINVAL,
	  NULL, 3 },
	{ STR_LIT(HELLO NAME("\x6", "a.test", "\1\xbb")), STR_LIT(HELLO_OK), 1, "a.test:443",
	  SIZE_MAX },
	{ STR_LIT(HELLO NAME("\x7", "A.Test.", "\0\x16") "SSH-2.0"), STR_LIT(HELLO_OK), 1,
	  "a.test:22", 3 + 14 },
	{ STR_LIT(HELLO NAME("\x9", "127.0.0.1", "\1\xbb")), STR_LIT(HELLO_OK), 1, "127.0.0.1:443",
	  SIZE_MAX },
	{ STR_LIT("\5\3\1\2\0\5\1\0\1\1\2\3\4\xff\xff"), STR_LIT(HELLO_OK), 1, "1.2.3.4:65535",
	  SIZE_MAX },
	{ STR_LIT(HELLO "\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1"), STR_LIT(HELLO_OK), 1,
	  "::1:1", SIZE_MAX },
	{ STR_LIT(HELLO "\5\1\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1\0\1"), STR_LIT(HELLO_OK), 1,
	  "127.0.0.1:1", SIZE_MAX },
	{ STR_LIT("\5\1\2\1\4user\4pass" NAME("\x6", "a.test", "\1\xbb")), STR_LIT("\5\2\1\0"), 1,
	  "a.test:443", SIZE_MAX },
	{ STR_LIT("\5\1\2\1\0\0" NAME("\x6", "a.test", "\1\xbb")), STR_LIT("\5\2\1\0"), 1,
	  "a.test:443", SIZE_MAX },
};

/* Feeds in[0..len) as it would arrive, `piece` bytes at a time. */
static int converse(struct socks *s, struct str in, size_t piece, struct buf *replies, size_t *used)
{
	size_t have = 0;

	*s = (struct socks){ .step = SOCKS_GREETING };
	*used = 0;
	for (;;) {
		unsigned char reply[SOCKS_REPLY_MAX];
		size_t took = 99, n = 99;
		int r = socks_feed(s, (struct str){ in.p + *used, have - *used }, &took, reply, &n);

		assert_true(n <= SOCKS_REPLY_MAX && took <= have - *used);
		assert_int_equal(buf_append(replies, reply, n), 0);
		*used += took;
		if (r != 0)
			return r;
		if (took)
			continue;
		if (have == in.len)
			return 0;
		have = in.len - have < piece ? in.len : have + piece;
	}
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t piece = 1; piece <= rows[i].in.len; piece++) {
			struct buf replies = BUF_INIT(256);
			char to[300] = "";
			size_t used;
			struct socks s;
			int r = converse(&s, rows[i].in, piece, &replies, &used);

			if (r == 1)
				snprintf(to, sizeof to, "%s:%u", s.host.text, s.port);
			if (r != rows[i].expect || !str_eq(buf_str(&replies), rows[i].reply) ||
			    strcmp(to, rows[i].to ? rows[i].to : "") != 0 ||
			    used != (rows[i].used == SIZE_MAX ? rows[i].in.len : rows[i].used))
				fail_msg("row %zu by %zu: %d \"%s\" used %zu, %zu bytes of reply",
					 i, piece, r, to, used, buf_len(&replies));
			buf_done(&replies);
		}
}

static void test_cut_short(void **state)
{
	struct str in = STR_LIT("\5\1\2\1\4user\4pass" NAME("\x6", "a.test", "\1\xbb"));

	(void)state;
	for (size_t n = 0; n < in.len; n++) {
		struct buf replies = BUF_INIT(256);
		struct socks s;
		size_t used;

		assert_int_equal(converse(&s, (struct str){ in.p, n }, 1, &replies, &used), 0);
		assert_true(s.step != SOCKS_DONE);
		buf_done(&replies);
	}
}

static void test_after_done(void **state)
{
	struct socks s = { .step = SOCKS_DONE };
	unsigned char reply[SOCKS_REPLY_MAX];
	size_t used = 9, n = 9;

	(void)state;
	assert_int_equal(socks_feed(&s, STR_LIT("data"), &used, reply, &n), 1);
	assert_true(used == 0 && n == 0);
	assert_int_equal(socks_reply(SOCKS_NOT_ALLOWED, reply), 10);
	assert_memory_equal(reply, FAIL("\2"), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_after_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
