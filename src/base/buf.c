/* SPDX-License-Identifier: Apache-2.0 */
/* buf - see buf.h.  Pure; every process; content may be hostile, lengths are checked here. */
#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The first allocation: most heads and records fit, so that one malloc is all they cost. */
#define BUF_FIRST 512

void buf_done(struct buf *b)
{
	free(b->base);
	*b = BUF_INIT(b->max);
}

void buf_wipe(struct buf *b)
{
	if (b->base)
		explicit_bzero(b->base, b->cap + 1);
	buf_done(b);
}

static void buf_slide(struct buf *b)
{
	memmove(b->base, b->base + b->start, buf_len(b));
	b->end -= b->start;
	b->start = 0;
}

int buf_reserve(struct buf *b, size_t n)
{
	size_t len = buf_len(b), cap;
	char *base;

	if (n > b->max || len > b->max - n)
		return -ENOBUFS;
	if (b->base && b->cap - b->end >= n)
		return 0;
	if (b->base && b->cap - len >= n && b->start >= len) {
		buf_slide(b); /* only when less is moved than was consumed: linear overall */
		return 0;
	}
	cap = b->cap ? b->cap : BUF_FIRST;
	while (cap < len + n)
		cap *= 2;
	if (cap > b->max)
		cap = b->max;
	base = malloc(cap + 1); /* not realloc: a wiped buffer must leave no old copy */
	if (!base)
		return -ENOMEM;
	if (b->base) {
		memcpy(base, b->base + b->start, len);
		explicit_bzero(b->base, b->end);
	}
	base[len] = '\0';
	free(b->base);
	b->base = base;
	b->cap = cap;
	b->start = 0;
	b->end = len;
	return 0;
}

void buf_commit(struct buf *b, size_t n)
{
	assert(n <= b->cap - b->end);
	b->end += n;
	b->base[b->end] = '\0';
}

int buf_append(struct buf *b, const void *p, size_t n)
{
	/* The common case, on every path that writes a head or a record. */
	if (!b->base || b->cap - b->end < n) {
		int r = buf_reserve(b, n);

		if (r < 0)
			return r;
	}
	if (n)
		memcpy(buf_space(b), p, n);
	b->end += n;
	b->base[b->end] = '\0';
	return 0;
}

int buf_append_str(struct buf *b, struct str s)
{
	return buf_append(b, s.p, s.len);
}

int buf_append_c(struct buf *b, char c)
{
	return buf_append(b, &c, 1);
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	va_list ap;
	int n, r;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof small, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -EINVAL;
	if ((size_t)n < sizeof small)
		return buf_append(b, small, (size_t)n);
	r = buf_reserve(b, (size_t)n); /* and there is always room for the NUL */
	if (r < 0)
		return r;
	va_start(ap, fmt);
	vsnprintf(buf_space(b), (size_t)n + 1, fmt, ap);
	va_end(ap);
	buf_commit(b, (size_t)n);
	return 0;
}

void buf_consume(struct buf *b, size_t n)
{
	assert(n <= buf_len(b));
	b->start += n;
	if (b->start == b->end)
		buf_clear(b);
}

void buf_clear(struct buf *b)
{
	b->start = b->end = 0;
	if (b->base)
		b->base[0] = '\0';
}
