/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_driver [OPTION...] -- PROGRAM [ARG...] - runs a program in the native sandbox with a plan
 * made by hand, for tests of the sandbox alone.
 *
 *   --ro SRC[:DST] --rw SRC[:DST] --tmpfs DST --file DST=TEXT --link DST=TEXT --mask DST --dir DST
 *   --env NAME=VALUE --cwd DIR --net --unix --pty --degraded --memory N --pids N --cpu N
 *   --require-cgroup --port N --report --prepare-only --accept N --time-out S
 */
#include "os/fd.h"
#include "sandbox/sandbox.h"
#include "sandbox/terminal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define STEPS_MAX 128

static struct plan_step steps[STEPS_MAX];
static char *env[64] = { "PATH=/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/home/agent" };
static size_t nenv = 2;
static struct plan plan = { .steps = steps, .env = env };
static struct sandbox_options opt;
static bool report, prepare_only;

static struct plan_step *add(enum plan_kind kind, char *source, char *target)
{
	struct plan_step *s = &plan.steps[plan.nsteps++];

	*s = (struct plan_step){ .kind = kind, .source = source, .target = target };
	return s;
}

/* "A:B" or "A=B": B is cut off and returned, NULL when there is none. */
static char *cut(char *text, char at)
{
	char *p = strchr(text, at);

	if (!p)
		return NULL;
	*p = 0;
	return p + 1;
}

static void basics(void)
{
	static char *const top[] = { "/usr", "/etc", "/bin", "/sbin", "/lib", "/lib64", "/opt" };

	for (size_t i = 0; i < ARRAY_LEN(top); i++) {
		char link[256];
		ssize_t n = readlink(top[i], link, sizeof(link) - 1);
		struct plan_step *s = add(n > 0 ? PLAN_SYMLINK : PLAN_BIND,
					  n > 0 ? strndup(link, (size_t)n) : top[i], top[i]);

		s->read_only = s->optional = true;
	}
	add(PLAN_DIR, NULL, "/run");
	add(PLAN_DIR, NULL, "/var");
	add(PLAN_SYMLINK, "/run", "/var/run");
	add(PLAN_PROC, NULL, "/proc");
	add(PLAN_DEV, NULL, "/dev");
	*add(PLAN_TMPFS, NULL, "/tmp") = (struct plan_step){
		.kind = PLAN_TMPFS, .target = "/tmp", .size = 64 << 20, .mode = 01777
	};
	*add(PLAN_TMPFS, NULL, "/home/agent") = (struct plan_step){
		.kind = PLAN_TMPFS, .target = "/home/agent", .size = 64 << 20, .mode = 0755
	};
}

static void option(char *name, char *value)
{
	char *rest;

	if (!strcmp(name, "--ro") || !strcmp(name, "--rw")) {
		rest = cut(value, ':');
		add(PLAN_BIND, value, rest ? rest : value)->read_only = name[3] == 'o';
	} else if (!strcmp(name, "--tmpfs")) {
		add(PLAN_TMPFS, NULL, value)->mode = 0755;
	} else if (!strcmp(name, "--file")) {
		rest = cut(value, '=');
		add(PLAN_FILE, NULL, value)->content = rest;
	} else if (!strcmp(name, "--link")) {
		rest = cut(value, '=');
		add(PLAN_SYMLINK, rest, value);
	} else if (!strcmp(name, "--mask")) {
		add(PLAN_MASK, NULL, value);
	} else if (!strcmp(name, "--dir")) {
		add(PLAN_DIR, NULL, value);
	} else if (!strcmp(name, "--env")) {
		env[nenv++] = strdup(value); /* the sandbox wipes our arguments */
	} else if (!strcmp(name, "--cwd")) {
		plan.cwd = strdup(value);
	} else if (!strcmp(name, "--memory")) {
		plan.limits.memory = strtoull(value, NULL, 0);
	} else if (!strcmp(name, "--pids")) {
		plan.limits.pids = strtoull(value, NULL, 0);
	} else if (!strcmp(name, "--cpu")) {
		plan.limits.cpu_milli = strtoull(value, NULL, 0);
	} else if (!strcmp(name, "--port")) {
		plan.ports[plan.nports++] = (uint16_t)atoi(value);
	} else {
		fprintf(stderr, "unknown option %s\n", name);
		exit(2);
	}
}

static bool flag(const char *name)
{
	const struct {
		const char *name;
		bool *on;
	} flags[] = { { "--net", &plan.network }, { "--unix", &plan.unix_gateway },
		      { "--pty", &opt.pty },	  { "--degraded", &opt.allow_degraded },
		      { "--report", &report },	  { "--prepare-only", &prepare_only } };

	if (!strcmp(name, "--require-cgroup")) {
		plan.limits.cgroup = REQUIRE_YES;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (!strcmp(name, flags[i].name))
			return *flags[i].on = true;
	return false;
}

/* Accepts one connection and says where it wanted to go; answers a datagram with its length. */
static void serve(const struct sandbox *s, unsigned i)
{
	int fd = s->listeners[i].fd, kind = s->listeners[i].kind, c;
	struct sockaddr_in6 a = { 0 };
	struct sockaddr_in *v4 = (void *)&a;
	socklen_t size = sizeof(a);
	char text[INET6_ADDRSTRLEN] = "", line[128];
	bool six = kind == SANDBOX_TRANSPARENT6;

	if (kind == SANDBOX_DNS4 || kind == SANDBOX_DNS6) {
		ssize_t n = recvfrom(fd, line, sizeof(line), 0, (void *)&a, &size);

		if (n > 0)
			sendto(fd, line, (size_t)n, 0, (void *)&a, size);
		return;
	}
	c = accept(fd, NULL, NULL);
	if (c < 0)
		return;
	if (!s->tier.redirect || (kind != SANDBOX_TRANSPARENT4 && !six))
		getsockname(c, (void *)&a, &size);
	else
		getsockopt(c, six ? IPPROTO_IPV6 : IPPROTO_IP, SO_ORIGINAL_DST, &a, &size);
	if (a.sin6_family == AF_INET6)
		inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof(text));
	else if (a.sin6_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
	snprintf(line, sizeof(line), "kind %d to %s port %u\n", kind, text, ntohs(a.sin6_port));
	fd_write_all(c, line, strlen(line));
	close(c);
}

static int run(struct sandbox *s, struct err *e)
{
	struct terminal t = { .fd = -1 };
	struct pollfd p[SANDBOX_LISTENERS_MAX + 3] = { { .fd = s->pidfd, .events = POLLIN } };
	int code = 0, r = sandbox_start(s, e);

	if (r < 0)
		return r;
	if (s->pty_fd >= 0 && isatty(0))
		terminal_raw_enter(&t, 0, NULL);
	p[1] = (struct pollfd){ .fd = s->pty_fd, .events = POLLIN };
	p[2] = (struct pollfd){ .fd = s->pty_fd >= 0 ? 0 : -1, .events = POLLIN };
	for (unsigned i = 0; i < s->nlisteners; i++)
		p[i + 3] = (struct pollfd){ .fd = s->listeners[i].fd, .events = POLLIN };
	while (!p[0].revents) {
		poll(p, s->nlisteners + 3, -1);
		if (p[1].revents && terminal_relay(s->pty_fd, 1) < 0)
			p[1].fd = -1;
		if (p[2].revents && terminal_relay(0, s->pty_fd) < 0)
			p[2].fd = -1;
		for (unsigned i = 0; i < s->nlisteners; i++)
			if (p[i + 3].revents)
				serve(s, i);
	}
	while (s->pty_fd >= 0 && terminal_relay(s->pty_fd, 1) == 1)
		;
	terminal_raw_leave(&t);
	r = sandbox_wait(s, &code, e);
	if (r < 0)
		fprintf(stderr, "driver: %s\n", e->text);
	return code;
}

static struct sandbox *running;

static void pass_signal(int sig)
{
	if (running)
		sandbox_signal(running, sig);
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct sandbox s;
	int i, r;

	plan.uid = geteuid();
	plan.gid = getegid();
	basics();
	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (flag(argv[i]))
			continue;
		option(argv[i], argv[i + 1]);
		i++;
	}
	opt.argv = argv + i + 1;
	opt.supervise_net = plan.network;
	plan.nenv = nenv;
	r = sandbox_prepare(&plan, &opt, &s, &e);
	if (r < 0) {
		fprintf(stderr, "driver: %s\n", e.text);
		return EXIT_SANDBOX;
	}
	if (report)
		fprintf(stderr, "tier cgroup=%s landlock=%d redirect=%d listeners=%u lost=%s\n",
			s.tier.cgroup, s.tier.landlock_abi, s.tier.redirect, s.nlisteners,
			s.tier.lost);
	running = &s;
	signal(SIGTERM, pass_signal);
	signal(SIGUSR1, pass_signal);
	signal(SIGINT, pass_signal);
	r = prepare_only ? 0 : run(&s, &e);
	sandbox_done(&s);
	return r < 0 ? EXIT_SANDBOX : r;
}
