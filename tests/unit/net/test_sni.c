/* SPDX-License-Identifier: Apache-2.0 */
/* ClientHellos: whole, cut at every byte, cut into records of every size; attack row N06. */
#include "net/sni.h"

#include "base/buf.h"
#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define NAME_A                                                                                     \
	"\0\0\0\x0b\0\x09\0\0\x06"                                                                 \
	"a.test"
#define GREASE "\x0a\x0a\0\0"
#define ECH_OUTER "\xfe\x0d\0\x04\0\0\1\0"

static void put(struct buf *b, struct str s)
{
	assert_int_equal(buf_append_str(b, s), 0);
}

static void put_len(struct buf *b, size_t v, int bytes)
{
	while (bytes-- > 0)
		assert_int_equal(buf_append_c(b, (char)(v >> (8 * bytes))), 0);
}

/* The handshake message with these extensions. */
static void put_hello(struct buf *b, struct str extensions, bool has_extensions)
{
	static const char random[32] = "0123456789abcdef0123456789abcde";
	size_t len = 2 + 32 + 1 + 2 + 2 + 2 + (has_extensions ? 2 + extensions.len : 0);

	put_len(b, 1, 1);
	put_len(b, len, 3);
	put(b, STR_LIT("\3\3"));
	put(b, (struct str){ random, sizeof random });
	put(b, STR_LIT("\0"
		       "\0\2\x13\1"
		       "\1\0"));
	if (has_extensions) {
		put_len(b, extensions.len, 2);
		put(b, extensions);
	}
}

/* `message` in records of at most `piece` bytes. */
static void put_records(struct buf *b, struct str message, size_t piece)
{
	while (message.len) {
		size_t n = message.len < piece ? message.len : piece;

		put(b, STR_LIT("\x16\3\1"));
		put_len(b, n, 2);
		put(b, (struct str){ message.p, n });
		message.p += n;
		message.len -= n;
	}
}

static const struct {
	struct str extensions;
	enum sni_result expect;
	const char *name;
} rows[] = {
	{ STR_LIT(""), SNI_ABSENT, NULL },
	{ STR_LIT(GREASE), SNI_ABSENT, NULL },
	{ STR_LIT(ECH_OUTER), SNI_ABSENT, NULL },
	{ STR_LIT(NAME_A ECH_OUTER), SNI_ABSENT, NULL },
	{ STR_LIT(ECH_OUTER NAME_A), SNI_ABSENT, NULL },
	{ STR_LIT(NAME_A "\xff\xce\0\0"), SNI_ABSENT, NULL },
	{ STR_LIT(NAME_A NAME_A), SNI_ABSENT, NULL },
	{ STR_LIT("\0\0\0\x14\0\x12\0\0\x06"
		  "a.test\0\0\x06"
		  "b.test"),
	  SNI_ABSENT, NULL },
	{ STR_LIT("\0\0\0\x0b\0\x09\1\0\x06"
		  "a.test"),
	  SNI_ABSENT, NULL },
	{ STR_LIT("\0\0\0\x0e\0\x0c\0\0\x09"
		  "127.0.0.1"),
	  SNI_ABSENT, NULL },
	{ STR_LIT("\0\0\0\x08\0\x06\0\0\x03"
		  "::1"),
	  SNI_ABSENT, NULL },
	{ STR_LIT("\0\0\0\x0a\0\x08\0\0\x05"
		  "127.1"),
	  SNI_ABSENT, NULL },
	{ STR_LIT("\0\0\0\x0b\0\x09\0\0\x06"
		  "a_t st"),
	  SNI_ABSENT, NULL },
	{ STR_LIT("\0\0\0\x0b\0\x09\0\0\x06"
		  "a.te\0t"),
	  SNI_BAD, NULL },
	{ STR_LIT("\0\0\0\x05\0\x03\0\0\0"), SNI_BAD, NULL },
	{ STR_LIT("\0\0\0\x02\0\0"), SNI_BAD, NULL },
	{ STR_LIT("\0\0\0\0"), SNI_BAD, NULL },
	{ STR_LIT("\0\0\0\x0b\0\x09\0\0\x07"
		  "a.test"),
	  SNI_BAD, NULL },
	{ STR_LIT("\0\0\0\x0b\0\x0a\0\0\x06"
		  "a.test"),
	  SNI_BAD, NULL },
	{ STR_LIT("\0\0\0\x0b\0\x08\0\0\x06"
		  "a.test"),
	  SNI_BAD, NULL },
	{ STR_LIT("\0\0\0\x0c\0\x09\0\0\x06"
		  "a.test"),
	  SNI_BAD, NULL },
	{ STR_LIT("\0\0\0\x0c\0\x09\0\0\x06"
		  "a.testx"),
	  SNI_BAD, NULL },
	{ STR_LIT(NAME_A "\0"), SNI_BAD, NULL },
	{ STR_LIT(NAME_A "\0\1\0"), SNI_BAD, NULL },
	{ STR_LIT(NAME_A "\0\1\0\1"), SNI_BAD, NULL },
	{ STR_LIT(NAME_A), SNI_FOUND, "a.test" },
	{ STR_LIT(GREASE NAME_A "\0\x10\0\5\0\3\2h2" GREASE), SNI_FOUND, "a.test" },
	{ STR_LIT("\0\0\0\x0b\0\x09\0\0\x06"
		  "A.TeSt"),
	  SNI_FOUND, "a.test" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf hello = BUF_INIT(1 << 16), wire = BUF_INIT(1 << 18);

		put_hello(&hello, rows[i].extensions, true);
		for (size_t piece = 1; piece <= buf_len(&hello); piece++) {
			struct host host = { .len = 3, .text = "old" };
			enum sni_result r;

			buf_clear(&wire);
			put_records(&wire, buf_str(&hello), piece);
			for (size_t n = 0; n < buf_len(&wire); n++) {
				r = sni_parse((struct str){ buf_cstr(&wire), n }, &host);
				if (r != SNI_MORE)
					fail_msg("row %zu by %zu, %zu bytes: %d", i, piece, n, r);
			}
			put(&wire, STR_LIT("\x17\3\3 early data"));
			r = sni_parse(buf_str(&wire), &host);
			if (r != rows[i].expect)
				fail_msg("row %zu by %zu: expected %d, got %d", i, piece,
					 rows[i].expect, r);
			assert_string_equal(host.text, rows[i].name ? rows[i].name : "old");
		}
		buf_done(&hello);
		buf_done(&wire);
	}
}

#define RANDOM32 "0123456789abcdef0123456789abcdef"
#define BODY(len, text) STR_LIT("\x16\3\1\0" len "\1\0\0" text)

static const struct {
	struct str in;
	enum sni_result expect;
} raw[] = {
	{ STR_LIT(""), SNI_MORE },
	{ STR_LIT("GET / HTTP/1.1"), SNI_PLAIN },
	{ STR_LIT("SSH-2.0-x"), SNI_PLAIN },
	{ STR_LIT("\x80\x2e\1\3\1"), SNI_PLAIN },
	{ STR_LIT("\x15\3\1\0\2\2\x28"), SNI_PLAIN },
	{ STR_LIT("\x16\2"), SNI_PLAIN },
	{ STR_LIT("\x16"), SNI_MORE },
	{ STR_LIT("\x16\3\1\0"), SNI_MORE },
	{ STR_LIT("\x16\3\5\0\5"), SNI_BAD },
	{ STR_LIT("\x16\3\1\0\0"), SNI_BAD },
	{ STR_LIT("\x16\3\1\x40\1"), SNI_BAD },
	{ STR_LIT("\x16\3\1\0\5\2"), SNI_BAD },		     /* ServerHello */
	{ STR_LIT("\x16\3\1\0\5\1\0\x40\0"), SNI_BAD },	     /* longer than SNI_HELLO_MAX */
	{ STR_LIT("\x16\3\1\0\6\1\0\0\1\0\0"), SNI_BAD },    /* more after the message */
	{ STR_LIT("\x16\3\1\0\1\1\x17\3\3\0\1x"), SNI_BAD }, /* another kind of record inside */
	{ STR_LIT("\x16\3\1\0\1\1\x16\2"), SNI_BAD },
	{ BODY("\x05", "\1x"), SNI_BAD }, /* body of one byte */
	{ BODY("\x2d", "\x29\3\3" RANDOM32 "\0\0\2\x13\1\1\0"), SNI_ABSENT },
	{ BODY("\x2d", "\x29\2\3" RANDOM32 "\0\0\2\x13\1\1\0"), SNI_BAD },
	{ BODY("\x2d", "\x29\3\3" RANDOM32 "\0\0\1\x13\2\1\0"), SNI_BAD }, /* odd ciphers */
	{ BODY("\x2b", "\x27\3\3" RANDOM32 "\0\0\0\1\0"), SNI_BAD },	   /* no ciphers */
	{ BODY("\x2c", "\x28\3\3" RANDOM32 "\0\0\2\x13\1\0"), SNI_BAD },   /* no compression */
	{ BODY("\x2e", "\x2a\3\3" RANDOM32 "\0\0\2\x13\1\1\0\0"), SNI_BAD },
	{ BODY("\x30", "\x2c\3\3" RANDOM32 "\0\0\2\x13\1\1\0\0\0x"), SNI_BAD },
	{ BODY("\x4e", "\x4a\3\3" RANDOM32 "\x21" RANDOM32 "x\0\2\x13\1\1\0"), SNI_BAD },
};

static void test_raw(void **state)
{
	struct host host;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(raw); i++) {
		enum sni_result r = sni_parse(raw[i].in, &host);

		if (r != raw[i].expect)
			fail_msg("raw %zu: expected %d, got %d", i, raw[i].expect, r);
	}
}

/* The record goes on after its message, and only the message has come: as malformed now as later.
 */
static void test_record_longer_than_message(void **state)
{
	struct buf b = BUF_INIT(1024);
	struct host host = { 0 };

	(void)state;
	put(&b, STR_LIT("\x16\3\1\0\x80"));
	put_hello(&b, STR_LIT(NAME_A), true);
	assert_int_equal(sni_parse(buf_str(&b), &host), SNI_BAD);
	put(&b, STR_LIT("more"));
	assert_int_equal(sni_parse(buf_str(&b), &host), SNI_BAD);
	assert_int_equal(host.len, 0);
	buf_done(&b);
}

static void test_limits(void **state)
{
	static char extensions[SNI_HELLO_MAX];
	struct buf hello = BUF_INIT(1 << 16), wire = BUF_INIT(1 << 18);
	size_t len = SNI_HELLO_MAX - 4 - 43 - 5;
	struct host host;

	(void)state;
	/* One padding extension that makes the record exactly as long as is read. */
	extensions[1] = 21;
	extensions[2] = (char)((len - 4) >> 8);
	extensions[3] = (char)(len - 4);
	put_hello(&hello, (struct str){ extensions, len }, true);
	put_records(&wire, buf_str(&hello), 16384);
	assert_int_equal(buf_len(&wire), SNI_HELLO_MAX);
	assert_int_equal(sni_parse(buf_str(&wire), &host), SNI_ABSENT);
	/* Dribbled in records of one byte it is never whole within the limit. */
	buf_clear(&wire);
	put_records(&wire, buf_str(&hello), 1);
	assert_int_equal(sni_parse((struct str){ buf_cstr(&wire), SNI_HELLO_MAX - 1 }, &host),
			 SNI_MORE);
	assert_int_equal(sni_parse((struct str){ buf_cstr(&wire), SNI_HELLO_MAX }, &host), SNI_BAD);
	buf_done(&hello);
	buf_done(&wire);
}

/* Pieces that together are longer than what is put together, before the message is whole. */
static void test_pieces_too_long(void **state)
{
	static const char zeros[16384];
	struct buf b = BUF_INIT(1 << 16);
	struct host host = { 0 };

	(void)state;
	put(&b, STR_LIT("\x16\3\1\0\5\1"));
	put_len(&b, SNI_HELLO_MAX - 4, 3);
	put(&b, STR_LIT("\3\x16\3\1"));
	put_len(&b, sizeof zeros, 2);
	put(&b, (struct str){ zeros, sizeof zeros });
	assert_int_equal(sni_parse(buf_str(&b), &host), SNI_BAD);
	assert_int_equal(host.len, 0);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_record_longer_than_message),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_pieces_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
