/* SPDX-License-Identifier: Apache-2.0 */
/*
 * back_stream - a stream's life, its events and the way down; see back_stream.h.  Called by back.c
 * and the loop, in back; what front and the server send is hostile.
 */
#include "back/back_stream.h"

#include "base/own.h"
#include "os/fd.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* Reads from the server in a turn, and messages from front, so that other streams get theirs. */
#define TURN_READS 4u
#define TURN_MESSAGES 16u
/* "HTTP/1.1 200" */
#define STATUS_LINE_MIN 12u

void stream_enter(struct stream *s, enum stream_state to)
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

void stream_close_remote(struct stream *s)
{
	if (s->remote.fd < 0)
		return;
	loop_remove(&s->back->loop, &s->remote.watch);
	remote_close(&s->remote);
}

void stream_forget_request(struct stream *s)
{
	stream_record_end(s);
	free(TAKE_PTR(s->request));
}

void stream_stop_waiting(struct stream *s)
{
	if (s->state == STREAM_KEY)
		idmap_take(&s->back->keys, s->key.id);
	dial_cancel(&s->dial);
	loop_timer_clear(&s->back->loop, &s->timer);
}

void stream_kill(struct stream *s)
{
	struct back *b = s->back;

	if (s->state == STREAM_DEAD)
		return;
	stream_stop_waiting(s);
	stream_close_remote(s);
	stream_forget_request(s);
	loop_remove(&b->loop, &s->watch);
	channel_done(&s->channel);
	stream_enter(s, STREAM_DEAD);
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
		stream_fail(s, 502, "the server closed the connection without an answer");
		return;
	}
	stream_close_remote(s);
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
			stream_fail(s, 502, e.text[0] ? e.text : "reading from the server failed");
		} else {
			note_status(s, p, (size_t)n);
			s->down += (uint64_t)n;
			if (channel_send(&s->channel, MSG_DATA, (struct str){ p, (size_t)n }, -1) <
			    0)
				stream_kill(s);
		}
	}
}

/* -- events -- */

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
	return loop_add(l, &s->remote.watch, s->remote.fd, events, stream_on_remote);
}

void stream_update(struct stream *s)
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

void stream_on_remote(struct watch *w, uint32_t events)
{
	struct stream *s = container_of(w, struct stream, remote.watch);

	if (s->state == STREAM_HANDSHAKE)
		stream_handshake(s);
	else if (s->state == STREAM_KEY)
		stream_fail(s, 502, "the server closed the connection without an answer");
	else if (s->state == STREAM_IDLE || s->state == STREAM_SKIP)
		stream_close_remote(s);
	else if (events & EPOLLERR)
		s->deaf = true;
	stream_update(s);
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
			r = stream_take(s, &m);
			close_fd(&m.fd);
		}
	}
	/* Front went away while nothing is read from it: the request is not wanted any more. */
	if (r >= 0 && !wants_messages(s) && (events & (EPOLLHUP | EPOLLERR)))
		r = -ECONNRESET;
	if (r < 0)
		stream_kill(s);
	stream_update(s);
}

/* -- birth -- */

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
