/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show - see show.h.  Pure; runs in `stockade log`.  Records are hostile: host names, paths and
 * details come from the agent, and a log may have been tampered with.
 */
#include "audit/show.h"

#include "audit/moment.h"
#include "base/own.h"
#include "base/utf8.h"

#include <inttypes.h>

#define RED "\x1b[31m"
#define GREEN "\x1b[32m"
#define YELLOW "\x1b[33m"
#define PLAIN "\x1b[0m"

/* Inclusive ranges of characters that change how others are seen, or are not seen themselves. */
static const struct utf8_range hidden[] = {
	{ 0x00, 0x1f },	    { 0x7f, 0xa0 },	{ 0xad, 0xad },	       { 0x34f, 0x34f },
	{ 0x61c, 0x61c },   { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 },    { 0x180b, 0x180f },
	{ 0x2000, 0x200f }, { 0x2028, 0x202f }, { 0x205f, 0x206f },    { 0x3000, 0x3000 },
	{ 0x3164, 0x3164 }, { 0xd800, 0xf8ff }, { 0xfe00, 0xfe0f },    { 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 }, { 0xfff0, 0xffff }, { 0xe0000, 0x10ffff },
};

/* Length of the UTF-8 sequence at the beginning that may be shown, else 0. */
static size_t shown_len(struct str s)
{
	uint32_t c;
	size_t len = utf8_read(s, &c);

	return len && !utf8_among(c, hidden, ARRAY_LEN(hidden)) ? len : 0;
}

int audit_escape(struct str s, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)s.p;
	int r = 0;

	for (size_t i = 0; i < s.len && r == 0;) {
		size_t len = p[i] == '\\' ? 0 : shown_len((struct str){ s.p + i, s.len - i });

		if (p[i] == '\\' && len == 0) {
			r = buf_append(out, "\\\\", 2);
			len = 1;
		} else if (len == 0) {
			r = buf_printf(out, "\\x%02x", p[i]);
			len = 1;
		} else {
			r = buf_append(out, p + i, len);
		}
		i += len;
	}
	return r;
}

/* Puts `label`, the escaped text, and nothing when there is no text. */
static void put(struct buf *out, int *error, const char *label, struct str s)
{
	if (*error || s.len == 0)
		return;
	*error = buf_append(out, label, strlen(label));
	if (*error == 0)
		*error = audit_escape(s, out);
}

static void put_num(struct buf *out, int *error, const char *label, uint64_t v)
{
	if (*error == 0)
		*error = buf_printf(out, "%s%" PRIu64, label, v);
}

static void pad(struct buf *out, int *error, size_t from, size_t width)
{
	while (*error == 0 && buf_len(out) - from < width)
		*error = buf_append_c(out, ' ');
}

/* What it was about: "GET host:443/path", "host:443", or nothing. */
static void put_target(const struct audit_record *r, struct buf *out, int *error)
{
	size_t from = buf_len(out);

	put(out, error, "", r->method);
	put(out, error, r->method.len ? " " : "", r->host);
	if (r->port && r->host.len)
		put_num(out, error, ":", r->port);
	put(out, error, "", r->path);
	/* Wide enough for most hosts; longer ones push the rest aside rather than being cut. */
	pad(out, error, from, 36);
}

static const char *verdict_colour(const struct audit_record *r)
{
	if (r->event == AUDIT_UPSTREAM || r->event == AUDIT_BAD_INPUT)
		return YELLOW;
	return str_eq(r->verdict, STR_LIT("deny")) ? RED : r->verdict.len ? GREEN : "";
}

static void put_facts(const struct audit_record *r, struct buf *out, int *error)
{
	if (r->status || r->event == AUDIT_SESSION_END)
		put_num(out, error, r->event == AUDIT_SESSION_END ? "  exit " : "  status ",
			r->status);
	if (r->bytes_up || r->bytes_down) {
		put_num(out, error, "  sent ", r->bytes_up);
		put_num(out, error, " received ", r->bytes_down);
	}
	put(out, error, "  ", r->reason);
	put(out, error, "  rule ", r->rule);
	put(out, error, "  credential ", r->credential);
	put(out, error, "  to ", r->addr);
	put(out, error, "  via ", r->via);
	put(out, error, "  ", r->detail);
}

int audit_show(const struct audit_record *r, bool colour, struct buf *out)
{
	char when[AUDIT_TIME_LEN + 1];
	const char *paint = colour ? verdict_colour(r) : "";
	size_t from;
	int error;

	audit_time_format(r->time_ns, when);
	error = buf_printf(out, "%.10s %.12sZ  %s", when, when + 11, paint);
	from = buf_len(out);
	put(out, &error, "", r->verdict.len ? r->verdict : STR_LIT("-"));
	pad(out, &error, from, 5);
	if (error == 0)
		error = buf_printf(out, "%s  %-13s  ", paint[0] ? PLAIN : "",
				   audit_event_name(r->event));
	put_target(r, out, &error);
	put_facts(r, out, &error);
	while (error == 0 && buf_len(out) && out->base[out->end - 1] == ' ')
		out->end--;
	return error ? error : buf_append_c(out, '\n');
}
