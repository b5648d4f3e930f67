/* SPDX-License-Identifier: Apache-2.0 */
/* Questions, answers, and the table of made-up addresses. */
#include "net/dns.h"

#include "base/own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const uint8_t key[DNS_NAMES_KEY_LEN] = "0123456789abcde";

/* The allocation that fails, from 0; negative: none. */
static long fail_at = -1;
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t m);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t m);

void *__wrap_malloc(size_t n)
{
	return fail_at >= 0 && fail_at-- == 0 ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t m)
{
	return fail_at >= 0 && fail_at-- == 0 ? NULL : __real_calloc(n, m);
}

#define HEAD(flags, counts) "\x12\x34" flags counts
#define ONE "\0\1\0\0\0\0\0\0"
#define ONE_OPT "\0\1\0\0\0\0\0\1"
#define ATEST "\1a\4test\0"
#define A_IN "\0\1\0\1"
#define OPT "\0\0\x29\x10\0\0\0\0\0\0\0"
#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define Q(text) STR_LIT(HEAD("\1\0", ONE) text)

static const struct {
	struct str in;
	int expect;
	const char *name;
} rows[] = {
	{ STR_LIT(""), -EBADMSG, NULL },
	{ STR_LIT("\x12\x34\1\0\0\1\0\0\0\0\0"), -EBADMSG, NULL },
	{ STR_LIT(HEAD("\x81\0", ONE) ATEST A_IN), -EBADMSG, NULL },
	{ STR_LIT(HEAD("\x29\0", ONE) ATEST A_IN), -DNS_NOTIMP, NULL }, /* UPDATE */
	{ STR_LIT(HEAD("\x08\0", ONE) ATEST A_IN), -DNS_NOTIMP, NULL },
	{ STR_LIT(HEAD("\3\0", ONE) ATEST A_IN), -DNS_FORMERR, NULL }, /* truncated */
	{ STR_LIT(HEAD("\1\0", "\0\0\0\0\0\0\0\0")), -DNS_FORMERR, NULL },
	{ STR_LIT(HEAD("\1\0", "\0\2\0\0\0\0\0\0") ATEST A_IN ATEST A_IN), -DNS_FORMERR, NULL },
	{ STR_LIT(HEAD("\1\0", "\0\1\0\1\0\0\0\0") ATEST A_IN), -DNS_FORMERR, NULL },
	{ STR_LIT(HEAD("\1\0", "\0\1\0\0\0\1\0\0") ATEST A_IN), -DNS_FORMERR, NULL },
	{ Q(""), -DNS_FORMERR, NULL },
	{ Q("\1"), -DNS_FORMERR, NULL },
	{ Q("\1a"), -DNS_FORMERR, NULL },
	{ Q("\1a\4tes"), -DNS_FORMERR, NULL },
	{ Q(ATEST), -DNS_FORMERR, NULL },
	{ Q(ATEST "\0\1\0"), -DNS_FORMERR, NULL },
	{ Q(ATEST A_IN "x"), -DNS_FORMERR, NULL },
	{ Q("\xc0\x0c" A_IN), -DNS_FORMERR, NULL }, /* compression: points at itself */
	{ Q("\1a\xc0\x0c" A_IN), -DNS_FORMERR, NULL },
	{ Q("\x40" L63 "a\0" A_IN), -DNS_FORMERR, NULL },
	{ Q("\x3f" L63 "\x3f" L63 "\x3f" L63 "\x3f" L63 "\0" A_IN), -DNS_FORMERR, NULL },
	{ Q("\x3f" L63 "\x3f" L63 "\x3f" L63 "\x3d"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaa"
	    "\1a\0" A_IN),
	  -DNS_FORMERR, NULL },
	{ Q("\x3f" L63 "\x3f" L63 "\x3f" L63 "\x3e"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaa"
	    "\0" A_IN),
	  -DNS_FORMERR, NULL },			   /* 254 with its dots */
	{ Q(ATEST A_IN OPT), -DNS_FORMERR, NULL }, /* not announced */
	{ STR_LIT(HEAD("\1\0", ONE_OPT) ATEST A_IN), -DNS_FORMERR, NULL },
	{ STR_LIT(HEAD("\1\0", ONE_OPT) ATEST A_IN "\1\0\x29\x10\0\0\0\0\0\0\0"), -DNS_FORMERR,
	  NULL },
	{ STR_LIT(HEAD("\1\0", ONE_OPT) ATEST A_IN "\0\0\xfa\x10\0\0\0\0\0\0\0"), -DNS_FORMERR,
	  NULL }, /* TSIG */
	{ STR_LIT(HEAD("\1\0", ONE_OPT) ATEST A_IN "\0\0\x29\x10\0\0\1\0\0\0\0"), -DNS_FORMERR,
	  NULL }, /* EDNS version 1 */
	{ STR_LIT(HEAD("\1\0", ONE_OPT) ATEST A_IN "\0\0\x29\x10\0\0\0\0\0\0\1"), -DNS_FORMERR,
	  NULL },
	{ STR_LIT(HEAD("\1\0", "\0\1\0\0\0\0\0\2") ATEST A_IN OPT OPT), -DNS_FORMERR, NULL },
	{ Q("\0" A_IN), -DNS_REFUSED, NULL },
	{ Q(ATEST "\0\1\0\3"), -DNS_REFUSED, NULL }, /* CHAOS */
	{ Q("\3a.b\4test\0" A_IN), -DNS_REFUSED, NULL },
	{ Q("\3a\0b\4test\0" A_IN), -DNS_REFUSED, NULL },
	{ Q("\3a b\4test\0" A_IN), -DNS_REFUSED, NULL },
	{ Q("\3a\xc3\xa9\4test\0" A_IN), -DNS_REFUSED, NULL },
	{ Q("\3"
	    "127\1"
	    "0\1"
	    "0\1"
	    "1\0" A_IN),
	  -DNS_REFUSED, NULL },
	{ Q("\3"
	    "127\1"
	    "1\0" A_IN),
	  -DNS_REFUSED, NULL },
	{ Q(ATEST A_IN), 0, "a.test" },
	{ Q("\1A\4TeSt\0\0\x1c\0\1"), 0, "a.test" },
	{ STR_LIT(HEAD("\1\0", ONE_OPT) ATEST A_IN OPT), 0, "a.test" },
	{ STR_LIT(HEAD("\1\0", ONE_OPT) ATEST A_IN "\0\0\x29\x10\0\0\0\x80\0\0\2xx"), 0, "a.test" },
	{ Q("\x3f" L63 "\x3f" L63 "\x3f" L63 "\x3d"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaa"
	    "\0" A_IN),
	  0, L63 "." L63 "." L63 ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
};

static void test_questions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dns_question q = { .id = 7 };
		unsigned char out[DNS_MESSAGE_MAX];
		int r = dns_question_parse(rows[i].in, &q);
		size_t n;

		if (r != rows[i].expect)
			fail_msg("row %zu: expected %d, got %d", i, rows[i].expect, r);
		if (r == -EBADMSG) {
			assert_int_equal(q.id, 7);
			continue;
		}
		assert_int_equal(q.id, 0x1234);
		assert_string_equal(q.name.text, rows[i].name ? rows[i].name : "");
		/* Whatever came, there is an answer with its id and code. */
		n = dns_answer(rows[i].in, &q, (enum dns_rcode) - r, NULL, out);
		assert_true(n >= 12 && n <= DNS_MESSAGE_MAX);
		assert_memory_equal(out, "\x12\x34", 2);
		assert_int_equal(out[2] & 0x80, 0x80);
		assert_int_equal(out[3] & 15, -r);
	}
}

static void test_long_question(void **state)
{
	static char in[DNS_MESSAGE_MAX + 1] = HEAD("\1\0", ONE) ATEST A_IN;
	struct dns_question q;

	(void)state;
	assert_int_equal(dns_question_parse((struct str){ in, sizeof in }, &q), -DNS_FORMERR);
	assert_int_equal(q.question_end, 12);
}

static void test_answers(void **state)
{
	static const char a4[] = "\x12\x34\x85\x80\0\1\0\1\0\0\0\0"
				 "\1A\4test\0" A_IN "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc6\x12\1\1";
	static const char a6[] =
	    "\x12\x34\x84\x80\0\1\0\1\0\0\0\1" ATEST "\0\x1c\0\1"
	    "\xc0\x0c\0\x1c\0\1\0\0\0\x3c\0\x10\xfd\x73\x74\x6f\x63\x6b\x61\x64"
	    "\0\0\0\0\0\0\0\1"
	    "\0\0\x29\2\0\0\0\0\0\0\0";
	static const char nx[] = "\x12\x34\x85\x83\0\1\0\0\0\0\0\0" ATEST A_IN;
	struct str q4 = STR_LIT(HEAD("\1\0", ONE) "\1A\4test\0" A_IN);
	struct str q6 = STR_LIT(HEAD("\0\0", ONE_OPT) ATEST "\0\x1c\0\1" OPT);
	struct str qn = STR_LIT(HEAD("\1\0", ONE) ATEST A_IN);
	struct dns_names *t = dns_names_new(key);
	unsigned char out[DNS_MESSAGE_MAX];
	struct dns_question q;
	struct addr v4, v6;

	(void)state;
	assert_int_equal(dns_question_parse(q4, &q), 0);
	assert_int_equal(dns_names_assign(t, &q.name, &v4, &v6), 0);
	assert_int_equal(dns_answer(q4, &q, DNS_NOERROR, &v4, out), sizeof a4 - 1);
	assert_memory_equal(out, a4, sizeof a4 - 1);
	/* An address of the other family is no answer to this question. */
	assert_int_equal(dns_answer(q4, &q, DNS_NOERROR, &v6, out), q4.len);
	assert_int_equal(dns_question_parse(q6, &q), 0);
	assert_int_equal(dns_answer(q6, &q, DNS_NOERROR, &v6, out), sizeof a6 - 1);
	assert_memory_equal(out, a6, sizeof a6 - 1);
	assert_int_equal(dns_question_parse(qn, &q), 0);
	assert_int_equal(dns_answer(qn, &q, DNS_NXDOMAIN_RC, NULL, out), sizeof nx - 1);
	assert_memory_equal(out, nx, sizeof nx - 1);
	/* A question that could not be read gets a bare head, even with an address. */
	q.question_end = 12;
	assert_int_equal(dns_answer(qn, &q, DNS_FORMERR, &v4, out), 12);
	dns_names_free(t);
}

static struct host name(unsigned i)
{
	struct host h;
	char text[32];

	snprintf(text, sizeof text, "n%u.test", i);
	assert_int_equal(host_parse(str_from(text), &h), 0);
	return h;
}

static void test_table(void **state)
{
	struct dns_names *t = dns_names_new(key);
	struct addr v4, v6, again4, again6;
	struct host h;

	(void)state;
	for (unsigned i = 0; i < DNS_NAMES_MAX; i++) {
		h = name(i);
		assert_int_equal(dns_names_assign(t, &h, &v4, &v6), 0);
		assert_true(dns_names_is_fake(&v4) && dns_names_is_fake(&v6));
		assert_string_equal(dns_names_lookup(t, &v4)->text, h.text);
		assert_ptr_equal(dns_names_lookup(t, &v4), dns_names_lookup(t, &v6));
	}
	h = name(DNS_NAMES_MAX);
	assert_int_equal(dns_names_assign(t, &h, &v4, &v6), -ENOSPC);
	/* The first ones are still where they were. */
	for (unsigned i = 0; i < 100; i++) {
		h = name(i);
		assert_int_equal(dns_names_assign(t, &h, &again4, &again6), 0);
		assert_int_equal(again4.bytes[2], 1);
		assert_int_equal(again4.bytes[3], i + 1);
		assert_string_equal(dns_names_lookup(t, &again6)->text, h.text);
	}
	dns_names_free(t);
	dns_names_free(NULL);
}

/* A name that found no memory has no address, and the table is as good as before. */
static void test_table_no_memory(void **state)
{
	struct addr v4, v6;
	struct dns_names *t;
	unsigned failed = 0;
	struct host h;

	(void)state;
	for (long n = 0; n < 2; n++) {
		fail_at = n;
		assert_null(dns_names_new(key));
	}
	fail_at = -1;
	t = dns_names_new(key);
	for (unsigned i = 0; i < 200; i++) {
		h = name(i);
		for (long n = 0; n < 2; n++) {
			int r;

			fail_at = n;
			r = dns_names_assign(t, &h, &v4, &v6);
			if (r == 0)
				break;
			assert_int_equal(r, -ENOMEM);
			failed++;
		}
		fail_at = -1;
		assert_int_equal(dns_names_assign(t, &h, &v4, &v6), 0);
		assert_string_equal(dns_names_lookup(t, &v4)->text, h.text);
	}
	/* Seven blocks of names and three times more slots; nobody else asked for memory. */
	assert_int_equal(failed, 7 + 3);
	for (unsigned i = 0; i < 200; i++) {
		h = name(i);
		assert_int_equal(dns_names_assign(t, &h, &v4, &v6), 0);
		assert_string_equal(dns_names_lookup(t, &v6)->text, h.text);
	}
	dns_names_free(t);
}

static void test_ranges(void **state)
{
	static const struct {
		const char *text;
		bool fake;
	} addrs[] = {
		{ "198.18.0.1", false },
		{ "198.18.0.255", false },
		{ "198.18.1.0", true },
		{ "198.19.255.255", true },
		{ "198.20.0.0", false },
		{ "127.0.0.1", false },
		{ "fd73:746f:636b:6164::", true },
		{ "fd73:746f:636b:6164:ffff::2", true },
		{ "fd73:746f:636b:6165::1", false },
		{ "::1", false },
	};
	struct dns_names *t = dns_names_new(key);
	struct addr v4, v6, a = { 0 };
	struct host h = name(0);

	(void)state;
	assert_false(dns_names_is_fake(&a));
	assert_int_equal(dns_names_assign(t, &h, &v4, &v6), 0);
	for (size_t i = 0; i < ARRAY_LEN(addrs); i++) {
		assert_int_equal(addr_parse(str_from(addrs[i].text), &a), 0);
		if (dns_names_is_fake(&a) != addrs[i].fake)
			fail_msg("%s: expected %d", addrs[i].text, addrs[i].fake);
		assert_null(dns_names_lookup(t, &a)); /* the one name has .1.1 and ::1 */
	}
	assert_int_equal(addr_parse(STR_LIT("198.18.1.1"), &a), 0);
	assert_non_null(dns_names_lookup(t, &a));
	assert_int_equal(addr_parse(STR_LIT("198.18.1.2"), &a), 0);
	assert_null(dns_names_lookup(t, &a));
	assert_int_equal(addr_parse(STR_LIT("fd73:746f:636b:6164:1::1"), &a), 0);
	assert_null(dns_names_lookup(t, &a));
	assert_int_equal(host_parse(STR_LIT("1.2.3.4"), &h), 0);
	assert_int_equal(dns_names_assign(t, &h, &v4, &v6), -EINVAL);
	h = (struct host){ 0 };
	assert_int_equal(dns_names_assign(t, &h, &v4, &v6), -EINVAL);
	dns_names_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_questions), cmocka_unit_test(test_long_question),
		cmocka_unit_test(test_answers),	  cmocka_unit_test(test_table),
		cmocka_unit_test(test_ranges),	  cmocka_unit_test(test_table_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
