/* SPDX-License-Identifier: Apache-2.0 */
/*
 * addr - IP addresses and blocks as values, and what kind of place an address is.
 *
 * IPv4 is held as itself (family 4), never as an IPv4-mapped IPv6 address: addr_from_bytes() and
 * addr_parse() turn mapped, and classify looks through NAT64 and 6to4, so one place has one name.
 */
#ifndef STOCKADE_BASE_ADDR_H
#define STOCKADE_BASE_ADDR_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct addr {
	uint8_t family;	   /* 4 or 6, 0 = none */
	uint8_t bytes[16]; /* network order; family 4 uses the first 4 */
};

struct addr_block {
	struct addr base;
	uint8_t prefix; /* bits, 0..32 or 0..128 */
};

/* IANA special-purpose registries (RFC 6890 and successors); everything but PUBLIC is refused
 * unless a rule names the address. */
enum addr_class {
	ADDR_PUBLIC,
	ADDR_UNSPECIFIED, /* 0.0.0.0/8, :: */
	ADDR_LOOPBACK,	  /* 127/8, ::1 */
	ADDR_PRIVATE,	  /* RFC 1918, fc00::/7, fec0::/10 */
	ADDR_LINK_LOCAL,  /* 169.254/16, fe80::/10 */
	ADDR_METADATA,	  /* 169.254.169.254, 169.254.170.2, fd00:ec2::254, 100.100.100.200 ... */
	ADDR_SHARED,	  /* CGNAT 100.64/10 */
	ADDR_MULTICAST,	  /* 224/4, ff00::/8 */
	ADDR_BROADCAST,	  /* 255.255.255.255 */
	ADDR_RESERVED,	  /* 240/4, 192.0.0/24, documentation, benchmarking 198.18/15, ... */
	ADDR_EMBEDDED,	  /* NAT64 64:ff9b::/96 and 64:ff9b:1::/48, 6to4, Teredo, IPv4-compatible */
};

/* Long enough for any address in text with NUL. */
#define ADDR_TEXT_MAX 46

/* `n` is 4 or 16; an IPv4-mapped ::ffff:0:0/96 becomes family 4. */
int addr_from_bytes(const uint8_t *p, size_t n, struct addr *ret);
/* Strict literals only: dotted quad of four plain decimals (no octal, hex, short forms), or RFC
 * 4291 text without zone.  -EINVAL otherwise. */
int addr_parse(struct str s, struct addr *ret);
/* "10.0.0.0/8", "::1", "fd00::/8"; bits beyond the prefix must be zero. */
int addr_block_parse(struct str s, struct addr_block *ret);
bool addr_block_has(const struct addr_block *b, const struct addr *a);
bool addr_eq(const struct addr *a, const struct addr *b);
enum addr_class addr_classify(const struct addr *a);
const char *addr_class_name(enum addr_class c);
/* RFC 5952 text. */
const char *addr_format(const struct addr *a, char ret[static ADDR_TEXT_MAX]);

#endif
