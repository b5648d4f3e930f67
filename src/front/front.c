/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front - see front.h: the role's loop, and its channels to back, audit and launch.
 *
 * Called by the role's main after the jail is shut.  What comes over the channels was checked
 * against the message table; a channel that ends, ends the role, and with it every connection.
 */
#include "front/front.h"

#include "base/rand.h"
#include "front/account.h"
#include "front/conn.h"
#include "front/forward.h"
#include "front/listener.h"
#include "front/opening.h"
#include "front/upstream.h"

#include <errno.h>
#include <unistd.h>

/* What a head or a message of ours may take: a request head, and what we add. */
#define WORK_MAX (HTTP1_HEAD_MAX * 2 + FRONT_SCRATCH)
/* Messages taken from back in one callback. */
#define ANSWERS_A_TURN 64

/* Frees what was closed during the turn. */
static void after(struct loop *l)
{
	struct front *f = container_of(l, struct front, loop);
	bool any = f->dead_conns != NULL;

	while (f->dead_conns) {
		struct conn *c = f->dead_conns;

		f->dead_conns = c->next;
		free(c);
	}
	while (f->dead_upstreams) {
		struct upstream *u = f->dead_upstreams;

		f->dead_upstreams = u->next;
		free(u);
	}
	if (any)
		listener_resume(f);
}

static void on_back(struct watch *w, uint32_t events)
{
	struct front *f = container_of(w, struct front, back);
	struct channel *back = f->setup->back;
	int r = events & EPOLLOUT ? channel_flush(back) : 0;

	for (int i = 0; r >= 0 && i < ANSWERS_A_TURN; i++) {
		struct msg m = { .fd = -1 };

		r = channel_recv(back, &m);
		if (r == 0)
			break;
		if (r > 0)
			r = opening_answer(f, &m);
	}
	if (r < 0)
		front_fail(f, r);
}

/* Audit never speaks to us: anything here is its end. */
static void on_audit(struct watch *w, uint32_t events)
{
	(void)events;
	front_fail(container_of(w, struct front, audit), -EPIPE);
}

static void on_launch(struct watch *w, uint32_t events)
{
	struct front *f = container_of(w, struct front, launch);
	struct msg m;
	int r = channel_recv(f->setup->launch, &m);

	(void)events;
	if (r == 1 && m.type == MSG_STOP)
		f->loop.stop = true;
	else if (r != 0)
		front_fail(f, r < 0 ? r : -EPROTO);
}

/* After each turn: does back's channel wait for room? */
static void after_turn(struct loop *l)
{
	struct front *f = container_of(l, struct front, loop);

	forward_release(f);
	after(l);
	if (f->failed == 0)
		loop_change(l, &f->back,
			    channel_pending(f->setup->back) ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static int start(struct front *f)
{
	uint8_t key[DNS_NAMES_KEY_LEN];
	int r;

	rand_bytes(key, sizeof key);
	f->names = dns_names_new(key);
	if (!f->names)
		return -ENOMEM;
	rand_bytes(&f->dns_denied_seed, sizeof f->dns_denied_seed);
	r = loop_add(&f->loop, &f->back, f->setup->back->fd, EPOLLIN, on_back);
	if (r == 0)
		r = loop_add(&f->loop, &f->audit, f->setup->audit->fd, EPOLLIN, on_audit);
	if (r == 0)
		r = loop_add(&f->loop, &f->launch, f->setup->launch->fd, EPOLLIN, on_launch);
	return r < 0 ? r : listener_start(f);
}

static void stop(struct front *f)
{
	while (f->conns)
		conn_close(f->conns);
	account_flush(f); /* the ends of the tunnels */
	upstream_close_all(f);
	after(&f->loop);
	listener_stop(f);
	while (f->npipes > 0) {
		f->npipes--;
		close(f->pipes[f->npipes][0]);
		close(f->pipes[f->npipes][1]);
	}
	dns_names_free(f->names);
	buf_done(&f->head);
	buf_done(&f->message);
	buf_done(&f->records);
	loop_done(&f->loop);
}

int front_run(const struct front_setup *setup)
{
	struct front *f = calloc(1, sizeof *f);
	int r;

	if (!f)
		return -ENOMEM;
	f->setup = setup;
	f->head = BUF_INIT(WORK_MAX);
	f->message = BUF_INIT(WORK_MAX);
	f->records = BUF_INIT(WORK_MAX);
	r = loop_init(&f->loop);
	if (r < 0) {
		free(f);
		return r;
	}
	f->loop.after = after_turn;
	r = start(f);
	if (r == 0)
		r = loop_run(&f->loop);
	if (r == 0)
		r = f->failed;
	stop(f);
	free(f);
	return r;
}
