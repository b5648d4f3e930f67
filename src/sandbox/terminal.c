/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal - see terminal.h; and terminal_open(), the step that makes the agent's terminal.
 *
 * terminal_open() runs in the sandboxed child, the rest in the launcher.  What comes from the pty
 * is the agent's output: hostile, passed on as it is to the user's terminal, as any program's is.
 */
#include "sandbox/terminal.h"

#include "os/fd.h"
#include "sandbox/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

/* A pty takes at most 4 KiB at once. */
#define RELAY_BUFFER 4096

/* In the devpts of the sandbox, so that the agent's terminal has a name inside. */
int terminal_open(struct inside *in, struct err *e)
{
	_cleanup_(close_fd) int master = -1, slave = -1;
	const int unlocked = 0;

	if (!in->opt->pty)
		return 0;
	master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return err_sys(e, -errno, "terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_sys(e, -errno, "terminal");
	if (in->window.ws_row)
		ioctl(slave, TIOCSWINSZ, &in->window);
	in->terminal = TAKE_FD(master);
	in->agent_tty = TAKE_FD(slave);
	in->report.terminal = true;
	return 0;
}

int terminal_raw_enter(struct terminal *t, int fd, struct err *e)
{
	struct termios raw;

	*t = (struct terminal){ .fd = fd };
	if (tcgetattr(fd, &t->saved) < 0)
		return err_sys(e, -errno, "terminal settings");
	raw = t->saved;
	cfmakeraw(&raw);
	if (tcsetattr(fd, TCSADRAIN, &raw) < 0)
		return err_sys(e, -errno, "terminal raw mode");
	t->raw = true;
	return 0;
}

void terminal_raw_leave(struct terminal *t)
{
	if (t->raw)
		tcsetattr(t->fd, TCSADRAIN, &t->saved);
	t->raw = false;
}

int terminal_resize(int from, int pty)
{
	struct winsize w;

	if (ioctl(from, TIOCGWINSZ, &w) < 0 || ioctl(pty, TIOCSWINSZ, &w) < 0)
		return -errno;
	return 0;
}

int terminal_relay(int from, int to)
{
	char bytes[RELAY_BUFFER];
	ssize_t n = read(from, bytes, sizeof(bytes));
	size_t done = 0;

	if (n == 0)
		return -EPIPE;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	while (done < (size_t)n) {
		ssize_t w = write(to, bytes + done, (size_t)n - done);
		struct pollfd room = { .fd = to, .events = POLLOUT };

		if (w >= 0)
			done += (size_t)w;
		else if (errno == EAGAIN)
			poll(&room, 1, -1);
		else if (errno != EINTR)
			return -errno;
	}
	return 1;
}
