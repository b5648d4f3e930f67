/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_request - reads one request head (RFC 9112 3, RFC 9110 7).  Called by front for every
 * listener that speaks HTTP; input is hostile.
 *
 * One pass over the bytes; a head that is not complete is read again from its start when more has
 * come (the head is small and bounded, and state kept between reads is where such readers go
 * wrong).  The large struct is never cleared: every scalar in it is assigned.
 */
#include "net/http1_bytes.h"

#include <errno.h>

/* The longest registered method has 17 bytes (UPDATEREDIRECTREF). */
#define METHOD_MAX 32

struct authority {
	struct str raw; /* as sent */
	struct str host;
	uint16_t port; /* 0: none named */
};

/* 1..65535 in plain digits. */
static int read_port(struct str s, uint16_t *ret)
{
	unsigned v = 0;

	if (s.len == 0 || s.len > 5 || s.p[0] == '0')
		return -EINVAL;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -EINVAL;
		v = v * 10 + (unsigned)(s.p[i] - '0');
	}
	if (v > 65535)
		return -EINVAL;
	*ret = (uint16_t)v;
	return 0;
}

/* host [ ":" port ]; a user name, an empty host or an empty port is refused.  The host itself is
 * judged by host_parse(). */
static int split_authority(struct str s, struct authority *ret)
{
	size_t colon = 0;

	ret->raw = s;
	ret->port = 0;
	if (s.len && s.p[0] == '[') {
		colon = str_index(s, ']');
		if (colon == s.len)
			return -EINVAL;
		colon++;
	} else {
		colon = str_index(s, ':');
	}
	ret->host = (struct str){ s.p, colon };
	if (colon == s.len)
		return 0;
	if (s.p[colon] != ':')
		return -EINVAL;
	return read_port((struct str){ s.p + colon + 1, s.len - colon - 1 }, &ret->port);
}

static int read_method(struct http1_cursor *c, struct str *ret)
{
	const char *p = c->p;

	while (p < c->end && http1_is(*p, HTTP1_TOKEN))
		p++;
	if (p - c->p > METHOD_MAX)
		return http1_refuse(c, 501, "the method is longer than any method");
	if (p == c->end)
		return 0;
	if (p == c->p || *p != ' ')
		return http1_refuse(c, 400, "the request line does not begin with a method");
	*ret = (struct str){ c->p, (size_t)(p - c->p) };
	c->p = p + 1;
	return 1;
}

static int read_target(struct http1_cursor *c, struct str *ret)
{
	const char *p = c->p;

	while (p < c->end && http1_is(*p, HTTP1_TARGET))
		p++;
	if ((size_t)(p - c->p) > HTTP1_TARGET_MAX)
		return http1_refuse(c, 414, "the request target is too long");
	if (p == c->end)
		return 0;
	if (*p == '#')
		return http1_refuse(c, 400, "a fragment in the request target");
	if (p == c->p || *p != ' ')
		return http1_refuse(c, 400, "a forbidden byte in the request target");
	*ret = (struct str){ c->p, (size_t)(p - c->p) };
	c->p = p + 1;
	return 1;
}

static int read_version(struct http1_cursor *c, unsigned *ret)
{
	static const char text[] = "HTTP/";
	size_t n = sizeof text - 1, have = (size_t)(c->end - c->p);

	if (memcmp(c->p, text, have < n ? have : n) != 0)
		return http1_refuse(c, 400, "the request line does not end in a version");
	if (have < n + 3)
		return 0;
	c->p += n;
	if (c->p[0] < '0' || c->p[0] > '9' || c->p[1] != '.' || c->p[2] < '0' || c->p[2] > '9')
		return http1_refuse(c, 400, "the request line does not end in a version");
	if (c->p[0] != '1' || c->p[2] > '1')
		return http1_refuse(c, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
	*ret = (unsigned)(c->p[2] - '0');
	c->p += 3;
	return http1_read_crlf(c);
}

static void split_path(struct str s, struct http1_request *ret)
{
	size_t q = str_index(s, '?');

	ret->has_query = q < s.len;
	ret->query = ret->has_query ? (struct str){ s.p + q + 1, s.len - q - 1 } : STR_NONE;
	ret->path = q ? (struct str){ s.p, q } : STR_LIT("/");
}

/* "http://" or "https://" in front: takes it off. */
static bool take_scheme(struct str *s, bool *ret_https)
{
	size_t n = 4;

	if (s->len < 8 || !str_ieq((struct str){ s->p, 4 }, STR_LIT("http")))
		return false;
	*ret_https = (s->p[4] | 0x20) == 's';
	n += *ret_https;
	if (s->len < n + 3 || memcmp(s->p + n, "://", 3) != 0)
		return false;
	s->p += n + 3;
	s->len -= n + 3;
	return true;
}

/* Which of the four forms the target has; `ret_auth` is filled for the two that name a host. */
static int read_form(struct http1_cursor *c, struct str target, struct http1_request *ret,
		     struct authority *ret_auth)
{
	size_t slash;

	ret->https = false;
	if (str_eq(ret->method, STR_LIT("CONNECT"))) {
		ret->form = TARGET_AUTHORITY;
		ret->path = ret->query = STR_NONE;
		ret->has_query = false;
		if (split_authority(target, ret_auth) < 0 || ret_auth->port == 0)
			return http1_refuse(c, 400, "CONNECT needs host:port");
		return 0;
	}
	if (target.len && target.p[0] == '/') {
		ret->form = TARGET_ORIGIN;
		split_path(target, ret);
		return 0;
	}
	if (str_eq(target, STR_LIT("*"))) {
		ret->form = TARGET_ASTERISK;
		split_path(target, ret);
		if (!str_eq(ret->method, STR_LIT("OPTIONS")))
			return http1_refuse(c, 400, "\"*\" is for OPTIONS only");
		return 0;
	}
	if (!take_scheme(&target, &ret->https))
		return http1_refuse(c, 400, "the request target is no path and no http(s) URL");
	ret->form = TARGET_ABSOLUTE;
	for (slash = 0; slash < target.len; slash++)
		if (target.p[slash] == '/' || target.p[slash] == '?')
			break;
	split_path((struct str){ target.p + slash, target.len - slash }, ret);
	if (split_authority((struct str){ target.p, slash }, ret_auth) < 0)
		return http1_refuse(c, 400, "the URL's host is malformed");
	return 0;
}

/* The Host field against an authority that the target named: same host, and same port once the
 * scheme's own port stands for none.  CONNECT's port may be missing in Host, never differ. */
static int compare_host(struct http1_cursor *c, const struct http1_request *r,
			const struct authority *target, const struct authority *field)
{
	uint16_t usual = r->https ? 443 : 80;
	struct host host;

	if (str_eq(target->raw, field->raw))
		return 0;
	if (host_parse(field->host, &host) < 0)
		return http1_refuse(c, 400, "Host is malformed");
	if (!str_eq(host_str(&r->host), host_str(&host)))
		return http1_refuse(c, 400, "Host names another host than the request target");
	if (r->form == TARGET_AUTHORITY && field->port == 0)
		return 0;
	if ((target->port ? target->port : usual) != (field->port ? field->port : usual))
		return http1_refuse(c, 400, "Host names another port than the request target");
	return 0;
}

static int read_host(struct http1_cursor *c, const struct http1_fields *f, struct http1_request *r,
		     const struct authority *target)
{
	bool named = r->form == TARGET_ABSOLUTE || r->form == TARGET_AUTHORITY;
	struct authority field;

	if (f->seen[FIELD_HOST] > 1)
		return http1_refuse(c, 400, "more than one Host");
	if (f->seen[FIELD_HOST] == 0 && (r->minor == 1 || !named))
		return http1_refuse(c, 400, "no Host");
	if (f->seen[FIELD_HOST] && split_authority(f->value[FIELD_HOST], &field) < 0)
		return http1_refuse(c, 400, "Host is malformed");
	if (host_parse(named ? target->host : field.host, &r->host) < 0)
		return http1_refuse(c, 400, "the host's name is malformed");
	r->port = named ? target->port : field.port;
	if (named && f->seen[FIELD_HOST])
		return compare_host(c, r, target, &field);
	return 0;
}

/* Upgrade and Expect; neither exists in HTTP/1.0 (RFC 9110 7.8, 10.1.1). */
static int read_wishes(struct http1_cursor *c, const struct http1_fields *f, bool upgrade,
		       struct http1_request *r)
{
	r->upgrade = STR_NONE;
	r->expect_continue = false;
	if (f->seen[FIELD_UPGRADE] > 1)
		return http1_refuse(c, 400, "more than one Upgrade");
	if (r->minor == 0)
		return 0;
	if (f->seen[FIELD_EXPECT] > 1)
		return http1_refuse(c, 400, "more than one Expect");
	if (upgrade && f->seen[FIELD_UPGRADE])
		r->upgrade = f->value[FIELD_UPGRADE];
	r->expect_continue = f->seen[FIELD_EXPECT] > 0;
	if (r->expect_continue && !str_ieq(f->value[FIELD_EXPECT], STR_LIT("100-continue")))
		return http1_refuse(c, 417, "an expectation other than 100-continue");
	return 0;
}

static int read_meaning(struct http1_cursor *c, const struct http1_fields *f,
			struct http1_request *r)
{
	struct http1_options options;
	int e;

	e = http1_read_framing(c, f, r->minor, &r->body, &r->length);
	if (e < 0)
		return e;
	e = http1_read_connection(c, f, &options);
	if (e < 0)
		return e;
	if (r->form == TARGET_AUTHORITY && (r->body == BODY_CHUNKED || r->length > 0))
		return http1_refuse(c, 400, "CONNECT with a body");
	if (r->form == TARGET_AUTHORITY)
		r->body = BODY_NONE;
	r->keep_alive = !options.close && (r->minor == 1 || options.keep_alive);
	return read_wishes(c, f, options.upgrade, r);
}

static int read_head(struct http1_cursor *c, struct http1_request *ret, struct http1_fields *f)
{
	struct authority auth = { 0 };
	struct str target = STR_NONE;
	int r;

	if (c->p < c->end && *c->p == '\r') {
		r = http1_read_crlf(c);
		if (r <= 0)
			return r;
	}
	r = read_method(c, &ret->method);
	if (r <= 0)
		return r;
	r = read_target(c, &target);
	if (r <= 0)
		return r;
	r = read_version(c, &ret->minor);
	if (r <= 0)
		return r;
	r = read_form(c, target, ret, &auth);
	if (r < 0)
		return r;
	r = http1_read_fields(c, f);
	if (r <= 0)
		return r;
	r = read_host(c, f, ret, &auth);
	if (r < 0)
		return r;
	r = read_meaning(c, f, ret);
	return r < 0 ? r : 1;
}

int http1_request_parse(struct str in, struct http1_request *ret, const char **why)
{
	size_t len = in.len < HTTP1_HEAD_MAX ? in.len : HTTP1_HEAD_MAX;
	struct http1_cursor c = { in.p, in.p + len, why };
	struct http1_fields f = { .headers = ret->headers };
	int r;

	if (in.len == 0)
		return 0;
	r = read_head(&c, ret, &f);
	if (r == 0 && len == HTTP1_HEAD_MAX)
		return http1_refuse(&c, 431, "the request head is too long");
	if (r <= 0)
		return r;
	ret->nheaders = f.n;
	ret->head_len = (size_t)(c.p - in.p);
	return 1;
}
