/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena - memory that is given back all at once.
 *
 * A policy is hundreds of small strings with one life: here they cost one malloc for many and no
 * ownership to get wrong.  Memory comes zeroed.  NULL means without memory; an arena that failed
 * once is still good.
 */
#ifndef STOCKADE_BASE_ARENA_H
#define STOCKADE_BASE_ARENA_H

#include "base/str.h"

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a); /* accepts NULL */
void *arena_alloc(struct arena *a, size_t n);
/* A NUL-terminated copy. */
char *arena_str(struct arena *a, struct str s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for item number `n` of a vector that grows by doubling: returns the (perhaps moved) vector,
 * NULL without memory (the old one stays valid). Keep no capacity: it follows from n. */
void *arena_vec(struct arena *a, void *items, size_t n, size_t item_size);

#endif
