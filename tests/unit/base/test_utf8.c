/* SPDX-License-Identifier: Apache-2.0 */
/* Every form at its edges; what RFC 3629 forbids; text that is cut. */
#include "base/utf8.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void sequences(void **state)
{
	static const struct {
		struct str text;
		size_t len; /* 0: none */
		uint32_t c;
	} rows[] = {
		{ STR_LIT(""), 0, 0 },
		{ STR_LIT("\0"), 1, 0 },
		{ STR_LIT("az"), 1, 'a' },
		{ STR_LIT("\x7f"), 1, 0x7f },
		{ STR_LIT("\x80"), 0, 0 }, /* begins with a continuation */
		{ STR_LIT("\xbf"), 0, 0 },
		{ STR_LIT("\xc0\x80"), 0, 0 }, /* overlong */
		{ STR_LIT("\xc1\xbf"), 0, 0 },
		{ STR_LIT("\xc2\x80"), 2, 0x80 },
		{ STR_LIT("\xdf\xbfz"), 2, 0x7ff },
		{ STR_LIT("\xc2"), 0, 0 }, /* cut */
		{ STR_LIT("\xc2z"), 0, 0 },
		{ STR_LIT("\xc2\xc0"), 0, 0 },
		{ STR_LIT("\xe0\x9f\xbf"), 0, 0 },
		{ STR_LIT("\xe0\xa0\x80"), 3, 0x800 },
		{ STR_LIT("\xe2\x80\xae"), 3, 0x202e },
		{ STR_LIT("\xe2\x80"), 0, 0 },
		{ STR_LIT("\xe2\x80z"), 0, 0 },
		{ STR_LIT("\xed\x9f\xbf"), 3, 0xd7ff },
		{ STR_LIT("\xed\xa0\x80"), 0, 0 }, /* surrogates */
		{ STR_LIT("\xed\xbf\xbf"), 0, 0 },
		{ STR_LIT("\xee\x80\x80"), 3, 0xe000 },
		{ STR_LIT("\xef\xbf\xbf"), 3, 0xffff },
		{ STR_LIT("\xf0\x8f\xbf\xbf"), 0, 0 },
		{ STR_LIT("\xf0\x90\x80\x80"), 4, 0x10000 },
		{ STR_LIT("\xf0\x90\x80"), 0, 0 },
		{ STR_LIT("\xf4\x8f\xbf\xbf"), 4, 0x10ffff },
		{ STR_LIT("\xf4\x90\x80\x80"), 0, 0 }, /* past the last */
		{ STR_LIT("\xf7\xbf\xbf\xbf"), 0, 0 },
		{ STR_LIT("\xf8\x88\x80\x80\x80"), 0, 0 },
		{ STR_LIT("\xff"), 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t c = 0xabcdef;

		assert_int_equal(utf8_read(rows[i].text, &c), rows[i].len);
		assert_int_equal(c, rows[i].len ? rows[i].c : 0xabcdef);
	}
}

static void ranges(void **state)
{
	static const struct utf8_range two[] = { { 5, 5 }, { 7, 9 } };

	(void)state;
	for (uint32_t c = 0; c < 12; c++)
		assert_int_equal(utf8_among(c, two, 2), c == 5 || (c >= 7 && c <= 9));
	assert_false(utf8_among(5, two, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(sequences), cmocka_unit_test(ranges) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
