/* SPDX-License-Identifier: Apache-2.0 */
/* What of front is a function of values: first bytes, intents, heads, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/own.h"
#include "front/forward.h"
#include "front/intent.h"
#include "front/refusal.h"
#include "front/sniff.h"

#include <stdio.h>

static void first_bytes(void **state)
{
	static const struct {
		struct str in;
		enum first_bytes want;
	} t[] = {
		{ STR_LIT(""), FIRST_MORE },
		{ STR_LIT("\x16"), FIRST_TLS },
		{ STR_LIT("\x16\x03\x01"), FIRST_TLS },
		{ STR_LIT("\x15\x03"), FIRST_OPAQUE },
		{ STR_LIT("G"), FIRST_MORE },
		{ STR_LIT("GET"), FIRST_MORE },
		{ STR_LIT("GET "), FIRST_HTTP },
		{ STR_LIT("GET / HTTP/1.1"), FIRST_HTTP },
		{ STR_LIT("get / HTTP/1.1"), FIRST_OPAQUE },
		{ STR_LIT("GETX / "), FIRST_OPAQUE },
		{ STR_LIT("PRI * HTTP/2.0"), FIRST_HTTP },
		{ STR_LIT("PROPPATCH /"), FIRST_HTTP },
		{ STR_LIT("SSH-2.0-x"), FIRST_OPAQUE },
		{ STR_LIT("EHLO a"), FIRST_OPAQUE },
		{ STR_LIT("\0"), FIRST_OPAQUE },
		{ STR_LIT("\r\n"), FIRST_OPAQUE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (sniff_first(t[i].in) != t[i].want)
			fail_msg("row %zu: %.*s: expected %d, got %d", i, STR_FMT(t[i].in),
				 t[i].want, sniff_first(t[i].in));
}

static struct http1_request req;
static char path[HTTP1_TARGET_MAX];

static void parse(const char *text)
{
	const char *why = "";

	if (http1_request_parse(str_from(text), &req, &why) != 1)
		fail_msg("not parsed (%s): %s", why, text);
}

static void intents(void **state)
{
	static const struct {
		const char *text, *fixed;
		uint16_t fixed_port;
		enum intent_fault want;
		const char *host;
		uint16_t port;
		const char *path;
	} t[] = {
		{ "GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n", NULL, 0, INTENT_OK, "a.test", 80,
		  "/a" },
		{ "GET http://A.test:81/%61/../b HTTP/1.1\r\nHost: a.test:81\r\n\r\n", NULL, 0,
		  INTENT_OK, "a.test", 81, "/b" },
		{ "GET https://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", NULL, 0, INTENT_OK,
		  "a.test", 443, "/" },
		{ "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n", NULL, 0, INTENT_OK, "a.test", 80,
		  "*" },
		{ "GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n", "a.test", 8080, INTENT_OK, "a.test",
		  8080, "/a" },
		{ "GET /a HTTP/1.1\r\nHost: a.test:8080\r\n\r\n", "a.test", 8080, INTENT_OK,
		  "a.test", 8080, "/a" },
		{ "GET /a HTTP/1.1\r\nHost: b.test\r\n\r\n", "a.test", 80, INTENT_OTHER_HOST },
		{ "GET /a HTTP/1.1\r\nHost: a.test:81\r\n\r\n", "a.test", 80, INTENT_OTHER_HOST },
		{ "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", "a.test", 8080,
		  INTENT_OTHER_HOST },
		{ "GET https://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", "a.test", 80,
		  INTENT_OTHER_HOST },
		{ "GET /a%2fb HTTP/1.1\r\nHost: a.test\r\n\r\n", NULL, 0, INTENT_BAD_PATH },
		{ "GET //b HTTP/1.1\r\nHost: a.test\r\n\r\n", NULL, 0, INTENT_BAD_PATH },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct intent in = { 0 };
		struct host fixed;
		enum intent_fault got;

		parse(t[i].text);
		if (t[i].fixed)
			assert_int_equal(host_parse(str_from(t[i].fixed), &fixed), 0);
		got = intent_request(&req, t[i].fixed ? &fixed : NULL, t[i].fixed_port, path, &in);
		if (got != t[i].want)
			fail_msg("row %zu: expected %d, got %d", i, t[i].want, got);
		if (got != INTENT_OK)
			continue;
		assert_string_equal(in.host.text, t[i].host);
		assert_int_equal(in.port, t[i].port);
		if (!str_eq(in.path, str_from(t[i].path)))
			fail_msg("row %zu: path %.*s", i, STR_FMT(in.path));
	}
}

static void destinations(void **state)
{
	struct dns_names *names = dns_names_new((const uint8_t *)"0123456789abcdef");
	struct host name, asked, got;
	struct addr v4, v6;

	(void)state;
	assert_int_equal(host_parse(STR_LIT("a.test"), &name), 0);
	assert_int_equal(dns_names_assign(names, &name, &v4, &v6), 0);
	intent_destination(names, &v4, &got);
	assert_string_equal(got.text, "a.test");
	assert_int_equal(got.addr.family, 0);
	intent_destination(names, &v6, &got);
	assert_string_equal(got.text, "a.test");
	assert_int_equal(host_parse(STR_LIT("192.0.2.1"), &asked), 0);
	intent_host(names, &asked, &got);
	assert_int_equal(got.addr.family, 4);
	assert_string_equal(got.text, "192.0.2.1");
	intent_host(names, &name, &got);
	assert_string_equal(got.text, "a.test");
	dns_names_free(names);
}

/* The whole head is ours: order, Host, framing. */
static void heads(void **state)
{
	static const struct {
		const char *in, *want;
	} t[] = {
		{ "GET http://a.test/x?q=1 HTTP/1.1\r\nHost: A.TEST\r\nAccept: */*\r\n\r\n",
		  "GET /x?q=1 HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\n\r\n" },
		{ "POST http://[2001:db8::1]:81/? HTTP/1.1\r\nHost: [2001:DB8::1]:81\r\n"
		  "Content-Length: 3\r\nX: y\r\n\r\n",
		  "POST /? HTTP/1.1\r\nHost: [2001:db8::1]:81\r\nX: y\r\nContent-Length: "
		  "3\r\n\r\n" },
		{ "PUT /c HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n"
		  "Connection: x-one, keep-alive\r\nX-One: 1\r\nTE: trailers\r\nKeep-Alive: 1\r\n"
		  "Upgrade: h2c\r\nProxy-Authorization: Basic eA==\r\nProxy-Connection: "
		  "close\r\n\r\n",
		  "PUT /c HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n" },
		{ "GET / HTTP/1.0\r\nHost: a.test:80\r\n\r\n",
		  "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct intent in = { 0 };
		struct buf b = BUF_INIT(8192);

		parse(t[i].in);
		assert_int_equal(intent_request(&req, NULL, 0, path, &in), INTENT_OK);
		assert_int_equal(forward_head(&req, &in, &b), 0);
		assert_string_equal(buf_cstr(&b), t[i].want);
		buf_done(&b);
	}
}

static void head_too_long(void **state)
{
	struct intent in = { 0 };
	struct buf b = BUF_INIT(40);

	(void)state;
	parse("GET /0123456789 HTTP/1.1\r\nHost: a.test\r\nAccept: 0123456789\r\n\r\n");
	assert_int_equal(intent_request(&req, NULL, 0, path, &in), INTENT_OK);
	assert_true(forward_head(&req, &in, &b) < 0);
	buf_done(&b);
}

static void json_or_text(void **state)
{
	static const struct {
		const char *accept;
		bool want;
	} t[] = {
		{ "", false },
		{ "Accept: */*\r\n", false },
		{ "Accept: application/json\r\n", true },
		{ "Accept: application/json, text/plain\r\n", true },
		{ "Accept: text/html, application/json\r\n", false },
		{ "accept: image/png , application/json;q=0.9\r\n", true },
		{ "Accept: application/jso\r\n", false },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a.test\r\n%s\r\n",
			 t[i].accept);
		parse(text);
		if (refusal_prefers_json(&req) != t[i].want)
			fail_msg("%s: expected %d", t[i].accept, t[i].want);
	}
}

static void texts(void **state)
{
	struct refusal r = { .status = 403,
			     .reason = "no-rule",
			     .host = STR_LIT("2001:db8::1"),
			     .port = 443,
			     .by_policy = true };
	const struct refusal failed = { .status = 504,
					.reason = "upstream",
					.host = STR_LIT("a.test"),
					.port = 443,
					.detail = STR_LIT("nobody \"answered\"") };
	struct buf b = BUF_INIT(8192), tiny = BUF_INIT(16);

	(void)state;
	assert_int_equal(refusal_text(&r, &b), 0);
	assert_non_null(strstr(buf_cstr(&b), "No rule of the policy allows it.\n"));
	assert_non_null(strstr(buf_cstr(&b), "--connect [2001:db8::1]:443\n"));
	assert_non_null(strstr(buf_cstr(&b), "allow:\n      - \"[2001:db8::1]:443\"\n"));
	/* A line for the whole host would open more than the path that was refused. */
	buf_clear(&b);
	r.reason = "path";
	assert_int_equal(refusal_text(&r, &b), 0);
	assert_non_null(strstr(buf_cstr(&b), "--connect [2001:db8::1]:443\n"));
	assert_null(strstr(buf_cstr(&b), "To allow it"));
	r.reason = "no-rule";
	buf_clear(&b);
	assert_int_equal(refusal_text(&failed, &b), 0);
	assert_string_equal(buf_cstr(&b), "stockade: failed (upstream)\ndestination: a.test:443\n"
					  "nobody \"answered\"\n");
	buf_clear(&b);
	assert_int_equal(refusal_json(&failed, &b), 0);
	assert_string_equal(buf_cstr(&b),
			    "{\"error\":{\"type\":\"stockade_failed\",\"reason\":\"upstream\","
			    "\"message\":\"nobody \\\"answered\\\"\",\"host\":\"a.test\","
			    "\"port\":443}}\n");
	assert_true(refusal_text(&r, &tiny) < 0);
	assert_true(refusal_json(&r, &tiny) < 0);
	buf_done(&b);
	buf_done(&tiny);
}

static char rule_file[] = "stockade.yaml", rule_text[] = "deny a.test";

/* Each line of a text and each member of the JSON stands exactly when there is something to say. */
static void refusals(void **state)
{
	static const struct net_rule rule = { .text = rule_text,
					      .origin = { rule_file, 7, SOURCE_PROJECT } };
	static const struct net_rule plain = { .origin = { rule_file, 8, SOURCE_PROJECT } };
	static const struct {
		struct refusal r;
		const char *text, *json;
	} t[] = {
		{ { .status = 403,
		    .reason = "deny-rule",
		    .host = STR_LIT("a.test"),
		    .port = 22,
		    .rule = &rule,
		    .by_policy = true },
		  "stockade: refused (deny-rule)\ndestination: a.test:22\n"
		  "A rule of the policy forbids it.\nrule: stockade.yaml:7: deny a.test\n"
		  "To see why, outside the sandbox:\n"
		  "  stockade policy explain --connect a.test:22\n",
		  "{\"error\":{\"type\":\"stockade_refused\",\"reason\":\"deny-rule\",\"message\":"
		  "\"A rule of the policy forbids it.\",\"host\":\"a.test\",\"port\":22,\"rule\":"
		  "\"stockade.yaml:7\",\"explain\":"
		  "\"stockade policy explain --connect a.test:22\"}}\n" },
		{ { .status = 403,
		    .reason = "ambiguous-path",
		    .host = STR_LIT("a.test"),
		    .port = 80,
		    .method = STR_LIT("GET"),
		    .path = STR_LIT("/a%2fb"),
		    .rule = &plain },
		  "stockade: refused (ambiguous-path)\ndestination: a.test:80\n"
		  "request: GET /a%2fb\nThe path can be read in two ways (encoded slashes, dots, "
		  "\"//\", \";\"); it is not sent on.\nrule: stockade.yaml:8: \n",
		  "{\"error\":{\"type\":\"stockade_failed\",\"reason\":\"ambiguous-path\","
		  "\"message\":"
		  "\"The path can be read in two ways (encoded slashes, dots, \\\"//\\\", "
		  "\\\";\\\"); it is not sent on.\",\"host\":\"a.test\",\"port\":80,\"rule\":"
		  "\"stockade.yaml:8\"}}\n" },
		/* Bytes that are no request: no destination, no advice. */
		{ { .status = 400,
		    .reason = "bad-input",
		    .detail = STR_LIT("two hosts"),
		    .by_policy = true },
		  "stockade: failed (bad-input)\ntwo hosts\n",
		  "{\"error\":{\"type\":\"stockade_refused\",\"reason\":\"bad-input\",\"message\":"
		  "\"two hosts\"}}\n" },
		{ { .status = 403,
		    .reason = "address-literal",
		    .host = STR_LIT("::1"),
		    .port = 1,
		    .by_policy = true },
		  NULL,
		  "{\"error\":{\"type\":\"stockade_refused\",\"reason\":\"address-literal\","
		  "\"message\":\"An address was used, and no rule names that address: use the "
		  "name.\",\"host\":\"::1\",\"port\":1,\"explain\":"
		  "\"stockade policy explain --connect [::1]:1\"}}\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(8192);

		assert_int_equal(refusal_text(&t[i].r, &b), 0);
		if (t[i].text)
			assert_string_equal(buf_cstr(&b), t[i].text);
		for (size_t n = 0; n < buf_len(&b); n++) {
			_cleanup_(buf_done) struct buf small = BUF_INIT(n);

			assert_true(refusal_text(&t[i].r, &small) < 0);
		}
		buf_clear(&b);
		assert_int_equal(refusal_json(&t[i].r, &b), 0);
		assert_string_equal(buf_cstr(&b), t[i].json);
		for (size_t n = 0; n < buf_len(&b); n++) {
			_cleanup_(buf_done) struct buf small = BUF_INIT(n);

			assert_true(refusal_json(&t[i].r, &small) < 0);
		}
	}
}

static void phrases(void **state)
{
	(void)state;
	assert_string_equal(refusal_phrase(403), "Forbidden");
	assert_string_equal(refusal_phrase(505), "HTTP Version Not Supported");
	assert_string_equal(refusal_phrase(299), "Error");
}

/* A path that is too long is cut, never written past its room. */
static void rule_places(void **state)
{
	static char file[2 * REFUSAL_RULE_MAX];
	struct net_rule rule = { .origin = { file, 7, SOURCE_USER } };
	char room[REFUSAL_RULE_MAX];

	(void)state;
	assert_true(str_eq(refusal_rule(NULL, room), STR_LIT("default")));
	memset(file, 'a', sizeof file - 1);
	assert_int_equal(refusal_rule(&rule, room).len, REFUSAL_RULE_MAX - 1);
	file[REFUSAL_RULE_MAX - 3] = '\0'; /* with ":7" one byte short of the room */
	assert_int_equal(refusal_rule(&rule, room).len, REFUSAL_RULE_MAX - 1);
	assert_string_equal(room + REFUSAL_RULE_MAX - 4, "a:7");
	rule.origin.file = NULL;
	assert_true(str_eq(refusal_rule(&rule, room), STR_LIT("default")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_bytes),	 cmocka_unit_test(intents),
		cmocka_unit_test(destinations),	 cmocka_unit_test(heads),
		cmocka_unit_test(head_too_long), cmocka_unit_test(json_or_text),
		cmocka_unit_test(texts),	 cmocka_unit_test(refusals),
		cmocka_unit_test(phrases),	 cmocka_unit_test(rule_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
