/* SPDX-License-Identifier: Apache-2.0 */
/*
 * minimal_sandbox [-n] [-b PATH]... PROGRAM [ARG...] - the yardstick of bench/startup.sh: only the
 * kernel calls that any sandbox of this kind has to make (eight namespaces, the mounts by the new
 * API, pivot_root, Landlock, capabilities, seccomp), with no check, no report, no init.  Not a
 * sandbox to use.  -n: with the network part (routes, redirect, listeners).  -b: bind this path
 * read-only where it is; what the plan of `stockade run` binds, so that both make the same mounts.
 */
#include "os/landlock.h"
#include "os/netlink.h"
#include "os/priv.h"
#include "os/sys.h"
#include "sandbox/agent-seccomp.h"

#include "base/own.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | \
	 CLONE_NEWCGROUP | 0x80 /* CLONE_NEWTIME */)

#define BINDS_MAX 64

#define MUST(x)                                                                                    \
	do {                                                                                       \
		if ((x) < 0) {                                                                     \
			perror(#x);                                                                \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static int fs(const char *type, const char *mode)
{
	int f = fsopen(type, FSOPEN_CLOEXEC);

	MUST(f);
	if (mode)
		MUST(fsconfig(f, FSCONFIG_SET_STRING, "mode", mode, 0));
	MUST(fsconfig(f, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	return fsmount(f, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID);
}

static void at(int tree, int root, const char *name)
{
	mkdirat(root, name, 0755);
	MUST(move_mount(tree, "", root, name, MOVE_MOUNT_F_EMPTY_PATH));
	close(tree);
}

static void bind_tree(int root, const char *source, const char *name)
{
	struct mount_attr a = { .attr_set =
				    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };
	int t = open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (t < 0)
		return;
	MUST(mount_setattr(t, "", AT_EMPTY_PATH | AT_RECURSIVE, &a, sizeof(a)));
	at(t, root, name);
}

static void bind_node(int root, const char *source)
{
	int t = open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	MUST(t);
	close(openat(root, source + 1, O_CREAT | O_WRONLY | O_CLOEXEC, 0444));
	MUST(move_mount(t, "", root, source + 1, MOVE_MOUNT_F_EMPTY_PATH));
	close(t);
}

/* Parents first; what is there already is no error. */
static void make_parents(int root, char *path)
{
	for (char *slash = path; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		mkdirat(root, path, 0755);
	}
}

static void bind_path(int root, const char *source)
{
	char name[256];
	struct stat st;

	snprintf(name, sizeof(name), "%s", source + 1);
	make_parents(root, name);
	MUST(stat(source, &st));
	if (!S_ISDIR(st.st_mode))
		close(openat(root, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0444));
	bind_tree(root, source, name);
}

static void mounts(char *const *binds, int nbinds)
{
	static const char *const nodes[] = { "/dev/null",   "/dev/zero",    "/dev/full",
					     "/dev/random", "/dev/urandom", "/dev/tty" };
	int root = fs("tmpfs", "755");

	MUST(move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH));
	for (int i = 0; i < nbinds; i++)
		bind_path(root, binds[i]);
	MUST(symlinkat("usr/bin", root, "bin"));
	MUST(symlinkat("usr/sbin", root, "sbin"));
	MUST(symlinkat("usr/lib", root, "lib"));
	MUST(symlinkat("usr/lib64", root, "lib64"));
	at(fs("proc", NULL), root, "proc");
	mkdirat(root, "dev", 0755);
	for (unsigned i = 0; i < ARRAY_LEN(nodes); i++)
		bind_node(root, nodes[i]);
	at(fs("devpts", NULL), root, "dev/pts");
	at(fs("tmpfs", "1777"), root, "dev/shm");
	at(fs("mqueue", NULL), root, "dev/mqueue");
	at(fs("tmpfs", "1777"), root, "tmp");
	mkdirat(root, "home", 0755);
	at(fs("tmpfs", "755"), root, "home/agent");
	MUST(fchdir(root));
	MUST(sys_pivot_root(".", "."));
	MUST(umount2(".", MNT_DETACH));
	MUST(chdir("/"));
}

static void listener(int family, int type, uint16_t port)
{
	struct sockaddr_in6 a = { .sin6_family = (sa_family_t)family, .sin6_port = htons(port) };
	int s = socket(family, type | SOCK_CLOEXEC, 0), on = 1;

	if (family == AF_INET6)
		setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	MUST(bind(s, (struct sockaddr *)&a,
		  family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(a)));
	if (type == SOCK_STREAM)
		MUST(listen(s, 4096));
}

static void network(bool listeners)
{
	MUST(netlink_loopback(listeners, NULL));
	if (!listeners)
		return;
	MUST(netlink_redirect(htonl(0xc6120001), 15001, NULL));
	listener(AF_INET, SOCK_STREAM, 3128);
	listener(AF_INET, SOCK_STREAM, 1080);
	listener(AF_INET, SOCK_DGRAM, 53);
	listener(AF_INET6, SOCK_DGRAM, 53);
	listener(AF_INET, SOCK_STREAM, 15001);
	listener(AF_INET6, SOCK_STREAM, 15001);
}

static void restrict_self(void)
{
	static const char *const writable[] = { "/dev", "/dev/shm", "/tmp", "/home/agent" };
	int abi = landlock_abi(), rules = landlock_new(abi, false);
	int root = open("/", O_PATH | O_CLOEXEC);

	MUST(priv_no_new(NULL));
	MUST(priv_drop_caps(NULL));
	MUST(landlock_allow(rules, abi, root, true, LANDLOCK_READ));
	for (unsigned i = 0; i < ARRAY_LEN(writable); i++) {
		int fd = open(writable[i], O_PATH | O_CLOEXEC);

		MUST(landlock_allow(rules, abi, fd, true, LANDLOCK_WRITE));
		close(fd);
	}
	MUST(landlock_enforce(rules));
	MUST(priv_seccomp(seccomp_agent, ARRAY_LEN(seccomp_agent), NULL));
}

int main(int argc, char **argv)
{
	struct clone_args a = { .flags = NAMESPACES, .exit_signal = SIGCHLD };
	char *binds[BINDS_MAX];
	bool listeners = false;
	int nbinds = 0;
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	char *env[] = { "PATH=/usr/bin:/bin", NULL };
	int status;
	pid_t pid;

	(void)argc;
	for (argv++; *argv && **argv == '-'; argv++)
		if (!strcmp(*argv, "-n"))
			listeners = true;
		else if (!strcmp(*argv, "-b") && argv[1] && nbinds < BINDS_MAX)
			binds[nbinds++] = *++argv;
	if (!*argv)
		return 2;
	pid = sys_clone3(&a);
	MUST(pid);
	if (pid == 0) {
		MUST(priv_map_self(uid, gid, NULL));
		network(listeners);
		mounts(binds, nbinds);
		MUST(sethostname("minimal", 7));
		restrict_self();
		execve(argv[0], argv, env);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
