/* SPDX-License-Identifier: Apache-2.0 */
/* request - see request.h.  Front packs, back unpacks and formats.  What back unpacks is hostile:
 * it comes from the process that reads the agent's bytes.  Pure. */
#include "net/request.h"

#include "base/own.h"
#include "base/wire.h"
#include "net/http1_bytes.h"

#include <errno.h>

/* Longest registered method has 18 letters (UPDATEREDIRECTREF). */
#define METHOD_MAX 32u
#define HEADER_NAME_MAX 256u
#define HEADER_VALUE_MAX HTTP1_HEAD_MAX

static bool all_of(struct str s, enum http1_byte class)
{
	for (size_t i = 0; i < s.len; i++)
		if (!http1_is(s.p[i], class))
			return false;
	return true;
}

bool request_name_folds_to(struct str name, struct str wanted)
{
	if (name.len != wanted.len)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = str_lower(name.p[i]);

		if ((c == '_' ? '-' : c) != wanted.p[i])
			return false;
	}
	return true;
}

/* Fields that back alone writes, or that belong to one hop: a request that carries one, in any
 * spelling that some server would take for it, is no request. */
static bool name_is_ours(struct str name)
{
	static const struct str ours[] = {
		STR_LIT("host"),       STR_LIT("content-length"), STR_LIT("transfer-encoding"),
		STR_LIT("connection"), STR_LIT("keep-alive"),	  STR_LIT("te"),
		STR_LIT("upgrade"),
	};
	static const struct str proxy = STR_LIT("proxy-");

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (request_name_folds_to(name, ours[i]))
			return true;
	return name.len > proxy.len &&
	       request_name_folds_to((struct str){ name.p, proxy.len }, proxy);
}

bool request_header_ok(const struct request_header *h)
{
	if (h->name.len == 0 || h->name.len > HEADER_NAME_MAX || !all_of(h->name, HTTP1_TOKEN))
		return false;
	if (h->value.len > HEADER_VALUE_MAX || !all_of(h->value, HTTP1_VALUE))
		return false;
	return str_trim(h->value).len == h->value.len && !name_is_ours(h->name);
}

int request_pack(const struct request *r, struct buf *out)
{
	int error = 0;

	if (r->nheaders > REQUEST_HEADERS_MAX)
		return -EMSGSIZE;
	wire_str(out, &error, r->method);
	wire_u8(out, &error, r->https);
	wire_str(out, &error, host_str(&r->host));
	wire_u16(out, &error, r->port);
	wire_str(out, &error, r->path);
	wire_u8(out, &error, r->has_query);
	wire_str(out, &error, r->query);
	wire_u8(out, &error, r->body);
	wire_u64(out, &error, r->length);
	wire_u8(out, &error, (uint8_t)r->nheaders);
	for (size_t i = 0; i < r->nheaders; i++) {
		wire_str(out, &error, r->headers[i].name);
		wire_str(out, &error, r->headers[i].value);
	}
	return error;
}

/* The canonical text, and nothing that only means the same. */
static bool host_ok(struct str text, struct host *ret)
{
	return host_parse(text, ret) == 0 && str_eq(host_str(ret), text);
}

static bool path_ok(const struct request *r)
{
	char room[HTTP1_TARGET_MAX];
	struct str normal;

	if (str_eq(r->path, STR_LIT("*")))
		return str_eq(r->method, STR_LIT("OPTIONS")) && !r->has_query;
	if (r->path.len == 0 || r->path.p[0] != '/' || r->path.len > HTTP1_TARGET_MAX)
		return false;
	/* Rules look at the normal form: another form would be read differently upstream. */
	return all_of(r->path, HTTP1_PATH) && http1_path_normalize(r->path, room, &normal) == 0 &&
	       str_eq(normal, r->path);
}

static bool method_ok(struct str s)
{
	return s.len > 0 && all_of(s, HTTP1_TOKEN) && !str_eq(s, STR_LIT("CONNECT"));
}

static bool query_ok(const struct request *r)
{
	return (r->has_query || r->query.len == 0) && all_of(r->query, HTTP1_TARGET);
}

static bool body_ok(const struct request *r)
{
	if (r->body == BODY_LENGTH)
		return true;
	return (r->body == BODY_NONE || r->body == BODY_CHUNKED) && r->length == 0;
}

static bool fields_ok(const struct request *r)
{
	if (!method_ok(r->method) || r->port == 0 || !path_ok(r) || !query_ok(r) || !body_ok(r))
		return false;
	for (size_t i = 0; i < r->nheaders; i++)
		if (!request_header_ok(&r->headers[i]))
			return false;
	return true;
}

int request_unpack(struct str payload, struct request *ret)
{
	struct wire_in in = { .rest = payload };
	struct str host;
	uint8_t https, has_query;

	*ret = (struct request){ 0 };
	ret->method = wire_get_str(&in, METHOD_MAX);
	https = wire_get_u8(&in);
	host = wire_get_str(&in, HOST_NAME_MAX_LEN);
	ret->port = wire_get_u16(&in);
	ret->path = wire_get_str(&in, HTTP1_TARGET_MAX);
	has_query = wire_get_u8(&in);
	ret->query = wire_get_str(&in, HTTP1_TARGET_MAX);
	ret->body = wire_get_u8(&in);
	ret->length = wire_get_u64(&in);
	ret->nheaders = wire_get_u8(&in);
	if (ret->nheaders > REQUEST_HEADERS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < ret->nheaders; i++) {
		ret->headers[i].name = wire_get_str(&in, HEADER_NAME_MAX);
		ret->headers[i].value = wire_get_str(&in, HEADER_VALUE_MAX);
	}
	if (wire_in_done(&in) < 0 || https > 1 || has_query > 1)
		return -EBADMSG;
	ret->https = https;
	ret->has_query = has_query;
	if (!host_ok(host, &ret->host) || !fields_ok(ret))
		return -EBADMSG;
	return 0;
}

static int put_line(struct buf *out, const struct request *r)
{
	int error = buf_append_str(out, r->method);

	error = error ? error : buf_append_c(out, ' ');
	error = error ? error : buf_append_str(out, r->path);
	if (r->has_query) {
		error = error ? error : buf_append_c(out, '?');
		error = error ? error : buf_append_str(out, r->query);
	}
	return error ? error : buf_append_str(out, STR_LIT(" HTTP/1.1\r\n"));
}

static int put_host(struct buf *out, const struct request *r)
{
	bool v6 = r->host.addr.family == 6;
	int error = buf_printf(out, "Host: %s%s%s", v6 ? "[" : "", r->host.text, v6 ? "]" : "");

	if (error == 0 && r->port != (r->https ? 443 : 80))
		error = buf_printf(out, ":%u", r->port);
	return error ? error : buf_append_str(out, STR_LIT("\r\n"));
}

static int put_field(struct buf *out, const struct request_header *h)
{
	int error = buf_append_str(out, h->name);

	error = error ? error : buf_append_str(out, STR_LIT(": "));
	error = error ? error : buf_append_str(out, h->value);
	return error ? error : buf_append_str(out, STR_LIT("\r\n"));
}

static int put_framing(struct buf *out, const struct request *r)
{
	if (r->body == BODY_LENGTH)
		return buf_printf(out, "Content-Length: %llu\r\n\r\n",
				  (unsigned long long)r->length);
	if (r->body == BODY_CHUNKED)
		return buf_append_str(out, STR_LIT("Transfer-Encoding: chunked\r\n\r\n"));
	return buf_append_str(out, STR_LIT("\r\n"));
}

int request_format(const struct request *r, const struct request_header *extra, struct buf *out)
{
	int error;

	if (extra && !request_header_ok(extra))
		return -EBADMSG;
	error = put_line(out, r);
	error = error ? error : put_host(out, r);
	for (size_t i = 0; i < r->nheaders && error == 0; i++)
		error = put_field(out, &r->headers[i]);
	if (extra && error == 0)
		error = put_field(out, extra);
	return error ? error : put_framing(out, r);
}
