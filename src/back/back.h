/* SPDX-License-Identifier: Apache-2.0 */
/*
 * back - the role that talks to the world: it decides again on what front asks, resolves, judges
 * addresses, dials, speaks TLS, and writes mediated requests itself.
 *
 * It holds no credential but for the moment in which it writes a request's head, reads no byte of
 * the agent's but as fields, and opens no file once jailed.
 */
#ifndef STOCKADE_BACK_BACK_H
#define STOCKADE_BACK_BACK_H

#include "back/inject.h"
#include "back/tls.h"
#include "ipc/channel.h"
#include "policy/policy.h"

struct back_setup {
	struct channel *launch, *front, *keeper, *resolver, *audit; /* running; borrowed */
	const struct policy *policy;				    /* borrowed */
	const struct placeholder *placeholders;			    /* borrowed */
	size_t nplaceholders;
	struct tls_client *tls; /* borrowed; NULL: no rule can need it */
};

/* Serves until launch says STOP (0), or until launch or a peer is gone or breaks the message table
 * (-errno): the process must then exit non-zero. */
int back_run(const struct back_setup *setup);

#endif
