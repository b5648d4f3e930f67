/* SPDX-License-Identifier: Apache-2.0 */
/* socksface - the SOCKS5 listener's side of a connection. */
#ifndef STOCKADE_FRONT_SOCKSFACE_H
#define STOCKADE_FRONT_SOCKSFACE_H

#include "front/conn.h"

/* The step of CONN_SOCKS; see conn_step(). */
bool socksface_step(struct conn *c);
void socksface_reply(struct conn *c, enum socks_status st);

#endif
