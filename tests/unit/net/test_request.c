/* SPDX-License-Identifier: Apache-2.0 */
/* What front may hand to back as a request, and the exact bytes that back writes for it. */
#include "base/wire.h"
#include "net/http1.h"
#include "net/request.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct request sample(void)
{
	struct request r = { .method = STR_LIT("GET"),
			     .port = 80,
			     .path = STR_LIT("/v1/a"),
			     .query = STR_LIT("x=1&y"),
			     .has_query = true,
			     .nheaders = 2,
			     .headers = { { STR_LIT("Accept"), STR_LIT("*/*") },
					  { STR_LIT("X-Empty"), STR_NONE } } };

	assert_int_equal(host_parse(STR_LIT("api.test"), &r.host), 0);
	return r;
}

static int round_trip(const struct request *r, struct buf *b, struct request *ret)
{
	buf_clear(b);
	assert_int_equal(request_pack(r, b), 0);
	return request_unpack(buf_str(b), ret);
}

static void what_is_packed_is_unpacked(void **state)
{
	struct request r = sample(), got;
	struct buf b = BUF_INIT(65536);

	(void)state;
	r.body = BODY_LENGTH;
	r.length = UINT64_C(1) << 40;
	r.https = true;
	assert_int_equal(round_trip(&r, &b, &got), 0);
	assert_true(str_eq(got.method, r.method));
	assert_true(got.https);
	assert_true(str_eq(host_str(&got.host), STR_LIT("api.test")));
	assert_int_equal(got.port, 80);
	assert_true(str_eq(got.path, r.path));
	assert_true(str_eq(got.query, r.query));
	assert_int_equal(got.body, BODY_LENGTH);
	assert_true(got.length == r.length);
	assert_int_equal(got.nheaders, 2);
	assert_true(str_eq(got.headers[0].value, STR_LIT("*/*")));
	assert_int_equal(got.headers[1].value.len, 0);
	buf_done(&b);
}

static void every_cut_and_every_extra_byte_is_refused(void **state)
{
	struct request r = sample(), got;
	struct buf b = BUF_INIT(65536);

	(void)state;
	assert_int_equal(request_pack(&r, &b), 0);
	for (size_t n = 0; n < buf_len(&b); n++)
		assert_int_equal(request_unpack((struct str){ buf_cstr(&b), n }, &got), -EBADMSG);
	assert_int_equal(buf_append_c(&b, 0), 0);
	assert_int_equal(request_unpack(buf_str(&b), &got), -EBADMSG);
	buf_done(&b);
}

static void methods(void **state)
{
	static const struct {
		struct str method;
		int want;
	} rows[] = {
		{ STR_LIT("GET"), 0 },
		{ STR_LIT("M-SEARCH"), 0 },
		{ STR_LIT(""), -EBADMSG },
		{ STR_LIT("CONNECT"), -EBADMSG },
		{ STR_LIT("GET "), -EBADMSG },
		{ STR_LIT("GE\rT"), -EBADMSG },
		{ STR_LIT("GET\0"), -EBADMSG },
		{ STR_LIT("G\xc3\xa9T"), -EBADMSG },
		{ STR_LIT("GET /x HTTP/1.1\r\nX:"), -EBADMSG },
		{ STR_LIT("AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDD"), -EBADMSG },
	};
	struct buf b = BUF_INIT(65536);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request r = sample(), got;

		r.method = rows[i].method;
		if (round_trip(&r, &b, &got) != rows[i].want)
			fail_msg("method %zu: expected %d", i, rows[i].want);
	}
	buf_done(&b);
}

static void paths(void **state)
{
	static const struct {
		struct str path;
		int want;
	} rows[] = {
		{ STR_LIT("/"), 0 },
		{ STR_LIT("/a/b~c/%20"), 0 },
		{ STR_LIT(""), -EBADMSG },
		{ STR_LIT("a"), -EBADMSG },
		{ STR_LIT("*"), -EBADMSG }, /* not with GET */
		{ STR_LIT("/a/../b"), -EBADMSG },
		{ STR_LIT("/a/./b"), -EBADMSG },
		{ STR_LIT("/a/%2e%2e/b"), -EBADMSG },
		{ STR_LIT("/%41"), -EBADMSG }, /* not the normal form */
		{ STR_LIT("/a?b"), -EBADMSG },
		{ STR_LIT("/a#b"), -EBADMSG },
		{ STR_LIT("/a b"), -EBADMSG },
		{ STR_LIT("/a\r\nX: y"), -EBADMSG },
		{ STR_LIT("/a\\b"), -EBADMSG },
		{ STR_LIT("http://other.test/"), -EBADMSG },
	};
	struct buf b = BUF_INIT(65536);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request r = sample(), got;

		r.path = rows[i].path;
		if (round_trip(&r, &b, &got) != rows[i].want)
			fail_msg("path %.*s: expected %d", STR_FMT(rows[i].path), rows[i].want);
	}
	buf_done(&b);
}

static void options_star(void **state)
{
	struct request r = sample(), got;
	struct buf b = BUF_INIT(65536);

	(void)state;
	r.method = STR_LIT("OPTIONS");
	r.path = STR_LIT("*");
	assert_int_equal(round_trip(&r, &b, &got), -EBADMSG); /* with a query */
	r.has_query = false;
	assert_int_equal(round_trip(&r, &b, &got), -EBADMSG); /* with a query that is not there */
	r.query = STR_NONE;
	assert_int_equal(round_trip(&r, &b, &got), 0);
	buf_done(&b);
}

static void queries_and_bodies(void **state)
{
	struct buf b = BUF_INIT(65536);
	struct request r, got;

	(void)state;
	static const struct str bad[] = { STR_LIT("a b"), STR_LIT("a#b"), STR_LIT("a\nb"),
					  STR_LIT("a\0b"), STR_LIT("\x80") };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		r = sample();
		r.query = bad[i];
		assert_int_equal(round_trip(&r, &b, &got), -EBADMSG);
	}
	r = sample();
	r.body = BODY_UNTIL_CLOSE;
	assert_int_equal(round_trip(&r, &b, &got), -EBADMSG);
	r = sample();
	r.body = BODY_CHUNKED;
	r.length = 5;
	assert_int_equal(round_trip(&r, &b, &got), -EBADMSG);
	r = sample();
	r.length = 5;
	assert_int_equal(round_trip(&r, &b, &got), -EBADMSG);
	r = sample();
	r.port = 0;
	assert_int_equal(round_trip(&r, &b, &got), -EBADMSG);
	buf_done(&b);
}

static void hosts_must_be_canonical(void **state)
{
	static const char *const bad[] = { "API.test", "api.test.", "127.1", "",
					   "a b",      "[::1]",	    "0x7f.1" };
	struct buf b = BUF_INIT(65536);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct request r = sample(), got;

		r.host.addr.family = 0;
		r.host.len = (uint8_t)strlen(bad[i]);
		memcpy(r.host.text, bad[i], strlen(bad[i]) + 1);
		if (round_trip(&r, &b, &got) != -EBADMSG)
			fail_msg("host %s was taken", bad[i]);
	}
	buf_done(&b);
}

static void fields(void **state)
{
	static const struct {
		struct request_header h;
		bool want;
	} rows[] = {
		{ { STR_LIT("X-A"), STR_LIT("b c\td") }, true },
		{ { STR_LIT("X-A"), STR_LIT("\xe9t\xe9") }, true },
		{ { STR_LIT("X_A"), STR_LIT("") }, true },
		{ { STR_LIT(""), STR_LIT("b") }, false },
		{ { STR_LIT("X A"), STR_LIT("b") }, false },
		{ { STR_LIT("X:A"), STR_LIT("b") }, false },
		{ { STR_LIT("X-A "), STR_LIT("b") }, false },
		{ { STR_LIT("X-A"), STR_LIT(" b") }, false },
		{ { STR_LIT("X-A"), STR_LIT("b\t") }, false },
		{ { STR_LIT("X-A"), STR_LIT("b\r\nEvil: c") }, false },
		{ { STR_LIT("X-A"), STR_LIT("b\nc") }, false },
		{ { STR_LIT("X-A"), STR_LIT("b\0c") }, false },
		{ { STR_LIT("X-A"), STR_LIT("b\x7f") }, false },
		{ { STR_LIT("Host"), STR_LIT("evil.test") }, false },
		{ { STR_LIT("hOST"), STR_LIT("evil.test") }, false },
		{ { STR_LIT("Content-Length"), STR_LIT("1") }, false },
		{ { STR_LIT("content_length"), STR_LIT("1") }, false },
		{ { STR_LIT("Transfer-Encoding"), STR_LIT("chunked") }, false },
		{ { STR_LIT("transfer_encoding"), STR_LIT("chunked") }, false },
		{ { STR_LIT("Connection"), STR_LIT("close") }, false },
		{ { STR_LIT("Keep-Alive"), STR_LIT("1") }, false },
		{ { STR_LIT("TE"), STR_LIT("trailers") }, false },
		{ { STR_LIT("Upgrade"), STR_LIT("h2c") }, false },
		{ { STR_LIT("Proxy-Authorization"), STR_LIT("Basic x") }, false },
		{ { STR_LIT("proxy_connection"), STR_LIT("x") }, false },
		{ { STR_LIT("Proxy"), STR_LIT("x") }, true },
	};
	struct buf b = BUF_INIT(65536);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request r = sample(), got;

		r.headers[1] = rows[i].h;
		if ((round_trip(&r, &b, &got) == 0) != rows[i].want ||
		    request_header_ok(&rows[i].h) != rows[i].want)
			fail_msg("field '%.*s: %.*s'", STR_FMT(rows[i].h.name),
				 STR_FMT(rows[i].h.value));
	}
	buf_done(&b);
}

static void too_many_fields(void **state)
{
	struct request r = sample();
	struct buf b = BUF_INIT(65536);

	(void)state;
	r.nheaders = REQUEST_HEADERS_MAX + 1;
	assert_int_equal(request_pack(&r, &b), -EMSGSIZE);
	buf_done(&b);
}

/* What a sender says that does not keep to request_pack()'s own limit. */
static void a_count_beyond_the_limit_is_refused(void **state)
{
	for (unsigned n = REQUEST_HEADERS_MAX; n <= REQUEST_HEADERS_MAX + 1; n++) {
		struct buf b = BUF_INIT(65536);
		struct request got;
		int error = 0;

		(void)state;
		wire_str(&b, &error, STR_LIT("GET"));
		wire_u8(&b, &error, 0);
		wire_str(&b, &error, STR_LIT("api.test"));
		wire_u16(&b, &error, 80);
		wire_str(&b, &error, STR_LIT("/"));
		wire_u8(&b, &error, 0);
		wire_str(&b, &error, STR_NONE);
		wire_u8(&b, &error, BODY_NONE);
		wire_u64(&b, &error, 0);
		wire_u8(&b, &error, (uint8_t)n);
		for (unsigned i = 0; i < n; i++) {
			wire_str(&b, &error, STR_LIT("a"));
			wire_str(&b, &error, STR_LIT("b"));
		}
		assert_int_equal(error, 0);
		assert_int_equal(request_unpack(buf_str(&b), &got),
				 n > REQUEST_HEADERS_MAX ? -EBADMSG : 0);
		buf_done(&b);
	}
}

static void check_format(const struct request *r, const struct request_header *extra,
			 const char *want)
{
	struct buf b = BUF_INIT(65536);

	assert_int_equal(request_format(r, extra, &b), 0);
	assert_string_equal(buf_cstr(&b), want);
	buf_done(&b);
}

static void heads_are_written_exactly(void **state)
{
	const struct request_header key = { STR_LIT("x-api-key"), STR_LIT("k") };
	struct request r = sample();

	(void)state;
	check_format(&r, NULL,
		     "GET /v1/a?x=1&y HTTP/1.1\r\nHost: api.test\r\nAccept: */*\r\nX-Empty: "
		     "\r\n\r\n");
	r.nheaders = 0;
	r.has_query = false;
	r.body = BODY_LENGTH;
	r.length = 7;
	check_format(&r, &key,
		     "GET /v1/a HTTP/1.1\r\nHost: api.test\r\nx-api-key: k\r\n"
		     "Content-Length: 7\r\n\r\n");
	r.body = BODY_CHUNKED;
	r.https = true;
	check_format(&r, NULL,
		     "GET /v1/a HTTP/1.1\r\nHost: api.test:80\r\nTransfer-Encoding: "
		     "chunked\r\n\r\n");
	r.body = BODY_NONE;
	r.port = 443;
	check_format(&r, NULL, "GET /v1/a HTTP/1.1\r\nHost: api.test\r\n\r\n");
	assert_int_equal(host_parse(STR_LIT("[::1]"), &r.host), 0);
	r.port = 8443;
	check_format(&r, NULL, "GET /v1/a HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n");
}

static void a_key_cannot_write_fields(void **state)
{
	static const struct request_header bad[] = {
		{ STR_LIT("x-api-key"), STR_LIT("k\r\nEvil: 1") },
		{ STR_LIT("x-api-key\r\nEvil"), STR_LIT("k") },
		{ STR_LIT("host"), STR_LIT("evil.test") },
	};
	struct request r = sample();
	struct buf b = BUF_INIT(65536);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(request_format(&r, &bad[i], &b), -EBADMSG);
	assert_int_equal(buf_len(&b), 0);
	buf_done(&b);
}

static void a_full_buffer_fails_at_every_byte(void **state)
{
	const struct request_header key = { STR_LIT("x-api-key"), STR_LIT("k") };
	struct request r = sample();
	struct buf whole = BUF_INIT(4096);

	(void)state;
	r.body = BODY_LENGTH;
	assert_int_equal(request_format(&r, &key, &whole), 0);
	for (size_t max = 0; max < buf_len(&whole); max++) {
		struct buf b = BUF_INIT(max);

		assert_true(request_format(&r, &key, &b) < 0);
		buf_done(&b);
	}
	buf_done(&whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_is_unpacked),
		cmocka_unit_test(every_cut_and_every_extra_byte_is_refused),
		cmocka_unit_test(methods),
		cmocka_unit_test(paths),
		cmocka_unit_test(options_star),
		cmocka_unit_test(queries_and_bodies),
		cmocka_unit_test(hosts_must_be_canonical),
		cmocka_unit_test(fields),
		cmocka_unit_test(too_many_fields),
		cmocka_unit_test(a_count_beyond_the_limit_is_refused),
		cmocka_unit_test(heads_are_written_exactly),
		cmocka_unit_test(a_key_cannot_write_fields),
		cmocka_unit_test(a_full_buffer_fails_at_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
