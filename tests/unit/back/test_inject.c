/* SPDX-License-Identifier: Apache-2.0 */
/* Which credential fields a mediated request may carry, in which spelling, to which host. */
#include "back/inject.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char api_name[] = "api", api_header[] = "x-api-key", none[] = "";
static char hub_name[] = "hub", hub_header[] = "authorization", hub_prefix[] = "Bearer ";
static char odd_name[] = "odd", odd_header[] = "x-odd", odd_prefix[] = "<", odd_suffix[] = ">";

static struct credential credentials[] = {
	{ .name = api_name, .header = api_header, .prefix = none, .suffix = none },
	{ .name = hub_name, .header = hub_header, .prefix = hub_prefix, .suffix = none },
	{ .name = odd_name, .header = odd_header, .prefix = odd_prefix, .suffix = odd_suffix },
};
static struct net_rule rules[5];
static struct policy policy = {
	.rules = rules, .nrules = 5, .credentials = credentials, .ncredentials = 3
};

static const struct placeholder placeholders[] = {
	{ STR_LIT("api"), STR_LIT("sk-stockade-aaaa") },
	{ STR_LIT("hub"), STR_LIT("sk-stockade-bbbb") },
	{ STR_LIT("odd"), STR_LIT("sk-stockade-cccc") },
};

static int make_policy(void **state)
{
	static char *const bound[] = { api_name, hub_name, odd_name, NULL, api_name };
	static const char *const hosts[] = { "api.test", "*.hub.test", "odd.test", "free.test",
					     "denied.test" };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		rules[i] = (struct net_rule){ .action = i == 4 ? ACTION_DENY : ACTION_ALLOW,
					      .credential = bound[i] };
		if (host_pattern_parse(str_from(hosts[i]), &rules[i].host) < 0)
			return -1;
	}
	return 0;
}

struct row {
	const char *host, *name, *value;
	enum inject_verdict want;
};

static struct request ask(const struct row *t)
{
	struct request r = { .method = STR_LIT("GET"), .port = 80, .path = STR_LIT("/") };

	assert_int_equal(host_parse(str_from(t->host), &r.host), 0);
	if (t->name)
		r.headers[r.nheaders++] =
		    (struct request_header){ str_from(t->name), str_from(t->value) };
	return r;
}

static const struct row table[] = {
	{ "api.test", NULL, NULL, INJECT_OK },
	{ "api.test", "accept", "*/*", INJECT_OK },
	/* Its own placeholder, in every spelling and in every field that takes keys. */
	{ "api.test", "x-api-key", "sk-stockade-aaaa", INJECT_OK },
	{ "api.test", "X-API-Key", "sk-stockade-aaaa", INJECT_OK },
	{ "api.test", "X_Api_Key", "sk-stockade-aaaa", INJECT_OK },
	{ "api.test", "Authorization", "Bearer sk-stockade-aaaa", INJECT_OK },
	{ "api.test", "authorization", "bearer sk-stockade-aaaa", INJECT_OK },
	{ "api.test", "authorization", "token sk-stockade-aaaa", INJECT_OK },
	{ "a.hub.test", "authorization", "Bearer sk-stockade-bbbb", INJECT_OK },
	{ "odd.test", "X-Odd", "<sk-stockade-cccc>", INJECT_OK },
	/* A key of the agent's own. */
	{ "api.test", "x-api-key", "sk-attacker", INJECT_FOREIGN },
	{ "api.test", "X-API-KEY", "sk-attacker", INJECT_FOREIGN },
	{ "api.test", "x_api_key", "sk-attacker", INJECT_FOREIGN },
	{ "api.test", "X_API-key", "sk-attacker", INJECT_FOREIGN },
	{ "api.test", "Authorization", "Bearer sk-attacker", INJECT_FOREIGN },
	{ "api.test", "Authorization", "Basic c2s6", INJECT_FOREIGN },
	{ "api.test", "api-key", "sk-attacker", INJECT_FOREIGN },
	{ "api.test", "API_KEY", "sk-attacker", INJECT_FOREIGN },
	{ "api.test", "x-goog-api-key", "sk-attacker", INJECT_FOREIGN },
	{ "api.test", "Private-Token", "sk-attacker", INJECT_FOREIGN },
	{ "api.test", "x-api-key", "", INJECT_FOREIGN },
	{ "odd.test", "x-odd", "mine", INJECT_FOREIGN },
	{ "odd.test", "x_odd", "mine", INJECT_FOREIGN },
	/* The placeholder with something beside it. */
	{ "api.test", "x-api-key", "sk-stockade-aaaax", INJECT_FOREIGN },
	{ "api.test", "x-api-key", "x sk-stockade-aaaa", INJECT_FOREIGN },
	{ "api.test", "x-api-key", "sk-attacker sk-stockade-aaaa", INJECT_FOREIGN },
	{ "api.test", "x-api-key", "SK-STOCKADE-AAAA", INJECT_FOREIGN },
	{ "odd.test", "x-odd", "<sk-stockade-cccc", INJECT_FOREIGN },
	{ "odd.test", "x-odd", "(sk-stockade-cccc)", INJECT_FOREIGN },
	{ "odd.test", "x-odd", "<sk-stockade-cccc)", INJECT_FOREIGN },
	{ "odd.test", "x-odd", "<sk-stockade-dddd>", INJECT_FOREIGN },
	/* A placeholder on its way to where it is not bound. */
	{ "api.test", "x-api-key", "sk-stockade-bbbb", INJECT_ELSEWHERE },
	{ "api.test", "x-other", "see sk-stockade-bbbb here", INJECT_ELSEWHERE },
	{ "free.test", "x-api-key", "sk-stockade-aaaa", INJECT_ELSEWHERE },
	{ "free.test", "cookie", "k=sk-stockade-aaaa", INJECT_ELSEWHERE },
	{ "hub.test", "authorization", "Bearer sk-stockade-bbbb", INJECT_ELSEWHERE },
	{ "denied.test", "x-api-key", "sk-stockade-aaaa", INJECT_ELSEWHERE },
	{ "evilapi.test", "x-api-key", "sk-stockade-aaaa", INJECT_ELSEWHERE },
	/* A host to which nothing is bound takes the agent's own keys. */
	{ "free.test", "authorization", "Bearer mine", INJECT_OK },
	{ "denied.test", "x-api-key", "mine", INJECT_OK },
	/* A field that only another host's credential uses. */
	{ "api.test", "x-odd", "mine", INJECT_OK },
};

static void each_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct request r = ask(&table[i]);
		enum inject_verdict got = inject_check(&policy, &r, placeholders, 3);

		if (got != table[i].want)
			fail_msg("%s, %s: %s is %s, expected %s", table[i].host,
				 table[i].name ? table[i].name : "", table[i].value,
				 inject_name(got), inject_name(table[i].want));
	}
}

static void duplicates_are_each_looked_at(void **state)
{
	const struct row row = { "api.test", "x-api-key", "sk-stockade-aaaa", INJECT_OK };
	struct request r = ask(&row);

	(void)state;
	r.headers[r.nheaders++] =
	    (struct request_header){ STR_LIT("X-Api-Key"), STR_LIT("sk-attacker") };
	assert_int_equal(inject_check(&policy, &r, placeholders, 3), INJECT_FOREIGN);
}

static void placeholders_in_the_target_count(void **state)
{
	const struct row row = { "free.test", NULL, NULL, INJECT_OK };
	struct request r = ask(&row);

	(void)state;
	r.query = STR_LIT("k=sk-stockade-aaaa");
	assert_int_equal(inject_check(&policy, &r, placeholders, 3), INJECT_ELSEWHERE);
	r.query = STR_NONE;
	r.path = STR_LIT("/sk-stockade-aaaa");
	assert_int_equal(inject_check(&policy, &r, placeholders, 3), INJECT_ELSEWHERE);
	r.path = STR_LIT("/");
	r.headers[r.nheaders++] =
	    (struct request_header){ STR_LIT("sk-stockade-aaaa"), STR_LIT("x") };
	assert_int_equal(inject_check(&policy, &r, placeholders, 3), INJECT_ELSEWHERE);
}

static void without_placeholders_any_key_is_foreign(void **state)
{
	const struct row row = { "api.test", "x-api-key", "sk-stockade-aaaa", INJECT_OK };
	struct request r = ask(&row);

	(void)state;
	assert_int_equal(inject_check(&policy, &r, NULL, 0), INJECT_FOREIGN);
}

static void all_spellings_are_stripped(void **state)
{
	static const char *const names[] = { "x-api-key",     "Accept",	      "X_API_KEY",
					     "Authorization", "X-Odd",	      "x-api-key",
					     "private_token", "Content-Type", "API-Key" };
	const struct row row = { "api.test", NULL, NULL, INJECT_OK };
	struct request r = ask(&row);

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		r.headers[r.nheaders++] =
		    (struct request_header){ str_from(names[i]), STR_LIT("v") };
	inject_strip(&policy, &r);
	assert_int_equal(r.nheaders, 3);
	assert_true(str_eq(r.headers[0].name, STR_LIT("Accept")));
	assert_true(str_eq(r.headers[1].name, STR_LIT("X-Odd")));
	assert_true(str_eq(r.headers[2].name, STR_LIT("Content-Type")));
}

static void a_free_host_keeps_its_fields(void **state)
{
	const struct row row = { "free.test", "authorization", "Bearer mine", INJECT_OK };
	struct request r = ask(&row);

	(void)state;
	inject_strip(&policy, &r);
	assert_int_equal(r.nheaders, 1);
	assert_false(inject_host_is_bound(&policy, &r.host));
}

static void verdicts_have_names(void **state)
{
	(void)state;
	assert_string_equal(inject_name(INJECT_OK), "allowed");
	assert_string_equal(inject_name(INJECT_FOREIGN), "foreign-credential");
	assert_string_equal(inject_name(INJECT_ELSEWHERE), "placeholder-elsewhere");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_field),
		cmocka_unit_test(duplicates_are_each_looked_at),
		cmocka_unit_test(placeholders_in_the_target_count),
		cmocka_unit_test(without_placeholders_any_key_is_foreign),
		cmocka_unit_test(all_spellings_are_stripped),
		cmocka_unit_test(a_free_host_keeps_its_fields),
		cmocka_unit_test(verdicts_have_names),
	};

	return cmocka_run_group_tests(tests, make_policy, NULL);
}
