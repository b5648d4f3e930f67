/* SPDX-License-Identifier: Apache-2.0 */
/* arena - see arena.h.  Pure; whoever holds a policy; sizes are bounded by the policy's limits. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* A usual policy with its profiles fits into the first chunk or two. */
#define CHUNK_MIN 8192
#define ALIGN 16u
/* First size of a vector. */
#define VEC_FIRST 8

struct chunk {
	struct chunk *next;
	size_t used, cap;
	_Alignas(ALIGN) char data[];
};

struct arena {
	struct chunk *head;
};

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *a)
{
	struct chunk *c, *next;

	if (!a)
		return;
	for (c = a->head; c; c = next) {
		next = c->next;
		free(c);
	}
	free(a);
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct chunk *c = a->head;
	size_t need, cap;
	void *p;

	if (n > SIZE_MAX / 4)
		return NULL;
	need = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!c || c->cap - c->used < need) {
		cap = need > CHUNK_MIN ? need : CHUNK_MIN;
		c = malloc(sizeof *c + cap);
		if (!c)
			return NULL;
		*c = (struct chunk){ .next = a->head, .cap = cap };
		a->head = c;
	}
	p = c->data + c->used;
	c->used += need;
	return memset(p, 0, n);
}

char *arena_str(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.len + 1);

	if (p && s.len)
		memcpy(p, s.p, s.len);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	p = arena_alloc(a, (size_t)n + 1);
	if (!p)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

void *arena_vec(struct arena *a, void *items, size_t n, size_t item_size)
{
	size_t cap = n ? 2 * n : VEC_FIRST;
	void *grown;

	/* Full exactly when n is 0 or a power of two of at least the first size. */
	if (n != 0 && (n < VEC_FIRST || (n & (n - 1)) != 0))
		return items;
	grown = arena_alloc(a, cap * item_size);
	if (grown && n)
		memcpy(grown, items, n * item_size);
	return grown;
}
