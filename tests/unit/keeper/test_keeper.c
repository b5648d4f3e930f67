/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper gives a credential only for the rule, host, port and connection it is bound to. */
#include "base/wire.h"
#include "keeper/keeper.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static char api_name[] = "api", api_header[] = "x-api-key", none[] = "";
static char hub_name[] = "hub", hub_header[] = "authorization", hub_prefix[] = "Bearer ";
static char hub_suffix[] = "!", gone_name[] = "gone";

static struct credential credentials[] = {
	{ .name = api_name, .header = api_header, .prefix = none, .suffix = none },
	{ .name = hub_name, .header = hub_header, .prefix = hub_prefix, .suffix = hub_suffix },
	{ .name = gone_name, .header = api_header, .prefix = none, .suffix = none },
};
static struct port_range high = { 8000, 8100 };
static struct net_rule rules[6];
static struct policy policy = {
	.rules = rules, .nrules = 6, .credentials = credentials, .ncredentials = 3
};

enum { RULE_API, RULE_HUB, RULE_FREE, RULE_DENY, RULE_CLEAR, RULE_GONE };

static int load(struct keeper *k, const char *name, struct str value)
{
	struct buf b = BUF_INIT(CHANNEL_MSG_MAX);
	int error = 0, r;

	wire_str(&b, &error, str_from(name));
	wire_str(&b, &error, value);
	wire_str(&b, &error, STR_LIT("sk-stockade-x"));
	assert_int_equal(error, 0);
	r = keeper_load(k, buf_str(&b), NULL);
	buf_done(&b);
	return r;
}

static struct keeper *make(void)
{
	struct keeper *k = malloc(sizeof *k);

	for (size_t i = 0; i < 6; i++)
		rules[i] = (struct net_rule){ .action = ACTION_ALLOW, .credential = api_name };
	rules[RULE_HUB].credential = hub_name;
	rules[RULE_HUB].ports = &high;
	rules[RULE_HUB].nports = 1;
	rules[RULE_FREE].credential = NULL;
	rules[RULE_DENY].action = ACTION_DENY;
	rules[RULE_CLEAR].cleartext = CLEARTEXT_ALLOW;
	rules[RULE_GONE].credential = gone_name;
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(host_pattern_parse(i == RULE_HUB ? STR_LIT("*.hub.test")
								  : STR_LIT("api.test"),
						    &rules[i].host),
				 0);
	keeper_init(k, &policy);
	assert_int_equal(load(k, "api", STR_LIT("canary")), 0);
	assert_int_equal(load(k, "hub", STR_LIT("second")), 0);
	return k;
}

static void drop(struct keeper *k)
{
	keeper_done(k);
	free(k);
}

static int question(struct keeper *k, uint32_t rule, const char *host, uint16_t port,
		    uint8_t verified, uint64_t now, enum msg_type *type, struct buf *out)
{
	struct buf b = BUF_INIT(1024);
	int error = 0, r;

	wire_u32(&b, &error, 77);
	wire_u32(&b, &error, rule);
	wire_str(&b, &error, str_from(host));
	wire_u16(&b, &error, port);
	wire_u8(&b, &error, verified);
	assert_int_equal(error, 0);
	buf_clear(out);
	r = keeper_answer(k, buf_str(&b), now, type, out);
	buf_done(&b);
	return r;
}

static void check_given(const struct buf *out, const char *header, const char *value)
{
	struct wire_in in = { .rest = buf_str(out) };

	assert_int_equal(wire_get_u32(&in), 77);
	assert_true(str_eq(wire_get_str(&in, 100), str_from(header)));
	assert_true(str_eq(wire_get_str(&in, 1000), str_from(value)));
	assert_int_equal(wire_in_done(&in), 0);
}

static void the_bound_rule_gets_its_value(void **state)
{
	struct keeper *k = make();
	struct buf out = BUF_INIT(CHANNEL_MSG_MAX);
	enum msg_type type;

	(void)state;
	assert_int_equal(question(k, RULE_API, "api.test", 443, 1, 1, &type, &out), 0);
	assert_int_equal(type, MSG_CRED);
	check_given(&out, "x-api-key", "canary");
	assert_int_equal(question(k, RULE_HUB, "a.hub.test", 8001, 1, 1, &type, &out), 0);
	assert_int_equal(type, MSG_CRED);
	check_given(&out, "authorization", "Bearer second!");
	/* The agent spoke clear text on port 80; what counts is the verified server. */
	assert_int_equal(question(k, RULE_API, "api.test", 80, 1, 1, &type, &out), 0);
	assert_int_equal(type, MSG_CRED);
	/* In clear only where the rule says so. */
	assert_int_equal(question(k, RULE_CLEAR, "api.test", 80, 0, 1, &type, &out), 0);
	assert_int_equal(type, MSG_CRED);
	buf_done(&out);
	drop(k);
}

static void everything_else_is_refused(void **state)
{
	static const struct {
		const char *what;
		uint32_t rule;
		const char *host;
		uint16_t port;
		uint8_t verified;
	} rows[] = {
		{ "not verified", RULE_API, "api.test", 443, 0 },
		{ "not verified, port 80", RULE_API, "api.test", 80, 0 },
		{ "another host", RULE_API, "evil.test", 443, 1 },
		{ "a host below", RULE_API, "x.api.test", 443, 1 },
		{ "the suffix itself", RULE_HUB, "hub.test", 8001, 1 },
		{ "a host that ends alike", RULE_HUB, "evilhub.test", 8001, 1 },
		{ "an address", RULE_API, "127.0.0.1", 443, 1 },
		{ "another port", RULE_API, "api.test", 8443, 1 },
		{ "a default port of a rule with ports", RULE_HUB, "a.hub.test", 443, 1 },
		{ "one beside the range", RULE_HUB, "a.hub.test", 8101, 1 },
		{ "a rule without credential", RULE_FREE, "api.test", 443, 1 },
		{ "a rule that denies", RULE_DENY, "api.test", 443, 1 },
		{ "a credential that was not loaded", RULE_GONE, "api.test", 443, 1 },
		{ "no such rule", 6, "api.test", 443, 1 },
		{ "no rule at all", UINT32_MAX, "api.test", 443, 1 },
	};
	struct keeper *k = make();
	struct buf out = BUF_INIT(CHANNEL_MSG_MAX);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum msg_type type = MSG_CRED;
		int r = question(k, rows[i].rule, rows[i].host, rows[i].port, rows[i].verified, 1,
				 &type, &out);

		if (r != 0 || type != MSG_CRED_NO)
			fail_msg("%s: %d, %s", rows[i].what, r, msg_name(type));
		assert_null(memmem(buf_cstr(&out), buf_len(&out), "canary", 6));
	}
	buf_done(&out);
	drop(k);
}

static void malformed_questions_end_the_session(void **state)
{
	struct keeper *k = make();
	struct buf out = BUF_INIT(CHANNEL_MSG_MAX);
	enum msg_type type;

	(void)state;
	assert_int_equal(question(k, RULE_API, "API.test", 443, 1, 1, &type, &out), -EPROTO);
	assert_int_equal(question(k, RULE_API, "api.test", 443, 2, 1, &type, &out), -EPROTO);
	assert_int_equal(question(k, RULE_API, "127.1", 443, 1, 1, &type, &out), -EPROTO);
	assert_int_equal(keeper_answer(k, STR_LIT("abc"), 1, &type, &out), -EPROTO);
	assert_int_equal(keeper_answer(k, STR_NONE, 1, &type, &out), -EPROTO);
	buf_done(&out);
	drop(k);
}

static void questions_are_bounded(void **state)
{
	struct keeper *k = make();
	struct buf out = BUF_INIT(CHANNEL_MSG_MAX);
	enum msg_type type;

	(void)state;
	for (unsigned i = 0; i < KEEPER_BURST; i++)
		assert_int_equal(question(k, RULE_API, "api.test", 443, 1, 0, &type, &out), 0);
	assert_int_equal(type, MSG_CRED);
	assert_int_equal(question(k, RULE_API, "api.test", 443, 1, 0, &type, &out), 0);
	assert_int_equal(type, MSG_CRED_NO);
	assert_int_equal(question(k, RULE_API, "api.test", 443, 1, 1000, &type, &out), 0);
	assert_int_equal(type, MSG_CRED);
	buf_done(&out);
	drop(k);
}

static void loading_is_strict(void **state)
{
	struct keeper *k = make();

	(void)state;
	assert_int_equal(load(k, "api", STR_LIT("again")), -EPROTO);
	assert_int_equal(load(k, "unknown", STR_LIT("x")), -EPROTO);
	assert_int_equal(load(k, "gone", STR_LIT("a\nb")), -EINVAL);
	assert_int_equal(load(k, "gone", STR_LIT("")), -EINVAL);
	assert_int_equal(keeper_load(k, STR_LIT("abc"), NULL), -EPROTO);
	assert_int_equal(load(k, "gone", STR_LIT("ok")), 0);
	drop(k);
}

static void values_that_no_header_may_carry(void **state)
{
	static const struct {
		struct str value;
		const char *want; /* in the error; NULL: accepted */
	} rows[] = {
		{ STR_LIT("sk-ant-api03-AbC_-."), NULL },
		{ STR_LIT("two words"), NULL },
		{ STR_LIT(""), "empty" },
		{ STR_LIT("se\rcret"), "line break" },
		{ STR_LIT("se\ncret"), "line break" },
		{ STR_LIT("secret\r\n"), "line break" },
		{ STR_LIT("se\0cret"), "0x00" },
		{ STR_LIT("se\tcret"), "0x09" },
		{ STR_LIT("se\x7f"
			  "cret"),
		  "0x7f" },
		{ STR_LIT("s\xc3\xa9"
			  "cret"),
		  "0x80 or above" },
		{ STR_LIT(" secret"), "space" },
		{ STR_LIT("secret "), "space" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err e = ERR_INIT;
		int r = secret_check(rows[i].value, "token", &e);

		if ((r == 0) != !rows[i].want || (r < 0 && !strstr(e.text, rows[i].want)))
			fail_msg("row %zu: %d %s", i, r, e.text);
		assert_null(strstr(e.text, "cret"));
	}
}

static void too_long_a_value(void **state)
{
	char *p = malloc(SECRET_VALUE_MAX + 1);

	(void)state;
	memset(p, 'a', SECRET_VALUE_MAX + 1);
	assert_int_equal(secret_check((struct str){ p, SECRET_VALUE_MAX }, "t", NULL), 0);
	assert_int_equal(secret_check((struct str){ p, SECRET_VALUE_MAX + 1 }, "t", NULL), -EINVAL);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bound_rule_gets_its_value),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(malformed_questions_end_the_session),
		cmocka_unit_test(questions_are_bounded),
		cmocka_unit_test(loading_is_strict),
		cmocka_unit_test(values_that_no_header_may_carry),
		cmocka_unit_test(too_long_a_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
