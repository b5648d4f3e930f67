/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record - see record.h.  Pure.  Packing runs in launch, front and back; unpacking and formatting
 * in the audit role, where the payload is hostile (a role that was taken over).
 *
 * Formatting is the hot path of the audit role (40,000 records a second): no printf, no gmtime.
 */
#include "audit/record.h"

#include "audit/field.h"
#include "audit/moment.h"
#include "base/json.h"
#include "base/own.h"
#include "base/wire.h"

#include <assert.h>
#include <errno.h>

#define BIT(event) (1u << AUDIT_##event)
#define STR_FIELD(name, max)                                                                       \
	{                                                                                          \
#name, AUDIT_FIELD_STR, offsetof(struct audit_record, name), max, 0                \
	}
#define NUM_FIELD(name, bits, always)                                                              \
	{                                                                                          \
#name, AUDIT_FIELD_U##bits, offsetof(struct audit_record, name), 0, always         \
	}

/* Maxima: names and tokens are short by their grammar; a rule's file may have a long path; detail
 * holds a command line or an error line.  Together, escaped six-fold, they stay below
 * AUDIT_LINE_MAX, and packed below a quarter of MSG_RECORD. */
const struct audit_field audit_fields[] = {
	STR_FIELD(by, 16),
	STR_FIELD(verdict, 8),
	STR_FIELD(via, 16),
	STR_FIELD(host, 256),
	NUM_FIELD(port, 16, 0),
	STR_FIELD(addr, 64),
	STR_FIELD(method, 64),
	{ "path", AUDIT_FIELD_PATH, offsetof(struct audit_record, path), AUDIT_PATH_MAX, 0 },
	STR_FIELD(rule, 1024),
	STR_FIELD(reason, 64),
	STR_FIELD(credential, 256),
	NUM_FIELD(status, 64, BIT(SESSION_END)),
	NUM_FIELD(bytes_up, 64, BIT(CLOSE)),
	NUM_FIELD(bytes_down, 64, BIT(CLOSE)),
	STR_FIELD(detail, 4096),
};
const size_t audit_nfields = ARRAY_LEN(audit_fields);

static const char *const event_names[] = {
	[AUDIT_SESSION_START] = "session-start",
	[AUDIT_SESSION_END] = "session-end",
	[AUDIT_SETUP_REFUSED] = "setup-refused",
	[AUDIT_DEGRADED] = "degraded",
	[AUDIT_RESOLVE] = "resolve",
	[AUDIT_CONNECT] = "connect",
	[AUDIT_REQUEST] = "request",
	[AUDIT_BAD_INPUT] = "bad-input",
	[AUDIT_UPSTREAM] = "upstream",
	[AUDIT_CLOSE] = "close",
};
static_assert(ARRAY_LEN(event_names) == AUDIT_EVENT_MAX, "every event has a name");

static const char cut_mark[] = "...";

const char *audit_event_name(enum audit_event ev)
{
	return (unsigned)ev < AUDIT_EVENT_MAX ? event_names[ev] : "unknown";
}

enum audit_event audit_event_parse(struct str name)
{
	unsigned ev = 0;

	while (ev < AUDIT_EVENT_MAX && !str_eq(name, str_from(event_names[ev])))
		ev++;
	return (enum audit_event)ev;
}

static struct str field_str(const struct audit_record *r, const struct audit_field *f)
{
	return *(const struct str *)(const void *)((const char *)r + f->offset);
}

static uint64_t field_num(const struct audit_record *r, const struct audit_field *f)
{
	const char *at = (const char *)r + f->offset;

	if (f->kind == AUDIT_FIELD_U16)
		return *(const uint16_t *)(const void *)at;
	return *(const uint64_t *)(const void *)at;
}

static bool field_is_str(const struct audit_field *f)
{
	return f->kind == AUDIT_FIELD_STR || f->kind == AUDIT_FIELD_PATH;
}

/* What is left of the string under its limit; copied to `room` only when it must be marked. */
static struct str field_cut(const struct audit_field *f, struct str s,
			    char room[static AUDIT_STR_MAX])
{
	const size_t mark = sizeof cut_mark - 1;

	if (f->kind == AUDIT_FIELD_PATH) {
		/* The caller took the query off; a path that still has one is cut here, because
		 * queries carry secrets. */
		s.len = str_index(s, '?');
		s.len = str_index(s, '#');
	}
	if (s.len <= f->max)
		return s;
	memcpy(room, s.p, f->max - mark);
	memcpy(room + f->max - mark, cut_mark, mark);
	return (struct str){ room, f->max };
}

int record_pack(const struct audit_record *r, struct buf *out)
{
	char room[AUDIT_STR_MAX];
	int error = 0;

	assert((unsigned)r->event < AUDIT_EVENT_MAX);
	wire_u8(out, &error, (uint8_t)r->event);
	wire_u64(out, &error, r->time_ns);
	for (size_t i = 0; i < audit_nfields; i++) {
		const struct audit_field *f = &audit_fields[i];

		if (field_is_str(f))
			wire_str(out, &error, field_cut(f, field_str(r, f), room));
		else if (f->kind == AUDIT_FIELD_U16)
			wire_u16(out, &error, (uint16_t)field_num(r, f));
		else
			wire_u64(out, &error, field_num(r, f));
	}
	return error;
}

static bool verdict_known(struct str v)
{
	return v.len == 0 || str_eq(v, STR_LIT("allow")) || str_eq(v, STR_LIT("deny"));
}

int record_unpack_next(struct str *rest, struct audit_record *ret)
{
	struct wire_in in = { .rest = *rest };
	struct audit_record r = { 0 };
	uint8_t event = wire_get_u8(&in);

	r.time_ns = wire_get_u64(&in);
	for (size_t i = 0; i < audit_nfields; i++) {
		const struct audit_field *f = &audit_fields[i];
		void *at = (char *)&r + f->offset;

		if (field_is_str(f))
			*(struct str *)at = wire_get_str(&in, f->max);
		else if (f->kind == AUDIT_FIELD_U16)
			*(uint16_t *)at = wire_get_u16(&in);
		else
			*(uint64_t *)at = wire_get_u64(&in);
	}
	if (in.bad || event >= AUDIT_EVENT_MAX || !verdict_known(r.verdict))
		return -EBADMSG;
	r.event = (enum audit_event)event;
	*rest = in.rest;
	*ret = r;
	return 0;
}

int record_unpack(struct str payload, struct audit_record *ret)
{
	struct audit_record r;

	if (record_unpack_next(&payload, &r) < 0 || payload.len > 0)
		return -EBADMSG;
	*ret = r;
	return 0;
}

int record_format(const struct audit_record *r, uint64_t seq, const char *prev_hex, struct buf *out)
{
	struct json j = JSON_INIT(out);
	char room[AUDIT_STR_MAX], when[AUDIT_TIME_LEN + 1];

	audit_time_format(r->time_ns, when);
	json_object_begin(&j);
	json_member_u64(&j, "v", AUDIT_SCHEMA_VERSION);
	json_member_u64(&j, "seq", seq);
	json_member_cstr(&j, "prev", prev_hex);
	json_member_str(&j, "time", (struct str){ when, AUDIT_TIME_LEN });
	json_member_cstr(&j, "event", audit_event_name(r->event));
	for (size_t i = 0; i < audit_nfields; i++) {
		const struct audit_field *f = &audit_fields[i];

		if (field_is_str(f)) {
			struct str s = field_cut(f, field_str(r, f), room);

			if (s.len)
				json_member_str(&j, f->name, s);
		} else if (field_num(r, f) || (f->always & (1u << r->event))) {
			json_member_u64(&j, f->name, field_num(r, f));
		}
	}
	json_object_end(&j);
	return json_done(&j);
}
