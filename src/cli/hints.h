/* SPDX-License-Identifier: Apache-2.0 */
/* hints - what a person can do when `stockade run` could not do what they meant. */
#ifndef STOCKADE_CLI_HINTS_H
#define STOCKADE_CLI_HINTS_H

#include "base/err.h"
#include "policy/policy.h"

#include <stdio.h>

/* Says of every optional credential that a rule uses and that has no value here which requests
 * will be refused for want of it. */
void hint_credentials(const struct policy *p, FILE *to);

/* Adds to "cannot run": the program is there outside, in `path` (as $PATH), but not inside.  Adds
 * nothing when it is nowhere. */
void hint_program(const char *program, const char *path, struct err *e);

#endif
