/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally - see tally.h.  Pure.  Counted in the audit role (or in launch, when no role was started);
 * unpacked in launch, where the payload is hostile.
 */
#include "audit/tally.h"

#include "base/wire.h"

#include <errno.h>

/* Places that go into MSG_SUMMARY: 40 times 270 bytes stay below its 16 KiB. */
#define PACK_HOSTS 40u

static void add_denied(struct audit_tally *t, struct str host, uint16_t port)
{
	if (host.len == 0 || host.len >= AUDIT_TALLY_HOST_MAX)
		return;
	for (unsigned i = 0; i < t->ntop; i++) {
		if (!str_eq(str_from(t->top[i].host), host))
			continue;
		/* A lookup and the connection that follows it are one place. */
		if (t->top[i].port == port || t->top[i].port == 0 || port == 0) {
			t->top[i].count++;
			if (t->top[i].port == 0)
				t->top[i].port = port;
			return;
		}
	}
	if (t->ntop == AUDIT_TALLY_HOSTS)
		return;
	memcpy(t->top[t->ntop].host, host.p, host.len);
	t->top[t->ntop].host[host.len] = '\0';
	t->top[t->ntop].port = port;
	t->top[t->ntop].count = 1;
	t->ntop++;
}

void audit_tally_add(struct audit_tally *t, const struct audit_record *r)
{
	/* CLOSE repeats what its CONNECT has counted. */
	if (r->event == AUDIT_CLOSE)
		return;
	if (r->event == AUDIT_UPSTREAM) {
		t->errors++;
	} else if (str_eq(r->verdict, STR_LIT("allow"))) {
		t->allowed++;
	} else if (str_eq(r->verdict, STR_LIT("deny"))) {
		t->denied++;
		add_denied(t, r->host, r->port);
	} else if (r->event == AUDIT_BAD_INPUT) {
		t->errors++;
	}
}

void audit_tally_sort(struct audit_tally *t)
{
	/* Insertion sort: at most 64, and stable. */
	for (unsigned i = 1; i < t->ntop; i++)
		for (unsigned k = i; k > 0 && t->top[k - 1].count < t->top[k].count; k--) {
			__typeof__(t->top[0]) swap = t->top[k];

			t->top[k] = t->top[k - 1];
			t->top[k - 1] = swap;
		}
}

int audit_tally_pack(struct audit_tally *t, struct buf *out)
{
	uint8_t n = (uint8_t)(t->ntop < PACK_HOSTS ? t->ntop : PACK_HOSTS);
	int error = 0;

	audit_tally_sort(t);
	wire_u64(out, &error, t->allowed);
	wire_u64(out, &error, t->denied);
	wire_u64(out, &error, t->errors);
	wire_u8(out, &error, n);
	for (unsigned i = 0; i < n; i++) {
		wire_str(out, &error, str_from(t->top[i].host));
		wire_u16(out, &error, t->top[i].port);
		wire_u64(out, &error, t->top[i].count);
	}
	return error;
}

int audit_tally_unpack(struct str payload, struct audit_tally *ret)
{
	struct wire_in in = { .rest = payload };
	struct audit_tally t = { 0 };

	t.allowed = wire_get_u64(&in);
	t.denied = wire_get_u64(&in);
	t.errors = wire_get_u64(&in);
	t.ntop = wire_get_u8(&in);
	if (t.ntop > AUDIT_TALLY_HOSTS)
		return -EBADMSG;
	for (unsigned i = 0; i < t.ntop; i++) {
		struct str host = wire_get_str(&in, AUDIT_TALLY_HOST_MAX - 1);

		/* It ends up on a terminal. */
		if (!str_printable(host))
			return -EBADMSG;
		if (host.len)
			memcpy(t.top[i].host, host.p, host.len);
		t.top[i].port = wire_get_u16(&in);
		t.top[i].count = wire_get_u64(&in);
	}
	if (wire_in_done(&in) < 0)
		return -EBADMSG;
	*ret = t;
	return 0;
}
