/* SPDX-License-Identifier: Apache-2.0 */
/* Records: what crosses is what was sent, what is too long is cut, hostile payloads are refused,
 * and doc/AUDIT.md names exactly the members that are written. */
#include "audit/field.h"
#include "audit/moment.h"
#include "audit/query.h"
#include "audit/record.h"
#include "audit/show.h"
#include "audit/tally.h"
#include "base/own.h"
#include "os/fd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define PREV "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct audit_record full(void)
{
	return (struct audit_record){
		.event = AUDIT_REQUEST,
		.time_ns = 1769903999123456789u, /* 2026-01-31T23:59:59.123456789Z */
		.by = STR_LIT("back"),
		.verdict = STR_LIT("allow"),
		.via = STR_LIT("proxy"),
		.host = STR_LIT("api.example.com"),
		.port = 443,
		.addr = STR_LIT("192.0.2.1:443"),
		.method = STR_LIT("POST"),
		.path = STR_LIT("/v1/messages"),
		.rule = STR_LIT("stockade.yaml:7"),
		.reason = STR_LIT("allowed"),
		.detail = STR_LIT("why"),
		.status = 200,
		.bytes_up = 10,
		.bytes_down = 20,
		.credential = STR_LIT("anthropic"),
	};
}

static void test_pack(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(16384);
	struct audit_record in = full(), out;

	(void)state;
	assert_int_equal(record_pack(&in, &b), 0);
	assert_int_equal(record_unpack(buf_str(&b), &out), 0);
	assert_int_equal(out.event, in.event);
	assert_int_equal(out.time_ns, in.time_ns);
	assert_int_equal(out.port, 443);
	assert_int_equal(out.status, 200);
	assert_int_equal(out.bytes_up, 10);
	assert_int_equal(out.bytes_down, 20);
	for (size_t i = 0; i < audit_nfields; i++)
		if (audit_fields[i].max && !str_eq(*audit_field_str(&in, &audit_fields[i]),
						   *audit_field_str(&out, &audit_fields[i])))
			fail_msg("member %s did not cross", audit_fields[i].name);
}

static void test_unpack_refuses(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(16384);
	struct audit_record in = full(), out = { .port = 77 };

	(void)state;
	assert_int_equal(record_pack(&in, &b), 0);
	/* Every shorter payload, one longer, an unknown event, an unknown verdict. */
	for (size_t n = 0; n < buf_len(&b); n++)
		assert_int_equal(record_unpack((struct str){ b.base, n }, &out), -EBADMSG);
	assert_int_equal(buf_append_c(&b, 'x'), 0);
	assert_int_equal(record_unpack(buf_str(&b), &out), -EBADMSG);
	b.end--;
	b.base[0] = AUDIT_EVENT_MAX;
	assert_int_equal(record_unpack(buf_str(&b), &out), -EBADMSG);
	buf_clear(&b);
	in.verdict = STR_LIT("maybe");
	assert_int_equal(record_pack(&in, &b), 0);
	assert_int_equal(record_unpack(buf_str(&b), &out), -EBADMSG);
	assert_int_equal(out.port, 77);
}

static void test_cut(void **state)
{
	static char lots[20000];
	_cleanup_(buf_done) struct buf b = BUF_INIT(16384), line = BUF_INIT(AUDIT_LINE_MAX);
	struct audit_record in = { .event = AUDIT_REQUEST }, out;

	(void)state;
	memset(lots, '\1', sizeof lots); /* escaped six-fold */
	for (size_t i = 0; i < audit_nfields; i++)
		if (audit_fields[i].max)
			*audit_field_str(&in, &audit_fields[i]) = (struct str){ lots, sizeof lots };
	in.verdict = STR_LIT("deny");
	assert_int_equal(record_pack(&in, &b), 0);
	assert_int_equal(record_unpack(buf_str(&b), &out), 0);
	assert_int_equal(out.path.len, AUDIT_PATH_MAX);
	assert_true(str_has_suffix(out.path, STR_LIT("...")));
	/* The longest record there can be is a line that can be read again. */
	assert_int_equal(record_format(&out, UINT64_MAX, PREV, &line), 0);
	assert_true(buf_len(&line) <= AUDIT_LINE_MAX);
}

static void test_no_query(void **state)
{
	static const char *const paths[] = { "/a?key=canary", "/a#canary", "?canary",
					     "/a?b#canary" };
	_cleanup_(buf_done) struct buf b = BUF_INIT(AUDIT_LINE_MAX);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct audit_record r = { .event = AUDIT_REQUEST, .path = str_from(paths[i]) };

		buf_clear(&b);
		assert_int_equal(record_format(&r, 0, PREV, &b), 0);
		assert_null(strstr(buf_cstr(&b), "canary"));
		buf_clear(&b);
		assert_int_equal(record_pack(&r, &b), 0);
		assert_null(memmem(b.base, buf_len(&b), "canary", 6));
	}
}

static void test_format(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(AUDIT_LINE_MAX);
	struct audit_record r = full();
	struct audit_record end = { .event = AUDIT_SESSION_END };

	(void)state;
	assert_int_equal(record_format(&r, 5, PREV, &b), 0);
	assert_string_equal(
	    buf_cstr(&b),
	    "{\"v\":1,\"seq\":5,\"prev\":\"" PREV "\",\"time\":\"2026-01-31T23:59:59.123456789Z\","
	    "\"event\":\"request\",\"by\":\"back\",\"verdict\":\"allow\",\"via\":\"proxy\","
	    "\"host\":\"api.example.com\",\"port\":443,\"addr\":\"192.0.2.1:443\",\"method\":"
	    "\"POST\","
	    "\"path\":\"/v1/messages\",\"rule\":\"stockade.yaml:7\",\"reason\":\"allowed\","
	    "\"credential\":\"anthropic\",\"status\":200,\"bytes_up\":10,\"bytes_down\":20,"
	    "\"detail\":\"why\"}");
	buf_clear(&b);
	assert_int_equal(record_format(&end, 0, PREV, &b), 0);
	assert_non_null(strstr(buf_cstr(&b), "\"event\":\"session-end\",\"status\":0}"));
}

static void test_line_parse(void **state)
{
	static const char *const bad[] = {
		"",   "x",    "[]",
		"{}", "null", "{\"v\":1,\"seq\":0,\"prev\":\"" PREV "\",\"event\":\"close\"}",
	};
	static const struct {
		const char *from, *to;
	} edits[] = {
		{ "\"v\":1", "\"v\":2" },
		{ "\"seq\":5", "\"seq\":-5" },
		{ "\"seq\":5", "\"seq\":\"5\"" },
		{ "\"request\"", "\"requesT\"" },
		{ "\"port\":443", "\"port\":65536" },
		{ "\"by\"", "\"bY\"" },
		{ "\"why\"", "\"\x1b[31m\"" },
		{ "\"why\"", "\"\xc2\x9b\"" },
		{ "\"why\"", "\"\x7f\"" },
		{ "\"why\"", "7" },
		{ "31T23", "32T23" },
		{ "\"by\":\"back\"", "\"v\":1" },
		{ PREV, "00" },
	};
	_cleanup_(buf_done) struct buf b = BUF_INIT(AUDIT_LINE_MAX);
	struct audit_record r = full();
	struct audit_line l;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(audit_line_parse(str_from(bad[i]), &l, NULL), -EBADMSG);
	r.host = (struct str){ "a\0b", 3 };
	assert_int_equal(record_format(&r, 5, PREV, &b), 0);
	assert_int_equal(audit_line_parse(buf_str(&b), &l, NULL), 0);
	assert_int_equal(l.seq, 5);
	assert_int_equal(l.r.time_ns, r.time_ns);
	assert_true(str_eq(l.r.host, r.host));
	assert_true(str_eq(l.r.credential, r.credential));
	assert_string_equal(l.prev, PREV);
	audit_line_done(&l);
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		char text[2048];
		const char *at = strstr(buf_cstr(&b), edits[i].from);

		assert_non_null(at);
		snprintf(text, sizeof text, "%.*s%s%s", (int)(at - buf_cstr(&b)), buf_cstr(&b),
			 edits[i].to, at + strlen(edits[i].from));
		if (audit_line_parse(str_from(text), &l, NULL) != -EBADMSG)
			fail_msg("taken: %s", text);
	}
}

static void test_show(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "plain", "plain" },
		{ "\x1b]52;c;x\x07", "\\x1b]52;c;x\\x07" },
		{ "a\nb\r\t", "a\\x0ab\\x0d\\x09" },
		{ "\x7f\xff\xc0\x80", "\\x7f\\xff\\xc0\\x80" },
		{ "\xc2\x9b", "\\xc2\\x9b" },			/* C1 CSI */
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae" },		/* right-to-left override */
		{ "\xe2\x80\x8b", "\\xe2\\x80\\x8b" },		/* zero width space */
		{ "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81" }, /* tag A */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },		/* surrogate */
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "\xc3", "\\xc3" },
		{ "\xe2\x82x", "\\xe2\\x82x" },			/* cut short by a letter */
		{ "\xe0\x80\x80", "\\xe0\\x80\\x80" },		/* overlong */
		{ "\xf0\x80\x80\x80", "\\xf0\\x80\\x80\\x80" }, /* overlong */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
		{ "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "\\x1b", "\\\\x1b" },
	};
	_cleanup_(buf_done) struct buf b = BUF_INIT(AUDIT_LINE_MAX);
	struct audit_record r = full();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_clear(&b);
		assert_int_equal(audit_escape(str_from(rows[i].in), &b), 0);
		assert_string_equal(buf_cstr(&b), rows[i].want);
	}
	/* No member of a record speaks to the terminal, and one record is one line. */
	for (size_t i = 0; i < audit_nfields; i++)
		if (audit_fields[i].max && strcmp(audit_fields[i].name, "by") != 0)
			*audit_field_str(&r, &audit_fields[i]) = STR_LIT("\x1b[2J\n\xc2\x9bX");
	buf_clear(&b);
	assert_int_equal(audit_show(&r, false, &b), 0);
	assert_null(strchr(buf_cstr(&b), '\x1b'));
	assert_null(strstr(buf_cstr(&b), "\xc2\x9b"));
	assert_int_equal(str_index(buf_str(&b), '\n'), buf_len(&b) - 1);
	r = full();
	buf_clear(&b);
	assert_int_equal(audit_show(&r, true, &b), 0);
	for (size_t n = 0; n < buf_len(&b); n++) {
		_cleanup_(buf_done) struct buf small = BUF_INIT(n);

		assert_true(audit_show(&r, true, &small) < 0);
	}
	r.verdict = STR_LIT("deny");
	buf_clear(&b);
	assert_int_equal(audit_show(&r, true, &b), 0);
	assert_non_null(strstr(buf_cstr(&b), "\x1b[31mdeny \x1b[0m"));
	r = full();
	buf_clear(&b);
	assert_int_equal(audit_show(&r, false, &b), 0);
	assert_non_null(strstr(buf_cstr(&b), "2026-01-31 23:59:59.123Z  allow  request        POST "
					     "api.example.com:443/v1/messages"));
}

/* Colour says how bad it is; a record that says little leaves no blanks at the end. */
static void test_show_colour(void **state)
{
	static const struct {
		enum audit_event event;
		struct str verdict, host;
		const char *want; /* from the verdict on */
	} rows[] = {
		{ AUDIT_UPSTREAM, STR_LIT("allow"), STR_LIT("a.test"),
		  "\x1b[33mallow\x1b[0m  upstream       a.test\n" },
		{ AUDIT_BAD_INPUT, STR_LIT("deny"), STR_NONE, "\x1b[33mdeny \x1b[0m  bad-input\n" },
		{ AUDIT_CONNECT, STR_LIT("allow"), STR_LIT("a.test"),
		  "\x1b[32mallow\x1b[0m  connect        a.test\n" },
		{ AUDIT_RESOLVE, STR_LIT("deny"), STR_LIT("a.test"),
		  "\x1b[31mdeny \x1b[0m  resolve        a.test\n" },
		{ AUDIT_SESSION_START, STR_NONE, STR_NONE, "-      session-start\n" },
	};
	_cleanup_(buf_done) struct buf b = BUF_INIT(1024);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct audit_record r = { .event = rows[i].event,
					  .verdict = rows[i].verdict,
					  .host = rows[i].host };

		buf_clear(&b);
		assert_int_equal(audit_show(&r, true, &b), 0);
		assert_string_equal(buf_cstr(&b) + strlen("1970-01-01 00:00:00.000Z  "),
				    rows[i].want);
	}
}

static void test_event_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < AUDIT_EVENT_MAX; i++)
		assert_int_equal(audit_event_parse(str_from(audit_event_name((enum audit_event)i))),
				 i);
	assert_string_equal(audit_event_name(AUDIT_EVENT_MAX), "unknown");
	assert_int_equal(audit_event_parse(STR_LIT("unknown")), AUDIT_EVENT_MAX);
	assert_int_equal(audit_event_parse(STR_NONE), AUDIT_EVENT_MAX);
}

static void test_time(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds; /* 0: refused */
	} rows[] = {
		{ "1970-01-02", 86400 },
		{ "2000-02-29", 951782400 },
		{ "2026-01-31T23:59", 1769903940 },
		{ "2026-01-31 23:59:59Z", 1769903999 },
		{ "2026-03-01", 1772323200 },
		{ "10m", 1000000 - 600 },
		{ "5", 1000000 - 5 },
		{ "2026-02-29", 0 },
		{ "1900-01-01", 0 },
		{ "2026-13-01", 0 },
		{ "2026-00-01", 0 },
		{ "2026-01-01T24:00", 0 },
		{ "2026-01-01T10", 0 },
		{ "2026-01-01T10:10:60", 0 },
		{ "2026-01-01T10:10:1", 0 },
		{ "2026-01-01T10:60", 0 },
		{ "2026-04-31", 0 },
		{ "2026/01/01", 0 },
		{ "2026-01/01", 0 },
		{ "0000-01-01", 0 },
		{ "2026-01-01x", 0 },
		{ "2026-1-1", 0 },
		{ "", 0 },
		{ "yesterday", 0 },
		{ "-5m", 0 },
	};
	char text[AUDIT_TIME_LEN + 1];
	uint64_t got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r;

		got = 0;
		r = audit_time_parse_user(str_from(rows[i].text), 1000000000000000u, &got);
		if (got != rows[i].seconds * 1000000000u || (r < 0) != (rows[i].seconds == 0))
			fail_msg("'%s': got %llu", rows[i].text, (unsigned long long)got);
	}
	/* Longer ago than there is time: all of it. */
	assert_int_equal(audit_time_parse_user(STR_LIT("2000000"), 1000000000000000u, &got), 0);
	assert_int_equal(got, 0);
	/* Every day of four centuries there and back. */
	for (uint64_t day = 0; day < 146097; day++) {
		uint64_t ns = day * 86400000000000u + 12345678901u;

		audit_time_format(ns, text);
		assert_int_equal(audit_time_parse(str_from(text), &got), 0);
		assert_int_equal(got, ns);
	}
}

static void test_filter(void **state)
{
	static const struct {
		struct audit_filter f;
		bool want;
	} rows[] = {
#define ANY .event = AUDIT_EVENT_MAX
		{ { ANY }, true },
		{ { ANY, .verdict = STR_LIT("allow") }, true },
		{ { ANY, .verdict = STR_LIT("deny") }, false },
		{ { ANY, .host = STR_LIT("API.example.com") }, true },
		{ { ANY, .host = STR_LIT("*.example.com") }, true },
		{ { ANY, .host = STR_LIT("*.api.example.com") }, false },
		{ { ANY, .host = STR_LIT("example.com") }, false },
		{ { .event = AUDIT_REQUEST }, true },
		{ { .event = AUDIT_CONNECT }, false },
		{ { ANY, .since_ns = 1769903999123456789u }, true },
		{ { ANY, .since_ns = 1769903999123456790u }, false },
		{ { ANY, .until_ns = 1769903999123456789u }, false },
		{ { ANY, .until_ns = 1769903999123456790u }, true },
	};
	struct audit_record r = full();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (audit_filter_match(&rows[i].f, &r) != rows[i].want)
			fail_msg("row %zu: expected %d", i, rows[i].want);
}

static void test_tally(void **state)
{
	struct audit_tally t = { 0 }, got;
	_cleanup_(buf_done) struct buf b = BUF_INIT(16384);
	struct audit_record deny = { .event = AUDIT_CONNECT,
				     .verdict = STR_LIT("deny"),
				     .host = STR_LIT("a.test"),
				     .port = 443 };
	struct audit_record allow = full();
	char name[300];

	(void)state;
	audit_tally_add(&t, &allow);
	allow.event = AUDIT_CLOSE;
	audit_tally_add(&t, &allow);
	allow.event = AUDIT_UPSTREAM;
	audit_tally_add(&t, &allow);
	audit_tally_add(&t, &deny);
	deny.event = AUDIT_RESOLVE;
	deny.port = 0;
	deny.host = STR_LIT("b.test");
	audit_tally_add(&t, &deny);
	deny.event = AUDIT_CONNECT;
	deny.port = 22;
	audit_tally_add(&t, &deny);
	assert_int_equal(t.allowed, 1);
	assert_int_equal(t.errors, 1);
	assert_int_equal(t.denied, 3);
	assert_int_equal(t.ntop, 2);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "%0250d.test", i);
		name[253] = '\0';
		deny.host = str_from(name);
		audit_tally_add(&t, &deny);
	}
	assert_int_equal(t.denied, 103);
	assert_int_equal(t.ntop, AUDIT_TALLY_HOSTS);
	/* Counted, but no place: no host, or one that is none. */
	deny.host = STR_NONE;
	audit_tally_add(&t, &deny);
	memset(name, 'x', sizeof name);
	deny.host = (struct str){ name, AUDIT_TALLY_HOST_MAX };
	audit_tally_add(&t, &deny);
	assert_int_equal(t.denied, 105);
	assert_int_equal(t.ntop, AUDIT_TALLY_HOSTS);
	assert_int_equal(audit_tally_pack(&t, &b), 0);
	assert_int_equal(audit_tally_unpack(buf_str(&b), &got), 0);
	assert_int_equal(got.denied, 105);
	assert_string_equal(got.top[0].host, "b.test");
	assert_int_equal(got.top[0].port, 22);
	assert_int_equal(got.top[0].count, 2);
	for (size_t n = 0; n < buf_len(&b); n++)
		assert_int_equal(audit_tally_unpack((struct str){ b.base, n }, &got), -EBADMSG);
	/* More places than the table holds. */
	((char *)b.base)[3 * 8] = AUDIT_TALLY_HOSTS + 1;
	assert_int_equal(audit_tally_unpack(buf_str(&b), &got), -EBADMSG);
	((char *)b.base)[3 * 8] = 40;
	assert_int_equal(audit_tally_unpack(buf_str(&b), &got), 0);
	/* A host that would speak to a terminal. */
	*(char *)memmem(b.base, buf_len(&b), "b.test", 6) = '\x1b';
	assert_int_equal(audit_tally_unpack(buf_str(&b), &got), -EBADMSG);
}

/* What is neither allowed nor denied: only a peer's nonsense is an error. */
static void test_tally_no_verdict(void **state)
{
	struct audit_record r = { .event = AUDIT_BAD_INPUT };
	struct audit_tally t = { 0 };

	(void)state;
	audit_tally_add(&t, &r);
	r.event = AUDIT_SESSION_START;
	audit_tally_add(&t, &r);
	assert_int_equal(t.errors, 1);
	assert_int_equal(t.allowed + t.denied + t.ntop, 0);
}

/* The same host on two ports is two places, and the port of a lookup comes later or not at all. */
static void test_tally_ports(void **state)
{
	static const uint16_t ports[] = { 443, 22, 0, 22 };
	struct audit_record r = { .event = AUDIT_CONNECT,
				  .verdict = STR_LIT("deny"),
				  .host = STR_LIT("a.test") };
	struct audit_tally t = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		r.port = ports[i];
		audit_tally_add(&t, &r);
	}
	assert_int_equal(t.ntop, 2);
	assert_int_equal(t.top[0].port, 443);
	assert_int_equal(t.top[0].count, 2);
	assert_int_equal(t.top[1].port, 22);
	assert_int_equal(t.top[1].count, 2);
	r.host = STR_LIT("b.test");
	for (int i = 0; i < 3; i++)
		audit_tally_add(&t, &r);
	audit_tally_sort(&t);
	assert_string_equal(t.top[0].host, "b.test");
	assert_int_equal(t.top[1].port, 443);
}

/* Rows of the document's tables begin with "| `name` |". */
static bool doc_names(const char *doc, const char *name)
{
	char row[64];

	snprintf(row, sizeof row, "\n| `%s` |", name);
	return strstr(doc, row) != NULL;
}

static void test_document(void **state)
{
	static const char *const fixed[] = { "v", "seq", "prev", "time", "event" };
	_cleanup_(buf_done) struct buf doc = BUF_INIT(1 << 20);
	size_t rows = 0;

	(void)state;
	assert_int_equal(fd_read_file(-1, AUDIT_DOC, &doc), 0);
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (!doc_names(buf_cstr(&doc), fixed[i]))
			fail_msg("doc/AUDIT.md does not name '%s'", fixed[i]);
	for (size_t i = 0; i < audit_nfields; i++)
		if (!doc_names(buf_cstr(&doc), audit_fields[i].name))
			fail_msg("doc/AUDIT.md does not name '%s'", audit_fields[i].name);
	for (unsigned i = 0; i < AUDIT_EVENT_MAX; i++)
		if (!doc_names(buf_cstr(&doc), audit_event_name((enum audit_event)i)))
			fail_msg("doc/AUDIT.md does not name the event '%s'",
				 audit_event_name((enum audit_event)i));
	/* And nothing else. */
	for (const char *at = buf_cstr(&doc); (at = strstr(at, "\n| `")); at++)
		rows++;
	assert_int_equal(rows, ARRAY_LEN(fixed) + audit_nfields + AUDIT_EVENT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pack),
		cmocka_unit_test(test_unpack_refuses),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_no_query),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_line_parse),
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_show_colour),
		cmocka_unit_test(test_event_names),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_tally),
		cmocka_unit_test(test_tally_no_verdict),
		cmocka_unit_test(test_tally_ports),
		cmocka_unit_test(test_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
