/* SPDX-License-Identifier: Apache-2.0 */
/* opening - asks back for a socket, and goes on when it answers. */
#ifndef STOCKADE_FRONT_OPENING_H
#define STOCKADE_FRONT_OPENING_H

#include "front/conn.h"

/* Sends OPEN for `in`; the connection waits in CONN_OPENING. */
void opening_ask(struct conn *c, enum opening why, const struct intent *in);
/* The connection ends before the answer: back is told. */
void opening_cancel(struct conn *c);
/* OPENED and REFUSED; 0, or -errno that ends the role. */
int opening_answer(struct front *f, struct msg *m);

#endif
