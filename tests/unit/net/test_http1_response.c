/* SPDX-License-Identifier: Apache-2.0 */
/* The response reader: what real servers send, and what no server should. */
#include "net/http1.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct http1_response resp;

#define OKLINE "HTTP/1.1 200 OK\r\n"
#define END "\r\n"

enum { PLAIN, HEAD, CONNECT };

static const struct {
	struct str raw;
	int to;
	const char *reading; /* NULL: -502 */
} rows[] = {
	{ STR_LIT("H2"), PLAIN, NULL },
	{ STR_LIT("\0"), PLAIN, NULL },
	{ STR_LIT("ICY 200 OK\r\n\r\n"), PLAIN, NULL },
	{ STR_LIT("http/1.1 200 OK\r\n\r\n"), PLAIN, NULL },
	{ STR_LIT("HTTP/2.0 200 OK\r\n\r\n"), PLAIN, NULL },
	{ STR_LIT("HTTP/1.2 200 OK\r\n\r\n"), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1  200 OK\r\n\r\n"), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1\t200 OK\r\n\r\n"), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1 20 OK\r\n\r\n"), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1 x00 OK\r\n\r\n"), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1 2x0 OK\r\n\r\n"), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1 2000 OK\r\n\r\n"), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1 099 OK\r\n\r\n"), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1 600 OK\r\n\r\n"), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1 +20 OK\r\n\r\n"), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1 200 O\0K\r\n\r\n"), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1 200 O\rK\r\n\r\n"), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1 200 OK\n\n"), PLAIN, NULL },
	{ STR_LIT("\r\nHTTP/1.1 200 OK\r\n\r\n"), PLAIN, NULL },
	{ STR_LIT(OKLINE "A: b\n\r\n"), PLAIN, NULL },
	{ STR_LIT(OKLINE " A: b\r\n" END), PLAIN, NULL },
	{ STR_LIT(OKLINE "A : b\r\n" END), PLAIN, NULL },
	{ STR_LIT(OKLINE "A: b\r\n c\r\n" END), PLAIN, NULL },
	{ STR_LIT(OKLINE "A: b\0\r\n" END), PLAIN, NULL },
	{ STR_LIT(OKLINE "A: b\rc\r\n" END), PLAIN, NULL },
	{ STR_LIT(OKLINE "Content-Length: 1\r\nContent-Length: 1\r\n" END), PLAIN, NULL },
	{ STR_LIT(OKLINE "Content-Length: 1, 1\r\n" END), PLAIN, NULL },
	{ STR_LIT(OKLINE "Content-Length: +1\r\n" END), PLAIN, NULL },
	{ STR_LIT(OKLINE "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n" END), PLAIN, NULL },
	{ STR_LIT(OKLINE "Transfer-Encoding: chunked, chunked\r\n" END), PLAIN, NULL },
	{ STR_LIT(OKLINE "Transfer-Encoding: gzip\r\n" END), PLAIN, NULL },
	{ STR_LIT(OKLINE "Transfer-Encoding: xchunked\r\n" END), HEAD, NULL },
	{ STR_LIT("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n" END), PLAIN, NULL },
	{ STR_LIT(OKLINE "Connection: content-length\r\n" END), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1 204 No\r\nContent-Length: 1\r\n" END), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n" END), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1 100 Go\r\nTransfer-Encoding: chunked\r\n" END), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1 100 Go\r\nContent-Length: 5\r\n" END), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1 101 Go\r\n" END), PLAIN, NULL },
	{ STR_LIT("HTTP/1.1 101 Go\r\nUpgrade: a\r\nUpgrade: b\r\n" END), PLAIN, NULL },

	{ STR_LIT(OKLINE END), PLAIN, "200 'OK' until-close close" },
	{ STR_LIT(OKLINE "Content-Length: 5\r\n" END "hello"), PLAIN, "200 'OK' length=5 keep" },
	{ STR_LIT(OKLINE "Content-Length: 0\r\n" END), PLAIN, "200 'OK' length=0 keep" },
	{ STR_LIT(OKLINE "Transfer-Encoding: chunked\r\n" END), PLAIN, "200 'OK' chunked keep" },
	{ STR_LIT(OKLINE "Content-Length: 5\r\nConnection: close\r\n" END), PLAIN,
	  "200 'OK' length=5 close" },
	{ STR_LIT("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n" END), PLAIN,
	  "200 'OK' length=5 close" },
	{ STR_LIT("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n" END), PLAIN,
	  "200 'OK' length=5 keep" },
	{ STR_LIT("HTTP/1.1 200 \r\nContent-Length: 0\r\n" END), PLAIN, "200 '' length=0 keep" },
	{ STR_LIT("HTTP/1.1 200\r\nContent-Length: 0\r\n" END), PLAIN, "200 '' length=0 keep" },
	{ STR_LIT("HTTP/1.1 404 Pas trouv\xe9\r\nContent-Length: 0\r\n" END), PLAIN,
	  "404 'Pas trouv\xe9' length=0 keep" },
	{ STR_LIT(OKLINE "Content-Length: 5\r\n" END), HEAD, "200 'OK' none keep" },
	{ STR_LIT(OKLINE "Transfer-Encoding: chunked\r\n" END), HEAD, "200 'OK' none keep" },
	{ STR_LIT(OKLINE END), HEAD, "200 'OK' none keep" },
	{ STR_LIT("HTTP/1.1 204 No\r\n" END), PLAIN, "204 'No' none keep" },
	{ STR_LIT("HTTP/1.1 204 No\r\nContent-Length: 0\r\n" END), PLAIN, "204 'No' none keep" },
	{ STR_LIT("HTTP/1.1 304 Same\r\nContent-Length: 99\r\n" END), PLAIN,
	  "304 'Same' none keep" },
	{ STR_LIT("HTTP/1.1 100 Continue\r\n" END), PLAIN, "100 'Continue' none keep" },
	{ STR_LIT("HTTP/1.1 103 Hints\r\nLink: x\r\n" END), PLAIN, "103 'Hints' none keep" },
	{ STR_LIT("HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: upgrade\r\n" END), PLAIN,
	  "101 'Go' upgrade close" },
	{ STR_LIT(OKLINE END), CONNECT, "200 'OK' upgrade close" },
	{ STR_LIT(OKLINE "Content-Length: 5\r\n" END), CONNECT, "200 'OK' upgrade close" },
	{ STR_LIT("HTTP/1.1 403 No\r\nContent-Length: 5\r\n" END), CONNECT,
	  "403 'No' length=5 keep" },
};

static const char *describe(const struct http1_response *r)
{
	static const char *const bodies[] = { "none", "length", "chunked", "until-close",
					      "upgrade" };
	static char text[256];
	char length[32] = "";

	if (r->body == BODY_LENGTH)
		snprintf(length, sizeof length, "=%llu", (unsigned long long)r->length);
	snprintf(text, sizeof text, "%u '%.*s' %s%s %s", r->status, STR_FMT(r->reason),
		 bodies[r->body], length, r->keep_alive ? "keep" : "close");
	return text;
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str raw = rows[i].raw;
		bool head = rows[i].to == HEAD, connect = rows[i].to == CONNECT;
		const char *why = NULL;
		int r = http1_response_parse(raw, head, connect, &resp, &why);

		if (!rows[i].reading) {
			if (r != -502 || !why)
				fail_msg("row %zu \"%.*s\": expected -502, got %d", i, STR_FMT(raw),
					 r);
			continue;
		}
		if (r != 1 || strcmp(describe(&resp), rows[i].reading) != 0)
			fail_msg("row %zu \"%.*s\": %d %s\nexpected %s\ngot      %s", i,
				 STR_FMT(raw), r, why ? why : "-", rows[i].reading,
				 describe(&resp));
		for (size_t n = 0; n < resp.head_len; n++)
			assert_int_equal(http1_response_parse((struct str){ raw.p, n }, head,
							      connect, &resp, NULL),
					 0);
	}
}

static void test_limits(void **state)
{
	struct buf b = BUF_INIT(1 << 20);

	(void)state;
	assert_int_equal(buf_append_str(&b, STR_LIT(OKLINE "A: ")), 0);
	while (buf_len(&b) < HTTP1_HEAD_MAX)
		assert_int_equal(buf_append_c(&b, 'a'), 0);
	assert_int_equal(http1_response_parse(buf_str(&b), false, false, &resp, NULL), -502);
	buf_clear(&b);
	assert_int_equal(buf_append_str(&b, STR_LIT(OKLINE)), 0);
	for (unsigned i = 0; i < HTTP1_HEADERS_MAX; i++)
		assert_int_equal(buf_append_str(&b, STR_LIT("A: b\r\n")), 0);
	/* As many as may be, and the end of the head comes later. */
	assert_int_equal(http1_response_parse(buf_str(&b), false, false, &resp, NULL), 0);
	assert_int_equal(buf_append_str(&b, STR_LIT("A: b\r\n")), 0);
	assert_int_equal(http1_response_parse(buf_str(&b), false, false, &resp, NULL), -502);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
