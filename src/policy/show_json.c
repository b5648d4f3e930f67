/* SPDX-License-Identifier: Apache-2.0 */
/* show_json - see show.h, the JSON half.  Pure; CLI. */
#include "policy/show.h"

#include "base/json.h"
#include "base/own.h"
#include "policy/lint.h"
#include "policy/rule.h"

#include <errno.h>

static void origin(struct json *j, const struct origin *o)
{
	json_member_cstr(j, "file", o->file);
	json_member_u64(j, "line", o->line);
	json_member_cstr(j, "source", o->file ? source_name(o->source) : NULL);
}

static void texts(struct json *j, const char *key, char *const *items, size_t n)
{
	json_key(j, key);
	json_array_begin(j);
	for (size_t i = 0; i < n; i++)
		json_str(j, str_from(items[i]));
	json_array_end(j);
}

static void rule(struct json *j, const struct net_rule *r)
{
	struct buf host = BUF_INIT(512);
	char text[ADDR_TEXT_MAX];

	json_object_begin(j);
	json_member_cstr(j, "action", r->action == ACTION_ALLOW ? "allow" : "deny");
	if (rule_host_text(r, &host) < 0)
		j->error = j->error ? j->error : -ENOMEM;
	json_member_str(j, "host", buf_str(&host));
	buf_done(&host);
	json_key(j, "ports");
	json_array_begin(j);
	for (size_t i = 0; i < r->nports; i++) {
		json_array_begin(j);
		json_u64(j, r->ports[i].low);
		json_u64(j, r->ports[i].high);
		json_array_end(j);
	}
	json_array_end(j);
	texts(j, "methods", r->methods, r->nmethods);
	texts(j, "paths", r->paths, r->npaths);
	json_key(j, "addresses");
	json_array_begin(j);
	for (size_t i = 0; i < r->naddresses; i++) {
		json_object_begin(j);
		json_member_cstr(j, "base", addr_format(&r->addresses[i].base, text));
		json_member_u64(j, "prefix", r->addresses[i].prefix);
		json_object_end(j);
	}
	json_array_end(j);
	json_member_cstr(j, "credential", r->credential);
	json_member_cstr(j, "upstream",
			 r->upstream_addr.family ? addr_format(&r->upstream_addr, text) : NULL);
	json_member_u64(j, "upstream_port", r->upstream_port);
	json_member_cstr(j, "cleartext", cleartext_name(rule_cleartext(r)));
	json_member_bool(j, "tunnel", r->tunnel);
	json_member_cstr(j, "text", r->text);
	origin(j, &r->origin);
	json_object_end(j);
}

static void credential(struct json *j, const struct credential *c)
{
	static const char *const kinds[] = {
		[CREDENTIAL_ENV] = "env",
		[CREDENTIAL_FILE] = "file",
		[CREDENTIAL_CMD] = "cmd",
	};

	json_object_begin(j);
	json_member_cstr(j, "name", c->name);
	json_member_cstr(j, "kind", kinds[c->source]);
	json_member_cstr(j, "from", c->from);
	json_member_cstr(j, "header", c->header);
	json_member_cstr(j, "placeholder_env", c->placeholder_env);
	json_member_bool(j, "optional", c->optional);
	origin(j, &c->origin);
	json_object_end(j);
}

static void mounts(struct json *j, const struct policy *p)
{
	static const char *const modes[] = {
		[MOUNT_READ] = "read",
		[MOUNT_WRITE] = "write",
		[MOUNT_HIDE] = "hide",
	};

	json_key(j, "filesystem");
	json_array_begin(j);
	for (size_t i = 0; i < p->nmounts; i++) {
		json_object_begin(j);
		json_member_cstr(j, "mode", modes[p->mounts[i].mode]);
		json_member_cstr(j, "path", p->mounts[i].path);
		origin(j, &p->mounts[i].origin);
		json_object_end(j);
	}
	json_array_end(j);
}

static void environment(struct json *j, const struct policy *p)
{
	json_key(j, "environment");
	json_array_begin(j);
	for (size_t i = 0; i < p->nenv; i++) {
		json_object_begin(j);
		json_member_cstr(j, "name", p->env[i].name);
		json_member_cstr(j, "value", p->env[i].value);
		origin(j, &p->env[i].origin);
		json_object_end(j);
	}
	json_array_end(j);
}

static void dropped(struct json *j, const struct policy *p)
{
	json_key(j, "dropped");
	json_array_begin(j);
	for (size_t i = 0; i < p->ndropped; i++) {
		json_object_begin(j);
		json_member_cstr(j, "text", p->dropped[i].text);
		json_member_cstr(j, "why", p->dropped[i].why);
		json_member_bool(j, "untrusted", p->dropped[i].untrusted);
		origin(j, &p->dropped[i].origin);
		json_object_end(j);
	}
	json_array_end(j);
}

static void limits(struct json *j, const struct policy_limits *l)
{
	json_key(j, "limits");
	json_object_begin(j);
	json_member_u64(j, "memory", l->memory);
	json_member_u64(j, "cpu_milli", l->cpu_milli);
	json_member_u64(j, "pids", l->pids);
	json_member_u64(j, "tmp", l->tmp);
	json_member_u64(j, "home", l->home);
	json_member_u64(j, "time", l->time);
	json_member_bool(j, "cgroup_required", l->cgroup == REQUIRE_YES);
	json_object_end(j);
}

static void files(struct json *j, const struct policy *p)
{
	json_key(j, "files");
	json_array_begin(j);
	for (size_t i = 0; i < p->nfiles; i++)
		json_str(j, str_from(p->files[i]));
	json_array_end(j);
}

static void network(struct json *j, const struct policy *p)
{
	json_key(j, "network");
	json_object_begin(j);
	json_member_bool(j, "proxy_env", p->proxy_env);
	json_member_bool(j, "unix_socket", p->unix_gateway);
	json_member_cstr(j, "dns_denied", p->dns_denied == DNS_EXPLAIN ? "explain" : "nxdomain");
	json_key(j, "rules");
	json_array_begin(j);
	for (size_t i = 0; i < p->nrules; i++)
		rule(j, &p->rules[i]);
	json_array_end(j);
	json_object_end(j);
}

int show_json(const struct policy *p, struct buf *out)
{
	static const char *const modes[] = {
		[WORKSPACE_RO] = "ro",
		[WORKSPACE_RW] = "rw",
		[WORKSPACE_NONE] = "none",
	};
	struct json j = JSON_INIT(out);

	json_object_begin(&j);
	files(&j, p);
	json_key(&j, "workspace");
	json_object_begin(&j);
	json_member_cstr(&j, "path", p->workspace);
	json_member_cstr(&j, "mode", modes[p->workspace_mode]);
	json_object_end(&j);
	mounts(&j, p);
	environment(&j, p);
	network(&j, p);
	json_key(&j, "credentials");
	json_array_begin(&j);
	for (size_t i = 0; i < p->ncredentials; i++)
		credential(&j, &p->credentials[i]);
	json_array_end(&j);
	texts(&j, "unix_sockets", p->unix_sockets, p->nunix_sockets);
	limits(&j, &p->limits);
	dropped(&j, p);
	json_object_end(&j);
	return json_done(&j);
}

static void say(void *arg, const struct origin *where, const char *text)
{
	struct json *j = arg;

	json_object_begin(j);
	json_member_cstr(j, "text", text);
	origin(j, where);
	json_object_end(j);
}

int show_check_json(const struct policy *p, const struct err *e, struct buf *out)
{
	struct json j = JSON_INIT(out);

	json_object_begin(&j);
	json_member_bool(&j, "ok", p != NULL);
	if (!p) {
		json_member_cstr(&j, "error", e->text);
	} else {
		files(&j, p);
		json_key(&j, "warnings");
		json_array_begin(&j);
		policy_lint(p, say, &j);
		json_array_end(&j);
		dropped(&j, p);
	}
	json_object_end(&j);
	return json_done(&j);
}
