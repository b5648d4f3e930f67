/* SPDX-License-Identifier: Apache-2.0 */
/* spawn: descriptors, environment, exec failures, exit codes. */
#include "os/spawn.h"

#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char *const no_env[] = { NULL };

static int run(struct spawn *s)
{
	struct err e = ERR_INIT;
	int code = -1, fd = spawn(s, NULL, &e);

	if (fd < 0)
		return fd;
	assert_int_equal(spawn_wait(fd, true, &code), 0);
	close(fd);
	return code;
}

static void exec_failure_is_reported(void **state)
{
	char *argv[] = { "x", NULL };
	struct spawn s = { .path = "/nonexistent", .argv = argv, .env = no_env };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(spawn(&s, NULL, &e), -ENOENT);
	assert_non_null(strstr(e.text, "/nonexistent: exec"));
	s.path = "/etc/passwd";
	assert_int_equal(spawn(&s, NULL, NULL), -EACCES);
	s.path = "/bin/true";
	s.cwd = "/nonexistent";
	assert_int_equal(spawn(&s, NULL, NULL), -ENOENT);
}

static void bad_tables_are_refused(void **state)
{
	char *argv[] = { "true", NULL };
	struct spawn s = { .path = "/bin/true", .argv = argv, .env = no_env, .nfds = 17 };

	(void)state;
	assert_int_equal(spawn(&s, NULL, NULL), -EINVAL);
	s.nfds = 1;
	s.fds[0] = (struct spawn_fd){ 0, 16 };
	assert_int_equal(spawn(&s, NULL, NULL), -EINVAL);
	s.fds[0] = (struct spawn_fd){ 900, 3 };
	assert_int_equal(spawn(&s, NULL, NULL), -EBADF);
}

static void exit_codes(void **state)
{
	char *seven[] = { "sh", "-c", "exit 7", NULL };
	char *killed[] = { "sh", "-c", "kill -TERM $$", NULL };
	struct spawn s = { .path = "/bin/sh", .argv = seven, .env = no_env };

	(void)state;
	assert_int_equal(run(&s), 7);
	s.argv = killed;
	assert_int_equal(run(&s), 128 + SIGTERM);
}

/* Two descriptors swap places; a third that is open here is not open there. */
static void descriptors_are_the_table(void **state)
{
	char *argv[] = {
		"sh", "-c",
		"read a <&3; read b <&4; test \"$a$b$(ls /proc/self/fd | wc -l)\" = onetwo6 "
		"&& test -z \"$HOME\" && test \"$X\" = y",
		NULL
	};
	char *env[] = { "X=y", "PATH=/bin:/usr/bin", NULL };
	int a[2], b[2], extra = open("/dev/null", O_RDONLY);
	struct spawn s = { .path = "/bin/sh", .argv = argv, .env = env, .nfds = 2 };

	(void)state;
	assert_true(extra >= 0);
	assert_int_equal(pipe(a), 0);
	assert_int_equal(pipe(b), 0);
	assert_int_equal(fd_write_all(a[1], "one\n", 4), 0);
	assert_int_equal(fd_write_all(b[1], "two\n", 4), 0);
	assert_int_equal(dup2(a[0], 104), 104);
	assert_int_equal(dup2(b[0], 103), 103);
	assert_int_equal(dup2(104, 4), 4);
	assert_int_equal(dup2(103, 3), 3);
	s.fds[0] = (struct spawn_fd){ 4, 3 };
	s.fds[1] = (struct spawn_fd){ 3, 4 };
	assert_int_equal(run(&s), 0);
}

static void kill_and_poll(void **state)
{
	char *argv[] = { "sleep", "30", NULL };
	struct spawn s = { .path = "/bin/sleep",
			   .argv = argv,
			   .env = no_env,
			   .new_session = true,
			   .die_with_parent = true };
	int code = 0, fd = spawn(&s, NULL, NULL);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(spawn_wait(fd, false, &code), -EAGAIN);
	assert_int_equal(spawn_kill(fd, SIGKILL), 0);
	assert_int_equal(spawn_wait(fd, true, &code), 0);
	assert_int_equal(code, 128 + SIGKILL);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exec_failure_is_reported),
		cmocka_unit_test(bad_tables_are_refused),
		cmocka_unit_test(exit_codes),
		cmocka_unit_test(descriptors_are_the_table),
		cmocka_unit_test(kill_and_poll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
