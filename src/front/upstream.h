/* SPDX-License-Identifier: Apache-2.0 */
/* upstream - the sockets and streams that back gave, in use or idle in a pool by host and port. */
#ifndef STOCKADE_FRONT_UPSTREAM_H
#define STOCKADE_FRONT_UPSTREAM_H

#include "front/conn.h"

/* Idle ones kept: a browser-like client opens six a host; beyond this they are closed. */
#define UPSTREAM_IDLE_MAX 256u
/* Shorter than most servers' keep-alive, so that we close first and retries stay rare. */
#define UPSTREAM_IDLE_MS 20000u

/* Takes over `fd` when it succeeds; NULL without memory. */
struct upstream *upstream_new(struct front *f, int fd, bool mediated);
/* Out of the pool, watched and ready, or NULL.  `mediated` must be a stream; without it a stream
 * will do too: back gives nothing else for a host with any rule that looks at requests. */
struct upstream *upstream_take(struct front *f, const struct host *host, uint16_t port,
			       bool mediated);
/* Into the pool: nothing is in flight on it. */
void upstream_idle(struct upstream *u);
void upstream_close(struct upstream *u);
/* What is in `out` waits for its record: the end of the turn releases it. */
void upstream_hold(struct upstream *u);
/* Sends the records, and then `out`.  0, or -errno. */
int upstream_release(struct upstream *u);
/* Sends what is in `out`, as far as the socket takes it.  0, or -errno. */
int upstream_flush(struct upstream *u);
/* False when the peer has closed it or speaks out of turn. */
bool upstream_fresh(const struct upstream *u);
/* Every idle one; the role ends. */
void upstream_close_all(struct front *f);

#endif
