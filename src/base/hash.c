/* SPDX-License-Identifier: Apache-2.0 */
/* hash - see hash.h.  Pure. */
#include "base/hash.h"

#include <nettle/sha2.h>

void hash_sha256(struct str data, uint8_t ret[static HASH_LEN])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, data.len, (const uint8_t *)data.p);
	sha256_digest(&ctx, HASH_LEN, ret);
}

void hash_hex(const uint8_t hash[static HASH_LEN], char ret[static HASH_HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < HASH_LEN; i++) {
		ret[2 * i] = digits[hash[i] >> 4];
		ret[2 * i + 1] = digits[hash[i] & 15];
	}
	ret[HASH_HEX_LEN] = '\0';
}
