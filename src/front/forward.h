/* SPDX-License-Identifier: Apache-2.0 */
/* forward - clear-text HTTP requests: read, decide on each, write anew for the upstream. */
#ifndef STOCKADE_FRONT_FORWARD_H
#define STOCKADE_FRONT_FORWARD_H

#include "front/conn.h"

/* The step of CONN_HEAD; see conn_step(). */
bool forward_step(struct conn *c);
/* A head that does not come to its end. */
void forward_late(struct conn *c);
/* CONN_EXCHANGE and the agent is readable: moves request body.  False when none is awaited. */
bool forward_from_agent(struct conn *c);
/* The upstream failed before any byte of the response came: tries once more on a fresh one where
 * that is safe, else answers 502. */
void forward_failed(struct conn *c, const char *what);
/* The end of a turn: its records go to audit in one message, then the heads that were held. */
void forward_release(struct front *f);
/* Request and response are complete (or the response came early): what next. */
void forward_done(struct conn *c);

/* The head as the upstream gets it: canonical host and path, end-to-end fields only.  Pure. */
int forward_head(const struct http1_request *r, const struct intent *in, struct buf *out);

#endif
