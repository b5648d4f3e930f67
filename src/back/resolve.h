/* SPDX-License-Identifier: Apache-2.0 */
/* resolve - back's side of the resolver role: questions under way, found again by id. */
#ifndef STOCKADE_BACK_RESOLVE_H
#define STOCKADE_BACK_RESOLVE_H

#include "back/idmap.h"
#include "base/addr.h"
#include "ipc/channel.h"

struct resolve;
/* `status` 0 and addresses, or an EAI code as a positive number. */
typedef void (*resolve_fn)(struct resolve *q, unsigned status, const struct addr *addrs, size_t n);

struct resolve {
	struct id_node node; /* private */
	resolve_fn fn;	     /* NULL: nothing is asked */
};

struct resolve_client {
	struct channel *channel; /* borrowed */
	uint32_t next_id;
	struct idmap waiting;
};

/* Calls fn later, once; `q` stays where it is until then or until resolve_cancel(). */
int resolve_start(struct resolve_client *c, struct resolve *q, struct str name, resolve_fn fn);
void resolve_cancel(struct resolve_client *c, struct resolve *q);
/* One MSG_RESOLVED.  An answer nobody waits for any more is dropped; -EPROTO when malformed. */
int resolve_answer(struct resolve_client *c, struct str payload);

#endif
