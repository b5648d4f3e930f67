/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop - see loop.h.  Called by front and back.  Its input is the kernel's; nothing hostile is
 * read here.
 *
 * Theory of operation.  A turn is: epoll_wait, read the clock once, run the callbacks of the batch,
 * run the timers that fell due, call `after`.  The kernel has already given out the batch when a
 * callback removes another watch, so each watch remembers its place in the batch, and removal
 * clears that place: the pointer there is never followed again.
 *
 * Timers hang in LOOP_SLOTS lists by due tick.  A turn visits each slot whose tick has passed, at
 * most once round, and leaves timers of a later round where they are.  The slot being visited is
 * first moved to a local list, so that a callback may set, clear and free any timer, its own
 * included, without the walk losing its place or running for ever.
 */
#include "net/loop.h"

#include "os/clock.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int loop_init(struct loop *l)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return -errno;
	memset(l, 0, sizeof *l);
	l->epfd = fd;
	l->now_ms = clock_mono_ms();
	l->tick = l->now_ms / LOOP_TICK_MS;
	return 0;
}

void loop_done(struct loop *l)
{
	if (l->epfd >= 0)
		close(l->epfd);
	l->epfd = -1;
}

static int control(struct loop *l, int op, struct watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	return epoll_ctl(l->epfd, op, w->fd, &ev) < 0 ? -errno : 0;
}

/* EPOLLERR is always reported: naming it keeps a paused watch from looking like one that is in no
 * loop. */
static uint32_t never_zero(uint32_t events)
{
	return events ? events : (uint32_t)EPOLLERR;
}

int loop_add(struct loop *l, struct watch *w, int fd, uint32_t events, watch_fn fn)
{
	int r;

	w->fd = fd;
	w->fn = fn;
	w->events = 0;
	w->batch_slot = -1;
	events = never_zero(events);
	r = control(l, EPOLL_CTL_ADD, w, events);
	if (r < 0)
		return r;
	w->events = events;
	return 0;
}

int loop_change(struct loop *l, struct watch *w, uint32_t events)
{
	int r;

	events = never_zero(events);
	if (w->events == events)
		return 0;
	if (w->events == 0)
		return -ENOENT;
	r = control(l, EPOLL_CTL_MOD, w, events);
	if (r < 0)
		return r;
	w->events = events;
	return 0;
}

void loop_remove(struct loop *l, struct watch *w)
{
	if (w->events == 0)
		return;
	/* Fails only when the descriptor was closed first, which has removed it already. */
	control(l, EPOLL_CTL_DEL, w, 0);
	w->events = 0;
	if (w->batch_slot >= 0)
		l->batch[w->batch_slot].data.ptr = NULL;
	w->batch_slot = -1;
}

static void unlink_timer(struct timer *t)
{
	*t->prev = t->next;
	if (t->next)
		t->next->prev = t->prev;
	t->next = NULL;
	t->prev = NULL;
}

static void link_timer(struct timer **head, struct timer *t)
{
	t->next = *head;
	t->prev = head;
	if (*head)
		(*head)->prev = &t->next;
	*head = t;
}

void loop_timer_set(struct loop *l, struct timer *t, uint64_t in_ms, timer_fn fn)
{
	if (t->prev)
		unlink_timer(t);
	else
		l->ntimers++;
	t->fn = fn;
	/* Rounded up, and never into the tick that is being run. */
	t->due_tick = (l->now_ms + in_ms + LOOP_TICK_MS - 1) / LOOP_TICK_MS;
	if (t->due_tick <= l->tick)
		t->due_tick = l->tick + 1;
	link_timer(&l->slots[t->due_tick % LOOP_SLOTS], t);
}

void loop_timer_clear(struct loop *l, struct timer *t)
{
	if (!t->prev)
		return;
	unlink_timer(t);
	l->ntimers--;
}

/* Runs what is due in one slot at l->tick. */
static void run_slot(struct loop *l, size_t slot)
{
	struct timer *visiting = l->slots[slot];

	if (!visiting)
		return;
	l->slots[slot] = NULL;
	visiting->prev = &visiting;
	while (visiting) {
		struct timer *t = visiting;

		unlink_timer(t);
		if (t->due_tick > l->tick) {
			link_timer(&l->slots[slot], t);
			continue;
		}
		l->ntimers--;
		t->fn(t);
	}
}

static void run_timers(struct loop *l)
{
	uint64_t target = l->now_ms / LOOP_TICK_MS, from = l->tick;

	/* After a long sleep one round of the wheel sees every timer. */
	if (target - from > LOOP_SLOTS)
		from = target - LOOP_SLOTS;
	for (uint64_t t = from + 1; t <= target; t++) {
		l->tick = t;
		if (l->ntimers)
			run_slot(l, t % LOOP_SLOTS);
	}
	l->tick = target;
}

/* How long epoll may sleep: to the next tick while any timer is set, for ever otherwise.  Walking
 * ahead over empty slots keeps an idle role asleep for as long as its timers allow. */
static int wait_ms(const struct loop *l)
{
	uint64_t tick = l->tick + 1, last = l->tick + LOOP_SLOTS, at;

	if (!l->ntimers)
		return -1;
	while (tick < last && !l->slots[tick % LOOP_SLOTS])
		tick++;
	at = tick * LOOP_TICK_MS;
	return at <= l->now_ms ? 0 : (int)(at - l->now_ms);
}

static void run_batch(struct loop *l)
{
	for (int i = 0; i < l->nbatch; i++) {
		struct watch *w = l->batch[i].data.ptr;

		w->batch_slot = i;
	}
	for (int i = 0; i < l->nbatch; i++) {
		struct watch *w = l->batch[i].data.ptr;

		if (!w)
			continue; /* removed by an earlier callback */
		w->batch_slot = -1;
		w->fn(w, l->batch[i].events);
	}
	l->nbatch = 0;
}

int loop_run(struct loop *l)
{
	l->now_ms = clock_mono_ms();
	while (!l->stop) {
		int n = epoll_wait(l->epfd, l->batch, LOOP_BATCH, wait_ms(l));

		if (n < 0 && errno != EINTR)
			return -errno;
		l->nbatch = n < 0 ? 0 : n;
		l->now_ms = clock_mono_ms();
		run_batch(l);
		run_timers(l);
		if (l->after)
			l->after(l);
	}
	return 0;
}
