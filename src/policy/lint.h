/* SPDX-License-Identifier: Apache-2.0 */
/* lint - what is allowed to stand in a policy and is still worth a look. */
#ifndef STOCKADE_POLICY_LINT_H
#define STOCKADE_POLICY_LINT_H

#include "policy/policy.h"

/* `text` lives only during the call. */
typedef void (*lint_say)(void *arg, const struct origin *where, const char *text);

/* Calls `say` for each finding; returns how many.  Built-in profiles are not linted. */
size_t policy_lint(const struct policy *p, lint_say say, void *arg);

#endif
