/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command - what a subcommand is.  commands.def lists them; each lives in a file of its own and
 * defines one `const struct command cmd_<name>`.
 *
 * A command prints results on standard output, and returns its exit code; on failure it fills `e`
 * and returns one of the documented codes: main prints "stockade: <text>" on standard error.
 */
#ifndef STOCKADE_CLI_COMMAND_H
#define STOCKADE_CLI_COMMAND_H

#include "base/err.h"
#include "base/opt.h"

#include <stdbool.h>

struct command {
	const char *name;     /* "run", "policy check" (two words: a group and its verb) */
	const char *summary;  /* one line for the list of commands */
	const char *operands; /* "[--] COMMAND [ARG...]", or "" */
	const char *about;    /* paragraphs for --help and the man page; plain text */
	const char *examples; /* lines for --help and the man page, each tried by a test; or NULL */
	const struct opt_spec *options;
	size_t values_size; /* of the struct that options fill; zeroed before parsing */
	size_t min_operands, max_operands; /* checked by main, with the usage line */
	bool stop_at_operand;
	int (*run)(const void *values, int noperands, char *const *operands, struct err *e);
};

#endif
