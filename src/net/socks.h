/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socks - SOCKS5 (RFC 1928) server side, CONNECT only, no authentication or user/password (RFC
 * 1929, any pair accepted: the listener itself is the boundary).
 */
#ifndef STOCKADE_NET_SOCKS_H
#define STOCKADE_NET_SOCKS_H

#include "base/host.h"
#include "base/str.h"

#include <stdint.h>

enum socks_step { SOCKS_GREETING, SOCKS_AUTH, SOCKS_REQUEST, SOCKS_DONE };

struct socks {
	enum socks_step step;
	struct host host; /* valid at SOCKS_DONE */
	uint16_t port;
};

/* Longest reply: socks_reply and the greeting's answers. */
#define SOCKS_REPLY_MAX 10

/* Consumes at most one complete client message of `in`: *ret_used bytes (call again with the rest
 * while it is not 0); puts what to answer into reply (*ret_reply bytes).  0: more bytes wanted, or
 * step advanced; 1: request complete in *s (answer it later with socks_reply); -EINVAL: refused
 * (answer reply, then close).  A domain name with NUL or control bytes, an empty one, SOCKS4, BIND
 * and UDP ASSOCIATE are refused. */
int socks_feed(struct socks *s, struct str in, size_t *ret_used,
	       unsigned char reply[static SOCKS_REPLY_MAX], size_t *ret_reply);
enum socks_status {
	SOCKS_OK = 0,
	SOCKS_FAILURE = 1,
	SOCKS_NOT_ALLOWED = 2,
	SOCKS_HOST_UNREACHABLE = 4,
	SOCKS_REFUSED = 5,
	SOCKS_BAD_COMMAND = 7,
	SOCKS_BAD_ADDRESS = 8,
};
size_t socks_reply(enum socks_status st, unsigned char ret[static SOCKS_REPLY_MAX]);

#endif
