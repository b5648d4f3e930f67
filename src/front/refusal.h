/* SPDX-License-Identifier: Apache-2.0 */
/* refusal - what is told to the one who is refused: a function of values.  Pure. */
#ifndef STOCKADE_FRONT_REFUSAL_H
#define STOCKADE_FRONT_REFUSAL_H

#include "base/buf.h"
#include "base/host.h"
#include "net/http1.h"
#include "policy/policy.h"

/* What is told, as values. */
struct refusal {
	unsigned status;
	const char *reason; /* token */
	struct str host;
	uint16_t port; /* 0: no destination is known */
	struct str method, path;
	const struct net_rule *rule; /* the one that decided, or NULL */
	struct str detail;	     /* more for a person, or empty */
	bool by_policy;		     /* a rule can change it: say how */
};

/* The body, as text or as JSON; negative when it does not fit. */
int refusal_text(const struct refusal *r, struct buf *out);
int refusal_json(const struct refusal *r, struct buf *out);
/* What the status line says of one of our statuses. */
const char *refusal_phrase(unsigned status);
/* Does Accept name JSON before any text? */
bool refusal_prefers_json(const struct http1_request *r);

/* "file:line" of a rule, cut when it does not fit; "default" for none. */
#define REFUSAL_RULE_MAX 512
struct str refusal_rule(const struct net_rule *r, char buf[static REFUSAL_RULE_MAX]);

#endif
