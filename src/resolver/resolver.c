/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolver - see resolver.h.  Its own process, jailed; reads answers of name servers, which are
 * hostile, by way of the C library.
 *
 * Theory of operation.  The main thread reads questions and writes answers; a few workers sit in
 * getaddrinfo().  Questions for one name share one job, so a name that hangs holds one worker.  A
 * job that takes too long is answered with EAI_AGAIN; its worker comes back when the C library's
 * own time-out lets it.  Good answers are kept for a while, bad ones for a moment.
 */
#include "resolver/resolver.h"

#include "base/host.h"
#include "base/own.h"
#include "base/wire.h"
#include "os/clock.h"
#include "os/fd.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>

/* Names looked up at once; started as they are needed. */
#define WORKERS_MAX 8u
/* getaddrinfo() uses a few tens of KB, NSS modules some more. */
#define WORKER_STACK (256u * 1024)
/* Names waiting or being looked up. */
#define JOBS_MAX 256u
/* Questions waiting for one name. */
#define WAITERS_MAX 64u
/* A client's own patience with DNS. */
#define JOB_MS 5000u
/* getaddrinfo() tells no TTL: short enough to follow a service that moves. */
#define CACHE_GOOD_MS 30000u
#define CACHE_BAD_MS 2000u
#define CACHE_SIZE 256u
#define STOP_GRACE_MS 500

struct answer {
	unsigned status; /* 0, or an EAI code as a positive number */
	size_t n;
	struct addr addrs[RESOLVE_ADDRS_MAX];
};

enum job_state { JOB_FREE, JOB_WAITING, JOB_TAKEN, JOB_DONE };

struct job {
	enum job_state state; /* under the lock */
	bool told;	      /* main: waiters have been answered, the worker is late */
	char name[HOST_NAME_MAX_LEN + 1];
	uint64_t due_ms, order;
	uint32_t waiters[WAITERS_MAX];
	size_t nwaiters;
	struct answer answer; /* worker's until JOB_DONE */
};

struct cached {
	char name[HOST_NAME_MAX_LEN + 1];
	uint64_t until_ms;
	struct answer answer;
};

struct resolver {
	struct channel *back;
	int wake; /* eventfd: a job is done */
	pthread_mutex_t lock;
	pthread_cond_t work;
	unsigned nworkers, idle; /* idle: under the lock */
	uint64_t order;
	struct job *jobs[JOBS_MAX]; /* allocated when first used */
	struct cached *cache[CACHE_SIZE];
};

void resolver_prepare(void)
{
	struct addrinfo *list = NULL;

	/* Half the patience of a job, so that a second server gets its turn. */
	setenv("RES_OPTIONS", "timeout:2 attempts:2", 1);
	/* No search domains: the name that policy allowed is asked for, not one with more at its
	 * end. */
	setenv("LOCALDOMAIN", ".", 1);
	if (getaddrinfo("localhost", NULL, NULL, &list) == 0)
		freeaddrinfo(list);
}

static void collect(const struct addrinfo *list, struct answer *a)
{
	for (const struct addrinfo *i = list; i && a->n < RESOLVE_ADDRS_MAX; i = i->ai_next) {
		struct addr *to = &a->addrs[a->n];
		int r = -EINVAL;

		if (i->ai_family == AF_INET)
			r = addr_from_bytes(
			    (const uint8_t *)&((struct sockaddr_in *)i->ai_addr)->sin_addr, 4, to);
		else if (i->ai_family == AF_INET6)
			r = addr_from_bytes(
			    (const uint8_t *)&((struct sockaddr_in6 *)i->ai_addr)->sin6_addr, 16,
			    to);
		a->n += r == 0;
	}
}

/* An answer with more addresses than are carried is no answer: one of the rest might be bad. */
static bool too_many(const struct addrinfo *list)
{
	size_t n = 0;

	for (; list; list = list->ai_next)
		n++;
	return n > RESOLVE_ADDRS_MAX;
}

static void look_up(const char *name, struct answer *ret)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM,
					.ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list = NULL;
	int r;

	*ret = (struct answer){ 0 };
	r = getaddrinfo(name, NULL, &hints, &list);
	if (r == 0 && too_many(list))
		r = EAI_FAIL;
	if (r == 0)
		collect(list, ret);
	if (r == 0 && ret->n == 0)
		r = EAI_NONAME;
	if (r != 0) {
		ret->n = 0;
		ret->status = (unsigned)-r;
	}
	if (list)
		freeaddrinfo(list);
}

static struct job *next_waiting(struct resolver *r)
{
	struct job *best = NULL;

	for (size_t i = 0; i < JOBS_MAX; i++) {
		struct job *j = r->jobs[i];

		if (j && j->state == JOB_WAITING && (!best || j->order < best->order))
			best = j;
	}
	return best;
}

static void *worker(void *arg)
{
	struct resolver *r = arg;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		struct job *j = next_waiting(r);
		uint64_t one = 1;

		if (!j) {
			r->idle++;
			pthread_cond_wait(&r->work, &r->lock);
			r->idle--;
			continue;
		}
		j->state = JOB_TAKEN;
		pthread_mutex_unlock(&r->lock);
		look_up(j->name, &j->answer);
		pthread_mutex_lock(&r->lock);
		j->state = JOB_DONE;
		(void)!write(r->wake, &one, sizeof one);
	}
	return NULL;
}

static void start_worker(struct resolver *r)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (r->idle > 0 || r->nworkers >= WORKERS_MAX)
		return;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WORKER_STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, worker, r) == 0)
		r->nworkers++;
	pthread_attr_destroy(&attr);
}

static int send_answer(struct resolver *r, uint32_t id, const struct answer *a)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(2048);
	int e = 0;

	wire_u32(&b, &e, id);
	wire_u16(&b, &e, (uint16_t)a->status);
	wire_u8(&b, &e, (uint8_t)a->n);
	for (size_t i = 0; i < a->n; i++)
		wire_addr(&b, &e, &a->addrs[i]);
	return e ? e : channel_send(r->back, MSG_RESOLVED, buf_str(&b), -1);
}

static struct cached **cache_slot(struct resolver *r, const char *name)
{
	uint32_t h = 2166136261u; /* FNV-1a: collisions only cost a lookup */

	for (const char *p = name; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	return &r->cache[h % CACHE_SIZE];
}

static void remember(struct resolver *r, const char *name, const struct answer *a)
{
	struct cached **slot = cache_slot(r, name);

	if (!*slot)
		*slot = malloc(sizeof **slot);
	if (!*slot)
		return;
	memcpy((*slot)->name, name, strlen(name) + 1);
	(*slot)->answer = *a;
	(*slot)->until_ms = clock_mono_ms() + (a->status ? CACHE_BAD_MS : CACHE_GOOD_MS);
}

static int tell(struct resolver *r, struct job *j, const struct answer *a)
{
	int e = 0;

	for (size_t i = 0; i < j->nwaiters && e == 0; i++)
		e = send_answer(r, j->waiters[i], a);
	j->nwaiters = 0;
	j->told = true;
	return e;
}

/* Answers what is done and what is late. Returns ms until the next job is late, or -1. */
static int settle(struct resolver *r, int *ret_wait_ms)
{
	const struct answer late = { .status = (unsigned)-EAI_AGAIN };
	uint64_t now = clock_mono_ms();
	int e = 0, wait = -1;

	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < JOBS_MAX && e == 0; i++) {
		struct job *j = r->jobs[i];

		if (!j || j->state == JOB_FREE)
			continue;
		if (j->state == JOB_DONE) {
			remember(r, j->name, &j->answer);
			e = tell(r, j, &j->answer);
			j->state = JOB_FREE;
		} else if (!j->told && now >= j->due_ms) {
			e = tell(r, j, &late);
			if (j->state == JOB_WAITING)
				j->state = JOB_FREE;
		} else if (!j->told) {
			int left = (int)(j->due_ms - now);

			wait = wait < 0 || left < wait ? left : wait;
		}
	}
	pthread_mutex_unlock(&r->lock);
	*ret_wait_ms = wait;
	return e;
}

/* A job of that name that still takes waiters, else a free one. Under the lock. */
static struct job *find_job(struct resolver *r, const char *name)
{
	struct job *unused = NULL;

	for (size_t i = 0; i < JOBS_MAX; i++) {
		if (!r->jobs[i])
			r->jobs[i] = unused ? NULL : calloc(1, sizeof *r->jobs[i]);
		if (!r->jobs[i])
			break; /* the rest was never used */
		if (r->jobs[i]->state == JOB_FREE)
			unused = unused ? unused : r->jobs[i];
		else if (!r->jobs[i]->told && r->jobs[i]->nwaiters < WAITERS_MAX &&
			 strcmp(r->jobs[i]->name, name) == 0)
			return r->jobs[i];
	}
	return unused;
}

static int enqueue(struct resolver *r, const char *name, uint32_t id)
{
	const struct answer busy = { .status = (unsigned)-EAI_AGAIN };
	struct job *j;

	pthread_mutex_lock(&r->lock);
	j = find_job(r, name);
	if (j && j->state == JOB_FREE) {
		j->state = JOB_WAITING;
		j->told = false;
		j->nwaiters = 0;
		j->order = r->order++;
		j->due_ms = clock_mono_ms() + JOB_MS;
		memcpy(j->name, name, strlen(name) + 1);
	}
	if (j) {
		j->waiters[j->nwaiters++] = id;
		start_worker(r);
		pthread_cond_signal(&r->work);
	}
	pthread_mutex_unlock(&r->lock);
	return j ? 0 : send_answer(r, id, &busy);
}

static int take_question(struct resolver *r, const struct msg *m)
{
	struct wire_in in = { .rest = m->payload };
	uint32_t id = wire_get_u32(&in);
	struct str name = wire_get_str(&in, HOST_NAME_MAX_LEN);
	struct cached *c;
	struct host host;

	if (m->type != MSG_RESOLVE || wire_in_done(&in) < 0 || host_parse(name, &host) < 0 ||
	    host.addr.family)
		return -EPROTO;
	c = *cache_slot(r, host.text);
	if (c && strcmp(c->name, host.text) == 0 && clock_mono_ms() < c->until_ms)
		return send_answer(r, id, &c->answer);
	return enqueue(r, host.text, id);
}

static int take_back(struct resolver *r)
{
	struct msg m;
	int e = channel_flush(r->back);

	while (e == 0 && (e = channel_recv(r->back, &m)) == 1) {
		e = take_question(r, &m);
		if (e == 0)
			e = channel_flush(r->back);
	}
	return e < 0 ? e : 0;
}

static int serve(struct resolver *r, struct channel *launch)
{
	int wait, e = settle(r, &wait);

	while (e == 0) {
		struct pollfd fds[] = {
			{ .fd = launch->fd, .events = POLLIN },
			{ .fd = r->back->fd,
			  .events = (short)(channel_pending(r->back) ? POLLOUT : POLLIN) },
			{ .fd = r->wake, .events = POLLIN },
		};
		uint64_t count;
		struct msg m;

		if (poll(fds, ARRAY_LEN(fds), wait) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents && (e = channel_recv(launch, &m)) != 0)
			return e;
		if (fds[2].revents)
			(void)!read(r->wake, &count, sizeof count);
		if (fds[1].revents)
			e = take_back(r);
		if (e == 0)
			e = settle(r, &wait);
	}
	return e;
}

int resolver_run(struct channel *launch, struct channel *back)
{
	/* Not freed: workers may still be in it when the process ends. */
	struct resolver *r = calloc(1, sizeof *r);
	int e;

	if (!r)
		return -ENOMEM;
	r->back = back;
	r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->wake < 0) {
		e = -errno;
		free(r);
		return e;
	}
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->work, NULL);
	e = serve(r, launch);
	if (e == 1) /* after GO the table lets launch say STOP only */
		return 0;
	return channel_wait_stop(launch, STOP_GRACE_MS) ? 0 : e;
}
