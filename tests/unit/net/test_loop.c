/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: stale events, watches that remove each other, timers that set and clear each other. */
#include "net/loop.h"

#include "os/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop loop;
static int calls;

static int setup(void **state)
{
	(void)state;
	calls = 0;
	return loop_init(&loop);
}

static int teardown(void **state)
{
	(void)state;
	loop_done(&loop);
	loop_done(&loop); /* twice is no harm */
	return 0;
}

static int ready_fd(void)
{
	int fd = eventfd(1, EFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void stop_after(struct loop *l)
{
	l->stop = true;
}

struct peer {
	struct watch w;
	struct peer *other;
	bool again;
};

/* Whichever of the two comes first removes and frees the other. */
static void on_first(struct watch *w, uint32_t events)
{
	struct peer *p = container_of(w, struct peer, w);

	assert_true(events & EPOLLIN);
	calls++;
	loop_remove(&loop, &p->other->w);
	close(p->other->w.fd);
	free(p->other);
	p->other = NULL;
	loop_remove(&loop, &p->w);
	close(p->w.fd);
	free(p);
}

static void test_stale_event(void **state)
{
	struct peer *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);

	(void)state;
	a->other = b;
	b->other = a;
	assert_int_equal(loop_add(&loop, &a->w, ready_fd(), EPOLLIN, on_first), 0);
	assert_int_equal(loop_add(&loop, &b->w, ready_fd(), EPOLLIN, on_first), 0);
	loop.after = stop_after;
	assert_int_equal(loop_run(&loop), 0);
	assert_int_equal(calls, 1);
}

/* Removes the other and adds it again: the event fetched for its former life is not delivered. */
static void on_replace(struct watch *w, uint32_t events)
{
	struct peer *p = container_of(w, struct peer, w);

	(void)events;
	calls++;
	if (!p->other)
		return;
	loop_remove(&loop, &p->other->w);
	assert_int_equal(loop_add(&loop, &p->other->w, p->other->w.fd, EPOLLIN, on_replace), 0);
	p->other->other = NULL;
	p->other = NULL;
}

static void test_readded_in_batch(void **state)
{
	struct peer a = { .other = NULL }, b = { .other = &a };

	(void)state;
	a.other = &b;
	assert_int_equal(loop_add(&loop, &a.w, ready_fd(), EPOLLIN, on_replace), 0);
	assert_int_equal(loop_add(&loop, &b.w, ready_fd(), EPOLLIN, on_replace), 0);
	loop.after = stop_after;
	assert_int_equal(loop_run(&loop), 0);
	assert_int_equal(calls, 1);
	loop.stop = false;
	assert_int_equal(loop_run(&loop), 0);
	assert_int_equal(calls, 3); /* level-triggered: both again */
	loop_remove(&loop, &a.w);
	loop_remove(&loop, &b.w);
	loop_remove(&loop, &b.w); /* in no loop: nothing */
	close(a.w.fd);
	close(b.w.fd);
}

static void on_count(struct watch *w, uint32_t events)
{
	(void)w;
	(void)events;
	calls++;
}

static void on_due_stop(struct timer *t)
{
	(void)t;
	loop.stop = true;
}

static void test_change(void **state)
{
	struct watch w = { 0 };
	struct timer t = { 0 };
	int fd = ready_fd();

	(void)state;
	assert_int_equal(loop_change(&loop, &w, EPOLLIN), -ENOENT);
	assert_int_equal(loop_add(&loop, &w, -1, EPOLLIN, on_count), -EBADF);
	assert_int_equal(w.events, 0);
	assert_int_equal(loop_add(&loop, &w, fd, 0, on_count), 0);
	assert_int_equal(loop_add(&loop, &(struct watch){ 0 }, fd, 0, on_count), -EEXIST);
	loop_timer_set(&loop, &t, 1, on_due_stop);
	assert_int_equal(loop_run(&loop), 0);
	assert_int_equal(calls, 0); /* paused */
	assert_int_equal(loop_change(&loop, &w, EPOLLIN), 0);
	assert_int_equal(loop_change(&loop, &w, EPOLLIN), 0);
	loop.stop = false;
	loop.after = stop_after;
	assert_int_equal(loop_run(&loop), 0);
	assert_int_equal(calls, 1);
	close(fd);
	assert_int_equal(loop_change(&loop, &w, EPOLLOUT), -EBADF);
	assert_int_equal(w.events, EPOLLIN);
	loop_remove(&loop, &w); /* after close: no harm */
	assert_int_equal(w.events, 0);
}

struct step {
	struct timer t;
	int id;
	struct timer *clears;
	struct timer *sets;
};

static int order[16];

static void on_step(struct timer *t)
{
	struct step *s = container_of(t, struct step, t);

	order[calls++] = s->id;
	if (s->clears)
		loop_timer_clear(&loop, s->clears);
	if (s->sets)
		loop_timer_set(&loop, s->sets, 0, on_step);
}

static void test_timer_order(void **state)
{
	struct step a = { .id = 1 }, b = { .id = 2 }, c = { .id = 3 };
	struct timer end = { 0 };
	uint64_t begin;

	(void)state;
	begin = clock_mono_ms();
	loop_timer_set(&loop, &end, 3 * LOOP_TICK_MS, on_due_stop);
	loop_timer_set(&loop, &b.t, 2 * LOOP_TICK_MS, on_step);
	loop_timer_set(&loop, &c.t, 60000, on_step);
	loop_timer_set(&loop, &a.t, 1, on_step);
	assert_int_equal(loop.ntimers, 4);
	assert_int_equal(loop_run(&loop), 0);
	assert_int_equal(calls, 2);
	assert_int_equal(order[0], 1);
	assert_int_equal(order[1], 2);
	assert_true(clock_mono_ms() - begin >= 3 * LOOP_TICK_MS);
	assert_int_equal(loop.ntimers, 1);
	loop_timer_set(&loop, &c.t, 1, on_step); /* restarted, not doubled */
	assert_int_equal(loop.ntimers, 1);
	loop_timer_clear(&loop, &c.t);
	loop_timer_clear(&loop, &c.t);
	assert_int_equal(loop.ntimers, 0);
	assert_null(c.t.prev);
}

/* Three timers in one slot: whichever runs first clears its neighbour and sets itself again. */
static void test_timers_touch_each_other(void **state)
{
	struct step a = { .id = 1 }, b = { .id = 2 }, round = { .id = 3 };
	struct timer end = { 0 };

	(void)state;
	a.clears = &b.t;
	b.clears = &a.t;
	a.sets = &a.t;
	b.sets = &b.t;
	loop_timer_set(&loop, &a.t, 1, on_step);
	loop_timer_set(&loop, &b.t, 1, on_step);
	/* One whole turn of the wheel later: the same slot, not yet due. */
	loop_timer_set(&loop, &round.t, 1 + LOOP_TICK_MS * LOOP_SLOTS, on_step);
	loop_timer_set(&loop, &end, 1 + 2 * LOOP_TICK_MS, on_due_stop);
	assert_int_equal(loop_run(&loop), 0);
	assert_true(calls >= 2);
	for (int i = 1; i < calls; i++)
		assert_int_equal(order[i], order[0]); /* only the one that cleared the other */
	assert_non_null(round.t.prev);
	loop_timer_clear(&loop, &a.t);
	loop_timer_clear(&loop, &b.t);
	loop_timer_clear(&loop, &round.t);
	assert_int_equal(loop.ntimers, 0);
}

/* The machine slept for longer than the wheel turns: everything that is due runs, once. */
static void test_long_sleep(void **state)
{
	struct step near = { .id = 1 }, far = { .id = 2 }, later = { .id = 3 };
	struct timer end = { 0 };

	(void)state;
	loop.now_ms -= 10 * LOOP_TICK_MS * LOOP_SLOTS;
	loop.tick = loop.now_ms / LOOP_TICK_MS;
	loop_timer_set(&loop, &near.t, 5, on_step);
	loop_timer_set(&loop, &far.t, 3 * LOOP_TICK_MS * LOOP_SLOTS, on_step);
	loop_timer_set(&loop, &later.t, 11 * LOOP_TICK_MS * LOOP_SLOTS, on_step);
	loop_timer_set(&loop, &end, 1, on_due_stop);
	assert_int_equal(loop_run(&loop), 0);
	assert_int_equal(calls, 2);
	assert_int_equal(loop.ntimers, 1);
	assert_non_null(later.t.prev);
}

static void on_alarm(int sig)
{
	(void)sig;
	calls++;
}

static void test_signal_is_no_error(void **state)
{
	struct itimerval soon = { .it_value.tv_usec = 1000 };
	struct timer end = { 0 };

	(void)state;
	signal(SIGALRM, on_alarm);
	loop_timer_set(&loop, &end, LOOP_TICK_MS, on_due_stop);
	setitimer(ITIMER_REAL, &soon, NULL);
	assert_int_equal(loop_run(&loop), 0);
	assert_int_equal(calls, 1);
	close(loop.epfd);
	loop.epfd = -1;
	loop.stop = false;
	assert_int_equal(loop_run(&loop), -EBADF);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_stale_event),	    T(test_readded_in_batch),	     T(test_change),
		T(test_timer_order),	    T(test_timers_touch_each_other), T(test_long_sleep),
		T(test_signal_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
