/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide - see decide.h.  Pure; front and back, each on its own copy of the policy; CLI.  Every
 * field of the intent is hostile: host and SNI were canonicalised by host_parse(), the path by
 * the HTTP parser.
 *
 * Theory of operation.  Deny rules stand first.  A deny rule that cannot be checked on what is
 * known (it names a path, and this is a tunnel) denies: the bytes could be what it forbids.  Then
 * the first allow rule that passes decides.  Of those that do not, the one that came nearest is
 * named, so that the refusal can say what to change.
 */
#include "policy/decide.h"

#include "base/glob.h"
#include "base/own.h"
#include "policy/rule.h"

#define PORT_HTTP 80
#define PORT_HTTPS 443

/* Readings of a path on which servers differ: an encoded slash, dot, backslash, NUL or percent
 * sign, a backslash, an empty, "." or ".." segment, a matrix parameter (RFC 3986 3.3).  A path rule
 * must match what the upstream will see, so it never lets such a path through. */
static bool path_ambiguous(struct str path)
{
	static const struct str codes[] = {
		{ "2f", 2 }, { "2e", 2 }, { "5c", 2 }, { "00", 2 }, { "25", 2 }, { "3b", 2 },
	};
	struct str rest = path, part;
	bool first = true;

	for (size_t i = 0; i < path.len; i++) {
		struct str code = { path.p + i + 1, 2 };

		if (path.p[i] == '\\' || path.p[i] == ';' || path.p[i] == '\0')
			return true;
		if (path.p[i] != '%')
			continue;
		if (path.len - i < 3)
			return true;
		for (size_t c = 0; c < ARRAY_LEN(codes); c++)
			if (str_ieq(code, codes[c]))
				return true;
	}
	while (str_next(&rest, '/', &part)) {
		bool last = !rest.p;

		if ((part.len == 0 && !first && !last) || str_eq(part, STR_LIT(".")) ||
		    str_eq(part, STR_LIT("..")))
			return true;
		first = false;
	}
	return false;
}

static bool method_listed(const struct net_rule *r, struct str method)
{
	for (size_t i = 0; i < r->nmethods; i++) {
		struct str m = str_from(r->methods[i]);

		/* Servers that fold case exist: to deny, case does not count. */
		if (r->action == ACTION_DENY ? str_ieq(m, method) : str_eq(m, method))
			return true;
	}
	return r->nmethods == 0;
}

static bool path_listed(const struct net_rule *r, struct str path)
{
	if (r->npaths == 0)
		return true;
	if (path.len == 0 || path.p[0] != '/' || path_ambiguous(path))
		return r->action == ACTION_DENY;
	for (size_t i = 0; i < r->npaths; i++)
		if (glob_match(str_from(r->paths[i]), path))
			return true;
	return false;
}

/* A rule that upgrades is written with the upstream's port, and reached on port 80. */
static bool allow_port(const struct net_rule *r, const struct intent *in)
{
	if (rule_port_listed(r, in->port))
		return true;
	return in->kind != INTENT_TUNNEL && in->port == PORT_HTTP && !in->https &&
	       rule_cleartext(r) == CLEARTEXT_UPGRADE && rule_port_listed(r, PORT_HTTPS);
}

static bool deny_applies(const struct net_rule *r, const struct intent *in, enum reason *why)
{
	*why = REASON_DENY_RULE;
	if (!host_pattern_match(&r->host, &in->host))
		return false;
	/* "*" to deny means everything, addresses too: see deny_matches(). */
	if (in->kind == INTENT_RESOLVE)
		return r->nports == 0 && !rule_needs_request(r);
	if (!rule_port_listed(r, in->port))
		return false;
	if (!rule_needs_request(r))
		return true;
	if (in->kind == INTENT_REQUEST)
		return method_listed(r, in->method) && path_listed(r, in->path);
	*why = REASON_NEEDS_REQUEST;
	/* Before any byte a request may still come, and is decided on its own. */
	return in->kind == INTENT_TUNNEL || in->port == PORT_HTTPS;
}

static enum reason allow_tunnel(const struct net_rule *r, const struct intent *in)
{
	enum cleartext c = rule_cleartext(r);

	if (rule_needs_request(r))
		return REASON_NEEDS_REQUEST;
	if (in->sni_state == SNI_NOT_TLS)
		return c == CLEARTEXT_ALLOW ? REASON_ALLOWED : REASON_CLEARTEXT;
	if (in->host.addr.family)
		/* The rule names the address.  A name in TLS is a second one that nobody decided
		 * on. */
		return in->sni_state == SNI_MISSING ? REASON_ALLOWED : REASON_SNI_MISMATCH;
	if (in->sni_state != SNI_NAME)
		return REASON_NO_SNI;
	if (in->sni.addr.family || !str_eq(host_str(&in->sni), host_str(&in->host)))
		return REASON_SNI_MISMATCH;
	return REASON_ALLOWED;
}

static enum reason allow_request(const struct net_rule *r, const struct intent *in)
{
	if (!in->https && rule_cleartext(r) == CLEARTEXT_REFUSE)
		return REASON_CLEARTEXT;
	/* A request upgrades to TLS only from where clear text is expected, or where asked for. */
	if (!method_listed(r, in->method))
		return REASON_METHOD;
	if (!path_listed(r, in->path))
		return REASON_PATH;
	return REASON_ALLOWED;
}

static enum reason allow_applies(const struct net_rule *r, const struct intent *in)
{
	if (!host_pattern_match(&r->host, &in->host))
		return in->host.addr.family ? REASON_ADDRESS_LITERAL : REASON_NO_RULE;
	if (in->kind == INTENT_RESOLVE)
		return REASON_ALLOWED;
	if (!allow_port(r, in))
		return REASON_PORT;
	if (in->kind == INTENT_TUNNEL)
		return allow_tunnel(r, in);
	if (in->kind == INTENT_REQUEST)
		return allow_request(r, in);
	/* CONNECT: nobody speaks clear text on 443; elsewhere the first bytes will tell. */
	return rule_needs_request(r) && in->port == PORT_HTTPS ? REASON_NEEDS_REQUEST
							       : REASON_ALLOWED;
}

/* How far a rule came before it failed: the farthest is named. */
static unsigned nearness(enum reason r)
{
	static const uint8_t near[REASON_MAX] = {
		[REASON_NO_RULE] = 0,	    [REASON_ADDRESS_LITERAL] = 1, [REASON_PORT] = 2,
		[REASON_CLEARTEXT] = 3,	    [REASON_NO_SNI] = 3,	  [REASON_SNI_MISMATCH] = 3,
		[REASON_NEEDS_REQUEST] = 3, [REASON_METHOD] = 4,	  [REASON_PATH] = 5,
	};

	return near[r];
}

static void allowed(const struct net_rule *r, const struct intent *in, struct verdict *v)
{
	v->action = ACTION_ALLOW;
	v->reason = REASON_ALLOWED;
	v->rule = r;
	if (in->kind == INTENT_TUNNEL || in->kind == INTENT_RESOLVE)
		return;
	v->upgrade = in->https || rule_cleartext(r) == CLEARTEXT_UPGRADE;
	v->mediated = v->upgrade || rule_needs_request(r);
	/* Before any byte, a plain rule promises a tunnel as well. */
	if (in->kind == INTENT_CONNECT && !rule_needs_request(r)) {
		v->upgrade = false;
		v->mediated = false;
	}
}

/* An address that hides under a deny-all: "*" denies names by the pattern, addresses here. */
static bool deny_matches(const struct net_rule *r, const struct intent *in, enum reason *why)
{
	struct intent named;

	if (r->host.kind != HOST_ANY || in->host.addr.family == 0)
		return deny_applies(r, in, why);
	named = *in;
	named.host.addr.family = 0;
	return deny_applies(r, &named, why);
}

void decide(const struct policy *p, const struct intent *in, struct verdict *v)
{
	*v = (struct verdict){ .action = ACTION_DENY,
			       .reason =
				   in->host.addr.family ? REASON_ADDRESS_LITERAL : REASON_NO_RULE };
	if (in->kind != INTENT_RESOLVE && in->port == 0)
		return;
	for (size_t i = 0; i < p->nrules; i++) {
		const struct net_rule *r = &p->rules[i];
		enum reason why;

		if (r->action == ACTION_DENY) {
			if (!deny_matches(r, in, &why))
				continue;
			*v = (struct verdict){ ACTION_DENY, why, r, false, false };
			return;
		}
		why = allow_applies(r, in);
		if (why == REASON_ALLOWED) {
			allowed(r, in, v);
			return;
		}
		if (nearness(why) > nearness(v->reason)) {
			v->reason = why;
			v->rule = why == REASON_ADDRESS_LITERAL ? NULL : r;
		}
	}
}

const char *reason_name(enum reason r)
{
	static const char *const names[] = {
		[REASON_ALLOWED] = "allowed",
		[REASON_NO_RULE] = "no-rule",
		[REASON_DENY_RULE] = "deny-rule",
		[REASON_PORT] = "port",
		[REASON_METHOD] = "method",
		[REASON_PATH] = "path",
		[REASON_NEEDS_REQUEST] = "needs-request",
		[REASON_NO_SNI] = "no-sni",
		[REASON_SNI_MISMATCH] = "sni-mismatch",
		[REASON_CLEARTEXT] = "cleartext",
		[REASON_ADDRESS_LITERAL] = "address-literal",
	};
	_Static_assert(ARRAY_LEN(names) == REASON_MAX, "a name for every reason");

	return (size_t)r < ARRAY_LEN(names) ? names[r] : "unknown";
}

bool rule_allows_address(const struct net_rule *r, const struct addr *a)
{
	if (r->action != ACTION_ALLOW)
		return false;
	if (addr_classify(a) == ADDR_PUBLIC)
		return true;
	if (r->host.kind == HOST_EXACT && r->host.host.addr.family &&
	    addr_eq(&r->host.host.addr, a))
		return true;
	if (r->upstream_addr.family && addr_eq(&r->upstream_addr, a))
		return true;
	for (size_t i = 0; i < r->naddresses; i++)
		if (addr_block_has(&r->addresses[i], a))
			return true;
	return false;
}
