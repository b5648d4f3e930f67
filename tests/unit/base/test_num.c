/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as people write them: every way to be wrong first, and the edges of what fits. */
#include "base/num.h"

#include "base/own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct row {
	const char *text;
	int r;
	uint64_t value;
};

static void check(int (*parse)(struct str, uint64_t *), const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t v = 77;
		int r = parse(str_from(rows[i].text), &v);

		if (r != rows[i].r || v != (r ? 77 : rows[i].value))
			fail_msg("'%s': %d, %llu", rows[i].text, r, (unsigned long long)v);
	}
}

static int parse_u64(struct str s, uint64_t *ret)
{
	return num_parse_u64(s, UINT64_MAX, ret);
}

static int parse_port(struct str s, uint64_t *ret)
{
	return num_parse_u64(s, 65535, ret);
}

static void test_u64(void **state)
{
	static const struct row rows[] = {
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "0x1", -EINVAL, 0 },
		{ "1.", -EINVAL, 0 },
		{ "\xb2", -EINVAL, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999", -ERANGE, 0 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "0", 0, 0 },
		{ "007", 0, 7 },
	};
	static const struct row ports[] = { { "65536", -ERANGE, 0 }, { "65535", 0, 65535 } };

	(void)state;
	check(parse_u64, rows, ARRAY_LEN(rows));
	check(parse_port, ports, ARRAY_LEN(ports));
}

static void test_size(void **state)
{
	static const struct row rows[] = {
		{ "", -EINVAL, 0 },
		{ "K", -EINVAL, 0 },
		{ "1k", -EINVAL, 0 },
		{ "1KB", -EINVAL, 0 },
		{ "1KM", -EINVAL, 0 },
		{ "1.5G", -EINVAL, 0 },
		{ "16777216T", -ERANGE, 0 },
		{ "16777215T", 0, 16777215ULL << 40 },
		{ "0", 0, 0 },
		{ "1K", 0, 1024 },
		{ "100M", 0, 104857600 },
		{ "2G", 0, 2ULL << 30 },
	};

	(void)state;
	check(num_parse_size, rows, ARRAY_LEN(rows));
}

static void test_duration(void **state)
{
	static const struct row rows[] = {
		{ "", -EINVAL, 0 },
		{ "h", -EINVAL, 0 },
		{ "1w", -EINVAL, 0 },
		{ "1hm", -EINVAL, 0 },
		{ "213503982334602d", -ERANGE, 0 },
		{ "30", 0, 30 },
		{ "30s", 0, 30 },
		{ "2m", 0, 120 },
		{ "2h", 0, 7200 },
		{ "1d", 0, 86400 },
	};

	(void)state;
	check(num_parse_duration, rows, ARRAY_LEN(rows));
}

static void test_milli(void **state)
{
	static const struct row rows[] = {
		{ "", -EINVAL, 0 },
		{ ".", -EINVAL, 0 },
		{ ".5", -EINVAL, 0 },
		{ "1.", -EINVAL, 0 },
		{ "1.2345", -EINVAL, 0 },
		{ "1.5.", -EINVAL, 0 },
		{ "1.-5", -EINVAL, 0 },
		{ "1,5", -EINVAL, 0 },
		{ "18446744073709551", -ERANGE, 0 },
		{ "2", 0, 2000 },
		{ "1.5", 0, 1500 },
		{ "0.25", 0, 250 },
		{ "0.001", 0, 1 },
		{ "0", 0, 0 },
	};

	(void)state;
	check(num_parse_milli, rows, ARRAY_LEN(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_milli),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
