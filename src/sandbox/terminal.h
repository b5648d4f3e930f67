/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal - the host's side of the agent's own terminal: raw mode, window size, the relay.
 *
 * For launch, which owns the event loop: it waits for `host` and `pty` to be readable and calls
 * terminal_relay(); on SIGWINCH terminal_resize().
 */
#ifndef STOCKADE_SANDBOX_TERMINAL_H
#define STOCKADE_SANDBOX_TERMINAL_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>

struct terminal {
	int fd; /* the user's terminal, not owned; -1: none */
	struct termios saved;
	bool raw;
};

/* Raw mode until terminal_raw_leave(), which is safe to call twice and on a zeroed struct. */
int terminal_raw_enter(struct terminal *t, int fd, struct err *e);
void terminal_raw_leave(struct terminal *t);
/* Copies the size of the user's terminal to the agent's, which gets SIGWINCH. */
int terminal_resize(int from, int pty);
/* Moves what is there, at most one buffer: 1 moved, 0 nothing now, -EIO or -EPIPE when the source
 * ended, -errno. */
int terminal_relay(int from, int to);

#endif
