/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refuse - see refuse.h.  Runs in front.  Hosts, methods and paths in what is said were parsed, so
 * they hold no control bytes; they go back to the one who sent them.
 */
#include "front/refuse.h"

#include "front/account.h"
#include "front/refusal.h"
#include "front/socksface.h"

#define BODY_MAX (32u * 1024)
#define TLS_HANDSHAKE 0x16

/* An HTTP answer with a body; `req` (or NULL) is the request it answers. */
static void answer(struct conn *c, const struct refusal *r, const struct http1_request *req,
		   bool keep)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(BODY_MAX), head = BUF_INIT(BODY_MAX);
	bool json = req && refusal_prefers_json(req);
	bool no_body = req && str_eq(req->method, STR_LIT("HEAD"));
	bool tunnel = req && req->form == TARGET_AUTHORITY;
	int e = json ? refusal_json(r, &body) : refusal_text(r, &body);

	/* Many clients show a failed CONNECT's status line and nothing else. */
	if (e == 0 && tunnel)
		e = buf_printf(&head, "HTTP/1.1 %u stockade: %s\r\n", r->status, r->reason);
	else if (e == 0)
		e = buf_printf(&head, "HTTP/1.1 %u %s\r\n", r->status, refusal_phrase(r->status));
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
