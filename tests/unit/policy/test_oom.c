/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out: each allocation of read + merge + pack + unpack + show fails in turn, once
 * and for ever after.  Nothing may crash, leak (the counter below; the sanitizer build as well) or
 * end as a policy.
 */
#include "load.h"

#include "base/arena.h"
#include "policy/explain.h"
#include "policy/pack.h"
#include "policy/show.h"

#include <stdio.h>
#include <stdlib.h>

static long countdown = -1, live;
static bool for_ever;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t m);
void __real_free(void *p);
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t m);
void __wrap_free(void *p);
void *__real_arena_alloc(struct arena *a, size_t n);
void *__wrap_arena_alloc(struct arena *a, size_t n);
char *__wrap_arena_str(struct arena *a, struct str s);
char *__real_arena_str(struct arena *a, struct str s);
char *__wrap_arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void *__real_arena_vec(struct arena *a, void *items, size_t n, size_t item_size);
void *__wrap_arena_vec(struct arena *a, void *items, size_t n, size_t item_size);

static bool fails(void)
{
	if (countdown < 0)
		return false;
	if (countdown == 0 || countdown-- == 1) {
		if (!for_ever)
			countdown = -1;
		return true;
	}
	return false;
}

void *__wrap_malloc(size_t n)
{
	void *p = fails() ? NULL : __real_malloc(n);

	live += p != NULL;
	return p;
}

void *__wrap_calloc(size_t n, size_t m)
{
	void *p = fails() ? NULL : __real_calloc(n, m);

	live += p != NULL;
	return p;
}

/* libyaml's, when it is linked statically. */
void *__wrap_realloc(void *p, size_t n)
{
	void *q = fails() ? NULL : __real_realloc(p, n);

	live += q != NULL && p == NULL;
	return q;
}

char *__wrap_strdup(const char *s)
{
	char *p = fails() ? NULL : __real_strdup(s);

	live += p != NULL;
	return p;
}

void __wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

/* An arena asks malloc() now and then only: here every single piece of it can fail. */
void *__wrap_arena_alloc(struct arena *a, size_t n)
{
	return fails() ? NULL : __real_arena_alloc(a, n);
}

char *__wrap_arena_str(struct arena *a, struct str s)
{
	return fails() ? NULL : __real_arena_str(a, s);
}

char *__wrap_arena_printf(struct arena *a, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return fails() ? NULL : __real_arena_str(a, str_from(text));
}

void *__wrap_arena_vec(struct arena *a, void *items, size_t n, size_t item_size)
{
	return fails() ? NULL : __real_arena_vec(a, items, n, item_size);
}

static const struct test_layer layers[] = {
	{ "network: { deny: [a.test], only_managed: false }\nlimits: { pids: 9 }\n", "m",
	  SOURCE_MANAGED, false },
	{ "extends: node\nnetwork: { allow: [evil.test] }\nenvironment: { set: { A: b } }\n"
	  "credentials: { d: { from: env:D, header: 'a: {}' } }\nsockets: { unix: [/t] }\n"
	  "filesystem: { write: [~/w] }\nlimits: { tmp: 900G }\n",
	  "p", SOURCE_PROJECT, true },
	{ "extends: [claude-code, python]\nfilesystem: { read: [~/x], hide: [./y] }\n"
	  "network:\n  allow:\n    - { host: b.test, ports: [1,2,3,4,5,6,7,8,9,10], methods: "
	  "[GET],\n"
	  "        paths: [/a], addresses: [10.0.0.0/8] }\n"
	  "    - { host: c.test, credential: c, upstream: '[::1]:1' }\n"
	  "credentials: { c: { from: 'file:/f', header: 'A: b {} c', placeholder_env: P } }\n"
	  "environment: { pass: [Q] }\n"
	  "sockets: { unix: [/s] }\n",
	  "u", SOURCE_USER, false },
};

static int all_of_it(void)
{
	struct buf packed = BUF_INIT(POLICY_PACK_MAX), text = BUF_INIT(1u << 20);
	struct intent in = { .kind = INTENT_CONNECT, .port = 443 };
	struct policy p, copy;
	struct err e = ERR_INIT;
	/* Whoever does not ask for the reason gets the same code. */
	int r = load_layers(layers, 3, &p, for_ever ? NULL : &e);

	if (r < 0) {
		assert_int_equal(r, -ENOMEM);
		return r;
	}
	r = policy_pack(&p, &packed);
	if (r == 0)
		r = show_yaml(&p, &text);
	if (r == 0)
		r = show_check_json(&p, NULL, &text);
	if (r == 0)
		r = host_parse(STR_LIT("x.test"), &in.host);
	if (r == 0)
		r = explain_text(&p, &in, &text);
	if (r == 0)
		r = explain_json(&p, &in, &text);
	if (r == 0) {
		r = policy_unpack(buf_str(&packed), &copy, &e);
		if (r == 0)
			policy_done(&copy);
	}
	policy_done(&p);
	buf_done(&packed);
	buf_done(&text);
	return r;
}

static void every_allocation(void **state)
{
	(void)state;
	for (int ever = 0; ever < 2; ever++) {
		long n = 1, before = live;

		for (;; n++) {
			int r;

			for_ever = ever;
			countdown = n;
			r = all_of_it();
			if (live != before)
				fail_msg("allocation %ld: %ld blocks leaked", n, live - before);
			if (countdown > 0) { /* more allocations than there are */
				assert_int_equal(r, 0);
				break;
			}
			if (r != -ENOMEM)
				fail_msg("allocation %ld failed, and the result was %d", n, r);
		}
		countdown = -1;
		assert_true(n > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_allocation) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
