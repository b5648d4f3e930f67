/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean": distances, and when nothing is near enough to be suggested. */
#include "base/nearest.h"

#include "base/own.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_distance(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned d;
	} cases[] = {
		{ "", "", 0 },		 { "", "ab", 2 },      { "ab", "", 2 },
		{ "run", "run", 0 },	 { "run", "rnu", 1 },  { "run", "urn", 1 },
		{ "run", "ran", 1 },	 { "run", "rune", 1 }, { "kitten", "sitting", 3 },
		{ "chekc", "check", 1 }, { "ca", "abc", 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(nearest_distance(str_from(cases[i].a), str_from(cases[i].b)),
				 cases[i].d);
}

static void test_too_long(void **state)
{
	static const char longest[] =
	    "0123456789012345678901234567890123456789012345678901234567890123";

	(void)state;
	assert_int_equal(sizeof longest - 1, NEAREST_WORD_MAX + 1);
	assert_int_equal(nearest_distance(str_from(longest), STR_LIT("a")), UINT_MAX);
	assert_int_equal(nearest_distance(STR_LIT("a"), str_from(longest)), UINT_MAX);
	assert_int_equal(nearest_distance(str_from(longest + 1), str_from(longest + 1)), 0);
}

static void test_offer(void **state)
{
	static const struct {
		const char *word, *best;
	} cases[] = {
		{ "netwrok", "network" }, { "netork", "network" }, { "sockets", "sockets" },
		{ "xyz", NULL },	  { "ne", NULL },	   { "limts", "limits" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct nearest n = NEAREST_INIT(str_from(cases[i].word));

		nearest_offer(&n, "network");
		nearest_offer(&n, "sockets");
		nearest_offer(&n, "limits");
		if (cases[i].best)
			assert_string_equal(n.best, cases[i].best);
		else
			assert_null(n.best);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_offer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
