/* SPDX-License-Identifier: Apache-2.0 */
/* roles - see roles.h.  Runs in launch.  What a role sends back is hostile (it may have been taken
 * over): the message table bounds it, and all it can say is READY, FATAL and SUMMARY. */
#include "launch/roles.h"

#include "audit/role.h"
#include "base/env.h"
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
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "stockade-gateway"
#define CHANNEL_FD 3
/* A loaded machine takes a while for five execs; a role that hangs must not hang the session. */
#define START_MS 15000u
/* The log is flushed and the summary is written within this. */
#define STOP_MS 3000u
#define FATAL_TEXT_MAX 1536u

static struct role_process *process(struct roles *r, enum role role)
{
	return &r->all[role - 1];
}

int roles_program(char *ret, size_t size, struct err *e)
{
	static const char *const beside[] = { "/" PROGRAM, "/../libexec/stockade/" PROGRAM,
					      "/../role/" PROGRAM };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		for (size_t i = 0; slash && i < ARRAY_LEN(beside); i++) {
			*slash = '\0';
			if ((size_t)snprintf(ret, size, "%s%s", self, beside[i]) < size &&
			    access(ret, X_OK) == 0)
				return 0;
		}
	}
	if ((size_t)snprintf(ret, size, "%s", STOCKADE_LIBEXECDIR "/stockade/" PROGRAM) < size &&
	    access(ret, X_OK) == 0)
		return 0;
	return err_set(e, -ENOENT,
		       PROGRAM " is neither beside this program nor in " STOCKADE_LIBEXECDIR
			       "/stockade: install it");
}

/* -- ending -- */

static void reap(struct role_process *p)
{
	int code;

	if (p->pidfd >= 0)
		spawn_wait(p->pidfd, true, &code);
	close_fd(&p->pidfd);
	channel_done(&p->channel);
}

void roles_kill(struct roles *r)
{
	for (unsigned i = 0; i < ROLES_N; i++)
		if (r->all[i].pidfd >= 0)
			spawn_kill(r->all[i].pidfd, SIGKILL);
	for (unsigned i = 0; i < ROLES_N; i++)
		reap(&r->all[i]);
	r->running = false;
}

static void wait_gone(struct role_process *p, uint64_t until_ms)
{
	struct pollfd f = { .fd = p->pidfd, .events = POLLIN };

	for (;;) {
		uint64_t now = clock_mono_ms();

		if (p->pidfd < 0 || now >= until_ms)
			return;
		if (poll(&f, 1, (int)(until_ms - now)) > 0)
			return;
	}
}

static int take_summary(struct role_process *audit, uint64_t until_ms, struct audit_tally *ret)
{
	struct msg m;
	uint64_t now;
	int r;

	do {
		now = clock_mono_ms();
		r = channel_recv_wait(&audit->channel, &m,
				      now < until_ms ? (int)(until_ms - now) : 0);
	} while (r == 1 && m.type != MSG_SUMMARY);
	if (r == 1)
		return ret ? audit_tally_unpack(m.payload, ret) : 0;
	return r == 0 ? -ETIMEDOUT : r;
}

int roles_stop(struct roles *r, struct audit_tally *ret_tally, struct err *e)
{
	struct role_process *audit = process(r, ROLE_AUDIT);
	uint64_t until = clock_mono_ms() + STOP_MS;
	int result = 0;

	if (!r->running)
		return 0;
	for (unsigned i = 0; i < ROLES_N; i++)
		if (&r->all[i] != audit)
			channel_send(&r->all[i].channel, MSG_STOP, STR_NONE, -1);
	/* Audit last: what the others had to say is in its channels by then. */
	for (unsigned i = 0; i < ROLES_N; i++)
		if (&r->all[i] != audit)
			wait_gone(&r->all[i], until);
	result = channel_send(&audit->channel, MSG_STOP, STR_NONE, -1);
	if (result == 0)
		result = take_summary(audit, until, ret_tally);
	if (result == 0)
		wait_gone(audit, until);
	roles_kill(r); /* those that are gone are only reaped */
	return result < 0 ? err_sys(e, result, "the audit log was not closed in order") : 0;
}

static int read_fatal(const struct role_process *p, const struct msg *m, struct err *e)
{
	struct wire_in in = { .rest = m->payload };
	struct str text = wire_get_str(&in, FATAL_TEXT_MAX);

	if (wire_in_done(&in) < 0 || !str_printable(text))
		return err_set(e, -EPROTO, "gateway role %s failed", role_name(p->role));
	return err_set(e, -EIO, "gateway role %s: %.*s", role_name(p->role), STR_FMT(text));
}

/* Reads what one role says; 0 while it lives. */
static int listen_to(struct role_process *p, struct err *e)
{
	struct msg m;
	int r;

	while ((r = channel_recv(&p->channel, &m)) == 1) {
		close_fd(&m.fd);
		if (m.type == MSG_FATAL)
			return read_fatal(p, &m, e);
		if (m.type == MSG_READY)
			p->ready = true;
	}
	return r < 0 ? err_sys(e, r, "gateway role %s ended", role_name(p->role)) : 0;
}

int roles_check(struct roles *r, struct err *e)
{
	int first = 0;

	for (unsigned i = 0; i < ROLES_N; i++) {
		struct err one = ERR_INIT;
		int code = listen_to(&r->all[i], &one);

		/* The one that says why is the one to name: the others only followed. */
		if (code < 0 && (first == 0 || code == -EIO)) {
			first = code;
			if (e)
				*e = one;
		}
	}
	return first;
}

int roles_record(struct roles *r, const struct audit_record *rec)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(CHANNEL_MSG_MAX);
	int error = record_pack(rec, &b);

	return error ? error
		     : channel_send(&process(r, ROLE_AUDIT)->channel, MSG_RECORD, buf_str(&b), -1);
}

/* -- starting -- */

static int start_one(const char *program, char *const *env, struct role_process *p, struct err *e)
{
	_cleanup_(close_fd) int theirs = -1;
	char *const argv[] = { (char *)PROGRAM, (char *)role_name(p->role), NULL };
	struct spawn s = { .path = program, .exec_fd = -1, .argv = argv, .env = env, .cwd = "/" };
	int fds[2], r = channel_pair(fds);

	if (r < 0)
		return err_sys(e, r, "channel");
	theirs = fds[1];
	channel_init(&p->channel, fds[0], ROLE_LAUNCH, p->role);
	s.fds[s.nfds++] = (struct spawn_fd){ theirs, CHANNEL_FD };
	s.new_session = true;
	s.die_with_parent = true;
	r = spawn(&s, &p->pid, e);
	if (r < 0)
		return r;
	p->pidfd = r;
	return 0;
}

/* A START message; waits for room when there are many. */
static int send_wait(struct channel *c, enum msg_type t, const struct buf *b, int fd)
{
	int r = channel_send(c, t, buf_str(b), fd);

	while (r == 0 && channel_pending(c)) {
		struct pollfd p = { .fd = c->fd, .events = POLLOUT };

		if (poll(&p, 1, (int)START_MS) == 0)
			return -ETIMEDOUT;
		r = channel_flush(c);
		r = r > 0 ? 0 : r;
	}
	return r;
}

static int send_config(const struct roles_request *req, struct roles *r, struct err *e)
{
	_cleanup_(buf_done) struct buf packed = BUF_INIT(POLICY_PACK_MAX), b = BUF_INIT(4096);
	_cleanup_(close_fd) int fd = -1;
	int error = policy_pack(req->policy, &packed);

	if (error == 0)
		error = fd = fd_sealed_memfd("stockade-policy", buf_str(&packed));
	if (error >= 0)
		error = 0;
	wire_u32(&b, &error, (uint32_t)buf_len(&packed));
	wire_str(&b, &error, str_from(req->session));
	for (unsigned i = 0; i < ROLES_N && error == 0; i++)
		error = send_wait(&r->all[i].channel, MSG_CONFIG, &b, fd);
	return error < 0 ? err_sys(e, error, "sending the policy to the gateway") : 0;
}

static int send_peer(struct roles *r, enum role to, enum role about, int fd)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(16);
	int error = 0;

	wire_u8(&b, &error, (uint8_t)about);
	return error ? error : send_wait(&process(r, to)->channel, MSG_PEER, &b, fd);
}

static int send_peers(struct roles *r, struct err *e)
{
	for (unsigned a = ROLE_LAUNCH + 1; a < ROLE_MAX; a++)
		for (unsigned b = a + 1; b < ROLE_MAX; b++) {
			_cleanup_(close_fd) int one = -1, other = -1;
			int fds[2], error;

			if (!(role_peers((enum role)a) & (1u << b)))
				continue;
			error = channel_pair(fds);
			if (error == 0) {
				one = fds[0];
				other = fds[1];
				error = send_peer(r, (enum role)a, (enum role)b, one);
			}
			if (error == 0)
				error = send_peer(r, (enum role)b, (enum role)a, other);
			if (error < 0)
				return err_sys(e, error, "connecting %s and %s",
					       role_name((enum role)a), role_name((enum role)b));
		}
	return 0;
}

static int send_listeners(const struct roles_request *req, struct roles *r, struct err *e)
{
	int error = 0;

	for (unsigned i = 0; i < req->nlisteners && error == 0; i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(16);

		wire_u8(&b, &error, (uint8_t)req->listeners[i].kind);
		if (error == 0)
			error = send_wait(&process(r, ROLE_FRONT)->channel, MSG_LISTENER, &b,
					  req->listeners[i].fd);
	}
	return error < 0 ? err_sys(e, error, "handing over the listeners") : 0;
}

static int send_secret(struct roles *r, const struct secret_entry *s)
{
	struct buf b = BUF_INIT(CHANNEL_MSG_MAX);
	struct str name = str_from(s->credential->name), placeholder = str_from(s->placeholder);
	int error = buf_reserve(&b, CHANNEL_MSG_MAX); /* never moved */

	wire_str(&b, &error, name);
	wire_str(&b, &error, buf_str(&s->value));
	wire_str(&b, &error, placeholder);
	if (error == 0 && buf_len(&s->value) > 0)
		error = send_wait(&process(r, ROLE_KEEPER)->channel, MSG_SECRET, &b, -1);
	buf_wipe(&b);
	if (error == 0 && placeholder.len) {
		b = BUF_INIT(4096);
		wire_str(&b, &error, name);
		wire_str(&b, &error, placeholder);
		if (error == 0)
			error = send_wait(&process(r, ROLE_BACK)->channel, MSG_PLACEHOLDER, &b, -1);
		buf_done(&b);
	}
	return error;
}

static int send_secrets(const struct roles_request *req, struct roles *r, struct err *e)
{
	int error = 0;

	for (size_t i = 0; req->secrets && i < req->secrets->n && error == 0; i++)
		error = send_secret(r, &req->secrets->entries[i]);
	if (req->secrets)
		secrets_wipe(req->secrets);
	return error < 0 ? err_sys(e, error, "sending the credentials to the keeper") : 0;
}

static int send_log(const struct roles_request *req, struct roles *r, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(256);
	int error = audit_role_log_pack(req->log, &b);

	if (error == 0)
		error = send_wait(&process(r, ROLE_AUDIT)->channel, MSG_LOG, &b, req->log->fd);
	if (error < 0)
		return err_sys(e, error, "handing over the log");
	audit_log_release(req->log);
	return 0;
}

static int send_go(struct roles *r, struct err *e)
{
	const struct buf none = BUF_INIT(0);
	int error = 0;

	for (unsigned i = 0; i < ROLES_N && error == 0; i++)
		error = send_wait(&r->all[i].channel, MSG_GO, &none, -1);
	return error < 0 ? err_sys(e, error, "starting the gateway") : 0;
}

static bool all_ready(const struct roles *r)
{
	for (unsigned i = 0; i < ROLES_N; i++)
		if (!r->all[i].ready)
			return false;
	return true;
}

static int wait_ready(struct roles *r, struct err *e)
{
	uint64_t until = clock_mono_ms() + START_MS;

	for (;;) {
		struct pollfd fds[ROLES_N];
		uint64_t now = clock_mono_ms();
		int error = roles_check(r, e);

		if (error < 0)
			return error;
		if (all_ready(r))
			return 0;
		if (now >= until)
			return err_set(e, -ETIMEDOUT, "the gateway did not start within %u seconds",
				       START_MS / 1000);
		/* One that is ready may still die: it is looked at too. */
		for (unsigned i = 0; i < ROLES_N; i++)
			fds[i] = (struct pollfd){ .fd = r->all[i].channel.fd, .events = POLLIN };
		if (poll(fds, ROLES_N, (int)(until - now)) < 0 && errno != EINTR)
			return err_sys(e, -errno, "poll");
	}
}

static int spawn_all(const struct roles_request *req, struct roles *r, struct err *e)
{
	char *const with_store[] = { env_entry(req->environ, "SSL_CERT_FILE"), NULL };
	char *const without[] = { NULL };
	char program[PATH_MAX];
	int error = req->program ? 0 : roles_program(program, sizeof program, e);

	for (unsigned i = 0; i < ROLES_N && error == 0; i++) {
		struct role_process *p = &r->all[i];

		p->role = (enum role)(i + 1);
		error = start_one(req->program ? req->program : program,
				  p->role == ROLE_BACK ? with_store : without, p, e);
	}
	return error;
}

int roles_start(const struct roles_request *req, struct roles *ret, struct err *e)
{
	struct roles r = { .running = true };
	int error;

	for (unsigned i = 0; i < ROLES_N; i++)
		r.all[i].pidfd = r.all[i].channel.fd = -1;
	error = spawn_all(req, &r, e);
	error = error ? error : send_config(req, &r, e);
	error = error ? error : send_peers(&r, e);
	error = error ? error : send_listeners(req, &r, e);
	error = error ? error : send_secrets(req, &r, e);
	error = error ? error : send_log(req, &r, e);
	error = error ? error : send_go(&r, e);
	if (error < 0) /* a role may have said why */
		roles_check(&r, e);
	else
		error = wait_ready(&r, e);
	if (error < 0) {
		roles_kill(&r);
		if (req->secrets)
			secrets_wipe(req->secrets);
		return error;
	}
	*ret = r;
	return 0;
}
