/* SPDX-License-Identifier: Apache-2.0 */
/* tally - counters for the three-line summary, kept by whoever writes the log. */
#ifndef STOCKADE_AUDIT_TALLY_H
#define STOCKADE_AUDIT_TALLY_H

#include "audit/record.h"

/* How many denied places the summary names. */
#define AUDIT_TOP_DENIED 5
/* Distinct denied host:port counted apart; an agent that tries more is counted in `denied`. */
#define AUDIT_TALLY_HOSTS 64u
/* A name of 253 bytes and its NUL, rounded. */
#define AUDIT_TALLY_HOST_MAX 256u

struct audit_tally {
	uint64_t allowed, denied, errors;
	struct {
		char host[AUDIT_TALLY_HOST_MAX];
		uint16_t port; /* 0: a name was asked for, no port */
		uint64_t count;
	} top[AUDIT_TALLY_HOSTS]; /* first come, first kept */
	unsigned ntop;
};

void audit_tally_add(struct audit_tally *t, const struct audit_record *r);
/* Most denied first; equal counts keep the order in which they came. */
void audit_tally_sort(struct audit_tally *t);
/* MSG_SUMMARY: counters and as many places as the message holds, most denied first. */
int audit_tally_pack(struct audit_tally *t, struct buf *out);
int audit_tally_unpack(struct str payload, struct audit_tally *ret);

#endif
