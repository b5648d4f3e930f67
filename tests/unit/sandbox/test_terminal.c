/* SPDX-License-Identifier: Apache-2.0 */
/* terminal: raw mode comes and goes, size is copied, bytes are moved. */
#include "sandbox/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int open_pty(int *slave)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(master >= 0);
	assert_int_equal(unlockpt(master), 0);
	*slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*slave >= 0);
	return master;
}

static void raw_and_back(void **state)
{
	struct terminal t;
	struct termios before, now;
	int slave, master = open_pty(&slave);

	(void)state;
	assert_int_equal(tcgetattr(slave, &before), 0);
	assert_int_equal(terminal_raw_enter(&t, slave, NULL), 0);
	assert_int_equal(tcgetattr(slave, &now), 0);
	assert_int_equal(now.c_lflag & (tcflag_t)(ICANON | ECHO | ISIG), 0);
	terminal_raw_leave(&t);
	terminal_raw_leave(&t);
	assert_int_equal(tcgetattr(slave, &now), 0);
	assert_int_equal(now.c_lflag, before.c_lflag);
	close(master);
	close(slave);
}

static void no_terminal(void **state)
{
	struct terminal t;
	struct err e = ERR_INIT;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(terminal_raw_enter(&t, p[0], &e), -ENOTTY);
	assert_false(t.raw);
	terminal_raw_leave(&t);
	assert_int_equal(terminal_resize(p[0], p[0]), -ENOTTY);
	close(p[0]);
	close(p[1]);
}

static void size_is_copied(void **state)
{
	const struct winsize want = { .ws_row = 33, .ws_col = 77 };
	struct winsize got;
	int a, b, from = open_pty(&a), to = open_pty(&b);

	(void)state;
	assert_int_equal(ioctl(from, TIOCSWINSZ, &want), 0);
	assert_int_equal(terminal_resize(a, to), 0);
	assert_int_equal(ioctl(b, TIOCGWINSZ, &got), 0);
	assert_int_equal(got.ws_row, 33);
	assert_int_equal(got.ws_col, 77);
	close(from), close(to), close(a), close(b);
}

static void relay(void **state)
{
	char got[8] = "";
	int in[2], out[2];

	(void)state;
	assert_int_equal(pipe2(in, O_NONBLOCK), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(terminal_relay(in[0], out[1]), 0);
	assert_int_equal(write(in[1], "hello", 5), 5);
	assert_int_equal(terminal_relay(in[0], out[1]), 1);
	assert_int_equal(read(out[0], got, sizeof(got)), 5);
	assert_string_equal(got, "hello");
	close(in[1]);
	assert_int_equal(terminal_relay(in[0], out[1]), -EPIPE);
	assert_int_equal(terminal_relay(-1, out[1]), -EBADF);
	close(in[0]), close(out[0]), close(out[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw_and_back),
		cmocka_unit_test(no_terminal),
		cmocka_unit_test(size_is_copied),
		cmocka_unit_test(relay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
