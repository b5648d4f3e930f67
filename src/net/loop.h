/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop - epoll and timers, nothing else.  One loop a role; no thread.
 *
 * A `struct watch` is embedded in its owner and must stay where it is while it is in the loop.
 * A callback may remove and free any watch, its own included: events already fetched for a removed
 * watch are dropped.  Level-triggered.
 */
#ifndef STOCKADE_NET_LOOP_H
#define STOCKADE_NET_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

/* Events fetched a turn: enough for 32 busy connections both ways, small enough to stay fair. */
#define LOOP_BATCH 64
/* Timer wheel: slots of 128 ms, 512 of them: 65 s a turn; longer timers go round again. */
#define LOOP_TICK_MS 128
#define LOOP_SLOTS 512

struct loop;
struct watch;
struct timer;
typedef void (*watch_fn)(struct watch *w, uint32_t events);
typedef void (*timer_fn)(struct timer *t);

struct watch {
	int fd;		 /* borrowed */
	uint32_t events; /* registered; 0: in no loop */
	watch_fn fn;
	int batch_slot; /* loop's own: place in the batch being run, or -1 */
};

struct timer {
	struct timer *next, **prev; /* loop's own; prev NULL: not set */
	uint64_t due_tick;
	timer_fn fn;
};

struct loop {
	int epfd;
	bool stop;
	uint64_t now_ms; /* CLOCK_MONOTONIC, read once a turn */
	uint64_t tick;
	size_t ntimers;
	struct timer *slots[LOOP_SLOTS];
	struct epoll_event batch[LOOP_BATCH];
	int nbatch;
	/* Called once after each turn's callbacks (flush audit records, free the dead); may be
	 * NULL. */
	void (*after)(struct loop *l);
	void *owner;
};

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

int loop_init(struct loop *l);
void loop_done(struct loop *l);
/* -errno of epoll_ctl. */
int loop_add(struct loop *l, struct watch *w, int fd, uint32_t events, watch_fn fn);
/* No system call when nothing changes.  0 pauses: only EPOLLERR and EPOLLHUP are reported. */
int loop_change(struct loop *l, struct watch *w, uint32_t events);
/* Before the descriptor is closed: one that was also passed on would otherwise keep reporting.
 * Nothing when the watch is in no loop. */
void loop_remove(struct loop *l, struct watch *w);
/* (Re)starts; fires up to one tick late, never early.  A timer starts zeroed. */
void loop_timer_set(struct loop *l, struct timer *t, uint64_t in_ms, timer_fn fn);
void loop_timer_clear(struct loop *l, struct timer *t);
/* Until l->stop. 0, or -errno of epoll_wait. */
int loop_run(struct loop *l);

#endif
