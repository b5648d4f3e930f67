/* SPDX-License-Identifier: Apache-2.0 */
/* Explaining: what is said agrees with what is decided, and what is advised helps. */
#include "load.h"

#include "base/own.h"
#include "policy/decide.h"
#include "policy/explain.h"

static void load(const struct test_layer *l, size_t n, struct policy *p)
{
	struct err e = ERR_INIT;

	if (load_layers(l, n, p, &e) < 0)
		fail_msg("%s", e.text);
}

static void explained(const struct policy *p, struct intent *in, const char *host, const char *want,
		      const char *want_json)
{
	struct buf b = BUF_INIT(65536);

	assert_int_equal(host_parse(str_from(host), &in->host), 0);
	assert_int_equal(explain_text(p, in, &b), 0);
	if (!strstr(buf_cstr(&b), want))
		fail_msg("%s: said\n%s\nexpected '%s'", host, buf_cstr(&b), want);
	buf_clear(&b);
	assert_int_equal(explain_json(p, in, &b), 0);
	if (!strstr(buf_cstr(&b), want_json))
		fail_msg("%s: said\n%s\nexpected '%s'", host, buf_cstr(&b), want_json);
	buf_done(&b);
}

static void explains(void **state)
{
	const struct test_layer l[] = {
		{ "network:\n  allow: [a.test, { host: m.test, methods: [GET] },\n"
		  "    { host: p.test, paths: [/x] }, { host: k.test, credential: k }]\n"
		  "  deny: [d.test]\ncredentials: { k: { from: env:K, header: 'a: {}' } }\n",
		  "f", SOURCE_COMMAND, false },
	};
	struct intent c = { .kind = INTENT_CONNECT, .port = 443 };
	struct intent q = {
		.kind = INTENT_REQUEST, .port = 80, .method = STR_LIT("POST"), .path = STR_LIT("/y")
	};
	struct policy p;

	(void)state;
	load(l, 1, &p);
	explained(&p, &c, "a.test", "f:2 (command)", "\"verdict\":\"allow\"");
	explained(&p, &c, "evil.test", "- evil.test\n", "\"fix\":\"- evil.test\"");
	explained(&p, &c, "::1", "- '[::1]'\n", "\"reason\":\"address-literal\"");
	explained(&p, &c, "d.test", "deny d.test", "\"fix\":null");
	explained(&p, &q, "m.test", "- { host: m.test, methods: [POST] }", "\"reason\":\"method\"");
	explained(&p, &q, "p.test", "- { host: p.test, paths: ['/y'] }", "\"reason\":\"path\"");
	q.path = STR_LIT("/\x1b[31m'");
	explained(&p, &q, "p.test", "deny p.test:80\n", "\\u001b");
	c.port = 8080;
	explained(&p, &c, "a.test", "- a.test:8080\n", "\"decided\":false");
	/* What is allowed says what happens to it; what cannot be written as YAML is no advice. */
	c.port = 443;
	q.path = STR_LIT("/y");
	explained(&p, &q, "k.test", "  adds     credential k\n  upstream verified TLS",
		  "\"upgrade\":true");
	q.method = STR_LIT("M-SEARCH");
	explained(&p, &q, "m.test", "[method]\n  nearest", "\"fix\":null");
	for (int i = 0; i <= REASON_MAX; i++)
		assert_true(strlen(reason_text((enum reason)i)) > 3);
	policy_done(&p);
}

/* The line that is offered does what it says: with it, the same is allowed. */
static void advice_helps(void **state)
{
	static const char policy[] = "network:\n  allow:\n"
				     "    - { host: m.test, methods: [GET] }\n"
				     "    - { host: p.test, paths: [/x] }\n"
				     "    - { host: q.test, ports: [8080], methods: [GET] }\n"
				     "    - { host: '::1', methods: [GET], paths: [/x] }\n"
				     "    - port.test:443\n";
	static const struct {
		enum intent_kind kind;
		const char *host;
		uint16_t port;
		const char *method, *path;
		bool advice;
	} rows[] = {
		{ INTENT_RESOLVE, "a.test", 0, NULL, NULL, true },
		{ INTENT_CONNECT, "a.test", 443, NULL, NULL, true },
		{ INTENT_CONNECT, "a.test", 22, NULL, NULL, true },
		{ INTENT_CONNECT, "port.test", 22, NULL, NULL, true },
		{ INTENT_CONNECT, "192.0.2.1", 443, NULL, NULL, true },
		{ INTENT_CONNECT, "::2", 443, NULL, NULL, true },
		{ INTENT_CONNECT, "::2", 22, NULL, NULL, true },
		{ INTENT_REQUEST, "m.test", 80, "POST", "/", true },
		{ INTENT_REQUEST, "p.test", 80, "GET", "/y", true },
		{ INTENT_REQUEST, "q.test", 8080, "POST", "/", true },
		{ INTENT_REQUEST, "::1", 80, "POST", "/x", true },
		{ INTENT_REQUEST, "::1", 80, "GET", "/y", true },
		{ INTENT_REQUEST, "::1", 80, "POST", "/y", true },
		/* What cannot be written as a rule that means just this. */
		{ INTENT_REQUEST, "m.test", 80, "get", "/", false },
		{ INTENT_REQUEST, "m.test", 80, "", "/", false },
		{ INTENT_REQUEST, "p.test", 80, "GET", "/y'", false },
		{ INTENT_REQUEST, "p.test", 80, "GET", "/%41", false },
		{ INTENT_REQUEST, "p.test", 80, "GET", "/a;b", false },
		{ INTENT_REQUEST, "p.test", 80, "GET", "/a*", false },
		{ INTENT_REQUEST, "p.test", 80, "GET", "/a?b", false },
		{ INTENT_REQUEST, "p.test", 80, "GET", "/a\\b", false },
		{ INTENT_REQUEST, "p.test", 80, "GET", "y", false },
		{ INTENT_REQUEST, "p.test", 80, "GET", "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct test_layer l = { policy, "f", SOURCE_COMMAND, false };
		struct intent in = { .kind = rows[i].kind, .port = rows[i].port };
		struct buf fix = BUF_INIT(1024);
		struct verdict v;
		struct policy p;
		char text[2048];

		assert_int_equal(host_parse(str_from(rows[i].host), &in.host), 0);
		in.method = rows[i].method ? str_from(rows[i].method) : STR_NONE;
		in.path = rows[i].path ? str_from(rows[i].path) : STR_NONE;
		load(&l, 1, &p);
		decide(&p, &in, &v);
		assert_int_equal(v.action, ACTION_DENY);
		assert_int_equal(explain_fix(&in, &v, &fix), 0);
		policy_done(&p);
		if ((buf_len(&fix) > 0) != rows[i].advice)
			fail_msg("row %zu: advice '%s'", i, buf_cstr(&fix));
		snprintf(text, sizeof text, "%s    %s\n", policy, buf_cstr(&fix));
		l.text = text;
		if (rows[i].advice) {
			load(&l, 1, &p);
			decide(&p, &in, &v);
			if (v.action != ACTION_ALLOW)
				fail_msg("row %zu: still denied (%s) with '%s'", i,
					 reason_name(v.reason), buf_cstr(&fix));
			policy_done(&p);
		}
		buf_done(&fix);
	}
}

/* An explanation that does not fit is an error, never half of one. */
static void explains_all_or_nothing(void **state)
{
	static const struct test_layer l = { "network:\n  allow:\n"
					     "    - { host: k.test, credential: k }\n"
					     "    - { host: p.test, paths: [/x] }\n"
					     "credentials: { k: { from: env:K, header: 'a: {}' } "
					     "}\n",
					     "f", SOURCE_COMMAND, false };
	static const char *const hosts[] = { "k.test", "p.test", "no.test" };
	int (*const explain[])(const struct policy *, const struct intent *,
			       struct buf *) = { explain_text, explain_json };
	struct policy p;

	(void)state;
	load(&l, 1, &p);
	for (size_t i = 0; i < 2 * ARRAY_LEN(hosts); i++) {
		struct intent in = { .kind = INTENT_REQUEST,
				     .port = 80,
				     .method = STR_LIT("GET"),
				     .path = STR_LIT("/y") };
		struct buf whole = BUF_INIT(4096);

		assert_int_equal(host_parse(str_from(hosts[i / 2]), &in.host), 0);
		assert_int_equal(explain[i % 2](&p, &in, &whole), 0);
		for (size_t n = 0; n < buf_len(&whole); n++) {
			struct buf b = BUF_INIT(n);

			if (explain[i % 2](&p, &in, &b) >= 0)
				fail_msg("%zu bytes were enough for '%s'", n, buf_cstr(&whole));
			buf_done(&b);
		}
		buf_done(&whole);
	}
	policy_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(explains),
		cmocka_unit_test(advice_helps),
		cmocka_unit_test(explains_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
