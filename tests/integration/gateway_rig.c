/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_rig - the real roles without a sandbox: `gateway_rig POLICY DIR PROGRAM`.
 *
 * Listens as HTTP proxy on a free port of 127.0.0.1, starts the roles, prints
 * "port N", "role NAME PID" and "placeholder NAME VALUE" lines and "ready", then waits: end of
 * standard input stops the roles in order (exit 0, "summary ALLOWED DENIED"), a role that dies is
 * reported ("died REASON", exit 124) after everything was ended.
 */
#include "launch/roles.h"
#include "os/fd.h"
#include "policy/merge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

extern char **environ;

static int die(const struct err *e)
{
	printf("error %s\n", e->text);
	return 1;
}

static int read_policy(const char *path, struct policy *ret, struct err *e)
{
	static struct policy_stack stack;
	_cleanup_(buf_done) struct buf b = BUF_INIT(POLICY_FILE_MAX);
	int r = fd_read_file(AT_FDCWD, path, &b);

	if (r < 0)
		return err_sys(e, r, "%s", path);
	r = stack_init(&stack, e);
	r = r ? r : stack_add(&stack, buf_str(&b), path, SOURCE_COMMAND, false, e);
	return r ? r : stack_merge(&stack, ret, e);
}

static int listen_any(uint16_t *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 128) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		return -errno;
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static int wait_end(struct roles *roles, struct err *e)
{
	for (;;) {
		struct pollfd fds[1 + 2 * ROLES_N] = { { .fd = STDIN_FILENO, .events = POLLIN } };
		char byte;
		int r;

		for (unsigned i = 0; i < ROLES_N; i++) {
			fds[1 + 2 * i] =
			    (struct pollfd){ .fd = roles->all[i].pidfd, .events = POLLIN };
			fds[2 + 2 * i] =
			    (struct pollfd){ .fd = roles->all[i].channel.fd, .events = POLLIN };
		}
		if (poll(fds, ARRAY_LEN(fds), -1) < 0)
			return -errno;
		r = roles_check(roles, e);
		if (r < 0)
			return r;
		if (fds[0].revents && read(STDIN_FILENO, &byte, 1) <= 0)
			return 0;
	}
}

int main(int argc, char **argv)
{
	static struct roles_request req;
	static struct audit_tally tally;
	static struct secrets secrets;
	static struct policy policy;
	static struct roles roles;
	struct audit_log log;
	struct err e = ERR_INIT;
	uint16_t port = 0;
	int dir, r;

	if (argc != 4)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	audit_log_init(&log);
	dir = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (read_policy(argv[1], &policy, &e) < 0 ||
	    audit_log_create(&log, dir, "audit.jsonl", &e) < 0)
		return die(&e);
	secrets_name(&policy, &secrets);
	if (secrets_read(&secrets, environ, &e) < 0)
		return die(&e);
	req = (struct roles_request){ .policy = &policy,
				      .session = "test",
				      .secrets = &secrets,
				      .log = &log,
				      .environ = environ,
				      .program = argv[3] };
	req.listeners[0].kind = LISTENER_PROXY;
	req.listeners[0].fd = listen_any(&port);
	req.nlisteners = 1;
	if (req.listeners[0].fd < 0 || roles_start(&req, &roles, &e) < 0)
		return die(&e);
	close(req.listeners[0].fd);
	audit_log_close(&log);
	printf("port %u\n", port);
	for (unsigned i = 0; i < ROLES_N; i++)
		printf("role %s %d\n", role_name(roles.all[i].role), roles.all[i].pid);
	for (size_t i = 0; i < secrets.n; i++)
		printf("placeholder %s %s\n", secrets.entries[i].credential->name,
		       secrets.entries[i].placeholder);
	printf("ready\n");
	r = wait_end(&roles, &e);
	if (r < 0) {
		roles_kill(&roles);
		printf("died %s\n", e.text);
		return 124;
	}
	r = roles_stop(&roles, &tally, &e);
	if (r < 0)
		return die(&e);
	printf("summary %llu %llu\n", (unsigned long long)tally.allowed,
	       (unsigned long long)tally.denied);
	return 0;
}
