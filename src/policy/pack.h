/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pack - the part of a policy that the gateway's roles need, as bytes for a sealed memfd: network
 * rules with origin and text, credentials' names, headers, templates and placeholder variables, and
 * dns_denied.  Not where a credential comes from: a role that parses has no use for that.
 */
#ifndef STOCKADE_POLICY_PACK_H
#define STOCKADE_POLICY_PACK_H

#include "base/buf.h"
#include "base/err.h"
#include "policy/policy.h"

/* Largest pack: a file of the largest size, its rules' texts and origins. */
#define POLICY_PACK_MAX (16u * 1024 * 1024)

int policy_pack(const struct policy *p, struct buf *out);
/* The strings of `ret` are copies.  -EBADMSG for anything that policy_pack() does not write. */
int policy_unpack(struct str packed, struct policy *ret, struct err *e);

#endif
