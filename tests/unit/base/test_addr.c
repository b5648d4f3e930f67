/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses: every text that some reader takes for another place is refused, and every place that
 * is not the public internet is known as such (attack rows N16-N19). */
#include "base/addr.h"

#include "base/own.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char *const bad_addr[] = {
	"",
	" ",
	"1",
	"127.1",
	"127.0.1",
	"0x7f.0.0.1",
	"0x7f000001",
	"2130706433",
	"0177.0.0.1",
	"017700000001",
	"127.0.0.01",
	"127.0.0.1.",
	".127.0.0.1",
	"127..0.1",
	"127.0.0.1 ",
	" 127.0.0.1",
	"127.0.0.1%00",
	"127.0.0.1/8",
	"256.0.0.1",
	"1.2.3.4.5",
	"1.2.3.-4",
	"1.2.3.+4",
	"1.2.3.4a",
	"1.2.3.1000",
	":",
	":::",
	"1::2::3",
	"::1%eth0",
	"fe80::1%eth0",
	"[::1]",
	"12345::",
	"g::",
	"1:2:3:4:5:6:7",
	"1:2:3:4:5:6:7:8:9",
	"1:2:3:4:5:6:7:8::",
	"::1:2:3:4:5:6:7:8",
	":1::2",
	"1::2:",
	"1:2:3:4:5:6:7:",
	"1.2.3.4::",
	"::1.2.3",
	"::1.2.3.4:5",
	"::1.2.3.04",
	"::256.1.1.1",
	"1:2:3:4:5:6:7:1.2.3.4",
	"::ffff:127.0.0.1%lo",
	"0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0",
	"::-1",
	"::0x1",
	"1 ::",
};

struct good {
	const char *in, *out;
	enum addr_class class;
};

static const struct good good_addr[] = {
	{ "0.0.0.0", "0.0.0.0", ADDR_UNSPECIFIED },
	{ "0.1.2.3", "0.1.2.3", ADDR_UNSPECIFIED },
	{ "127.0.0.1", "127.0.0.1", ADDR_LOOPBACK },
	{ "127.255.255.254", "127.255.255.254", ADDR_LOOPBACK },
	{ "128.0.0.1", "128.0.0.1", ADDR_PUBLIC },
	{ "126.255.255.255", "126.255.255.255", ADDR_PUBLIC },
	{ "10.0.0.0", "10.0.0.0", ADDR_PRIVATE },
	{ "9.255.255.255", "9.255.255.255", ADDR_PUBLIC },
	{ "11.0.0.0", "11.0.0.0", ADDR_PUBLIC },
	{ "172.15.255.255", "172.15.255.255", ADDR_PUBLIC },
	{ "172.16.0.0", "172.16.0.0", ADDR_PRIVATE },
	{ "172.31.255.255", "172.31.255.255", ADDR_PRIVATE },
	{ "172.32.0.0", "172.32.0.0", ADDR_PUBLIC },
	{ "192.168.1.1", "192.168.1.1", ADDR_PRIVATE },
	{ "169.254.0.1", "169.254.0.1", ADDR_LINK_LOCAL },
	{ "169.254.169.254", "169.254.169.254", ADDR_METADATA },
	{ "169.254.170.2", "169.254.170.2", ADDR_METADATA },
	{ "100.100.100.200", "100.100.100.200", ADDR_METADATA },
	{ "168.63.129.16", "168.63.129.16", ADDR_METADATA },
	{ "192.0.0.192", "192.0.0.192", ADDR_METADATA },
	{ "100.64.0.1", "100.64.0.1", ADDR_SHARED },
	{ "100.127.255.255", "100.127.255.255", ADDR_SHARED },
	{ "100.63.255.255", "100.63.255.255", ADDR_PUBLIC },
	{ "100.128.0.0", "100.128.0.0", ADDR_PUBLIC },
	{ "198.18.0.1", "198.18.0.1", ADDR_RESERVED },
	{ "198.19.255.255", "198.19.255.255", ADDR_RESERVED },
	{ "198.20.0.0", "198.20.0.0", ADDR_PUBLIC },
	{ "192.0.0.1", "192.0.0.1", ADDR_RESERVED },
	{ "192.0.2.1", "192.0.2.1", ADDR_RESERVED },
	{ "192.88.99.1", "192.88.99.1", ADDR_RESERVED },
	{ "198.51.100.1", "198.51.100.1", ADDR_RESERVED },
	{ "203.0.113.1", "203.0.113.1", ADDR_RESERVED },
	{ "224.0.0.251", "224.0.0.251", ADDR_MULTICAST },
	{ "239.255.255.250", "239.255.255.250", ADDR_MULTICAST },
	{ "240.0.0.1", "240.0.0.1", ADDR_RESERVED },
	{ "255.255.255.254", "255.255.255.254", ADDR_RESERVED },
	{ "255.255.255.255", "255.255.255.255", ADDR_BROADCAST },
	{ "8.8.8.8", "8.8.8.8", ADDR_PUBLIC },
	{ "::", "::", ADDR_UNSPECIFIED },
	{ "::1", "::1", ADDR_LOOPBACK },
	{ "0:0:0:0:0:0:0:1", "::1", ADDR_LOOPBACK },
	{ "::2", "::2", ADDR_EMBEDDED },
	{ "::7f00:1", "::7f00:1", ADDR_EMBEDDED },
	{ "::127.0.0.1", "::7f00:1", ADDR_EMBEDDED },
	{ "::ffff:127.0.0.1", "127.0.0.1", ADDR_LOOPBACK },
	{ "::FFFF:7f00:1", "127.0.0.1", ADDR_LOOPBACK },
	{ "::ffff:169.254.169.254", "169.254.169.254", ADDR_METADATA },
	{ "::ffff:8.8.8.8", "8.8.8.8", ADDR_PUBLIC },
	{ "::ffff:0:8.8.8.8", "::ffff:0:808:808", ADDR_EMBEDDED },
	{ "64:ff9b::a9fe:a9fe", "64:ff9b::a9fe:a9fe", ADDR_EMBEDDED },
	{ "64:ff9b::8.8.8.8", "64:ff9b::808:808", ADDR_EMBEDDED },
	{ "64:ff9b:1::1", "64:ff9b:1::1", ADDR_EMBEDDED },
	{ "2002:a9fe:a9fe::", "2002:a9fe:a9fe::", ADDR_EMBEDDED },
	{ "2001:0:1::", "2001:0:1::", ADDR_EMBEDDED },
	{ "2001:db8::1", "2001:db8::1", ADDR_RESERVED },
	{ "2001:2::1", "2001:2::1", ADDR_RESERVED },
	{ "3fff::1", "3fff::1", ADDR_RESERVED },
	{ "fe80::1", "fe80::1", ADDR_LINK_LOCAL },
	{ "febf::1", "febf::1", ADDR_LINK_LOCAL },
	{ "fec0::1", "fec0::1", ADDR_PRIVATE },
	{ "fc00::1", "fc00::1", ADDR_PRIVATE },
	{ "fdff::1", "fdff::1", ADDR_PRIVATE },
	{ "fd00:ec2::254", "fd00:ec2::254", ADDR_METADATA },
	{ "fd00:ec2::23", "fd00:ec2::23", ADDR_METADATA },
	{ "fd20:ce::254", "fd20:ce::254", ADDR_METADATA },
	{ "ff02::fb", "ff02::fb", ADDR_MULTICAST },
	{ "100::1", "100::1", ADDR_RESERVED },
	{ "5f00::1", "5f00::1", ADDR_RESERVED },
	{ "4000::1", "4000::1", ADDR_RESERVED },
	{ "2606:4700:4700::1111", "2606:4700:4700::1111", ADDR_PUBLIC },
	{ "2001:4860:4860::8888", "2001:4860:4860::8888", ADDR_PUBLIC },
	{ "2600:0:0:1:0:0:0:1", "2600:0:0:1::1", ADDR_PUBLIC },
	{ "2600:1:0:1:1:1:1:1", "2600:1:0:1:1:1:1:1", ADDR_PUBLIC },
	{ "2600:0:0:1:1:0:0:1", "2600::1:1:0:0:1", ADDR_PUBLIC },
	{ "2600:1:2:3:4:5:6::", "2600:1:2:3:4:5:6:0", ADDR_PUBLIC },
	{ "2600:ABCD::", "2600:abcd::", ADDR_PUBLIC },
};

static void refuses_what_others_guess(void **state)
{
	struct addr a = { .family = 77 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_addr); i++)
		if (addr_parse(str_from(bad_addr[i]), &a) != -EINVAL || a.family != 77)
			fail_msg("'%s' must be refused and leave the output alone", bad_addr[i]);
	assert_int_equal(addr_parse(STR_LIT("127.0.0.1\0"), &a), -EINVAL);
	assert_int_equal(addr_parse(STR_LIT("::1\0"), &a), -EINVAL);
}

static void reads_formats_and_classifies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good_addr); i++) {
		const struct good *g = &good_addr[i];
		char text[ADDR_TEXT_MAX];
		struct addr a, again;

		if (addr_parse(str_from(g->in), &a) < 0)
			fail_msg("'%s' must be read", g->in);
		if (strcmp(addr_format(&a, text), g->out) != 0)
			fail_msg("'%s': wrote '%s', expected '%s'", g->in, text, g->out);
		if (addr_classify(&a) != g->class)
			fail_msg("'%s' is %s, expected %s", g->in,
				 addr_class_name(addr_classify(&a)), addr_class_name(g->class));
		assert_int_equal(addr_parse(str_from(text), &again), 0);
		assert_true(addr_eq(&a, &again));
	}
}

/* The C library is the judge: what we accept it accepts, with the same bytes. */
static void agrees_with_inet_pton(void **state)
{
	static const char alphabet[] = "0123.:af";
	unsigned seed = 1;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		char text[24];
		uint8_t bytes[16];
		struct addr a, b;
		size_t n;
		int family;

		seed = seed * 1103515245u + 12345u;
		n = seed >> 16 & 15;
		for (size_t j = 0; j < n; j++) {
			seed = seed * 1103515245u + 12345u;
			text[j] = alphabet[seed >> 16 & 7];
		}
		text[n] = '\0';
		family = strchr(text, ':') ? AF_INET6 : AF_INET;
		if ((inet_pton(family, text, bytes) == 1) != (addr_parse(str_from(text), &a) == 0))
			fail_msg("'%s': the C library disagrees", text);
		if (addr_parse(str_from(text), &a) < 0)
			continue;
		assert_int_equal(addr_from_bytes(bytes, family == AF_INET ? 4 : 16, &b), 0);
		assert_true(addr_eq(&a, &b));
	}
}

static void bytes(void **state)
{
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 127, 0, 0, 1 };
	struct addr a = { 0 }, four;

	(void)state;
	assert_int_equal(addr_from_bytes(mapped, 15, &a), -EINVAL);
	assert_int_equal(addr_from_bytes(mapped, 0, &a), -EINVAL);
	assert_int_equal(addr_from_bytes(mapped, 16, &a), 0);
	assert_int_equal(a.family, 4);
	assert_int_equal(addr_parse(STR_LIT("127.0.0.1"), &four), 0);
	assert_true(addr_eq(&a, &four));
	a.bytes[9] = 1; /* beyond the four that count */
	assert_true(addr_eq(&a, &four));
	a.family = 6;
	assert_false(addr_eq(&a, &four));
	a = (struct addr){ 0 };
	assert_int_equal(addr_classify(&a), ADDR_UNSPECIFIED);
	/* A mapped address that somebody filled in by hand is still no public one. */
	a.family = 6;
	memcpy(a.bytes, mapped, 16);
	assert_int_equal(addr_classify(&a), ADDR_EMBEDDED);
	assert_string_equal(addr_class_name((enum addr_class)99), "unknown");
	char text[ADDR_TEXT_MAX];
	a.family = 0;
	assert_string_equal(addr_format(&a, text), "none");
}

static void blocks(void **state)
{
	static const char *const bad[] = { "",
					   "10.0.0.0/",
					   "10.0.0.0/33",
					   "10.0.0.1/8",
					   "10.0.0.0/08",
					   "10.0.0.0/-1",
					   "10.0.0.0/8/8",
					   "/8",
					   "fd00::1/8",
					   "::/129",
					   "10.0.0.0/8 ",
					   "10/8",
					   "::ffff:10.0.0.0/104",
					   "0.0.0.1/31",
					   "10.0.0.0/+8" };
	static const struct {
		const char *block, *in, *out;
	} good[] = {
		{ "10.0.0.0/8", "10.255.0.1", "11.0.0.0" },
		{ "10.0.0.0/8", "10.0.0.0", "a00::" },
		{ "0.0.0.0/0", "8.8.8.8", "::1" },
		{ "::/0", "2600::1", "8.8.8.8" },
		{ "127.0.0.1", "127.0.0.1", "127.0.0.2" },
		{ "::1", "::1", "::2" },
		{ "192.0.2.128/25", "192.0.2.255", "192.0.2.127" },
		{ "fd00::/8", "fdff::1", "fc00::1" },
		{ "fe80::/10", "febf::1", "fec0::1" },
		{ "::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2" },
	};
	struct addr_block b;
	struct addr a, none = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (addr_block_parse(str_from(bad[i]), &b) != -EINVAL)
			fail_msg("block '%s' must be refused", bad[i]);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		if (addr_block_parse(str_from(good[i].block), &b) < 0)
			fail_msg("block '%s' must be read", good[i].block);
		assert_int_equal(addr_parse(str_from(good[i].in), &a), 0);
		if (!addr_block_has(&b, &a))
			fail_msg("%s must hold %s", good[i].block, good[i].in);
		assert_int_equal(addr_parse(str_from(good[i].out), &a), 0);
		if (addr_block_has(&b, &a))
			fail_msg("%s must not hold %s", good[i].block, good[i].out);
		assert_false(addr_block_has(&b, &none));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_others_guess),
		cmocka_unit_test(reads_formats_and_classifies),
		cmocka_unit_test(agrees_with_inet_pton),
		cmocka_unit_test(bytes),
		cmocka_unit_test(blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
