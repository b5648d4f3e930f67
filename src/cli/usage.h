/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage - help as text, from the same tables that parse.
 */
#ifndef STOCKADE_CLI_USAGE_H
#define STOCKADE_CLI_USAGE_H

#include "base/buf.h"
#include "cli/command.h"

#define USAGE_MAX (64u * 1024) /* all of one command's help; ten times the longest */

/* "stockade run [OPTIONS] [--] COMMAND [ARG...]" */
int usage_line(const struct command *c, struct buf *out);
/* --help of one command. */
int usage_command(const struct command *c, struct buf *out);
/* --help of the program (group NULL), or of a group of two-word commands. */
int usage_commands(const char *group, struct buf *out);

#endif
