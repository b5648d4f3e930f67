/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run - `stockade run`: the main job.  Options become the command-line layer of the policy; the
 * rest is launch/session.c.
 */
#include "cli/command.h"
#include "cli/hints.h"

#include "base/json.h"
#include "base/own.h"
#include "launch/layers.h"
#include "launch/session.h"
#include "launch/summary.h"
#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

/* Options make a layer of at most this many bytes. */
#define OPTIONS_LAYER_MAX 65536u

struct run_values {
	struct opt_list policies, profiles, read, write, allow, env;
	const char *workspace, *mode;
	uint64_t status_fd;
	bool allow_degraded, dry_run, json, quiet;
};

static const struct opt_spec options[] = {
	{ "policy", 'p', OPT_LIST, offsetof(struct run_values, policies), "FILE",
	  "a policy file, stronger than the project's and the user's; may be given again", "file" },
	{ "profile", 0, OPT_LIST, offsetof(struct run_values, profiles), "NAME",
	  "start from this built-in profile; may be given again",
	  "base|strict|claude-code|node|python" },
	{ "workspace", 'w', OPT_STRING, offsetof(struct run_values, workspace), "DIR",
	  "directory that the program works in (default: the current one)", "dir" },
	{ "mode", 'm', OPT_STRING, offsetof(struct run_values, mode), "MODE",
	  "how the workspace is seen: rw, ro or none", "rw|ro|none" },
	{ "read", 0, OPT_LIST, offsetof(struct run_values, read), "PATH",
	  "let it read this path; may be given again", "file" },
	{ "write", 0, OPT_LIST, offsetof(struct run_values, write), "PATH",
	  "let it write to this path; may be given again", "file" },
	{ "allow", 'a', OPT_LIST, offsetof(struct run_values, allow), "HOST[:PORT]",
	  "let it reach this host; may be given again", NULL },
	{ "env", 'e', OPT_LIST, offsetof(struct run_values, env), "NAME[=VALUE]",
	  "pass this variable through, or set it; may be given again", NULL },
	{ "allow-degraded", 0, OPT_FLAG, offsetof(struct run_values, allow_degraded), NULL,
	  "run with what this kernel offers, and record what was lost", NULL },
	{ "dry-run", 'n', OPT_FLAG, offsetof(struct run_values, dry_run), NULL,
	  "print what the sandbox would look like, and run nothing", NULL },
	{ "json", 'j', OPT_FLAG, offsetof(struct run_values, json), NULL,
	  "write the plan or the summary as JSON", NULL },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct run_values, quiet), NULL, "no summary at the end",
	  NULL },
	{ "status-fd", 0, OPT_U64, offsetof(struct run_values, status_fd), "N",
	  "write JSON lines about the session to this descriptor", NULL },
	{ 0 },
};

static void list_member(struct json *j, const char *key, const struct opt_list *list)
{
	if (list->n == 0)
		return;
	json_key(j, key);
	json_array_begin(j);
	for (size_t i = 0; i < list->n; i++)
		json_str(j, str_from(list->items[i]));
	json_array_end(j);
}

static void environment(struct json *j, const struct opt_list *env)
{
	if (env->n == 0)
		return;
	json_key(j, "environment");
	json_object_begin(j);
	json_key(j, "pass");
	json_array_begin(j);
	for (size_t i = 0; i < env->n; i++)
		if (!strchr(env->items[i], '='))
			json_str(j, str_from(env->items[i]));
	json_array_end(j);
	json_key(j, "set");
	json_object_begin(j);
	for (size_t i = 0; i < env->n; i++) {
		const char *eq = strchr(env->items[i], '=');
		char name[256];

		if (!eq || (size_t)(eq - env->items[i]) >= sizeof name)
			continue;
		memcpy(name, env->items[i], (size_t)(eq - env->items[i]));
		name[eq - env->items[i]] = '\0';
		json_member_cstr(j, name, eq + 1);
	}
	json_object_end(j);
	json_object_end(j);
}

/* Options are a policy layer like any other, read by the same reader: JSON is YAML. */
static int options_layer(const struct run_values *v, struct buf *out)
{
	struct json j = JSON_INIT(out);

	json_object_begin(&j);
	list_member(&j, "extends", &v->profiles);
	if (v->workspace || v->mode) {
		json_key(&j, "workspace");
		json_object_begin(&j);
		if (v->workspace)
			json_member_cstr(&j, "path", v->workspace);
		if (v->mode)
			json_member_cstr(&j, "mode", v->mode);
		json_object_end(&j);
	}
	if (v->read.n || v->write.n) {
		json_key(&j, "filesystem");
		json_object_begin(&j);
		list_member(&j, "read", &v->read);
		list_member(&j, "write", &v->write);
		json_object_end(&j);
	}
	if (v->allow.n) {
		json_key(&j, "network");
		json_object_begin(&j);
		list_member(&j, "allow", &v->allow);
		json_object_end(&j);
	}
	environment(&j, &v->env);
	json_object_end(&j);
	return json_done(&j);
}

/* Says once what an untrusted project file asked for and did not get. */
static void report_project(const struct layers_report *rep, const struct policy *p)
{
	if (!rep->project_found || rep->project_trusted)
		return;
	fprintf(stderr,
		"stockade: %s is not trusted: %zu of its grants do not count "
		"(`stockade trust` shows them)\n",
		rep->project_path, p->ndropped);
}

static int load_policy(const struct run_values *v, struct policy *ret, struct err *e)
{
	_cleanup_(buf_done) struct buf layer = BUF_INIT(OPTIONS_LAYER_MAX);
	struct layers_request req;
	struct layers_report rep;
	int r = layers_request_init(&req, e);

	if (r < 0)
		return r;
	if (options_layer(v, &layer) < 0)
		return err_set(e, -E2BIG, "the options are longer than %u bytes together",
			       OPTIONS_LAYER_MAX);
	req.options = buf_str(&layer);
	req.policies = v->policies.items;
	req.npolicies = v->policies.n;
	if (v->workspace && !realpath(v->workspace, req.project_dir))
		return err_sys(e, -errno, "workspace %s", v->workspace);
	r = layers_load(&req, ret, &rep, e);
	if (r == 0 && !v->quiet)
		report_project(&rep, ret);
	return r;
}

static int print_buf(const struct buf *b, FILE *to)
{
	return fwrite(buf_cstr(b), 1, buf_len(b), to) == buf_len(b) ? 0 : -EIO;
}

static int dry_run(const struct session_request *req, bool json, struct err *e)
{
	_cleanup_(plan_done) struct plan plan;
	_cleanup_(buf_done) struct buf out = BUF_INIT(4u << 20);
	struct facts facts;
	int r;

	plan_init(&plan);
	r = session_plan(req, &facts, &plan, e);
	if (r == 0)
		r = plan_print(&plan, json, &out);
	if (r == 0)
		r = print_buf(&out, stdout);
	return r < 0 ? EXIT_POLICY : 0;
}

/* On standard error: standard output is the program's own. */
static void print_summary(const struct session_result *res, bool json)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(1u << 20);
	struct summary s = { .tally = res->tally,
			     .session_id = res->id,
			     .log_path = res->log_path,
			     .changed = res->changed,
			     .nchanged = res->nchanged,
			     .exit_code = res->exit_code };

	if (res->timed_out)
		fputs("stockade: the policy's time limit ended the program\n", stderr);
	if (summary_format(&s, json, &out) == 0)
		(void)print_buf(&out, stderr);
}

static int status_fd_check(uint64_t fd, int *ret, struct err *e)
{
	*ret = -1;
	if (fd == 0)
		return 0;
	if (fd > INT32_MAX || fcntl((int)fd, F_GETFD) < 0)
		return err_set(e, -EBADF,
			       "--status-fd %llu: no such open descriptor; use e.g. "
			       "--status-fd 3 3>status.json",
			       (unsigned long long)fd);
	*ret = (int)fd;
	return fd_set_cloexec((int)fd, true);
}

static int run(const void *values, int noperands, char *const *operands, struct err *e)
{
	const struct run_values *v = values;
	_cleanup_(policy_done) struct policy policy;
	struct session_request req = { .policy = &policy,
				       .argv = operands,
				       .allow_degraded = v->allow_degraded };
	static struct session_result res; /* zeroed */
	int r;

	(void)noperands;
	policy_init(&policy);
	if (status_fd_check(v->status_fd, &req.status_fd, e) < 0)
		return EXIT_STOCKADE;
	if (load_policy(v, &policy, e) < 0)
		return EXIT_POLICY;
	if (v->dry_run)
		return dry_run(&req, v->json, e);
	if (!v->quiet)
		hint_credentials(&policy, stderr);
	r = session_run(&req, &res, e);
	if (r < 0 && res.exit_code == EXIT_NOT_FOUND)
		hint_program(operands[0], getenv("PATH"), e);
	if (r == 0 && !v->quiet)
		print_summary(&res, v->json);
	return res.exit_code;
}

const struct command cmd_run = {
	.name = "run",
	.summary = "Run a program inside the sandbox",
	.operands = "[--] COMMAND [ARG...]",
	.about =
	    "Runs COMMAND in a sandbox of its own: it reads the system's directories and what the "
	    "policy names, writes where the policy says so, and reaches only the hosts that the "
	    "policy allows, through the gateway.  Credentials stay outside.\n\n"
	    "Options end at COMMAND: what follows belongs to it.\n\n"
	    "Exit codes: the command's own; 128+N when signal N ended it; 122 the policy was "
	    "refused; 123 the sandbox could not be made; 124 the gateway or the log failed; 125 "
	    "another failure of stockade; 126 COMMAND is not executable; 127 COMMAND was not "
	    "found.",
	.examples = "stockade run -- ls -la\n"
		    "stockade run --profile claude-code -- claude\n"
		    "stockade run --allow example.com:443 -- curl https://example.com/\n"
		    "stockade run --dry-run -- true",
	.options = options,
	.values_size = sizeof(struct run_values),
	.min_operands = 1,
	.max_operands = (size_t)-1,
	.stop_at_operand = true,
	.run = run,
};
