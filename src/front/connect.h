/* SPDX-License-Identifier: Apache-2.0 */
/* connect - an explicit wish for a stream to host:port: HTTP CONNECT, and SOCKS after its
 * handshake. */
#ifndef STOCKADE_FRONT_CONNECT_H
#define STOCKADE_FRONT_CONNECT_H

#include "front/conn.h"

/* front->request holds a CONNECT whose head is at the front of c->in. */
void connect_begin(struct conn *c);
/* c->host and c->port are filled: decides, and dials, answers or refuses. */
void connect_decide(struct conn *c);

#endif
