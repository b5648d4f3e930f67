/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire - fields of a message, in host byte order: u8, u16, u32, u64, and strings with a u32 length.
 *
 * Both ends are the same machine and the same build.  Errors stick: put all, check once; get all,
 * then wire_in_done() says whether every field was there and nothing was left over.
 */
#ifndef STOCKADE_BASE_WIRE_H
#define STOCKADE_BASE_WIRE_H

#include "base/addr.h"
#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct wire_in {
	struct str rest;
	bool bad;
};

void wire_u8(struct buf *b, int *error, uint8_t v);
void wire_u16(struct buf *b, int *error, uint16_t v);
void wire_u32(struct buf *b, int *error, uint32_t v);
void wire_u64(struct buf *b, int *error, uint64_t v);
void wire_str(struct buf *b, int *error, struct str s);
void wire_addr(struct buf *b, int *error, const struct addr *a);

/* Out of data: returns 0 / empty and marks `in` bad. */
uint8_t wire_get_u8(struct wire_in *in);
uint16_t wire_get_u16(struct wire_in *in);
uint32_t wire_get_u32(struct wire_in *in);
uint64_t wire_get_u64(struct wire_in *in);
/* A slice of the message, at most `max` bytes; longer marks bad. */
struct str wire_get_str(struct wire_in *in, size_t max);
void wire_get_addr(struct wire_in *in, struct addr *ret);
/* 0, or -EBADMSG. */
int wire_in_done(const struct wire_in *in);

#endif
