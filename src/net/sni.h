/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sni - the server name of a TLS ClientHello (RFC 8446 4.1.2, RFC 6066 3), read without TLS.
 *
 * The ClientHello may span several records and TCP segments.  Everything beyond the name is only
 * walked over with lengths checked.
 */
#ifndef STOCKADE_NET_SNI_H
#define STOCKADE_NET_SNI_H

#include "base/host.h"
#include "base/str.h"

/* RFC 8446 allows 2^24; real ones are under 2 KB, post-quantum shares included. */
#define SNI_HELLO_MAX (16u * 1024)

enum sni_result {
	SNI_MORE,   /* looks like TLS so far: give me more bytes */
	SNI_PLAIN,  /* first bytes are no TLS handshake record */
	SNI_FOUND,  /* one host_name, canonical, in *ret */
	SNI_ABSENT, /* a ClientHello without server_name, with an address literal in it, with two,
		       or with an encrypted_client_hello that is not GREASE-compatible with one */
	SNI_BAD,    /* starts as TLS and is malformed, or is longer than SNI_HELLO_MAX */
};

enum sni_result sni_parse(struct str in, struct host *ret);

#endif
