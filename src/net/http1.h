/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1 - strict HTTP/1.1 heads and body framing (RFC 9112, RFC 9110).
 *
 * Parsers take (pointer, length), allocate nothing and own nothing: all slices point into the
 * caller's bytes.  What two readers could read in two ways is refused: bare LF or CR, obs-fold,
 * space before a colon, Content-Length with Transfer-Encoding, two Content-Lengths (even equal
 * ones), any coding but a single final "chunked", NUL and control bytes, chunk extensions,
 * signs or spaces in numbers.
 */
#ifndef STOCKADE_NET_HTTP1_H
#define STOCKADE_NET_HTTP1_H

#include "base/buf.h"
#include "base/host.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define HTTP1_HEAD_MAX (32u * 1024)  /* whole head; 431 beyond */
#define HTTP1_HEADERS_MAX 100u	     /* fields; 431 beyond */
#define HTTP1_TARGET_MAX (8u * 1024) /* request target; 414 beyond */
#define HTTP1_CHUNK_LINE_MAX 18u     /* 16 hex digits and CRLF: no extensions */
#define HTTP1_TRAILERS_MAX (8u * 1024)

struct http1_header {
	struct str name, value; /* value trimmed of OWS */
};

enum http1_target_form { TARGET_ORIGIN, TARGET_ABSOLUTE, TARGET_AUTHORITY, TARGET_ASTERISK };

enum http1_body {
	BODY_NONE,
	BODY_LENGTH,
	BODY_CHUNKED,
	BODY_UNTIL_CLOSE, /* responses only */
	BODY_UPGRADE,	  /* 101: bytes are no longer HTTP */
};

struct http1_request {
	struct str method;
	enum http1_target_form form;
	bool https;	  /* absolute form: scheme was https */
	struct host host; /* canonical, from the target (absolute, authority) or Host */
	uint16_t port;	  /* 0: none named */
	struct str path;  /* as sent, without query; "/" for an empty absolute path */
	struct str query; /* without '?', may be empty */
	bool has_query;
	unsigned minor; /* HTTP/1.<minor>: 0 or 1 */
	struct http1_header headers[HTTP1_HEADERS_MAX];
	size_t nheaders;
	enum http1_body body;
	uint64_t length; /* BODY_LENGTH */
	bool keep_alive;
	bool expect_continue;
	struct str upgrade; /* value of Upgrade when Connection names it, else empty */
	size_t head_len;    /* bytes of the head with its blank line */
};

struct http1_response {
	unsigned status; /* 100..599 */
	struct str reason;
	unsigned minor;
	struct http1_header headers[HTTP1_HEADERS_MAX];
	size_t nheaders;
	enum http1_body body;
	uint64_t length;
	bool keep_alive;
	size_t head_len;
};

/* Results below zero are an answer to give: -status (-400, -414, -417, -431, -501, -505; for a
 * response always -502).  0: more bytes are wanted.  1: done; *ret means nothing before. `why` (may
 * be NULL) gets a constant sentence.  *ret is filled, not cleared: keep it in a long-lived object.
 * For a request, Host must be there once and agree with an absolute target (same canonical host
 * and port); a leading empty line (CRLF) is accepted once, as RFC 9112 2.2 asks. */
int http1_request_parse(struct str in, struct http1_request *ret, const char **why);
/* `to_head`, `to_connect`: the request's method decides the framing (RFC 9112 6.3). */
int http1_response_parse(struct str in, bool to_head, bool to_connect, struct http1_response *ret,
			 const char **why);

const struct http1_header *http1_find(const struct http1_header *h, size_t n, struct str name);
/* True for fields that belong to one hop (RFC 9110 7.6.1): Connection and what it names,
 * Keep-Alive, Proxy-*, TE, Transfer-Encoding, Upgrade. */
bool http1_hop_by_hop(const struct http1_header *all, size_t n, const struct http1_header *h);

/* Follows a body without holding it.  Feed bytes in order. */
struct http1_framer {
	enum http1_body kind;
	uint64_t left; /* of the length or the current chunk */
	uint8_t state; /* private */
	uint8_t line_len;
	char line[HTTP1_CHUNK_LINE_MAX];
	uint32_t trailer_bytes;
	bool done;
};

void http1_framer_init(struct http1_framer *f, enum http1_body kind, uint64_t length);
/* Looks at in; sets *ret_used to the bytes that belong to this body (framing included), and
 * *ret_data to a slice of payload inside them (maybe empty; call again with the rest).
 * 0, or -EBADMSG for bad framing. f->done says when the body is over. */
int http1_framer_feed(struct http1_framer *f, struct str in, size_t *ret_used,
		      struct str *ret_data);

/* The path as an upstream will see it: percent-decodes unreserved characters, removes dot
 * segments (also "%2e"), refuses what servers read differently: encoded slash or backslash, raw
 * backslash, double encoding ("%25" before two hex digits), ';' parameters, "//", NUL and control
 * bytes, invalid percent.  Writes at most HTTP1_TARGET_MAX bytes to `out`. -EINVAL on refusal. */
int http1_path_normalize(struct str path, char out[static HTTP1_TARGET_MAX], struct str *ret);

#endif
