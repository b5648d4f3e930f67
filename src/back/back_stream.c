/* SPDX-License-Identifier: Apache-2.0 */
/*
 * back_stream - mediated requests: each is decided on, checked for credentials, and written anew
 * for the server; the response goes to front as it came.  Runs in back; what front sends is
 * hostile.
 *
 * Theory of operation.  A stream is one channel to front and at most one connection to a server,
 * kept from request to request while both ends allow it.  Requests go one after the other.  Flow is
 * held back both ways: no body is taken from front while the server has not taken what is there,
 * and nothing is read from the server while front has not.
 */
#include "back/back_state.h"

#include "base/own.h"
#include "base/wire.h"
#include "net/http1.h"
#include "os/fd.h"
#include "policy/rule.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A server that accepted the connection answers a ClientHello within this, or is stuck. */
#define HANDSHAKE_MS 10000u
/* Keeper answers from memory. */
#define KEY_MS 5000u
/* An idle connection is kept this long: longer than a person's pause is not worth the memory. */
#define IDLE_MS 60000u
/* Reads from the server in a turn, and messages from front, so that other streams get theirs. */
#define TURN_READS 4u
#define TURN_MESSAGES 16u
/* "HTTP/1.1 200" */
#define STATUS_LINE_MIN 12u
#define CHUNK_LINE_MAX 20u

enum stream_state {
	STREAM_IDLE,	  /* no request; the connection may be open */
	STREAM_DIALLING,  /* request decided on; resolving or connecting */
	STREAM_HANDSHAKE, /* connected; TLS is being agreed on */
	STREAM_KEY,	  /* connection stands and is verified; keeper was asked */
	STREAM_ACTIVE,	  /* head written; body goes up, response comes down */
	STREAM_SKIP,	  /* request is over; what front still sends of it is dropped */
	STREAM_DEAD,	  /* freed after this turn */
	STREAM_STATES
};

struct pending_request {
	struct request r; /* slices into bytes */
	char bytes[];
};

struct stream {
	struct id_node key; /* in back.keys while state is STREAM_KEY; first member */
	struct back *back;
	struct stream *next_dead;
	enum stream_state state;
	enum listener_kind via;
	struct host host;
	uint16_t port;
	struct channel channel;
	struct watch watch;
	struct dial dial;
	struct remote remote;
	struct timer timer;

	struct pending_request *request; /* while one is under way, and until it is recorded */
	const struct net_rule *rule;	 /* that allowed it */
	bool tls;			 /* this request wants TLS */
	uint16_t dial_port;
	uint64_t body_left; /* of a body with a length */
	bool body_over;	    /* all of it was queued */
	bool deaf;	    /* the server takes no more; its answer may still come */
	bool recorded;	    /* the allowed request is in the log: its end belongs there too */
	unsigned status;    /* of the response, 0 unknown */
	uint64_t up, down;

	bool remote_tls; /* how the open connection is */
	uint16_t remote_port;
	struct addr remote_addr;
};

static void enter(struct stream *s, enum stream_state to)
{
#define TO(x) (1u << STREAM_##x)
	static const unsigned legal[STREAM_STATES] = {
		[STREAM_IDLE] = TO(DIALLING) | TO(HANDSHAKE) | TO(KEY) | TO(ACTIVE) | TO(SKIP),
		[STREAM_DIALLING] = TO(HANDSHAKE) | TO(KEY) | TO(ACTIVE) | TO(SKIP),
		[STREAM_HANDSHAKE] = TO(KEY) | TO(ACTIVE) | TO(SKIP),
		[STREAM_KEY] = TO(ACTIVE) | TO(SKIP),
		[STREAM_ACTIVE] = TO(IDLE) | TO(SKIP),
		[STREAM_SKIP] = TO(IDLE) | TO(DIALLING) | TO(KEY) | TO(ACTIVE) | TO(SKIP),
	};

	assert(to == STREAM_DEAD || (legal[s->state] & (1u << to)));
#undef TO
	s->state = to;
}

static void close_remote(struct stream *s)
{
	if (s->remote.fd < 0)
		return;
	loop_remove(&s->back->loop, &s->remote.watch);
	remote_close(&s->remote);
}

/* The record of how an allowed request ended. */
static void record_end(struct stream *s)
{
	char rule[300];
	struct audit_record rec = {
		.event = AUDIT_CLOSE,
		.by = STR_LIT("back"),
		.via = str_from(back_via(s->via)),
		.host = host_str(&s->host),
		.port = s->port,
		.status = s->status,
		.bytes_up = s->up,
		.bytes_down = s->down,
	};

	if (!s->recorded || !s->request)
		return;
	s->recorded = false;
	rec.method = s->request->r.method;
	rec.path = s->request->r.path;
	rec.rule = back_rule_text(s->rule, rule, sizeof rule);
	back_record(s->back, &rec);
}

static void forget_request(struct stream *s)
{
	record_end(s);
	free(TAKE_PTR(s->request));
}

static void stop_waiting(struct stream *s)
{
	if (s->state == STREAM_KEY)
		idmap_take(&s->back->keys, s->key.id);
	dial_cancel(&s->dial);
	loop_timer_clear(&s->back->loop, &s->timer);
}

static void stream_kill(struct stream *s)
{
	struct back *b = s->back;

	if (s->state == STREAM_DEAD)
		return;
	stop_waiting(s);
	close_remote(s);
	forget_request(s);
	loop_remove(&b->loop, &s->watch);
	channel_done(&s->channel);
	enter(s, STREAM_DEAD);
	s->next_dead = b->dead;
	b->dead = s;
	b->nstreams--;
}

void back_free_dead(struct back *b)
{
	while (b->dead) {
		struct stream *s = b->dead;

		b->dead = s->next_dead;
		buf_wipe(&s->remote.out);
		free(s);
	}
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
	stop_waiting(s);
	close_remote(s);
	enter(s, STREAM_SKIP);
	if (s->recorded)
		s->status = status;
	forget_request(s);
	send_failed(s, status, reason, text);
}

static int record(struct stream *s, struct audit_record *rec, const struct net_rule *rule)
{
	char rule_text[300];

	rec->by = STR_LIT("back");
	rec->via = str_from(back_via(s->via));
	rec->host = host_str(&s->host);
	rec->port = s->port;
	if (s->request) {
		rec->method = s->request->r.method;
		rec->path = s->request->r.path;
	}
	rec->rule = back_rule_text(rule, rule_text, sizeof rule_text);
	return back_record(s->back, rec);
}

static void deny(struct stream *s, const struct net_rule *rule, unsigned reason, const char *token,
		 const char *text)
{
	struct audit_record rec = { .event = AUDIT_REQUEST,
				    .verdict = STR_LIT("deny"),
				    .reason = str_from(token),
				    .detail = str_from(text),
				    .status = 403 };

	if (record(s, &rec, rule) == 0)
		fail_request(s, 403, reason, text);
}

/* Dialling, TLS or the server failed. */
static void fail_upstream(struct stream *s, unsigned status, const char *text)
{
	char addr[ADDR_TEXT_MAX];
	struct audit_record rec = { .event = AUDIT_UPSTREAM,
				    .reason = STR_LIT("upstream"),
				    .detail = str_from(text),
				    .status = status };

	if (s->remote.fd >= 0)
		rec.addr = str_from(addr_format(&s->remote_addr, addr));
	if (record(s, &rec, s->rule) == 0)
		fail_request(s, status, REASON_MAX, text);
}

static void update(struct stream *s);

/* -- the way up -- */

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
	if (record(s, &rec, s->rule) < 0)
		return;
	s->recorded = true;
	s->status = 0;
	s->up = s->down = 0;
	s->deaf = false;
	s->body_left = r->length;
	s->body_over = r->body == BODY_NONE;
	if (request_format(r, key, &s->remote.out) < 0) {
		fail_upstream(s, 502, "the request cannot be written for the server");
		return;
	}
	enter(s, STREAM_ACTIVE);
}

static void on_late(struct timer *t)
{
	struct stream *s = container_of(t, struct stream, timer);

	switch (s->state) {
	case STREAM_HANDSHAKE:
		fail_upstream(s, 504, "TLS was not agreed on in time");
		break;
	case STREAM_KEY:
		fail_upstream(s, 502, "the keeper did not answer in time");
		break;
	case STREAM_IDLE:
		close_remote(s);
		break;
	case STREAM_DIALLING:
	case STREAM_ACTIVE:
	case STREAM_SKIP:
	case STREAM_DEAD:
	case STREAM_STATES:
		break;
	}
	update(s);
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
	enter(s, STREAM_KEY);
	loop_timer_set(&b->loop, &s->timer, KEY_MS, on_late);
}

/* The connection stands, verified where TLS is wanted. */
static void connected(struct stream *s)
{
	loop_timer_clear(&s->back->loop, &s->timer);
	if (s->tls && !s->remote.verified)
		fail_upstream(s, 502, "the server was not verified");
	else if (s->rule->credential)
		ask_keeper(s);
	else
		write_head(s, NULL);
}

static void step_handshake(struct stream *s)
{
	struct err e = ERR_INIT;
	int r = remote_handshake(&s->remote, &e);

	if (r == 0)
		connected(s);
	else if (r != -EAGAIN)
		fail_upstream(s, 502, e.text);
}

static void on_remote(struct watch *w, uint32_t events);

static void on_dialled(struct dial *d)
{
	struct stream *s = container_of(d, struct stream, dial);
	struct back *b = s->back;

	if (d->status == 403) {
		deny(s, s->rule, REASON_MAX, "address", d->why);
	} else if (d->status) {
		fail_upstream(s, d->status, d->why);
	} else {
		s->remote_tls = s->tls;
		s->remote_port = s->dial_port;
		s->remote_addr = d->dialled;
		if (remote_open(&s->remote, TAKE_FD(d->fd), s->tls ? b->setup->tls : NULL,
				&s->host) < 0 ||
		    loop_add(&b->loop, &s->remote.watch, s->remote.fd, 0, on_remote) < 0) {
			remote_close(&s->remote);
			fail_upstream(s, 502, "out of memory");
		} else {
			enter(s, STREAM_HANDSHAKE);
			loop_timer_set(&b->loop, &s->timer, HANDSHAKE_MS, on_late);
			step_handshake(s);
		}
	}
	update(s);
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
		deny(s, v.rule, v.reason, reason_name(v.reason), text);
		return;
	}
	inject = inject_check(setup->policy, r, setup->placeholders, setup->nplaceholders);
	if (inject != INJECT_OK) {
		deny(s, v.rule, REASON_MAX, inject_name(inject),
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
		deny(s, v.rule, REASON_CLEARTEXT, reason_name(REASON_CLEARTEXT),
		     "a credential is not sent in clear text");
		return;
	}
	if (s->tls && !setup->tls) {
		fail_upstream(s, 502, "TLS is not available");
		return;
	}
	if (reusable(s)) {
		connected(s);
		return;
	}
	close_remote(s);
	enter(s, STREAM_DIALLING);
	dial_start(&s->dial, &s->back->dialling, s->rule, &s->host, s->dial_port, on_dialled);
}

static int take_request(struct stream *s, struct str payload)
{
	struct pending_request *p;

	if (s->state == STREAM_ACTIVE && s->remote.fd < 0) {
		forget_request(s);
		enter(s, STREAM_IDLE);
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
		struct audit_record rec = { .event = AUDIT_BAD_INPUT,
					    .verdict = STR_LIT("deny"),
					    .reason = STR_LIT("grammar"),
					    .status = 400 };

		free(p);
		if (record(s, &rec, NULL) == 0)
			fail_request(s, 400, REASON_MAX, "the request is outside the grammar");
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

static int take_body_end(struct stream *s)
{
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
	forget_request(s);
	if (!again || !whole || s->deaf || buf_len(&s->remote.out))
		close_remote(s);
	enter(s, whole ? STREAM_IDLE : STREAM_SKIP);
	if (s->remote.fd >= 0)
		loop_timer_set(&s->back->loop, &s->timer, IDLE_MS, on_late);
	return 0;
}

static int take_message(struct stream *s, const struct msg *m)
{
	if (m->type == MSG_REQUEST)
		return take_request(s, m->payload);
	if (m->type == MSG_BODY)
		return take_body(s, m->payload);
	if (m->type == MSG_BODY_END)
		return take_body_end(s);
	return m->type == MSG_DONE ? take_done(s, m->payload) : -EPROTO;
}

/* -- the way down -- */

static void note_status(struct stream *s, const char *p, size_t n)
{
	unsigned status = 0;

	if (s->down || n < STATUS_LINE_MIN || memcmp(p, "HTTP/1.", 7) != 0)
		return;
	for (unsigned i = 9; i < 12; i++) {
		if (p[i] < '0' || p[i] > '9')
			return;
		status = status * 10 + (unsigned)(p[i] - '0');
	}
	s->status = status;
}

static void remote_ended(struct stream *s)
{
	if (s->down == 0) {
		fail_upstream(s, 502, "the server closed the connection without an answer");
		return;
	}
	close_remote(s);
	if (channel_send(&s->channel, MSG_DATA_END, STR_NONE, -1) < 0)
		stream_kill(s);
}

static void pump_down(struct stream *s)
{
	for (unsigned i = 0; s->state == STREAM_ACTIVE && s->remote.fd >= 0 && i < TURN_READS &&
			     !channel_pending(&s->channel);
	     i++) {
		struct err e = ERR_INIT;
		char *p = s->back->scratch;
		ssize_t n = remote_read(&s->remote, p, BACK_READ_MAX, &e);

		if (n == -EAGAIN)
			return;
		if (n == 0) {
			remote_ended(s);
		} else if (n < 0) {
			fail_upstream(s, 502,
				      e.text[0] ? e.text : "reading from the server failed");
		} else {
			note_status(s, p, (size_t)n);
			s->down += (uint64_t)n;
			if (channel_send(&s->channel, MSG_DATA, (struct str){ p, (size_t)n }, -1) <
			    0)
				stream_kill(s);
		}
	}
}

static void pump_up(struct stream *s)
{
	struct err e = ERR_INIT;

	if (s->state != STREAM_ACTIVE || s->remote.fd < 0 || s->deaf)
		return;
	if (remote_flush(&s->remote, &e) >= 0)
		return;
	/* It may have answered early and closed: its answer is still read. */
	s->deaf = true;
	buf_clear(&s->remote.out);
}

static bool wants_messages(const struct stream *s)
{
	switch (s->state) {
	case STREAM_IDLE:
	case STREAM_SKIP:
		return true;
	case STREAM_ACTIVE:
		return buf_len(&s->remote.out) < REMOTE_OUT_HIGH;
	case STREAM_DIALLING:
	case STREAM_HANDSHAKE:
	case STREAM_KEY:
	case STREAM_DEAD:
	case STREAM_STATES:
		break;
	}
	return false;
}

/* A connection that nothing is wanted from leaves the loop: its end would be reported for ever. */
static int watch_remote(struct stream *s)
{
	struct loop *l = &s->back->loop;
	/* While idle, any event is the end of the connection. */
	bool reads = s->state == STREAM_IDLE || s->state == STREAM_KEY ||
		     (s->state == STREAM_ACTIVE && !channel_pending(&s->channel));
	uint32_t events = remote_events(&s->remote, reads, s->state == STREAM_HANDSHAKE);

	if (s->state == STREAM_KEY)
		events = EPOLLRDHUP;
	if (events == 0) {
		loop_remove(l, &s->remote.watch);
		return 0;
	}
	if (s->remote.watch.events)
		return loop_change(l, &s->remote.watch, events);
	return loop_add(l, &s->remote.watch, s->remote.fd, events, on_remote);
}

/* After anything happened: moves what can move, and waits for what can happen next. */
static void update(struct stream *s)
{
	struct loop *l = &s->back->loop;
	uint32_t events;
	int r = 0;

	if (s->state == STREAM_ACTIVE) {
		pump_up(s);
		pump_down(s);
	}
	if (s->state == STREAM_DEAD)
		return;
	if (s->remote.fd >= 0)
		r = watch_remote(s);
	events = wants_messages(s) ? EPOLLIN : 0;
	if (channel_pending(&s->channel))
		events |= EPOLLOUT;
	if (r == 0)
		r = loop_change(l, &s->watch, events);
	if (r < 0)
		stream_kill(s);
}

static void on_remote(struct watch *w, uint32_t events)
{
	struct stream *s = container_of(w, struct stream, remote.watch);

	if (s->state == STREAM_HANDSHAKE)
		step_handshake(s);
	else if (s->state == STREAM_KEY)
		fail_upstream(s, 502, "the server closed the connection without an answer");
	else if (s->state == STREAM_IDLE || s->state == STREAM_SKIP)
		close_remote(s);
	else if (events & EPOLLERR)
		s->deaf = true;
	update(s);
}

static void on_stream(struct watch *w, uint32_t events)
{
	struct stream *s = container_of(w, struct stream, watch);
	int r = events & EPOLLOUT ? channel_flush(&s->channel) : 0;

	for (unsigned i = 0; i < TURN_MESSAGES && r >= 0 && wants_messages(s); i++) {
		struct msg m;

		r = channel_recv(&s->channel, &m);
		if (r == 0)
			break;
		if (r > 0) {
			r = take_message(s, &m);
			close_fd(&m.fd);
		}
	}
	/* Front went away while nothing is read from it: the request is not wanted any more. */
	if (r >= 0 && !wants_messages(s) && (events & (EPOLLHUP | EPOLLERR)))
		r = -ECONNRESET;
	if (r < 0)
		stream_kill(s);
	update(s);
}

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
			fail_upstream(s, 502, text);
		}
		update(s);
	}
	if (m->type == MSG_CRED)
		channel_scrub();
	return 0;
}

int back_stream_new(struct back *b, enum listener_kind via, const struct host *host, uint16_t port,
		    int *ret_fd)
{
	struct stream *s;
	int fds[2], r;

	if (b->nstreams >= BACK_STREAMS_MAX)
		return -EMFILE;
	s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	r = channel_pair(fds);
	if (r < 0) {
		free(s);
		return r;
	}
	s->back = b;
	s->via = via;
	s->host = *host;
	s->port = port;
	remote_init(&s->remote);
	channel_init(&s->channel, fds[0], ROLE_BACK, ROLE_FRONT);
	channel_set_running(&s->channel);
	r = loop_add(&b->loop, &s->watch, fds[0], EPOLLIN, on_stream);
	if (r < 0) {
		channel_done(&s->channel);
		close(fds[1]);
		free(s);
		return r;
	}
	b->nstreams++;
	*ret_fd = fds[1];
	return 0;
}
