/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervise - see supervise.h.  Launch process; one poll(2) over a handful of descriptors.
 *
 * The listeners are watched only until the first connection waits on one of them: then the roles
 * are started, take the listeners over, and launch never looks at agent traffic.
 */
#include "launch/supervise.h"

#include "base/own.h"
#include "launch/status.h"
#include "os/clock.h"
#include "os/fd.h"
#include "sandbox/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

/* Signals, the program's end, both sides of the terminal, and either all listeners or a channel for
 * each role. */
#define WATCHES_MAX (4 + SANDBOX_LISTENERS_MAX + ROLES_N)

enum watch_kind {
	WATCH_SIGNAL,
	WATCH_END,
	WATCH_HOST_TTY,
	WATCH_AGENT_TTY,
	WATCH_LISTENER,
	WATCH_ROLE
};

struct state {
	struct supervise *s;
	struct terminal terminal;
	int signals;
	bool host_open, agent_open; /* sides of the terminal that still speak */
	uint64_t deadline;	    /* CLOCK_MONOTONIC ms, 0: none */
	struct pollfd fds[WATCHES_MAX];
	enum watch_kind kinds[WATCHES_MAX];
	unsigned n;
};

static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };

static int catch_signals(struct state *st, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	sigaddset(&set, SIGWINCH);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(e, -errno, "sigprocmask");
	st->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (st->signals < 0)
		return err_sys(e, -errno, "signalfd");
	return 0;
}

static void watch(struct state *st, int fd, enum watch_kind kind)
{
	if (fd < 0 || st->n == WATCHES_MAX)
		return;
	st->fds[st->n] = (struct pollfd){ .fd = fd, .events = POLLIN };
	st->kinds[st->n++] = kind;
}

static void watch_all(struct state *st)
{
	struct supervise *s = st->s;

	st->n = 0;
	watch(st, st->signals, WATCH_SIGNAL);
	watch(st, s->sandbox->pidfd, WATCH_END);
	if (st->host_open)
		watch(st, STDIN_FILENO, WATCH_HOST_TTY);
	if (st->agent_open)
		watch(st, s->sandbox->pty_fd, WATCH_AGENT_TTY);
	if (!s->roles->running) {
		for (unsigned i = 0; i < s->sandbox->nlisteners; i++)
			watch(st, s->sandbox->listeners[i].fd, WATCH_LISTENER);
		return;
	}
	/* A role that ends closes its channel: its pidfd would say nothing more. */
	for (size_t i = 0; i < ROLES_N; i++)
		watch(st, s->roles->all[i].channel.fd, WATCH_ROLE);
}

static int on_signal(struct state *st, struct err *e)
{
	struct signalfd_siginfo info;

	(void)e;
	while (read(st->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGWINCH && st->terminal.raw)
			(void)terminal_resize(STDIN_FILENO, st->s->sandbox->pty_fd);
		else if (info.ssi_signo != SIGWINCH)
			(void)sandbox_signal(st->s->sandbox, (int)info.ssi_signo);
	}
	return 0;
}

/* 1: the program has ended; what it wrote last is still moved to the user's terminal. */
static int on_end(struct state *st, struct err *e)
{
	(void)e;
	while (st->agent_open && terminal_relay(st->s->sandbox->pty_fd, STDOUT_FILENO) == 1)
		;
	return 1;
}

static int on_host_tty(struct state *st, struct err *e)
{
	(void)e;
	if (terminal_relay(STDIN_FILENO, st->s->sandbox->pty_fd) < 0)
		st->host_open = false;
	return 0;
}

static int on_agent_tty(struct state *st, struct err *e)
{
	(void)e;
	if (terminal_relay(st->s->sandbox->pty_fd, STDOUT_FILENO) < 0)
		st->agent_open = false;
	return 0;
}

static int on_listener(struct state *st, struct err *e)
{
	struct sandbox *box = st->s->sandbox;
	int r = roles_start(st->s->roles_start, st->s->roles, e);

	if (r < 0)
		return r;
	status_gateway(st->s->status_fd);
	for (unsigned i = 0; i < box->nlisteners; i++)
		close_fd(&box->listeners[i].fd);
	return 0;
}

static int on_role(struct state *st, struct err *e)
{
	return roles_check(st->s->roles, e);
}

typedef int (*watch_fn)(struct state *st, struct err *e);
static const watch_fn handlers[] = {
	[WATCH_SIGNAL] = on_signal,	[WATCH_END] = on_end,
	[WATCH_HOST_TTY] = on_host_tty, [WATCH_AGENT_TTY] = on_agent_tty,
	[WATCH_LISTENER] = on_listener, [WATCH_ROLE] = on_role,
};

/* SIGTERM when the time is up, SIGKILL after the grace. */
static void on_deadline(struct state *st, uint64_t now)
{
	(void)sandbox_signal(st->s->sandbox, st->s->timed_out ? SIGKILL : SIGTERM);
	st->s->timed_out = true;
	st->deadline = now + SUPERVISE_GRACE_MS;
}

static int turn(struct state *st, struct err *e)
{
	uint64_t now = st->deadline ? clock_mono_ms() : 0;
	int n, r = 0;

	if (st->deadline && now >= st->deadline)
		on_deadline(st, now);
	watch_all(st);
	n = poll(st->fds, st->n,
		 st->deadline ? (int)(st->deadline - now > 60000 ? 60000 : st->deadline - now)
			      : -1);
	if (n < 0 && errno != EINTR)
		return err_sys(e, -errno, "poll");
	for (unsigned i = 0; n > 0 && i < st->n && r == 0; i++) {
		bool was_up = st->s->roles->running;

		if (st->fds[i].revents)
			r = handlers[st->kinds[i]](st, e);
		if (st->s->roles->running != was_up)
			break; /* the table of descriptors is another one now */
	}
	return r;
}

static int enter_terminal(struct state *st, struct err *e)
{
	int r;

	if (st->s->sandbox->pty_fd < 0)
		return 0;
	r = terminal_raw_enter(&st->terminal, STDIN_FILENO, e);
	if (r < 0)
		return r;
	st->host_open = st->agent_open = true;
	(void)terminal_resize(STDIN_FILENO, st->s->sandbox->pty_fd);
	return 0;
}

int supervise(struct supervise *s, struct err *e)
{
	struct state st = { .s = s, .signals = -1, .terminal = { .fd = -1 } };
	int r = catch_signals(&st, e);

	s->timed_out = false;
	if (s->time_limit_s)
		st.deadline = clock_mono_ms() + s->time_limit_s * 1000;
	if (r == 0)
		r = enter_terminal(&st, e);
	if (r == 0)
		r = sandbox_start(s->sandbox, e);
	while (r == 0)
		r = turn(&st, e);
	terminal_raw_leave(&st.terminal);
	close_fd(&st.signals);
	return r < 0 ? r : 0;
}
