/* SPDX-License-Identifier: Apache-2.0 */
/* Deciding: one policy, many questions (attack rows N01, N03-N07, N17, N23, N30, N35). */
#include "load.h"

#include "base/own.h"
#include "policy/decide.h"
#include "policy/pack.h"

static const char policy_text[] =
    "network:\n"
    "  allow:\n"
    "    - plain.test\n"
    "    - '*.wild.test'\n"
    "    - ssh.test:22\n"
    "    - { host: tunnel.test, ports: [443], tls: tunnel }\n"
    "    - { host: cred.test, credential: c }\n"
    "    - { host: cred443.test, ports: [443], credential: c }\n"
    "    - { host: clear.test, credential: c, cleartext: allow }\n"
    "    - { host: refuse.test, cleartext: refuse }\n"
    "    - { host: up.test, cleartext: upgrade }\n"
    "    - { host: m.test, methods: [GET, HEAD] }\n"
    "    - { host: p.test, paths: [/repos/acme/**, /one] }\n"
    "    - { host: m.test, ports: [443], tls: tunnel }\n"
    "    - 10.1.2.3:5432\n"
    "    - '[::1]:9000'\n"
    "    - { host: '*.corp.test', ports: [8000-8100], addresses: [10.0.0.0/8] }\n"
    "    - denied.test\n"
    "    - half.test\n"
    "    - portdeny.test\n"
    "    - 10.9.9.9:80\n"
    "  deny:\n"
    "    - denied.test\n"
    "    - '*.deny.wild.test'\n"
    "    - { host: half.test, paths: [/admin/**] }\n"
    "    - { host: half.test, methods: [DELETE] }\n"
    "    - portdeny.test:80\n"
    "    - 10.9.9.9\n"
    "credentials: { c: { from: env:X, header: 'x-api-key: {}' } }\n";

enum { R = INTENT_RESOLVE, C = INTENT_CONNECT, T = INTENT_TUNNEL, Q = INTENT_REQUEST };

struct row {
	int kind;
	const char *host;
	unsigned port;
	const char *sni;    /* T: NULL not TLS, "" missing, else the name */
	const char *method; /* Q */
	const char *path;
	bool https;
	const char *want; /* reason; "+m" mediated, "+u" upgrade */
};

static const struct row rows[] = {
	{ R, "plain.test", 0, .want = "allowed" },
	{ R, "PLAIN.TEST.", 0, .want = "allowed" },
	{ R, "ssh.test", 0, .want = "allowed" },
	{ R, "other.test", 0, .want = "no-rule" },
	{ R, "evilplain.test", 0, .want = "no-rule" },
	{ R, "plain.test.evil.test", 0, .want = "no-rule" },
	{ R, "wild.test", 0, .want = "no-rule" },
	{ R, "a.b.wild.test", 0, .want = "allowed" },
	{ R, "x.deny.wild.test", 0, .want = "deny-rule" },
	{ R, "denied.test", 0, .want = "deny-rule" },
	{ R, "half.test", 0, .want = "allowed" },
	{ R, "portdeny.test", 0, .want = "allowed" },

	{ C, "plain.test", 443, .want = "allowed" },
	{ C, "plain.test", 80, .want = "allowed" },
	{ C, "plain.test", 22, .want = "port" },
	{ C, "plain.test", 25, .want = "port" },
	{ C, "plain.test", 0, .want = "no-rule" },
	{ C, "ssh.test", 22, .want = "allowed" },
	{ C, "ssh.test", 443, .want = "port" },
	{ C, "other.test", 443, .want = "no-rule" },
	{ C, "127.0.0.1", 443, .want = "address-literal" },
	{ C, "0.0.0.0", 80, .want = "address-literal" },
	{ C, "[::]", 80, .want = "address-literal" },
	{ C, "10.1.2.3", 5432, .want = "allowed" },
	{ C, "::ffff:10.1.2.3", 5432, .want = "allowed" },
	{ C, "10.1.2.3", 80, .want = "port" },
	{ C, "::1", 9000, .want = "allowed" },
	{ C, "10.9.9.9", 80, .want = "deny-rule" },
	{ C, "cred.test", 443, .want = "needs-request" },
	{ C, "cred.test", 80, .want = "allowed+m+u" },
	{ C, "cred443.test", 80, .want = "allowed+m+u" },
	{ C, "cred443.test", 8080, .want = "port" },
	{ C, "denied.test", 443, .want = "deny-rule" },
	{ C, "half.test", 443, .want = "needs-request" },
	{ C, "half.test", 80, .want = "allowed" },
	{ C, "portdeny.test", 80, .want = "deny-rule" },
	{ C, "portdeny.test", 443, .want = "allowed" },
	{ C, "m.test", 443, .want = "allowed" },
	{ C, "x.corp.test", 8050, .want = "allowed" },
	{ C, "x.corp.test", 8101, .want = "port" },

	{ T, "plain.test", 443, "plain.test", .want = "allowed" },
	{ T, "plain.test", 443, "evil.test", .want = "sni-mismatch" },
	{ T, "plain.test", 443, "a.wild.test", .want = "sni-mismatch" },
	{ T, "plain.test", 443, "", .want = "no-sni" },
	{ T, "plain.test", 80, NULL, .want = "allowed" },
	{ T, "ssh.test", 22, NULL, .want = "allowed" },
	{ T, "tunnel.test", 443, "tunnel.test", .want = "allowed" },
	{ T, "tunnel.test", 80, NULL, .want = "port" },
	{ T, "cred.test", 443, "cred.test", .want = "needs-request" },
	{ T, "cred.test", 80, NULL, .want = "needs-request" },
	{ T, "p.test", 443, "p.test", .want = "needs-request" },
	{ T, "m.test", 443, "m.test", .want = "allowed" },
	{ T, "m.test", 80, NULL, .want = "needs-request" },
	{ T, "refuse.test", 80, NULL, .want = "cleartext" },
	{ T, "refuse.test", 443, "refuse.test", .want = "allowed" },
	{ T, "up.test", 80, NULL, .want = "cleartext" },
	{ T, "8.8.8.8", 443, "plain.test", .want = "address-literal" },
	{ T, "10.1.2.3", 5432, "plain.test", .want = "sni-mismatch" },
	{ T, "10.1.2.3", 5432, "", .want = "allowed" },
	{ T, "10.1.2.3", 5432, NULL, .want = "allowed" },
	{ T, "half.test", 443, "half.test", .want = "needs-request" },
	{ T, "denied.test", 443, "denied.test", .want = "deny-rule" },
	{ T, "a.wild.test", 443, "b.wild.test", .want = "sni-mismatch" },

	{ Q, "plain.test", 80, NULL, "GET", "/", .want = "allowed" },
	{ Q, "plain.test", 443, NULL, "GET", "/", true, .want = "allowed+m+u" },
	{ Q, "evil.test", 80, NULL, "GET", "/", .want = "no-rule" },
	{ Q, "cred.test", 80, NULL, "POST", "/v1/messages", .want = "allowed+m+u" },
	{ Q, "cred.test", 443, NULL, "POST", "/v1/messages", true, .want = "allowed+m+u" },
	{ Q, "cred443.test", 80, NULL, "GET", "/", .want = "allowed+m+u" },
	{ Q, "cred443.test", 80, NULL, "GET", "/", true, .want = "port" },
	{ Q, "clear.test", 80, NULL, "GET", "/", .want = "allowed+m" },
	{ Q, "refuse.test", 80, NULL, "GET", "/", .want = "cleartext" },
	{ Q, "refuse.test", 443, NULL, "GET", "/", true, .want = "allowed+m+u" },
	{ Q, "up.test", 80, NULL, "GET", "/", .want = "allowed+m+u" },
	{ Q, "m.test", 80, NULL, "GET", "/x", .want = "allowed+m" },
	{ Q, "m.test", 80, NULL, "get", "/x", .want = "method" },
	{ Q, "m.test", 80, NULL, "POST", "/x", .want = "method" },
	{ Q, "p.test", 80, NULL, "POST", "/repos/acme/a/b", .want = "allowed+m" },
	{ Q, "p.test", 80, NULL, "GET", "/one", .want = "allowed+m" },
	{ Q, "p.test", 80, NULL, "GET", "/One", .want = "path" },
	{ Q, "p.test", 80, NULL, "GET", "/repos/evil", .want = "path" },
	{ Q, "p.test", 80, NULL, "GET", "/repos/acme/../evil", .want = "path" },
	{ Q, "p.test", 80, NULL, "GET", "/repos/acme/%2e%2e/evil", .want = "path" },
	{ Q, "p.test", 80, NULL, "GET", "/repos/acme/..%2Fevil", .want = "path" },
	{ Q, "p.test", 80, NULL, "GET", "/repos/acme/%252e", .want = "path" },
	{ Q, "p.test", 80, NULL, "GET", "/repos/acme/..\\evil", .want = "path" },
	{ Q, "p.test", 80, NULL, "GET", "/repos/acme/..;/evil", .want = "path" },
	{ Q, "p.test", 80, NULL, "GET", "/repos/acme//evil", .want = "path" },
	{ Q, "p.test", 80, NULL, "GET", "/repos/acme/%", .want = "path" },
	{ Q, "p.test", 80, NULL, "GET", "/repos/acme/%20x/", .want = "allowed+m" },
	{ Q, "p.test", 80, NULL, "OPTIONS", "*", .want = "path" },
	{ Q, "p.test", 80, NULL, "GET", "", .want = "path" },
	{ Q, "half.test", 80, NULL, "GET", "/ok", .want = "allowed" },
	{ Q, "half.test", 80, NULL, "GET", "/admin/x", .want = "deny-rule" },
	{ Q, "half.test", 80, NULL, "GET", "/x/%2e%2e/admin/x", .want = "deny-rule" },
	{ Q, "half.test", 80, NULL, "GET", "/x;y", .want = "deny-rule" },
	{ Q, "half.test", 80, NULL, "delete", "/ok", .want = "deny-rule" },
	{ Q, "denied.test", 80, NULL, "GET", "/", .want = "deny-rule" },
	{ Q, "10.1.2.3", 5432, NULL, "GET", "/", .want = "allowed" },
	{ Q, "169.254.169.254", 80, NULL, "GET", "/", .want = "address-literal" },
};

static void ask(const struct policy *p, const struct row *r, struct verdict *v)
{
	struct intent in = { .kind = (enum intent_kind)r->kind,
			     .port = (uint16_t)r->port,
			     .https = r->https,
			     .method = str_from(r->method),
			     .path = str_from(r->path) };

	assert_int_equal(host_parse(str_from(r->host), &in.host), 0);
	in.sni_state = !r->sni ? SNI_NOT_TLS : *r->sni ? SNI_NAME : SNI_MISSING;
	if (in.sni_state == SNI_NAME)
		assert_int_equal(host_parse(str_from(r->sni), &in.sni), 0);
	decide(p, &in, v);
}

static void answers(const struct policy *p)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct verdict v;
		char got[64];

		ask(p, &rows[i], &v);
		snprintf(got, sizeof got, "%s%s%s", reason_name(v.reason), v.mediated ? "+m" : "",
			 v.upgrade ? "+u" : "");
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu (%s:%u %s): got %s, expected %s", i, rows[i].host,
				 rows[i].port, rows[i].path ? rows[i].path : "", got, rows[i].want);
		assert_int_equal(v.action == ACTION_ALLOW, v.reason == REASON_ALLOWED);
		if (v.action == ACTION_ALLOW || v.reason == REASON_DENY_RULE)
			assert_non_null(v.rule);
		if (v.action == ACTION_ALLOW)
			assert_int_equal(v.rule->action, ACTION_ALLOW);
	}
}

static void load(struct policy *p, const char *text)
{
	struct err e = ERR_INIT;

	if (load_one(str_from(text), p, &e) < 0)
		fail_msg("%s", e.text);
}

static void decides(void **state)
{
	struct policy p;

	(void)state;
	load(&p, policy_text);
	answers(&p);
	policy_done(&p);
}

/* The roles' copy answers the same, and knows nothing of where secrets come from. */
static void copy_decides_the_same(void **state)
{
	struct buf b = BUF_INIT(POLICY_PACK_MAX), again = BUF_INIT(POLICY_PACK_MAX);
	struct err e = ERR_INIT;
	struct policy p, copy;

	(void)state;
	load(&p, policy_text);
	assert_int_equal(policy_pack(&p, &b), 0);
	policy_done(&p);
	if (policy_unpack(buf_str(&b), &copy, &e) < 0)
		fail_msg("%s", e.text);
	answers(&copy);
	assert_null(copy.credentials[0].from);
	assert_string_equal(copy.credentials[0].header, "x-api-key");
	assert_int_equal(policy_pack(&copy, &again), 0);
	assert_true(str_eq(buf_str(&b), buf_str(&again)));
	policy_done(&copy);
	/* Cut anywhere it is refused; with any byte changed it is refused or harmless. */
	for (size_t i = 0; i < buf_len(&b); i++) {
		assert_int_equal(policy_unpack((struct str){ b.base, i }, &copy, &e), -EBADMSG);
		for (unsigned bit = 1; bit < 256; bit *= 16) {
			b.base[i] = (char)(b.base[i] ^ (char)bit);
			if (policy_unpack(buf_str(&b), &copy, &e) == 0)
				policy_done(&copy);
			b.base[i] = (char)(b.base[i] ^ (char)bit);
		}
	}
	assert_int_equal(buf_append_c(&b, 'x'), 0);
	assert_int_equal(policy_unpack(buf_str(&b), &copy, &e), -EBADMSG);
	buf_done(&b);
	buf_done(&again);
}

static void empty_denies(void **state)
{
	struct policy p;

	(void)state;
	policy_init(&p);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct verdict v;

		ask(&p, &rows[i], &v);
		assert_int_equal(v.action, ACTION_DENY);
		assert_null(v.rule);
	}
	policy_done(&p);
	load(&p, "network: { allow: [] }\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct verdict v;

		ask(&p, &rows[i], &v);
		assert_int_equal(v.action, ACTION_DENY);
	}
	policy_done(&p);
}

/* deny "*" means everything, addresses too, though allow "*" means names only. */
static void star(void **state)
{
	static const struct row name = { C, "a.test", 443 }, addr = { C, "8.8.8.8", 443 };
	struct verdict v;
	struct policy p;

	(void)state;
	load(&p, "network: { allow: ['*'] }\n");
	ask(&p, &name, &v);
	assert_int_equal(v.reason, REASON_ALLOWED);
	ask(&p, &addr, &v);
	assert_int_equal(v.reason, REASON_ADDRESS_LITERAL);
	policy_done(&p);
	load(&p, "network: { allow: ['*', 8.8.8.8], deny: ['*'] }\n");
	ask(&p, &name, &v);
	assert_int_equal(v.reason, REASON_DENY_RULE);
	ask(&p, &addr, &v);
	assert_int_equal(v.reason, REASON_DENY_RULE);
	policy_done(&p);
}

static void addresses(void **state)
{
	static const struct {
		const char *addr;
		bool any, named, literal, up;
	} table[] = {
		{ "8.8.8.8", true, true, true, true },
		{ "10.1.1.1", false, true, false, false },
		{ "11.1.1.1", true, true, true, true },
		{ "127.0.0.1", false, false, true, false },
		{ "169.254.169.254", false, false, false, false },
		{ "::ffff:10.1.1.1", false, true, false, false },
		{ "64:ff9b::10.1.1.1", false, false, false, false },
		{ "2002:a01:101::", false, false, false, false },
		{ "fd00::1", false, false, false, true },
	};
	struct policy p;

	(void)state;
	load(&p, "network: { allow: ['*', { host: a.b, addresses: [10.0.0.0/8] }, 127.0.0.1, "
		 "{ host: u.b, upstream: '[fd00::1]:1' }], deny: [c.d] }\n");
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		bool want[] = { table[i].any, table[i].named, table[i].literal, table[i].up };
		struct addr a;

		assert_int_equal(addr_parse(str_from(table[i].addr), &a), 0);
		assert_false(rule_allows_address(&p.rules[0], &a)); /* the deny rule */
		for (size_t j = 0; j < 4; j++)
			if (rule_allows_address(&p.rules[1 + j], &a) != want[j])
				fail_msg("%s under '%s': expected %d", table[i].addr,
					 p.rules[1 + j].text, want[j]);
	}
	policy_done(&p);
	assert_string_equal(reason_name((enum reason)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decides),	cmocka_unit_test(copy_decides_the_same),
		cmocka_unit_test(empty_denies), cmocka_unit_test(star),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
