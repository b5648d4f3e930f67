/* SPDX-License-Identifier: Apache-2.0 */
/* listener - accepts connections and says where each wanted to go. */
#ifndef STOCKADE_FRONT_LISTENER_H
#define STOCKADE_FRONT_LISTENER_H

#include "front/conn.h"

/* Connections accepted in one callback, so that a storm of them leaves the others their share. */
#define LISTENER_BATCH 32
/* Out of descriptors or memory: wait this long before accepting again. */
#define LISTENER_BACKOFF_MS 200u

struct listener {
	struct front *front;
	struct watch watch;
	enum listener_kind kind;
};

/* Takes over every descriptor of the set-up. */
int listener_start(struct front *f);
void listener_stop(struct front *f);
/* A connection ended: there may be room again. */
void listener_resume(struct front *f);

#endif
