/* SPDX-License-Identifier: Apache-2.0 */
/* back_state - see back_state.h: what every file of back says and records in one way.  Runs in
 * back; hosts and paths are the agent's, bounded and escaped by whoever shows them. */
#include "back/back_state.h"

#include <stdio.h>

void back_end(struct back *b, int code)
{
	if (!b->ended)
		b->status = code;
	b->ended = true;
	b->loop.stop = true;
}

int back_record(struct back *b, const struct audit_record *r)
{
	int e;

	if (b->ended)
		return -EPIPE;
	buf_clear(&b->message);
	e = record_pack(r, &b->message);
	if (e == 0)
		e = channel_send(b->setup->audit, MSG_RECORD, buf_str(&b->message), -1);
	if (e < 0)
		back_end(b, e);
	return e;
}

struct str back_rule_text(const struct net_rule *r, char *room, size_t size)
{
	if (!r || !r->origin.file)
		return STR_LIT("default");
	snprintf(room, size, "%s:%u", r->origin.file, r->origin.line);
	return str_from(room);
}

uint32_t back_rule_index(const struct back *b, const struct net_rule *r)
{
	return r ? (uint32_t)(r - b->setup->policy->rules) : UINT32_MAX;
}

bool back_explicit_port(enum listener_kind k)
{
	return k == LISTENER_PROXY || k == LISTENER_SOCKS || k == LISTENER_UNIX;
}

void back_denial_text(const struct verdict *v, const struct host *h, uint16_t port, char *room,
		      size_t size)
{
	char rule[256];

	if (v->rule)
		snprintf(room, size, "%s port %u is refused (%s) by the rule at %.*s", h->text,
			 port, reason_name(v->reason),
			 STR_FMT(back_rule_text(v->rule, rule, sizeof rule)));
	else
		snprintf(room, size, "no rule allows %s port %u (%s)", h->text, port,
			 reason_name(v->reason));
}
