/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main - `stockade-gateway ROLE`: one role of the gateway, started by launch with a channel on
 * descriptor 3.  It gathers what it needs, shuts itself in, says READY and serves.
 *
 * Not for people: without the channel it says so and ends.
 */
#include "back/back.h"
#include "os/fd.h"
#include "os/jail.h"
#include "resolver/resolver.h"
#include "role/start.h"

#include "audit-seccomp.h"
#include "back-seccomp.h"
#include "front-seccomp.h"
#include "keeper-seccomp.h"
#include "resolver-seccomp.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define CHANNEL_FD 3
/* Descriptors a role may hold: front and back as many as the host gives, up to here. */
#define NOFILE_MAX 65536u
/* Keeper, audit: standard descriptors, channels, the log. Resolver: one a lookup and its files. */
#define NOFILE_SMALL 32u
#define NOFILE_RESOLVER 256u

enum exit_code { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 125 };

static struct start start;
static struct tls_client *tls;

/* Does any rule speak TLS to a server?  Only then is OpenSSL started: it costs 4 MB. */
static bool needs_tls(const struct policy *p)
{
	for (size_t i = 0; i < p->nrules; i++)
		if (p->rules[i].action == ACTION_ALLOW)
			return true;
	return false;
}

static int prepare_back(struct err *e)
{
	return needs_tls(&start.policy) ? tls_client_new(&tls, e) : 0;
}

static int prepare_resolver(struct err *e)
{
	(void)e;
	resolver_prepare();
	return 0;
}

static int run_front(struct err *e)
{
	(void)e;
	start.front.launch = &start.launch;
	start.front.back = &start.peers[ROLE_BACK];
	start.front.audit = &start.peers[ROLE_AUDIT];
	start.front.policy = &start.policy;
	return front_run(&start.front);
}

static int run_back(struct err *e)
{
	const struct back_setup setup = {
		.launch = &start.launch,
		.front = &start.peers[ROLE_FRONT],
		.keeper = &start.peers[ROLE_KEEPER],
		.resolver = &start.peers[ROLE_RESOLVER],
		.audit = &start.peers[ROLE_AUDIT],
		.policy = &start.policy,
		.placeholders = start.placeholders,
		.nplaceholders = start.nplaceholders,
		.tls = tls,
	};

	(void)e;
	return back_run(&setup);
}

static int run_keeper(struct err *e)
{
	int r = keeper_run(&start.keeper, &start.launch, &start.peers[ROLE_BACK]);

	(void)e;
	keeper_done(&start.keeper);
	return r;
}

static int run_resolver(struct err *e)
{
	(void)e;
	return resolver_run(&start.launch, &start.peers[ROLE_BACK]);
}

static int run_audit(struct err *e)
{
	struct channel peers[] = { start.peers[ROLE_FRONT], start.peers[ROLE_BACK] };

	return audit_run(&start.launch, peers, ARRAY_LEN(peers), &start.log, e);
}

/* getaddrinfo() reads its configuration anew when it changes. */
static const char *const resolver_reads[] = { "/etc",
					      "/run/systemd/resolve",
					      "/run/resolvconf",
					      "/run/NetworkManager",
					      "/usr/lib",
					      "/lib",
					      NULL };

#define FILTER(name) .filter = seccomp_##name, .nfilter = ARRAY_LEN(seccomp_##name)

static const struct {
	int (*prepare)(struct err *e); /* before the jail is shut; may be NULL */
	struct jail jail;
	int (*run)(struct err *e);
} roles[ROLE_MAX] = {
	[ROLE_FRONT] = { NULL, { FILTER(front) }, run_front },
	[ROLE_BACK] = { prepare_back, { FILTER(back), .connects = true }, run_back },
	[ROLE_KEEPER] = { NULL, { FILTER(keeper), .nofile = NOFILE_SMALL }, run_keeper },
	[ROLE_RESOLVER] = { prepare_resolver,
			    { FILTER(resolver), .nofile = NOFILE_RESOLVER, .connects = true,
			      .reads = resolver_reads },
			    run_resolver },
	[ROLE_AUDIT] = { NULL, { FILTER(audit), .nofile = NOFILE_SMALL }, run_audit },
};

/* Tells launch why this role ends; the text is for a person. */
static void say_fatal(const struct err *e)
{
	struct str text = str_from(e->text);
	char room[sizeof(uint32_t) + ERR_TEXT_MAX];
	uint32_t len = (uint32_t)text.len;

	if (text.len == 0)
		return;
	memcpy(room, &len, sizeof len);
	memcpy(room + sizeof len, text.p, text.len);
	(void)channel_send(&start.launch, MSG_FATAL, (struct str){ room, sizeof len + text.len },
			   -1);
}

static int serve(enum role self, struct err *e)
{
	int r = start_receive(&start, self, CHANNEL_FD, e);

	if (r == 0 && roles[self].prepare)
		r = roles[self].prepare(e);
	if (r == 0)
		r = jail_enter(&roles[self].jail, e);
	if (r == 0)
		r = channel_send(&start.launch, MSG_READY, STR_NONE, -1);
	if (r == 0)
		r = roles[self].run(e);
	if (r < 0 && e->text[0] == '\0')
		err_sys(e, r, "%s ended", role_name(self));
	return r;
}

static enum role find_role(const char *name)
{
	for (unsigned i = 0; i < ROLE_MAX; i++)
		if (roles[i].run && strcmp(role_name((enum role)i), name) == 0)
			return (enum role)i;
	return ROLE_MAX;
}

/* The soft limit is meant for programs that use select(2). */
static void raise_nofile(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return;
	l.rlim_cur = l.rlim_max < NOFILE_MAX ? l.rlim_max : NOFILE_MAX;
	(void)setrlimit(RLIMIT_NOFILE, &l);
}

int main(int argc, char **argv)
{
	enum role self = argc == 2 ? find_role(argv[1]) : ROLE_MAX;
	struct err e = ERR_INIT;
	int type = 0;
	socklen_t len = sizeof type;

	if (self == ROLE_MAX || getsockopt(CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    type != SOCK_SEQPACKET) {
		fprintf(stderr, "stockade-gateway is started by stockade, not by hand\n");
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	mallopt(M_ARENA_MAX, 1); /* the resolver's threads share one arena: they allocate little */
	raise_nofile();
	fd_set_cloexec(CHANNEL_FD, true);
	fd_set_nonblock(CHANNEL_FD, true);
	if (serve(self, &e) == 0)
		return EXIT_OK;
	say_fatal(&e);
	return EXIT_FAILED;
}
