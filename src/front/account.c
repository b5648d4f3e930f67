/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account - see account.h.  Runs in front; hosts and paths in records are hostile text, which the
 * audit role escapes.
 *
 * Sent means sent: while audit is slow, front waits with everything else; when audit does not take
 * a record within AUDIT_WAIT_MS the role ends, because nothing may leave that is not written down.
 */
#include "front/account.h"

#include "front/refusal.h"

#include <errno.h>
#include <poll.h>

#define AUDIT_WAIT_MS 5000
/* Records that wait: one message (ipc/msgs.def). */
#define RECORDS_MAX 65536u
/* One more fits surely: its strings at their longest (audit/record.c). */
#define RECORD_ROOM 16384u

static int settle(struct channel *audit)
{
	int r = channel_flush(audit);

	while (r == 1) {
		struct pollfd p = { .fd = audit->fd, .events = POLLOUT };
		int ready = poll(&p, 1, AUDIT_WAIT_MS);

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return -ETIMEDOUT;
		r = channel_flush(audit);
	}
	return r;
}

int account_flush(struct front *f)
{
	int e;

	if (f->failed)
		return f->failed;
	if (buf_len(&f->records) == 0)
		return 0;
	e = channel_send(f->setup->audit, MSG_RECORD, buf_str(&f->records), -1);
	if (e == 0 && channel_pending(f->setup->audit))
		e = settle(f->setup->audit);
	buf_clear(&f->records);
	if (e < 0)
		front_fail(f, e);
	return e;
}

/* Behind those that wait. */
static int add(struct front *f, enum listener_kind via, struct audit_record *r)
{
	int e = f->failed;

	if (e == 0 && buf_len(&f->records) > RECORDS_MAX - RECORD_ROOM)
		e = account_flush(f);
	if (e < 0)
		return e;
	r->by = STR_LIT("front");
	r->via = str_from(listener_name(via));
	e = record_pack(r, &f->records);
	if (e < 0)
		front_fail(f, e);
	return e;
}

int account_record(struct front *f, enum listener_kind via, struct audit_record *r)
{
	int e = add(f, via, r);

	return e < 0 ? e : account_flush(f);
}

static int add_verdict(struct front *f, enum listener_kind via, const struct intent *in,
		       const struct verdict *v, const char *reason, unsigned status)
{
	static const enum audit_event events[] = {
		[INTENT_RESOLVE] = AUDIT_RESOLVE,
		[INTENT_CONNECT] = AUDIT_CONNECT,
		[INTENT_TUNNEL] = AUDIT_CONNECT,
		[INTENT_REQUEST] = AUDIT_REQUEST,
	};
	char rule[REFUSAL_RULE_MAX];
	bool allow = v->action == ACTION_ALLOW && !reason;
	struct audit_record r = {
		.event = events[in->kind],
		.verdict = allow ? STR_LIT("allow") : STR_LIT("deny"),
		.host = host_str(&in->host),
		.port = in->port,
		.method = in->method,
		.path = in->path,
		.rule = refusal_rule(v->rule, rule),
		.reason = allow ? STR_NONE : str_from(reason ? reason : reason_name(v->reason)),
		.detail = in->sni_state == SNI_NAME && !allow ? host_str(&in->sni) : STR_NONE,
		.status = status,
	};

	if (r.path.len > AUDIT_PATH_MAX)
		r.path.len = AUDIT_PATH_MAX;
	return add(f, via, &r);
}

int account_verdict(struct front *f, enum listener_kind via, const struct intent *in,
		    const struct verdict *v, const char *reason, unsigned status)
{
	int e = add_verdict(f, via, in, v, reason, status);

	return e < 0 ? e : account_flush(f);
}

int account_allowed(struct front *f, enum listener_kind via, const struct intent *in,
		    const struct verdict *v)
{
	return add_verdict(f, via, in, v, NULL, 0);
}

void account_close(struct conn *c)
{
	struct audit_record r = { .event = AUDIT_CLOSE,
				  .host = host_str(&c->host),
				  .port = c->port,
				  .bytes_up = c->flow[FLOW_UP].bytes,
				  .bytes_down = c->flow[FLOW_DOWN].bytes };

	add(c->front, c->via, &r);
}
