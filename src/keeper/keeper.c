/* SPDX-License-Identifier: Apache-2.0 */
/* keeper - see keeper.h.  Its own process, jailed, without network or files.  Back is not believed:
 * what it says is checked against keeper's own copy of the policy. */
#include "keeper/keeper.h"

#include "base/wire.h"
#include "os/clock.h"
#include "policy/rule.h"

#include <errno.h>
#include <poll.h>

/* A peer that is gone before launch said STOP may have read its own STOP first. */
#define STOP_GRACE_MS 500
#define NAME_MAX_LEN POLICY_STRING_MAX

struct question {
	uint32_t id, rule;
	struct host host;
	uint16_t port;
	bool verified;
};

void keeper_init(struct keeper *k, const struct policy *policy)
{
	*k = (struct keeper){ .policy = policy, .tokens = KEEPER_BURST };
}

void keeper_done(struct keeper *k)
{
	for (size_t i = 0; i < POLICY_CREDENTIALS_MAX; i++)
		secret_drop(&k->secrets[i]);
}

/* Index into policy->credentials, or -ENOENT. */
static int find(const struct keeper *k, struct str name)
{
	for (size_t i = 0; i < k->policy->ncredentials && i < POLICY_CREDENTIALS_MAX; i++)
		if (str_eq(str_from(k->policy->credentials[i].name), name))
			return (int)i;
	return -ENOENT;
}

int keeper_load(struct keeper *k, struct str payload, struct err *e)
{
	struct wire_in in = { .rest = payload };
	struct str name = wire_get_str(&in, NAME_MAX_LEN), value;
	int i, r;

	value = wire_get_str(&in, SECRET_VALUE_MAX);
	wire_get_str(&in, NAME_MAX_LEN); /* the placeholder is back's business */
	if (wire_in_done(&in) < 0)
		return err_set(e, -EPROTO, "keeper: message SECRET is malformed");
	i = find(k, name);
	if (i < 0 || k->secrets[i].pages)
		return err_set(e, -EPROTO, "keeper: a secret that policy does not name, or twice");
	r = secret_check(value, k->policy->credentials[i].name, e);
	if (r == 0)
		r = secret_keep(value, &k->secrets[i]);
	return r < 0 && r != -EINVAL ? err_sys(e, r, "keeper: memory for a secret") : r;
}

/* The port that the agent asked for; a rule that upgrades is written with the server's. */
static bool port_fits(const struct net_rule *r, uint16_t port)
{
	return rule_port_listed(r, port) ||
	       (port == 80 && rule_cleartext(r) == CLEARTEXT_UPGRADE && rule_port_listed(r, 443));
}

/* Why not, or NULL with the index of the credential. */
static const char *refusal(const struct keeper *k, const struct question *q, int *ret_index)
{
	const struct net_rule *r;

	if (q->rule >= k->policy->nrules)
		return "there is no such rule";
	r = &k->policy->rules[q->rule];
	if (r->action != ACTION_ALLOW || !r->credential)
		return "the rule binds no credential";
	if (!host_pattern_match(&r->host, &q->host))
		return "the rule is for another host";
	if (!port_fits(r, q->port))
		return "the rule is for another port";
	if (!q->verified && rule_cleartext(r) != CLEARTEXT_ALLOW)
		return "the connection is not verified";
	*ret_index = find(k, str_from(r->credential));
	if (*ret_index < 0 || !k->secrets[*ret_index].pages)
		return "its value was missing when the session started";
	return NULL;
}

static bool within_rate(struct keeper *k, uint64_t now_ms)
{
	uint64_t gained;

	if (now_ms > k->filled_ms) {
		gained = (now_ms - k->filled_ms) * KEEPER_RATE / 1000;
		if (gained > KEEPER_BURST - k->tokens)
			gained = KEEPER_BURST - k->tokens;
		k->tokens += gained;
		k->filled_ms = now_ms;
	}
	if (k->tokens == 0)
		return false;
	k->tokens--;
	return true;
}

static int parse(struct str payload, struct question *ret)
{
	struct wire_in in = { .rest = payload };
	struct str host;
	uint8_t verified;

	ret->id = wire_get_u32(&in);
	ret->rule = wire_get_u32(&in);
	host = wire_get_str(&in, HOST_NAME_MAX_LEN);
	ret->port = wire_get_u16(&in);
	verified = wire_get_u8(&in);
	if (wire_in_done(&in) < 0 || verified > 1 || host_parse(host, &ret->host) < 0 ||
	    !str_eq(host, host_str(&ret->host)))
		return -EPROTO;
	ret->verified = verified;
	return 0;
}

/* The three parts of the value go out as one string. */
static int write_value(const struct credential *c, const struct secret *s, struct buf *out)
{
	struct str before = str_from(c->prefix), after = str_from(c->suffix);
	int r = 0;

	wire_str(out, &r, str_from(c->header));
	wire_u32(out, &r, (uint32_t)(before.len + s->len + after.len));
	r = r ? r : buf_append_str(out, before);
	r = r ? r : buf_append(out, s->pages, s->len);
	return r ? r : buf_append_str(out, after);
}

int keeper_answer(struct keeper *k, struct str payload, uint64_t now_ms, enum msg_type *ret_type,
		  struct buf *out)
{
	struct question q;
	const char *why;
	int r = parse(payload, &q), i = -1;

	if (r < 0)
		return r;
	why = within_rate(k, now_ms) ? refusal(k, &q, &i) : "too many requests for credentials";
	*ret_type = why ? MSG_CRED_NO : MSG_CRED;
	wire_u32(out, &r, q.id);
	if (why)
		wire_str(out, &r, str_from(why));
	else
		r = r ? r : write_value(&k->policy->credentials[i], &k->secrets[i], out);
	return r;
}

static int serve_back(struct keeper *k, struct channel *back, struct buf *out)
{
	struct msg m;
	int r = channel_flush(back);

	/* A back that does not read its answers gets no more of them. */
	while (r == 0 && (r = channel_recv(back, &m)) == 1) {
		enum msg_type type;

		if (m.type != MSG_CRED_GET)
			return -EPROTO;
		r = keeper_answer(k, m.payload, clock_mono_ms(), &type, out);
		if (r == 0)
			r = channel_send(back, type, buf_str(out), -1);
		explicit_bzero(out->base, out->cap);
		buf_clear(out);
		if (r == 0)
			r = channel_flush(back);
	}
	return r < 0 ? r : 0;
}

int keeper_run(struct keeper *k, struct channel *launch, struct channel *back)
{
	struct buf out = BUF_INIT(CHANNEL_MSG_MAX);
	int r = buf_reserve(&out, CHANNEL_MSG_MAX); /* never moved: no old copies */

	while (r == 0) {
		struct pollfd fds[] = {
			{ .fd = launch->fd, .events = POLLIN },
			{ .fd = back->fd,
			  .events = (short)(channel_pending(back) ? POLLOUT : POLLIN) },
		};
		struct msg m;

		if (poll(fds, 2, -1) < 0)
			r = errno == EINTR ? 0 : -errno;
		else if (fds[0].revents && (r = channel_recv(launch, &m)) != 0)
			break;
		else if (fds[1].revents)
			r = serve_back(k, back, &out);
	}
	buf_wipe(&out);
	if (r == 1) /* after GO the table lets launch say STOP only */
		return 0;
	return channel_wait_stop(launch, STOP_GRACE_MS) ? 0 : r;
}
