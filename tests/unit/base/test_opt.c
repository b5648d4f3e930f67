/* SPDX-License-Identifier: Apache-2.0 */
/* Options as tables: what is accepted, what is refused and with which words, and that nothing of
 * the wrapped program's is ever read. */
#include "base/opt.h"

#include "base/own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct values {
	bool json, quiet;
	const char *policy;
	uint64_t fd;
	struct opt_list set;
};

static const struct opt_spec specs[] = {
	{ "json", 'j', OPT_FLAG, offsetof(struct values, json), NULL, "JSON", NULL },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct values, quiet), NULL, "less", NULL },
	{ "policy", 'p', OPT_STRING, offsetof(struct values, policy), "FILE", "policy", "file" },
	{ "status-fd", 0, OPT_U64, offsetof(struct values, fd), "FD", "fd", NULL },
	{ "set", 's', OPT_LIST, offsetof(struct values, set), "K=V", "set", NULL },
	{ 0 },
};

#define ARGS_MAX 8

static int parse(const char *const *args, bool stop, struct values *v, char **argv, int *argc,
		 int *operands, struct err *e)
{
	int n = 0;

	for (; args[n]; n++)
		argv[n] = (char *)args[n];
	argv[n] = NULL;
	*argc = n;
	*v = (struct values){ 0 };
	*e = ERR_INIT;
	return opt_parse(specs, stop, n, argv, v, operands, e);
}

static void test_refused(void **state)
{
	static const struct {
		const char *args[ARGS_MAX];
		const char *text;
	} cases[] = {
		{ { "--polcy", "x" }, "unknown option --polcy; did you mean --policy?" },
		{ { "--hepl" }, "unknown option --hepl; did you mean --help?" },
		{ { "--zzzzzz" }, "unknown option --zzzzzz; --help lists them" },
		{ { "--pol", "x" },
		  "unknown option --pol; --help lists them" }, /* no abbreviation */
		{ { "-x" }, "unknown option -x; --help lists them" },
		{ { "-jx" }, "unknown option -x; --help lists them" },
		{ { "--policy" }, "--policy: needs FILE" },
		{ { "-p" }, "--policy: needs FILE" },
		{ { "--policy=a", "-pb" }, "--policy: given twice" },
		{ { "-jj" }, "--json: given twice" },
		{ { "--json=yes" }, "--json: takes no value" },
		{ { "--status-fd", "-1" }, "--status-fd: '-1' is not a whole number" },
		{ { "--status-fd=18446744073709551616" },
		  "--status-fd: '18446744073709551616' is not a whole number" },
		{ { "--status-fd=" }, "--status-fd: '' is not a whole number" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *argv[ARGS_MAX + 1];
		struct values v;
		struct err e;
		int argc, operands = -7;

		assert_int_equal(parse(cases[i].args, false, &v, argv, &argc, &operands, &e),
				 -EINVAL);
		assert_string_equal(e.text, cases[i].text);
		assert_int_equal(operands, -7); /* untouched */
	}
}

static void test_accepted(void **state)
{
	static const struct {
		const char *args[ARGS_MAX];
		bool stop;
		const char *rest[ARGS_MAX]; /* operands */
	} cases[] = {
		{ { "-jq", "-p", "f", "--status-fd=3" }, false, { NULL } },
		{ { "-jqpf", "--status-fd", "3", "a" }, true, { "a" } },
		{ { "a", "-jq", "b", "--policy=f", "--status-fd=3", "c" },
		  false,
		  { "a", "b", "c" } },
		{ { "-jqpf", "a", "--status-fd=3", "--", "-x" }, false, { "a", "-x" } },
		{ { "-jqpf", "--status-fd=3", "-", "--json" }, true, { "-", "--json" } },
		{ { "-jqpf", "--status-fd=3", "--", "--", "-s" }, true, { "--", "-s" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *argv[ARGS_MAX + 1];
		struct values v;
		struct err e;
		int argc, operands = -1, n = 0;

		assert_int_equal(
		    parse(cases[i].args, cases[i].stop, &v, argv, &argc, &operands, &e), 0);
		assert_true(v.json && v.quiet);
		assert_string_equal(v.policy, "f");
		assert_int_equal(v.fd, 3);
		for (; cases[i].rest[n]; n++)
			assert_string_equal(argv[operands + n], cases[i].rest[n]);
		assert_int_equal(argc - operands, n);
	}
}

/* `stockade run CMD -s x`: -s is CMD's. */
static void test_wrapped_program_is_left_alone(void **state)
{
	const char *args[] = { "-j", "cmd", "-s", "x", "--policy", "y", "--help", NULL };
	char *argv[ARGS_MAX + 1];
	struct values v;
	struct err e;
	int argc, operands;

	(void)state;
	assert_int_equal(parse(args, true, &v, argv, &argc, &operands, &e), 0);
	assert_int_equal(operands, 1);
	assert_null(v.policy);
	assert_int_equal(v.set.n, 0);
	for (int i = 0; i < argc; i++)
		assert_string_equal(argv[i], args[i]);
}

static void test_list(void **state)
{
	const char *args[] = { "-s", "a=1", "--set=b=2", "-sc=", NULL };
	char *argv[2 * OPT_LIST_MAX + 3];
	struct values v;
	struct err e;
	int argc, operands;

	(void)state;
	assert_int_equal(parse(args, false, &v, argv, &argc, &operands, &e), 0);
	assert_int_equal(v.set.n, 3);
	assert_string_equal(v.set.items[1], "b=2");
	assert_string_equal(v.set.items[2], "c=");

	for (argc = 0; argc < 2 * (OPT_LIST_MAX + 1); argc++)
		argv[argc] = (char *)(argc % 2 ? "x=y" : "-s");
	v = (struct values){ 0 };
	assert_int_equal(opt_parse(specs, false, argc, argv, &v, &operands, &e), -EINVAL);
	assert_string_equal(e.text, "--set: given more than 64 times");
}

static void test_help_and_empty(void **state)
{
	const char *asked[][3] = { { "--help" }, { "-h" }, { "-jh" }, { "x", "-h" } };
	char *argv[ARGS_MAX + 1];
	struct values v;
	struct err e;
	int argc, operands;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(asked); i++)
		assert_int_equal(parse(asked[i], false, &v, argv, &argc, &operands, &e), OPT_HELP);
	argv[0] = (char *)"x";
	assert_int_equal(opt_parse(NULL, false, 1, argv, NULL, &operands, &e), 0);
	assert_int_equal(operands, 0);
	argv[0] = (char *)"--x";
	assert_int_equal(opt_parse(NULL, false, 1, argv, NULL, &operands, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_wrapped_program_is_left_alone),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_help_and_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
