/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request - the head of one mediated HTTP request as fields: what MSG_REQUEST carries from front,
 * which read it, to back, which trusts nothing and writes it anew for the upstream.
 *
 * Back checks every field against the grammar of RFC 9110 again (cheap: no parser, only byte
 * classes) before it decides and writes.
 */
#ifndef STOCKADE_NET_REQUEST_H
#define STOCKADE_NET_REQUEST_H

#include "base/buf.h"
#include "base/host.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define REQUEST_HEADERS_MAX 100u /* as HTTP1_HEADERS_MAX */

struct request_header {
	struct str name, value;
};

struct request {
	struct str method;
	bool https;	  /* scheme the agent asked for */
	struct host host; /* canonical authority */
	uint16_t port;	  /* as decided on; never 0 */
	struct str path;  /* normalised (http1_path_normalize): what rules see and upstream gets */
	struct str query; /* without '?' */
	bool has_query;
	uint8_t body; /* enum http1_body: NONE, LENGTH or CHUNKED */
	uint64_t length;
	struct request_header headers[REQUEST_HEADERS_MAX]; /* end-to-end fields only, no Host, no
							       Content-Length */
	size_t nheaders;
};

/* One field is inside the grammar and none that belongs to one hop or to back itself. */
bool request_header_ok(const struct request_header *h);
/* `wanted` is lower case with dashes; letters fold, and '_' counts as '-': servers that hand fields
 * on as environment variables cannot tell them apart. */
bool request_name_folds_to(struct str name, struct str wanted);
int request_pack(const struct request *r, struct buf *out);
/* Slices into payload; -EBADMSG on anything outside the grammar. */
int request_unpack(struct str payload, struct request *ret);
/* The head for the upstream: request line, Host, fields, framing ("Content-Length" or
 * "Transfer-Encoding: chunked"), blank line. `extra` (or NULL) is a field to set. */
int request_format(const struct request *r, const struct request_header *extra, struct buf *out);

#endif
