/* SPDX-License-Identifier: Apache-2.0 */
/* jail: what a locked-in role can still do, as root and as an ordinary user. */
#include "os/jail.h"

#include "test-seccomp.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOBODY 65534

struct attempt {
	const char *name;
	long nr, a, b, c;
	int expect; /* errno */
	int also;   /* where only one of two layers is present */
};

static const struct attempt attempts[] = {
	{ "open a file", SYS_openat, AT_FDCWD, (long)"/etc/passwd", O_RDONLY, ENOENT, EACCES },
	{ "open the root", SYS_openat, AT_FDCWD, (long)"/", O_RDONLY, EACCES, EACCES },
	{ "create", SYS_openat, AT_FDCWD, (long)"/x", O_WRONLY | O_CREAT, EROFS, EACCES },
	{ "not listed", SYS_getppid, 0, 0, 0, EPERM, EPERM },
	{ "errno", SYS_getpid, 0, 0, 0, ENOSYS, ENOSYS },
	{ "argument in", SYS_socket, AF_NETLINK, SOCK_RAW, 0, EPERM, EPERM },
	{ "argument not in", SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, EPERM, EPERM },
	{ "mask", SYS_kill, 0, 0x200, 0, EPERM, EPERM },
	{ "mask that fits", SYS_kill, 0, 0x101, 0, EINVAL, EINVAL },
	{ "too new", 4000, 0, 0, 0, ENOSYS, ENOSYS },
};

/* In the child: 0, or the number of the first check that failed. */
static int checks(uid_t uid)
{
	const struct jail j = { .filter = seccomp_test,
				.nfilter = ARRAY_LEN(seccomp_test),
				.nofile = 32 };
	struct err e = ERR_INIT;

	if (uid && (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0))
		return 100;
	if (jail_enter(&j, &e) < 0) {
		dprintf(2, "%s\n", e.text);
		return 101;
	}
	for (unsigned i = 0; i < ARRAY_LEN(attempts); i++) {
		const struct attempt *t = &attempts[i];
		long r = syscall(t->nr, t->a, t->b, t->c, 0);

		if (r >= 0 || (errno != t->expect && errno != t->also)) {
			dprintf(2, "%s: %ld errno %d, expected %d\n", t->name, r, errno, t->expect);
			return (int)i + 1;
		}
	}
	return 0;
}

static int in_child(int (*f)(uid_t), uid_t uid)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(f(uid));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void locked_as_we_are(void **state)
{
	(void)state;
	assert_int_equal(in_child(checks, 0), 0);
}

static void locked_as_nobody(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(checks, NOBODY), 0);
}

static int no_filter(uid_t uid)
{
	const struct jail j = { .filter = NULL };

	(void)uid;
	return jail_enter(&j, NULL) == -EINVAL ? 0 : 1;
}

static void a_filter_is_needed(void **state)
{
	(void)state;
	assert_int_equal(in_child(no_filter, 0), 0);
}

#ifdef __x86_64__
static int call_i386(uid_t uid)
{
	long r = 20; /* getpid of i386 */
	int end = checks(uid);

	if (end)
		return end;
	__asm__ volatile("int $0x80" : "+a"(r)::"memory");
	return 50;
}

static int call_x32(uid_t uid)
{
	int end = checks(uid);

	if (end)
		return end;
	syscall(0x40000000 | SYS_getpid);
	return 51;
}

static void other_abis_are_killed(void **state)
{
	(void)state;
	assert_int_equal(in_child(call_i386, 0), 1000 + SIGSYS);
	assert_int_equal(in_child(call_x32, 0), 1000 + SIGSYS);
}
#else
static void other_abis_are_killed(void **state)
{
	(void)state;
	skip();
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(locked_as_we_are),
		cmocka_unit_test(locked_as_nobody),
		cmocka_unit_test(a_filter_is_needed),
		cmocka_unit_test(other_abis_are_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
