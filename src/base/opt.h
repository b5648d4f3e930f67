/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opt - command-line options as tables.
 *
 * One table per command serves the parser, --help, the man page's synopsis and options, and shell
 * completion, so they cannot disagree.  Long options only by their full name (no abbreviations: a
 * new option must never change what an old script means); "--name VALUE" and "--name=VALUE"; short
 * letters may be clustered.  Parsing stops at "--" or, for commands with `stop_at_operand`, at the
 * first operand: what belongs to the wrapped program is never read as ours.
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

/* Fills `values` and sets *ret_operands to the index of the first operand in argv.  Errors name
 * the option and suggest the nearest one.  Repeating a non-list option is an error. */
int opt_parse(const struct opt_spec *specs, bool stop_at_operand, int argc, char *const *argv,
	      void *values, int *ret_operands, struct err *e);

#endif
