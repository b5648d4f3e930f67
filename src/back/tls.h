/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls - the client side of TLS towards upstreams, by OpenSSL, on a non-blocking socket.
 *
 * TLS 1.2 and later, the certificate verified against the system store and SSL_CERT_FILE, the name
 * against the host that policy allowed; there is no way to go on without.
 */
#ifndef STOCKADE_BACK_TLS_H
#define STOCKADE_BACK_TLS_H

#include "base/err.h"
#include "base/host.h"

#include <stdint.h>
#include <sys/types.h>

struct tls_client; /* trust store and sessions: one for the process */
struct tls;	   /* one connection */

/* Reads the trust store, so call it before the jail is shut. */
int tls_client_new(struct tls_client **ret, struct err *e);
void tls_client_free(struct tls_client *c);

/* `fd` is borrowed.  NULL without memory. */
struct tls *tls_new(struct tls_client *c, int fd, const struct host *host);
/* Says goodbye if it can, and frees. */
void tls_free(struct tls *t);

/* All three: a non-negative result, -EAGAIN (wait for tls_wants(), then call again), or -errno with
 * the reason in `e`.  tls_handshake() is 0 when the peer is verified.  tls_read() is 0 when the
 * peer closed properly and -ECONNABORTED when it just vanished (truncation). */
int tls_handshake(struct tls *t, struct err *e);
ssize_t tls_read(struct tls *t, void *p, size_t n, struct err *e);
ssize_t tls_write(struct tls *t, const void *p, size_t n, struct err *e);
/* EPOLLIN or EPOLLOUT: what the last -EAGAIN waits for. */
uint32_t tls_wants(const struct tls *t);

#endif
