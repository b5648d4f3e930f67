/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnsstub - see dnsstub.h.  Runs in front; questions are hostile.
 *
 * A name that some rule could allow gets its made-up addresses.  A denied one gets them too (so
 * that the connection can explain itself) or NXDOMAIN, as policy says, and one record the first
 * time.  Nothing is ever looked up: a name with a secret in it goes nowhere.
 */
#include "front/dnsstub.h"

#include "front/account.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define CLASS_IN 1
/* A question is at most this; longer ones are cut by the kernel and then malformed. */
#define QUESTION_MAX 1024

int dnsstub_prepare(int fd, enum listener_kind kind)
{
	int on = 1;
	int r = kind == LISTENER_DNS4
		    ? setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on)
		    : setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);

	return r < 0 ? -errno : 0;
}

/* First denial of this name?  The table is keyed, bounded, and starts anew when full. */
static bool first_time(struct front *f, const struct host *h)
{
	uint64_t key = f->dns_denied_seed;

	for (size_t i = 0; i < h->len; i++)
		key = (key ^ (unsigned char)h->text[i]) * 1099511628211u;
	for (size_t i = 0; i < f->ndns_denied; i++)
		if (f->dns_denied[i] == key)
			return false;
	if (f->ndns_denied == ARRAY_LEN(f->dns_denied))
		f->ndns_denied = 0;
	f->dns_denied[f->ndns_denied++] = key;
	return true;
}

static size_t answer(struct front *f, enum listener_kind kind, struct str question,
		     const struct dns_question *q, unsigned char out[static DNS_MESSAGE_MAX])
{
	struct intent in = { .kind = INTENT_RESOLVE, .host = q->name };
	struct addr v4, v6;
	struct verdict v;

	if (q->class != CLASS_IN)
		return dns_answer(question, q, DNS_REFUSED, NULL, out);
	decide(f->setup->policy, &in, &v);
	if (v.action != ACTION_ALLOW) {
		if (first_time(f, &q->name) && account_verdict(f, kind, &in, &v, NULL, 0) < 0)
			return 0;
		if (f->setup->policy->dns_denied == DNS_NXDOMAIN)
			return dns_answer(question, q, DNS_NXDOMAIN_RC, NULL, out);
	}
	if (dns_names_assign(f->names, &q->name, &v4, &v6) < 0)
		return dns_answer(question, q, DNS_SERVFAIL, NULL, out);
	return dns_answer(question, q, DNS_NOERROR,
			  q->type == DNS_A	? &v4
			  : q->type == DNS_AAAA ? &v6
						: NULL,
			  out);
}

/* The answer must come from the address that was asked: the control message goes back as it
 * came, but for the interface, which would be taken for a route. */
static void turn_control(struct msghdr *m)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo p;

			memcpy(&p, CMSG_DATA(h), sizeof p);
			p.ipi_spec_dst = p.ipi_addr;
			p.ipi_ifindex = 0;
			memcpy(CMSG_DATA(h), &p, sizeof p);
		} else if (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo p;

			memcpy(&p, CMSG_DATA(h), sizeof p);
			p.ipi6_ifindex = 0;
			memcpy(CMSG_DATA(h), &p, sizeof p);
		}
	}
}

static bool serve_one(struct front *f, int fd, enum listener_kind kind)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control;
	char question[QUESTION_MAX];
	unsigned char out[DNS_MESSAGE_MAX];
	struct sockaddr_storage peer;
	struct iovec iov = { question, sizeof question };
	struct msghdr m = { .msg_name = &peer,
			    .msg_namelen = sizeof peer,
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.room,
			    .msg_controllen = sizeof control.room };
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);
	struct dns_question q = { 0 };
	struct str in;
	int r;

	if (n < 0)
		return false;
	in = (struct str){ question, (size_t)n };
	r = dns_question_parse(in, &q);
	if (r == -EBADMSG)
		return true;
	iov.iov_base = out;
	iov.iov_len = r < 0 ? dns_answer(in, &q, (enum dns_rcode) - r, NULL, out)
			    : answer(f, kind, in, &q, out);
	turn_control(&m);
	if (iov.iov_len)
		sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL); /* lost: the client asks again */
	return f->failed == 0;
}

void dnsstub_serve(struct front *f, int fd, enum listener_kind kind)
{
	for (int i = 0; i < DNSSTUB_BATCH && serve_one(f, fd, kind); i++)
		;
}
