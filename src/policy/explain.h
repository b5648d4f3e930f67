/* SPDX-License-Identifier: Apache-2.0 */
/* explain - a verdict in words: for `policy explain`, and for the refusals that the gateway sends.
 */
#ifndef STOCKADE_POLICY_EXPLAIN_H
#define STOCKADE_POLICY_EXPLAIN_H

#include "base/buf.h"
#include "policy/decide.h"

/* One sentence without a dot: "no rule allows this host". */
const char *reason_text(enum reason r);
/* The item for network.allow that would let this through, on one line without a newline:
 * "- evil.test:8080"; nothing when adding a rule does not help (a deny rule, a protocol problem).
 */
int explain_fix(const struct intent *in, const struct verdict *v, struct buf *out);
/* Some lines for a person, or one JSON object on one line.  Decides by itself. */
int explain_text(const struct policy *p, const struct intent *in, struct buf *out);
int explain_json(const struct policy *p, const struct intent *in, struct buf *out);

#endif
