/* SPDX-License-Identifier: Apache-2.0 */
/*
 * back_report - what is logged of a mediated request, and what front is told when it ends early.
 * Called by the other files of the stream, in back; the texts may hold hostile bytes, which the
 * log and front quote.
 */
#include "back/back_stream.h"

#include "base/wire.h"

int stream_record(struct stream *s, struct audit_record *rec, const struct net_rule *rule)
{
	char rule_text[300];

	rec->by = STR_LIT("back");
	rec->via = str_from(listener_name(s->via));
	rec->host = host_str(&s->host);
	rec->port = s->port;
	if (s->request) {
		rec->method = s->request->r.method;
		rec->path = s->request->r.path;
	}
	rec->rule = back_rule_text(rule, rule_text, sizeof rule_text);
	return back_record(s->back, rec);
}

void stream_record_end(struct stream *s)
{
	struct audit_record rec = {
		.event = AUDIT_CLOSE,
		.status = s->status,
		.bytes_up = s->up,
		.bytes_down = s->down,
	};

	if (!s->recorded || !s->request)
		return;
	s->recorded = false;
	stream_record(s, &rec, s->rule);
}

/* Tells front why this request is over. */
static void send_failed(struct stream *s, unsigned status, unsigned reason, const char *text)
{
	struct buf *b = &s->back->message;
	int r = 0;

	buf_clear(b);
	wire_u16(b, &r, (uint16_t)status);
	wire_u8(b, &r, (uint8_t)reason);
	wire_str(b, &r, str_from(text));
	if (r == 0)
		r = channel_send(&s->channel, MSG_FAILED, buf_str(b), -1);
	if (r < 0)
		stream_kill(s);
}

/* The request is over before or while it was answered: nothing of it is reused. */
static void fail_request(struct stream *s, unsigned status, unsigned reason, const char *text)
{
	stream_stop_waiting(s);
	stream_close_remote(s);
	stream_enter(s, STREAM_SKIP);
	if (s->recorded)
		s->status = status;
	stream_forget_request(s);
	send_failed(s, status, reason, text);
}

void stream_deny(struct stream *s, const struct net_rule *rule, unsigned reason, const char *token,
		 const char *text)
{
	struct audit_record rec = { .event = AUDIT_REQUEST,
				    .verdict = STR_LIT("deny"),
				    .reason = str_from(token),
				    .detail = str_from(text),
				    .status = 403 };

	if (stream_record(s, &rec, rule) == 0)
		fail_request(s, 403, reason, text);
}

void stream_fail(struct stream *s, unsigned status, const char *text)
{
	char addr[ADDR_TEXT_MAX];
	struct audit_record rec = { .event = AUDIT_UPSTREAM,
				    .reason = STR_LIT("upstream"),
				    .detail = str_from(text),
				    .status = status };

	if (s->remote.fd >= 0)
		rec.addr = str_from(addr_format(&s->remote_addr, addr));
	if (stream_record(s, &rec, s->rule) == 0)
		fail_request(s, status, REASON_MAX, text);
}

void stream_bad_request(struct stream *s)
{
	struct audit_record rec = { .event = AUDIT_BAD_INPUT,
				    .verdict = STR_LIT("deny"),
				    .reason = STR_LIT("grammar"),
				    .status = 400 };

	if (stream_record(s, &rec, NULL) == 0)
		fail_request(s, 400, REASON_MAX, "the request is outside the grammar");
}
