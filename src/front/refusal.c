/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refusal - see refusal.h.  Runs in front, called by refuse.c and account.c.  Hosts, methods and
 * paths in what is said were parsed, so they hold no control bytes; they go back to the one who
 * sent them.  Pure.
 */
#include "front/refusal.h"

#include "base/json.h"
#include "base/own.h"

#include <errno.h>
#include <stdio.h>

static const struct {
	const char *reason, *sentence;
} sentences[] = {
	{ "no-rule", "No rule of the policy allows it." },
	{ "deny-rule", "A rule of the policy forbids it." },
	{ "port", "The policy allows this host, but not on this port." },
	{ "method", "The policy allows this host, but not with this method." },
	{ "path", "The policy allows this host, but not this path." },
	{ "needs-request",
	  "The rule for this host looks at each request, which it cannot do inside an "
	  "encrypted tunnel: use http:// (port 80); the gateway adds the encryption." },
	{ "no-sni", "The TLS connection names no server, and the rule allows a name." },
	{ "sni-mismatch", "The TLS connection names another server than it was opened for." },
	{ "cleartext", "The policy refuses clear-text HTTP to this host: use https://." },
	{ "address-literal", "An address was used, and no rule names that address: use the name." },
	{ "host-mismatch", "The request names another host than its connection was opened for." },
	{ "ambiguous-path",
	  "The path can be read in two ways (encoded slashes, dots, \"//\", \";\"); "
	  "it is not sent on." },
	{ "use-connect", "An https:// URL cannot be fetched in clear: open a tunnel (CONNECT)." },
};

static const struct {
	unsigned status;
	const char *phrase;
} phrases[] = {
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 408, "Request Timeout" },
	{ 414, "URI Too Long" },
	{ 417, "Expectation Failed" },
	{ 431, "Request Header Fields Too Large" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

static const char *sentence(const char *reason)
{
	for (size_t i = 0; i < ARRAY_LEN(sentences); i++)
		if (strcmp(sentences[i].reason, reason) == 0)
			return sentences[i].sentence;
	return "";
}

const char *refusal_phrase(unsigned status)
{
	for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Error";
}

struct str refusal_rule(const struct net_rule *r, char buf[static REFUSAL_RULE_MAX])
{
	int n;

	if (!r || !r->origin.file)
		return STR_LIT("default");
	n = snprintf(buf, REFUSAL_RULE_MAX, "%s:%u", r->origin.file, r->origin.line);
	if (n < 0)
		return STR_LIT("default");
	return (struct str){ buf, n < REFUSAL_RULE_MAX ? (size_t)n : REFUSAL_RULE_MAX - 1 };
}

/* Would a rule for host and port allow it?  Elsewhere such a rule would open more than what was
 * asked for, or nothing. */
static bool rule_would_help(const char *reason)
{
	return strcmp(reason, "no-rule") == 0 || strcmp(reason, "port") == 0 ||
	       strcmp(reason, "address-literal") == 0;
}

/* Only host and port are in what a person may copy to a shell: the path is the agent's. */
static int put_advice(const struct refusal *r, struct buf *out)
{
	bool v6 = memchr(r->host.p, ':', r->host.len) != NULL;
	const char *open = v6 ? "[" : "", *close = v6 ? "]" : "";
	int e = buf_printf(out,
			   "To see why, outside the sandbox:\n"
			   "  stockade policy explain --connect %s%.*s%s:%u\n",
			   open, STR_FMT(r->host), close, r->port);

	if (e < 0 || !rule_would_help(r->reason))
		return e;
	return buf_printf(out,
			  "To allow it, a person adds to stockade.yaml:\n"
			  "  network:\n    allow:\n      - \"%s%.*s%s:%u\"\n",
			  open, STR_FMT(r->host), close, r->port);
}

/* What was asked for. */
static int put_subject(const struct refusal *r, struct buf *out)
{
	int e = 0;

	if (r->port)
		e = buf_printf(out, "destination: %.*s:%u\n", STR_FMT(r->host), r->port);
	if (e == 0 && r->method.len)
		e = buf_printf(out, "request: %.*s %.*s\n", STR_FMT(r->method), STR_FMT(r->path));
	return e;
}

int refusal_text(const struct refusal *r, struct buf *out)
{
	const char *why = sentence(r->reason);
	char where[REFUSAL_RULE_MAX];
	struct str rule = refusal_rule(r->rule, where);
	int e = buf_printf(out, "stockade: %s (%s)\n", r->status == 403 ? "refused" : "failed",
			   r->reason);

	if (e == 0)
		e = put_subject(r, out);
	if (e == 0)
		e = buf_printf(out, "%s%s", why, *why ? "\n" : "");
	if (e == 0 && r->detail.len)
		e = buf_printf(out, "%.*s\n", STR_FMT(r->detail));
	if (e == 0 && r->rule)
		e = buf_printf(out, "rule: %.*s: %s\n", STR_FMT(rule),
			       r->rule->text ? r->rule->text : "");
	return e == 0 && r->by_policy && r->port ? put_advice(r, out) : e;
}

int refusal_json(const struct refusal *r, struct buf *out)
{
	bool v6 = r->host.len && memchr(r->host.p, ':', r->host.len) != NULL;
	char where[REFUSAL_RULE_MAX], hint[HOST_NAME_MAX_LEN + 64];
	struct json j = JSON_INIT(out);

	snprintf(hint, sizeof hint, "stockade policy explain --connect %s%.*s%s:%u", v6 ? "[" : "",
		 STR_FMT(r->host), v6 ? "]" : "", r->port);
	json_object_begin(&j);
	json_key(&j, "error");
	json_object_begin(&j);
	json_member_cstr(&j, "type", r->by_policy ? "stockade_refused" : "stockade_failed");
	json_member_cstr(&j, "reason", r->reason);
	json_key(&j, "message");
	json_str(&j, r->detail.len ? r->detail : str_from(sentence(r->reason)));
	if (r->port) {
		json_member_str(&j, "host", r->host);
		json_member_u64(&j, "port", r->port);
	}
	if (r->rule)
		json_member_str(&j, "rule", refusal_rule(r->rule, where));
	if (r->by_policy && r->port)
		json_member_cstr(&j, "explain", hint);
	json_object_end(&j);
	json_object_end(&j);
	return json_done(&j) < 0 ? -ENOBUFS : buf_append_c(out, '\n');
}

bool refusal_prefers_json(const struct http1_request *r)
{
	const struct http1_header *h = http1_find(r->headers, r->nheaders, STR_LIT("accept"));
	struct str rest = h ? h->value : STR_NONE, part;

	while (str_next(&rest, ',', &part)) {
		part = str_trim(part);
		if (str_has_prefix(part, STR_LIT("text/")))
			return false;
		if (str_has_prefix(part, STR_LIT("application/json")))
			return true;
	}
	return false;
}
