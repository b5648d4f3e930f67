/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_bytes - what the HTTP/1 readers share: byte classes, and the field section.  Private to
 * src/net.
 */
#ifndef STOCKADE_NET_HTTP1_BYTES_H
#define STOCKADE_NET_HTTP1_BYTES_H

#include "net/http1.h"

enum http1_byte {
	HTTP1_TOKEN = 1,       /* tchar, RFC 9110 5.6.2 */
	HTTP1_VALUE = 2,       /* in a field value: visible, space, tab, and 0x80..0xff as opaque */
	HTTP1_TARGET = 4,      /* in a request target: visible ASCII but '#' */
	HTTP1_HEX = 8,	       /* hex digit */
	HTTP1_UNRESERVED = 16, /* RFC 3986 2.3 */
	HTTP1_PATH = 32,       /* RFC 3986 3.3 pchar, the percent sign and '/' */
};

extern const uint8_t http1_bytes[256];

static inline bool http1_is(char c, enum http1_byte class)
{
	return http1_bytes[(unsigned char)c] & class;
}

/* Of a byte known to be a hex digit. */
static inline unsigned http1_hex(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
}

/* Fields that say where a message ends and where it goes. */
enum http1_field {
	FIELD_OTHER,
	FIELD_HOST,
	FIELD_CONNECTION,
	FIELD_CONTENT_LENGTH,
	FIELD_TRANSFER_ENCODING,
	FIELD_UPGRADE,
	FIELD_EXPECT,
	FIELD_MAX
};

struct http1_fields {
	struct http1_header *headers; /* HTTP1_HEADERS_MAX of them, the caller's */
	size_t n;
	struct str value[FIELD_MAX]; /* last one seen */
	uint8_t seen[FIELD_MAX];     /* how often: at most HTTP1_HEADERS_MAX */
};

/* A place in the head being read, and where it must end for now. */
struct http1_cursor {
	const char *p, *end;
	const char **why; /* or NULL */
};

int http1_refuse(struct http1_cursor *c, int status, const char *why);
/* Reads CR LF: 1, 0 when bytes are missing, -400. */
int http1_read_crlf(struct http1_cursor *c);
/* Reads field lines and the empty line: 1, 0, -400, -431. */
int http1_read_fields(struct http1_cursor *c, struct http1_fields *f);
/* Content-Length and Transfer-Encoding in agreement: BODY_NONE when neither is there.  0, -400,
 * -501. */
int http1_read_framing(struct http1_cursor *c, const struct http1_fields *f, unsigned minor,
		       enum http1_body *ret, uint64_t *ret_length);
struct http1_options {
	bool close, keep_alive, upgrade;
};
/* Every Connection field.  0, -400. */
int http1_read_connection(struct http1_cursor *c, const struct http1_fields *f,
			  struct http1_options *ret);
/* Case-insensitive; `lower` holds only [a-z-], `name` only tchar. */
static inline bool http1_name_is(struct str name, const char *lower, size_t len)
{
	if (name.len != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((name.p[i] | 0x20) != lower[i])
			return false;
	return true;
}

/* The first byte from `p` that may not stand in a field value, or `end`.  Values are most of a
 * head: this is where the time goes. */
const char *http1_skip_value(const char *p, const char *end);

#endif
