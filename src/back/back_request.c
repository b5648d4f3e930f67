/* SPDX-License-Identifier: Apache-2.0 */
/*
 * back_request - the way up of a mediated request: deciding, dialling, TLS, the credential, the
 * head as we write it, the body.  Called by back_stream.c and back.c, in back; what front sends is
 * hostile.
 */
#include "back/back_stream.h"

#include "base/own.h"
#include "base/wire.h"
#include "net/http1.h"
#include "policy/rule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A server that accepted the connection answers a ClientHello within this, or is stuck. */
#define HANDSHAKE_MS 10000u
/* Keeper answers from memory. */
#define KEY_MS 5000u
/* An idle connection is kept this long: longer than a person's pause is not worth the memory. */
#define IDLE_MS 60000u
#define CHUNK_LINE_MAX 20u

/* -- the connection -- */

/* Puts the head into the queue. `key` is the field that carries the credential, or NULL. */
static void write_head(struct stream *s, const struct request_header *key)
{
	char addr[ADDR_TEXT_MAX];
	struct audit_record rec = {
		.event = AUDIT_REQUEST,
		.verdict = STR_LIT("allow"),
		.reason = str_from(reason_name(REASON_ALLOWED)),
		.addr = str_from(addr_format(&s->remote_addr, addr)),
		.credential = key ? str_from(s->rule->credential) : STR_NONE,
	};
	struct request *r = &s->request->r;

	/* Logged before a byte is let out; without the log, nothing is. */
	if (stream_record(s, &rec, s->rule) < 0)
		return;
	s->recorded = true;
	s->status = 0;
	s->up = s->down = 0;
	s->deaf = false;
	s->body_left = r->length;
	s->body_over = r->body == BODY_NONE;
	if (request_format(r, key, &s->remote.out) < 0) {
		stream_fail(s, 502, "the request cannot be written for the server");
		return;
	}
	stream_enter(s, STREAM_ACTIVE);
}

static void on_late(struct timer *t)
{
	static const struct {
		unsigned status;
		const char *text;
	} late[STREAM_STATES] = {
		[STREAM_HANDSHAKE] = { 504, "TLS was not agreed on in time" },
		[STREAM_KEY] = { 502, "the keeper did not answer in time" },
	};
	struct stream *s = container_of(t, struct stream, timer);

	if (late[s->state].text)
		stream_fail(s, late[s->state].status, late[s->state].text);
	else if (s->state == STREAM_IDLE)
		stream_close_remote(s);
	stream_update(s);
}

static void ask_keeper(struct stream *s)
{
	struct back *b = s->back;
	int r = 0;

	while (idmap_find(&b->keys, b->next_key))
		b->next_key++;
	buf_clear(&b->message);
	wire_u32(&b->message, &r, b->next_key);
	wire_u32(&b->message, &r, back_rule_index(b, s->rule));
	wire_str(&b->message, &r, host_str(&s->host));
	wire_u16(&b->message, &r, s->port);
	wire_u8(&b->message, &r, s->remote.verified);
	if (r == 0)
		r = channel_send(b->setup->keeper, MSG_CRED_GET, buf_str(&b->message), -1);
	if (r < 0) {
		back_end(b, r);
		return;
	}
	idmap_add(&b->keys, &s->key, b->next_key++);
	stream_enter(s, STREAM_KEY);
	loop_timer_set(&b->loop, &s->timer, KEY_MS, on_late);
}

/* The connection stands, verified where TLS is wanted. */
static void connected(struct stream *s)
{
	loop_timer_clear(&s->back->loop, &s->timer);
	if (s->tls && !s->remote.verified)
		stream_fail(s, 502, "the server was not verified");
	else if (s->rule->credential)
		ask_keeper(s);
	else
		write_head(s, NULL);
}

void stream_handshake(struct stream *s)
{
	struct err e = ERR_INIT;
	int r = remote_handshake(&s->remote, &e);

	if (r == 0)
		connected(s);
	else if (r != -EAGAIN)
		stream_fail(s, 502, e.text);
}

static void on_dialled(struct dial *d)
{
	struct stream *s = container_of(d, struct stream, dial);
	struct back *b = s->back;

	if (d->status == 403) {
		stream_deny(s, s->rule, REASON_MAX, "address", d->why);
	} else if (d->status) {
		stream_fail(s, d->status, d->why);
	} else {
		s->remote_tls = s->tls;
		s->remote_port = s->dial_port;
		s->remote_addr = d->dialled;
		if (remote_open(&s->remote, TAKE_FD(d->fd), s->tls ? b->setup->tls : NULL,
				&s->host) < 0 ||
		    loop_add(&b->loop, &s->remote.watch, s->remote.fd, 0, stream_on_remote) < 0) {
			remote_close(&s->remote);
			stream_fail(s, 502, "out of memory");
		} else {
			stream_enter(s, STREAM_HANDSHAKE);
			loop_timer_set(&b->loop, &s->timer, HANDSHAKE_MS, on_late);
			stream_handshake(s);
		}
	}
	stream_update(s);
}

/* May the open connection carry this request too? */
static bool reusable(const struct stream *s)
{
	if (s->remote.fd < 0 || s->remote_tls != s->tls || s->remote_port != s->dial_port)
		return false;
	if (s->rule->upstream_addr.family)
		return addr_eq(&s->rule->upstream_addr, &s->remote_addr);
	return s->host.addr.family || rule_allows_address(s->rule, &s->remote_addr);
}

/* -- deciding -- */

/* Where this request goes, and how: TLS when the agent asked for it or policy upgrades. */
static void choose_way(struct stream *s, const struct verdict *v)
{
	struct request *r = &s->request->r;

	s->rule = v->rule;
	s->tls = v->upgrade || r->https;
	if (v->upgrade && !r->https) {
		r->https = true;
		r->port = 443;
	}
	s->dial_port = v->rule->upstream_port ? v->rule->upstream_port : r->port;
}

static bool credential_in_clear(const struct stream *s)
{
	return s->rule->credential && !s->tls && rule_cleartext(s->rule) != CLEARTEXT_ALLOW;
}

static void decide_request(struct stream *s)
{
	const struct back_setup *setup = s->back->setup;
	struct request *r = &s->request->r;
	struct intent in = { .kind = INTENT_REQUEST,
			     .host = r->host,
			     .port = r->port,
			     .explicit_port = back_explicit_port(s->via),
			     .https = r->https,
			     .method = r->method,
			     .path = r->path };
	enum inject_verdict inject;
	char text[BACK_TEXT_MAX];
	struct verdict v;

	decide(setup->policy, &in, &v);
	if (v.action != ACTION_ALLOW || !v.rule) {
		back_denial_text(&v, &r->host, r->port, text, sizeof text);
		stream_deny(s, v.rule, v.reason, reason_name(v.reason), text);
		return;
	}
	inject = inject_check(setup->policy, r, setup->placeholders, setup->nplaceholders);
	if (inject != INJECT_OK) {
		stream_deny(
		    s, v.rule, REASON_MAX, inject_name(inject),
		    inject == INJECT_FOREIGN
			? "the request carries a key of its own, and this host takes only the "
			  "one that policy binds to it: send none, or the placeholder"
			: "the request carries the placeholder of a credential that is not "
			  "bound to this host");
		return;
	}
	inject_strip(setup->policy, r);
	choose_way(s, &v);
	if (credential_in_clear(s)) {
		stream_deny(s, v.rule, REASON_CLEARTEXT, reason_name(REASON_CLEARTEXT),
			    "a credential is not sent in clear text");
		return;
	}
	if (s->tls && !setup->tls) {
		stream_fail(s, 502, "TLS is not available");
		return;
	}
	if (reusable(s)) {
		connected(s);
		return;
	}
	stream_close_remote(s);
	stream_enter(s, STREAM_DIALLING);
	dial_start(&s->dial, &s->back->dialling, s->rule, &s->host, s->dial_port, on_dialled);
}

/* -- messages of front -- */

static int take_request(struct stream *s, struct str payload)
{
	struct pending_request *p;

	if (s->state == STREAM_ACTIVE && s->remote.fd < 0) {
		stream_forget_request(s);
		stream_enter(s, STREAM_IDLE);
	}
	if (s->state != STREAM_IDLE && s->state != STREAM_SKIP)
		return -EPROTO;
	loop_timer_clear(&s->back->loop, &s->timer);
	p = malloc(sizeof *p + payload.len);
	if (!p)
		return -ENOMEM;
	memcpy(p->bytes, payload.p, payload.len);
	if (request_unpack((struct str){ p->bytes, payload.len }, &p->r) < 0 ||
	    !str_eq(host_str(&p->r.host), host_str(&s->host)) || p->r.port != s->port) {
		free(p);
		stream_bad_request(s);
		return 0;
	}
	s->request = p;
	decide_request(s);
	return 0;
}

static int queue_chunk(struct stream *s, struct str data)
{
	char line[CHUNK_LINE_MAX];
	int n = snprintf(line, sizeof line, "%zx\r\n", data.len), r;

	r = buf_append(&s->remote.out, line, (size_t)n);
	r = r ? r : buf_append_str(&s->remote.out, data);
	return r ? r : buf_append_str(&s->remote.out, STR_LIT("\r\n"));
}

static int take_body(struct stream *s, struct str data)
{
	const struct request *r;

	if (s->state == STREAM_SKIP)
		return 0;
	if (s->state != STREAM_ACTIVE || s->body_over)
		return -EPROTO;
	r = &s->request->r;
	if (r->body == BODY_LENGTH && data.len > s->body_left)
		return -EPROTO; /* would be read as the next request */
	if (r->body == BODY_LENGTH)
		s->body_left -= data.len;
	s->up += data.len;
	if (s->deaf || s->remote.fd < 0 || data.len == 0)
		return 0;
	return r->body == BODY_CHUNKED ? queue_chunk(s, data)
				       : buf_append_str(&s->remote.out, data);
}

static int take_body_end(struct stream *s, struct str payload)
{
	(void)payload; /* msgs.def: empty */
	if (s->state != STREAM_ACTIVE)
		return s->state == STREAM_SKIP || s->state == STREAM_IDLE ? 0 : -EPROTO;
	if (s->body_over)
		return s->request->r.body == BODY_NONE ? 0 : -EPROTO;
	if (s->request->r.body == BODY_LENGTH && s->body_left)
		return -EPROTO;
	s->body_over = true;
	if (s->request->r.body != BODY_CHUNKED || s->deaf || s->remote.fd < 0)
		return 0;
	return buf_append_str(&s->remote.out, STR_LIT("0\r\n\r\n"));
}

/* The response is complete, says front, who reads it. */
static int take_done(struct stream *s, struct str payload)
{
	struct wire_in in = { .rest = payload };
	bool again = wire_get_u8(&in) == 1, whole = s->body_over;

	if (wire_in_done(&in) < 0)
		return -EPROTO;
	if (s->state != STREAM_ACTIVE)
		return s->state == STREAM_SKIP || s->state == STREAM_IDLE ? 0 : -EPROTO;
	stream_forget_request(s);
	if (!again || !whole || s->deaf || buf_len(&s->remote.out))
		stream_close_remote(s);
	stream_enter(s, whole ? STREAM_IDLE : STREAM_SKIP);
	if (s->remote.fd >= 0)
		loop_timer_set(&s->back->loop, &s->timer, IDLE_MS, on_late);
	return 0;
}

int stream_take(struct stream *s, const struct msg *m)
{
	static const struct {
		unsigned type;
		int (*take)(struct stream *s, struct str payload);
	} takes[] = {
		{ MSG_REQUEST, take_request },
		{ MSG_BODY, take_body },
		{ MSG_BODY_END, take_body_end },
		{ MSG_DONE, take_done },
	};

	for (unsigned i = 0; i < ARRAY_LEN(takes); i++)
		if (takes[i].type == m->type)
			return takes[i].take(s, m->payload);
	return -EPROTO;
}

/* -- messages of keeper -- */

int back_take_key(struct back *b, struct msg *m)
{
	struct wire_in in = { .rest = m->payload };
	uint32_t id = wire_get_u32(&in);
	struct request_header key = { 0 };
	struct str why = STR_NONE;
	struct stream *s;

	if (m->type == MSG_CRED) {
		key.name = wire_get_str(&in, POLICY_STRING_MAX);
		key.value = wire_get_str(&in, CHANNEL_MSG_MAX);
	} else {
		why = wire_get_str(&in, BACK_TEXT_MAX);
	}
	if (wire_in_done(&in) < 0)
		return -EPROTO;
	s = (struct stream *)idmap_take(&b->keys, id);
	if (s) {
		loop_timer_clear(&b->loop, &s->timer);
		if (m->type == MSG_CRED) {
			write_head(s, &key);
		} else {
			char text[BACK_TEXT_MAX];

			snprintf(text, sizeof text, "no credential: %.*s", STR_FMT(why));
			stream_fail(s, 502, text);
		}
		stream_update(s);
	}
	if (m->type == MSG_CRED)
		channel_scrub();
	return 0;
}
