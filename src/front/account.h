/* SPDX-License-Identifier: Apache-2.0 */
/* account - front's records: what it decided, sent to audit before any byte is let out. */
#ifndef STOCKADE_FRONT_ACCOUNT_H
#define STOCKADE_FRONT_ACCOUNT_H

#include "front/conn.h"

/* Fills by, and via; then the message is in the audit role's socket, or the role ends (-errno). */
int account_record(struct front *f, enum listener_kind via, struct audit_record *r);
/* A decision on `in`; `reason` NULL takes the verdict's. `status` 0: none was given. */
int account_verdict(struct front *f, enum listener_kind via, const struct intent *in,
		    const struct verdict *v, const char *reason, unsigned status);
/* The end of a tunnel, with its bytes. */
void account_close(struct conn *c);

#endif
