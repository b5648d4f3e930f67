/* SPDX-License-Identifier: Apache-2.0 */
/*
 * num - numbers as people write them.  All refuse signs, spaces, trailing text and overflow with
 * -EINVAL or -ERANGE and leave the output untouched.
 */
#ifndef STOCKADE_BASE_NUM_H
#define STOCKADE_BASE_NUM_H

#include "base/str.h"

#include <stdint.h>

/* Decimal digits only. */
int num_parse_u64(struct str s, uint64_t max, uint64_t *ret);
/* Bytes: digits and one of K M G T (powers of 1024) or nothing. "100M" = 104857600. */
int num_parse_size(struct str s, uint64_t *ret_bytes);
/* Seconds: digits and one of s m h d or nothing (seconds). "2h" = 7200. */
int num_parse_duration(struct str s, uint64_t *ret_seconds);
/* A count with at most three decimals: "1.5" = 1500, "2" = 2000. For cpus. */
int num_parse_milli(struct str s, uint64_t *ret_milli);

#endif
