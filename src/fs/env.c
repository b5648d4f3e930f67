/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env - the environment inside, by allow-list.  Pure; runs in launch.  Nothing of the host's
 * environment goes in by itself but what describes the terminal and the language.
 */
#include "fs/parts.h"

#include "base/env.h"
#include "base/own.h"

#include <errno.h>

#define PROXY_URL "http://" PLAN_GATEWAY_IP ":3128"
#define SOCKS_URL "socks5h://" PLAN_GATEWAY_IP ":1080"
_Static_assert(PLAN_PROXY_PORT == 3128 && PLAN_SOCKS_PORT == 1080, "ports of the URLs above");
#define NO_PROXY_LIST "localhost,127.0.0.1,::1"

/* Entries of the environment: policy, placeholders and ours. */
#define ENV_MAX (2 * POLICY_ENV_MAX)

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* Told apart from a bare program's: the terminal and the language, no paths, no names of places. */
static const char *const passed[] = {
	"TERM", "COLORTERM", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "NO_COLOR",
};

/* Both spellings: curl reads http_proxy only in lower case, others only capitals. */
static const struct plan_pair proxy_vars[] = {
	{ "HTTP_PROXY", PROXY_URL },   { "http_proxy", PROXY_URL },
	{ "HTTPS_PROXY", PROXY_URL },  { "https_proxy", PROXY_URL },
	{ "ALL_PROXY", SOCKS_URL },    { "all_proxy", SOCKS_URL },
	{ "NO_PROXY", NO_PROXY_LIST }, { "no_proxy", NO_PROXY_LIST },
	{ "NODE_USE_ENV_PROXY", "1" }, /* Node's fetch looks at the others only with this */
};

/* The last word on a name stands. */
static int set(struct plan *p, const char *name, const char *value, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(128u * 1024); /* MAX_ARG_STRLEN of execve(2) */
	size_t n = strlen(name), i;
	char *text;

	if (n == 0 || strchr(name, '='))
		return err_set(e, -EINVAL, "environment: '%s' is no variable's name", name);
	if (buf_append(&b, name, n) < 0 || buf_append_c(&b, '=') < 0 ||
	    buf_append(&b, value, strlen(value)) < 0)
		return err_set(e, -E2BIG, "environment: the value of %s is too long", name);
	for (i = 0; i < p->nenv; i++)
		if (strncmp(p->env[i], buf_cstr(&b), n + 1) == 0)
			break;
	if (i == ENV_MAX)
		return err_set(e, -E2BIG, "environment: more than %u variables", ENV_MAX);
	text = str_dup(buf_str(&b));
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	free(p->env[i]);
	p->env[i] = text;
	if (i == p->nenv)
		p->nenv++;
	return 0;
}

const char *plan_user_name(const struct plan_facts *facts)
{
	struct str s = str_from(facts->user_name);

	if (facts->uid == 0)
		return "root";
	/* It becomes a line of /etc/passwd: nothing that could become two. */
	for (size_t i = 0; i < s.len; i++)
		if (!str_printable((struct str){ s.p + i, 1 }) || strchr(":/\\ ", s.p[i]))
			return "user";
	return s.len && s.len <= 32 ? s.p : "user";
}

static const char *shell_inside(const struct plan_facts *facts)
{
	const char *shell = env_value(facts->environ, "SHELL");

	/* Only what the system directories show. */
	return shell && (path_within(shell, "/bin") || path_within(shell, "/usr")) ? shell
										   : "/bin/sh";
}

static int add_policy(const struct policy *pol, const struct plan_facts *facts, struct plan *p,
		      struct err *e)
{
	for (size_t i = 0; i < pol->nenv; i++) {
		const struct env_entry *v = &pol->env[i];
		const char *value = v->value ? v->value : env_value(facts->environ, v->name);
		int r = value ? set(p, v->name, value, e) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static int add_pairs(struct plan *p, const struct plan_pair *pairs, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		int r = pairs[i].value ? set(p, pairs[i].name, pairs[i].value, e) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

int plan_env_make(const struct policy *pol, const struct plan_facts *facts, const char *home,
		  struct plan *p, struct err *e)
{
	const char *user = plan_user_name(facts);
	const struct plan_pair first[] = {
		{ "PATH", default_path },
		{ "HOME", home },
		{ "USER", user },
		{ "LOGNAME", user },
		{ "SHELL", shell_inside(facts) },
		{ "TMPDIR", "/tmp" },
	};
	const struct plan_pair last[] = {
		{ "STOCKADE", "1" },
		{ "STOCKADE_SESSION", facts->session_id },
		{ "STOCKADE_SOCKET", p->unix_gateway ? PLAN_UNIX_SOCKET : NULL },
	};
	int r;

	p->nenv = 0;
	p->env = calloc(ENV_MAX + 1, sizeof *p->env);
	if (!p->env)
		return err_set(e, -ENOMEM, "out of memory");
	r = add_pairs(p, first, ARRAY_LEN(first), e);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(passed); i++) {
		const char *value = env_value(facts->environ, passed[i]);

		r = value ? set(p, passed[i], value, e) : 0;
	}
	if (r == 0 && p->proxy_env)
		r = add_pairs(p, proxy_vars, ARRAY_LEN(proxy_vars), e);
	if (r == 0)
		r = add_policy(pol, facts, p, e);
	if (r == 0)
		r = add_pairs(p, facts->placeholders, facts->nplaceholders, e);
	if (r == 0)
		r = add_pairs(p, last, ARRAY_LEN(last), e);
	return r;
}
