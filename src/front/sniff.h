/* SPDX-License-Identifier: Apache-2.0 */
/* sniff - the first bytes of a stream say which protocol it is, and what may be done with it. */
#ifndef STOCKADE_FRONT_SNIFF_H
#define STOCKADE_FRONT_SNIFF_H

#include "base/str.h"

#include <stdbool.h>

struct conn;

enum first_bytes {
	FIRST_MORE, /* could still be TLS or HTTP */
	FIRST_TLS,  /* a handshake record; sni_parse() says the rest */
	FIRST_HTTP,
	FIRST_OPAQUE,
};

/* Pure. */
enum first_bytes sniff_first(struct str in);

/* The step of CONN_FIRST; see conn_step(). */
bool sniff_step(struct conn *c);
/* The destination is known: how long may the first byte take. */
void sniff_begin(struct conn *c);

#endif
