/* SPDX-License-Identifier: Apache-2.0 */
/* policy_common - what the policy commands share. */
#ifndef STOCKADE_CLI_POLICY_COMMON_H
#define STOCKADE_CLI_POLICY_COMMON_H

#include "base/opt.h"
#include "launch/layers.h"

/* Loads the layers as `run` would. `extend` (or NULL): only this profile, no files. */
int policy_common_load(const struct opt_list *policies, const char *profile, struct policy *ret,
		       struct layers_report *report, struct err *e);
/* Standard output; a closed pipe is an error like any other. */
int policy_common_print(struct str text, struct err *e);
/* Prints what does not count, on standard error: it is no part of the answer. */
void policy_common_dropped(const struct policy *p);

#endif
