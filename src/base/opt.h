/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opt - command-line options as tables.
 *
 * One table per command serves the parser, --help, the man page's synopsis and options, and shell
 * completion, so they cannot disagree.  Long options only by their full name (no abbreviations: a
 * new option must never change what an old script means); "--name VALUE" and "--name=VALUE"; short
 * letters may be clustered.  Parsing stops at "--" or, for commands with `stop_at_operand`, at the
 * first operand: what belongs to the wrapped program is never read as ours.  For the other commands
 * options and operands may be mixed; operands are moved behind the options, in their order.
 */
#ifndef STOCKADE_BASE_OPT_H
#define STOCKADE_BASE_OPT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum opt_kind {
	OPT_FLAG,   /* bool */
	OPT_STRING, /* const char * */
	OPT_LIST,   /* struct opt_list: may be given again */
	OPT_U64,    /* uint64_t */
};

#define OPT_LIST_MAX 64
struct opt_list {
	const char *items[OPT_LIST_MAX];
	size_t n;
};

struct opt_spec {
	const char *name; /* without "--"; NULL ends the table */
	char letter;	  /* or 0 */
	enum opt_kind kind;
	size_t offset;	      /* into the command's values struct */
	const char *value;    /* metavariable, e.g. "FILE"; NULL for flags */
	const char *help;     /* one sentence, no final dot */
	const char *complete; /* "file", "dir", "command", or words "a|b|c"; NULL: nothing */
};

/* Options of one table: a bit each says which was seen. */
#define OPT_TABLE_MAX 64

/* opt_parse() met --help or -h, which every command has and no table lists. */
#define OPT_HELP 1

/* Fills `values` (zeroed by the caller) from argv[0..argc), which holds neither program nor
 * command name, and sets *ret_operands to the index of the first operand in argv.  0, OPT_HELP, or
 * -EINVAL with an error that names the option and suggests the nearest one.  Repeating an option
 * that is no list is an error.  Values point into argv. */
int opt_parse(const struct opt_spec *specs, bool stop_at_operand, int argc, char **argv,
	      void *values, int *ret_operands, struct err *e);

#endif
