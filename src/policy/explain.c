/* SPDX-License-Identifier: Apache-2.0 */
/* explain - see explain.h.  Pure; CLI, front and back.  Method and path are hostile: they are
 * written only where they are printable. */
#include "policy/explain.h"

#include "base/json.h"
#include "base/own.h"

#include <stdio.h>

/* Longer paths are no help in a suggestion. */
#define FIX_PATH_MAX 200

const char *reason_text(enum reason r)
{
	static const char *const texts[] = {
		[REASON_ALLOWED] = "a rule allows it",
		[REASON_NO_RULE] = "no rule allows this host",
		[REASON_DENY_RULE] = "a deny rule names it",
		[REASON_PORT] = "the host is allowed, but not on this port",
		[REASON_METHOD] = "the host is allowed, but not with this method",
		[REASON_PATH] =
		    "the host is allowed, but not this path (or the path can be read in "
		    "two ways)",
		[REASON_NEEDS_REQUEST] =
		    "the rule looks at single requests (method, path or credential), which an "
		    "encrypted tunnel hides; use http:// so that the gateway speaks TLS itself",
		[REASON_NO_SNI] = "TLS without a server name cannot be checked against a name",
		[REASON_SNI_MISMATCH] = "the server name in TLS is not the host that was asked for",
		[REASON_CLEARTEXT] = "the rule refuses clear text to this host",
		[REASON_ADDRESS_LITERAL] = "an address, and no rule names it; use the host's name",
	};
	_Static_assert(ARRAY_LEN(texts) == REASON_MAX, "a text for every reason");

	return (size_t)r < ARRAY_LEN(texts) ? texts[r] : "unknown";
}

/* Fit for a single-quoted YAML scalar and for a path pattern. */
static bool plain_path(struct str s)
{
	return s.len && s.len <= FIX_PATH_MAX && s.p[0] == '/' && str_printable(s) &&
	       str_index(s, '\'') == s.len && str_index(s, '%') == s.len &&
	       str_index(s, ';') == s.len && str_index(s, '*') == s.len &&
	       str_index(s, '?') == s.len && str_index(s, '\\') == s.len;
}

static bool plain_method(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < 'A' || s.p[i] > 'Z')
			return false;
	return s.len > 0 && s.len <= 32;
}

int explain_fix(const struct intent *in, const struct verdict *v, struct buf *out)
{
	bool v6 = in->host.addr.family == 6;
	const char *q = v6 ? "'" : "", *open = v6 ? "[" : "", *close = v6 ? "]" : "";

	char ports[24] = "";

	/* Ports that a rule does not name are 80 and 443. */
	if (in->port != 0 && in->port != 80 && in->port != 443)
		snprintf(ports, sizeof ports, "ports: [%u], ", in->port);
	switch (v->reason) {
	case REASON_NO_RULE:
	case REASON_ADDRESS_LITERAL:
	case REASON_PORT:
		if (!ports[0])
			return buf_printf(out, "- %s%s%s%s%s", q, open, in->host.text, close, q);
		return buf_printf(out, "- %s%s%s%s:%u%s", q, open, in->host.text, close, in->port,
				  q);
	case REASON_METHOD:
		if (!plain_method(in->method))
			return 0;
		return buf_printf(out, "- { host: %s%s%s, %smethods: [%.*s] }", q, in->host.text, q,
				  ports, STR_FMT(in->method));
	case REASON_PATH:
		if (!plain_path(in->path))
			return 0;
		return buf_printf(out, "- { host: %s%s%s, %spaths: ['%.*s'] }", q, in->host.text, q,
				  ports, STR_FMT(in->path));
	case REASON_ALLOWED:
	case REASON_DENY_RULE:
	case REASON_NEEDS_REQUEST:
	case REASON_NO_SNI:
	case REASON_SNI_MISMATCH:
	case REASON_CLEARTEXT:
	case REASON_MAX:
		break;
	}
	return 0;
}

static int target_text(const struct intent *in, struct buf *out)
{
	bool v6 = in->host.addr.family == 6;
	int err = buf_printf(out, "%s%s%s", v6 ? "[" : "", in->host.text, v6 ? "]" : "");

	if (err == 0 && in->port)
		err = buf_printf(out, ":%u", in->port);
	if (err == 0 && in->kind == INTENT_REQUEST && str_printable(in->method) &&
	    str_printable(in->path))
		err = buf_printf(out, " %.*s %.*s", STR_FMT(in->method), STR_FMT(in->path));
	return err;
}

static int rule_line(const struct verdict *v, struct buf *out)
{
	const struct net_rule *r = v->rule;
	const char *what =
	    v->action == ACTION_ALLOW || v->reason == REASON_DENY_RULE ? "rule" : "nearest";

	if (!r)
		return buf_printf(out, "  rule     default: what no rule allows is denied\n");
	return buf_printf(out, "  %-8s %s\n  %-8s %s:%u (%s)\n", what, r->text ? r->text : "", "at",
			  r->origin.file, r->origin.line, source_name(r->origin.source));
}

static int allow_lines(const struct verdict *v, struct buf *out)
{
	int err = 0;

	if (v->rule && v->rule->credential)
		err = buf_printf(out, "  adds     credential %s\n", v->rule->credential);
	if (err == 0 && v->upgrade)
		err = buf_printf(out, "  upstream verified TLS, spoken by the gateway\n");
	return err;
}

static int fix_lines(const struct intent *in, const struct verdict *v, struct buf *out)
{
	struct buf fix = BUF_INIT(1024);
	int err = explain_fix(in, v, &fix);

	if (err == 0 && buf_len(&fix))
		err = buf_printf(out,
				 "  to allow add this under network.allow of your policy:\n"
				 "             %s\n",
				 buf_cstr(&fix));
	buf_done(&fix);
	return err;
}

int explain_text(const struct policy *p, const struct intent *in, struct buf *out)
{
	struct verdict v;
	int err;

	decide(p, in, &v);
	err = buf_printf(out, "%s ", v.action == ACTION_ALLOW ? "allow" : "deny");
	if (err == 0)
		err = target_text(in, out);
	if (err == 0)
		err = buf_printf(out, "\n  because  %s [%s]\n", reason_text(v.reason),
				 reason_name(v.reason));
	if (err == 0)
		err = rule_line(&v, out);
	if (err == 0)
		err = v.action == ACTION_ALLOW ? allow_lines(&v, out) : fix_lines(in, &v, out);
	return err;
}

static void rule_json(struct json *j, const struct verdict *v)
{
	const struct net_rule *r = v->rule;

	json_key(j, "rule");
	if (!r) {
		json_put_null(j);
		return;
	}
	json_object_begin(j);
	json_member_cstr(j, "text", r->text);
	json_member_cstr(j, "file", r->origin.file);
	json_member_u64(j, "line", r->origin.line);
	json_member_cstr(j, "source", source_name(r->origin.source));
	json_member_cstr(j, "credential", r->credential);
	json_member_bool(j, "decided", v->action == ACTION_ALLOW || v->reason == REASON_DENY_RULE);
	json_object_end(j);
}

int explain_json(const struct policy *p, const struct intent *in, struct buf *out)
{
	struct buf fix = BUF_INIT(1024);
	struct json j = JSON_INIT(out);
	struct verdict v;
	int err;

	decide(p, in, &v);
	err = explain_fix(in, &v, &fix);
	json_object_begin(&j);
	json_member_cstr(&j, "verdict", v.action == ACTION_ALLOW ? "allow" : "deny");
	json_member_cstr(&j, "reason", reason_name(v.reason));
	json_member_cstr(&j, "text", reason_text(v.reason));
	json_member_str(&j, "host", host_str(&in->host));
	json_member_u64(&j, "port", in->port);
	if (in->kind == INTENT_REQUEST) {
		json_member_str(&j, "method", in->method);
		json_member_str(&j, "path", in->path);
	}
	rule_json(&j, &v);
	json_member_bool(&j, "mediated", v.mediated);
	json_member_bool(&j, "upgrade", v.upgrade);
	json_member_cstr(&j, "fix", buf_len(&fix) ? buf_cstr(&fix) : NULL);
	json_object_end(&j);
	buf_done(&fix);
	return err < 0 ? err : json_done(&j);
}
