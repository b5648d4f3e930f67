/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's generated list, run in an interpreter of the few instructions that the generator
 * emits. */
#include "sandbox/agent-seccomp.h"
#include "sandbox/offline-seccomp.h"

#include "base/own.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#ifdef __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

#define ALLOW SECCOMP_RET_ALLOW
#define KILL SECCOMP_RET_KILL_PROCESS
#define REFUSE (SECCOMP_RET_ERRNO | EPERM)
#define ABSENT (SECCOMP_RET_ERRNO | ENOSYS)

static unsigned steps; /* of the last run */

static uint32_t run(const struct sock_filter *p, size_t n, const struct seccomp_data *d)
{
	uint32_t a = 0;

	steps = 0;
	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *f = &p[pc];

		steps++;
		if (f->code == (BPF_LD | BPF_W | BPF_ABS))
			memcpy(&a, (const char *)d + f->k, sizeof(a));
		else if (f->code == (BPF_ALU | BPF_AND | BPF_K))
			a &= f->k;
		else if (f->code == (BPF_JMP | BPF_JA))
			pc += f->k;
		else if (f->code == (BPF_JMP | BPF_JEQ | BPF_K))
			pc += a == f->k ? f->jt : f->jf;
		else if (f->code == (BPF_JMP | BPF_JGE | BPF_K))
			pc += a >= f->k ? f->jt : f->jf;
		else if (f->code == (BPF_RET | BPF_K))
			return f->k;
		else
			fail_msg("instruction %zu has code 0x%x", pc, f->code);
	}
	fail_msg("ran off the end");
	return 0;
}

static uint32_t agent(uint32_t arch, int nr, uint64_t arg0, uint64_t arg1)
{
	const struct seccomp_data d = { .nr = nr, .arch = arch, .args = { arg0, arg1 } };

	return run(seccomp_agent, ARRAY_LEN(seccomp_agent), &d);
}

static const struct {
	const char *name;
	int nr;
	uint64_t arg0, arg1;
	uint32_t expect;
} rows[] = {
	{ "read", SYS_read, 0, 0, ALLOW },
	{ "execve", SYS_execve, 0, 0, ALLOW },
	{ "exit_group", SYS_exit_group, 0, 0, ALLOW },
	{ "mount", SYS_mount, 0, 0, REFUSE },
	{ "ptrace", SYS_ptrace, 0, 0, REFUSE },
	{ "bpf", SYS_bpf, 0, 0, REFUSE },
	{ "keyctl", SYS_keyctl, 0, 0, REFUSE },
	{ "io_uring_setup", SYS_io_uring_setup, 0, 0, REFUSE },
	{ "mount_setattr", SYS_mount_setattr, 0, 0, REFUSE },
	{ "unshare", SYS_unshare, 0, 0, REFUSE },
	{ "setns", SYS_setns, 0, 0, REFUSE },
	{ "clone3", SYS_clone3, 0, 0, ABSENT },
	{ "fork", SYS_clone, 17, 0, ALLOW },
	{ "thread", SYS_clone, 0x3d0f00, 0, ALLOW },
	{ "clone NEWUSER", SYS_clone, 0x10000000 | 17, 0, REFUSE },
	{ "clone NEWNS", SYS_clone, 0x20000, 0, REFUSE },
	{ "clone NEWCGROUP", SYS_clone, 0x02000000, 0, REFUSE },
	{ "clone NEWNET, high bits", SYS_clone, 0x140000000, 0, REFUSE },
	{ "socket UNIX", SYS_socket, 1, 0, ALLOW },
	{ "socket INET", SYS_socket, 2, 0, ALLOW },
	{ "socket INET6", SYS_socket, 10, 0, ALLOW },
	{ "socket NETLINK", SYS_socket, 16, 0, REFUSE },
	{ "socket PACKET", SYS_socket, 17, 0, REFUSE },
	{ "socket VSOCK", SYS_socket, 40, 0, REFUSE },
	{ "socket 0", SYS_socket, 0, 0, REFUSE },
	/* The kernel reads an int: what lies above it does not make another family. */
	{ "socket NETLINK, high bits", SYS_socket, 0x100000010, 0, REFUSE },
	{ "ioctl", SYS_ioctl, 0, 0x5413, ALLOW },
	{ "ioctl TIOCSTI", SYS_ioctl, 0, 0x5412, REFUSE },
	{ "ioctl TIOCSTI, high bits", SYS_ioctl, 0, 0xdead00005412, REFUSE },
	{ "ioctl TIOCLINUX", SYS_ioctl, 0, 0x541c, REFUSE },
	{ "personality asked", SYS_personality, 0xffffffff, 0, ALLOW },
	{ "personality READ_IMPLIES_EXEC", SYS_personality, 0x400000, 0, REFUSE },
	{ "too new", 1000, 0, 0, ABSENT },
	{ "far too new", 0x3fffffff, 0, 0, ABSENT },
};

/* Both conditions must hold. */
static void socket_protocols(void **state)
{
	static const struct {
		const char *name;
		uint64_t family, protocol;
		uint32_t expect;
	} cases[] = {
		{ "TCP", 2, 6, ALLOW },	      { "UDP", 10, 17, ALLOW },
		{ "UNIX", 1, 1, ALLOW },      { "SCTP", 2, 132, REFUSE },
		{ "DCCP", 10, 33, REFUSE },   { "MPTCP", 2, 262, REFUSE },
		{ "raw", 2, 255, REFUSE },    { "NETLINK as TCP", 16, 6, REFUSE },
		{ "NETLINK", 16, 0, REFUSE }, { "high bits", 2, 0x100000084, REFUSE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct seccomp_data d = { .nr = SYS_socket,
						.arch = NATIVE,
						.args = { cases[i].family, 1, cases[i].protocol } };
		uint32_t got = run(seccomp_agent, ARRAY_LEN(seccomp_agent), &d);

		if (got != cases[i].expect)
			fail_msg("%s: 0x%x, expected 0x%x", cases[i].name, got, cases[i].expect);
	}
}

static void table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t got = agent(NATIVE, rows[i].nr, rows[i].arg0, rows[i].arg1);

		if (got != rows[i].expect)
			fail_msg("%s: 0x%x, expected 0x%x", rows[i].name, got, rows[i].expect);
	}
}

static void other_architectures_are_killed(void **state)
{
	(void)state;
	assert_int_equal(agent(AUDIT_ARCH_I386, 3, 0, 0), KILL);
	assert_int_equal(agent(AUDIT_ARCH_ARM, 3, 0, 0), KILL);
	assert_int_equal(agent(0, SYS_read, 0, 0), KILL);
#ifdef __x86_64__
	assert_int_equal(agent(NATIVE, 0x40000000, 0, 0), KILL);
	assert_int_equal(agent(NATIVE, 0x40000000 | 520, 0, 0), KILL);
	assert_int_equal(agent(NATIVE, -1, 0, 0), KILL);
#endif
}

/* The filter is paid at every start and, for conditional calls, at every call. */
static void short_and_flat(void **state)
{
	unsigned worst = 0;

	(void)state;
	for (int nr = 0; nr < 600; nr++) {
		agent(NATIVE, nr, 0, 0);
		worst = steps > worst ? steps : worst;
	}
	assert_in_range(worst, 1, 28);
	assert_in_range(ARRAY_LEN(seccomp_agent), 100, 400);
}

static void offline_differs_in_socket_only(void **state)
{
	(void)state;
	for (int nr = 0; nr < 600; nr++) {
		const struct seccomp_data d = { .nr = nr, .arch = NATIVE, .args = { 1, 0 } };
		uint32_t a = run(seccomp_agent, ARRAY_LEN(seccomp_agent), &d);
		uint32_t o = run(seccomp_offline, ARRAY_LEN(seccomp_offline), &d);

		assert_int_equal(o, nr == SYS_socket ? REFUSE : a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(socket_protocols),
		cmocka_unit_test(other_architectures_are_killed),
		cmocka_unit_test(short_and_flat),
		cmocka_unit_test(offline_differs_in_socket_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
