/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: what comes out is zeroed, aligned and apart, and without memory it is NULL. */
#include "base/arena.h"

#include "base/own.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* The allocation that fails, from 0; negative: none. */
static long fail_at = -1;
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);

void *__wrap_malloc(size_t n)
{
	return fail_at >= 0 && fail_at-- == 0 ? NULL : __real_malloc(n);
}

static void pieces(void **state)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 100, 8000, 8192, 8193, 100000, 3 };
	struct arena *a = arena_new();
	char *got[100];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(got); i++) {
		size_t n = sizes[i % ARRAY_LEN(sizes)];

		got[i] = arena_alloc(a, n);
		assert_non_null(got[i]);
		assert_int_equal((uintptr_t)got[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(got[i][k], 0);
		memset(got[i], (int)i + 1, n);
	}
	/* None was written over by a later one. */
	for (size_t i = 0; i < ARRAY_LEN(got); i++)
		for (size_t k = 0; k < sizes[i % ARRAY_LEN(sizes)]; k++)
			if (got[i][k] != (char)(i + 1))
				fail_msg("piece %zu, byte %zu", i, k);
	arena_free(a);
	arena_free(NULL);
}

static void too_large(void **state)
{
	static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2, SIZE_MAX / 4 + 1 };
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		assert_null(arena_alloc(a, sizes[i]));
	assert_non_null(arena_alloc(a, 1)); /* and it is still good */
	arena_free(a);
}

static void strings(void **state)
{
	volatile int width = INT_MAX; /* the compiler would warn of it */
	struct arena *a = arena_new();

	(void)state;
	assert_string_equal(arena_str(a, STR_LIT("abc")), "abc");
	assert_string_equal(arena_str(a, (struct str){ "abc", 2 }), "ab");
	assert_string_equal(arena_str(a, STR_NONE), "");
	assert_string_equal(arena_printf(a, "%s-%d", "x", 7), "x-7");
	assert_string_equal(arena_printf(a, "%s", ""), "");
	/* Longer than an int can count. */
	assert_null(arena_printf(a, "%*d%s", width, 1, "x"));
	arena_free(a);
}

static void vectors(void **state)
{
	struct arena *a = arena_new();
	unsigned *v = NULL;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		v = arena_vec(a, v, i, sizeof *v);
		assert_non_null(v);
		v[i] = i;
	}
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(v[i], i);
	assert_null(arena_vec(a, NULL, 0, SIZE_MAX / 8));
	arena_free(a);
}

static void no_memory(void **state)
{
	struct arena *a = arena_new();
	unsigned *v = NULL, *old;

	(void)state;
	fail_at = 0;
	assert_null(arena_alloc(a, 1));
	fail_at = 0;
	assert_null(arena_str(a, STR_LIT("abc")));
	fail_at = 0;
	assert_null(arena_printf(a, "abc"));
	for (unsigned i = 0; i < 2048; i++) {
		v = arena_vec(a, v, i, sizeof *v);
		v[i] = i;
	}
	old = v;
	fail_at = 0;
	assert_null(arena_vec(a, v, 2048, sizeof *v));
	assert_int_equal(old[2047], 2047); /* the old one stays valid */
	fail_at = -1;
	assert_string_equal(arena_str(a, STR_LIT("abc")), "abc");
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces),  cmocka_unit_test(too_large), cmocka_unit_test(strings),
		cmocka_unit_test(vectors), cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
