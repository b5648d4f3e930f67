/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolver - the role that asks the host's own resolver (getaddrinfo: files, DNS, whatever
 * nsswitch.conf says) for the names back wants to dial.
 *
 * Its answers are believed by nobody: back judges every address.
 */
#ifndef STOCKADE_RESOLVER_RESOLVER_H
#define STOCKADE_RESOLVER_RESOLVER_H

#include "base/err.h"
#include "ipc/channel.h"

/* Loads what getaddrinfo loads lazily; before the jail is shut. */
void resolver_prepare(void);
/* Serves until launch says STOP (0) or a channel is gone or breaks the table (-errno).  Starts its
 * threads itself, so that they are jailed. */
int resolver_run(struct channel *launch, struct channel *back);

#endif
