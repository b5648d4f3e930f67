/* SPDX-License-Identifier: Apache-2.0 */
/* utf8 - one character at a time (RFC 3629: no overlong form, no surrogate, at most U+10FFFF). */
#ifndef STOCKADE_BASE_UTF8_H
#define STOCKADE_BASE_UTF8_H

#include "base/str.h"

#include <stdint.h>

/* Length of the sequence that `s` begins with, 0 when it begins with none. */
size_t utf8_read(struct str s, uint32_t *ret);

struct utf8_range {
	uint32_t low, high; /* inclusive */
};

bool utf8_among(uint32_t c, const struct utf8_range *ranges, size_t n);

#endif
