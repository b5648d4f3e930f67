/* SPDX-License-Identifier: Apache-2.0 */
/* respond - the upstream's answer on its way to the agent, as it comes. */
#ifndef STOCKADE_FRONT_RESPOND_H
#define STOCKADE_FRONT_RESPOND_H

#include "front/conn.h"

/* Response bytes of the exchange of c->up. */
void respond_feed(struct conn *c, struct str in);
/* The upstream closed. */
void respond_eof(struct conn *c);

#endif
