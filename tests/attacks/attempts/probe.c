/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - one attempt on the kernel, run INSIDE the sandbox (and outside, as the control).
 *
 * `probe NAME` prints "VERDICT DENIED|ESCAPED|ERROR why".  Most attempts are a system call with
 * arguments that the kernel itself answers with EFAULT, EINVAL or EBADF: reaching the kernel is the
 * escape, and only EPERM, EACCES, ENOSYS or SIGSYS count as refused.  The control run outside, as
 * root, shows that the same call reaches the kernel there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_move_mount
#define SYS_move_mount 429
#endif

static int verdict(const char *word, const char *why)
{
	printf("VERDICT %s %s\n", word, why);
	fflush(stdout);
	return 0;
}

/* A system call that must not reach the kernel's own code. */
static int judge_call(long ret)
{
	int err = errno;
	if (ret >= 0)
		return verdict("ESCAPED", "it worked");
	if (err == EPERM || err == EACCES || err == ENOSYS)
		return verdict("DENIED", strerror(err));
	return verdict("ESCAPED", strerror(err));
}

/* Something that must simply not succeed. */
static int judge_failure(long ret)
{
	int err = errno;
	return ret >= 0 ? verdict("ESCAPED", "it worked") : verdict("DENIED", strerror(err));
}

struct call {
	const char *name;
	long number;
	long args[6];
};

#define BAD ((long)-4096) /* an address that is never mapped */

static const struct call calls[] = {
	{ "io_uring_setup", SYS_io_uring_setup, { 1, BAD } },
	{ "io_uring_enter", SYS_io_uring_enter, { -1, 0, 0, 0, 0, 0 } },
	{ "io_uring_register", SYS_io_uring_register, { -1, 0, 0, 0 } },
	{ "bpf", SYS_bpf, { 0, BAD, 72 } },
	{ "perf_event_open", SYS_perf_event_open, { BAD, 0, -1, -1, 0 } },
	{ "userfaultfd", SYS_userfaultfd, { 0x7fff0000 } },
	{ "keyctl", SYS_keyctl, { 9999, 0, 0, 0, 0 } },
	{ "add_key", SYS_add_key, { BAD, BAD, 0, 0, 0 } },
	{ "request_key", SYS_request_key, { BAD, BAD, 0, 0 } },
	{ "kexec_load", SYS_kexec_load, { 0, 1, BAD, 0xffff } },
	{ "init_module", SYS_init_module, { BAD, 1, BAD } },
	{ "finit_module", SYS_finit_module, { -1, BAD, 0 } },
	{ "delete_module", SYS_delete_module, { BAD, 0 } },
	{ "open_by_handle_at", SYS_open_by_handle_at, { -1, BAD, 0 } },
	{ "name_to_handle_at", SYS_name_to_handle_at, { -1, BAD, BAD, BAD, 0 } },
	{ "swapon", SYS_swapon, { BAD, 0 } },
	{ "swapoff", SYS_swapoff, { BAD } },
	{ "reboot", SYS_reboot, { 1, 2, 3, 0 } }, /* wrong magic: EINVAL from the kernel */
	{ "quotactl", SYS_quotactl, { 0, BAD, 0, BAD } },
	{ "acct", SYS_acct, { BAD } },
	{ "pivot_root", SYS_pivot_root, { BAD, BAD } },
	{ "mount", SYS_mount, { BAD, BAD, BAD, 0, 0 } },
	{ "umount2", SYS_umount2, { BAD, 0 } },
	{ "open_tree", SYS_open_tree, { -1, BAD, 1 } },
	{ "move_mount", SYS_move_mount, { -1, BAD, -1, BAD, 0 } },
	{ "mount_setattr", SYS_mount_setattr, { -1, BAD, 0, BAD, 32 } },
	{ "fsopen", SYS_fsopen, { BAD, 0 } },
	{ "fspick", SYS_fspick, { -1, BAD, 0 } },
	{ "setns", SYS_setns, { -1, 0 } },
	{ "ptrace", SYS_ptrace, { PTRACE_ATTACH, 0x3fffff, 0, 0 } },
	{ "process_vm_readv", SYS_process_vm_readv, { 1, BAD, 1, BAD, 1, 0 } },
	{ "process_vm_writev", SYS_process_vm_writev, { 1, BAD, 1, BAD, 1, 0 } },
	{ "pidfd_getfd", SYS_pidfd_getfd, { -1, 0, 0 } },
	{ "kcmp", SYS_kcmp, { 0x3fffff, 0x3fffff, 0, 0, 0 } },
	{ "syslog", SYS_syslog, { 99, 0, 0 } },
	{ "settimeofday", SYS_settimeofday, { BAD, BAD } },
	{ "clock_settime", SYS_clock_settime, { 9999, BAD } },
	{ "sethostname", SYS_sethostname, { BAD, 1 } },
	{ "vhangup", SYS_vhangup, { 0 } },
#ifdef __x86_64__
	{ "ioperm", SYS_ioperm, { 0x10000, 1, 1 } },
	{ "iopl", SYS_iopl, { 99 } },
	{ "modify_ldt", SYS_modify_ldt, { 0, BAD, 8 } },
#endif
	{ "unshare-user", SYS_unshare, { CLONE_NEWUSER } },
	{ "unshare-net", SYS_unshare, { CLONE_NEWNET } },
	{ "unshare-mount", SYS_unshare, { CLONE_NEWNS } },
};

struct family {
	const char *name;
	int domain, type, protocol;
};

static const struct family families[] = {
	{ "AF_VSOCK", 40, SOCK_STREAM, 0 },   { "AF_PACKET", 17, SOCK_RAW, 0 },
	{ "AF_NETLINK", 16, SOCK_RAW, 0 },    { "AF_ALG", 38, SOCK_SEQPACKET, 0 },
	{ "AF_KEY", 15, SOCK_RAW, 2 },	      { "AF_XDP", 44, SOCK_RAW, 0 },
	{ "raw4", AF_INET, SOCK_RAW, 1 },     { "raw6", AF_INET6, SOCK_RAW, 58 },
	{ "AF_BLUETOOTH", 31, SOCK_RAW, 1 },  { "netfilter", 16, SOCK_RAW, 12 },
	{ "AF_TIPC", 30, SOCK_STREAM, 0 },
	{ "sctp", AF_INET, SOCK_STREAM, 132 }, { "mptcp", AF_INET, SOCK_STREAM, 262 },
};

/* --- attempts that need more than one call */

static int child_status(void (*body)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		body();
		_exit(0);
	}
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

#ifdef __x86_64__
static void body_int80(void)
{
	long ret;
	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	_exit(ret > 0 ? 1 : ret == -ENOSYS ? 2 : ret == -EPERM ? 3 : 4);
}

static void body_x32(void)
{
	long ret = syscall(0x40000000L + 39);
	_exit(ret > 0 ? 1 : errno == ENOSYS ? 2 : errno == EPERM ? 3 : 4);
}

static int judge_abi(void (*body)(void))
{
	int status = child_status(body);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return verdict("DENIED", "SIGSYS");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
		return verdict("DENIED", "EPERM");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		return verdict("ESCAPED", "it worked");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV)
		return verdict("ERROR", "this kernel has no such ABI");
	return verdict("DENIED", "ENOSYS"); /* the control says the same: then it proves nothing */
}

static int try_int80(void)
{
	return judge_abi(body_int80);
}

static int try_x32(void)
{
	return judge_abi(body_x32);
}
#endif

static int try_clone_user(void)
{
	long ret = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	if (ret == 0)
		_exit(0);
	return judge_call(ret);
}

static int try_clone3_user(void)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	long ret = syscall(SYS_clone3, &args, sizeof(args));
	if (ret == 0)
		_exit(0);
	return judge_call(ret);
}

static int try_tiocsti(void)
{
	int fd = open("/dev/tty", O_RDWR);
	char c = 'x';
	if (fd < 0)
		return verdict("ERROR", "no controlling terminal: the attempt was not made");
	return judge_failure(ioctl(fd, TIOCSTI, &c));
}

static int try_tioclinux(void)
{
	int fd = open("/dev/tty", O_RDWR);
	char sub = 2;
	if (fd < 0)
		return verdict("ERROR", "no controlling terminal: the attempt was not made");
	/* On a pty the kernel itself says ENOTTY: only the filter's EPERM proves anything. */
	return judge_call(ioctl(fd, TIOCLINUX, &sub));
}

static int try_tiocsetd(void)
{
	int fd = open("/dev/tty", O_RDWR);
	int discipline = 0;
	if (fd < 0)
		return verdict("ERROR", "no controlling terminal: the attempt was not made");
	return judge_failure(ioctl(fd, TIOCSETD, &discipline));
}

static int try_mknod(mode_t kind, unsigned major_number, unsigned minor_number)
{
	char path[64];
	snprintf(path, sizeof(path), "/tmp/probe-node-%d", (int)getpid());
	int ret = mknod(path, kind | 0600, makedev(major_number, minor_number));
	int err = errno;
	unlink(path);
	errno = err;
	return judge_failure(ret);
}

static int try_mknod_char(void)
{
	return try_mknod(S_IFCHR, 1, 1); /* /dev/mem */
}

static int try_mknod_block(void)
{
	return try_mknod(S_IFBLK, 7, 0);
}

static int try_remount(void)
{
	return judge_failure(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
}

static int try_umount_proc(void)
{
	return judge_failure(umount2("/proc", MNT_DETACH));
}

static int try_tmpfs(void)
{
	return judge_failure(mount("x", "/tmp", "tmpfs", 0, NULL));
}

static int try_ptrace_init(void)
{
	long ret = ptrace(PTRACE_SEIZE, 1, 0, 0);
	if (ret >= 0)
		ptrace(PTRACE_DETACH, 1, 0, 0);
	return judge_failure(ret);
}

static int try_mem_init(void)
{
	return judge_failure(open("/proc/1/mem", O_RDWR));
}

static int try_pidfd_init(void)
{
	long pidfd = syscall(SYS_pidfd_open, 1, 0);
	if (pidfd < 0)
		return verdict("DENIED", "pidfd_open");
	return judge_failure(syscall(SYS_pidfd_getfd, pidfd, 0, 0));
}

static int try_dumpable_init(void)
{
	return judge_failure(open("/proc/1/environ", O_RDONLY));
}

static int try_personality(void)
{
	return judge_failure(syscall(SYS_personality, 0x0400000 | 0x0040000));
}

static int try_chroot(void)
{
	return judge_failure(chroot("/tmp"));
}

/* --- exhaustion: the limit must bite before the bound here does */

static int try_forks(void)
{
	enum { MANY = 600 };
	pid_t made[MANY];
	int n = 0;
	while (n < MANY && (made[n] = fork()) >= 0) {
		if (made[n] == 0) {
			pause();
			_exit(0);
		}
		n++;
	}
	for (int i = 0; i < n; i++)
		kill(made[i], SIGKILL);
	for (int i = 0; i < n; i++)
		waitpid(made[i], NULL, 0);
	return n == MANY ? verdict("ESCAPED", "600 processes") : verdict("DENIED", "fork refused");
}

static void body_memory(void)
{
	enum { MANY = 512, SIZE = 1 << 20 };
	for (int i = 0; i < MANY; i++) {
		char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			_exit(3);
		memset(p, 1, SIZE);
	}
	_exit(1);
}

static int try_memory(void)
{
	int status = child_status(body_memory);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		return verdict("ESCAPED", "512 MiB touched");
	return verdict("DENIED", WIFSIGNALED(status) ? "killed" : "mmap refused");
}

static int fill(const char *path)
{
	enum { MANY = 256 };
	static char block[1 << 20];
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	int n = 0;
	if (fd < 0)
		return verdict("ERROR", "cannot create the file to fill");
	memset(block, 1, sizeof(block));
	while (n < MANY && write(fd, block, sizeof(block)) == (ssize_t)sizeof(block))
		n++;
	unlink(path);
	close(fd);
	return n == MANY ? verdict("ESCAPED", "256 MiB written") : verdict("DENIED", "full");
}

static int try_fill_tmp(void)
{
	return fill("/tmp/probe-fill");
}

static int try_fill_shm(void)
{
	return fill("/dev/shm/probe-fill");
}

static int try_whoami(void)
{
	char line[256];
	unsigned long long caps = 0;
	FILE *status = fopen("/proc/self/status", "re");
	while (status && fgets(line, sizeof(line), status))
		if (strncmp(line, "CapEff:", 7) == 0)
			caps = strtoull(line + 7, NULL, 16);
	if (status)
		fclose(status);
	printf("%d %llx\n", (int)geteuid(), caps);
	return 0;
}

struct attempt {
	const char *name;
	int (*run)(void);
};

static const struct attempt attempts[] = {
#ifdef __x86_64__
	{ "int80", try_int80 },
	{ "x32", try_x32 },
#endif
	{ "clone-user", try_clone_user },
	{ "clone3-user", try_clone3_user },
	{ "tiocsti", try_tiocsti },
	{ "tioclinux", try_tioclinux },
	{ "tiocsetd", try_tiocsetd },
	{ "mknod-char", try_mknod_char },
	{ "mknod-block", try_mknod_block },
	{ "remount", try_remount },
	{ "umount-proc", try_umount_proc },
	{ "mount-tmpfs", try_tmpfs },
	{ "ptrace-init", try_ptrace_init },
	{ "mem-init", try_mem_init },
	{ "environ-init", try_dumpable_init },
	{ "pidfd-init", try_pidfd_init },
	{ "personality", try_personality },
	{ "chroot", try_chroot },
	{ "forks", try_forks },
	{ "memory", try_memory },
	{ "fill-tmp", try_fill_tmp },
	{ "fill-shm", try_fill_shm },
	{ "whoami", try_whoami },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* In a child: a filter may kill instead of refusing. */
static const struct call *chosen;

static void body_call(void)
{
	const long *a = chosen->args;
	errno = 0;
	long ret = syscall(chosen->number, a[0], a[1], a[2], a[3], a[4], a[5]);
	judge_call(ret);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	for (size_t i = 0; i < COUNT(attempts); i++)
		if (strcmp(attempts[i].name, name) == 0)
			return attempts[i].run();
	for (size_t i = 0; i < COUNT(families); i++)
		if (strcmp(families[i].name, name) == 0)
			return judge_failure(socket(families[i].domain, families[i].type,
						    families[i].protocol));
	for (size_t i = 0; i < COUNT(calls); i++) {
		if (strcmp(calls[i].name, name) != 0)
			continue;
		chosen = &calls[i];
		int status = child_status(body_call);
		if (WIFSIGNALED(status))
			return WTERMSIG(status) == SIGSYS ? verdict("DENIED", "SIGSYS")
							  : verdict("ERROR", "crashed");
		return 0;
	}
	return verdict("ERROR", "no such attempt");
}
