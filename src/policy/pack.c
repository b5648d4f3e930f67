/* SPDX-License-Identifier: Apache-2.0 */
/* pack - see pack.h.  Pure; written by the launcher, read by every role before it jails itself. The
 * bytes come from the launcher, and are checked all the same. */
#include "policy/pack.h"

#include "base/wire.h"

#include <errno.h>

/* Changes with the layout: two builds must not misread each other. */
#define PACK_MAGIC 0x53544b31u /* "STK1" */

struct out {
	struct buf *b;
	int error;
};

static void put_text(struct out *o, const char *s)
{
	wire_str(o->b, &o->error, str_from(s));
}

static void put_rule(struct out *o, const struct net_rule *r)
{
	wire_u8(o->b, &o->error, (uint8_t)r->action);
	wire_u8(o->b, &o->error, (uint8_t)r->host.kind);
	wire_str(o->b, &o->error, host_str(&r->host.host));
	wire_u32(o->b, &o->error, (uint32_t)r->nports);
	for (size_t i = 0; i < r->nports; i++) {
		wire_u16(o->b, &o->error, r->ports[i].low);
		wire_u16(o->b, &o->error, r->ports[i].high);
	}
	wire_u32(o->b, &o->error, (uint32_t)r->nmethods);
	for (size_t i = 0; i < r->nmethods; i++)
		put_text(o, r->methods[i]);
	wire_u32(o->b, &o->error, (uint32_t)r->npaths);
	for (size_t i = 0; i < r->npaths; i++)
		put_text(o, r->paths[i]);
	wire_u32(o->b, &o->error, (uint32_t)r->naddresses);
	for (size_t i = 0; i < r->naddresses; i++) {
		wire_addr(o->b, &o->error, &r->addresses[i].base);
		wire_u8(o->b, &o->error, r->addresses[i].prefix);
	}
	put_text(o, r->credential);
	wire_addr(o->b, &o->error, &r->upstream_addr);
	wire_u16(o->b, &o->error, r->upstream_port);
	wire_u8(o->b, &o->error, (uint8_t)r->cleartext);
	wire_u8(o->b, &o->error, r->tunnel);
	put_text(o, r->origin.file);
	wire_u32(o->b, &o->error, r->origin.line);
	wire_u8(o->b, &o->error, (uint8_t)r->origin.source);
	put_text(o, r->text);
}

static void put_credential(struct out *o, const struct credential *c)
{
	put_text(o, c->name);
	put_text(o, c->header);
	put_text(o, c->prefix);
	put_text(o, c->suffix);
	put_text(o, c->placeholder_env);
	wire_u8(o->b, &o->error, c->optional);
}

int policy_pack(const struct policy *p, struct buf *b)
{
	struct out o = { .b = b };

	wire_u32(b, &o.error, PACK_MAGIC);
	wire_u8(b, &o.error, (uint8_t)p->dns_denied);
	wire_u8(b, &o.error, p->network);
	wire_u32(b, &o.error, (uint32_t)p->nrules);
	for (size_t i = 0; i < p->nrules; i++)
		put_rule(&o, &p->rules[i]);
	wire_u32(b, &o.error, (uint32_t)p->ncredentials);
	for (size_t i = 0; i < p->ncredentials; i++)
		put_credential(&o, &p->credentials[i]);
	return o.error;
}

struct in {
	struct wire_in w;
	struct arena *arena;
	bool oom;
};

/* An enum or bool of at most `max`. */
static uint8_t get_small(struct in *in, uint8_t max)
{
	uint8_t v = wire_get_u8(&in->w);

	if (v > max) {
		in->w.bad = true;
		v = 0;
	}
	return v;
}

/* A count, and zeroed memory for that many; no memory is asked for that the bytes left could not
 * fill (`least` bytes each). */
static void *get_array(struct in *in, size_t max, size_t least, size_t item_size, size_t *ret_n)
{
	uint32_t n = wire_get_u32(&in->w);
	void *items;

	*ret_n = 0;
	if (in->w.bad || n > max || n > in->w.rest.len / least) {
		in->w.bad = true;
		return NULL;
	}
	if (n == 0)
		return NULL;
	items = arena_alloc(in->arena, n * item_size);
	in->oom |= !items;
	if (items)
		*ret_n = n;
	return items;
}

static char *get_text(struct in *in)
{
	/* A file name is the longest text of all. */
	struct str s = wire_get_str(&in->w, POLICY_STRING_MAX);
	char *copy;

	if (s.len && memchr(s.p, '\0', s.len))
		in->w.bad = true;
	copy = arena_str(in->arena, s);
	in->oom |= !copy;
	return copy;
}

static char *get_text_or_null(struct in *in)
{
	char *s = get_text(in);

	return s && *s ? s : NULL;
}

static void get_host(struct in *in, struct host_pattern *p)
{
	struct str s;

	p->kind = (enum host_pattern_kind)get_small(in, HOST_ANY);
	s = wire_get_str(&in->w, HOST_NAME_MAX_LEN);
	if (p->kind == HOST_ANY ? s.len != 0 : host_parse(s, &p->host) < 0)
		in->w.bad = true;
}

static char **get_texts(struct in *in, size_t *ret_n)
{
	char **items = get_array(in, POLICY_LIST_MAX, 4, sizeof *items, ret_n);

	for (size_t i = 0; i < *ret_n; i++) {
		items[i] = get_text(in);
		if (!items[i])
			in->w.bad = true;
	}
	return items;
}

static void get_rule(struct in *in, struct net_rule *r)
{
	r->action = (enum action)get_small(in, ACTION_ALLOW);
	get_host(in, &r->host);
	r->ports = get_array(in, POLICY_LIST_MAX, 4, sizeof *r->ports, &r->nports);
	for (size_t i = 0; i < r->nports; i++) {
		r->ports[i].low = wire_get_u16(&in->w);
		r->ports[i].high = wire_get_u16(&in->w);
		if (r->ports[i].low == 0 || r->ports[i].high < r->ports[i].low)
			in->w.bad = true;
	}
	r->methods = get_texts(in, &r->nmethods);
	r->paths = get_texts(in, &r->npaths);
	r->addresses = get_array(in, POLICY_LIST_MAX, 18, sizeof *r->addresses, &r->naddresses);
	for (size_t i = 0; i < r->naddresses; i++) {
		struct addr_block *b = &r->addresses[i];

		wire_get_addr(&in->w, &b->base);
		b->prefix = get_small(in, b->base.family == 4 ? 32 : 128);
		if (b->base.family == 0)
			in->w.bad = true;
	}
	r->credential = get_text_or_null(in);
	wire_get_addr(&in->w, &r->upstream_addr);
	r->upstream_port = wire_get_u16(&in->w);
	r->cleartext = (enum cleartext)get_small(in, CLEARTEXT_REFUSE);
	r->tunnel = get_small(in, 1);
	r->origin.file = get_text(in);
	r->origin.line = wire_get_u32(&in->w);
	r->origin.source = (enum policy_source)get_small(in, SOURCE_PROFILE);
	r->text = get_text(in);
}

static void get_credential(struct in *in, struct credential *c)
{
	c->name = get_text(in);
	c->header = get_text(in);
	c->prefix = get_text(in);
	c->suffix = get_text(in);
	c->placeholder_env = get_text_or_null(in);
	c->optional = get_small(in, 1);
}

static void get_policy(struct in *in, struct policy *p)
{
	if (wire_get_u32(&in->w) != PACK_MAGIC)
		in->w.bad = true;
	p->dns_denied = (enum dns_denied)get_small(in, DNS_NXDOMAIN);
	p->network = get_small(in, 1);
	/* A rule has at least 83 bytes: its fixed fields and the lengths of its strings. */
	p->rules = get_array(in, POLICY_RULES_MAX, 64, sizeof *p->rules, &p->nrules);
	for (size_t i = 0; i < p->nrules && !in->w.bad && !in->oom; i++)
		get_rule(in, &p->rules[i]);
	p->credentials =
	    get_array(in, POLICY_CREDENTIALS_MAX, 21, sizeof *p->credentials, &p->ncredentials);
	for (size_t i = 0; i < p->ncredentials && !in->w.bad && !in->oom; i++)
		get_credential(in, &p->credentials[i]);
}

static bool credentials_defined(const struct policy *p)
{
	for (size_t i = 0; i < p->nrules; i++)
		if (p->rules[i].credential && !policy_credential(p, p->rules[i].credential))
			return false;
	return true;
}

int policy_unpack(struct str packed, struct policy *ret, struct err *e)
{
	struct in in = { .w = { .rest = packed }, .arena = arena_new() };
	struct policy p;

	if (!in.arena)
		return err_set(e, -ENOMEM, "policy: out of memory");
	policy_init(&p);
	p.arena = in.arena;
	get_policy(&in, &p);
	if (in.oom) {
		policy_done(&p);
		return err_set(e, -ENOMEM, "policy: out of memory");
	}
	if (wire_in_done(&in.w) < 0 || !credentials_defined(&p)) {
		policy_done(&p);
		return err_set(e, -EBADMSG, "policy: the packed policy is damaged");
	}
	*ret = p;
	return 0;
}
