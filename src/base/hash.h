/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash - SHA-256 (FIPS 180-4), by nettle: it links statically in 20 KB and needs no start-up, which
 * OpenSSL's provider fetch does.  OpenSSL is used where TLS is.
 */
#ifndef STOCKADE_BASE_HASH_H
#define STOCKADE_BASE_HASH_H

#include "base/str.h"

#include <stdint.h>

#define HASH_LEN 32
#define HASH_HEX_LEN 64

void hash_sha256(struct str data, uint8_t ret[static HASH_LEN]);
/* Lower-case hex, NUL-terminated. */
void hash_hex(const uint8_t hash[static HASH_LEN], char ret[static HASH_HEX_LEN + 1]);

#endif
