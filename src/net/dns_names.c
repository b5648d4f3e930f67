/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_names - which made-up address stands for which name.  Used by front alone; names come from
 * the agent, so their number is bounded and the hash is keyed: names cannot be chosen to
 * collide.  Pure.
 *
 * The n-th name gets the n-th address of each range, so an address leads to its name by
 * subtraction.  Entries lie in blocks that never move.
 */
#include "net/dns.h"

#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>

#define BLOCK_NAMES 32u /* 9 KB: what a session that asks for a few names costs */
#define BLOCKS (DNS_NAMES_MAX / BLOCK_NAMES)
#define FIRST_SLOTS 64u /* a power of two, as every size after it */

/* 198.18.1.0, and one past 198.19.255.255 */
#define FAKE4_FIRST 0xc6120100u
#define FAKE4_END 0xc6140000u
/* fd73:746f:636b:6164::/64 */
static const uint8_t fake6_prefix[8] = { 0xfd, 0x73, 0x74, 0x6f, 0x63, 0x6b, 0x61, 0x64 };

_Static_assert(FAKE4_FIRST + 1 + DNS_NAMES_MAX <= FAKE4_END, "every name has an IPv4 address");

struct dns_names {
	uint8_t key[DNS_NAMES_KEY_LEN];
	uint32_t count;
	uint32_t nslots;
	uint32_t *slots; /* number of a name plus one, 0: empty; half of them at most are used */
	struct host *blocks[BLOCKS];
};

struct dns_names *dns_names_new(const uint8_t key[static DNS_NAMES_KEY_LEN])
{
	struct dns_names *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->slots = calloc(FIRST_SLOTS, sizeof *t->slots);
	if (!t->slots) {
		free(t);
		return NULL;
	}
	t->nslots = FIRST_SLOTS;
	memcpy(t->key, key, sizeof t->key);
	return t;
}

void dns_names_free(struct dns_names *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < BLOCKS; i++)
		free(t->blocks[i]);
	free(t->slots);
	free(t);
}

static struct host *name_at(const struct dns_names *t, uint32_t n)
{
	return &t->blocks[n / BLOCK_NAMES][n % BLOCK_NAMES];
}

static uint32_t hash_of(const struct dns_names *t, const struct host *name)
{
	uint8_t digest[HASH_LEN];
	char text[DNS_NAMES_KEY_LEN + HOST_NAME_MAX_LEN + 1];
	uint32_t v;

	memcpy(text, t->key, sizeof t->key);
	memcpy(text + sizeof t->key, name->text, name->len);
	hash_sha256((struct str){ text, sizeof t->key + name->len }, digest);
	memcpy(&v, digest, sizeof v);
	return v;
}

/* The slot that holds the name, or the empty one where it belongs. */
static uint32_t *find_slot(const struct dns_names *t, const struct host *name)
{
	uint32_t mask = t->nslots - 1, i = hash_of(t, name) & mask;

	while (t->slots[i] && !str_eq(host_str(name_at(t, t->slots[i] - 1)), host_str(name)))
		i = (i + 1) & mask;
	return &t->slots[i];
}

static int grow(struct dns_names *t)
{
	uint32_t *old = t->slots, *slots;

	if (t->count < t->nslots / 2)
		return 0;
	slots = calloc((size_t)t->nslots * 2, sizeof *slots);
	if (!slots)
		return -ENOMEM;
	t->slots = slots;
	t->nslots *= 2;
	for (uint32_t n = 0; n < t->count; n++)
		*find_slot(t, name_at(t, n)) = n + 1;
	free(old);
	return 0;
}

static int add(struct dns_names *t, const struct host *name)
{
	struct host **block = &t->blocks[t->count / BLOCK_NAMES];
	int r;

	r = grow(t);
	if (r < 0)
		return r;
	if (!*block)
		*block = malloc(BLOCK_NAMES * sizeof **block);
	if (!*block)
		return -ENOMEM;
	*name_at(t, t->count) = *name;
	*find_slot(t, name) = t->count + 1;
	t->count++;
	return 0;
}

static void put_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

int dns_names_assign(struct dns_names *t, const struct host *name, struct addr *ret4,
		     struct addr *ret6)
{
	uint32_t number;
	int r;

	if (name->addr.family || name->len == 0)
		return -EINVAL;
	number = *find_slot(t, name);
	if (!number) {
		if (t->count == DNS_NAMES_MAX)
			return -ENOSPC;
		r = add(t, name);
		if (r < 0)
			return r;
		number = t->count;
	}
	/* Numbers begin at 1: the first address of each range stays unused. */
	*ret4 = (struct addr){ .family = 4 };
	put_be32(ret4->bytes, FAKE4_FIRST + number);
	*ret6 = (struct addr){ .family = 6 };
	memcpy(ret6->bytes, fake6_prefix, sizeof fake6_prefix);
	put_be32(ret6->bytes + 12, number);
	return 0;
}

bool dns_names_is_fake(const struct addr *a)
{
	if (a->family == 4)
		return get_be32(a->bytes) >= FAKE4_FIRST && get_be32(a->bytes) < FAKE4_END;
	return a->family == 6 && memcmp(a->bytes, fake6_prefix, sizeof fake6_prefix) == 0;
}

const struct host *dns_names_lookup(const struct dns_names *t, const struct addr *a)
{
	uint32_t number;

	if (!dns_names_is_fake(a))
		return NULL;
	number = a->family == 4 ? get_be32(a->bytes) - FAKE4_FIRST : get_be32(a->bytes + 12);
	if (a->family == 6 && get_be32(a->bytes + 8) != 0)
		return NULL;
	return number && number <= t->count ? name_at(t, number - 1) : NULL;
}
