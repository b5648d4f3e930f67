/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands - the table of subcommands, and finding the one that a command line names.
 */
#ifndef STOCKADE_CLI_COMMANDS_H
#define STOCKADE_CLI_COMMANDS_H

#include "base/nearest.h"
#include "cli/command.h"

#include <stddef.h>

/* In the order of --help; ends with NULL. */
extern const struct command *const commands[];

/* The command that the first words of argv name, two words before one ("log verify" before
 * "log"); NULL when there is none.  *ret_words: how many words the name took. */
const struct command *commands_find(int argc, char *const *argv, int *ret_words);
/* True when `word` only begins names of two words: "policy". */
bool commands_is_group(const char *word);
/* -EINVAL, with the nearest name in e. */
int commands_unknown(int argc, char *const *argv, struct err *e);
/* Everything main does: finds, parses, runs; argv without the program's name.  Exit code. */
int commands_main(int argc, char **argv, struct err *e);

#endif
