/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf - the one growing byte buffer, with a hard maximum.
 *
 * Bytes are appended at the end and consumed at the front.  Growing past `max`, or without memory,
 * fails with -ENOBUFS or -ENOMEM and leaves the content as it was.  The content is always followed
 * by a NUL that is not counted, so that text can be handed to C functions.
 */
#ifndef STOCKADE_BASE_BUF_H
#define STOCKADE_BASE_BUF_H

#include "base/str.h"

#include <stddef.h>

struct buf {
	char *base;   /* heap, owned */
	size_t start; /* first byte not consumed */
	size_t end;   /* one past the last byte */
	size_t cap;
	size_t max; /* most bytes ever held */
};

#define BUF_INIT(limit) ((struct buf){ .max = (limit) })

void buf_done(struct buf *b);
/* Zeroes the memory before it is freed: for what held a secret. */
void buf_wipe(struct buf *b);
/* Makes room for `n` more bytes at the end. */
int buf_reserve(struct buf *b, size_t n);
int buf_append(struct buf *b, const void *p, size_t n);
int buf_append_str(struct buf *b, struct str s);
int buf_append_c(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static inline size_t buf_len(const struct buf *b)
{
	return b->end - b->start;
}

static inline struct str buf_str(const struct buf *b)
{
	return b->base ? (struct str){ b->base + b->start, buf_len(b) } : STR_NONE;
}

/* NUL-terminated content; "" when empty. */
static inline const char *buf_cstr(const struct buf *b)
{
	return b->base ? b->base + b->start : "";
}

/* Writable space after the end: reserve first, fill, then buf_commit(). */
static inline char *buf_space(struct buf *b)
{
	return b->base + b->end;
}

void buf_commit(struct buf *b, size_t n);
/* Drops `n` bytes (at most all) from the front. */
void buf_consume(struct buf *b, size_t n);
/* Drops everything, keeps the memory. */
void buf_clear(struct buf *b);

#endif
