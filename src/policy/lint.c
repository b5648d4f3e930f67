/* SPDX-License-Identifier: Apache-2.0 */
/* lint - see lint.h.  Pure; CLI. */
#include "policy/lint.h"

#include "base/own.h"
#include "base/path.h"
#include "policy/rule.h"

#include <stdarg.h>
#include <stdio.h>

struct linter {
	const struct policy *p;
	lint_say say;
	void *arg;
	size_t n;
};

static void found(struct linter *l, const struct origin *o, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void found(struct linter *l, const struct origin *o, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (o->source == SOURCE_PROFILE)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	l->say(l->arg, o, text);
	l->n++;
}

static void lint_credentials(struct linter *l)
{
	for (size_t i = 0; i < l->p->ncredentials; i++) {
		const struct credential *c = &l->p->credentials[i];
		bool used = false;

		for (size_t j = 0; j < l->p->nrules; j++)
			used |= l->p->rules[j].credential &&
				strcmp(l->p->rules[j].credential, c->name) == 0;
		if (!used)
			found(l, &c->origin, "credential '%s' is bound to no rule", c->name);
		for (size_t j = 0; c->source == CREDENTIAL_FILE && j < l->p->nmounts; j++) {
			const struct policy_mount *m = &l->p->mounts[j];

			if (m->mode != MOUNT_HIDE &&
			    path_is_under(str_from(c->from), str_from(m->path)))
				found(l, &m->origin,
				      "%s shows the agent the file of credential '%s'", m->path,
				      c->name);
		}
	}
}

/* Every host that b matches, a matches. */
static bool host_covers(const struct host_pattern *a, const struct host_pattern *b)
{
	if (a->kind == HOST_ANY)
		return b->host.addr.family == 0;
	if (b->kind == HOST_ANY)
		return false;
	if (a->kind == HOST_EXACT)
		return b->kind == HOST_EXACT && host_pattern_match(a, &b->host);
	return host_pattern_match(a, &b->host) ||
	       (b->kind == HOST_SUFFIX && str_eq(host_str(&a->host), host_str(&b->host)));
}

static bool ports_cover(const struct net_rule *a, const struct net_rule *b)
{
	if (a->nports == 0 && a->action == ACTION_DENY)
		return true;
	if (b->nports == 0)
		return rule_port_listed(a, 80) && rule_port_listed(a, 443);
	for (size_t i = 0; i < b->nports; i++) {
		bool covered = a->nports == 0 && b->ports[i].low == b->ports[i].high &&
			       rule_port_listed(a, b->ports[i].low);

		for (size_t j = 0; j < a->nports; j++)
			covered |= a->ports[j].low <= b->ports[i].low &&
				   a->ports[j].high >= b->ports[i].high;
		if (!covered)
			return false;
	}
	return true;
}

/* A rule that an earlier one leaves nothing to decide. */
static void lint_shadowed(struct linter *l)
{
	for (size_t i = 0; i < l->p->nrules; i++) {
		const struct net_rule *r = &l->p->rules[i];

		for (size_t j = 0; j < i; j++) {
			const struct net_rule *o = &l->p->rules[j];

			if (rule_needs_request(o) || !host_covers(&o->host, &r->host) ||
			    !ports_cover(o, r))
				continue;
			found(l, &r->origin, "'%s' never decides: '%s' (%s:%u) comes first%s",
			      r->text, o->text, o->origin.file, o->origin.line,
			      r->credential && o->action == ACTION_ALLOW
				  ? ", and without the credential"
				  : "");
			break;
		}
	}
}

static void lint_broad(struct linter *l)
{
	for (size_t i = 0; i < l->p->nrules; i++) {
		const struct net_rule *r = &l->p->rules[i];
		struct str suffix = host_str(&r->host.host);

		if (r->action != ACTION_ALLOW)
			continue;
		if (r->host.kind == HOST_ANY)
			found(l, &r->origin, "'%s' opens every host on these ports", r->text);
		else if (r->host.kind == HOST_SUFFIX && str_index(suffix, '.') == suffix.len)
			found(l, &r->origin, "'%s' opens a whole top-level domain", r->text);
		for (size_t j = 0; j < r->nports; j++)
			if (r->ports[j].high - r->ports[j].low >= 1024)
				found(l, &r->origin, "'%s' opens %u ports", r->text,
				      r->ports[j].high - r->ports[j].low + 1u);
		for (size_t j = 0; j < r->naddresses; j++)
			if (r->addresses[j].prefix < 8)
				found(l, &r->origin, "'%s' reaches a very large address block",
				      r->text);
		if (r->credential && r->cleartext == CLEARTEXT_ALLOW)
			found(l, &r->origin, "'%s' sends its credential in clear text", r->text);
	}
}

static void lint_mounts(struct linter *l)
{
	static const struct {
		const char *path, *why;
	} risky[] = {
		{ "/", "shows the whole host" },
		{ "~", "shows the whole home directory with every credential in it" },
		{ "~/.ssh", "shows SSH keys" },
		{ "~/.aws", "shows AWS credentials" },
		{ "~/.gnupg", "shows GnuPG keys" },
		{ "~/.config", "shows the credentials of many programs" },
		{ "/var/run/docker.sock", "gives control over the host" },
		{ "/run/docker.sock", "gives control over the host" },
	};

	for (size_t k = 0; k < ARRAY_LEN(risky); k++) {
		for (size_t i = 0; i < l->p->nmounts; i++) {
			const struct policy_mount *m = &l->p->mounts[i];

			if (m->mode != MOUNT_HIDE && strcmp(m->path, risky[k].path) == 0)
				found(l, &m->origin, "%s %s", m->path, risky[k].why);
		}
		for (size_t i = 0; i < l->p->nunix_sockets; i++)
			if (strcmp(l->p->unix_sockets[i], risky[k].path) == 0)
				found(l, &(struct origin){ "policy", 0, SOURCE_USER },
				      "sockets.unix: %s %s", risky[k].path, risky[k].why);
	}
}

static void lint_env(struct linter *l)
{
	static const char *const words[] = { "TOKEN", "SECRET", "PASSWORD", "API_KEY",
					     "PRIVATE_KEY" };

	for (size_t i = 0; i < l->p->nenv; i++)
		for (size_t w = 0; w < ARRAY_LEN(words); w++)
			if (strstr(l->p->env[i].name, words[w]))
				found(l, &l->p->env[i].origin,
				      "variable %s looks like a secret: bind it as a credential",
				      l->p->env[i].name);
}

size_t policy_lint(const struct policy *p, lint_say say, void *arg)
{
	struct linter l = { .p = p, .say = say, .arg = arg };

	lint_credentials(&l);
	lint_shadowed(&l);
	lint_broad(&l);
	lint_mounts(&l);
	lint_env(&l);
	return l.n;
}
