/* SPDX-License-Identifier: Apache-2.0 */
/* inject - see inject.h.  Called by back for each mediated request, whose fields are hostile. */
#include "back/inject.h"

#include "base/own.h"

/* Fields in which services take keys, lower case.  Proxy-Authorization never gets this far. */
static const struct str known_fields[] = {
	STR_LIT("authorization"),  STR_LIT("x-api-key"),     STR_LIT("api-key"),
	STR_LIT("x-goog-api-key"), STR_LIT("private-token"),
};

/* What clients put before a key. */
static const struct str known_schemes[] = { STR_LIT(""), STR_LIT("Bearer "), STR_LIT("token ") };

static const char *const names[INJECT_MAX] = {
	[INJECT_OK] = "allowed",
	[INJECT_FOREIGN] = "foreign-credential",
	[INJECT_ELSEWHERE] = "placeholder-elsewhere",
};

const char *inject_name(enum inject_verdict v)
{
	return names[v];
}

static bool contains(struct str hay, struct str needle)
{
	return needle.len > 0 && hay.len >= needle.len &&
	       memmem(hay.p, hay.len, needle.p, needle.len) != NULL;
}

static const struct credential *rule_credential(const struct policy *p, const struct net_rule *r,
						const struct host *h)
{
	if (r->action != ACTION_ALLOW || !r->credential || !host_pattern_match(&r->host, h))
		return NULL;
	return policy_credential(p, r->credential);
}

bool inject_host_is_bound(const struct policy *p, const struct host *h)
{
	for (size_t i = 0; i < p->nrules; i++)
		if (rule_credential(p, &p->rules[i], h))
			return true;
	return false;
}

/* The credential of that name, when a rule binds it to this host. */
static const struct credential *bound_credential(const struct policy *p, const struct host *h,
						 struct str name)
{
	for (size_t i = 0; i < p->nrules; i++) {
		const struct credential *c = rule_credential(p, &p->rules[i], h);

		if (c && str_eq(str_from(c->name), name))
			return c;
	}
	return NULL;
}

/* Is this a field in which a key may travel to this host? */
static bool is_credential_field(const struct policy *p, const struct host *h, struct str field)
{
	for (size_t i = 0; i < ARRAY_LEN(known_fields); i++)
		if (request_name_folds_to(field, known_fields[i]))
			return true;
	for (size_t i = 0; i < p->nrules; i++) {
		const struct credential *c = rule_credential(p, &p->rules[i], h);

		if (c && request_name_folds_to(field, str_from(c->header)))
			return true;
	}
	return false;
}

/* value == before placeholder after, the scheme in any case (RFC 9110 11.1). */
static bool is_wrapped(struct str value, struct str before, struct str inner, struct str after)
{
	if (value.len != before.len + inner.len + after.len)
		return false;
	return str_ieq((struct str){ value.p, before.len }, before) &&
	       str_eq((struct str){ value.p + before.len, inner.len }, inner) &&
	       str_eq((struct str){ value.p + before.len + inner.len, after.len }, after);
}

/* Is the whole value one placeholder of a credential bound to this host, in a known wrapping? */
static bool is_own_placeholder(const struct policy *p, const struct host *h, struct str value,
			       const struct placeholder *ph, size_t nph)
{
	for (size_t i = 0; i < nph; i++) {
		const struct credential *c = bound_credential(p, h, ph[i].credential);

		if (!c)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(known_schemes); k++)
			if (is_wrapped(value, known_schemes[k], ph[i].value, STR_NONE))
				return true;
		if (is_wrapped(value, str_from(c->prefix), ph[i].value, str_from(c->suffix)))
			return true;
	}
	return false;
}

static bool anywhere(const struct request *r, struct str needle)
{
	if (contains(r->path, needle) || contains(r->query, needle))
		return true;
	for (size_t i = 0; i < r->nheaders; i++)
		if (contains(r->headers[i].value, needle) || contains(r->headers[i].name, needle))
			return true;
	return false;
}

enum inject_verdict inject_check(const struct policy *p, const struct request *r,
				 const struct placeholder *ph, size_t nph)
{
	for (size_t i = 0; i < nph; i++)
		if (!bound_credential(p, &r->host, ph[i].credential) && anywhere(r, ph[i].value))
			return INJECT_ELSEWHERE;
	if (!inject_host_is_bound(p, &r->host))
		return INJECT_OK;
	for (size_t i = 0; i < r->nheaders; i++)
		if (is_credential_field(p, &r->host, r->headers[i].name) &&
		    !is_own_placeholder(p, &r->host, r->headers[i].value, ph, nph))
			return INJECT_FOREIGN;
	return INJECT_OK;
}

void inject_strip(const struct policy *p, struct request *r)
{
	size_t kept = 0;

	if (!inject_host_is_bound(p, &r->host))
		return;
	for (size_t i = 0; i < r->nheaders; i++)
		if (!is_credential_field(p, &r->host, r->headers[i].name))
			r->headers[kept++] = r->headers[i];
	r->nheaders = kept;
}
