/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sni - the server name of a TLS ClientHello (RFC 8446 4.1.2, RFC 6066 3), read without TLS.
 *
 * The ClientHello may span several records and TCP segments.  Everything beyond the name is only
 * walked over with lengths checked.
 *
 * Encrypted ClientHello: the outer name of a real one is only a front for the hidden name, and a
 * GREASE one (RFC 8701 in spirit; Chromium and Firefox send it) cannot be told from it.  Any
 * encrypted_client_hello, and the older encrypted_server_name, therefore counts as no name.  curl,
 * Node, Python, Go and Java do not send it unless asked to.
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
	SNI_ABSENT, /* a ClientHello without server_name, with two, with an address literal or a
		       name outside the host grammar in it, or with an encrypted name */
	SNI_BAD,    /* starts as TLS and is malformed, or no whole ClientHello in SNI_HELLO_MAX */
};

enum sni_result sni_parse(struct str in, struct host *ret);

#endif
