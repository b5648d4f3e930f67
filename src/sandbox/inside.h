/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside - what runs in the sandboxed child between clone3 and exec; shared by the files of this
 * folder only.
 *
 * The child is a copy of the launcher with all namespaces new.  It becomes init (pid 1); the agent
 * is its one child.  Everything it needs was put into struct inside before the clone.
 */
#ifndef STOCKADE_SANDBOX_INSIDE_H
#define STOCKADE_SANDBOX_INSIDE_H

#include "sandbox/limits.h"
#include "sandbox/sandbox.h"

#include <sys/ioctl.h>

/* The child's end of the socket pair; every other descriptor above 2 is closed at once. */
#define INSIDE_SYNC_FD 3

/* Messages from inside to the launcher; the other way there is one: a byte, "go". */
enum report_kind {
	REPORT_READY = 1,   /* before exec: listeners (and the terminal first) ride along */
	REPORT_FAILED,	    /* set-up failed, before or after "go": text; nothing rides along */
	REPORT_EXEC_FAILED, /* after "go": code is the errno */
};

struct report {
	int kind;
	int code;
	bool terminal;
	unsigned nlisteners;
	int kinds[SANDBOX_LISTENERS_MAX];
	struct sandbox_tier tier;
	char text[ERR_TEXT_MAX];
};

struct inside {
	const struct plan *plan;
	const struct sandbox_options *opt;
	struct limits *limits;
	char **argv; /* the child's own copy: the launcher's is wiped */
	/* What the child is at, in a page shared with the launcher, which names it when the child
	 * dies without a word.  The texts are constants: at the same place in both. */
	const char *volatile *stage;
	int sync;
	bool blocked;  /* launcher: namespaces are forbidden here */
	bool degraded; /* no namespaces: sandbox/degraded.c */
	int terminal;  /* pty master, handed out; -1 */
	int agent_tty; /* pty slave, the agent's terminal; -1 */
	int root;      /* the new root while it is built */
	int listeners[SANDBOX_LISTENERS_MAX];
	struct winsize window;
	struct report report;
	bool meanwhile_done; /* launcher's: sandbox_options.meanwhile was called */
};

/* The child's whole life; never returns. */
_Noreturn void inside_main(struct inside *in);

/* The steps, in the files of their name; each 0 or -errno. */
int mounts_build(struct inside *in, struct err *e);
int mounts_enter(struct inside *in, struct err *e);
int netns_set_up(struct inside *in, struct err *e);
int netns_unix_listener(struct inside *in, struct err *e);
int terminal_open(struct inside *in, struct err *e);
int confine_files(struct inside *in, struct err *e);
int confine_privileges(struct inside *in, struct err *e);
int confine_calls(struct inside *in, struct err *e);
int probe_bites(struct inside *in, struct err *e);
int degraded_adopt(struct inside *in, struct err *e);
int degraded_files(struct inside *in, struct err *e);
int degraded_calls(struct inside *in, struct err *e);
/* Init's last deed there: no pid namespace does it. */
void degraded_kill_all(void);
/* Adds a line to what was given up, "; " between lines. */
void inside_lost(struct inside *in, const char *what);
/* Starts the agent's process, waits for its end, ends with its status. */
_Noreturn void init_main(struct inside *in);
int report_send(int sock, const struct report *rep, const int *fds, unsigned nfds);
/* Says why and ends: the launcher hears of every failure. */
_Noreturn void inside_fail(struct inside *in, const struct err *e);

#endif
