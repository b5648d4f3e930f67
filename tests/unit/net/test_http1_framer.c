/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies: every row is fed whole and in pieces of every size; the reading must not change.  Attack
 * rows N25, N26. */
#include "net/http1.h"

#include "base/own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct row {
	struct str in;
	enum http1_body kind;
	uint64_t length;
	const char *payload; /* NULL: refused */
	size_t used;	     /* SIZE_MAX: all, not done */
};

#define BAD(text)                                                                                  \
	{                                                                                          \
		STR_LIT(text), BODY_CHUNKED, 0, NULL, 0                                            \
	}
#define CHUNKED(text, payload, rest)                                                               \
	{                                                                                          \
		STR_LIT(text rest), BODY_CHUNKED, 0, payload, sizeof(text) - 1                     \
	}
#define OPEN(text, payload)                                                                        \
	{                                                                                          \
		STR_LIT(text), BODY_CHUNKED, 0, payload, SIZE_MAX                                  \
	}
#define LAST "0\r\n\r\n"

static const struct row rows[] = {
	BAD("\r\n"),
	BAD("g\r\n"),
	BAD(" 5\r\nhello\r\n" LAST),
	BAD("5 \r\nhello\r\n" LAST),
	BAD("5\t\r\nhello\r\n" LAST),
	BAD("5;a=b\r\nhello\r\n" LAST),
	BAD("5;\r\nhello\r\n" LAST),
	BAD("5\nhello\r\n" LAST),
	BAD("5\rhello\r\n" LAST),
	BAD("5\r\r\nhello\r\n" LAST),
	BAD("0x5\r\nhello\r\n" LAST),
	BAD("+5\r\nhello\r\n" LAST),
	BAD("-5\r\nhello\r\n" LAST),
	BAD("5\r\nhello" LAST),
	BAD("5\r\nhello\n" LAST),
	BAD("5\r\nhello\r" LAST),
	BAD("5\r\nhello!\r\n" LAST),
	BAD("4\r\nhello\r\n" LAST),
	BAD("8000000000000000\r\n"),
	BAD("ffffffffffffffff\r\n"),
	BAD("10000000000000000\r\n"),
	BAD("00000000000000005\r\nhello\r\n" LAST),
	BAD("0\r\n\n"),
	BAD("0\r\n\rX"),
	BAD("0\n\n"),
	BAD("0\r\nA\r\n\r\n"),
	BAD("0\r\nA : b\r\n\r\n"),
	BAD("0\r\n: b\r\n\r\n"),
	BAD("0\r\n A: b\r\n\r\n"),
	BAD("0\r\nA: b\r\n c\r\n\r\n"),
	BAD("0\r\nA: b\n\r\n"),
	BAD("0\r\nA: b\rc\r\n\r\n"),
	BAD("0\r\nA: \0\r\n\r\n"),
	BAD("0\r\nA\x80: b\r\n\r\n"),
	BAD("0\r\nHost: evil.test\r\n\r\n"),
	BAD("0\r\nA: b\r\ncontent-LENGTH: 5\r\n\r\n"),
	BAD("0\r\nTransfer-Encoding: chunked\r\n\r\n"),
	BAD("0\r\nAuthorization: x\r\n\r\n"),
	BAD("0\r\nX-Api-Key: x\r\n\r\n"),
	CHUNKED(LAST, "", ""),
	CHUNKED(LAST, "", "GET /evil HTTP/1.1\r\n"),
	CHUNKED("5\r\nhello\r\n" LAST, "hello", "0\r\n"),
	CHUNKED("5\r\nhello\r\n6\r\n world\r\n" LAST, "hello world", "x"),
	CHUNKED("A\r\n0123456789\r\na\r\n0123456789\r\n000\r\n\r\n", "01234567890123456789", ""),
	CHUNKED("0000000000000001\r\n\n\r\n" LAST, "\n", ""),
	CHUNKED("0\r\nA:b\r\nTransfer-Encoding-X: \xff\t\r\nHos: a\r\n\r\n", "", "y"),
	OPEN("5\r\nhel", "hel"),
	OPEN("5", ""),
	OPEN("7fffffffffffffff\r\nabc", "abc"),
	OPEN("0\r\n", ""),
	OPEN("0\r\n\r", ""),
	{ STR_LIT("helloGET /"), BODY_LENGTH, 5, "hello", 5 },
	{ STR_LIT("hel"), BODY_LENGTH, 5, "hel", SIZE_MAX },
	{ STR_LIT("GET /"), BODY_LENGTH, 0, "", 0 },
	{ STR_LIT("GET /"), BODY_NONE, 9, "", 0 },
	{ STR_LIT("all of it"), BODY_UNTIL_CLOSE, 0, "all of it", SIZE_MAX },
	{ STR_LIT("all of it"), BODY_UPGRADE, 0, "all of it", SIZE_MAX },
};

/* In pieces of `piece` bytes: 0 and what came out, or -EBADMSG. */
static int feed(const struct row *row, size_t piece, struct buf *payload, size_t *used, bool *done)
{
	struct http1_framer f;

	memset(&f, 0xa5, sizeof f);
	http1_framer_init(&f, row->kind, row->length);
	*used = 0;
	while (*used < row->in.len && !f.done) {
		size_t n = row->in.len - *used, took = 99;
		struct str data;

		if (n > piece)
			n = piece;
		if (http1_framer_feed(&f, (struct str){ row->in.p + *used, n }, &took, &data) < 0)
			return -EBADMSG;
		assert_true(took > 0 && took <= n && data.len <= took);
		assert_int_equal(buf_append_str(payload, data), 0);
		*used += took;
	}
	*done = f.done;
	if (f.done) {
		size_t took = 99;
		struct str data;

		assert_int_equal(http1_framer_feed(&f, STR_LIT("more"), &took, &data), 0);
		assert_true(took == 0 && data.len == 0);
	}
	return 0;
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t piece = 1; piece <= rows[i].in.len; piece++) {
			const struct row *row = &rows[i];
			struct buf got = BUF_INIT(4096);
			size_t used = 0;
			bool done = false;
			int r = feed(row, piece, &got, &used, &done);

			if (!row->payload) {
				if (r != -EBADMSG)
					fail_msg("row %zu \"%.*s\" by %zu: not refused", i,
						 STR_FMT(row->in), piece);
			} else if (r < 0 || strcmp(buf_cstr(&got), row->payload) != 0 ||
				   done != (row->used != SIZE_MAX) ||
				   used != (done ? row->used : row->in.len)) {
				fail_msg("row %zu \"%.*s\" by %zu: %d used %zu done %d \"%s\"", i,
					 STR_FMT(row->in), piece, r, used, done, buf_cstr(&got));
			}
			buf_done(&got);
		}
}

static void test_trailers_bounded(void **state)
{
	struct http1_framer f;
	size_t used, total = 0;
	struct str data;
	int r;

	(void)state;
	http1_framer_init(&f, BODY_CHUNKED, 0);
	assert_int_equal(http1_framer_feed(&f, STR_LIT("0\r\n"), &used, &data), 0);
	do {
		r = http1_framer_feed(&f, STR_LIT("A: b\r\n"), &used, &data);
		total += 6;
	} while (r == 0 && total < 10 * HTTP1_TRAILERS_MAX);
	assert_int_equal(r, -EBADMSG);
	assert_true(total <= HTTP1_TRAILERS_MAX + 6 + total / 6 && total > HTTP1_TRAILERS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_trailers_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
