/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refuse - see refuse.h.  Runs in front.  Hosts, methods and paths in what is said were parsed, so
 * they hold no control bytes; they go back to the one who sent them.
 */
#include "front/refuse.h"

#include "base/json.h"
#include "front/account.h"
#include "front/socksface.h"

#include <errno.h>
#include <stdio.h>

#define BODY_MAX (32u * 1024)
#define TLS_HANDSHAKE 0x16

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

static const char *phrase(unsigned status)
{
	for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Error";
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

int refuse_text(const struct refusal *r, struct buf *out)
{
	const char *why = sentence(r->reason);
	char where[ACCOUNT_RULE_MAX];
	struct str rule = account_rule(r->rule, where);
	int e = buf_printf(out, "stockade: %s (%s)\n", r->status == 403 ? "refused" : "failed",
			   r->reason);

	if (e == 0 && r->port)
		e = buf_printf(out, "destination: %.*s:%u\n", STR_FMT(r->host), r->port);
	if (e == 0 && r->method.len)
		e = buf_printf(out, "request: %.*s %.*s\n", STR_FMT(r->method), STR_FMT(r->path));
	if (e == 0)
		e = buf_printf(out, "%s%s", why, *why ? "\n" : "");
	if (e == 0 && r->detail.len)
		e = buf_printf(out, "%.*s\n", STR_FMT(r->detail));
	if (e == 0 && r->rule)
		e = buf_printf(out, "rule: %.*s: %s\n", STR_FMT(rule),
			       r->rule->text ? r->rule->text : "");
	return e == 0 && r->by_policy && r->port ? put_advice(r, out) : e;
}

int refuse_json(const struct refusal *r, struct buf *out)
{
	bool v6 = r->host.len && memchr(r->host.p, ':', r->host.len) != NULL;
	char where[ACCOUNT_RULE_MAX], hint[HOST_NAME_MAX_LEN + 64];
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
		json_member_str(&j, "rule", account_rule(r->rule, where));
	if (r->by_policy && r->port)
		json_member_cstr(&j, "explain", hint);
	json_object_end(&j);
	json_object_end(&j);
	return json_done(&j) < 0 ? -ENOBUFS : buf_append_c(out, '\n');
}

bool refuse_prefers_json(const struct http1_request *r)
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

/* An HTTP answer with a body; `req` (or NULL) is the request it answers. */
static void answer(struct conn *c, const struct refusal *r, const struct http1_request *req,
		   bool keep)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(BODY_MAX), head = BUF_INIT(BODY_MAX);
	bool json = req && refuse_prefers_json(req);
	bool no_body = req && str_eq(req->method, STR_LIT("HEAD"));
	bool tunnel = req && req->form == TARGET_AUTHORITY;
	int e = json ? refuse_json(r, &body) : refuse_text(r, &body);

	/* Many clients show a failed CONNECT's status line and nothing else. */
	if (e == 0 && tunnel)
		e = buf_printf(&head, "HTTP/1.1 %u stockade: %s\r\n", r->status, r->reason);
	else if (e == 0)
		e = buf_printf(&head, "HTTP/1.1 %u %s\r\n", r->status, phrase(r->status));
	if (e == 0)
		e = buf_printf(&head,
			       "Content-Type: %s\r\nContent-Length: %zu\r\n"
			       "X-Stockade-Reason: %s\r\nCache-Control: no-store\r\n%s\r\n",
			       json ? "application/json" : "text/plain; charset=utf-8",
			       buf_len(&body), r->reason, keep ? "" : "Connection: close\r\n");
	if (e == 0 && !no_body)
		e = buf_append_str(&head, buf_str(&body));
	if (e < 0) {
		conn_close(c);
		return;
	}
	conn_send_str(c, buf_str(&head));
	if (!keep)
		conn_finish(c);
}

/* TLS is refused in TLS: a fatal alert, which clients show. RFC 8446 6.2. */
static void close_stream(struct conn *c, bool name)
{
	static const char access_denied[] = "\x15\x03\x03\x00\x02\x02\x31";
	static const char unrecognized_name[] = "\x15\x03\x03\x00\x02\x02\x70";
	struct str in = buf_str(&c->in);

	if (in.len && in.p[0] == TLS_HANDSHAKE)
		conn_send_str(c, (struct str){ name ? unrecognized_name : access_denied, 7 });
	conn_finish(c);
}

void refuse_tunnel(struct conn *c, const struct intent *in, const struct verdict *v,
		   const char *reason)
{
	if (account_verdict(c->front, c->via, in, v, reason, 0) == 0)
		close_stream(c, v->reason == REASON_SNI_MISMATCH || v->reason == REASON_NO_SNI);
}

static struct refusal from_verdict(const struct intent *in, const struct verdict *v,
				   const char *reason)
{
	return (struct refusal){
		.status = 403,
		.reason = reason ? reason : reason_name(v->reason),
		.host = host_str(&in->host),
		.port = in->port,
		.method = in->method,
		.path = in->path,
		.rule = v->rule,
		.by_policy = !reason, /* what no rule allows, none can */
	};
}

void refuse_request(struct conn *c, const struct intent *in, const struct verdict *v,
		    const char *reason)
{
	struct http1_request *req = &c->front->request;
	struct verdict none = { .action = ACTION_DENY };
	struct refusal r = from_verdict(in, v ? v : &none, reason);
	bool keep = req->keep_alive && req->minor == 1 && req->body == BODY_NONE;

	if (account_verdict(c->front, c->via, in, v ? v : &none, reason, r.status) < 0)
		return;
	answer(c, &r, req, keep);
	if (keep && c->state == CONN_HEAD)
		buf_consume(&c->in, req->head_len);
}

void refuse_connect(struct conn *c, const struct intent *in, const struct verdict *v)
{
	struct refusal r = from_verdict(in, v, NULL);

	if (account_verdict(c->front, c->via, in, v, NULL, c->via == LISTENER_SOCKS ? 0 : 403) < 0)
		return;
	if (c->via == LISTENER_SOCKS) {
		socksface_reply(c, SOCKS_NOT_ALLOWED);
		conn_finish(c);
		return;
	}
	answer(c, &r, &c->front->request, false);
}

static int record_bad(struct conn *c, unsigned status, const char *why)
{
	struct audit_record r = { .event = AUDIT_BAD_INPUT,
				  .verdict = STR_LIT("deny"),
				  .host = c->fixed ? host_str(&c->host) : STR_NONE,
				  .port = c->fixed ? c->port : 0,
				  .reason = STR_LIT("bad-input"),
				  .detail = str_from(why),
				  .status = status };

	return account_record(c->front, c->via, &r);
}

void refuse_bytes(struct conn *c, const char *why)
{
	if (c->state == CONN_HEAD || (c->state == CONN_EXCHANGE && !c->ex.head_done)) {
		refuse_malformed(c, 400, why);
		return;
	}
	if (record_bad(c, 0, why) == 0)
		close_stream(c, false);
}

void refuse_malformed(struct conn *c, unsigned status, const char *why)
{
	struct refusal r = { .status = status, .reason = "bad-input", .detail = str_from(why) };

	if (record_bad(c, status, why) == 0)
		answer(c, &r, NULL, false);
}

void refuse_upstream(struct conn *c, unsigned status, const char *reason, struct str text)
{
	struct front *f = c->front;
	struct refusal r = { .status = status,
			     .reason = reason,
			     .host = host_str(&c->host),
			     .port = c->port,
			     .detail = text,
			     .by_policy = status == 403 };
	bool opening = c->state == CONN_OPENING;

	if (opening && c->opening == OPENING_TUNNEL) {
		close_stream(c, false);
		return;
	}
	if (opening && c->opening == OPENING_CONNECT && c->via == LISTENER_SOCKS) {
		socksface_reply(c, status == 403 ? SOCKS_NOT_ALLOWED : SOCKS_HOST_UNREACHABLE);
		conn_finish(c);
		return;
	}
	if (opening && c->opening == OPENING_CONNECT) {
		f->request.form = TARGET_AUTHORITY;
		f->request.method = STR_NONE;
		f->request.nheaders = 0;
		answer(c, &r, &f->request, false);
		return;
	}
	/* The head is still there while back was asked. */
	if (opening && http1_request_parse(buf_str(&c->in), &f->request, NULL) == 1)
		answer(c, &r, &f->request, false);
	else
		answer(c, &r, NULL, false);
}
