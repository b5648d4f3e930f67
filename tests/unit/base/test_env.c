/* SPDX-License-Identifier: Apache-2.0 */
/* Names are found whole, the first one stands, and an empty value is not a missing one. */
#include "base/env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void values(void **state)
{
	char *const env[] = {
		(char *)"HOMES=x",
		(char *)"HOME=/h",
		(char *)"HOME=/later",
		(char *)"EMPTY=",
		(char *)"BARE",
		(char *)"A=b=c",
		NULL,
	};
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "HOME", "/h" }, { "HOM", NULL }, { "OME", NULL },  { "EMPTY", "" },
		{ "BARE", NULL }, { "A", "b=c" },  { "HOMES", "x" }, { "MISSING", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *found = env_value(env, rows[i].name);

		if (!rows[i].value)
			assert_null(found);
		else
			assert_string_equal(found, rows[i].value);
	}
	assert_ptr_equal(env_entry(env, "HOME"), env[1]);
	assert_null(env_entry(NULL, "HOME"));
	assert_null(env_value(NULL, "HOME"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(values) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
