/* SPDX-License-Identifier: Apache-2.0 */
/*
 * back - see back.h.  Its own process, jailed.  Front is not believed: it reads the agent's bytes
 * and may have been taken over; keeper, resolver and audit are held to the message table.
 *
 * Theory of operation.  One loop.  Each peer has a watch and a function for its messages.  OPEN is
 * answered by back_open.c, requests on streams by back_stream.c.  Any failure of a channel ends the
 * role, which closes every channel and so ends the gateway.
 */
#include "back/back_state.h"

#include "base/own.h"

#include <errno.h>
#include <stdlib.h>

/* Messages taken from one peer in a turn, so that the others get theirs. */
#define TURN_MESSAGES 64u
/* A peer that is gone before launch said STOP may have read its own STOP first. */
#define STOP_GRACE_MS 500

static int take_launch(struct back *b, struct msg *m)
{
	if (m->type != MSG_STOP)
		return -EPROTO;
	back_end(b, 0);
	return 0;
}

static int take_front(struct back *b, struct msg *m)
{
	if (m->type == MSG_OPEN)
		return back_take_open(b, m);
	return m->type == MSG_CANCEL ? back_take_cancel(b, m) : -EPROTO;
}

static int take_keeper(struct back *b, struct msg *m)
{
	return m->type == MSG_CRED || m->type == MSG_CRED_NO ? back_take_key(b, m) : -EPROTO;
}

static int take_resolver(struct back *b, struct msg *m)
{
	return m->type == MSG_RESOLVED ? resolve_answer(&b->resolver, m->payload) : -EPROTO;
}

static int take_audit(struct back *b, struct msg *m)
{
	(void)b;
	(void)m;
	return -EPROTO;
}

static void on_peer(struct watch *w, uint32_t events)
{
	struct back_peer *p = container_of(w, struct back_peer, watch);
	struct back *b = p->back;
	int r = events & EPOLLOUT ? channel_flush(p->channel) : 0;

	if (r >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		for (unsigned i = 0; i < TURN_MESSAGES && !b->ended; i++) {
			struct msg m;

			r = channel_recv(p->channel, &m);
			if (r <= 0)
				break;
			r = p->take(b, &m);
			if (m.fd >= 0) /* no message to back carries one */
				r = -EPROTO;
			if (r < 0)
				break;
		}
	if (r < 0)
		back_end(b, r);
}

/* After each turn: wait for room where something is queued, and take no new work meanwhile. */
static void after_turn(struct loop *l)
{
	struct back *b = l->owner;
	bool slow = channel_pending(b->setup->audit) || channel_pending(b->setup->front);

	back_free_dead(b);
	for (unsigned i = 0; i < PEER_MAX && !b->ended; i++) {
		struct back_peer *p = &b->peers[i];
		uint32_t events = i == PEER_FRONT && slow ? 0 : EPOLLIN;
		int r;

		if (channel_pending(p->channel))
			events |= EPOLLOUT;
		r = loop_change(l, &p->watch, events);
		if (r < 0)
			back_end(b, r);
	}
}

static int watch_peers(struct back *b)
{
	const struct back_setup *s = b->setup;
	const struct back_peer peers[PEER_MAX] = {
		[PEER_LAUNCH] = { .channel = s->launch, .take = take_launch },
		[PEER_FRONT] = { .channel = s->front, .take = take_front },
		[PEER_KEEPER] = { .channel = s->keeper, .take = take_keeper },
		[PEER_RESOLVER] = { .channel = s->resolver, .take = take_resolver },
		[PEER_AUDIT] = { .channel = s->audit, .take = take_audit },
	};

	for (unsigned i = 0; i < PEER_MAX; i++) {
		struct back_peer *p = &b->peers[i];
		int r;

		*p = peers[i];
		p->back = b;
		r = loop_add(&b->loop, &p->watch, p->channel->fd, EPOLLIN, on_peer);
		if (r < 0)
			return r;
	}
	return 0;
}

int back_run(const struct back_setup *setup)
{
	/* One a process, and never freed: streams may be open when the role ends. */
	static struct back role;
	struct back *b = &role;
	int r;

	b->setup = setup;
	b->message = BUF_INIT(CHANNEL_MSG_MAX);
	b->resolver.channel = setup->resolver;
	b->scratch = malloc(BACK_READ_MAX);
	r = b->scratch ? loop_init(&b->loop) : -ENOMEM;
	if (r == 0) {
		b->loop.owner = b;
		b->loop.after = after_turn;
		b->dialling = (struct dial_context){ &b->loop, &b->resolver };
		r = watch_peers(b);
	}
	if (r == 0)
		r = loop_run(&b->loop);
	if (r == 0)
		r = b->status;
	/* What is open dies with the process; a peer's end may be an orderly one. */
	if (r < 0 && channel_wait_stop(setup->launch, STOP_GRACE_MS))
		r = 0;
	return r;
}
