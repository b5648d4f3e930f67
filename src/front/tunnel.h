/* SPDX-License-Identifier: Apache-2.0 */
/* tunnel - relays opaque bytes between an agent and the socket that back dialled. */
#ifndef STOCKADE_FRONT_TUNNEL_H
#define STOCKADE_FRONT_TUNNEL_H

#include "front/conn.h"

/* Bytes in one direction before its pages are spliced instead of copied: a short exchange never
 * pays for a pipe, a long one hardly for the copy. */
#define TUNNEL_SPLICE_AFTER (64u * 1024)

/* Decided and open: c->up is the socket, c->in the bytes already read. */
void tunnel_start(struct conn *c);
/* Moves what can be moved in one direction: the source is readable or the destination writable. */
void tunnel_move(struct conn *c, int which);
/* The upstream has something to read, or is gone. */
void tunnel_upstream(struct conn *c, uint32_t events);
void tunnel_idle(struct conn *c);
/* Gives back the pipes and records the end. */
void tunnel_end(struct conn *c);

#endif
