/* SPDX-License-Identifier: Apache-2.0 */
/* The front role from outside: a real process, real sockets, the attack rows in its own words. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

#include "base/own.h"
#include "os/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct rig rig;
static char out[262144];

static int setup(void **state)
{
	(void)state;
	rig_start(&rig);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(rig_stop(&rig), 0);
	return 0;
}

static void has(const char *want)
{
	if (!strstr(out, want))
		fail_msg("expected \"%s\" in: %s", want, out);
}

static void has_not(const char *unwanted)
{
	if (strstr(out, unwanted))
		fail_msg("unexpected \"%s\" in: %s", unwanted, out);
}

static void is_record(const struct audit_record *r, const char *verdict, const char *host,
		      const char *reason)
{
	if (!str_eq(r->verdict, str_from(verdict)) || !str_eq(r->host, str_from(host)) ||
	    !str_eq(r->reason, str_from(reason)))
		fail_msg("record is %.*s %.*s %.*s, expected %s %s %s", STR_FMT(r->verdict),
			 STR_FMT(r->host), STR_FMT(r->reason), verdict, host, reason);
}

#define GET(url, host) "GET " url " HTTP/1.1\r\nHost: " host "\r\nConnection: close\r\n\r\n"

/* ---- requests that must not pass ---- */

static void refused_requests(void **state)
{
	static const struct {
		const char *what, *text, *status, *reason;
	} t[] = {
		{ "no rule", GET("http://evil.test/", "evil.test"), "403", "no-rule" },
		{ "deny rule", GET("http://denied.test/", "denied.test"), "403", "deny-rule" },
		{ "N04 Host differs", GET("http://allowed.test/", "evil.test"), "400",
		  "bad-input" },
		{ "port", GET("http://allowed.test:81/", "allowed.test:81"), "403", "port" },
		{ "literal", GET("http://127.0.0.1/", "127.0.0.1"), "403", "address-literal" },
		{ "path rule", GET("http://api.test/v2/x", "api.test"), "403", "path" },
		{ "N30 dots", GET("http://api.test/v1/../v2/x", "api.test"), "403", "path" },
		{ "N30 %2e", GET("http://api.test/v1/%2e%2e/v2/x", "api.test"), "403", "path" },
		{ "N30 %2f", GET("http://api.test/v1/a%2fb", "api.test"), "403", "ambiguous-path" },
		{ "N30 //", GET("http://api.test/v1//b", "api.test"), "403", "ambiguous-path" },
		{ "N30 ;", GET("http://api.test/v1/b;v=1", "api.test"), "403", "ambiguous-path" },
		{ "N30 %252e", GET("http://api.test/v1/%252e%252e/", "api.test"), "403",
		  "ambiguous-path" },
		{ "N30 backslash", GET("http://api.test/v1/\\..\\", "api.test"), "403",
		  "ambiguous-path" },
		{ "N25 CL+TE",
		  "POST http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\nContent-Length: "
		  "3\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		  "400", "bad-input" },
		{ "N25 two CL",
		  "POST http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\nContent-Length: "
		  "3\r\n"
		  "Content-Length: 3\r\n\r\nabc",
		  "400", "bad-input" },
		{ "N25 space before colon",
		  "POST http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\n"
		  "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		  "400", "bad-input" },
		{ "N25 bare LF", "GET http://allowed.test/ HTTP/1.1\nHost: allowed.test\n\n", "400",
		  "bad-input" },
		{ "N25 obs-fold",
		  "GET http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\nX: a\r\n b\r\n\r\n",
		  "400", "bad-input" },
		{ "CONNECT no rule",
		  "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n", "403",
		  "no-rule" },
		{ "N35 CONNECT other port",
		  "CONNECT allowed.test:22 HTTP/1.1\r\nHost: allowed.test:22\r\n\r\n", "403",
		  "port" },
		{ "N10 DNS over TCP",
		  "CONNECT allowed.test:53 HTTP/1.1\r\nHost: allowed.test:53\r\n\r\n", "403",
		  "port" },
		{ "N10 DoT", "CONNECT allowed.test:853 HTTP/1.1\r\nHost: allowed.test:853\r\n\r\n",
		  "403", "port" },
		{ "N10 DoH by address", "CONNECT 1.1.1.1:443 HTTP/1.1\r\nHost: 1.1.1.1:443\r\n\r\n",
		  "403", "address-literal" },
		{ "needs request", "CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n",
		  "403", "needs-request" },
		{ "back refuses", GET("http://dead.test/", "dead.test"), "504", "upstream" },
		{ "back refuses CONNECT",
		  "CONNECT dead.test:443 HTTP/1.1\r\nHost: dead.test:443\r\n\r\n", "504",
		  "upstream" },
		{ "HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505", "bad-input" },
	};
	char line[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		print_message("  %s\n", t[i].what);
		rig_talk(rig.proxy, t[i].text, out, sizeof out);
		snprintf(line, sizeof line, "HTTP/1.1 %s ", t[i].status);
		if (strncmp(out, line, strlen(line)) != 0)
			fail_msg("%s: expected %s, got: %s", t[i].what, line, out);
		snprintf(line, sizeof line, "X-Stockade-Reason: %s\r\n", t[i].reason);
		has(line);
	}
	rig_no_record(&rig, "allow");
}

/* The head was allowed and may have left; the body ends there. */
static void chunk_extension(void **state)
{
	struct audit_record r;

	(void)state;
	rig_talk(rig.proxy,
		 "POST http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n",
		 out, sizeof out);
	has("HTTP/1.1 400 ");
	has("Connection: close\r\n");
	rig_record(&rig, AUDIT_BAD_INPUT, &r);
}

static void refusal_helps(void **state)
{
	struct audit_record r;

	(void)state;
	rig_talk(rig.proxy, GET("http://api.test/v2/x?secret=1", "api.test"), out, sizeof out);
	has("destination: api.test:80\n");
	has("request: GET /v2/x\n");
	has("rule: test.yaml:4: allow (test rule)\n");
	has("stockade policy explain --connect api.test:80\n");
	has_not("To allow it"); /* a line for host and port would allow every path */
	rig_record(&rig, AUDIT_REQUEST, &r);
	is_record(&r, "deny", "api.test", "path");
	assert_true(str_eq(r.path, STR_LIT("/v2/x")));
	assert_true(str_eq(r.rule, STR_LIT("test.yaml:4")));
	assert_int_equal(r.status, 403);
	rig_talk(rig.proxy,
		 "GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n"
		 "Accept: application/json, text/plain\r\nConnection: close\r\n\r\n",
		 out, sizeof out);
	has("Content-Type: application/json\r\n");
	has("\"reason\":\"no-rule\"");
	has("\"host\":\"evil.test\"");
	rig_talk(rig.proxy, "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n", out,
		 sizeof out);
	has("HTTP/1.1 403 stockade: no-rule\r\n");
	has("- \"evil.test:443\"\n");
}

/* ---- requests that must pass ---- */

static void forwards(void **state)
{
	struct audit_record r;

	(void)state;
	rig_talk(rig.proxy,
		 "GET http://ALLOWED.test./a/./b/%7ex?q=1 HTTP/1.1\r\nHost: allowed.test\r\n"
		 "Proxy-Authorization: Basic c2VjcmV0\r\nProxy-Connection: keep-alive\r\n"
		 "Connection: close, x-hop\r\nX-Hop: 1\r\nUpgrade: websocket\r\nX-End: 2\r\n\r\n",
		 out, sizeof out);
	has("HTTP/1.1 200 OK\r\n");
	has("X-Up: yes\r\n");
	has("Connection: close\r\n");
	has_not("Keep-Alive:");
	has("\r\n\r\nGET /a/b/~x?q=1 HTTP/1.1\r\nHost: allowed.test\r\nX-End: 2\r\n\r\n");
	has_not("X-Hop");
	has_not("Proxy-");
	has_not("Upgrade:");
	rig_record(&rig, AUDIT_REQUEST, &r);
	is_record(&r, "allow", "allowed.test", "");
	assert_true(str_eq(r.path, STR_LIT("/a/b/~x")));
	assert_true(str_eq(r.method, STR_LIT("GET")));
}

static void keep_alive_decides_again(void **state)
{
	int fd = rig_connect(rig.proxy);

	(void)state;
	rig_send(fd, "GET http://allowed.test/1 HTTP/1.1\r\nHost: allowed.test\r\n\r\n");
	rig_read_until(fd, out, sizeof out, "GET /1 HTTP/1.1\r\nHost: allowed.test\r\n\r\n");
	rig_send(fd, "GET http://evil.test/2 HTTP/1.1\r\nHost: evil.test\r\n\r\n");
	rig_read_until(fd, out, sizeof out, "- \"evil.test:80\"\n");
	has("HTTP/1.1 403 ");
	has_not("Connection: close");
	rig_send(fd, "GET http://allowed.test/3 HTTP/1.1\r\nHost: allowed.test\r\n\r\n");
	rig_read_until(fd, out, sizeof out, "GET /3 HTTP/1.1\r\nHost: allowed.test\r\n\r\n");
	close(fd);
}

static void pipelined_and_smuggled(void **state)
{
	(void)state;
	/* The second request stands where a careless reader would still see the first one's body.
	 */
	rig_talk(
	    rig.proxy,
	    "POST http://allowed.test/1 HTTP/1.1\r\nHost: allowed.test\r\nContent-Length: 3\r\n"
	    "\r\nabcGET http://evil.test/2 HTTP/1.1\r\nHost: evil.test\r\n\r\n"
	    "GET http://allowed.test/3 HTTP/1.1\r\nHost: allowed.test\r\n"
	    "Connection: close\r\n\r\n",
	    out, sizeof out);
	has("POST /1 HTTP/1.1\r\nHost: allowed.test\r\nContent-Length: 3\r\n\r\nabc");
	has("X-Stockade-Reason: no-rule");
	has("GET /3 HTTP/1.1\r\n");
	has_not("GET /2 HTTP/1.1\r\nHost: evil.test");
}

static void bodies(void **state)
{
	(void)state;
	rig_talk(rig.proxy,
		 "POST http://allowed.test/c HTTP/1.1\r\nHost: allowed.test\r\n"
		 "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
		 "3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Trailer: 1\r\n\r\n",
		 out, sizeof out);
	has("POST /c HTTP/1.1\r\nHost: allowed.test\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
	has_not("X-Trailer");
	rig_talk(rig.proxy, GET("http://allowed.test/chunked", "allowed.test"), out, sizeof out);
	has("Transfer-Encoding: chunked\r\n");
	has("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
	rig_talk(rig.proxy, "GET http://allowed.test/chunked HTTP/1.0\r\n\r\n", out, sizeof out);
	has("\r\n\r\nhello world");
	has_not("chunked");
	rig_talk(rig.proxy, GET("http://allowed.test/until-close", "allowed.test"), out,
		 sizeof out);
	has("\r\n\r\nall of it");
	rig_talk(rig.proxy, GET("http://allowed.test/none", "allowed.test"), out, sizeof out);
	has("HTTP/1.1 204 No Content\r\n");
	rig_talk(
	    rig.proxy,
	    "HEAD http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\nConnection: close\r\n\r\n",
	    out, sizeof out);
	has("Content-Length: 1234\r\n");
}

static void large_body(void **state)
{
	int fd = rig_connect(rig.proxy);
	char head[256];

	(void)state;
	snprintf(
	    head, sizeof head,
	    "POST http://allowed.test/l HTTP/1.1\r\nHost: allowed.test\r\nContent-Length: 7000\r\n"
	    "Connection: close\r\n\r\n");
	rig_send(fd, head);
	for (int i = 0; i < 70; i++) {
		char block[100];

		memset(block, 'a' + i % 26, sizeof block);
		rig_send_bytes(fd, block, sizeof block);
		if (i % 10 == 0)
			usleep(2000);
	}
	assert_true(rig_read_all(fd, out, sizeof out) > 7000);
	has("aaaa");
	close(fd);
}

static void expect_continue(void **state)
{
	int fd = rig_connect(rig.proxy);

	(void)state;
	rig_send(
	    fd, "POST http://allowed.test/e HTTP/1.1\r\nHost: allowed.test\r\nContent-Length: 2\r\n"
		"Expect: 100-continue\r\nConnection: close\r\n\r\n");
	rig_read_until(fd, out, sizeof out, "HTTP/1.1 100 Continue\r\n\r\n");
	rig_send(fd, "ok");
	rig_read_all(fd, out, sizeof out);
	has("\r\n\r\nok");
	close(fd);
}

static void bad_upstreams(void **state)
{
	(void)state;
	/* N29: nothing after a 101 that nobody asked for. */
	rig_talk(rig.proxy, GET("http://allowed.test/upgrade", "allowed.test"), out, sizeof out);
	has("HTTP/1.1 502 ");
	has_not("secret bytes");
	rig_talk(rig.proxy, GET("http://allowed.test/malformed", "allowed.test"), out, sizeof out);
	has("HTTP/1.1 502 ");
	rig_talk(rig.proxy, GET("http://allowed.test/cut", "allowed.test"), out, sizeof out);
	has("Content-Length: 100\r\n");
	has("only this");
	rig_talk(rig.proxy, GET("http://allowed.test/extra", "allowed.test"), out, sizeof out);
	has("\r\n\r\nok");
	has_not("evil");
}

static void stale_pooled_is_retried(void **state)
{
	struct audit_record r;

	(void)state;
	rig_talk(rig.proxy, GET("http://allowed.test/once", "allowed.test"), out, sizeof out);
	has("once");
	rig_talk(rig.proxy, GET("http://allowed.test/again", "allowed.test"), out, sizeof out);
	has("GET /again HTTP/1.1");
	rig_record(&rig, AUDIT_REQUEST, &r);
	rig_record(&rig, AUDIT_REQUEST, &r);
	assert_true(str_eq(r.path, STR_LIT("/again")));
	rig_no_record(&rig, "allow");
}

static void events_leave_at_once(void **state)
{
	int fd = rig_connect(rig.proxy);
	uint64_t t;

	(void)state;
	rig_send(fd, GET("http://allowed.test/sse", "allowed.test"));
	t = clock_mono_ms();
	rig_read_until(fd, out, sizeof out, "data: one\n\n");
	assert_true(clock_mono_ms() - t < 400);
	rig_read_until(fd, out, sizeof out, "data: two\n\n");
	assert_true(clock_mono_ms() - t >= 400);
	close(fd);
}

static void mediated(void **state)
{
	int fd = rig_connect(rig.proxy);

	(void)state;
	rig_send(fd, "POST http://api.test/v1/x HTTP/1.1\r\nHost: api.test\r\nContent-Length: "
		     "4\r\n\r\nbody");
	rig_read_until(fd, out, sizeof out, "POST /v1/x body\r\n0\r\n\r\n");
	rig_send(fd, "PUT http://api.test/v1/y HTTP/1.1\r\nHost: api.test\r\n"
		     "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
	rig_read_until(fd, out, sizeof out, "PUT /v1/y abc\r\n0\r\n\r\n");
	rig_send(
	    fd,
	    "POST http://api.test/v1/z HTTP/1.1\r\nHost: api.test\r\nContent-Length: 0\r\n\r\n");
	rig_read_until(fd, out, sizeof out, "POST /v1/z \r\n0\r\n\r\n");
	rig_send(fd, "GET http://api.test/v2/z HTTP/1.1\r\nHost: api.test\r\n\r\n");
	rig_read_until(fd, out, sizeof out, "--connect api.test:80\n");
	has("X-Stockade-Reason: path");
	rig_send(fd, GET("http://api.test/v1/fail", "api.test"));
	rig_read_all(fd, out, sizeof out);
	has("HTTP/1.1 502 ");
	close(fd);
}

static void unix_listener(void **state)
{
	int fd = rig_connect_unix(&rig);

	(void)state;
	rig_send(fd, "GET /v1/u HTTP/1.1\r\nHost: api.test\r\n\r\n");
	rig_read_until(fd, out, sizeof out, "GET /v1/u \r\n0\r\n\r\n");
	rig_send(fd, GET("http://allowed.test/p", "allowed.test"));
	rig_read_all(fd, out, sizeof out);
	has("GET /p HTTP/1.1\r\nHost: allowed.test\r\n");
	close(fd);
}

/* ---- tunnels ---- */

static int open_tunnel(const char *hostport)
{
	int fd = rig_connect(rig.proxy);
	char text[256];

	snprintf(text, sizeof text, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", hostport, hostport);
	rig_send(fd, text);
	rig_read_until(fd, out, sizeof out, "\r\n\r\n");
	has("HTTP/1.1 200 ");
	return fd;
}

static void tunnel_with_name(void **state)
{
	unsigned char hello[512], back[512];
	size_t n = rig_hello("allowed.test", hello), got;
	int fd = open_tunnel("allowed.test:443");
	struct audit_record r;

	(void)state;
	rig_send_bytes(fd, hello, n);
	got = 0;
	while (got < n) {
		ssize_t k = recv(fd, back + got, sizeof back - got, 0);

		assert_true(k > 0);
		got += (size_t)k;
	}
	assert_memory_equal(hello, back, n);
	/* Half close: the end goes up, the answer still comes down. */
	shutdown(fd, SHUT_WR);
	rig_read_all(fd, out, sizeof out);
	assert_string_equal(out, "[eof seen]");
	close(fd);
	rig_record(&rig, AUDIT_CLOSE, &r);
	assert_int_equal(r.bytes_up, n);
	assert_int_equal(r.bytes_down, n + 10);
}

static void denied_stream(int fd, const void *first, size_t n, const char *host, const char *reason)
{
	static const unsigned char alert[] = { 0x15, 3, 3, 0, 2, 2 };
	struct audit_record r;
	size_t got;

	rig_send_bytes(fd, first, n);
	got = rig_read_all(fd, out, sizeof out);
	if (((const unsigned char *)first)[0] == 0x16) {
		assert_int_equal(got, 7);
		assert_memory_equal(out, alert, sizeof alert);
	} else {
		assert_int_equal(got, 0);
	}
	close(fd);
	do
		rig_record(&rig, AUDIT_CONNECT, &r);
	while (!str_eq(r.verdict, STR_LIT("deny")));
	is_record(&r, "deny", host, reason);
}

static void tunnel_wrong_names(void **state)
{
	unsigned char hello[512];
	size_t n;

	(void)state;
	n = rig_hello("evil.test", hello); /* N03 */
	denied_stream(open_tunnel("allowed.test:443"), hello, n, "allowed.test", "sni-mismatch");
	n = rig_hello(NULL, hello); /* N06 */
	denied_stream(open_tunnel("allowed.test:443"), hello, n, "allowed.test", "no-sni");
	/* N03, second half: a request in a tunnel whose Host is another's. */
	rig_send(rig_connect(rig.proxy), "");
	{
		int fd = open_tunnel("allowed.test:80");

		rig_send(fd, GET("/", "evil.test"));
		rig_read_all(fd, out, sizeof out);
		has("X-Stockade-Reason: host-mismatch");
		close(fd);
	}
	{
		int fd = open_tunnel("allowed.test:80");

		rig_send(fd, GET("/inner", "allowed.test"));
		rig_read_all(fd, out, sizeof out);
		has("GET /inner HTTP/1.1\r\nHost: allowed.test\r\n");
		close(fd);
	}
}

static void strict_ports(void **state)
{
	struct audit_record r;
	int fd = open_tunnel("allowed.test:443");

	(void)state;
	rig_send(fd, "SSH-2.0-x\r\n");
	assert_int_equal(rig_read_all(fd, out, sizeof out), 0);
	close(fd);
	rig_record(&rig, AUDIT_BAD_INPUT, &r);
	fd = open_tunnel("allowed.test:80");
	rig_send(fd, "\x16\x03\x01");
	rig_read_all(fd, out, sizeof out);
	close(fd);
	rig_record(&rig, AUDIT_BAD_INPUT, &r);
}

static void server_speaks_first(void **state)
{
	int fd = open_tunnel("tcp.test:2222");

	(void)state;
	rig_read_until(fd, out, sizeof out, "SSH-2.0-test\r\n");
	rig_send(fd, "ping");
	rig_read_until(fd, out, sizeof out, "ping");
	close(fd);
}

static void large_tunnel(void **state)
{
	enum { TOTAL = 4 * 1024 * 1024 };
	int fd = open_tunnel("tcp.test:8080");
	char *sent = malloc(TOTAL), *got = malloc(TOTAL);
	size_t up = 0, down = 0;

	(void)state;
	for (size_t i = 0; i < TOTAL; i++)
		sent[i] = (char)(i * 2654435761u >> 13);
	while (down < TOTAL) {
		ssize_t n = up < TOTAL ? send(fd, sent + up, TOTAL - up, MSG_DONTWAIT) : -1;

		up += n > 0 ? (size_t)n : 0;
		n = recv(fd, got + down, TOTAL - down, n > 0 && up < TOTAL ? MSG_DONTWAIT : 0);
		if (n == 0 || (n < 0 && up == TOTAL))
			fail_msg("tunnel ended after %zu bytes", down);
		down += n > 0 ? (size_t)n : 0;
	}
	assert_memory_equal(sent, got, TOTAL);
	free(sent);
	free(got);
	close(fd);
}

/* ---- SOCKS ---- */

static int socks(const char *host, size_t host_len, uint16_t port, unsigned char *ret_status)
{
	unsigned char b[300] = { 5, 1, 0 };
	int fd = rig_connect(rig.socks);

	rig_send_bytes(fd, b, 3);
	assert_int_equal(recv(fd, b, 2, MSG_WAITALL), 2);
	assert_int_equal(b[1], 0);
	b[1] = 1;
	b[2] = 0;
	b[3] = 3;
	b[4] = (unsigned char)host_len;
	memcpy(b + 5, host, host_len);
	b[5 + host_len] = (unsigned char)(port >> 8);
	b[6 + host_len] = (unsigned char)port;
	rig_send_bytes(fd, b, 7 + host_len);
	*ret_status = recv(fd, b, 10, MSG_WAITALL) == 10 ? b[1] : 255;
	return fd;
}

static void socks_hosts(void **state)
{
	struct audit_record r;
	unsigned char st;
	int fd = socks("tcp.test", 8, 2222, &st);

	(void)state;
	assert_int_equal(st, 0);
	rig_read_until(fd, out, sizeof out, "SSH-2.0-test\r\n");
	close(fd);
	close(socks("evil.test", 9, 443, &st));
	assert_int_equal(st, 2);
	rig_record(&rig, AUDIT_CONNECT, &r);
	is_record(&r, "deny", "evil.test", "no-rule");
	close(socks("dead.test", 9, 443, &st));
	assert_int_equal(st, 4);
	/* N02 */
	close(socks("evil.test\0.allowed.test", 23, 443, &st));
	assert_int_not_equal(st, 0);
	rig_record(&rig, AUDIT_BAD_INPUT, &r);
	rig_no_record(&rig, "allow");
}

/* ---- DNS and the transparent listener ---- */

static size_t ask(const char *name, unsigned char type, unsigned char *reply, size_t max)
{
	return rig_ask(&rig, name, type, reply, max);
}

static void dns(void **state)
{
	unsigned char first[512], again[512];
	size_t n = ask("Allowed.Test", 1, first, sizeof first);
	struct audit_record r;

	(void)state;
	assert_int_equal(first[3] & 15, 0);
	assert_int_equal(first[7], 1);
	assert_int_equal(first[n - 4], 198);
	assert_int_equal(ask("allowed.test", 1, again, sizeof again), n);
	assert_memory_equal(first + n - 4, again + n - 4, 4);
	ask("allowed.test", 28, again, sizeof again);
	assert_int_equal(again[7], 1);
	rig_no_record(&rig, "deny");
	/* Denied: answered with a made-up address, recorded once. */
	n = ask("secret-in-a-name.evil.test", 1, first, sizeof first);
	assert_int_equal(first[n - 4], 198);
	rig_record(&rig, AUDIT_RESOLVE, &r);
	is_record(&r, "deny", "secret-in-a-name.evil.test", "no-rule");
	ask("secret-in-a-name.evil.test", 1, first, sizeof first);
	rig_no_record(&rig, "deny");
}

static void transparent_literal(void **state)
{
	unsigned char hello[512];
	size_t n = rig_hello("allowed.test", hello);
	struct audit_record r;
	int fd;

	(void)state;
	/* The destination is an address that nobody made up: a name inside does not help. */
	fd = rig_connect_to("127.0.0.7", rig.transparent);
	rig_send_bytes(fd, hello, n);
	rig_read_all(fd, out, sizeof out);
	assert_int_equal((unsigned char)out[0], 0x15);
	close(fd);
	rig_record(&rig, AUDIT_CONNECT, &r);
	is_record(&r, "deny", "127.0.0.7", "address-literal");
	fd = rig_connect_to("127.0.0.7", rig.transparent);
	rig_send(fd, GET("/", "allowed.test"));
	rig_read_all(fd, out, sizeof out);
	has("HTTP/1.1 403 ");
	close(fd);
	/* Silent, and no rule for it: closed, not dialled. */
	fd = rig_connect_to("127.0.0.7", rig.transparent);
	assert_int_equal(rig_read_all(fd, out, sizeof out), 0);
	close(fd);
}

/* ---- limits and ends ---- */

static void large_head(void **state)
{
	int fd = rig_connect(rig.proxy);

	(void)state;
	rig_send(fd, "GET http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\n");
	for (int i = 0; i < 1000; i++)
		if (send(fd, "X-Fill: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", 53,
			 MSG_NOSIGNAL) < 0)
			break;
	rig_read_until(fd, out, sizeof out, "\r\n\r\n");
	has("HTTP/1.1 431 ");
	close(fd);
}

static void many_idle(void **state)
{
	static int fds[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = rig_connect(rig.proxy);
		rig_send(fds[i], i % 2 ? "GET http://al" : "CONNECT a");
	}
	rig_talk(rig.proxy, GET("http://allowed.test/still", "allowed.test"), out, sizeof out);
	has("GET /still HTTP/1.1");
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
}

static void ends_with_audit(void **state)
{
	int fd = rig_connect(rig.proxy);

	(void)state;
	rig_send(fd, "GET http://allowed.test/1 HTTP/1.1\r\nHost: allowed.test\r\n\r\n");
	rig_read_until(fd, out, sizeof out, "GET /1 ");
	channel_done(&rig.audit);
	assert_int_equal(rig_wait_front(&rig), 1);
	assert_int_equal(rig_connect(rig.proxy), -1);
	close(fd);
}

static void ends_with_back(void **state)
{
	(void)state;
	kill(rig.back, SIGKILL);
	assert_int_equal(rig_wait_front(&rig), 1);
}

static void ends_with_launch(void **state)
{
	(void)state;
	channel_done(&rig.launch);
	assert_int_equal(rig_wait_front(&rig), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(refused_requests),
		T(chunk_extension),
		T(refusal_helps),
		T(forwards),
		T(keep_alive_decides_again),
		T(pipelined_and_smuggled),
		T(bodies),
		T(large_body),
		T(expect_continue),
		T(bad_upstreams),
		T(stale_pooled_is_retried),
		T(events_leave_at_once),
		T(mediated),
		T(unix_listener),
		T(tunnel_with_name),
		T(tunnel_wrong_names),
		T(strict_ports),
		T(server_speaks_first),
		T(large_tunnel),
		T(socks_hosts),
		T(dns),
		T(transparent_literal),
		T(large_head),
		T(many_idle),
		T(ends_with_audit),
		T(ends_with_back),
		T(ends_with_launch),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
