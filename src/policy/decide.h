/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide - one question, one answer.  Deciding is a function of values.
 *
 * Every listener only fills a `struct intent`; front and back ask the same function on their own
 * copies of the policy.  Deny beats allow; among allows the first match in rule order is the one
 * that is named, and whose credential is used.
 */
#ifndef STOCKADE_POLICY_DECIDE_H
#define STOCKADE_POLICY_DECIDE_H

#include "policy/policy.h"

enum intent_kind {
	INTENT_RESOLVE, /* a DNS question: would any port of this name be allowed? */
	INTENT_CONNECT, /* explicit CONNECT/SOCKS before any byte: could a tunnel or request pass?
			 */
	INTENT_TUNNEL,	/* opaque bytes; `sni` says what the TLS ClientHello named */
	INTENT_REQUEST, /* one HTTP request whose head was read */
};

enum sni_state {
	SNI_NOT_TLS, /* first bytes are not a TLS ClientHello */
	SNI_NAME,    /* names `sni` */
	SNI_MISSING, /* TLS without a usable name (none, an address literal, or encrypted) */
};

struct intent {
	enum intent_kind kind;
	struct host host;   /* canonical; a name, or an address where the agent chose one */
	uint16_t port;	    /* as the agent asked */
	bool explicit_port; /* port was named by a proxy request, not by a socket */
	enum sni_state sni_state;
	struct host sni;
	bool https; /* REQUEST: scheme the agent asked for (absolute-form https:// in clear) */
	struct str method; /* REQUEST: as sent */
	struct str path;   /* REQUEST: normalised path without query, starts with '/' (or "*") */
};

enum reason {
	REASON_ALLOWED,
	REASON_NO_RULE,	  /* nothing allows this host and port */
	REASON_DENY_RULE, /* a deny rule names it */
	REASON_PORT,	  /* the host is allowed, not on this port */
	REASON_METHOD,
	REASON_PATH,
	REASON_NEEDS_REQUEST, /* rule limits method or path, or binds a credential: an opaque
				 tunnel cannot be checked (interception is not there yet) */
	REASON_NO_SNI,	      /* TLS without a server name under a name rule */
	REASON_SNI_MISMATCH,
	REASON_CLEARTEXT,	/* plain HTTP to a host whose rule refuses it */
	REASON_ADDRESS_LITERAL, /* an address, and no rule names it */
	REASON_MAX
};

struct verdict {
	enum action action;
	enum reason reason;
	const struct net_rule *rule; /* the one that decided or came nearest, or NULL (no rule) */
	bool mediated; /* allowed, but only request by request through back: the rule looks at
			  method or path, binds a credential, or upgrades to TLS */
	bool upgrade;  /* speak TLS upstream though the agent spoke clear text */
};

/* O(rules) worst case; never allocates.  `v` is always filled. */
void decide(const struct policy *p, const struct intent *in, struct verdict *v);
/* Short stable token for logs and JSON: "no-rule", "sni-mismatch" ... */
const char *reason_name(enum reason r);
/* May this rule's session dial this resolved address?  Public always; else only if named. */
bool rule_allows_address(const struct net_rule *r, const struct addr *a);

#endif
