/* SPDX-License-Identifier: Apache-2.0 */
/* refuse - says no in the way that helps: which host, which rule, what a person can do; recorded.
 */
#ifndef STOCKADE_FRONT_REFUSE_H
#define STOCKADE_FRONT_REFUSE_H

#include "front/conn.h"

/* Each ends the connection, or (request) at least this request, and leaves its record.  `reason`
 * NULL takes the verdict's. */
void refuse_tunnel(struct conn *c, const struct intent *in, const struct verdict *v,
		   const char *reason);
void refuse_request(struct conn *c, const struct intent *in, const struct verdict *v,
		    const char *reason);
void refuse_connect(struct conn *c, const struct intent *in, const struct verdict *v);
/* Bytes that are no protocol spoken here. */
void refuse_bytes(struct conn *c, const char *why);
void refuse_malformed(struct conn *c, unsigned status, const char *why);
/* Back refused, or the upstream failed: back has recorded it. */
void refuse_upstream(struct conn *c, unsigned status, const char *reason, struct str text);

#endif
