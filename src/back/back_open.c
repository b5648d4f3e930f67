/* SPDX-License-Identifier: Apache-2.0 */
/*
 * back_open - answers front's OPEN: decides again, dials, and hands over the connected socket; or a
 * stream, where requests must be looked at one by one.  Runs in back; OPEN is hostile.
 */
#include "back/back_state.h"

#include "base/own.h"
#include "base/wire.h"
#include "os/fd.h"
#include "policy/rule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct opening {
	struct id_node node; /* in back.opens */
	struct back *back;
	enum listener_kind via;
	struct intent intent;
	const struct net_rule *rule;
	struct dial dial;
};

/* Front says which of its connections waits; nothing else is believed. */
static int parse(struct str payload, uint32_t *ret_id, enum listener_kind *ret_via,
		 struct intent *ret)
{
	struct wire_in in = { .rest = payload };
	struct str host, sni;
	unsigned kind, via, sni_state;

	*ret = (struct intent){ 0 };
	*ret_id = wire_get_u32(&in);
	via = wire_get_u8(&in);
	kind = wire_get_u8(&in);
	host = wire_get_str(&in, HOST_NAME_MAX_LEN);
	ret->port = wire_get_u16(&in);
	sni_state = wire_get_u8(&in);
	sni = wire_get_str(&in, HOST_NAME_MAX_LEN);
	if (wire_in_done(&in) < 0 || via >= LISTENER_MAX || sni_state > SNI_MISSING ||
	    ret->port == 0)
		return -EPROTO;
	if (kind != INTENT_TUNNEL && kind != INTENT_REQUEST && kind != INTENT_CONNECT)
		return -EPROTO;
	if (host_parse(host, &ret->host) < 0 || !str_eq(host, host_str(&ret->host)))
		return -EPROTO;
	if (sni_state == SNI_NAME ? host_parse(sni, &ret->sni) < 0 : sni.len > 0)
		return -EPROTO;
	ret->kind = (enum intent_kind)kind;
	ret->sni_state = (enum sni_state)sni_state;
	ret->explicit_port = back_explicit_port((enum listener_kind)via);
	*ret_via = (enum listener_kind)via;
	return 0;
}

/* Could any request to this host have to be looked at, or changed?  Then all of them go through a
 * stream: a plain socket would let front write what it likes. */
static bool needs_stream(const struct policy *p, const struct host *h)
{
	for (size_t i = 0; i < p->nrules; i++) {
		const struct net_rule *r = &p->rules[i];

		if (!host_pattern_match(&r->host, h))
			continue;
		if (rule_needs_request(r) || rule_cleartext(r) != CLEARTEXT_ALLOW)
			return true;
	}
	return false;
}

static int refuse(struct back *b, uint32_t id, unsigned status, unsigned reason, const char *text)
{
	int r = 0;

	buf_clear(&b->message);
	wire_u32(&b->message, &r, id);
	wire_u16(&b->message, &r, (uint16_t)status);
	wire_u8(&b->message, &r, (uint8_t)reason);
	wire_str(&b->message, &r, str_from(text));
	return r ? r : channel_send(b->setup->front, MSG_REFUSED, buf_str(&b->message), -1);
}

static int hand_over(struct back *b, uint32_t id, bool mediated, const struct net_rule *rule,
		     int fd)
{
	int r = 0;

	buf_clear(&b->message);
	wire_u32(&b->message, &r, id);
	wire_u8(&b->message, &r, mediated);
	wire_u32(&b->message, &r, back_rule_index(b, rule));
	return r ? r : channel_send(b->setup->front, MSG_OPENED, buf_str(&b->message), fd);
}

static int record(struct back *b, enum listener_kind via, const struct intent *in,
		  const struct net_rule *rule, struct audit_record *rec)
{
	char rule_text[300];

	rec->by = STR_LIT("back");
	rec->via = str_from(listener_name(via));
	rec->host = host_str(&in->host);
	rec->port = in->port;
	rec->rule = back_rule_text(rule, rule_text, sizeof rule_text);
	return back_record(b, rec);
}

static int deny(struct back *b, uint32_t id, enum listener_kind via, const struct intent *in,
		const struct verdict *v)
{
	char text[BACK_TEXT_MAX];
	struct audit_record rec = {
		.event = in->kind == INTENT_REQUEST ? AUDIT_REQUEST : AUDIT_CONNECT,
		.verdict = STR_LIT("deny"),
		.reason = str_from(reason_name(v->reason)),
		.status = 403,
	};
	int r = record(b, via, in, v->rule, &rec);

	if (r < 0)
		return r;
	back_denial_text(v, &in->host, in->port, text, sizeof text);
	return refuse(b, id, 403, v->reason, text);
}

static void opening_free(struct opening *o)
{
	idmap_take(&o->back->opens, o->node.id);
	dial_cancel(&o->dial);
	free(o);
}

static int answer_failure(struct opening *o)
{
	const struct dial *d = &o->dial;
	char addr[ADDR_TEXT_MAX];
	bool denied = d->status == 403;
	struct audit_record rec = {
		.event = denied ? AUDIT_CONNECT : AUDIT_UPSTREAM,
		.verdict = denied ? STR_LIT("deny") : STR_NONE,
		.reason = denied ? STR_LIT("address") : STR_LIT("upstream"),
		.detail = str_from(d->why),
		.status = d->status,
	};
	int r;

	if (d->dialled.family)
		rec.addr = str_from(addr_format(&d->dialled, addr));
	r = record(o->back, o->via, &o->intent, o->rule, &rec);
	return r < 0 ? r : refuse(o->back, o->node.id, d->status, REASON_MAX, d->why);
}

static int answer_success(struct opening *o)
{
	char addr[ADDR_TEXT_MAX];
	struct audit_record rec = {
		.event = AUDIT_CONNECT,
		.verdict = STR_LIT("allow"),
		.reason = str_from(reason_name(REASON_ALLOWED)),
		.addr = str_from(addr_format(&o->dial.dialled, addr)),
	};
	int r = 0;

	/* Front itself records each request that it forwards. */
	if (o->intent.kind != INTENT_REQUEST)
		r = record(o->back, o->via, &o->intent, o->rule, &rec);
	return r < 0 ? r : hand_over(o->back, o->node.id, false, o->rule, o->dial.fd);
}

static void on_dialled(struct dial *d)
{
	struct opening *o = container_of(d, struct opening, dial);
	struct back *b = o->back;
	int r = d->status ? answer_failure(o) : answer_success(o);

	opening_free(o);
	if (r < 0)
		back_end(b, r);
}

static int start_dial(struct back *b, uint32_t id, enum listener_kind via, const struct intent *in,
		      const struct net_rule *rule)
{
	struct opening *o;

	if (b->opens.n >= BACK_OPENS_MAX)
		return refuse(b, id, 503, REASON_MAX, "too many connections are being opened");
	o = calloc(1, sizeof *o);
	if (!o)
		return refuse(b, id, 503, REASON_MAX, "out of memory");
	o->back = b;
	o->via = via;
	o->intent = *in;
	o->rule = rule;
	idmap_add(&b->opens, &o->node, id);
	dial_start(&o->dial, &b->dialling, rule, &o->intent.host,
		   rule->upstream_port ? rule->upstream_port : in->port, on_dialled);
	return 0;
}

static int give_stream(struct back *b, uint32_t id, enum listener_kind via, const struct intent *in,
		       const struct net_rule *rule)
{
	_cleanup_(close_fd) int fd = -1;
	int r = back_stream_new(b, via, &in->host, in->port, &fd);

	if (r < 0)
		return refuse(b, id, 503, REASON_MAX, "too many requests are under way");
	return hand_over(b, id, true, rule, fd);
}

int back_take_open(struct back *b, struct msg *m)
{
	struct intent in, asked;
	enum listener_kind via;
	struct verdict v;
	uint32_t id;
	int r = parse(m->payload, &id, &via, &in);

	if (r < 0)
		return r;
	if (idmap_find(&b->opens, id))
		return -EPROTO;
	/* The request itself is not known yet: could one pass at all? Each is decided on later. */
	asked = in;
	if (in.kind == INTENT_REQUEST)
		asked.kind = INTENT_CONNECT;
	decide(b->setup->policy, &asked, &v);
	if (in.kind == INTENT_REQUEST && v.action == ACTION_ALLOW &&
	    (v.mediated || needs_stream(b->setup->policy, &in.host)))
		return give_stream(b, id, via, &in, v.rule);
	if (v.action == ACTION_ALLOW && (v.mediated || !v.rule)) {
		v.action = ACTION_DENY;
		v.reason = REASON_NEEDS_REQUEST;
	}
	if (v.action != ACTION_ALLOW)
		return deny(b, id, via, &in, &v);
	return start_dial(b, id, via, &in, v.rule);
}

int back_take_cancel(struct back *b, struct msg *m)
{
	struct wire_in in = { .rest = m->payload };
	uint32_t id = wire_get_u32(&in);
	struct opening *o;

	if (wire_in_done(&in) < 0)
		return -EPROTO;
	o = (struct opening *)idmap_find(&b->opens, id);
	if (o) /* else the answer and the question crossed */
		opening_free(o);
	return 0;
}
