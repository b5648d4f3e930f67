/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session - see session.h.  Launch process, outside every boundary.
 *
 * The way of one run:
 *   facts            what the planner must know
 *   plan             what the sandbox will look like (pure)
 *   sandbox_prepare  the boundary stands, listeners were handed out, probes have bitten; meanwhile
 *                    the log is made
 *   secrets          read now: no copy is inside, and an unreadable one stops the run, not a
 * request supervise        lets the program go; the gateway starts on its first connection end
 * boundary down first, then the roles, last line of the log
 */
#include "launch/session.h"

#include "audit/log.h"
#include "base/own.h"
#include "launch/roles.h"
#include "launch/secrets.h"
#include "launch/status.h"
#include "launch/supervise.h"
#include "os/clock.h"
#include "os/fd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

/* The command as the log shows it; longer ones are cut. */
#define COMMAND_TEXT_MAX 2048

extern char **environ;

struct session {
	const struct session_request *req;
	struct session_result *res;
	struct facts facts;
	struct store_session store;
	struct audit_log log;
	struct secrets secrets;
	struct plan plan;
	struct sandbox sandbox;
	struct roles roles;
	bool has_sandbox, log_failed;
};

/* A step fails with the exit code that the user is told for it. */
static int fails(struct session *s, int exit_code, int r)
{
	if (r < 0)
		s->res->exit_code = exit_code;
	return r;
}

static int record(struct session *s, struct audit_record *r, struct err *e)
{
	r->by = STR_LIT("launch");
	return fails(s, EXIT_GATEWAY, audit_log_append(&s->log, r, e));
}

/* The arguments with spaces between; a credential that was typed into them is taken out. */
static struct str command_text(const struct session *s, char room[static COMMAND_TEXT_MAX])
{
	size_t len = 0;

	room[0] = '\0';
	for (size_t i = 0; s->req->argv[i] && len < COMMAND_TEXT_MAX - 1; i++) {
		int n = snprintf(room + len, COMMAND_TEXT_MAX - len, "%s%s", i ? " " : "",
				 s->req->argv[i]);

		len += n > 0 ? (size_t)n : 0;
	}
	secrets_redact(&s->secrets, room);
	return str_from(room);
}

static int open_log(struct session *s, struct err *e)
{
	int r = store_create(s->facts.state_dir, s->res->id, &s->store, e);

	if (r == 0)
		r = audit_log_create(&s->log, s->store.dirfd, STORE_LOG_NAME, e);
	if (r < 0)
		return fails(s, EXIT_GATEWAY, r);
	snprintf(s->res->log_path, sizeof s->res->log_path, "%s/%s", s->store.path, STORE_LOG_NAME);
	status_session(s->req->status_fd, s->res->id, s->res->log_path);
	return 0;
}

static int log_start(struct session *s, struct err *e)
{
	char room[COMMAND_TEXT_MAX];
	struct audit_record r = { .event = AUDIT_SESSION_START, .detail = command_text(s, room) };

	return record(s, &r, e);
}

static int log_degraded(struct session *s, struct err *e)
{
	struct audit_record r = { .event = AUDIT_DEGRADED,
				  .detail = str_from(s->sandbox.tier.lost) };

	s->res->tier = s->sandbox.tier;
	return s->sandbox.tier.lost[0] ? record(s, &r, e) : 0;
}

/* What outlives the session: paths of the host that were writable; the workspace is named first. */
static void note_writable(struct session *s)
{
	for (size_t i = 0; i < s->plan.nsteps; i++) {
		const struct plan_step *step = &s->plan.steps[i];
		bool workspace = s->plan.workspace && strcmp(step->target, s->plan.workspace) == 0;

		if (step->kind != PLAN_BIND || step->read_only)
			continue;
		if (workspace || s->res->nchanged == 0)
			snprintf(s->res->changed, sizeof s->res->changed, "%s", step->target);
		s->res->nchanged++;
	}
}

static int make_plan(struct session *s, struct err *e)
{
	struct plan_pair pairs[POLICY_CREDENTIALS_MAX];
	int r;

	secrets_name(s->req->policy, &s->secrets);
	s->facts.plan.nplaceholders = secrets_placeholders(&s->secrets, pairs);
	s->facts.plan.placeholders = pairs;
	s->facts.plan.session_id = s->res->id;
	r = fails(s, EXIT_POLICY, plan_make(s->req->policy, &s->facts.plan, &s->plan, e));
	if (r == 0)
		note_writable(s);
	return r;
}

/* The log is made while the sandbox's first process makes the sandbox: neither waits for the other,
 * and without a log the program is never let go. */
static int open_log_meanwhile(void *arg, struct err *e)
{
	struct session *s = arg;
	int r = open_log(s, e);

	if (r == 0 && s->secrets.n == 0) /* else its command line waits for what to take out */
		r = log_start(s, e);
	s->log_failed = r < 0;
	return r;
}

static int make_sandbox(struct session *s, struct err *e)
{
	const struct sandbox_options opt = {
		.argv = s->req->argv,
		.allow_degraded = s->req->allow_degraded,
		.pty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
		.supervise_net = s->plan.network,
		.meanwhile = open_log_meanwhile,
		.meanwhile_arg = s,
	};
	int r = sandbox_prepare(&s->plan, &opt, &s->sandbox, e);

	s->has_sandbox = r == 0;
	return fails(s, s->log_failed ? EXIT_GATEWAY : EXIT_SANDBOX, r);
}

/* Only now: the sandbox's first process is a copy of this one as it was before.  From here on no
 * core dump is written of us, and nobody but root may look into us. */
static int read_secrets(struct session *s, struct err *e)
{
	if (s->secrets.n && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fails(s, EXIT_STOCKADE, err_sys(e, -errno, "closing this process's memory"));
	return fails(s, EXIT_POLICY, secrets_read(&s->secrets, environ, e));
}

static int prepare(struct session *s, struct err *e)
{
	int r = fails(s, EXIT_STOCKADE, facts_gather(&s->facts, e));

	if (r == 0)
		store_new_id(clock_real_ns(), s->res->id);
	if (r == 0)
		r = make_plan(s, e);
	if (r == 0)
		r = make_sandbox(s, e);
	if (r == 0)
		r = read_secrets(s, e);
	if (r == 0 && s->secrets.n > 0)
		r = log_start(s, e);
	if (r == 0)
		r = log_degraded(s, e);
	return r;
}

/* The program's own code, or 126 and 127 with the reason why there was no program. */
static int wait_for_end(struct session *s, struct err *e)
{
	int code = EXIT_SANDBOX, r = sandbox_wait(&s->sandbox, &code, e);

	s->res->exit_code = code;
	return r < 0 ? err_context(e, r, "%s", s->req->argv[0]) : 0;
}

static int run(struct session *s, struct err *e)
{
	struct roles_request roles = {
		.policy = s->req->policy,
		.session = s->res->id,
		.secrets = &s->secrets,
		.log = &s->log,
		.environ = environ,
		.nlisteners = s->sandbox.nlisteners,
	};
	struct supervise sup = {
		.sandbox = &s->sandbox,
		.roles = &s->roles,
		.roles_start = &roles,
		.time_limit_s = s->plan.limits.time,
		.status_fd = s->req->status_fd,
	};
	int r;

	for (unsigned i = 0; i < s->sandbox.nlisteners; i++) {
		roles.listeners[i].kind = (enum listener_kind)s->sandbox.listeners[i].kind;
		roles.listeners[i].fd = s->sandbox.listeners[i].fd;
	}
	signal(SIGPIPE, SIG_IGN); /* after the clone: the agent keeps the default */
	status_started(s->req->status_fd, &s->sandbox);
	s->res->started = true;
	r = fails(s, EXIT_GATEWAY, supervise(&sup, e));
	if (r == 0)
		r = wait_for_end(s, e);
	s->res->timed_out = sup.timed_out;
	return r;
}

/* What was refused before there was a log is in one all the same, if one can be made. */
static void log_refused(struct session *s)
{
	const int why = s->res->exit_code;

	if (s->store.dirfd < 0 && s->res->id[0] && !s->log_failed)
		(void)open_log(s, NULL);
	s->res->exit_code = why;
}

/* The last line, by whoever holds the log now. */
static int log_end(struct session *s, int r, struct err *e)
{
	struct audit_record last = {
		.event = s->res->started ? AUDIT_SESSION_END : AUDIT_SETUP_REFUSED,
		.status = (uint64_t)s->res->exit_code,
		.detail = r < 0 ? str_from(e->text) : STR_NONE,
		.by = STR_LIT("launch"),
	};
	struct err inner = ERR_INIT;
	int closed = 0;

	if (!s->res->started)
		log_refused(s);
	if (s->roles.running) {
		closed = roles_record(&s->roles, &last);
		if (closed == 0)
			closed = roles_stop(&s->roles, &s->res->tally, &inner);
	} else if (s->log.fd >= 0) {
		closed = audit_log_append(&s->log, &last, &inner);
	}
	if (closed < 0 && r == 0) {
		*e = inner;
		return fails(s, EXIT_GATEWAY, closed);
	}
	return r;
}

static void session_init(struct session *s)
{
	plan_init(&s->plan);
	audit_log_init(&s->log);
	s->store.dirfd = -1;
	sandbox_init(&s->sandbox);
}

static void session_done(struct session *s)
{
	roles_kill(&s->roles);
	secrets_wipe(&s->secrets);
	plan_done(&s->plan);
	audit_log_close(&s->log);
	store_session_done(&s->store);
}

int session_run(const struct session_request *req, struct session_result *ret, struct err *e)
{
	/* Static: some 80 KB, most of which a run never touches, are not to be zeroed at each. */
	static struct session s;
	int r;

	s.req = req;
	s.res = ret;
	ret->exit_code = EXIT_STOCKADE;
	session_init(&s);
	r = prepare(&s, e);
	if (r == 0)
		r = run(&s, e);
	if (s.has_sandbox)
		sandbox_done(&s.sandbox); /* first: nothing inside may outlive its gateway */
	r = log_end(&s, r, e);
	status_ended(req->status_fd, ret->exit_code, &ret->tally);
	session_done(&s);
	return r;
}

int session_plan(const struct session_request *req, struct facts *facts, struct plan *ret,
		 struct err *e)
{
	int r = facts_gather(facts, e);

	if (r < 0)
		return r;
	return plan_make(req->policy, &facts->plan, ret, e);
}
