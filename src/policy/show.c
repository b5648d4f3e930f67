/* SPDX-License-Identifier: Apache-2.0 */
/* show - see show.h, the YAML half.  Pure; CLI.  Values come from policy files, which hold no
 * control bytes (schema.c); they are quoted, so that they mean the same when read again. */
#include "policy/show.h"

#include "base/own.h"
#include "policy/rule.h"

#include <inttypes.h>

struct shower {
	struct buf *b;
	int error;
};

#define PUT(s, ...)                                                                                \
	do {                                                                                       \
		if ((s)->error == 0)                                                               \
			(s)->error = buf_printf((s)->b, __VA_ARGS__);                              \
	} while (0)

static void quoted(struct shower *s, const char *text)
{
	PUT(s, "'");
	for (const char *c = text; *c; c++)
		PUT(s, *c == '\'' ? "''" : "%c", *c);
	PUT(s, "'");
}

static void origin(struct shower *s, const struct origin *o)
{
	if (o->file)
		PUT(s, "  # %s:%u", o->file, o->line);
	PUT(s, "\n");
}

static void list(struct shower *s, const char *key, char *const *items, size_t n)
{
	if (n == 0)
		return;
	PUT(s, ", %s: [", key);
	for (size_t i = 0; i < n; i++) {
		PUT(s, "%s", i ? ", " : "");
		quoted(s, items[i]);
	}
	PUT(s, "]");
}

static void rule_ports(struct shower *s, const struct net_rule *r)
{
	if (r->nports == 0)
		return;
	PUT(s, ", ports: [");
	for (size_t i = 0; i < r->nports; i++)
		if (r->ports[i].low == r->ports[i].high)
			PUT(s, "%s%u", i ? ", " : "", r->ports[i].low);
		else
			PUT(s, "%s'%u-%u'", i ? ", " : "", r->ports[i].low, r->ports[i].high);
	PUT(s, "]");
}

static void rule_addresses(struct shower *s, const struct net_rule *r)
{
	char text[ADDR_TEXT_MAX];

	if (r->naddresses == 0)
		return;
	PUT(s, ", addresses: [");
	for (size_t i = 0; i < r->naddresses; i++)
		PUT(s, "%s'%s/%u'", i ? ", " : "", addr_format(&r->addresses[i].base, text),
		    r->addresses[i].prefix);
	PUT(s, "]");
}

static void rule(struct shower *s, const struct net_rule *r)
{
	char text[ADDR_TEXT_MAX];

	PUT(s, "    - { host: '");
	if (s->error == 0)
		s->error = rule_host_text(r, s->b);
	PUT(s, "'");
	rule_ports(s, r);
	list(s, "methods", r->methods, r->nmethods);
	list(s, "paths", r->paths, r->npaths);
	rule_addresses(s, r);
	if (r->credential)
		PUT(s, ", credential: '%s'", r->credential);
	if (r->upstream_addr.family == 4)
		PUT(s, ", upstream: '%s:%u'", addr_format(&r->upstream_addr, text),
		    r->upstream_port);
	if (r->upstream_addr.family == 6)
		PUT(s, ", upstream: '[%s]:%u'", addr_format(&r->upstream_addr, text),
		    r->upstream_port);
	if (r->cleartext != CLEARTEXT_DEFAULT)
		PUT(s, ", cleartext: %s", cleartext_name(r->cleartext));
	if (r->tunnel)
		PUT(s, ", tls: tunnel");
	PUT(s, " }");
	origin(s, &r->origin);
}

static void rules(struct shower *s, const struct policy *p, enum action a)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nrules; i++)
		n += p->rules[i].action == a;
	PUT(s, "  %s:%s\n", a == ACTION_ALLOW ? "allow" : "deny", n ? "" : " []");
	for (size_t i = 0; i < p->nrules; i++)
		if (p->rules[i].action == a)
			rule(s, &p->rules[i]);
}

static void network(struct shower *s, const struct policy *p)
{
	PUT(s, "network:\n  proxy_env: %s", p->proxy_env ? "true" : "false");
	origin(s, &p->set_by[SETTING_PROXY_ENV]);
	PUT(s, "  unix_socket: %s", p->unix_gateway ? "true" : "false");
	origin(s, &p->set_by[SETTING_UNIX_SOCKET]);
	PUT(s, "  dns_denied: %s", p->dns_denied == DNS_EXPLAIN ? "explain" : "nxdomain");
	origin(s, &p->set_by[SETTING_DNS_DENIED]);
	rules(s, p, ACTION_DENY);
	rules(s, p, ACTION_ALLOW);
}

static void mounts(struct shower *s, const struct policy *p)
{
	static const char *const keys[] = {
		[MOUNT_READ] = "read",
		[MOUNT_WRITE] = "write",
		[MOUNT_HIDE] = "hide",
	};

	if (p->nmounts)
		PUT(s, "filesystem:\n");
	for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
		bool any = false;

		for (size_t i = 0; i < p->nmounts; i++) {
			if ((size_t)p->mounts[i].mode != k)
				continue;
			if (!any)
				PUT(s, "  %s:\n", keys[k]);
			any = true;
			PUT(s, "    - ");
			quoted(s, p->mounts[i].path);
			origin(s, &p->mounts[i].origin);
		}
	}
}

static void environment(struct shower *s, const struct policy *p)
{
	size_t passed = 0;

	for (size_t i = 0; i < p->nenv; i++)
		passed += !p->env[i].value;
	if (p->nenv)
		PUT(s, "environment:\n");
	if (passed)
		PUT(s, "  pass:\n");
	for (size_t i = 0; i < p->nenv; i++)
		if (!p->env[i].value) {
			PUT(s, "    - %s", p->env[i].name);
			origin(s, &p->env[i].origin);
		}
	if (passed < p->nenv)
		PUT(s, "  set:\n");
	for (size_t i = 0; i < p->nenv; i++)
		if (p->env[i].value) {
			PUT(s, "    %s: ", p->env[i].name);
			quoted(s, p->env[i].value);
			origin(s, &p->env[i].origin);
		}
}

static void credentials(struct shower *s, const struct policy *p)
{
	static const char *const kinds[] = {
		[CREDENTIAL_ENV] = "env:",
		[CREDENTIAL_FILE] = "file:",
		[CREDENTIAL_CMD] = "cmd:",
	};

	if (p->ncredentials)
		PUT(s, "credentials:\n");
	for (size_t i = 0; i < p->ncredentials; i++) {
		const struct credential *c = &p->credentials[i];

		PUT(s, "  '%s':", c->name);
		origin(s, &c->origin);
		PUT(s, "    from: '%s", kinds[c->source]);
		for (const char *t = c->from; *t; t++)
			PUT(s, *t == '\'' ? "''" : "%c", *t);
		PUT(s, "'\n    header: \"%s: ", c->header);
		for (const char *t = c->prefix; *t; t++)
			PUT(s, *t == '"' || *t == '\\' ? "\\%c" : "%c", *t);
		PUT(s, "{}");
		for (const char *t = c->suffix; *t; t++)
			PUT(s, *t == '"' || *t == '\\' ? "\\%c" : "%c", *t);
		PUT(s, "\"\n");
		if (c->placeholder_env)
			PUT(s, "    placeholder_env: %s\n", c->placeholder_env);
		if (c->optional)
			PUT(s, "    optional: true\n");
	}
}

static void limits(struct shower *s, const struct policy *p)
{
	const struct {
		const char *key;
		uint64_t value;
		enum policy_setting setting;
	} rows[] = {
		{ "memory", p->limits.memory, SETTING_MEMORY },
		{ "pids", p->limits.pids, SETTING_PIDS },
		{ "tmp", p->limits.tmp, SETTING_TMP },
		{ "home", p->limits.home, SETTING_HOME },
		{ "time", p->limits.time, SETTING_TIME },
	};

	PUT(s, "limits:\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].value) {
			const bool mega = rows[i].value % (1u << 20) == 0;

			PUT(s, "  %s: %" PRIu64 "%s", rows[i].key,
			    mega ? rows[i].value >> 20 : rows[i].value, mega ? "M" : "");
			origin(s, &p->set_by[rows[i].setting]);
		}
	if (p->limits.cpu_milli) {
		PUT(s, "  cpus: %" PRIu64 ".%03" PRIu64, p->limits.cpu_milli / 1000,
		    p->limits.cpu_milli % 1000);
		origin(s, &p->set_by[SETTING_CPUS]);
	}
	PUT(s, "  cgroup: %s", p->limits.cgroup == REQUIRE_YES ? "required" : "best-effort");
	origin(s, &p->set_by[SETTING_CGROUP]);
}

int show_yaml(const struct policy *p, struct buf *out)
{
	static const char *const modes[] = {
		[WORKSPACE_RO] = "ro",
		[WORKSPACE_RW] = "rw",
		[WORKSPACE_NONE] = "none",
	};
	struct shower s = { .b = out };

	PUT(&s, "workspace:\n  path: ");
	quoted(&s, p->workspace);
	origin(&s, &p->set_by[SETTING_WORKSPACE_PATH]);
	PUT(&s, "  mode: %s", modes[p->workspace_mode]);
	origin(&s, &p->set_by[SETTING_WORKSPACE_MODE]);
	mounts(&s, p);
	environment(&s, p);
	network(&s, p);
	credentials(&s, p);
	if (p->nunix_sockets)
		PUT(&s, "sockets:\n  unix:\n");
	for (size_t i = 0; i < p->nunix_sockets; i++) {
		PUT(&s, "    - ");
		quoted(&s, p->unix_sockets[i]);
		PUT(&s, "\n");
	}
	limits(&s, p);
	return s.error;
}

int show_dropped(const struct policy *p, struct buf *out)
{
	struct shower s = { .b = out };

	for (size_t i = 0; i < p->ndropped; i++) {
		const struct policy_dropped *d = &p->dropped[i];

		PUT(&s, "%s:%u: does not count: %s (%s)\n", d->origin.file, d->origin.line, d->text,
		    d->why);
	}
	return s.error;
}
