/* SPDX-License-Identifier: Apache-2.0 */
/* show - the merged policy as text: YAML with origins as comments (and fit to be read again), or
 * one JSON object on one line; and the answer of `policy check` as JSON. */
#ifndef STOCKADE_POLICY_SHOW_H
#define STOCKADE_POLICY_SHOW_H

#include "base/buf.h"
#include "base/err.h"
#include "policy/policy.h"

int show_yaml(const struct policy *p, struct buf *out);
int show_json(const struct policy *p, struct buf *out);
/* {"ok":true,"files":[...],"warnings":[...],"dropped":[...]}; `p` NULL: {"ok":false,"error":...}.
 */
int show_check_json(const struct policy *p, const struct err *e, struct buf *out);
/* Lines for a person about what does not count; nothing when all counts. */
int show_dropped(const struct policy *p, struct buf *out);

#endif
