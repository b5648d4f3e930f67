/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host - the one reading of a host name.
 *
 * Several released proxies fell to nothing but two readings of one name.  Here a name is
 * canonicalised once, where it enters; everything after that compares bytes.
 */
#ifndef STOCKADE_BASE_HOST_H
#define STOCKADE_BASE_HOST_H

#include "base/addr.h"
#include "base/str.h"

/* RFC 1035 2.3.4: 253 visible bytes; labels of 1..63. */
#define HOST_NAME_MAX_LEN 253

/* A canonical host: a lower-case name of [a-z0-9._-], or an address. */
struct host {
	struct addr addr; /* family 0: it is a name */
	uint8_t len;	  /* of text */
	char text[HOST_NAME_MAX_LEN +
		  1]; /* canonical text, NUL-terminated; RFC 5952 for addresses */
};

/* Canonicalises what a client sent: ASCII case folded, one trailing dot stripped, labels checked,
 * "[v6]" and strict literals become addresses.  A name whose last label is all digits or starts
 * with 0x (what inet_aton would read as an address: 127.1, 0x7f.1, 2130706433) is refused, and so
 * are NUL, '%', spaces, empty labels and anything outside the grammar: -EINVAL. */
int host_parse(struct str s, struct host *ret);
static inline struct str host_str(const struct host *h)
{
	return (struct str){ h->text, h->len };
}

/* A pattern of a rule: exact name, "*.suffix" (one or more labels before it, never the suffix
 * itself), "*" (any name, never an address literal), or an exact address. */
enum host_pattern_kind { HOST_EXACT, HOST_SUFFIX, HOST_ANY };

struct host_pattern {
	enum host_pattern_kind kind;
	struct host host; /* EXACT: the host; SUFFIX: the name after "*." */
};

int host_pattern_parse(struct str s, struct host_pattern *ret);
bool host_pattern_match(const struct host_pattern *p, const struct host *h);

#endif
