/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strictness of the request reader: one raw head a row, and either the status it is refused with
 * or the one reading it has.  Attack rows N04, N16, N25, N26, N29.
 */
#include "net/http1.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct http1_request req; /* kept between rows: nothing may leak from one to the next */

struct row {
	struct str raw;
	int expect;	     /* 1, 0, or -status */
	const char *reading; /* for 1: see describe() */
};

#define R(raw, expect)                                                                             \
	{                                                                                          \
		STR_LIT(raw), expect, NULL                                                         \
	}
#define OK(raw, reading)                                                                           \
	{                                                                                          \
		STR_LIT(raw), 1, reading                                                           \
	}
#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a.test\r\n"
#define HOST "Host: a.test\r\n"
#define END "\r\n"

static const struct row refused[] = {
	/* the request line */
	R("\0", -400),
	R(" GET / HTTP/1.1\r\n" HOST END, -400),
	R("\tGET / HTTP/1.1\r\n" HOST END, -400),
	R("GET  / HTTP/1.1\r\n" HOST END, -400),
	R("GET\t/ HTTP/1.1\r\n" HOST END, -400),
	R("GET /  HTTP/1.1\r\n" HOST END, -400),
	R("GET /\tHTTP/1.1\r\n" HOST END, -400),
	R("GET / HTTP/1.1 \r\n" HOST END, -400),
	R("GET / HTTP/1.1\t\r\n" HOST END, -400),
	R("GET /\r\n" HOST END, -400),
	R("GET /\n", -400),
	R("GET\r\n", -400),
	R("G@T / HTTP/1.1\r\n" HOST END, -400),
	R("G\0T / HTTP/1.1\r\n" HOST END, -400),
	R("G\x80T / HTTP/1.1\r\n" HOST END, -400),
	R("GET / http/1.1\r\n" HOST END, -400),
	R("GET / HTTP/11\r\n" HOST END, -400),
	R("GET / HTTP/1.1.\r\n" HOST END, -400),
	R("GET / HTTP/1,1\r\n" HOST END, -400),
	R("GET / HTTP/1.x\r\n" HOST END, -400),
	R("GET / HTTP/x.1\r\n" HOST END, -400),
	R("GET / HTTPS/1.1\r\n" HOST END, -400),
	R("GET / HTTP/1.10\r\n" HOST END, -400),
	R("GET / HTTP/0.9\r\n" HOST END, -505),
	R("GET / HTTP/1.2\r\n" HOST END, -505),
	R("GET / HTTP/2.0\r\n" HOST END, -505),
	R("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", -505),
	R("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n" HOST END, -501),
	R("\r\n\r\nGET / HTTP/1.1\r\n" HOST END, -400),
	R("\nGET / HTTP/1.1\r\n" HOST END, -400),
	R("\rGET / HTTP/1.1\r\n" HOST END, -400),
	R("\x16\x03\x01\x02", -400),
	/* line ends and control bytes */
	R("GET / HTTP/1.1\n" HOST END, -400),
	R("GET / HTTP/1.1\r\nHost: a.test\n\r\n", -400),
	R("GET / HTTP/1.1\r\nHost: a.test\r\n\n", -400),
	R("GET / HTTP/1.1\r" HOST END, -400),
	R("GET / HTTP/1.1\r\r\n" HOST END, -400),
	R(GET HOST "X: a\rb\r\n" END, -400),
	R(GET HOST "X: a\nb: c\r\n" END, -400),
	R(GET HOST "X: a\0b\r\n" END, -400),
	R(GET HOST "X: a\x01"
		   "b\r\n" END,
	  -400),
	R(GET HOST "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaa\x1f"
		   "bbbbbbbbbbb\r\n" END,
	  -400),
	R(GET HOST "X: a\x7f"
		   "b\r\n" END,
	  -400),
	R(GET HOST "X: aaaaaaaaa\x7f"
		   "bbbbbbbbbbbbbbbbbb\r\n" END,
	  -400),
	R("GET /a\0b HTTP/1.1\r\n" HOST END, -400),
	R("GET /a\x7f HTTP/1.1\r\n" HOST END, -400),
	R("GET /\x80 HTTP/1.1\r\n" HOST END, -400),
	R("GET /a\x01 HTTP/1.1\r\n" HOST END, -400),
	/* fields */
	R(GET " " HOST END, -400),
	R(GET "\t" HOST END, -400),
	R(GET HOST "X: a\r\n b\r\n" END, -400),
	R(GET HOST "X: a\r\n\tb\r\n" END, -400),
	R(GET HOST "X : a\r\n" END, -400),
	R(GET HOST "X\t: a\r\n" END, -400),
	R(GET HOST ": a\r\n" END, -400),
	R(GET HOST "X\r\n" END, -400),
	R(GET HOST "X a\r\n" END, -400),
	R(GET HOST "X@: a\r\n" END, -400),
	R(GET HOST "X\0: a\r\n" END, -400),
	R(GET HOST "X\x80: a\r\n" END, -400),
	R(GET HOST "\"X\": a\r\n" END, -400),
	R(GET HOST "X(a): a\r\n" END, -400),
	R("GET / HTTP/1.1\r\nHost : a.test\r\n" END, -400),
	/* Host */
	R(GET END, -400),
	R("GET / HTTP/1.0\r\n" END, -400),
	R(GET "Host:\r\n" END, -400),
	R(GET "Host: \t \r\n" END, -400),
	R(GET HOST HOST END, -400),
	R(GET HOST "host: evil.test\r\n" END, -400),
	R(GET "Host: a.test, evil.test\r\n" END, -400),
	R(GET "Host: a.test evil.test\r\n" END, -400),
	R(GET "Host: user@a.test\r\n" END, -400),
	R(GET "Host: user:80@a.test\r\n" END, -400),
	R(GET "Host: a.test/\r\n" END, -400),
	R(GET "Host: a.test:\r\n" END, -400),
	R(GET "Host: :80\r\n" END, -400),
	R(GET "Host: a.test:0\r\n" END, -400),
	R(GET "Host: a.test:080\r\n" END, -400),
	R(GET "Host: a.test:65536\r\n" END, -400),
	R(GET "Host: a.test:123456\r\n" END, -400),
	R(GET "Host: a.test:+80\r\n" END, -400),
	R(GET "Host: a.test:80:80\r\n" END, -400),
	R(GET "Host: a..test\r\n" END, -400),
	R(GET "Host: .a.test\r\n" END, -400),
	R(GET "Host: a.test..\r\n" END, -400),
	R(GET "Host: a.test%00\r\n" END, -400),
	R(GET "Host: a\xc3\xa9.test\r\n" END, -400),
	R(GET "Host: 127.1\r\n" END, -400),
	R(GET "Host: 2130706433\r\n" END, -400),
	R(GET "Host: 0x7f000001\r\n" END, -400),
	R(GET "Host: 0177.0.0.1\r\n" END, -400),
	R(GET "Host: 127.0.0.1%00\r\n" END, -400),
	R(GET "Host: ::1\r\n" END, -400),
	R(GET "Host: [::1\r\n" END, -400),
	R(GET "Host: [::1]80\r\n" END, -400),
	R(GET "Host: [fe80::1%eth0]\r\n" END, -400),
	R(GET "Host: http://a.test\r\n" END, -400),
	/* forms of the target */
	R("GET a.test HTTP/1.1\r\n" HOST END, -400),
	R("GET a.test:80 HTTP/1.1\r\n" HOST END, -400),
	R("GET * HTTP/1.1\r\n" HOST END, -400),
	R("OPTIONS *x HTTP/1.1\r\n" HOST END, -400),
	R("GET ?q HTTP/1.1\r\n" HOST END, -400),
	R("GET /#f HTTP/1.1\r\n" HOST END, -400),
	R("GET /?q#f HTTP/1.1\r\n" HOST END, -400),
	R("GET http://a.test/#f HTTP/1.1\r\n" HOST END, -400),
	R("GET http://evil.test/ HTTP/1.1\r\n" HOST END, -400),
	R("GET http://a.test/ HTTP/1.1\r\nHost: evil.test\r\n" END, -400),
	R("GET http://a.test/ HTTP/1.1\r\nHost: a.test.evil.test\r\n" END, -400),
	R("GET http://a.test:81/ HTTP/1.1\r\n" HOST END, -400),
	R("GET http://a.test/ HTTP/1.1\r\nHost: a.test:81\r\n" END, -400),
	R("GET https://a.test/ HTTP/1.1\r\nHost: a.test:80\r\n" END, -400),
	R("GET http://a.test/ HTTP/1.1\r\n" END, -400),
	R("GET http://u@a.test/ HTTP/1.1\r\n" HOST END, -400),
	R("GET http://u:p@a.test/ HTTP/1.1\r\n" HOST END, -400),
	R("GET http://a.test:80@evil.test/ HTTP/1.1\r\n" HOST END, -400),
	R("GET http://a.test\\@evil.test/ HTTP/1.1\r\n" HOST END, -400),
	R("GET http:///x HTTP/1.1\r\n" HOST END, -400),
	R("GET http:/a.test/ HTTP/1.1\r\n" HOST END, -400),
	R("GET http:a.test/x HTTP/1.1\r\n" HOST END, -400),
	R("GET httpx://a.test/ HTTP/1.1\r\n" HOST END, -400),
	R("GET https:/a.test HTTP/1.1\r\n" HOST END, -400),
	R("GET ftp://a.test/ HTTP/1.1\r\n" HOST END, -400),
	R("GET file:///etc/passwd HTTP/1.1\r\n" HOST END, -400),
	R("GET http://a.test:/ HTTP/1.1\r\n" HOST END, -400),
	R("GET http://127.1/ HTTP/1.1\r\nHost: 127.1\r\n" END, -400),
	R("GET http://a.test/ HTTP/1.1\r\nHost: a@b\r\n" END, -400),
	R("GET http://a.test/ HTTP/1.1\r\nHost: 127.1\r\n" END, -400),
	R("CONNECT / HTTP/1.1\r\n" HOST END, -400),
	R("CONNECT a.test HTTP/1.1\r\n" HOST END, -400),
	R("CONNECT a.test: HTTP/1.1\r\n" HOST END, -400),
	R("CONNECT :443 HTTP/1.1\r\n" HOST END, -400),
	R("CONNECT u@a.test:443 HTTP/1.1\r\n" HOST END, -400),
	R("CONNECT http://a.test:443 HTTP/1.1\r\n" HOST END, -400),
	R("CONNECT a.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n" END, -400),
	R("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:444\r\n" END, -400),
	R("CONNECT a.test:443 HTTP/1.1\r\n" HOST "Content-Length: 5\r\n" END, -400),
	R("CONNECT a.test:443 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" END, -400),
	R("connect a.test:443 HTTP/1.1\r\n" HOST END, -400),
	/* framing */
	R(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" END, -400),
	R(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" END, -400),
	R(POST "Content-Length: 5\r\nContent-Length: 6\r\n" END, -400),
	R(POST "Content-Length: 5\r\nContent-Length: 5\r\n" END, -400),
	R(POST "Content-Length: 5, 5\r\n" END, -400),
	R(POST "Content-Length: 5,5\r\n" END, -400),
	R(POST "Content-Length: +5\r\n" END, -400),
	R(POST "Content-Length: -5\r\n" END, -400),
	R(POST "Content-Length: 0x5\r\n" END, -400),
	R(POST "Content-Length: 05\r\n" END, -400),
	R(POST "Content-Length: 5 5\r\n" END, -400),
	R(POST "Content-Length: 5.0\r\n" END, -400),
	R(POST "Content-Length: 5a\r\n" END, -400),
	R(POST "Content-Length: \"5\"\r\n" END, -400),
	R(POST "Content-Length:\r\n" END, -400),
	R(POST "Content-Length : 5\r\n" END, -400),
	R(POST "Content-Length: 9223372036854775808\r\n" END, -400),
	R(POST "Content-Length: 18446744073709551621\r\n" END, -400),
	R(POST "Transfer-Encoding: chunked, chunked\r\n" END, -400),
	R(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END, -400),
	R(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n" END, -400),
	R(POST "Transfer-Encoding: gzip, chunked\r\n" END, -400),
	R(POST "Transfer-Encoding: chunked, identity\r\n" END, -400),
	R(POST "Transfer-Encoding: chunked;q=1\r\n" END, -400),
	R(POST "Transfer-Encoding: \"chunked\"\r\n" END, -400),
	R(POST "Transfer-Encoding:\r\n" END, -400),
	R(POST "Transfer-Encoding: \x0b"
	       "chunked\r\n" END,
	  -400),
	R(POST "Transfer-Encoding: chunked\x80\r\n" END, -400),
	R(POST "Transfer-Encoding : chunked\r\n" END, -400),
	R(POST "Transfer-Encoding\r\n: chunked\r\n" END, -400),
	R(POST "Transfer-Encoding:\r\n chunked\r\n" END, -400),
	R(POST "Transfer-Encoding: xchunked\r\n" END, -501),
	R(POST "Transfer-Encoding: identity\r\n" END, -501),
	R(POST "Transfer-Encoding: gzip\r\n" END, -501),
	R("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n" END, -400),
	/* connection options and expectations */
	R(GET HOST "Connection: host\r\n" END, -400),
	R(GET HOST "Connection: close, Content-Length\r\n" END, -400),
	R(GET HOST "Connection: close\r\nConnection: transfer-encoding\r\n" END, -400),
	R(GET HOST "Connection: a b\r\n" END, -400),
	R(GET HOST "Upgrade: a\r\nUpgrade: b\r\nConnection: upgrade\r\n" END, -400),
	R(POST "Expect: 100-continue\r\nExpect: 100-continue\r\n" END, -400),
	R(POST "Expect: evil\r\n" END, -417),
	R(POST "Expect: 100-continue, x\r\n" END, -417),
};

static const struct row read_as[] = {
	OK(GET HOST END, "GET origin http a.test:0 / none keep"),
	OK("\r\n" GET HOST END, "GET origin http a.test:0 / none keep"),
	OK(GET "hOsT:A.Test.:8080\t \r\n" END, "GET origin http a.test:8080 / none keep"),
	OK(GET "Host: [::1]:1\r\n" END, "GET origin http ::1:1 / none keep"),
	OK(GET "Host: [::ffff:127.0.0.1]\r\n" END, "GET origin http 127.0.0.1:0 / none keep"),
	OK("GET /a/b?x=/y?z HTTP/1.1\r\n" HOST END,
	   "GET origin http a.test:0 /a/b?x=/y?z none keep"),
	OK("GET /? HTTP/1.1\r\n" HOST END, "GET origin http a.test:0 /? none keep"),
	OK("GET //x HTTP/1.1\r\n" HOST END, "GET origin http a.test:0 //x none keep"),
	OK("GET /{\"a\"}|^`\\ HTTP/1.1\r\n" HOST END,
	   "GET origin http a.test:0 /{\"a\"}|^`\\ none keep"),
	OK("get / HTTP/1.1\r\n" HOST END, "get origin http a.test:0 / none keep"),
	OK("GET / HTTP/1.0\r\n" HOST END, "GET origin http a.test:0 / none close"),
	OK("GET / HTTP/1.0\r\n" HOST "Connection: Keep-Alive\r\n" END,
	   "GET origin http a.test:0 / none keep"),
	OK(GET HOST "Connection: Close\r\n" END, "GET origin http a.test:0 / none close"),
	OK(GET HOST "Connection: ,x-a , CLOSE,\r\n" END, "GET origin http a.test:0 / none close"),
	OK(GET HOST "Connection: keep-alive\r\nX: y\r\nConnection: close\r\n" END,
	   "GET origin http a.test:0 / none close"),
	OK(GET HOST "Proxy-Connection: close\r\n" END, "GET origin http a.test:0 / none keep"),
	OK("GET http://a.test HTTP/1.1\r\n" HOST END, "GET absolute http a.test:0 / none keep"),
	OK("GET HTTP://A.TEST./x HTTP/1.1\r\n" HOST END, "GET absolute http a.test:0 /x none keep"),
	OK("GET http://a.test?q HTTP/1.1\r\n" HOST END, "GET absolute http a.test:0 /?q none keep"),
	OK("GET http://a.test:80/ HTTP/1.1\r\n" HOST END,
	   "GET absolute http a.test:80 / none keep"),
	OK("GET https://a.test:443/ HTTP/1.1\r\n" HOST END,
	   "GET absolute https a.test:443 / none keep"),
	OK("GET httpS://a.test/ HTTP/1.1\r\nHost: a.test:443\r\n" END,
	   "GET absolute https a.test:0 / none keep"),
	OK("GET http://a.test/ HTTP/1.0\r\n" END, "GET absolute http a.test:0 / none close"),
	OK("GET http://[::1]:8/x HTTP/1.1\r\nHost: [0:0::1]:8\r\n" END,
	   "GET absolute http ::1:8 /x none keep"),
	OK("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n" END,
	   "CONNECT authority http a.test:443  none keep"),
	OK("CONNECT a.test:443 HTTP/1.1\r\n" HOST "Content-Length: 0\r\n" END,
	   "CONNECT authority http a.test:443  none keep"),
	OK("CONNECT [::1]:22 HTTP/1.0\r\n" END, "CONNECT authority http ::1:22  none close"),
	OK("OPTIONS * HTTP/1.1\r\n" HOST END, "OPTIONS asterisk http a.test:0 * none keep"),
	OK(POST "Content-Length: 0\r\n" END, "POST origin http a.test:0 / length=0 keep"),
	OK(POST "content-length:\t5 \r\n" END, "POST origin http a.test:0 / length=5 keep"),
	OK(POST "Content-Length: 9223372036854775807\r\n" END,
	   "POST origin http a.test:0 / length=9223372036854775807 keep"),
	OK(POST "TRANSFER-ENCODING: Chunked\r\n" END, "POST origin http a.test:0 / chunked keep"),
	OK(GET HOST "Content-Length: 3\r\n" END "abc", "GET origin http a.test:0 / length=3 keep"),
	OK(POST "Expect: 100-Continue\r\nContent-Length: 1\r\n" END,
	   "POST origin http a.test:0 / length=1 keep continue"),
	OK("POST / HTTP/1.0\r\n" HOST "Expect: evil\r\n" END,
	   "POST origin http a.test:0 / none close"),
	OK(GET HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n" END,
	   "GET origin http a.test:0 / none keep upgrade=websocket"),
	OK(GET HOST "Upgrade: websocket\r\n" END, "GET origin http a.test:0 / none keep"),
	OK(GET HOST "Connection: upgrade\r\n" END, "GET origin http a.test:0 / none keep"),
	OK("GET / HTTP/1.0\r\n" HOST "Connection: upgrade\r\nUpgrade: h2c\r\n" END,
	   "GET origin http a.test:0 / none close"),
	OK(GET HOST "X-Opaque: \xc3\xa9\ta\x80\xff aaaaaaaaaaaaaaaa\ta\r\nEmpty:\r\n" END,
	   "GET origin http a.test:0 / none keep"),
	OK("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n" HOST END,
	   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA origin http a.test:0 / none keep"),
};

static const char *describe(const struct http1_request *r)
{
	static const char *const forms[] = { "origin", "absolute", "authority", "asterisk" };
	static char text[512];
	char body[32] = "none", upgrade[64] = "";

	if (r->body == BODY_CHUNKED)
		snprintf(body, sizeof body, "chunked");
	if (r->body == BODY_LENGTH)
		snprintf(body, sizeof body, "length=%llu", (unsigned long long)r->length);
	if (r->upgrade.len)
		snprintf(upgrade, sizeof upgrade, " upgrade=%.*s", STR_FMT(r->upgrade));
	snprintf(text, sizeof text, "%.*s %s %s %s:%u %.*s%s%.*s %s %s%s%s", STR_FMT(r->method),
		 forms[r->form], r->https ? "https" : "http", r->host.text, r->port,
		 STR_FMT(r->path), r->has_query ? "?" : "", STR_FMT(r->query), body,
		 r->keep_alive ? "keep" : "close", r->expect_continue ? " continue" : "", upgrade);
	return text;
}

/* The parser gets exactly the bytes: a sanitizer sees any look beyond them. */
static int parse(struct str raw, const char **why)
{
	char *copy = malloc(raw.len ? raw.len : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, raw.p, raw.len);
	r = http1_request_parse((struct str){ copy, raw.len }, &req, why);
	free(copy);
	return r;
}

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		const char *why = NULL;
		int r = parse(refused[i].raw, &why);

		if (r != refused[i].expect || !why)
			fail_msg("row %zu \"%.*s\": expected %d, got %d (%s)", i,
				 STR_FMT(refused[i].raw), refused[i].expect, r, why ? why : "-");
		assert_int_equal(http1_request_parse(refused[i].raw, &req, NULL), r);
	}
}

static void test_readings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(read_as); i++) {
		struct str raw = read_as[i].raw;
		const char *why = "-";
		size_t head_len;
		int r = http1_request_parse(raw, &req, &why);

		if (r != 1 || strcmp(describe(&req), read_as[i].reading) != 0)
			fail_msg("row %zu \"%.*s\": %d (%s)\nexpected %s\ngot      %s", i,
				 STR_FMT(raw), r, why, read_as[i].reading, describe(&req));
		/* Every beginning of it wants more, and the end is found exactly. */
		head_len = req.head_len;
		assert_int_equal(memcmp(raw.p + head_len - 4, "\r\n\r\n", 4), 0);
		for (size_t n = 0; n < head_len; n++)
			assert_int_equal(parse((struct str){ raw.p, n }, NULL), 0);
	}
}

static void test_fields(void **state)
{
	struct str raw = STR_LIT(GET HOST "X-A: one \r\nx-a:\ttwo\r\nE:\r\n" END "rest");
	const struct http1_header *h;

	(void)state;
	assert_int_equal(http1_request_parse(raw, &req, NULL), 1);
	assert_int_equal(req.nheaders, 4);
	assert_int_equal(req.head_len, raw.len - 4);
	h = http1_find(req.headers, req.nheaders, STR_LIT("X-a"));
	assert_non_null(h);
	assert_true(str_eq(h->value, STR_LIT("one")));
	assert_true(str_eq(req.headers[2].value, STR_LIT("two")));
	assert_int_equal(req.headers[3].value.len, 0);
	assert_null(http1_find(req.headers, req.nheaders, STR_LIT("x-b")));
}

static void test_hop_by_hop(void **state)
{
	static const struct {
		const char *name;
		bool hop;
	} rows[] = {
		{ "Connection", true },
		{ "Keep-Alive", true },
		{ "TE", true },
		{ "Upgrade", true },
		{ "te", true },
		{ "Proxy-Authorization", true },
		{ "Proxy-Anything", true },
		{ "X-Named", true },
		{ "x-second", true },
		{ "Transfer-Encoding", true },
		{ "Host", false },
		{ "Proxy-", false },
		{ "Proxy", false },
		{ "X-Other", false },
		{ "Trailer", false },
		{ "Authorization", false },
	};
	struct http1_header all[ARRAY_LEN(rows) + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		all[i] = (struct http1_header){ str_from(rows[i].name), STR_LIT("close, x-named") };
	all[ARRAY_LEN(rows)] = (struct http1_header){ STR_LIT("connection"), STR_LIT("X-Second") };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (http1_hop_by_hop(all, ARRAY_LEN(all), &all[i]) != rows[i].hop)
			fail_msg("%s: expected hop-by-hop %d", rows[i].name, rows[i].hop);
}

/* `head`, then `n` times `unit`, then `tail`. */
static int parse_repeated(const char *head, const char *unit, size_t n, const char *tail)
{
	struct buf b = BUF_INIT(1 << 20);
	int r;

	assert_int_equal(buf_append_str(&b, str_from(head)), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_append_str(&b, str_from(unit)), 0);
	assert_int_equal(buf_append_str(&b, str_from(tail)), 0);
	r = http1_request_parse(buf_str(&b), &req, NULL);
	buf_done(&b);
	return r;
}

static void test_limits(void **state)
{
	static const char rest[] = " HTTP/1.1\r\n" HOST END;

	(void)state;
	assert_int_equal(parse_repeated("GET /", "a", HTTP1_TARGET_MAX - 1, rest), 1);
	assert_int_equal(parse_repeated("GET /", "a", HTTP1_TARGET_MAX, rest), -414);
	assert_int_equal(parse_repeated("GET /", "a", HTTP1_TARGET_MAX, ""), -414);
	assert_int_equal(parse_repeated("GET /", "a", 2 * HTTP1_HEAD_MAX, ""), -414);
	assert_int_equal(parse_repeated(GET HOST, "a: b\r\n", HTTP1_HEADERS_MAX - 1, END), 1);
	assert_int_equal(parse_repeated(GET HOST, "a: b\r\n", HTTP1_HEADERS_MAX, END), -431);
	/* As many as may be, and the end of the head comes later. */
	assert_int_equal(parse_repeated(GET HOST, "a: b\r\n", HTTP1_HEADERS_MAX - 1, ""), 0);
	assert_int_equal(parse_repeated(GET HOST, "a: b\r\n", HTTP1_HEADERS_MAX - 1, "\r"), 0);
	assert_int_equal(parse_repeated(GET HOST, "a: b\r\n", HTTP1_HEADERS_MAX - 1, "a"), -431);
	assert_int_equal(parse_repeated("GET /", "a", HTTP1_TARGET_MAX - 1, ""), 0);
	assert_int_equal(parse_repeated(GET HOST "a: ", "b", HTTP1_HEAD_MAX, ""), -431);
	assert_int_equal(parse_repeated(GET HOST "a: ", "b", 10, ""), 0);
	assert_int_equal(parse_repeated(GET HOST "a: ", "b", HTTP1_HEAD_MAX - 37, "\r\n" END), 1);
	assert_int_equal(parse_repeated(GET HOST "a: ", "b", HTTP1_HEAD_MAX - 36, "\r\n" END),
			 -431);
	assert_int_equal(parse_repeated(GET HOST, "Host: a.test\r\n", 99, END), -400);
}

/* A large head's leftovers never show in the small one after it. */
static void test_nothing_left_over(void **state)
{
	struct str big = STR_LIT("POST https://b.test:7/?q HTTP/1.1\r\nHost: b.test:7\r\n"
				 "Content-Length: 7\r\nExpect: 100-continue\r\n"
				 "Connection: upgrade\r\nUpgrade: x\r\n" END);

	(void)state;
	assert_int_equal(http1_request_parse(big, &req, NULL), 1);
	assert_int_equal(http1_request_parse(STR_LIT(GET HOST END), &req, NULL), 1);
	assert_string_equal(describe(&req), "GET origin http a.test:0 / none keep");
	assert_int_equal(req.nheaders, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused), cmocka_unit_test(test_readings),
		cmocka_unit_test(test_fields),	cmocka_unit_test(test_hop_by_hop),
		cmocka_unit_test(test_limits),	cmocka_unit_test(test_nothing_left_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
