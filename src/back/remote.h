/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote - one connection to a server, in clear or in TLS, with what it has not taken yet.
 *
 * The owner watches `watch` and calls in; nothing here calls back.
 */
#ifndef STOCKADE_BACK_REMOTE_H
#define STOCKADE_BACK_REMOTE_H

#include "back/tls.h"
#include "base/buf.h"
#include "net/loop.h"

/* Above this the owner takes no more body from front: two of the largest messages. */
#define REMOTE_OUT_HIGH (128u * 1024)
/* Never more than this: high water, one message and its framing, one request head. */
#define REMOTE_OUT_MAX (REMOTE_OUT_HIGH + 192u * 1024)

struct remote {
	int fd;				     /* owned; -1: there is none */
	struct tls *tls;		     /* NULL: in clear */
	bool verified;			     /* TLS, and the peer is who it should be */
	bool read_wants_out, write_wants_in; /* TLS may need the other direction */
	struct watch watch;
	struct buf out;
};

void remote_init(struct remote *u);
/* Takes `fd`; with `client` and `host`, TLS is to be spoken on it. */
int remote_open(struct remote *u, int fd, struct tls_client *client, const struct host *host);
/* Wipes what was queued: it may hold a credential. The watch must be out of the loop. */
void remote_close(struct remote *u);
/* 0 done (or in clear), -EAGAIN, -errno with the reason. */
int remote_handshake(struct remote *u, struct err *e);
/* Bytes, 0 at the proper end, -EAGAIN, -ECONNABORTED for TLS cut short, -errno. */
ssize_t remote_read(struct remote *u, void *p, size_t n, struct err *e);
/* Sends what `out` holds: 0 all, 1 some left, -errno. */
int remote_flush(struct remote *u, struct err *e);
/* Events to wait for, given whether the owner wants to read. */
uint32_t remote_events(const struct remote *u, bool want_read, bool handshake);

#endif
