/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_fields - byte classes, the field section, and what its framing fields say (RFC 9110 5,
 * RFC 9112 5 and 6).  Called by the request and response readers in front; back reads the byte
 * classes, by way of request.c.  Input is hostile.  One pass, nothing allocated, nothing cleared
 * that is not used.
 */
#include "base/own.h"
#include "net/http1_bytes.h"

/* More than INT64_MAX is a negative length to somebody. */
#define LENGTH_MAX ((uint64_t)INT64_MAX)

/* T: token, V: value, G: target, H: hex, U: unreserved, P: path */
#define T HTTP1_TOKEN
#define V HTTP1_VALUE
#define G HTTP1_TARGET
#define H HTTP1_HEX
#define U HTTP1_UNRESERVED
#define P HTTP1_PATH
#define TOK (T | V | G)		    /* ^ ` | */
#define SUB (T | V | G | P)	    /* ! $ & ' * + % */
#define MRK (T | V | G | U | P)	    /* - . _ ~ and letters past f */
#define HEX (T | V | G | H | U | P) /* 0-9 A-F a-f */
#define VIS (V | G)		    /* delimiters */
#define SEP (V | G | P)		    /* ( ) , / : ; = @ */
#define HIGH16 V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V
/* clang-format off */
const uint8_t http1_bytes[256] = {
	/* 00 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, V, 0, 0, 0, 0, 0, 0,
	/* 10 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	/* 20  sp ! " # $ % & ' ( ) * + , - . / */
	V, SUB, VIS, T | V, SUB, SUB, SUB, SUB, SEP, SEP, SUB, SUB, SEP, MRK, MRK, SEP,
	/* 30  0-9 : ; < = > ? */
	HEX, HEX, HEX, HEX, HEX, HEX, HEX, HEX, HEX, HEX, SEP, SEP, VIS, SEP, VIS, VIS,
	/* 40  @ A-O */
	SEP, HEX, HEX, HEX, HEX, HEX, HEX, MRK, MRK, MRK, MRK, MRK, MRK, MRK, MRK, MRK,
	/* 50  P-Z [ \ ] ^ _ */
	MRK, MRK, MRK, MRK, MRK, MRK, MRK, MRK, MRK, MRK, MRK, VIS, VIS, VIS, TOK, MRK,
	/* 60  ` a-o */
	TOK, HEX, HEX, HEX, HEX, HEX, HEX, MRK, MRK, MRK, MRK, MRK, MRK, MRK, MRK, MRK,
	/* 70  p-z { | } ~ del */
	MRK, MRK, MRK, MRK, MRK, MRK, MRK, MRK, MRK, MRK, MRK, VIS, TOK, VIS, MRK, 0,
	HIGH16, HIGH16, HIGH16, HIGH16, HIGH16, HIGH16, HIGH16, HIGH16,
};
/* clang-format on */

/* No two known names have the same length, so the length alone picks the one to compare. */
#define KNOWN(text, id) [sizeof(text) - 1] = { text, id }
static const struct {
	const char *name;
	enum http1_field id;
} known[] = {
	KNOWN("host", FIELD_HOST),
	KNOWN("expect", FIELD_EXPECT),
	KNOWN("upgrade", FIELD_UPGRADE),
	KNOWN("connection", FIELD_CONNECTION),
	KNOWN("content-length", FIELD_CONTENT_LENGTH),
	KNOWN("transfer-encoding", FIELD_TRANSFER_ENCODING),
};

static enum http1_field field_id(struct str name)
{
	if (name.len >= ARRAY_LEN(known) || !known[name.len].name)
		return FIELD_OTHER;
	return http1_name_is(name, known[name.len].name, name.len) ? known[name.len].id
								   : FIELD_OTHER;
}

int http1_refuse(struct http1_cursor *c, int status, const char *why)
{
	if (c->why)
		*c->why = why;
	return -status;
}

int http1_read_crlf(struct http1_cursor *c)
{
	if (c->p == c->end)
		return 0;
	if (*c->p == '\n')
		return http1_refuse(c, 400, "a line ends in LF without CR");
	if (*c->p != '\r')
		return http1_refuse(c, 400, "a control byte or other forbidden byte in the head");
	if (c->p + 1 == c->end)
		return 0;
	if (c->p[1] != '\n')
		return http1_refuse(c, 400, "CR without LF");
	c->p += 2;
	return 1;
}

/* Eight bytes at a time while none of them is below 0x20 or DEL: the subtraction borrows into a
 * byte's top bit exactly when that byte is smaller (the lowest such byte is always right, and one
 * is enough to leave the loop). */
const char *http1_skip_value(const char *p, const char *end)
{
	const uint64_t ones = 0x0101010101010101u;

	for (;;) {
		while (end - p >= 8) {
			uint64_t w, low, del;

			memcpy(&w, p, sizeof w);
			low = (w - ones * 0x20) & ~w;
			del = w ^ (ones * 0x7f);
			del = (del - ones) & ~del;
			if ((low | del) & (ones * 0x80))
				break;
			p += 8;
		}
		/* Up to the byte that stopped it; only a tab (or the tail) leads on. */
		for (int i = 0; i < 8; i++) {
			if (p == end || !http1_is(*p, HTTP1_VALUE))
				return p;
			p++;
		}
	}
}

static int read_name(struct http1_cursor *c, struct str *ret)
{
	const char *p = c->p;

	while (p < c->end && http1_is(*p, HTTP1_TOKEN))
		p++;
	if (p == c->end)
		return 0;
	if (*p == ':' && p > c->p) {
		*ret = (struct str){ c->p, (size_t)(p - c->p) };
		c->p = p + 1;
		return 1;
	}
	if (p == c->p && (*p == ' ' || *p == '\t'))
		return http1_refuse(c, 400, "a line begins with white space (obsolete folding)");
	if (*p == ' ' || *p == '\t')
		return http1_refuse(c, 400, "white space between a field name and its colon");
	if (p == c->p)
		return http1_refuse(c, 400, "a field without a name");
	return http1_refuse(c, 400, "a field name is not a token");
}

static int read_value(struct http1_cursor *c, struct str *ret)
{
	const char *p = c->p, *stop;

	while (p < c->end && (*p == ' ' || *p == '\t'))
		p++;
	stop = http1_skip_value(p, c->end);
	c->p = stop;
	while (stop > p && (stop[-1] == ' ' || stop[-1] == '\t'))
		stop--;
	*ret = (struct str){ p, (size_t)(stop - p) };
	return http1_read_crlf(c);
}

int http1_read_fields(struct http1_cursor *c, struct http1_fields *f)
{
	for (;;) {
		struct http1_header *h = &f->headers[f->n];
		enum http1_field id;
		int r;

		if (c->p < c->end && (*c->p == '\r' || *c->p == '\n'))
			return http1_read_crlf(c);
		if (c->p == c->end) /* what comes next may be the end of the head */
			return 0;
		if (f->n == HTTP1_HEADERS_MAX)
			return http1_refuse(c, 431, "too many header fields");
		r = read_name(c, &h->name);
		if (r <= 0)
			return r;
		r = read_value(c, &h->value);
		if (r <= 0)
			return r;
		f->n++;
		id = field_id(h->name);
		f->value[id] = h->value;
		f->seen[id]++;
	}
}

/* Digits, no sign, no leading zero (010 is eight to some). */
static int read_length(struct str s, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.len == 0 || s.len > 19 || (s.p[0] == '0' && s.len > 1))
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		v = v * 10 + (uint64_t)(s.p[i] - '0'); /* 19 digits fit */
	}
	if (v > LENGTH_MAX)
		return -1;
	*ret = v;
	return 0;
}

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!http1_is(s.p[i], HTTP1_TOKEN))
			return false;
	return s.len > 0;
}

int http1_read_framing(struct http1_cursor *c, const struct http1_fields *f, unsigned minor,
		       enum http1_body *ret, uint64_t *ret_length)
{
	struct str coding = f->value[FIELD_TRANSFER_ENCODING];

	*ret = BODY_NONE;
	*ret_length = 0;
	if (f->seen[FIELD_CONTENT_LENGTH] > 1)
		return http1_refuse(c, 400, "more than one Content-Length");
	if (f->seen[FIELD_TRANSFER_ENCODING]) {
		if (f->seen[FIELD_CONTENT_LENGTH])
			return http1_refuse(c, 400, "both Content-Length and Transfer-Encoding");
		if (f->seen[FIELD_TRANSFER_ENCODING] > 1)
			return http1_refuse(c, 400, "more than one Transfer-Encoding");
		if (minor == 0)
			return http1_refuse(c, 400, "Transfer-Encoding in HTTP/1.0");
		if (!is_token(coding))
			return http1_refuse(c, 400,
					    "Transfer-Encoding is not a single \"chunked\"");
		if (!str_ieq(coding, STR_LIT("chunked")))
			return http1_refuse(c, 501, "a transfer coding other than chunked");
		*ret = BODY_CHUNKED;
	} else if (f->seen[FIELD_CONTENT_LENGTH]) {
		if (read_length(f->value[FIELD_CONTENT_LENGTH], ret_length) < 0)
			return http1_refuse(c, 400, "Content-Length is not a plain number");
		*ret = BODY_LENGTH;
	}
	return 0;
}

/* Naming these as hop-by-hop would make the next reader lose them. */
static bool must_stay(struct str option)
{
	enum http1_field id = field_id(option);

	return id == FIELD_HOST || id == FIELD_CONTENT_LENGTH || id == FIELD_TRANSFER_ENCODING;
}

static int read_options(struct http1_cursor *c, struct str list, struct http1_options *ret)
{
	struct str part;

	while (str_next(&list, ',', &part)) {
		part = str_trim(part);
		if (part.len == 0)
			continue;
		if (!is_token(part))
			return http1_refuse(c, 400, "Connection holds something not a token");
		if (must_stay(part))
			return http1_refuse(c, 400, "Connection names a framing field");
		if (http1_name_is(part, "close", 5))
			ret->close = true;
		else if (http1_name_is(part, "keep-alive", 10))
			ret->keep_alive = true;
		else if (http1_name_is(part, "upgrade", 7))
			ret->upgrade = true;
	}
	return 0;
}

int http1_read_connection(struct http1_cursor *c, const struct http1_fields *f,
			  struct http1_options *ret)
{
	unsigned left = f->seen[FIELD_CONNECTION];
	int r;

	*ret = (struct http1_options){ 0 };
	if (left == 1)
		return read_options(c, f->value[FIELD_CONNECTION], ret);
	for (size_t i = 0; left && i < f->n; i++) {
		if (field_id(f->headers[i].name) != FIELD_CONNECTION)
			continue;
		left--;
		r = read_options(c, f->headers[i].value, ret);
		if (r < 0)
			return r;
	}
	return 0;
}

const struct http1_header *http1_find(const struct http1_header *h, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_ieq(h[i].name, name))
			return &h[i];
	return NULL;
}

static bool named_by_connection(const struct http1_header *all, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++) {
		struct str list = all[i].value, part;

		if (field_id(all[i].name) != FIELD_CONNECTION)
			continue;
		while (str_next(&list, ',', &part))
			if (str_ieq(str_trim(part), name))
				return true;
	}
	return false;
}

bool http1_hop_by_hop(const struct http1_header *all, size_t n, const struct http1_header *h)
{
	static const struct str always[] = {
		STR_LIT("connection"),	      STR_LIT("keep-alive"), STR_LIT("te"),
		STR_LIT("transfer-encoding"), STR_LIT("upgrade"),
	};
	static const struct str proxy = STR_LIT("proxy-");

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		if (http1_name_is(h->name, always[i].p, always[i].len))
			return true;
	if (h->name.len > proxy.len &&
	    http1_name_is((struct str){ h->name.p, proxy.len }, proxy.p, proxy.len))
		return true;
	return named_by_connection(all, n, h->name);
}
