/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netlink - see netlink.h.
 *
 * Called by sandbox/netns.c in the sandboxed child, before any restriction; input is ours.
 * Sources: rtnetlink(7), linux/netfilter/nf_tables.h, net/netfilter/nf_tables_api.c.
 */
#include "os/netlink.h"

#include "os/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define LOOPBACK_INDEX 1 /* in every network namespace */
/* The nftables batch is the longest thing built here, about 1.6 KiB. */
#define BATCH_MAX 4096u
/* sizeof(struct nlattr), which is aligned as it is (NLA_HDRLEN is a signed expression). */
#define ATTR_HEAD 4u

struct batch {
	_Alignas(8) char bytes[BATCH_MAX];
	size_t len;
	struct nlmsghdr *message; /* the one being built */
	unsigned acks;		  /* answers to expect */
	bool overflow;
};

static void *grow(struct batch *b, size_t n)
{
	static _Alignas(8) char sink[512];
	void *p = b->bytes + b->len;

	n = NLMSG_ALIGN(n);
	if (n > sizeof(b->bytes) - b->len) {
		b->overflow = true;
		return sink;
	}
	memset(p, 0, n);
	b->len += n;
	if (b->message)
		b->message->nlmsg_len = (unsigned)(b->bytes + b->len - (char *)b->message);
	return p;
}

static void message(struct batch *b, unsigned type, unsigned flags, const void *head, size_t size)
{
	struct nlmsghdr *h;

	b->message = NULL;
	h = grow(b, sizeof(*h));
	h->nlmsg_type = (unsigned short)type;
	h->nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags);
	h->nlmsg_len = sizeof(*h);
	b->message = h;
	if (flags & NLM_F_ACK)
		b->acks++;
	memcpy(grow(b, size), head, size);
}

static void attribute(struct batch *b, unsigned type, const void *value, size_t size)
{
	struct nlattr *a = grow(b, ATTR_HEAD + size);

	a->nla_type = (unsigned short)type;
	a->nla_len = (unsigned short)(ATTR_HEAD + size);
	memcpy((char *)a + ATTR_HEAD, value, size);
}

static void attribute_str(struct batch *b, unsigned type, const char *text)
{
	attribute(b, type, text, strlen(text) + 1);
}

static void attribute_be32(struct batch *b, unsigned type, uint32_t v)
{
	v = htonl(v);
	attribute(b, type, &v, sizeof(v));
}

static size_t nest(struct batch *b, unsigned type)
{
	size_t at = b->len;

	attribute(b, type | NLA_F_NESTED, "", 0);
	return at;
}

static void nest_end(struct batch *b, size_t at)
{
	if (!b->overflow)
		((struct nlattr *)(void *)(b->bytes + at))->nla_len = (unsigned short)(b->len - at);
}

/* Sends the batch and reads one answer for each message that asked; the first error wins. */
static int talk(struct batch *b, int protocol)
{
	_cleanup_(close_fd) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	_Alignas(8) char answer[8192];

	if (b->overflow)
		return -ENOBUFS;
	if (fd < 0)
		return -errno;
	if (send(fd, b->bytes, b->len, 0) < 0)
		return -errno;
	while (b->acks) {
		/* The kernel answers during send: nothing here means that nothing will come. */
		ssize_t n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
		struct nlmsghdr *h = (void *)answer;

		if (n < 0)
			return -errno;
		for (unsigned left = (unsigned)n; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			struct nlmsgerr *answered = NLMSG_DATA(h);

			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			if (answered->error)
				return answered->error;
			if (b->acks)
				b->acks--;
		}
	}
	return 0;
}

/* ---- routes ---- */

static void loopback_up(struct batch *b)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC,
				  .ifi_index = LOOPBACK_INDEX,
				  .ifi_flags = IFF_UP,
				  .ifi_change = IFF_UP };

	message(b, RTM_NEWLINK, NLM_F_ACK, &link, sizeof(link));
}

static void any_address_route(struct batch *b, unsigned char family)
{
	const struct rtmsg route = { .rtm_family = family,
				     .rtm_table = RT_TABLE_LOCAL,
				     .rtm_protocol = RTPROT_BOOT,
				     .rtm_scope = RT_SCOPE_HOST,
				     .rtm_type = RTN_LOCAL };
	const uint32_t index = LOOPBACK_INDEX;

	message(b, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE, &route, sizeof(route));
	attribute(b, RTA_OIF, &index, sizeof(index));
}

int netlink_loopback(bool any_address, struct err *e)
{
	struct batch b = { .len = 0 }, v6 = { .len = 0 };
	int r;

	loopback_up(&b);
	if (any_address)
		any_address_route(&b, AF_INET);
	r = talk(&b, NETLINK_ROUTE);
	if (r < 0)
		return err_sys(e, r, "loopback and IPv4 route");
	if (!any_address)
		return 0;
	any_address_route(&v6, AF_INET6);
	r = talk(&v6, NETLINK_ROUTE);
	/* A kernel without IPv6 has no way out over it either. */
	if (r < 0 && r != -EAFNOSUPPORT && r != -EOPNOTSUPP)
		return err_sys(e, r, "IPv6 route");
	return 0;
}

/* ---- nftables ---- */

#define TABLE "stockade"
#define CHAIN "output"

static void nft_message(struct batch *b, unsigned type, unsigned flags)
{
	const struct nfgenmsg head = { .nfgen_family = NFPROTO_INET };

	message(b, (NFNL_SUBSYS_NFTABLES << 8) | type, flags, &head, sizeof(head));
}

static void nft_bracket(struct batch *b, unsigned type)
{
	const struct nfgenmsg head = { .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	message(b, type, 0, &head, sizeof(head));
}

struct expression {
	size_t element, data;
};

static struct expression expr_begin(struct batch *b, const char *name)
{
	struct expression x = { .element = nest(b, NFTA_LIST_ELEM) };

	attribute_str(b, NFTA_EXPR_NAME, name);
	x.data = nest(b, NFTA_EXPR_DATA);
	return x;
}

static void expr_end(struct batch *b, struct expression x)
{
	nest_end(b, x.data);
	nest_end(b, x.element);
}

static void expr_meta(struct batch *b, unsigned key)
{
	struct expression x = expr_begin(b, "meta");

	attribute_be32(b, NFTA_META_KEY, key);
	attribute_be32(b, NFTA_META_DREG, NFT_REG_1);
	expr_end(b, x);
}

static void expr_network_header(struct batch *b, unsigned offset, unsigned len)
{
	struct expression x = expr_begin(b, "payload");

	attribute_be32(b, NFTA_PAYLOAD_DREG, NFT_REG_1);
	attribute_be32(b, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	attribute_be32(b, NFTA_PAYLOAD_OFFSET, offset);
	attribute_be32(b, NFTA_PAYLOAD_LEN, len);
	expr_end(b, x);
}

static void expr_equal(struct batch *b, const void *value, size_t size)
{
	struct expression x = expr_begin(b, "cmp");
	size_t data;

	attribute_be32(b, NFTA_CMP_SREG, NFT_REG_1);
	attribute_be32(b, NFTA_CMP_OP, NFT_CMP_EQ);
	data = nest(b, NFTA_CMP_DATA);
	attribute(b, NFTA_DATA_VALUE, value, size);
	nest_end(b, data);
	expr_end(b, x);
}

static void expr_accept(struct batch *b)
{
	struct expression x = expr_begin(b, "immediate");
	size_t data, verdict;

	attribute_be32(b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = nest(b, NFTA_IMMEDIATE_DATA);
	verdict = nest(b, NFTA_DATA_VERDICT);
	attribute_be32(b, NFTA_VERDICT_CODE, NF_ACCEPT);
	nest_end(b, verdict);
	nest_end(b, data);
	expr_end(b, x);
}

static void expr_redirect(struct batch *b, uint16_t port)
{
	struct expression x = expr_begin(b, "immediate");
	size_t data;
	const uint16_t wire = htons(port);

	attribute_be32(b, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	data = nest(b, NFTA_IMMEDIATE_DATA);
	attribute(b, NFTA_DATA_VALUE, &wire, sizeof(wire));
	nest_end(b, data);
	expr_end(b, x);
	x = expr_begin(b, "redir");
	attribute_be32(b, NFTA_REDIR_REG_PROTO_MIN, NFT_REG_1);
	expr_end(b, x);
}

static size_t rule_begin(struct batch *b)
{
	nft_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	attribute_str(b, NFTA_RULE_TABLE, TABLE);
	attribute_str(b, NFTA_RULE_CHAIN, CHAIN);
	return nest(b, NFTA_RULE_EXPRESSIONS);
}

/* "family F and destination = value: accept": what keeps its own way. */
static void rule_keep(struct batch *b, uint8_t family, unsigned offset, const void *value,
		      size_t size)
{
	size_t rule = rule_begin(b);

	expr_meta(b, NFT_META_NFPROTO);
	expr_equal(b, &family, sizeof(family));
	expr_network_header(b, offset, (unsigned)size);
	expr_equal(b, value, size);
	expr_accept(b);
	nest_end(b, rule);
}

static void table_and_chain(struct batch *b)
{
	size_t hook;

	nft_message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	attribute_str(b, NFTA_TABLE_NAME, TABLE);
	nft_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	attribute_str(b, NFTA_CHAIN_TABLE, TABLE);
	attribute_str(b, NFTA_CHAIN_NAME, CHAIN);
	hook = nest(b, NFTA_CHAIN_HOOK);
	attribute_be32(b, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT);
	attribute_be32(b, NFTA_HOOK_PRIORITY, (uint32_t)NF_IP_PRI_NAT_DST);
	nest_end(b, hook);
	attribute_str(b, NFTA_CHAIN_TYPE, "nat");
}

int netlink_redirect(uint32_t gateway, uint16_t port, struct err *e)
{
	static const uint8_t loopback6[16] = { [15] = 1 };
	const uint8_t loopback4 = 127, tcp = IPPROTO_TCP;
	struct batch b = { .len = 0 };
	size_t rule;
	int r;

	nft_bracket(&b, NFNL_MSG_BATCH_BEGIN);
	table_and_chain(&b);
	/* Destination addresses lie at 16 of an IPv4 and at 24 of an IPv6 header. */
	rule_keep(&b, NFPROTO_IPV4, 16, &loopback4, sizeof(loopback4));
	rule_keep(&b, NFPROTO_IPV4, 16, &gateway, sizeof(gateway));
	rule_keep(&b, NFPROTO_IPV6, 24, loopback6, sizeof(loopback6));
	rule = rule_begin(&b);
	expr_meta(&b, NFT_META_L4PROTO);
	expr_equal(&b, &tcp, sizeof(tcp));
	expr_redirect(&b, port);
	nest_end(&b, rule);
	/* One answer for the batch: the kernel carries out all of it or nothing. */
	if (b.message)
		b.message->nlmsg_flags |= NLM_F_ACK;
	b.acks = 1;
	nft_bracket(&b, NFNL_MSG_BATCH_END);
	r = talk(&b, NETLINK_NETFILTER);
	return r < 0 ? err_sys(e, r, "nftables redirect") : 0;
}
