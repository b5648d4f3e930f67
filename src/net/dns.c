/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns - one question in, one answer out (RFC 1035 4, RFC 6891 6).  Called by front on its UDP
 * socket; input is hostile.  Pure.
 *
 * Compression is not followed: a question has nothing to point at.
 */
#include "net/dns.h"

#include <errno.h>

#define HEAD_LEN 12
#define FLAG_RESPONSE 0x8000u
#define FLAG_AUTHORITATIVE 0x0400u
#define FLAG_TRUNCATED 0x0200u
#define FLAG_RECURSION_DESIRED 0x0100u
#define FLAG_RECURSION_AVAILABLE 0x0080u
#define OPCODE(flags) ((flags) >> 11 & 15)
#define CLASS_IN 1
#define TYPE_OPT 41
#define LABEL_MAX 63
#define RECORD_FIXED 10 /* type, class, TTL, length */
#define NAME_POINTER 0xc000u

static unsigned get16(struct str s, size_t at)
{
	return (unsigned)(unsigned char)s.p[at] << 8 | (unsigned char)s.p[at + 1];
}

/* The labels from *at, joined with dots.  0, -DNS_FORMERR, or -DNS_REFUSED (*at is then still
 * moved past the name). */
static int read_name(struct str in, size_t *at, char text[static HOST_NAME_MAX_LEN],
		     size_t *ret_len)
{
	size_t len = 0, p = *at;
	int result = 0;

	for (;;) {
		size_t n;

		if (p >= in.len)
			return -DNS_FORMERR;
		n = (unsigned char)in.p[p++];
		if (n == 0)
			break;
		if (n > LABEL_MAX || n > in.len - p || len + n + 1 > HOST_NAME_MAX_LEN + 1)
			return -DNS_FORMERR;
		if (memchr(in.p + p, '.', n))
			result = -DNS_REFUSED; /* one label that would be read as two */
		if (len)
			text[len++] = '.';
		if (len + n > HOST_NAME_MAX_LEN)
			return -DNS_FORMERR;
		memcpy(text + len, in.p + p, n);
		len += n;
		p += n;
	}
	*at = p;
	*ret_len = len;
	return result;
}

/* What may stand after the question: one OPT record of version 0, and nothing else. */
static int read_additional(struct str in, size_t at, unsigned count, bool *ret_edns)
{
	if (count == 0)
		return at == in.len ? 0 : -DNS_FORMERR;
	if (count > 1 || in.len - at < 1 + RECORD_FIXED || in.p[at] != 0)
		return -DNS_FORMERR;
	if (get16(in, at + 1) != TYPE_OPT || in.p[at + 6] != 0)
		return -DNS_FORMERR;
	if (in.len - at - 1 - RECORD_FIXED != get16(in, at + 1 + 8))
		return -DNS_FORMERR;
	*ret_edns = true;
	return 0;
}

static int read_question(struct str in, struct dns_question *ret)
{
	char text[HOST_NAME_MAX_LEN];
	size_t at = HEAD_LEN, len = 0;
	struct host host;
	int r, e;

	r = read_name(in, &at, text, &len);
	if (r == -DNS_FORMERR || in.len - at < 4)
		return -DNS_FORMERR;
	ret->type = (uint16_t)get16(in, at);
	ret->class = (uint16_t)get16(in, at + 2);
	e = read_additional(in, at + 4, get16(in, 10), &ret->edns);
	if (e < 0)
		return e;
	ret->question_end = at + 4;
	if (r < 0 || ret->class != CLASS_IN)
		return -DNS_REFUSED;
	if (host_parse((struct str){ text, len }, &host) < 0 || host.addr.family)
		return -DNS_REFUSED;
	ret->name = host;
	return 0;
}

int dns_question_parse(struct str in, struct dns_question *ret)
{
	unsigned flags;

	if (in.len < HEAD_LEN)
		return -EBADMSG;
	flags = get16(in, 2);
	if (flags & FLAG_RESPONSE)
		return -EBADMSG;
	*ret = (struct dns_question){
		.id = (uint16_t)get16(in, 0),
		.recursion_desired = flags & FLAG_RECURSION_DESIRED,
		.question_end = HEAD_LEN,
	};
	if (OPCODE(flags) != 0)
		return -DNS_NOTIMP;
	if (in.len > DNS_MESSAGE_MAX || flags & FLAG_TRUNCATED)
		return -DNS_FORMERR;
	if (get16(in, 4) != 1 || get16(in, 6) != 0 || get16(in, 8) != 0)
		return -DNS_FORMERR;
	return read_question(in, ret);
}

static void put16(unsigned char *out, size_t *len, unsigned v)
{
	out[(*len)++] = (unsigned char)(v >> 8);
	out[(*len)++] = (unsigned char)v;
}

static void put_record(unsigned char *out, size_t *len, const struct addr *a)
{
	size_t n = a->family == 4 ? 4 : 16;

	put16(out, len, NAME_POINTER | HEAD_LEN); /* the name asked for */
	put16(out, len, a->family == 4 ? DNS_A : DNS_AAAA);
	put16(out, len, CLASS_IN);
	put16(out, len, DNS_TTL >> 16);
	put16(out, len, DNS_TTL & 0xffff);
	put16(out, len, (unsigned)n);
	memcpy(out + *len, a->bytes, n);
	*len += n;
}

static void put_opt(unsigned char *out, size_t *len)
{
	out[(*len)++] = 0; /* root */
	put16(out, len, TYPE_OPT);
	put16(out, len, DNS_MESSAGE_MAX); /* longest question read */
	put16(out, len, 0);
	put16(out, len, 0);
	put16(out, len, 0);
}

size_t dns_answer(struct str question, const struct dns_question *q, enum dns_rcode rcode,
		  const struct addr *addr, unsigned char out[static DNS_MESSAGE_MAX])
{
	bool asked = q->question_end > HEAD_LEN;
	unsigned flags = FLAG_RESPONSE | FLAG_AUTHORITATIVE | FLAG_RECURSION_AVAILABLE;
	size_t len = 0;

	if (addr && (!asked || q->type != (addr->family == 4 ? DNS_A : DNS_AAAA)))
		addr = NULL;
	if (q->recursion_desired)
		flags |= FLAG_RECURSION_DESIRED;
	put16(out, &len, q->id);
	put16(out, &len, flags | (unsigned)rcode);
	put16(out, &len, asked);
	put16(out, &len, addr != NULL);
	put16(out, &len, 0);
	put16(out, &len, q->edns);
	if (asked) {
		/* Echoed as sent: resolvers vary the case of letters to tell answers apart. */
		memcpy(out + len, question.p + HEAD_LEN, q->question_end - HEAD_LEN);
		len += q->question_end - HEAD_LEN;
	}
	if (addr)
		put_record(out, &len, addr);
	if (q->edns)
		put_opt(out, &len);
	return len;
}
