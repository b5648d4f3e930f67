/* SPDX-License-Identifier: Apache-2.0 */
/* The command line as a whole, on a table of commands of its own: which command the words name,
 * what is handed to it, which errors a person reads, and that help and completion say the same. */
#include "cli/commands.h"
#include "cli/complete.h"
#include "cli/usage.h"

#include "base/own.h"
#include "sandbox/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct values {
	bool quiet;
	const char *policy, *verdict;
};

static const struct opt_spec options[] = {
	{ "policy", 'p', OPT_STRING, offsetof(struct values, policy), "FILE", "Read this policy",
	  "file" },
	{ "verdict", 0, OPT_STRING, offsetof(struct values, verdict), "WHICH",
	  "Only [these]: it's a filter", "allow|deny" },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct values, quiet), NULL, "Say less", NULL },
	{ 0 },
};

/* What the command that ran was given. */
static struct {
	const char *name;
	struct values values;
	int n;
	char *const *operands;
} ran;

#define COMMAND(id, words, opts, least, most, stop)                                                \
	static int run_##id(const void *v, int n, char *const *operands, struct err *e)            \
	{                                                                                          \
		(void)e;                                                                           \
		ran.name = words;                                                                  \
		memcpy(&ran.values, v, sizeof ran.values);                                         \
		ran.n = n;                                                                         \
		ran.operands = operands;                                                           \
		return 7;                                                                          \
	}                                                                                          \
	extern const struct command cmd_##id;                                                      \
	const struct command cmd_##id = {                                                          \
		.name = words,                                                                     \
		.summary = "Summary of " words,                                                    \
		.operands = "[ARG...]",                                                            \
		.about = "First paragraph, which is long enough that it must be broken before it " \
			 "reaches the end of a line.\n\nSecond.\n  code stays  as it is",          \
		.examples = "stockade " words,                                                     \
		.options = opts,                                                                   \
		.values_size = sizeof(struct values),                                              \
		.min_operands = least,                                                             \
		.max_operands = most,                                                              \
		.stop_at_operand = stop,                                                           \
		.run = run_##id,                                                                   \
	};

COMMAND(run, "run", options, 1, SIZE_MAX, true)
COMMAND(policy_check, "policy check", options, 0, 1, false)
COMMAND(policy_show, "policy show", NULL, 0, 0, false)
COMMAND(log, "log", options, 0, 1, false)
COMMAND(log_verify, "log verify", NULL, 0, 1, false)

#define ARGS_MAX 8

static int call(const char *const *args, char **argv, struct err *e)
{
	int n = 0;

	for (; args[n]; n++)
		argv[n] = (char *)args[n];
	argv[n] = NULL;
	memset(&ran, 0, sizeof ran);
	*e = ERR_INIT;
	return commands_main(n, argv, e);
}

static void test_refused(void **state)
{
	static const struct {
		const char *args[ARGS_MAX];
		const char *text;
	} cases[] = {
		{ { "rnu" }, "unknown command 'rnu'; did you mean 'run'?" },
		{ { "policy", "chekc" },
		  "unknown command 'policy chekc'; did you mean 'policy check'?" },
		{ { "xyzzy" }, "unknown command 'xyzzy'; 'stockade help' lists them" },
		{ { "" }, "unknown command ''; 'stockade help' lists them" },
		{ { "help", "rum" }, "unknown command 'rum'; did you mean 'run'?" },
		{ { "help", "run", "more" },
		  "help: nothing is known of 'more'; try 'stockade help run'" },
		{ { "-q", "run" },
		  "unknown option -q before a command; 'stockade help' lists them" },
		{ { "run" }, "run: too few operands; usage: stockade run [OPTIONS] [ARG...]" },
		{ { "policy", "show", "x" },
		  "policy show: too many operands; usage: stockade policy show [ARG...]" },
		{ { "run", "--polcy" }, "run: unknown option --polcy; did you mean --policy?" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *argv[ARGS_MAX + 1];
		struct err e;

		assert_int_equal(call(cases[i].args, argv, &e), EXIT_STOCKADE);
		assert_string_equal(e.text, cases[i].text);
		assert_null(ran.name);
	}
}

static void test_found(void **state)
{
	static const struct {
		const char *args[ARGS_MAX];
		const char *name;
		int operands;
	} cases[] = {
		{ { "run", "-q", "-p", "f", "cmd", "-s", "x" }, "run", 3 },
		{ { "policy", "check", "file", "-qpf" }, "policy check", 1 },
		{ { "log", "-q", "--policy=f", "verify" }, "log", 1 },
		{ { "log", "-qpf" }, "log", 0 },
	};
	const char *verify[] = { "log", "verify", "session", NULL };
	char *argv[ARGS_MAX + 1];
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(call(cases[i].args, argv, &e), 7);
		assert_string_equal(ran.name, cases[i].name);
		assert_int_equal(ran.n, cases[i].operands);
		assert_true(ran.values.quiet);
		assert_string_equal(ran.values.policy, "f");
		assert_null(ran.operands[ran.n]); /* run hands it to exec */
	}
	assert_int_equal(call(verify, argv, &e), 7);
	assert_string_equal(ran.name, "log verify");
	assert_string_equal(ran.operands[0], "session");
}

static void test_help_is_printed(void **state)
{
	static const char *const cases[][ARGS_MAX] = {
		{ NULL },
		{ "help" },
		{ "--help" },
		{ "-h" },
		{ "policy" },
		{ "policy", "--help" },
		{ "help", "policy" },
		{ "help", "run" },
		{ "run", "--help" },
		{ "help", "policy", "check" },
		{ "--version" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *argv[ARGS_MAX + 1];
		struct err e;

		assert_int_equal(call(cases[i], argv, &e), 0);
		assert_null(ran.name);
	}
}

static void test_group(void **state)
{
	(void)state;
	assert_true(commands_is_group("policy"));
	assert_true(commands_is_group("log"));
	assert_false(commands_is_group("run"));
	assert_false(commands_is_group("polic"));
	assert_false(commands_is_group(""));
}

static void test_usage_text(void **state)
{
	struct buf b = BUF_INIT(USAGE_MAX);
	struct str rest, line;

	(void)state;
	assert_int_equal(usage_command(commands[0], &b), 0);
	assert_non_null(strstr(buf_cstr(&b), "Usage: stockade run [OPTIONS] [ARG...]\n"));
	assert_non_null(strstr(buf_cstr(&b), "  -p, --policy FILE       Read this policy\n"));
	assert_non_null(strstr(buf_cstr(&b), "      --verdict WHICH     Only [these]: it's"));
	assert_non_null(strstr(buf_cstr(&b), "\n  code stays  as it is\n"));
	assert_non_null(strstr(buf_cstr(&b), "\nExamples:\n  stockade run\n"));
	for (rest = buf_str(&b); str_next(&rest, '\n', &line);)
		assert_in_range(line.len, 0, 79);
	buf_clear(&b);
	assert_int_equal(usage_commands("policy", &b), 0);
	assert_non_null(
	    strstr(buf_cstr(&b), "  policy check            Summary of policy check\n"));
	assert_null(strstr(buf_cstr(&b), "log"));
	buf_done(&b);
}

/* Too little room anywhere is an error, never half a text. */
static void test_no_room(void **state)
{
	static int (*const writers[])(struct buf *) = { complete_bash, complete_zsh,
							complete_fish };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
		struct buf all = BUF_INIT(COMPLETE_MAX);

		assert_int_equal(writers[i](&all), 0);
		for (size_t max = 0; max < buf_len(&all); max++) {
			struct buf b = BUF_INIT(max);

			assert_true(writers[i](&b) < 0);
			buf_done(&b);
		}
		buf_done(&all);
	}
}

/* Every option of every command is in help and in each completion script. */
static void test_same_tables(void **state)
{
	static int (*const writers[])(struct buf *) = { complete_bash, complete_zsh,
							complete_fish };
	static const char *const forms[] = { "--", "--", "-l " };

	(void)state;
	for (size_t w = 0; w < ARRAY_LEN(writers); w++) {
		struct buf b = BUF_INIT(COMPLETE_MAX);

		assert_int_equal(writers[w](&b), 0);
		for (const struct opt_spec *s = options; s->name; s++) {
			char word[64];

			snprintf(word, sizeof word, "%s%s", forms[w], s->name);
			assert_non_null(strstr(buf_cstr(&b), word));
		}
		for (size_t i = 0; commands[i]; i++)
			assert_non_null(strstr(buf_cstr(&b), commands[i]->name));
		buf_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),		cmocka_unit_test(test_found),
		cmocka_unit_test(test_help_is_printed), cmocka_unit_test(test_group),
		cmocka_unit_test(test_usage_text),	cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_same_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
