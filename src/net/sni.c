/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sni - see sni.h.  Called by front with the first bytes of an opaque tunnel; input is hostile.
 *
 * Nearly every ClientHello lies in one record and is read where it is; one that is cut into
 * several records is first put together on the stack.
 */
#include "net/sni.h"

#include "base/own.h"

#include <stdint.h>

/* RFC 8446 5.1, 4, 4.2; RFC 6066 3; RFC 9849 (encrypted_client_hello) */
#define RECORD_HEAD 5
#define RECORD_MAX 16384u
#define RECORD_HANDSHAKE 22
#define HANDSHAKE_HEAD 4
#define HANDSHAKE_CLIENT_HELLO 1
#define RANDOM_LEN 32
#define SESSION_ID_MAX 32
#define EXT_SERVER_NAME 0
#define NAME_TYPE_HOST 0

/* Extensions that hide the name that counts: ECH of RFC 9849 and its last deployed drafts, and
 * encrypted_server_name before it. */
static const uint16_t hiding[] = { 0xfe0d, 0xfe0a, 0xfe09, 0xfe08, 0xffce };

/* A walk over length-prefixed fields; errors stick. */
struct walk {
	struct str rest;
	bool bad;
};

static struct str walk_bytes(struct walk *w, size_t n)
{
	struct str got = { w->rest.p, n };

	if (w->bad || w->rest.len < n) {
		w->bad = true;
		return STR_NONE;
	}
	w->rest.p += n;
	w->rest.len -= n;
	return got;
}

static size_t walk_number(struct walk *w, size_t bytes)
{
	struct str s = walk_bytes(w, bytes);
	size_t v = 0;

	for (size_t i = 0; i < s.len; i++)
		v = v << 8 | (unsigned char)s.p[i];
	return v;
}

static struct str walk_vector(struct walk *w, size_t length_bytes)
{
	return walk_bytes(w, walk_number(w, length_bytes));
}

/* The value of server_name: a list of one host_name. */
static enum sni_result read_server_name(struct str ext, struct host *ret)
{
	struct walk w = { ext, false };
	struct walk list = { walk_vector(&w, 2), false };
	struct host host;
	struct str name;
	size_t type;

	type = walk_number(&list, 1);
	name = walk_vector(&list, 2);
	if (w.bad || w.rest.len || list.bad || name.len == 0)
		return SNI_BAD;
	if (memchr(name.p, '\0', name.len))
		return SNI_BAD;
	if (list.rest.len || type != NAME_TYPE_HOST)
		return SNI_ABSENT;
	if (host_parse(name, &host) < 0 || host.addr.family)
		return SNI_ABSENT;
	*ret = host;
	return SNI_FOUND;
}

static bool hides_name(size_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(hiding); i++)
		if (type == hiding[i])
			return true;
	return false;
}

static enum sni_result read_extensions(struct str s, struct host *ret)
{
	struct walk w = { s, false };
	unsigned names = 0;
	bool hidden = false;
	enum sni_result r = SNI_ABSENT;
	struct host host;

	while (w.rest.len && !w.bad) {
		size_t type = walk_number(&w, 2);
		struct str value = walk_vector(&w, 2);

		hidden = hidden || hides_name(type);
		if (w.bad || type != EXT_SERVER_NAME)
			continue;
		names++;
		r = read_server_name(value, &host);
		if (r == SNI_BAD)
			return SNI_BAD;
	}
	if (w.bad)
		return SNI_BAD;
	if (hidden || names != 1)
		return SNI_ABSENT;
	if (r == SNI_FOUND)
		*ret = host;
	return r;
}

static enum sni_result read_hello(struct str body, struct host *ret)
{
	struct walk w = { body, false };
	struct str session, ciphers, compression, extensions;
	size_t version = walk_number(&w, 2);

	walk_bytes(&w, RANDOM_LEN);
	session = walk_vector(&w, 1);
	ciphers = walk_vector(&w, 2);
	compression = walk_vector(&w, 1);
	if (w.bad || version >> 8 != 3 || session.len > SESSION_ID_MAX || ciphers.len == 0 ||
	    ciphers.len % 2 || compression.len == 0)
		return SNI_BAD;
	if (w.rest.len == 0)
		return SNI_ABSENT; /* TLS 1.0 to 1.2 may have no extensions at all */
	extensions = walk_vector(&w, 2);
	if (w.bad || w.rest.len)
		return SNI_BAD;
	return read_extensions(extensions, ret);
}

/* The payload of the record at *rest, taken off it; what there is of the `ret_announced` bytes,
 * when it is cut. */
static enum sni_result next_record(struct str *rest, struct str *ret_payload, size_t *ret_announced)
{
	static const unsigned char head[] = { RECORD_HANDSHAKE, 3 };
	const unsigned char *p = (const unsigned char *)rest->p;
	size_t n;

	for (size_t i = 0; i < sizeof head && i < rest->len; i++)
		if (p[i] != head[i])
			return SNI_BAD;
	if (rest->len < RECORD_HEAD)
		return SNI_MORE;
	n = (size_t)p[3] << 8 | p[4];
	if (p[2] > 4 || n == 0 || n > RECORD_MAX)
		return SNI_BAD;
	*ret_announced = n;
	if (n > rest->len - RECORD_HEAD)
		n = rest->len - RECORD_HEAD;
	*ret_payload = (struct str){ rest->p + RECORD_HEAD, n };
	rest->p += RECORD_HEAD + n;
	rest->len -= RECORD_HEAD + n;
	return SNI_FOUND;
}

/* A handshake message that may be cut short: MORE, BAD, or what the whole one says.  Its records
 * announce `announced` bytes, which must not be more than the message, come or not: otherwise the
 * verdict would depend on how much of the last record is here. */
static enum sni_result read_handshake(struct str s, size_t announced, struct host *ret)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n;

	if (s.len && p[0] != HANDSHAKE_CLIENT_HELLO)
		return SNI_BAD;
	if (s.len < HANDSHAKE_HEAD)
		return SNI_MORE;
	n = (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	if (n > SNI_HELLO_MAX - HANDSHAKE_HEAD || announced > HANDSHAKE_HEAD + n)
		return SNI_BAD;
	if (s.len < HANDSHAKE_HEAD + n)
		return SNI_MORE;
	return read_hello((struct str){ s.p + HANDSHAKE_HEAD, n }, ret);
}

/* Several records: their payloads, one after the other.  Not inlined, so that the usual case pays
 * for no 16 KB of stack. */
static __attribute__((noinline)) enum sni_result read_fragmented(struct str in, struct host *ret)
{
	char hello[SNI_HELLO_MAX] __attribute__((uninitialized));
	size_t len = 0, announced = 0;

	while (in.len) {
		struct str part = STR_NONE;
		enum sni_result r = next_record(&in, &part, &announced);

		if (r != SNI_FOUND)
			return r;
		if (part.len > sizeof hello - len)
			return SNI_BAD;
		memcpy(hello + len, part.p, part.len);
		announced += len;
		len += part.len;
		r = read_handshake((struct str){ hello, len }, announced, ret);
		if (r != SNI_MORE)
			return r;
	}
	return SNI_MORE;
}

enum sni_result sni_parse(struct str in, struct host *ret)
{
	struct str rest = in, first = STR_NONE;
	size_t announced = 0;
	enum sni_result r;

	if (in.len == 0)
		return SNI_MORE;
	if (in.p[0] != RECORD_HANDSHAKE || (in.len > 1 && in.p[1] != 3))
		return SNI_PLAIN;
	r = next_record(&rest, &first, &announced);
	if (r == SNI_FOUND)
		r = read_handshake(first, announced, ret);
	if (r == SNI_MORE && rest.len)
		r = read_fragmented(in, ret);
	if (r == SNI_MORE && in.len >= SNI_HELLO_MAX)
		return SNI_BAD;
	return r;
}
