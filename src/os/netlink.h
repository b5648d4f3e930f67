/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netlink - the few messages that a sandbox's own network namespace needs, sent raw: loopback up,
 * any-address routes, one nftables redirect.
 */
#ifndef STOCKADE_OS_NETLINK_H
#define STOCKADE_OS_NETLINK_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Brings `lo` up; with `any_address` also adds the routes `local 0.0.0.0/0` and `local ::/0` on it,
 * so that every address in the world is this namespace's own. */
int netlink_loopback(bool any_address, struct err *e);
/*
 * One nat chain on output: TCP to anything but 127.0.0.0/8, ::1 and `gateway` (network order) goes
 * to `port` of the loopback address.  SO_ORIGINAL_DST tells where it wanted to go.  -ENOTSUP and
 * the like where the kernel has no nf_tables nat.
 */
int netlink_redirect(uint32_t gateway, uint16_t port, struct err *e);

#endif
