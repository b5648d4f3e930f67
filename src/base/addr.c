/* SPDX-License-Identifier: Apache-2.0 */
/*
 * addr - see addr.h.  Pure; every process; text and bytes may be hostile (DNS answers, SOCKS,
 * URLs).
 *
 * inet_aton(3) and getaddrinfo(3) also read octal, hexadecimal and short forms; nothing here does,
 * so that no two parts of the program can read one text as two addresses.
 */
#include "base/addr.h"

#include "base/num.h"
#include "base/own.h"

#include <errno.h>
#include <stdio.h>

#define V4_GROUPS 4
#define V6_GROUPS 8

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

int addr_from_bytes(const uint8_t *p, size_t n, struct addr *ret)
{
	struct addr a = { 0 };

	if (n != 4 && n != 16)
		return -EINVAL;
	if (n == 16 && memcmp(p, v4_mapped, sizeof v4_mapped) == 0) {
		p += sizeof v4_mapped;
		n = 4;
	}
	a.family = n == 4 ? 4 : 6;
	memcpy(a.bytes, p, n);
	*ret = a;
	return 0;
}

/* Four decimals without leading zeros: "010" is 8 to some readers and 10 to others. */
static int v4_parse(struct str s, uint8_t ret[static 4])
{
	struct str rest = s, part;
	uint8_t out[V4_GROUPS];
	size_t n = 0;

	while (str_next(&rest, '.', &part)) {
		uint64_t v;

		if (n == V4_GROUPS || part.len > 3 || (part.len > 1 && part.p[0] == '0') ||
		    num_parse_u64(part, 255, &v) < 0)
			return -EINVAL;
		out[n++] = (uint8_t)v;
	}
	if (n != V4_GROUPS)
		return -EINVAL;
	memcpy(ret, out, sizeof out);
	return 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int group_parse(struct str s, uint8_t ret[static 2])
{
	unsigned v = 0;

	if (s.len == 0 || s.len > 4)
		return -EINVAL;
	for (size_t i = 0; i < s.len; i++) {
		int digit = hex_value(s.p[i]);

		if (digit < 0)
			return -EINVAL;
		v = v << 4 | (unsigned)digit;
	}
	ret[0] = (uint8_t)(v >> 8);
	ret[1] = (uint8_t)v;
	return 0;
}

/* Groups separated by ':' without "::"; a dotted quad may stand last where `v4_ok`.  Returns the
 * number of groups. */
static int groups_parse(struct str s, bool v4_ok, uint8_t ret[static 16])
{
	struct str rest = s, part;
	size_t n = 0;

	if (s.len == 0)
		return 0;
	while (str_next(&rest, ':', &part)) {
		bool dotted = str_index(part, '.') < part.len;

		if (dotted &&
		    (!v4_ok || rest.p || n + 2 > V6_GROUPS || v4_parse(part, ret + 2 * n) < 0))
			return -EINVAL;
		if (!dotted && (n + 1 > V6_GROUPS || group_parse(part, ret + 2 * n) < 0))
			return -EINVAL;
		n += dotted ? 2 : 1;
	}
	return (int)n;
}

/* RFC 4291 2.2. */
static int v6_parse(struct str s, uint8_t ret[static 16])
{
	uint8_t head[16] = { 0 }, tail[16] = { 0 };
	struct str left = s, right = STR_NONE;
	bool gap = false;
	int nhead, ntail = 0;

	for (size_t i = 0; i + 1 < s.len && !gap; i++)
		if (s.p[i] == ':' && s.p[i + 1] == ':') {
			left = (struct str){ s.p, i };
			right = (struct str){ s.p + i + 2, s.len - i - 2 };
			gap = true;
		}
	nhead = groups_parse(left, !gap, head);
	if (nhead < 0)
		return -EINVAL;
	if (gap)
		ntail = groups_parse(right, true, tail);
	if (ntail < 0 || (gap ? nhead + ntail >= V6_GROUPS : nhead != V6_GROUPS))
		return -EINVAL;
	memcpy(head + 16 - 2 * ntail, tail, 2 * (size_t)ntail);
	memcpy(ret, head, sizeof head);
	return 0;
}

int addr_parse(struct str s, struct addr *ret)
{
	uint8_t bytes[16];
	bool v6 = str_index(s, ':') < s.len;

	if (s.len == 0 || s.len >= ADDR_TEXT_MAX)
		return -EINVAL;
	if ((v6 ? v6_parse(s, bytes) : v4_parse(s, bytes)) < 0)
		return -EINVAL;
	return addr_from_bytes(bytes, v6 ? 16 : 4, ret);
}

static uint8_t addr_bits(const struct addr *a)
{
	return a->family == 4 ? 32 : 128;
}

/* True when the first `prefix` bits agree. */
static bool prefix_eq(const uint8_t *a, const uint8_t *b, unsigned prefix)
{
	unsigned whole = prefix / 8, rest = prefix % 8;
	unsigned mask = 0xffu << (8 - rest) & 0xffu;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((unsigned)(a[whole] ^ b[whole]) & mask) == 0;
}

int addr_block_parse(struct str s, struct addr_block *ret)
{
	size_t slash = str_index(s, '/');
	struct addr_block b = { 0 }, zero = { 0 };
	struct str digits;
	uint64_t v;

	if (addr_parse((struct str){ s.p, slash }, &b.base) < 0)
		return -EINVAL;
	b.prefix = addr_bits(&b.base);
	if (slash < s.len) {
		digits = (struct str){ s.p + slash + 1, s.len - slash - 1 };
		/* A mapped block ("::ffff:10.0.0.0/104") has two readings of its prefix. */
		if (b.base.family == 4 && str_index(s, ':') < slash)
			return -EINVAL;
		if (num_parse_u64(digits, b.prefix, &v) < 0 ||
		    (digits.len > 1 && digits.p[0] == '0'))
			return -EINVAL;
		b.prefix = (uint8_t)v;
	}
	memcpy(zero.base.bytes, b.base.bytes, b.prefix / 8u);
	if (b.prefix % 8)
		zero.base.bytes[b.prefix / 8u] =
		    (uint8_t)(b.base.bytes[b.prefix / 8u] & 0xffu << (8 - b.prefix % 8));
	if (memcmp(zero.base.bytes, b.base.bytes, sizeof zero.base.bytes) != 0)
		return -EINVAL;
	*ret = b;
	return 0;
}

bool addr_block_has(const struct addr_block *b, const struct addr *a)
{
	return a->family != 0 && a->family == b->base.family &&
	       prefix_eq(a->bytes, b->base.bytes, b->prefix);
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : sizeof a->bytes) == 0;
}

struct special {
	uint8_t bytes[16];
	uint8_t prefix;
	uint8_t class;
};

/* First match decides, so the narrow stand before the wide.  IANA IPv4 Special-Purpose Address
 * Registry; metadata: the documents of AWS (EC2, ECS, EKS), Azure, Oracle, Alibaba. */
static const struct special v4_special[] = {
	{ { 169, 254, 169, 254 }, 32, ADDR_METADATA },
	{ { 169, 254, 170, 2 }, 32, ADDR_METADATA },
	{ { 169, 254, 170, 23 }, 32, ADDR_METADATA },
	{ { 100, 100, 100, 200 }, 32, ADDR_METADATA },
	{ { 192, 0, 0, 192 }, 32, ADDR_METADATA },
	{ { 168, 63, 129, 16 }, 32, ADDR_METADATA },
	{ { 255, 255, 255, 255 }, 32, ADDR_BROADCAST },
	{ { 0 }, 8, ADDR_UNSPECIFIED },
	{ { 127 }, 8, ADDR_LOOPBACK },
	{ { 10 }, 8, ADDR_PRIVATE },
	{ { 172, 16 }, 12, ADDR_PRIVATE },
	{ { 192, 168 }, 16, ADDR_PRIVATE },
	{ { 169, 254 }, 16, ADDR_LINK_LOCAL },
	{ { 100, 64 }, 10, ADDR_SHARED },
	{ { 224 }, 4, ADDR_MULTICAST },
	{ { 240 }, 4, ADDR_RESERVED },
	{ { 192, 0, 0 }, 24, ADDR_RESERVED },
	{ { 192, 0, 2 }, 24, ADDR_RESERVED },
	{ { 192, 88, 99 }, 24, ADDR_RESERVED },
	{ { 198, 18 }, 15, ADDR_RESERVED },
	{ { 198, 51, 100 }, 24, ADDR_RESERVED },
	{ { 203, 0, 113 }, 24, ADDR_RESERVED },
};

/* IANA IPv6 Special-Purpose Address Registry.  Whatever lies outside 2000::/3 and is not named is
 * not allocated: RESERVED.  The blocks that carry an IPv4 address in them are EMBEDDED whatever
 * that address is: a translator on the way would reach a place that we did not look at. */
static const struct special v6_special[] = {
	{ { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54 }, 128, ADDR_METADATA },
	{ { 0xfd, 0x00, 0x0e, 0xc2, [15] = 0x23 }, 128, ADDR_METADATA },
	{ { 0xfd, 0x20, 0x00, 0xce, [14] = 0x02, 0x54 }, 128, ADDR_METADATA },
	{ { 0 }, 128, ADDR_UNSPECIFIED },
	{ { [15] = 1 }, 128, ADDR_LOOPBACK },
	{ { 0 }, 96, ADDR_EMBEDDED },				 /* IPv4-compatible */
	{ { [10] = 0xff, 0xff }, 96, ADDR_EMBEDDED },		 /* mapped, should it get here */
	{ { [8] = 0xff, 0xff }, 96, ADDR_EMBEDDED },		 /* IPv4-translated, RFC 2765 */
	{ { 0x00, 0x64, 0xff, 0x9b }, 96, ADDR_EMBEDDED },	 /* NAT64, RFC 6052 */
	{ { 0x00, 0x64, 0xff, 0x9b, 0, 1 }, 48, ADDR_EMBEDDED }, /* local NAT64, RFC 8215 */
	{ { 0x20, 0x02 }, 16, ADDR_EMBEDDED },			 /* 6to4 */
	{ { 0x20, 0x01, 0, 0 }, 32, ADDR_EMBEDDED },		 /* Teredo */
	{ { 0xfc }, 7, ADDR_PRIVATE },
	{ { 0xfe, 0xc0 }, 10, ADDR_PRIVATE },
	{ { 0xfe, 0x80 }, 10, ADDR_LINK_LOCAL },
	{ { 0xff }, 8, ADDR_MULTICAST },
	{ { 0x20, 0x01 }, 23, ADDR_RESERVED },		   /* IETF protocol assignments */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, ADDR_RESERVED }, /* documentation */
	{ { 0x3f, 0xff }, 20, ADDR_RESERVED },		   /* documentation, RFC 9637 */
	{ { 0x20 }, 3, ADDR_PUBLIC },
	{ { 0 }, 0, ADDR_RESERVED },
};

static enum addr_class special_find(const struct special *t, size_t n, const uint8_t *bytes,
				    enum addr_class otherwise)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_eq(bytes, t[i].bytes, t[i].prefix))
			return (enum addr_class)t[i].class;
	return otherwise;
}

enum addr_class addr_classify(const struct addr *a)
{
	if (a->family == 4)
		return special_find(v4_special, ARRAY_LEN(v4_special), a->bytes, ADDR_PUBLIC);
	if (a->family == 6)
		return special_find(v6_special, ARRAY_LEN(v6_special), a->bytes, ADDR_RESERVED);
	return ADDR_UNSPECIFIED;
}

const char *addr_class_name(enum addr_class c)
{
	static const char *const names[] = {
		[ADDR_PUBLIC] = "public",	  [ADDR_UNSPECIFIED] = "unspecified",
		[ADDR_LOOPBACK] = "loopback",	  [ADDR_PRIVATE] = "private",
		[ADDR_LINK_LOCAL] = "link-local", [ADDR_METADATA] = "metadata",
		[ADDR_SHARED] = "shared",	  [ADDR_MULTICAST] = "multicast",
		[ADDR_BROADCAST] = "broadcast",	  [ADDR_RESERVED] = "reserved",
		[ADDR_EMBEDDED] = "embedded",
	};
	_Static_assert(ARRAY_LEN(names) == ADDR_EMBEDDED + 1, "a name for every class");

	return (size_t)c < ARRAY_LEN(names) ? names[c] : "unknown";
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 4.2). */
static void zero_run(const uint8_t *bytes, size_t *ret_at, size_t *ret_len)
{
	size_t run = 0;

	*ret_at = V6_GROUPS;
	*ret_len = 1;
	for (size_t i = 0; i < V6_GROUPS; i++) {
		run = bytes[2 * i] || bytes[2 * i + 1] ? 0 : run + 1;
		if (run > *ret_len) {
			*ret_len = run;
			*ret_at = i + 1 - run;
		}
	}
}

static void v6_format(const uint8_t *bytes, char ret[static ADDR_TEXT_MAX])
{
	size_t gap_at, gap_len, n = 0;

	zero_run(bytes, &gap_at, &gap_len);
	for (size_t i = 0; i < V6_GROUPS; i++) {
		unsigned v = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];

		if (i == gap_at) {
			n += (size_t)snprintf(ret + n, ADDR_TEXT_MAX - n, "::");
			i += gap_len - 1;
			continue;
		}
		n += (size_t)snprintf(ret + n, ADDR_TEXT_MAX - n, "%s%x",
				      i && i != gap_at + gap_len ? ":" : "", v);
	}
}

const char *addr_format(const struct addr *a, char ret[static ADDR_TEXT_MAX])
{
	if (a->family == 4)
		snprintf(ret, ADDR_TEXT_MAX, "%u.%u.%u.%u", a->bytes[0], a->bytes[1], a->bytes[2],
			 a->bytes[3]);
	else if (a->family == 6)
		v6_format(a->bytes, ret);
	else
		snprintf(ret, ADDR_TEXT_MAX, "none");
	return ret;
}
