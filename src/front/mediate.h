/* SPDX-License-Identifier: Apache-2.0 */
/* mediate - requests that back sends itself: fields and body bytes go to it over a stream channel,
 * the upstream's bytes come back. */
#ifndef STOCKADE_FRONT_MEDIATE_H
#define STOCKADE_FRONT_MEDIATE_H

#include "front/conn.h"

/* All: 0, or -errno when the stream is over. */
int mediate_request(struct conn *c, const struct intent *in);
int mediate_body(struct conn *c, struct str data);
int mediate_body_end(struct conn *c);
/* The response was complete; may the stream take another request. */
int mediate_done(struct conn *c, bool reusable);
/* The stream's descriptor has something for us during an exchange. */
void mediate_event(struct conn *c, uint32_t events);

#endif
