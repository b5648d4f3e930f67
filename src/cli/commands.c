/* SPDX-License-Identifier: Apache-2.0 */
/* commands - see commands.h.  Called by main in the process the user started; the input is the
 * user's own command line. */
#include "cli/commands.h"

#include "base/own.h"
#include "cli/usage.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* STOCKADE_COMMANDS is cli/commands.def; the tests bring a table of their own. */
#define CMD(id) extern const struct command cmd_##id;
#include STOCKADE_COMMANDS
#undef CMD

#define CMD(id) &cmd_##id,
const struct command *const commands[] = {
#include STOCKADE_COMMANDS
	NULL
};
#undef CMD

/* Does `name`, of one or two words, stand at the front of argv?  Number of words, or 0. */
static int name_words(const char *name, int argc, char *const *argv)
{
	struct str rest = str_from(name), word;
	int n = 0;

	for (; str_next(&rest, ' ', &word); n++)
		if (n == argc || !str_eq(word, str_from(argv[n])))
			return 0;
	return n;
}

const struct command *commands_find(int argc, char *const *argv, int *ret_words)
{
	const struct command *best = NULL;
	int words = 0;

	for (size_t i = 0; commands[i]; i++) {
		int n = name_words(commands[i]->name, argc, argv);

		if (n <= words)
			continue;
		words = n;
		best = commands[i];
	}
	if (best)
		*ret_words = words;
	return best;
}

bool commands_is_group(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; len && commands[i]; i++)
		if (strncmp(commands[i]->name, word, len) == 0 && commands[i]->name[len] == ' ')
			return true;
	return false;
}

int commands_unknown(int argc, char *const *argv, struct err *e)
{
	char typed[NEAREST_WORD_MAX + 1];
	bool group = argc > 1 && commands_is_group(argv[0]);
	struct nearest one, two;

	snprintf(typed, sizeof typed, "%s%s%s", argv[0], group ? " " : "", group ? argv[1] : "");
	one = NEAREST_INIT(str_from(argv[0]));
	two = NEAREST_INIT(str_from(typed));
	for (size_t i = 0; commands[i]; i++) {
		nearest_offer(&one, commands[i]->name);
		nearest_offer(&two, commands[i]->name);
	}
	if (two.best || one.best)
		return err_set(e, -EINVAL, "unknown command '%s'; did you mean '%s'?", typed,
			       two.best ? two.best : one.best);
	return err_set(e, -EINVAL, "unknown command '%s'; 'stockade help' lists them", typed);
}

/* Prints what `fill` wrote; exit code. */
static int show(struct buf *text, int r, struct err *e)
{
	if (!r)
		fwrite(buf_cstr(text), 1, buf_len(text), stdout);
	else
		err_sys(e, r, "cannot write the help");
	buf_done(text);
	return r ? EXIT_STOCKADE : 0;
}

static int show_command(const struct command *c, struct err *e)
{
	struct buf text = BUF_INIT(USAGE_MAX);
	int r = usage_command(c, &text);

	return show(&text, r, e);
}

static int show_commands(const char *group, struct err *e)
{
	struct buf text = BUF_INIT(USAGE_MAX);
	int r = usage_commands(group, &text);

	return show(&text, r, e);
}

/* `stockade help [COMMAND]`. */
static int help(int argc, char *const *argv, struct err *e)
{
	const struct command *c;
	int words;

	if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
		return show_commands(NULL, e);
	c = commands_find(argc, argv, &words);
	if (c && words == argc)
		return show_command(c, e);
	if (argc == 1 && commands_is_group(argv[0]))
		return show_commands(argv[0], e);
	if (c)
		err_set(e, -EINVAL, "help: nothing is known of '%s'; try 'stockade help %s'",
			argv[words], c->name);
	else
		commands_unknown(argc, argv, e);
	return EXIT_STOCKADE;
}

/* -EINVAL with the usage line when there are too few or too many operands. */
static int check_operands(const struct command *c, size_t n, struct err *e)
{
	struct buf line = BUF_INIT(USAGE_MAX);
	int r = 0;

	if (n < c->min_operands || n > c->max_operands) {
		(void)usage_line(c, &line); /* without memory the line is only shorter */
		r = err_set(e, -EINVAL, "%s: %s operands; usage: %s", c->name,
			    n < c->min_operands ? "too few" : "too many", buf_cstr(&line));
	}
	buf_done(&line);
	return r;
}

/* argv: what follows the command's name. */
static int run(const struct command *c, int argc, char **argv, struct err *e)
{
	_cleanup_(free_ptr) void *values = calloc(1, c->values_size ? c->values_size : 1);
	int r, operands = 0;

	if (!values)
		return err_sys(e, -ENOMEM, "%s", c->name), EXIT_STOCKADE;
	r = opt_parse(c->options, c->stop_at_operand, argc, argv, values, &operands, e);
	if (r == OPT_HELP)
		return show_command(c, e);
	if (r < 0)
		return err_context(e, r, "%s", c->name), EXIT_STOCKADE;
	if (check_operands(c, (size_t)(argc - operands), e))
		return EXIT_STOCKADE;
	return c->run(values, argc - operands, argv + operands, e);
}

static int version(struct err *e)
{
	(void)e;
	printf("stockade %s\n", STOCKADE_VERSION);
	return 0;
}

int commands_main(int argc, char **argv, struct err *e)
{
	const struct command *c;
	const char *word = argc > 0 ? argv[0] : "help";
	int words;

	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		return version(e);
	if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return help(argc > 0 ? argc - 1 : 0, argv + 1, e);
	c = commands_find(argc, argv, &words);
	if (c)
		return run(c, argc - words, argv + words, e);
	if (commands_is_group(word) && (argc == 1 || strcmp(argv[1], "--help") == 0))
		return show_commands(word, e);
	if (word[0] == '-')
		err_set(e, -EINVAL,
			"unknown option %s before a command; 'stockade help' lists them", word);
	else
		commands_unknown(argc, argv, e);
	return EXIT_STOCKADE;
}
