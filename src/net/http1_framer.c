/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_framer - finds the end of a message body without holding it (RFC 9112 6 and 7.1).  Called
 * by front for both directions; input is hostile.
 *
 * Bytes that pass are byte for byte what the next reader will see, so the chunked grammar is kept
 * to where all readers agree: hex digits and CRLF, no extension, no white space; a trailer section
 * of plain fields that may not repeat what says where the message ends, goes, or comes from.
 */
#include "base/own.h"
#include "net/http1_bytes.h"

#include <errno.h>

/* What the next byte is, for a chunked body; the other kinds have one state. */
enum state {
	CHUNK_SIZE, /* a hex digit or CR; line_len digits were read, `left` is their value */
	CHUNK_SIZE_LF,
	CHUNK_DATA, /* `left` bytes of payload, at least one */
	CHUNK_END,  /* CR after the payload */
	CHUNK_END_LF,
	TRAILER,       /* first byte of a trailer line, or CR of the last line */
	TRAILER_NAME,  /* inside a name; its first bytes are in `line`, lower case */
	TRAILER_VALUE, /* after the colon */
	TRAILER_LF,    /* LF after a value */
	LAST_LF,       /* LF of the empty line that ends the body */
};

#define CHUNK_DIGITS_MAX (HTTP1_CHUNK_LINE_MAX - 2)

void http1_framer_init(struct http1_framer *f, enum http1_body kind, uint64_t length)
{
	f->kind = kind;
	f->left = kind == BODY_LENGTH ? length : 0;
	f->state = CHUNK_SIZE;
	f->line_len = 0;
	f->trailer_bytes = 0;
	f->done = kind == BODY_NONE || (kind == BODY_LENGTH && length == 0);
}

/* Trailer names that a merging reader could take for the head's. */
static bool trailer_forbidden(const struct http1_framer *f)
{
	static const struct str names[] = {
		STR_LIT("host"),
		STR_LIT("content-length"),
		STR_LIT("transfer-encoding"),
		STR_LIT("connection"),
		STR_LIT("upgrade"),
		STR_LIT("trailer"),
		STR_LIT("content-type"),
		STR_LIT("authorization"),
		STR_LIT("cookie"),
		STR_LIT("set-cookie"),
		STR_LIT("x-api-key"),
		STR_LIT("te"),
		STR_LIT("content-encoding"),
	};
	struct str name = { f->line, f->line_len };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(name, names[i]))
			return true;
	return false;
}

static int size_byte(struct http1_framer *f, char b)
{
	if (http1_is(b, HTTP1_HEX) && f->line_len < CHUNK_DIGITS_MAX) {
		/* The top bit would be a sign to somebody; 16 digits cannot shift out. */
		f->left = f->left << 4 | http1_hex(b);
		f->line_len++;
		return f->left > (uint64_t)INT64_MAX ? -EBADMSG : 0;
	}
	if (b != '\r' || f->line_len == 0)
		return -EBADMSG;
	f->state = CHUNK_SIZE_LF;
	return 0;
}

static int lf_byte(struct http1_framer *f, char b)
{
	if (b != '\n')
		return -EBADMSG;
	if (f->state == LAST_LF)
		f->done = true;
	else if (f->state == CHUNK_SIZE_LF)
		f->state = f->left ? CHUNK_DATA : TRAILER;
	else
		f->state = f->state == CHUNK_END_LF ? CHUNK_SIZE : TRAILER;
	f->line_len = 0;
	return 0;
}

static int trailer_name_byte(struct http1_framer *f, char b)
{
	if (b == ':' && f->line_len > 0) {
		if (trailer_forbidden(f))
			return -EBADMSG;
		f->state = TRAILER_VALUE;
		return 0;
	}
	if (!http1_is(b, HTTP1_TOKEN))
		return -EBADMSG;
	/* A name that does not fit is longer than every forbidden one: the last byte kept tells. */
	if (f->line_len < sizeof f->line)
		f->line[f->line_len++] = b >= 'A' && b <= 'Z' ? (char)(b | 0x20) : b;
	f->state = TRAILER_NAME;
	return 0;
}

static int trailer_byte(struct http1_framer *f, char b)
{
	if (++f->trailer_bytes > HTTP1_TRAILERS_MAX)
		return -EBADMSG;
	if (f->state == TRAILER_VALUE) {
		if (b == '\r')
			f->state = TRAILER_LF;
		return b == '\r' || http1_is(b, HTTP1_VALUE) ? 0 : -EBADMSG;
	}
	if (f->state == TRAILER && b == '\r') {
		f->state = LAST_LF;
		return 0;
	}
	return trailer_name_byte(f, b);
}

static int framing_byte(struct http1_framer *f, char b)
{
	switch ((enum state)f->state) {
	case CHUNK_SIZE:
		return size_byte(f, b);
	case CHUNK_END:
		f->state = CHUNK_END_LF;
		return b == '\r' ? 0 : -EBADMSG;
	case TRAILER:
	case TRAILER_NAME:
	case TRAILER_VALUE:
		return trailer_byte(f, b);
	case CHUNK_SIZE_LF:
	case CHUNK_END_LF:
	case TRAILER_LF:
	case LAST_LF:
		return lf_byte(f, b);
	case CHUNK_DATA:
		break;
	}
	return -EBADMSG;
}

static struct str take(struct http1_framer *f, struct str rest)
{
	size_t n = rest.len < f->left ? rest.len : (size_t)f->left;

	f->left -= n;
	return (struct str){ rest.p, n };
}

static int feed_chunked(struct http1_framer *f, struct str in, size_t *ret_used,
			struct str *ret_data)
{
	struct str data = STR_NONE;
	size_t at = 0;
	int r;

	while (at < in.len && !f->done) {
		if (f->state == CHUNK_DATA) {
			if (data.len)
				break; /* a second slice: the next call's */
			data = take(f, (struct str){ in.p + at, in.len - at });
			at += data.len;
			if (f->left == 0)
				f->state = CHUNK_END;
			continue;
		}
		r = framing_byte(f, in.p[at]);
		if (r < 0)
			return r;
		at++;
	}
	*ret_used = at;
	*ret_data = data;
	return 0;
}

int http1_framer_feed(struct http1_framer *f, struct str in, size_t *ret_used, struct str *ret_data)
{
	struct str data = STR_NONE;

	if (f->kind == BODY_CHUNKED && !f->done)
		return feed_chunked(f, in, ret_used, ret_data);
	if (f->kind == BODY_LENGTH && !f->done) {
		data = take(f, in);
		f->done = f->left == 0;
	} else if (f->kind == BODY_UNTIL_CLOSE || f->kind == BODY_UPGRADE) {
		data = in;
	}
	*ret_used = data.len;
	*ret_data = data;
	return 0;
}
