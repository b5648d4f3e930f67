/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns - reads one question and writes one answer (RFC 1035, 6891); and the table of made-up
 * addresses that maps back to the names asked for.
 *
 * Nothing here ever sends a query: the sandbox's DNS is a table.
 */
#ifndef STOCKADE_NET_DNS_H
#define STOCKADE_NET_DNS_H

#include "base/host.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define DNS_MESSAGE_MAX 512 /* our answers; a longer question is refused */
#define DNS_TTL 60	    /* seconds; a made-up address stays valid for the session anyway */

enum dns_type { DNS_A = 1, DNS_AAAA = 28 };
enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN_RC = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5
};

struct dns_question {
	uint16_t id;
	bool recursion_desired;
	struct host name; /* canonical; never an address */
	uint16_t type, class;
	size_t question_end; /* offset after the question section, 12 when it could not be read */
	bool edns;	     /* an OPT record was there: the answer carries one (RFC 6891 6.1.1) */
};

/* 0, or an rcode to answer with as a negative number (-DNS_FORMERR, -DNS_NOTIMP, -DNS_REFUSED for
 * names outside the host grammar); *ret is then good for dns_answer(), its name is empty;
 * -EBADMSG when nothing should be answered (shorter than a header, or a response). */
int dns_question_parse(struct str in, struct dns_question *ret);
/* Answer with no, one A or one AAAA record; `addr` NULL = empty answer with `rcode`.  Returns the
 * length written, at most DNS_MESSAGE_MAX. */
size_t dns_answer(struct str question, const struct dns_question *q, enum dns_rcode rcode,
		  const struct addr *addr, unsigned char out[static DNS_MESSAGE_MAX]);

/* Made-up addresses: 198.18.1.0 .. 198.19.255.255 and fd73:746f:636b:6164::/64. */
#define DNS_NAMES_MAX 65536u

/* Random, so that names cannot be chosen to collide in the table. */
#define DNS_NAMES_KEY_LEN 16

struct dns_names; /* owned by its creator */
struct dns_names *dns_names_new(const uint8_t key[static DNS_NAMES_KEY_LEN]);
void dns_names_free(struct dns_names *t);
/* Same name, same addresses, for the whole session. -ENOSPC when the table is full, -EINVAL for an
 * address. */
int dns_names_assign(struct dns_names *t, const struct host *name, struct addr *ret4,
		     struct addr *ret6);
/* The name behind a made-up address, or NULL.  Valid until dns_names_free(). */
const struct host *dns_names_lookup(const struct dns_names *t, const struct addr *a);
/* True for any address of the two ranges, assigned or not. */
bool dns_names_is_fake(const struct addr *a);

#endif
