/* SPDX-License-Identifier: Apache-2.0 */
/* read_network - the section network and its rules.  Pure; launcher and CLI; the file may be
 * hostile. */
#include "policy/schema.h"

#include "base/buf.h"
#include "base/glob.h"
#include "base/num.h"
#include "base/own.h"
#include "policy/rule.h"

#include <errno.h>

/* A rule's text is for a log line: a rule with 64 long paths is cut. */
#define RULE_TEXT_MAX 1024

/* Words that other tools read as a set of hosts. As host names they would be silent mistakes. */
static const char *const bundles[] = { "npm",	 "pypi",   "pip",    "crates",	"cargo",
				       "go",	 "github", "gitlab", "docker",	"debian",
				       "ubuntu", "apt",	   "maven",  "rubygems" };

static int parse_port(struct str s, uint16_t *ret)
{
	uint64_t v;

	if (num_parse_u64(s, UINT16_MAX, &v) < 0 || v == 0 || (s.len > 1 && s.p[0] == '0'))
		return -EINVAL;
	*ret = (uint16_t)v;
	return 0;
}

static int parse_ports(struct str s, struct port_range *ret)
{
	size_t dash = str_index(s, '-');
	struct port_range p;

	if (parse_port((struct str){ s.p, dash }, &p.low) < 0)
		return -EINVAL;
	p.high = p.low;
	if (dash < s.len &&
	    parse_port((struct str){ s.p + dash + 1, s.len - dash - 1 }, &p.high) < 0)
		return -EINVAL;
	if (p.high < p.low)
		return -EINVAL;
	*ret = p;
	return 0;
}

static int add_port(struct reader *r, const struct node *n, void *target)
{
	struct net_rule *rule = target;
	void *items = rule->ports;
	struct port_range p, *slot;

	if (parse_ports(n->text, &p) < 0)
		return schema_error(r, n->line,
				    "port '%.80s' is not 1..65535 or a range such as \"8000-8100\"",
				    n->text.p);
	slot = schema_push(r, &items, &rule->nports, sizeof *slot);
	if (!slot)
		return -ENOMEM;
	rule->ports = items;
	*slot = p;
	return 0;
}

static int set_host(struct reader *r, const struct node *n, struct str s, struct net_rule *rule)
{
	if (host_pattern_parse(s, &rule->host) < 0)
		return schema_error(r, n->line,
				    "host '%.*s' is not a name, \"*.name\", \"*\" or an address",
				    (int)(s.len < 80 ? s.len : 80), s.p);
	return 0;
}

/* Where the port of "host:port" begins; s.len when there is none.  A bare IPv6 address has none. */
static size_t port_colon(struct str s)
{
	size_t colon = str_index(s, ':'), end;
	struct addr a;

	if (s.len && s.p[0] == '[') {
		end = str_index(s, ']');
		return end + 1 < s.len && s.p[end + 1] == ':' ? end + 1 : s.len;
	}
	return colon < s.len && addr_parse(s, &a) == 0 ? s.len : colon;
}

static int read_short_rule(struct reader *r, const struct node *n, struct net_rule *rule)
{
	struct str s = n->text;
	size_t colon = port_colon(s);
	struct node port = *n;

	for (size_t i = 0; i < ARRAY_LEN(bundles); i++)
		if (str_eq(s, str_from(bundles[i])))
			return schema_error(r, n->line,
					    "the bundle '%s' is not yet supported by this version; "
					    "for a host of that name write { host: %s }",
					    bundles[i], bundles[i]);
	if (colon < s.len) {
		port.text = (struct str){ s.p + colon + 1, s.len - colon - 1 };
		if (add_port(r, &port, rule) < 0)
			return -EINVAL;
	}
	return set_host(r, n, (struct str){ s.p, colon }, rule);
}

static int read_host(struct reader *r, const struct node *n, void *target)
{
	char *text;
	int err = schema_text(r, n, &text);

	return err < 0 ? err : set_host(r, n, n->text, target);
}

/* No entry would read as "any" in a rule; whoever writes it means "none". */
static int read_list(struct reader *r, const struct node *n,
		     int (*add)(struct reader *, const struct node *, void *), void *target)
{
	if (n->n == 0)
		return schema_error(r, n->line, "'%.*s' is an empty list; leave it out to mean any",
				    STR_FMT(n->key));
	return schema_list(r, n, POLICY_LIST_MAX, false, add, target);
}

static int read_ports(struct reader *r, const struct node *n, void *target)
{
	return read_list(r, n, add_port, target);
}

/* RFC 9110 methods are case-sensitive; lower-case ones exist nowhere and would match nothing. */
static int add_method(struct reader *r, const struct node *n, void *target)
{
	struct net_rule *rule = target;
	void *items = rule->methods;
	char *text, **slot;
	int err = schema_text(r, n, &text);

	if (err < 0)
		return err;
	for (const char *c = text; *c; c++)
		if ((*c < 'A' || *c > 'Z') && *c != '-')
			return schema_error(
			    r, n->line, "method '%.80s' must be a word such as GET, in capitals",
			    text);
	if (strcmp(text, "CONNECT") == 0)
		return schema_error(r, n->line,
				    "CONNECT opens a tunnel: it is no method of a rule");
	slot = schema_push(r, &items, &rule->nmethods, sizeof *slot);
	if (!slot)
		return -ENOMEM;
	rule->methods = items;
	*slot = text;
	return 0;
}

static int read_methods(struct reader *r, const struct node *n, void *target)
{
	return read_list(r, n, add_method, target);
}

static int add_path(struct reader *r, const struct node *n, void *target)
{
	struct net_rule *rule = target;
	void *items = rule->paths;
	char *text, **slot;
	int err = schema_text(r, n, &text);

	if (err < 0)
		return err;
	if (text[0] != '/' || glob_check(n->text) < 0 || strpbrk(text, "#%;"))
		return schema_error(
		    r, n->line,
		    "path '%.80s' must start with '/', at most %d plain bytes and '*', '**', '?'",
		    text, GLOB_MAX);
	slot = schema_push(r, &items, &rule->npaths, sizeof *slot);
	if (!slot)
		return -ENOMEM;
	rule->paths = items;
	*slot = text;
	return 0;
}

static int read_paths(struct reader *r, const struct node *n, void *target)
{
	return read_list(r, n, add_path, target);
}

static int add_address(struct reader *r, const struct node *n, void *target)
{
	struct net_rule *rule = target;
	void *items = rule->addresses;
	struct addr_block b, *slot;

	if (addr_block_parse(n->text, &b) < 0)
		return schema_error(r, n->line,
				    "'%.80s' is no address or block such as 10.0.0.0/8 "
				    "(bits after the prefix must be zero)",
				    n->text.p);
	slot = schema_push(r, &items, &rule->naddresses, sizeof *slot);
	if (!slot)
		return -ENOMEM;
	rule->addresses = items;
	*slot = b;
	return 0;
}

static int read_addresses(struct reader *r, const struct node *n, void *target)
{
	return schema_list(r, n, POLICY_LIST_MAX, false, add_address, target);
}

static int read_credential_name(struct reader *r, const struct node *n, void *target)
{
	struct net_rule *rule = target;

	return schema_text(r, n, &rule->credential);
}

static int read_upstream(struct reader *r, const struct node *n, void *target)
{
	struct net_rule *rule = target;
	struct str s = n->text, at;
	size_t colon = port_colon(s);
	bool ok = colon < s.len;

	if (ok && parse_port((struct str){ s.p + colon + 1, s.len - colon - 1 },
			     &rule->upstream_port) < 0)
		ok = false;
	at = (struct str){ s.p, colon };
	if (ok && at.len > 2 && at.p[0] == '[')
		at = (struct str){ at.p + 1, at.len - 2 };
	if (!ok || addr_parse(at, &rule->upstream_addr) < 0)
		return schema_error(r, n->line,
				    "upstream '%.80s' must be an address and port such as "
				    "\"127.0.0.1:8443\"",
				    n->text.p);
	return 0;
}

static int read_cleartext(struct reader *r, const struct node *n, void *target)
{
	static const char *const words[] = { "allow", "upgrade", "refuse" };
	struct net_rule *rule = target;
	size_t which;
	int err = schema_word(r, n, words, ARRAY_LEN(words), &which);

	if (err < 0)
		return err;
	rule->cleartext = (enum cleartext)(CLEARTEXT_ALLOW + which);
	return 0;
}

static int read_tls(struct reader *r, const struct node *n, void *target)
{
	static const char *const words[] = { "tunnel" };
	struct net_rule *rule = target;
	size_t which;
	int err;

	if (str_eq(n->text, STR_LIT("intercept")))
		return schema_error(r, n->line,
				    "'tls: intercept' is not yet supported by this version");
	err = schema_word(r, n, words, ARRAY_LEN(words), &which);
	rule->tunnel = err == 0;
	return err;
}

static const struct field rule_fields[] = {
	{ "host", FIELD_SCALAR, read_host },
	{ "ports", FIELD_LIST, read_ports },
	{ "methods", FIELD_LIST, read_methods },
	{ "paths", FIELD_LIST, read_paths },
	{ "addresses", FIELD_LIST, read_addresses },
	{ "credential", FIELD_SCALAR, read_credential_name },
	{ "upstream", FIELD_SCALAR, read_upstream },
	{ "cleartext", FIELD_SCALAR, read_cleartext },
	{ "tls", FIELD_SCALAR, read_tls },
	{ "budget", FIELD_LATER, NULL },
	{ "expires", FIELD_LATER, NULL },
	{ "git", FIELD_LATER, NULL },
	{ "push", FIELD_LATER, NULL },
	{ "websocket", FIELD_LATER, NULL },
};

/* "*.co.uk" is as wide as "*.uk": a short list of second-level words that registries use. */
static bool suffix_registrable(struct str name)
{
	static const char *const second[] = { "ac", "co",  "com", "edu", "gov", "mil",
					      "ne", "net", "nom", "or",	 "org", "go" };
	size_t dots = 0, last = 0, before = 0;

	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] == '.') {
			dots++;
			before = last;
			last = i + 1;
		}
	if (dots == 0)
		return false;
	for (size_t i = 0; dots == 1 && name.len - last == 2 && i < ARRAY_LEN(second); i++)
		if (str_eq((struct str){ name.p + before, last - before - 1 }, str_from(second[i])))
			return false;
	return true;
}

static int check_credential(struct reader *r, const struct node *n, const struct net_rule *rule)
{
	if (!rule->credential)
		return 0;
	if (rule->host.kind == HOST_ANY)
		return schema_error(r, n->line, "a credential cannot be bound to every host");
	if (rule->host.kind == HOST_SUFFIX && !suffix_registrable(host_str(&rule->host.host)))
		return schema_error(
		    r, n->line,
		    "a credential cannot be bound to \"*.%s\": anyone can register a "
		    "name there",
		    rule->host.host.text);
	return 0;
}

/* What the fields of one rule say together. */
static int check_rule(struct reader *r, const struct node *n, const struct net_rule *rule)
{
	if (rule->host.kind == HOST_EXACT && rule->host.host.len == 0)
		return schema_error(r, n->line, "a rule needs 'host'");
	if (rule->action == ACTION_DENY &&
	    (rule->credential || rule->naddresses || rule->upstream_addr.family ||
	     rule->cleartext != CLEARTEXT_DEFAULT || rule->tunnel))
		return schema_error(r, n->line,
				    "a deny rule has only host, ports, methods and paths");
	if (rule->tunnel && rule_needs_request(rule))
		return schema_error(r, n->line,
				    "'tls: tunnel' cannot be checked for methods or paths or get a "
				    "credential: what is inside is encrypted");
	return check_credential(r, n, rule);
}

static int make_text(struct reader *r, struct net_rule *rule)
{
	struct buf b = BUF_INIT(RULE_TEXT_MAX);
	int err = rule_text(rule, &b);

	/* Too long is no error: what fitted is told. */
	if (err == 0 || err == -ENOBUFS)
		rule->text = arena_str(r->arena, buf_str(&b));
	buf_done(&b);
	return rule->text ? 0 : schema_oom(r);
}

static int read_rule(struct reader *r, const struct node *n, enum action action)
{
	struct policy_layer *l = r->layer;
	struct net_rule rule = { .action = action, .origin = schema_origin(r, n) }, *slot;
	void *items = l->rules;
	int err;

	if (l->nrules >= POLICY_RULES_MAX)
		return err_set(r->e, -E2BIG, "%s:%u: more than %u rules", r->name, n->line,
			       POLICY_RULES_MAX);
	if (n->kind == NODE_LIST)
		return schema_error(r, n->line, "a rule is a host or a map, not a list");
	err = n->kind == NODE_SCALAR
		  ? read_short_rule(r, n, &rule)
		  : schema_map(r, n, "a rule", rule_fields, ARRAY_LEN(rule_fields), &rule);
	if (err == 0)
		err = check_rule(r, n, &rule);
	if (err == 0)
		err = make_text(r, &rule);
	if (err < 0)
		return err;
	slot = schema_push(r, &items, &l->nrules, sizeof *slot);
	if (!slot)
		return -ENOMEM;
	l->rules = items;
	*slot = rule;
	return 0;
}

static int add_allow(struct reader *r, const struct node *n, void *target)
{
	(void)target;
	return read_rule(r, n, ACTION_ALLOW);
}

static int add_deny(struct reader *r, const struct node *n, void *target)
{
	(void)target;
	return read_rule(r, n, ACTION_DENY);
}

static int read_allow(struct reader *r, const struct node *n, void *target)
{
	return schema_list(r, n, POLICY_RULES_MAX, true, add_allow, target);
}

static int read_deny(struct reader *r, const struct node *n, void *target)
{
	return schema_list(r, n, POLICY_RULES_MAX, true, add_deny, target);
}

static int read_flag(struct reader *r, const struct node *n, enum policy_setting s)
{
	bool on;
	int err = schema_bool(r, n, &on);

	return err < 0 ? err : schema_set(r, n, s, on);
}

static int read_proxy_env(struct reader *r, const struct node *n, void *target)
{
	(void)target;
	return read_flag(r, n, SETTING_PROXY_ENV);
}

static int read_unix_socket(struct reader *r, const struct node *n, void *target)
{
	(void)target;
	return read_flag(r, n, SETTING_UNIX_SOCKET);
}

static int read_only_managed(struct reader *r, const struct node *n, void *target)
{
	(void)target;
	if (r->layer->source != SOURCE_MANAGED)
		return schema_error(r, n->line,
				    "'only_managed' belongs into a managed policy file only");
	return read_flag(r, n, SETTING_ONLY_MANAGED);
}

static int read_dns_denied(struct reader *r, const struct node *n, void *target)
{
	static const char *const words[] = {
		[DNS_EXPLAIN] = "explain",
		[DNS_NXDOMAIN] = "nxdomain",
	};
	size_t which;
	int err = schema_word(r, n, words, ARRAY_LEN(words), &which);

	(void)target;
	return err < 0 ? err : schema_set(r, n, SETTING_DNS_DENIED, which);
}

int read_network(struct reader *r, const struct node *n, void *target)
{
	static const struct field fields[] = {
		{ "allow", FIELD_LIST, read_allow },
		{ "deny", FIELD_LIST, read_deny },
		{ "proxy_env", FIELD_SCALAR, read_proxy_env },
		{ "unix_socket", FIELD_SCALAR, read_unix_socket },
		{ "dns_denied", FIELD_SCALAR, read_dns_denied },
		{ "only_managed", FIELD_SCALAR, read_only_managed },
		{ "ask", FIELD_LATER, NULL },
		{ "ports", FIELD_LATER, NULL },
	};

	return schema_map(r, n, "network", fields, ARRAY_LEN(fields), target);
}
