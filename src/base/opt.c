/* SPDX-License-Identifier: Apache-2.0 */
/* opt - see opt.h.  Pure; called by cli/commands.c in the process the user started; the input is
 * the user's own command line. */
#include "base/opt.h"

#include "base/nearest.h"
#include "base/num.h"
#include "base/str.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

struct parse {
	const struct opt_spec *specs;
	char **argv;
	int argc;
	int next;      /* first argument not looked at */
	uint64_t seen; /* bit: index in specs */
	char *values;
	struct err *e;
};

static const struct opt_spec *find_name(const struct opt_spec *specs, struct str name)
{
	for (; specs && specs->name; specs++)
		if (str_eq(name, str_from(specs->name)))
			return specs;
	return NULL;
}

static const struct opt_spec *find_letter(const struct opt_spec *specs, char letter)
{
	for (; specs && specs->name; specs++)
		if (specs->letter && specs->letter == letter)
			return specs;
	return NULL;
}

static int unknown_name(struct parse *p, struct str name)
{
	struct nearest n = NEAREST_INIT(name);

	for (const struct opt_spec *s = p->specs; s && s->name; s++)
		nearest_offer(&n, s->name);
	nearest_offer(&n, "help");
	if (n.best)
		return err_set(p->e, -EINVAL, "unknown option --%.*s; did you mean --%s?",
			       STR_FMT(name), n.best);
	return err_set(p->e, -EINVAL, "unknown option --%.*s; --help lists them", STR_FMT(name));
}

static int store_list(struct parse *p, const struct opt_spec *s, const char *value)
{
	struct opt_list *list = (void *)(p->values + s->offset);

	if (list->n == OPT_LIST_MAX)
		return err_set(p->e, -EINVAL, "--%s: given more than %d times", s->name,
			       OPT_LIST_MAX);
	list->items[list->n++] = value;
	return 0;
}

static int store_u64(struct parse *p, const struct opt_spec *s, const char *value)
{
	uint64_t *to = (void *)(p->values + s->offset);

	if (num_parse_u64(str_from(value), UINT64_MAX, to))
		return err_set(p->e, -EINVAL, "--%s: '%s' is not a whole number", s->name, value);
	return 0;
}

/* `value` is NULL for a flag only. */
static int store(struct parse *p, const struct opt_spec *s, const char *value)
{
	uint64_t bit = UINT64_C(1) << (s - p->specs);

	if (s->kind == OPT_LIST)
		return store_list(p, s, value);
	if (p->seen & bit)
		return err_set(p->e, -EINVAL, "--%s: given twice", s->name);
	p->seen |= bit;
	if (s->kind == OPT_U64)
		return store_u64(p, s, value);
	if (s->kind == OPT_STRING)
		*(const char **)(void *)(p->values + s->offset) = value;
	else
		*(bool *)(void *)(p->values + s->offset) = true;
	return 0;
}

/* The argument after the option, for an option whose value was not joined to it. */
static int store_next(struct parse *p, const struct opt_spec *s)
{
	if (p->next == p->argc)
		return err_set(p->e, -EINVAL, "--%s: needs %s", s->name, s->value);
	return store(p, s, p->argv[p->next++]);
}

/* "--name", "--name=VALUE" or "--name VALUE"; `arg` is behind the two dashes. */
static int take_long(struct parse *p, const char *arg)
{
	struct str all = str_from(arg);
	struct str name = { arg, str_index(all, '=') };
	const struct opt_spec *s = find_name(p->specs, name);

	if (!s)
		return str_eq(all, STR_LIT("help")) ? OPT_HELP : unknown_name(p, name);
	if (name.len == all.len)
		return s->kind == OPT_FLAG ? store(p, s, NULL) : store_next(p, s);
	if (s->kind == OPT_FLAG)
		return err_set(p->e, -EINVAL, "--%s: takes no value", s->name);
	return store(p, s, arg + name.len + 1);
}

/* "-abc", "-fVALUE" or "-f VALUE"; `arg` is behind the dash. */
static int take_letters(struct parse *p, const char *arg)
{
	int r = 0;

	for (; *arg && !r; arg++) {
		const struct opt_spec *s = find_letter(p->specs, *arg);

		if (!s && *arg == 'h')
			return OPT_HELP;
		if (!s)
			return err_set(p->e, -EINVAL, "unknown option -%c; --help lists them",
				       *arg);
		if (s->kind != OPT_FLAG)
			return arg[1] ? store(p, s, arg + 1) : store_next(p, s);
		r = store(p, s, NULL);
	}
	return r;
}

/* Moves argv[from..to) before the operands that start at `operands`, which keep their order. */
static void move_back(char **argv, int operands, int from, int to)
{
	for (; from < to; from++, operands++) {
		char *option = argv[from];

		memmove(argv + operands + 1, argv + operands,
			(size_t)(from - operands) * sizeof *argv);
		argv[operands] = option;
	}
}

int opt_parse(const struct opt_spec *specs, bool stop_at_operand, int argc, char **argv,
	      void *values, int *ret_operands, struct err *e)
{
	struct parse p = { .specs = specs, .argv = argv, .argc = argc, .values = values, .e = e };
	int operands = 0; /* argv[operands..next) are operands met so far */
	bool more = true;

	while (more && p.next < argc) {
		int r = 0, from = p.next;
		const char *arg = argv[p.next];

		if (arg[0] != '-' || arg[1] == '\0') { /* "-" alone is an operand: standard input */
			if (stop_at_operand)
				break;
			p.next++;
			continue;
		}
		p.next++;
		if (strcmp(arg, "--") == 0)
			more = false;
		else
			r = arg[1] == '-' ? take_long(&p, arg + 2) : take_letters(&p, arg + 1);
		if (r)
			return r;
		move_back(argv, operands, from, p.next);
		operands += p.next - from;
	}
	*ret_operands = operands;
	return 0;
}
