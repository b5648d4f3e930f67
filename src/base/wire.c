/* SPDX-License-Identifier: Apache-2.0 */
/* wire - see wire.h.  Pure; runs in every role; input may be hostile (a role that was taken over).
 */
#include "base/wire.h"

#include <errno.h>

static void put(struct buf *b, int *error, const void *p, size_t n)
{
	if (*error == 0)
		*error = buf_append(b, p, n);
}

void wire_u8(struct buf *b, int *error, uint8_t v)
{
	put(b, error, &v, sizeof v);
}

void wire_u16(struct buf *b, int *error, uint16_t v)
{
	put(b, error, &v, sizeof v);
}

void wire_u32(struct buf *b, int *error, uint32_t v)
{
	put(b, error, &v, sizeof v);
}

void wire_u64(struct buf *b, int *error, uint64_t v)
{
	put(b, error, &v, sizeof v);
}

void wire_str(struct buf *b, int *error, struct str s)
{
	if (s.len > UINT32_MAX) {
		*error = -EMSGSIZE;
		return;
	}
	wire_u32(b, error, (uint32_t)s.len);
	put(b, error, s.p, s.len);
}

void wire_addr(struct buf *b, int *error, const struct addr *a)
{
	wire_u8(b, error, a->family);
	put(b, error, a->bytes, sizeof a->bytes);
}

static struct str take(struct wire_in *in, size_t n)
{
	struct str got;

	if (in->bad || in->rest.len < n) {
		in->bad = true;
		return STR_NONE;
	}
	got = (struct str){ in->rest.p, n };
	in->rest.p += n;
	in->rest.len -= n;
	return got;
}

static void take_value(struct wire_in *in, void *ret, size_t n)
{
	struct str got = take(in, n);

	memset(ret, 0, n);
	if (got.p)
		memcpy(ret, got.p, n);
}

uint8_t wire_get_u8(struct wire_in *in)
{
	uint8_t v;

	take_value(in, &v, sizeof v);
	return v;
}

uint16_t wire_get_u16(struct wire_in *in)
{
	uint16_t v;

	take_value(in, &v, sizeof v);
	return v;
}

uint32_t wire_get_u32(struct wire_in *in)
{
	uint32_t v;

	take_value(in, &v, sizeof v);
	return v;
}

uint64_t wire_get_u64(struct wire_in *in)
{
	uint64_t v;

	take_value(in, &v, sizeof v);
	return v;
}

struct str wire_get_str(struct wire_in *in, size_t max)
{
	uint32_t n = wire_get_u32(in);

	if (n > max)
		in->bad = true;
	return take(in, n);
}

void wire_get_addr(struct wire_in *in, struct addr *ret)
{
	ret->family = wire_get_u8(in);
	take_value(in, ret->bytes, sizeof ret->bytes);
	if (ret->family != 0 && ret->family != 4 && ret->family != 6)
		in->bad = true;
}

int wire_in_done(const struct wire_in *in)
{
	return in->bad || in->rest.len ? -EBADMSG : 0;
}
