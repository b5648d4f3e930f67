/* SPDX-License-Identifier: Apache-2.0 */
/* Host names: one reading only (attack rows N02, N16, N23). */
#include "base/host.h"

#include "base/own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct str bad[] = {
	STR_LIT(""),
	STR_LIT("."),
	STR_LIT(".."),
	STR_LIT(".a"),
	STR_LIT("a.."),
	STR_LIT("a..b"),
	STR_LIT("attacker.test\0.allowed.test"),
	STR_LIT("allowed.test\0"),
	STR_LIT("\0"),
	STR_LIT("a b"),
	STR_LIT(" a"),
	STR_LIT("a "),
	STR_LIT("a\n"),
	STR_LIT("a\r\nb"),
	STR_LIT("a\t"),
	STR_LIT("a%00b"),
	STR_LIT("a%2eb"),
	STR_LIT("a/b"),
	STR_LIT("a\\b"),
	STR_LIT("a:80"),
	STR_LIT("a@b"),
	STR_LIT("user@allowed.test"),
	STR_LIT("a?b"),
	STR_LIT("a#b"),
	STR_LIT("*"),
	STR_LIT("*.a.test"),
	STR_LIT("-a.test"),
	STR_LIT("a-.test"),
	STR_LIT("b\xc3\xbc"
		"cher.test"),
	STR_LIT("a\xe3\x80\x82"
		"test"),	      /* ideographic full stop */
	STR_LIT("\xef\xbd\x81.test"), /* full-width a */
	STR_LIT("a\x7f"),
	STR_LIT("a\x80"),
	STR_LIT("127.1"),
	STR_LIT("127.0.1"),
	STR_LIT("0177.0.0.1"),
	STR_LIT("127.0.0.01"),
	STR_LIT("2130706433"),
	STR_LIT("0x7f000001"),
	STR_LIT("0X7F000001"),
	STR_LIT("0x7f.1"),
	STR_LIT("0x7f.0.0.0x1"),
	STR_LIT("a.0x"),
	STR_LIT("127.0.0.1."),
	STR_LIT("127.0.0.1%00"),
	STR_LIT("1.2.3.4.5"),
	STR_LIT("256.256.256.256"),
	STR_LIT("a.123"),
	STR_LIT("a.123."),
	STR_LIT("["),
	STR_LIT("[]"),
	STR_LIT("[::1"),
	STR_LIT("::1]"),
	STR_LIT("[127.0.0.1]"),
	STR_LIT("[a.test]"),
	STR_LIT("[::1%eth0]"),
	STR_LIT("fe80::1%eth0"),
	STR_LIT("[::1]."),
	STR_LIT("[[::1]]"),
	STR_LIT(L63 "a.test"),
	STR_LIT(L63 "." L63 "." L63 "." L63),
	STR_LIT(L63 "." L63 "." L63 "." L63 "."),
};

static const struct {
	const char *in, *out;
	int family;
} good[] = {
	{ "example.com", "example.com", 0 },
	{ "EXAMPLE.Com", "example.com", 0 },
	{ "example.com.", "example.com", 0 },
	{ "localhost", "localhost", 0 },
	{ "a", "a", 0 },
	{ "_dmarc.a_b.test", "_dmarc.a_b.test", 0 },
	{ "xn--bcher-kva.test", "xn--bcher-kva.test", 0 },
	{ "1.example", "1.example", 0 },
	{ "127.0.0.1.example", "127.0.0.1.example", 0 },
	{ "0x7f.example", "0x7f.example", 0 },
	{ "a.1b", "a.1b", 0 },
	{ "0y", "0y", 0 },
	{ "127.0.0.1", "127.0.0.1", 4 },
	{ "::1", "::1", 6 },
	{ "[::1]", "::1", 6 },
	{ "[::ffff:127.0.0.1]", "127.0.0.1", 4 },
	{ "[2600:0:0:0:0:0:0:1]", "2600::1", 6 },
	{ L63 ".test", L63 ".test", 0 },
};

static void refuses_second_readings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct host h = { .len = 9 };

		if (host_parse(bad[i], &h) != -EINVAL || h.len != 9)
			fail_msg("row %zu '%.*s' must be refused, output untouched", i,
				 STR_FMT(bad[i]));
	}
}

/* Every byte on its own and inside a name: only the grammar passes. */
static void every_byte(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char text[] = { 'a', (char)c, 'b', '.', 't' };
		bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			  (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
		struct host h;

		if ((host_parse((struct str){ text, 5 }, &h) == 0) != ok)
			fail_msg("byte 0x%02x: expected %s", c, ok ? "accepted" : "refused");
	}
}

static void reads_canonically(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct host h;

		if (host_parse(str_from(good[i].in), &h) < 0)
			fail_msg("'%s' must be read", good[i].in);
		if (strcmp(h.text, good[i].out) != 0 || h.len != strlen(good[i].out))
			fail_msg("'%s': got '%s', expected '%s'", good[i].in, h.text, good[i].out);
		assert_int_equal(h.addr.family, good[i].family);
	}
}

static void longest_name(void **state)
{
	char text[HOST_NAME_MAX_LEN + 3];
	struct host h;

	(void)state;
	memset(text, 'a', sizeof text);
	for (size_t i = 63; i < sizeof text; i += 64)
		text[i] = '.';
	assert_int_equal(host_parse((struct str){ text, HOST_NAME_MAX_LEN }, &h), 0);
	assert_int_equal(h.len, HOST_NAME_MAX_LEN);
	assert_int_equal(host_parse((struct str){ text, HOST_NAME_MAX_LEN + 1 }, &h), -EINVAL);
	text[HOST_NAME_MAX_LEN] = '.';
	assert_int_equal(host_parse((struct str){ text, HOST_NAME_MAX_LEN + 1 }, &h), 0);
}

static void patterns(void **state)
{
	static const char *const bad_pattern[] = { "",	   "**",	   "*.",
						   "*.*",  "*a.test",	   "a.*.test",
						   "a.*",  "*.127.0.0.1",  "*.[::1]",
						   "*..a", "*.a.test:443", "a*.test",
						   "*.123" };
	static const struct {
		const char *pattern, *host;
		bool match;
	} rows[] = {
		{ "allowed.test", "allowed.test", true },
		{ "ALLOWED.test.", "Allowed.Test", true },
		{ "allowed.test", "evilallowed.test", false },
		{ "allowed.test", "allowed.test.evil.test", false },
		{ "allowed.test", "sub.allowed.test", false },
		{ "allowed.test", "allowed.tes", false },
		{ "*.allowed.test", "sub.allowed.test", true },
		{ "*.allowed.test", "a.b.allowed.test", true },
		{ "*.allowed.test", "allowed.test", false },
		{ "*.allowed.test", "evilallowed.test", false },
		{ "*.allowed.test", "allowed.test.evil.test", false },
		{ "*.allowed.test", "x.allowed.test.evil.test", false },
		{ "*.test", "a.test", true },
		{ "*.test", "test", false },
		{ "*", "anything.example", true },
		{ "*", "127.0.0.1", false },
		{ "*", "[::1]", false },
		{ "127.0.0.1", "127.0.0.1", true },
		{ "127.0.0.1", "[::ffff:127.0.0.1]", true },
		{ "127.0.0.1", "127.0.0.2", false },
		{ "[::1]", "::1", true },
		{ "::1", "localhost", false },
		{ "localhost", "127.0.0.1", false },
		{ "*.0.0.example", "127.0.0.1", false },
	};
	struct host_pattern p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_pattern); i++)
		if (host_pattern_parse(str_from(bad_pattern[i]), &p) != -EINVAL)
			fail_msg("pattern '%s' must be refused", bad_pattern[i]);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct host h;

		assert_int_equal(host_pattern_parse(str_from(rows[i].pattern), &p), 0);
		assert_int_equal(host_parse(str_from(rows[i].host), &h), 0);
		if (host_pattern_match(&p, &h) != rows[i].match)
			fail_msg("'%s' and '%s': expected %s", rows[i].pattern, rows[i].host,
				 rows[i].match ? "match" : "no match");
	}
}

/* A host that was never filled in matches nothing, and so does a broken pattern. */
static void empty_matches_nothing(void **state)
{
	struct host none = { 0 };
	struct host_pattern any = { .kind = HOST_ANY }, exact = { .kind = HOST_EXACT };
	struct host_pattern suffix = { .kind = HOST_SUFFIX },
			    odd = { .kind = (enum host_pattern_kind)9 };

	(void)state;
	assert_false(host_pattern_match(&any, &none));
	assert_false(host_pattern_match(&exact, &none));
	assert_false(host_pattern_match(&suffix, &none));
	assert_false(host_pattern_match(&odd, &none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_second_readings),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(reads_canonically),
		cmocka_unit_test(longest_name),
		cmocka_unit_test(patterns),
		cmocka_unit_test(empty_matches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
