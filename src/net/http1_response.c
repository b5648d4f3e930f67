/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_response - reads one response head (RFC 9112 4, 6.3).  Called by front, also for
 * what back hands on from a server; input comes from an upstream and is hostile all the same.
 *
 * As strict about framing as the request reader; lenient only where real servers differ and no
 * reader is confused by it: the reason phrase may be missing with its space, empty, or hold
 * opaque bytes, and a 204 may say "Content-Length: 0".
 */
#include "net/http1_bytes.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200": 1, 0, -502. */
static int read_status(struct http1_cursor *c, struct http1_response *ret)
{
	static const char text[] = "HTTP/1.";
	size_t n = sizeof text - 1, have = (size_t)(c->end - c->p);
	const char *p = c->p + n;

	if (memcmp(c->p, text, have < n ? have : n) != 0)
		return http1_refuse(c, 502, "the answer is not HTTP/1");
	if (have < n + 5)
		return 0;
	if (p[0] != '0' && p[0] != '1')
		return http1_refuse(c, 502, "the answer is neither HTTP/1.0 nor HTTP/1.1");
	if (p[1] != ' ' || !is_digit(p[2]) || !is_digit(p[3]) || !is_digit(p[4]))
		return http1_refuse(c, 502, "the status is not three digits");
	ret->minor = (unsigned)(p[0] - '0');
	ret->status =
	    (unsigned)(p[2] - '0') * 100 + (unsigned)(p[3] - '0') * 10 + (unsigned)(p[4] - '0');
	if (ret->status < 100 || ret->status > 599)
		return http1_refuse(c, 502, "the status is not 100..599");
	c->p = p + 5;
	return 1;
}

static int read_reason(struct http1_cursor *c, struct str *ret)
{
	const char *stop;

	*ret = STR_NONE;
	if (c->p < c->end && *c->p == ' ') {
		stop = http1_skip_value(c->p + 1, c->end);
		*ret = (struct str){ c->p + 1, (size_t)(stop - c->p - 1) };
		c->p = stop;
	}
	return http1_read_crlf(c);
}

static bool has_no_body(const struct http1_response *r, bool to_head)
{
	return to_head || r->status < 200 || r->status == 204 || r->status == 304;
}

static int read_body(struct http1_cursor *c, const struct http1_fields *f, bool to_head,
		     bool to_connect, struct http1_response *r)
{
	bool bare = r->status < 200 || r->status == 204;
	int e;

	if (to_connect && r->status / 100 == 2) {
		/* Whatever the fields say, a tunnel begins after the head (RFC 9110 9.3.6). */
		r->body = BODY_UPGRADE;
		r->length = 0;
		return 0;
	}
	e = http1_read_framing(c, f, r->minor, &r->body, &r->length);
	if (e < 0)
		return e;
	if (bare && (r->body == BODY_CHUNKED || r->length > 0))
		return http1_refuse(c, 502, "a body is announced where the status forbids one");
	if (r->status == 101) {
		if (f->seen[FIELD_UPGRADE] != 1)
			return http1_refuse(c, 502, "101 without exactly one Upgrade");
		r->body = BODY_UPGRADE;
	} else if (has_no_body(r, to_head)) {
		r->body = BODY_NONE;
	} else if (r->body == BODY_NONE) {
		r->body = BODY_UNTIL_CLOSE;
	}
	return 0;
}

static int read_head(struct http1_cursor *c, struct http1_response *ret, struct http1_fields *f)
{
	int r;

	r = read_status(c, ret);
	if (r <= 0)
		return r;
	r = read_reason(c, &ret->reason);
	if (r <= 0)
		return r;
	return http1_read_fields(c, f);
}

int http1_response_parse(struct str in, bool to_head, bool to_connect, struct http1_response *ret,
			 const char **why)
{
	size_t len = in.len < HTTP1_HEAD_MAX ? in.len : HTTP1_HEAD_MAX;
	struct http1_cursor c = { in.p, in.p + len, why };
	struct http1_fields f = { .headers = ret->headers };
	struct http1_options options;
	int r;

	if (in.len == 0)
		return 0;
	r = read_head(&c, ret, &f);
	if (r == 0 && len == HTTP1_HEAD_MAX)
		return http1_refuse(&c, 502, "the response head is too long");
	if (r == 0)
		return 0;
	if (r < 0 || read_body(&c, &f, to_head, to_connect, ret) < 0 ||
	    http1_read_connection(&c, &f, &options) < 0)
		return -502;
	ret->nheaders = f.n;
	ret->head_len = (size_t)(c.p - in.p);
	ret->keep_alive = !options.close && (ret->minor == 1 || options.keep_alive) &&
			  ret->body != BODY_UNTIL_CLOSE && ret->body != BODY_UPGRADE;
	return 1;
}
