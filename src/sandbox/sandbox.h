/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox - the one interface of every back end: a plan in, a running boundary out.
 *
 * Only `native` exists now.  A back end never reads policy.
 */
#ifndef STOCKADE_SANDBOX_SANDBOX_H
#define STOCKADE_SANDBOX_SANDBOX_H

#include "base/err.h"
#include "fs/plan.h"
#include "sandbox/limits.h"

#include <stdbool.h>
#include <sys/types.h>

/* Seven fixed ones; without nftables two for each port of the plan. */
#define SANDBOX_LISTENERS_MAX (8u + 2u * PLAN_PORTS_MAX)

/* Listeners made inside and handed out; the numbers are enum listener_kind of ipc/channel.h, kept
 * apart so that sandbox does not need ipc. */
enum sandbox_listener {
	SANDBOX_TRANSPARENT4,
	SANDBOX_TRANSPARENT6,
	SANDBOX_PROXY,
	SANDBOX_SOCKS,
	SANDBOX_UNIX,
	SANDBOX_DNS4,
	SANDBOX_DNS6,
};

enum sandbox_exit {
	/* Codes of `stockade run` besides the child's own; doc in stockade(1). */
	EXIT_STOCKADE = 125, /* our own failure before the program ran */
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
	EXIT_SIGNAL_BASE = 128,
	EXIT_POLICY = 122,  /* policy refused or malformed */
	EXIT_SANDBOX = 123, /* the boundary could not be made, or a probe failed */
	EXIT_GATEWAY = 124, /* a role died or the log could not be written: session ended */
};

struct sandbox_options {
	char *const *argv;   /* program and its arguments */
	bool allow_degraded; /* --allow-degraded */
	bool pty;	     /* give it a terminal of its own (stdin is a terminal) */
	bool supervise_net;  /* make listeners (plan->network) */
	/* Called once while the sandbox is being built by its own first process; what it returns
	 * below zero ends the set-up.  NULL: nothing to do meanwhile. */
	int (*meanwhile)(void *arg, struct err *e);
	void *meanwhile_arg;
};

struct sandbox_tier {
	char cgroup[16];  /* "pidns", "v2", "v1", "rlimit"; "none": no limit was asked for */
	int landlock_abi; /* 0 = none */
	bool redirect;	  /* nftables redirect stands; else only listed ports listen */
	char lost[512];	  /* what --allow-degraded gave up; "" when nothing */
};

struct sandbox {
	pid_t pid;   /* init, in our pid namespace */
	int pidfd;   /* owned */
	int sync_fd; /* to init: closing it kills everything inside */
	int pty_fd;  /* master side of the agent's terminal, or -1 */
	struct {
		int kind; /* enum listener_kind */
		int fd;	  /* owned */
	} listeners[SANDBOX_LISTENERS_MAX];
	unsigned nlisteners;
	struct sandbox_tier tier;
	struct limits limits; /* cgroup directories to remove */
};

/* For a struct that sandbox_done() may meet before sandbox_prepare() has succeeded.  Only what is
 * looked at is set: the paths of control groups are 12 KB that few runs need. */
static inline void sandbox_init(struct sandbox *s)
{
	s->pid = s->pidfd = s->sync_fd = s->pty_fd = -1;
	s->nlisteners = 0;
	s->limits.ngroups = 0;
	s->limits.tier[0] = '\0';
	s->tier.cgroup[0] = s->tier.lost[0] = '\0';
	s->tier.landlock_abi = 0;
	s->tier.redirect = false;
}

/* Makes the boundary and stops just before exec: probes have passed, listeners are here.  On
 * failure nothing is left behind and the program was not executed.  The plan's strings must be its
 * own: inside, those of the launcher's argv and environment are wiped before the program starts. */
int sandbox_prepare(const struct plan *plan, const struct sandbox_options *opt, struct sandbox *ret,
		    struct err *e);
/* Lets the program go. */
int sandbox_start(struct sandbox *s, struct err *e);
/* After pidfd is readable: exit code as `stockade run` gives it (0..255). */
int sandbox_wait(struct sandbox *s, int *ret_code, struct err *e);
/* To the agent's process group through init; with a terminal, INT, QUIT and TSTP as if typed there.
 */
int sandbox_signal(struct sandbox *s, int sig);
/* Kills everything inside and removes cgroup and the like; safe at any point, twice. */
void sandbox_done(struct sandbox *s);

#endif
