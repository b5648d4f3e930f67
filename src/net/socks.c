/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socks - see socks.h.  Called by front on the SOCKS listener; input is hostile.
 *
 * One client message a call.  Names go through host_parse() like every other name: what it refuses
 * (NUL, control bytes, half-addresses) is never passed on.
 */
#include "net/socks.h"

#include <errno.h>

/* RFC 1928 3, 4, 6; RFC 1929 2 */
#define VERSION 5
#define VERSION_4 4
#define AUTH_VERSION 1
#define METHOD_NONE 0
#define METHOD_PASSWORD 2
#define METHOD_REFUSED 0xff
#define COMMAND_CONNECT 1
#define TYPE_IPV4 1
#define TYPE_NAME 3
#define TYPE_IPV6 4
#define REQUEST_HEAD 4
#define PORT_LEN 2
#define SOCKS4_REPLY_LEN 8
#define SOCKS4_REJECTED 91

struct answer {
	unsigned char *p;
	size_t *len;
};

static void answer2(struct answer a, unsigned char first, unsigned char second)
{
	a.p[0] = first;
	a.p[1] = second;
	*a.len = 2;
}

size_t socks_reply(enum socks_status st, unsigned char ret[static SOCKS_REPLY_MAX])
{
	/* The bound address says 0.0.0.0:0: it would tell the agent about the host. */
	memset(ret, 0, SOCKS_REPLY_MAX);
	ret[0] = VERSION;
	ret[1] = (unsigned char)st;
	ret[3] = TYPE_IPV4;
	return SOCKS_REPLY_MAX;
}

static int refuse(struct answer a, enum socks_status st)
{
	*a.len = socks_reply(st, a.p);
	return -EINVAL;
}

static int refuse_version(struct answer a, unsigned char version)
{
	if (version == VERSION_4) {
		memset(a.p, 0, SOCKS4_REPLY_LEN);
		a.p[1] = SOCKS4_REJECTED;
		*a.len = SOCKS4_REPLY_LEN;
	}
	return -EINVAL;
}

static int feed_greeting(struct socks *s, struct str in, size_t *ret_used, struct answer a)
{
	const unsigned char *p = (const unsigned char *)in.p;
	size_t need;

	if (p[0] != VERSION)
		return refuse_version(a, p[0]);
	need = in.len < 2 ? 2 : 2 + (size_t)p[1];
	if (in.len < need)
		return 0;
	*ret_used = need;
	if (memchr(p + 2, METHOD_NONE, need - 2)) {
		s->step = SOCKS_REQUEST;
		answer2(a, VERSION, METHOD_NONE);
		return 0;
	}
	if (memchr(p + 2, METHOD_PASSWORD, need - 2)) {
		s->step = SOCKS_AUTH;
		answer2(a, VERSION, METHOD_PASSWORD);
		return 0;
	}
	answer2(a, VERSION, METHOD_REFUSED);
	return -EINVAL;
}

/* Version, name, password: looked at only for their lengths. */
static int feed_auth(struct socks *s, struct str in, size_t *ret_used, struct answer a)
{
	const unsigned char *p = (const unsigned char *)in.p;
	size_t need = 2;

	if (p[0] != AUTH_VERSION) {
		answer2(a, AUTH_VERSION, 1);
		return -EINVAL;
	}
	if (in.len >= need)
		need += (size_t)p[1] + 1;
	if (in.len >= need && need > 2)
		need += p[need - 1];
	if (in.len < need || need == 2)
		return 0;
	*ret_used = need;
	s->step = SOCKS_REQUEST;
	answer2(a, AUTH_VERSION, 0);
	return 0;
}

/* Offset and length of the address; 0 when the length byte is not there yet. */
static int address_len(struct str in, size_t *ret_at, size_t *ret_len)
{
	const unsigned char *p = (const unsigned char *)in.p;

	*ret_at = REQUEST_HEAD;
	switch (p[3]) {
	case TYPE_IPV4:
		*ret_len = 4;
		return 1;
	case TYPE_IPV6:
		*ret_len = 16;
		return 1;
	case TYPE_NAME:
		if (in.len <= REQUEST_HEAD)
			return 0;
		*ret_at = REQUEST_HEAD + 1;
		*ret_len = p[REQUEST_HEAD];
		return 1;
	default:
		return -EINVAL;
	}
}

static int read_host(unsigned char type, struct str bytes, struct host *ret)
{
	char text[ADDR_TEXT_MAX];
	struct addr addr;

	if (type == TYPE_NAME)
		return host_parse(bytes, ret);
	if (addr_from_bytes((const uint8_t *)bytes.p, bytes.len, &addr) < 0)
		return -EINVAL;
	/* By way of its text, so that an address has one canonical form here too. */
	return host_parse(str_from(addr_format(&addr, text)), ret);
}

static int feed_request(struct socks *s, struct str in, size_t *ret_used, struct answer a)
{
	const unsigned char *p = (const unsigned char *)in.p;
	size_t at, len;
	struct host host;
	unsigned port;
	int r;

	if (p[0] != VERSION)
		return refuse(a, SOCKS_FAILURE);
	if (in.len < REQUEST_HEAD)
		return 0;
	if (p[1] != COMMAND_CONNECT)
		return refuse(a, SOCKS_BAD_COMMAND);
	if (p[2] != 0)
		return refuse(a, SOCKS_FAILURE);
	r = address_len(in, &at, &len);
	if (r < 0)
		return refuse(a, SOCKS_BAD_ADDRESS);
	if (r == 0 || in.len < at + len + PORT_LEN)
		return 0;
	if (read_host(p[3], (struct str){ in.p + at, len }, &host) < 0)
		return refuse(a, SOCKS_BAD_ADDRESS);
	port = (unsigned)p[at + len] << 8 | p[at + len + 1];
	if (port == 0)
		return refuse(a, SOCKS_FAILURE);
	*ret_used = at + len + PORT_LEN;
	s->host = host;
	s->port = (uint16_t)port;
	s->step = SOCKS_DONE;
	return 1;
}

int socks_feed(struct socks *s, struct str in, size_t *ret_used,
	       unsigned char reply[static SOCKS_REPLY_MAX], size_t *ret_reply)
{
	static int (*const feeds[])(struct socks *, struct str, size_t *, struct answer) = {
		[SOCKS_GREETING] = feed_greeting,
		[SOCKS_AUTH] = feed_auth,
		[SOCKS_REQUEST] = feed_request,
	};
	struct answer a = { reply, ret_reply };

	*ret_used = 0;
	*ret_reply = 0;
	if (s->step == SOCKS_DONE)
		return 1;
	if (in.len == 0)
		return 0;
	return feeds[s->step](s, in, ret_used, a);
}
