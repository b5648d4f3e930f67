/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roles - see roles.h.  Launch process.  What a role sends is checked by the message table; a text
 * from one is shown to the user only through err_set(), which makes it harmless for a terminal.
 */
#include "launch/roles.h"

#include "audit/role.h"
#include "audit/tally.h"
#include "base/own.h"
#include "base/wire.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/spawn.h"
#include "policy/pack.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

/* Where the roles find their channel. */
#define ROLE_CHANNEL_FD 3
/* The whole policy, packed: its file limit times the layers. */
#define POLICY_PACKED_MAX (POLICY_FILE_MAX * POLICY_LAYERS_MAX)

#ifndef STOCKADE_LIBEXECDIR
#define STOCKADE_LIBEXECDIR "/usr/local/libexec/stockade"
#endif

/* Started in this order: audit first, so that a denied log stops everything early. */
static const enum role order[] = { ROLE_AUDIT, ROLE_KEEPER, ROLE_RESOLVER, ROLE_BACK, ROLE_FRONT };

/* Who talks to whom besides launch; msgs.def says about what. */
static const enum role pairs[][2] = {
	{ ROLE_FRONT, ROLE_BACK },  { ROLE_BACK, ROLE_KEEPER }, { ROLE_BACK, ROLE_RESOLVER },
	{ ROLE_FRONT, ROLE_AUDIT }, { ROLE_BACK, ROLE_AUDIT },
};

void roles_init(struct roles *r)
{
	memset(r, 0, sizeof *r);
	for (size_t i = 0; i < ROLE_MAX; i++) {
		r->p[i].pidfd = -1;
		channel_init(&r->p[i].channel, -1, ROLE_LAUNCH, (enum role)i);
	}
}

/* Beside our own executable, in its build tree, or where it was installed. */
static int find_gateway(char ret[static PATH_MAX], struct err *e)
{
	static const char *const beside[] = { "/stockade-gateway", "/../gateway/stockade-gateway" };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (n < 0)
		return err_sys(e, -errno, "/proc/self/exe");
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; slash && i < ARRAY_LEN(beside); i++)
		if (snprintf(ret, PATH_MAX, "%s%s", self, beside[i]) < PATH_MAX &&
		    access(ret, X_OK) == 0)
			return 0;
	snprintf(ret, PATH_MAX, "%s", STOCKADE_LIBEXECDIR "/stockade-gateway");
	if (access(ret, X_OK) == 0)
		return 0;
	return err_set(e, -ENOENT,
		       "stockade-gateway is neither beside %s/stockade nor in %s: "
		       "install stockade again",
		       self, STOCKADE_LIBEXECDIR);
}

/* The roles' environment: where the trusted certificates are, and nothing else. */
static void role_env(char *env[static 3], char room[static 2][PATH_MAX + 32])
{
	static const char *const names[] = { "SSL_CERT_FILE", "SSL_CERT_DIR" };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = getenv(names[i]);

		if (value &&
		    snprintf(room[n], PATH_MAX + 32, "%s=%s", names[i], value) < PATH_MAX + 32) {
			env[n] = room[n];
			n++;
		}
	}
	env[n] = NULL;
}

static int start_one(const char *path, enum role role, struct role_process *p, struct err *e)
{
	char room[2][PATH_MAX + 32], name[16];
	char *env[3], *argv[] = { (char[]){ "stockade-gateway" }, name, NULL };
	_cleanup_(close_fd) int theirs = -1;
	struct spawn s = { .path = path,
			   .argv = argv,
			   .env = env,
			   .cwd = "/",
			   .new_session = true,
			   .die_with_parent = true,
			   .nfds = 1 };
	int fds[2], r;

	snprintf(name, sizeof name, "%s", role_name(role));
	role_env(env, room);
	r = channel_pair(fds);
	if (r < 0)
		return err_sys(e, r, "channel to %s", name);
	channel_init(&p->channel, fds[0], ROLE_LAUNCH, role);
	theirs = fds[1];
	s.fds[0] = (struct spawn_fd){ theirs, ROLE_CHANNEL_FD };
	r = spawn(&s, &p->pid, e);
	if (r < 0)
		return r;
	p->pidfd = r;
	return 0;
}

static int send_or(struct roles *r, enum role to, enum msg_type t, struct str payload, int fd,
		   struct err *e)
{
	int code = channel_send(&r->p[to].channel, t, payload, fd);

	if (code < 0)
		return err_sys(e, code, "telling %s about %s", role_name(to), msg_name(t));
	return 0;
}

static int send_config(struct roles *r, const struct roles_request *req, struct err *e)
{
	_cleanup_(buf_done) struct buf packed = BUF_INIT(POLICY_PACKED_MAX), b = BUF_INIT(4096);
	_cleanup_(close_fd) int fd = -1;
	int error = policy_pack(req->policy, &packed);

	if (error < 0)
		return err_sys(e, error, "packing the policy");
	fd = fd_sealed_memfd("policy", buf_str(&packed));
	if (fd < 0)
		return err_sys(e, fd, "handing the policy to the gateway");
	wire_u32(&b, &error, (uint32_t)buf_len(&packed));
	wire_str(&b, &error, str_from(req->session_id));
	if (error < 0)
		return err_sys(e, error, "handing the policy to the gateway");
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		error = send_or(r, order[i], MSG_CONFIG, buf_str(&b), fd, e);
		if (error < 0)
			return error;
	}
	return 0;
}

static int send_peers(struct roles *r, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		int fds[2], error = channel_pair(fds);

		if (error < 0)
			return err_sys(e, error, "channel between roles");
		for (int side = 0; side < 2 && error == 0; side++) {
			uint8_t peer = (uint8_t)pairs[i][!side];

			error = send_or(r, pairs[i][side], MSG_PEER,
					(struct str){ (const char *)&peer, 1 }, fds[side], e);
		}
		close(fds[0]);
		close(fds[1]);
		if (error < 0)
			return error;
	}
	return 0;
}

static int send_listeners(struct roles *r, const struct sandbox *s, struct err *e)
{
	for (unsigned i = 0; i < s->nlisteners; i++) {
		uint8_t kind = (uint8_t)s->listeners[i].kind;
		int error = send_or(r, ROLE_FRONT, MSG_LISTENER,
				    (struct str){ (const char *)&kind, 1 }, s->listeners[i].fd, e);

		if (error < 0)
			return error;
	}
	return 0;
}

/* The value goes to keeper only; back learns what must never leave in its place. */
static int send_secrets(struct roles *r, const struct secrets *s, struct err *e)
{
	int error = 0;

	for (size_t i = 0; i < s->n && error == 0; i++) {
		_cleanup_(buf_wipe) struct buf value = BUF_INIT(65536);
		_cleanup_(buf_wipe) struct buf holder = BUF_INIT(4096);
		const struct secret *item = &s->items[i];
		struct str name = str_from(item->credential->name);

		wire_str(&holder, &error, name);
		wire_str(&holder, &error, str_from(item->placeholder));
		wire_str(&value, &error, name);
		wire_str(&value, &error, (struct str){ item->value, item->value ? item->len : 0 });
		wire_str(&value, &error, str_from(item->placeholder));
		if (error < 0)
			return err_sys(e, error, "handing credentials to the keeper");
		if (item->value)
			error = send_or(r, ROLE_KEEPER, MSG_SECRET, buf_str(&value), -1, e);
		if (error == 0)
			error = send_or(r, ROLE_BACK, MSG_PLACEHOLDER, buf_str(&holder), -1, e);
	}
	return error;
}

static int send_log(struct roles *r, const struct audit_log *log, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(256);
	int error = audit_role_log_pack(log, &b);

	if (error < 0)
		return err_sys(e, error, "handing the log to the audit role");
	return send_or(r, ROLE_AUDIT, MSG_LOG, buf_str(&b), log->fd, e);
}

static int send_go(struct roles *r, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		int error = send_or(r, order[i], MSG_GO, STR_NONE, -1, e);

		if (error < 0)
			return error;
	}
	return 0;
}

/* What a role said last, or that it said nothing. */
static int explain_end(struct role_process *p, enum role role, struct err *e)
{
	struct msg m;

	while (channel_recv(&p->channel, &m) == 1) {
		struct wire_in in = { .rest = m.payload };
		struct str text;

		if (m.fd >= 0)
			close(m.fd);
		if (m.type != MSG_FATAL)
			continue;
		text = wire_get_str(&in, m.payload.len);
		return err_set(e, -ECONNABORTED, "the gateway's %s ended: %.*s", role_name(role),
			       STR_FMT(text));
	}
	return err_set(e, -ECONNABORTED, "the gateway's %s ended without a word", role_name(role));
}

static int wait_ready(struct roles *r, struct err *e)
{
	uint64_t end = clock_mono_ms() + ROLES_START_MS;

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct role_process *p = &r->p[order[i]];
		uint64_t now = clock_mono_ms();
		struct msg m = { .fd = -1 };
		int got = channel_recv_wait(&p->channel, &m, now < end ? (int)(end - now) : 0);

		if (got == 1 && m.type == MSG_READY)
			continue;
		if (got == 1 && m.type == MSG_FATAL)
			return err_set(e, -ECONNABORTED, "the gateway's %s could not start: %.*s",
				       role_name(order[i]), (int)(m.payload.len - 4),
				       m.payload.p + 4);
		if (got == 0)
			return err_set(e, -ETIMEDOUT,
				       "the gateway's %s was not ready within %d seconds",
				       role_name(order[i]), ROLES_START_MS / 1000);
		return explain_end(p, order[i], e);
	}
	return 0;
}

int roles_start(const struct roles_request *req, struct roles *ret, struct err *e)
{
	char path[PATH_MAX];
	int r;

	roles_init(ret);
	r = find_gateway(path, e);
	for (size_t i = 0; i < ARRAY_LEN(order) && r == 0; i++)
		r = start_one(path, order[i], &ret->p[order[i]], e);
	if (r == 0)
		r = send_config(ret, req, e);
	if (r == 0)
		r = send_peers(ret, e);
	if (r == 0)
		r = send_listeners(ret, req->sandbox, e);
	if (r == 0)
		r = send_secrets(ret, req->secrets, e);
	if (r == 0)
		r = send_log(ret, req->log, e);
	if (r == 0)
		r = send_go(ret, e);
	if (r == 0)
		r = wait_ready(ret, e);
	if (r < 0) {
		roles_kill(ret);
		return err_context(e, r, "starting the gateway");
	}
	audit_log_close(req->log);
	ret->up = true;
	return 0;
}

static bool ended(const struct role_process *p)
{
	struct pollfd f = { .fd = p->pidfd, .events = POLLIN };

	return p->pidfd >= 0 && poll(&f, 1, 0) == 1;
}

int roles_failed(struct roles *r, struct err *e)
{
	/* The audit role first: when it stops, the others only follow. */
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (ended(&r->p[order[i]]))
			return explain_end(&r->p[order[i]], order[i], e);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct pollfd f = { .fd = r->p[order[i]].channel.fd, .events = POLLIN };

		if (poll(&f, 1, 0) == 1)
			return explain_end(&r->p[order[i]], order[i], e);
	}
	return 0;
}

/* Exit code, or -ETIMEDOUT after which it was killed. */
static int reap(struct role_process *p, uint64_t deadline)
{
	struct pollfd f = { .fd = p->pidfd, .events = POLLIN };
	uint64_t now = clock_mono_ms();
	int code = 0, r;

	if (p->pidfd < 0)
		return 0;
	r = poll(&f, 1, now < deadline ? (int)(deadline - now) : 0);
	if (r != 1)
		spawn_kill(p->pidfd, SIGKILL);
	if (spawn_wait(p->pidfd, true, &code) < 0 || r != 1)
		code = -ETIMEDOUT;
	close_fd(&p->pidfd);
	channel_done(&p->channel);
	return code;
}

static int stop_one(struct roles *r, enum role role, uint64_t deadline)
{
	struct role_process *p = &r->p[role];

	if (p->pidfd < 0)
		return 0;
	(void)channel_send(&p->channel, MSG_STOP, STR_NONE, -1);
	return reap(p, deadline);
}

/* The last line, and the count of all of them. */
static int stop_audit(struct roles *r, const struct audit_record *session_end,
		      struct audit_tally *ret_tally, uint64_t deadline, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(16384);
	struct role_process *p = &r->p[ROLE_AUDIT];
	uint64_t now = clock_mono_ms();
	struct msg m = { .fd = -1 };
	int got = record_pack(session_end, &b), code;

	if (got == 0)
		got = channel_send(&p->channel, MSG_RECORD, buf_str(&b), -1);
	if (got == 0)
		got = channel_send(&p->channel, MSG_STOP, STR_NONE, -1);
	if (got == 0)
		got =
		    channel_recv_wait(&p->channel, &m, now < deadline ? (int)(deadline - now) : 0);
	if (got == 1 && m.type == MSG_SUMMARY)
		got = audit_tally_unpack(m.payload, ret_tally);
	else
		got = -EIO;
	code = reap(p, deadline);
	if (got < 0 || code != 0)
		return err_set(e, -EIO,
			       "the audit log was not closed properly: see `stockade log "
			       "verify`");
	return 0;
}

int roles_stop(struct roles *r, const struct audit_record *session_end,
	       struct audit_tally *ret_tally, struct err *e)
{
	uint64_t deadline = clock_mono_ms() + ROLES_STOP_MS;
	int code;

	if (!r->up)
		return 0;
	stop_one(r, ROLE_FRONT, deadline);
	stop_one(r, ROLE_BACK, deadline);
	stop_one(r, ROLE_KEEPER, deadline);
	stop_one(r, ROLE_RESOLVER, deadline);
	code = stop_audit(r, session_end, ret_tally, deadline, e);
	roles_kill(r);
	return code;
}

void roles_kill(struct roles *r)
{
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct role_process *p = &r->p[order[i]];

		if (p->pidfd >= 0)
			spawn_kill(p->pidfd, SIGKILL);
	}
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct role_process *p = &r->p[order[i]];
		int code;

		if (p->pidfd >= 0)
			spawn_wait(p->pidfd, true, &code);
		close_fd(&p->pidfd);
		channel_done(&p->channel);
	}
	r->up = false;
}
