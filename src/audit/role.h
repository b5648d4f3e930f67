/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role - the audit role: several channels in, one append-only file out.  It holds nothing else.
 *
 * The role's main reads its start messages and calls audit_role_log() for MSG_LOG; when GO came it
 * jails itself, says READY, and calls audit_run().  The jail must leave: write, fallocate,
 * ftruncate, fstat, poll, recvmsg, sendmsg, close, clock_gettime, memory, exit.
 */
#ifndef STOCKADE_AUDIT_ROLE_H
#define STOCKADE_AUDIT_ROLE_H

#include "audit/log.h"
#include "ipc/channel.h"

/* front, back, keeper, resolver: more roles do not exist. */
#define AUDIT_PEERS_MAX 8u

/* The payload and descriptor of MSG_LOG; takes m->fd on success. */
int audit_role_log(struct msg *m, struct audit_log *ret, struct err *e);
/* What launch sends: the other side of audit_role_log(), and leaves `log` to be closed. */
int audit_role_log_pack(const struct audit_log *log, struct buf *out);

/* Until launch says STOP or is gone: 0, the log is whole and closed, and MSG_SUMMARY was sent.
 * Negative: a record could not be written, or a peer broke the protocol; the caller exits non-zero
 * at once, which closes every channel and so ends the gateway.
 *
 * `by` and the time of a record are set here, from the channel it came on and the clock: a role
 * cannot speak for another.  Events of the session are taken from launch only.  SESSION_END is kept
 * back until everything else is written, so that it is the last line. */
int audit_run(struct channel *launch, struct channel *peers, size_t npeers, struct audit_log *log,
	      struct err *e);

#endif
