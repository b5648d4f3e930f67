/* SPDX-License-Identifier: Apache-2.0 */
/* account - front's records: what it decided, sent to audit before any byte is let out. */
#ifndef STOCKADE_FRONT_ACCOUNT_H
#define STOCKADE_FRONT_ACCOUNT_H

#include "front/conn.h"

/* All of these: 0, or -errno and the role ends. */

/* Fills by, and via; then it is in the audit role's socket, behind every record before it. */
int account_record(struct front *f, enum listener_kind via, struct audit_record *r);
/* A decision on `in`; `reason` NULL takes the verdict's. `status` 0: none was given. */
int account_verdict(struct front *f, enum listener_kind via, const struct intent *in,
		    const struct verdict *v, const char *reason, unsigned status);
/* The same for a request that is allowed, but the record only waits for account_flush(): until then
 * no byte of the request may leave (upstream_hold). */
int account_allowed(struct front *f, enum listener_kind via, const struct intent *in,
		    const struct verdict *v);
/* The end of a tunnel, with its bytes; waits like account_allowed(). */
void account_close(struct conn *c);
/* What waits is in the audit role's socket, as one message. */
int account_flush(struct front *f);

#endif
