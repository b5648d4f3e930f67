/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_rig - the real roles without a sandbox: `gateway_rig POLICY DIR`, beside
 * stockade-gateway.
 *
 * Listens as HTTP proxy on a free port of 127.0.0.1, starts the roles, prints
 * "port N", "role NAME PID" and "placeholder NAME VALUE" lines and "ready", then waits: end of
 * standard input stops the roles in order (exit 0, "summary ALLOWED DENIED"), a role that dies is
 * reported ("died REASON", exit 124) after everything was ended.
 */
#include "audit/tally.h"
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
		struct pollfd fds[1 + ROLE_MAX] = { { .fd = STDIN_FILENO, .events = POLLIN } };
		char byte;

		for (unsigned i = 0; i < ROLE_MAX; i++)
			fds[1 + i] = (struct pollfd){ .fd = roles->p[i].pidfd, .events = POLLIN };
		if (poll(fds, ARRAY_LEN(fds), -1) < 0)
			return -errno;
		for (unsigned i = 0; i < ROLE_MAX; i++)
			if (fds[1 + i].revents)
				return roles_failed(roles, e);
		if (fds[0].revents && read(STDIN_FILENO, &byte, 1) <= 0)
			return 0;
	}
}

int main(int argc, char **argv)
{
	static struct roles_request req;
	static struct sandbox sandbox;
	static struct audit_tally tally;
	static struct secrets secrets;
	static struct policy policy;
	static struct roles roles;
	const struct audit_record end = { .event = AUDIT_SESSION_END, .by = STR_LIT("launch") };
	struct audit_log log;
	struct err e = ERR_INIT;
	uint16_t port = 0;
	int dir, r;

	if (argc != 3)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	audit_log_init(&log);
	dir = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (read_policy(argv[1], &policy, &e) < 0 ||
	    audit_log_create(&log, dir, "audit.jsonl", &e) < 0 ||
	    secrets_load(&policy, &secrets, &e) < 0)
		return die(&e);
	sandbox.listeners[0].kind = LISTENER_PROXY;
	sandbox.listeners[0].fd = listen_any(&port);
	sandbox.nlisteners = 1;
	req = (struct roles_request){ .policy = &policy,
				      .session_id = "test",
				      .secrets = &secrets,
				      .log = &log,
				      .sandbox = &sandbox };
	if (sandbox.listeners[0].fd < 0 || roles_start(&req, &roles, &e) < 0)
		return die(&e);
	close(sandbox.listeners[0].fd);
	printf("port %u\n", port);
	for (unsigned i = 0; i < ROLE_MAX; i++)
		if (roles.p[i].pidfd >= 0)
			printf("role %s %d\n", role_name((enum role)i), roles.p[i].pid);
	for (size_t i = 0; i < secrets.n; i++)
		printf("placeholder %s %s\n", secrets.items[i].credential->name,
		       secrets.items[i].placeholder);
	printf("ready\n");
	r = wait_end(&roles, &e);
	if (r < 0) {
		roles_kill(&roles);
		printf("died %s\n", e.text);
		return 124;
	}
	r = roles_stop(&roles, &end, &tally, &e);
	if (r < 0)
		return die(&e);
	printf("summary %llu %llu\n", (unsigned long long)tally.allowed,
	       (unsigned long long)tally.denied);
	return 0;
}
