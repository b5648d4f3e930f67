/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan - see plan.h.  Pure: policy and facts in, steps out; runs in launch before anything is made.
 * The policy was read and checked, but its paths are whatever somebody wrote.
 *
 * What everybody gets (table.c) comes first, then what the policy adds; a path of the policy takes
 * the place of everything of ours in it.  At the end the steps are sorted, parents first, masks
 * last: the more specific path wins.
 */
#include "fs/parts.h"
#include "fs/table.h"

#include "base/own.h"

#include <errno.h>
#include <stdlib.h>

/* nobody of every distribution we know. */
#define NOBODY_ID 65534u

void plan_init(struct plan *p)
{
	*p = (struct plan){ 0 };
}

static void step_done(struct plan_step *s)
{
	free(s->source);
	free(s->target);
	free(s->content);
	free((char *)s->origin.file);
	*s = (struct plan_step){ 0 };
}

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->nsteps; i++)
		step_done(&p->steps[i]);
	free(p->steps);
	for (size_t i = 0; i < p->nenv; i++)
		free(p->env[i]);
	free(p->env);
	free(p->cwd);
	free(p->workspace);
	plan_init(p);
}

/* Copies everything it is given. */
static int add(struct plan *p, const struct plan_step *s, struct err *e)
{
	struct plan_step *at;

	if (p->nsteps == PLAN_MOUNTS_MAX)
		return err_set(e, -E2BIG, "more than %u mounts", PLAN_MOUNTS_MAX);
	at = &p->steps[p->nsteps];
	*at = *s;
	at->source = s->source ? str_dup(str_from(s->source)) : NULL;
	at->target = str_dup(str_from(s->target));
	at->content = s->content ? str_dup(str_from(s->content)) : NULL;
	at->origin.file = s->origin.file ? str_dup(str_from(s->origin.file)) : NULL;
	p->nsteps++;
	if ((s->source && !at->source) || !at->target || (s->content && !at->content) ||
	    (s->origin.file && !at->origin.file))
		return err_set(e, -ENOMEM, "out of memory");
	return 0;
}

/* A link of the host is kept where it leads to what we show. */
static bool link_kept(const char *text)
{
	while (strncmp(text, "../", 3) == 0)
		text += 3;
	if (text[0] == '/')
		text++;
	return path_within(text, "usr") || path_within(text, "etc/alternatives");
}

static int add_system(struct plan *p, const struct plan_facts *facts, struct err *e)
{
	for (const char *const *path = plan_system_paths; *path; path++) {
		const char *link = facts->top_link ? facts->top_link(facts->arg, *path) : "";
		_cleanup_(free_ptr) char *real = NULL;
		struct plan_step s = { .kind = PLAN_BIND, .read_only = true };
		int r = 0;

		if (!link)
			continue;
		s.target = (char *)*path;
		s.source = (char *)*path;
		if (link[0] && link_kept(link)) {
			s.kind = PLAN_SYMLINK;
			s.source = (char *)link;
		} else if (link[0] && facts->resolve) {
			r = facts->resolve(facts->arg, *path, &real);
			if (r == -ENOMEM)
				return err_set(e, r, "out of memory");
			if (r < 0)
				continue; /* leads nowhere: as good as absent */
			s.source = real;
		}
		r = add(p, &s, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_fixed(struct plan *p, struct err *e)
{
	for (size_t i = 0; i < plan_nfixed; i++) {
		const struct plan_fixed *f = &plan_fixed_steps[i];
		struct plan_step s = {
			.kind = f->kind,
			.target = (char *)f->target,
			.source = f->kind == PLAN_SYMLINK ? (char *)f->text : NULL,
			.content = f->kind == PLAN_FILE ? (char *)f->text : NULL,
			.mode = f->mode,
			.read_only = f->kind == PLAN_FILE,
		};
		int r = add(p, &s, e);

		if (r < 0)
			return r;
	}
	return 0;
}

static int add_text(struct plan *p, const char *target, const struct buf *text, struct err *e)
{
	struct plan_step s = {
		.kind = PLAN_FILE,
		.target = (char *)target,
		.content = (char *)buf_cstr(text),
		.mode = 0444,
		.read_only = true,
	};

	return add(p, &s, e);
}

/* Three users: root, the one who runs this, nobody. Not the host's list. */
static int add_users(struct plan *p, const struct plan_facts *facts, const char *home,
		     struct err *e)
{
	_cleanup_(buf_done) struct buf passwd = BUF_INIT(16384), group = BUF_INIT(16384);
	const char *user = plan_user_name(facts);
	bool root = facts->uid == 0;
	int r;

	r = buf_printf(&passwd, "root:x:0:0:root:%s:/bin/sh\n", root ? home : "/root");
	if (r == 0)
		r = buf_printf(&group, "root:x:0:\n");
	if (r == 0 && !root)
		r = buf_printf(&passwd, "%s:x:%u:%u::%s:/bin/sh\n", user, facts->uid, facts->gid,
			       home);
	if (r == 0 && facts->gid != 0)
		r = buf_printf(&group, "%s:x:%u:\n", root ? "user" : user, facts->gid);
	if (r == 0)
		r = buf_printf(&passwd, "nobody:x:%u:%u:nobody:/nonexistent:/bin/false\n",
			       NOBODY_ID, NOBODY_ID);
	if (r == 0)
		r = buf_printf(&group, "nogroup:x:%u:\n", NOBODY_ID);
	if (r < 0)
		return err_sys(e, r, "cannot write /etc/passwd of the sandbox");
	r = add_text(p, "/etc/passwd", &passwd, e);
	return r < 0 ? r : add_text(p, "/etc/group", &group, e);
}

static int add_tmpfs(struct plan *p, const char *target, uint64_t size, unsigned mode,
		     struct err *e)
{
	struct plan_step s = {
		.kind = PLAN_TMPFS, .target = (char *)target, .size = size, .mode = mode
	};

	return add(p, &s, e);
}

static int add_scratch(struct plan *p, const char *home, struct err *e)
{
	const struct policy_limits *l = &p->limits;
	int r = add_tmpfs(p, "/tmp", l->tmp ? l->tmp : PLAN_TMP_DEFAULT, 01777, e);

	if (r == 0)
		r = add_tmpfs(p, home, l->home ? l->home : PLAN_HOME_DEFAULT, 0700, e);
	if (r == 0 && p->unix_gateway) {
		struct plan_step s = { .kind = PLAN_DIR,
				       .target = (char *)"/run/stockade",
				       .mode = 0755 };

		r = add(p, &s, e);
	}
	return r;
}

/* What of ours is this path, or lies in it: the policy shows it instead. */
static void drop_within(struct plan *p, const char *target)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->nsteps; i++) {
		struct plan_step *s = &p->steps[i];

		if (!s->origin.file && s->kind != PLAN_TMPFS && s->kind != PLAN_PROC &&
		    s->kind != PLAN_DEV && path_within(s->target, target))
			step_done(s);
		else
			p->steps[kept++] = *s;
	}
	p->nsteps = kept;
}

/* Ours, and reached through it: a link of ours would be followed by a mount on it. */
static bool through_ours(const struct plan *p, size_t nours, const char *target)
{
	for (size_t i = 0; i < nours; i++) {
		enum plan_kind kind = p->steps[i].kind;

		if ((kind == PLAN_SYMLINK || kind == PLAN_BIND) &&
		    path_within(target, p->steps[i].target))
			return true;
	}
	return false;
}

static int add_wants(struct plan *p, const struct wants *ws, struct err *e)
{
	size_t nours;

	for (size_t i = 0; i < ws->n; i++)
		if (ws->w[i].mode != MOUNT_HIDE)
			drop_within(p, ws->w[i].target);
	nours = p->nsteps;
	for (size_t i = 0; i < ws->n; i++) {
		const struct want *w = &ws->w[i];
		bool hide = w->mode == MOUNT_HIDE;
		struct plan_step s = {
			.kind = hide ? PLAN_MASK : PLAN_BIND,
			.source = hide ? NULL : w->source,
			.target = hide || through_ours(p, nours, w->target) ? w->source : w->target,
			.read_only = w->mode != MOUNT_WRITE,
			.optional = hide || w->optional,
			.origin = w->origin,
		};
		int r = add(p, &s, e);

		if (r < 0)
			return r;
	}
	return 0;
}

static int add_sockets(struct plan *p, const struct policy *pol, const struct plan_facts *facts,
		       const char *home, struct err *e)
{
	for (size_t i = 0; i < pol->nunix_sockets; i++) {
		_cleanup_(free_ptr) char *target = NULL, *source = NULL;
		struct plan_step s = { .kind = PLAN_BIND, .read_only = true };
		const char *path = pol->unix_sockets[i];
		int r = path_expand(path, home, facts->cwd, &target);

		if (r == 0 && facts->resolve)
			r = facts->resolve(facts->arg, target, &source);
		if (r < 0)
			return err_sys(e, r == -ENOMEM ? r : -EINVAL,
				       "sockets.unix: cannot resolve '%s' (%s)", path,
				       strerror(-r));
		s.source = source ? source : target;
		s.target = target;
		if ((facts->state_dir && path_within(s.source, facts->state_dir)) ||
		    (facts->config_dir && path_within(s.source, facts->config_dir)))
			return err_set(e, -EINVAL, "sockets.unix: '%s' is stockade's own", path);
		if (facts->node && facts->node(facts->arg, s.source) != PLAN_NODE_SOCKET)
			return err_set(e, -EINVAL, "sockets.unix: '%s' is not a socket", path);
		r = add(p, &s, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int step_compare(const void *a, const void *b)
{
	const struct plan_step *x = a, *y = b;
	bool mask_x = x->kind == PLAN_MASK, mask_y = y->kind == PLAN_MASK;

	if (mask_x != mask_y)
		return mask_x ? 1 : -1;
	return path_compare(x->target, y->target);
}

/* Two steps for one path can only come from sockets that name a mount, or two that meet where
 * links lead. */
static int check_twice(const struct plan *p, struct err *e)
{
	for (size_t i = 1; i < p->nsteps; i++) {
		const struct plan_step *a = &p->steps[i - 1], *b = &p->steps[i];

		if (step_compare(a, b) == 0 && (a->kind != b->kind || a->read_only != b->read_only))
			return err_set(
			    e, -EINVAL,
			    "'%s' would be mounted twice, in contradiction (%s:%u, %s:%u)",
			    a->target, a->origin.file ? a->origin.file : "built in", a->origin.line,
			    b->origin.file ? b->origin.file : "built in", b->origin.line);
	}
	return 0;
}

static void add_port(struct plan *p, uint16_t port)
{
	size_t i = 0;

	while (i < p->nports && p->ports[i] < port)
		i++;
	if (i < p->nports && p->ports[i] == port)
		return;
	if (p->nports == PLAN_PORTS_MAX) {
		p->ports_cut = true;
		return;
	}
	memmove(&p->ports[i + 1], &p->ports[i], (p->nports - i) * sizeof p->ports[0]);
	p->ports[i] = port;
	p->nports++;
}

static void add_ports(struct plan *p, const struct policy *pol)
{
	add_port(p, 80);
	add_port(p, 443);
	for (size_t i = 0; i < pol->nrules; i++) {
		const struct net_rule *r = &pol->rules[i];

		for (size_t k = 0; r->action == ACTION_ALLOW && k < r->nports; k++)
			for (uint32_t port = r->ports[k].low;
			     port <= r->ports[k].high && !p->ports_cut; port++)
				add_port(p, (uint16_t)port);
	}
}

static int choose_cwd(struct plan *p, const struct wants *ws, const struct plan_facts *facts,
		      const char *home, struct err *e)
{
	const char *cwd = ws->workspace ? ws->workspace : home;

	for (size_t i = 0; i < ws->n; i++)
		if (ws->w[i].mode != MOUNT_HIDE && path_within(facts->cwd, ws->w[i].target))
			cwd = facts->cwd;
	p->cwd = str_dup(str_from(cwd));
	p->workspace = ws->workspace ? str_dup(str_from(ws->workspace)) : NULL;
	if (!p->cwd || (ws->workspace && !p->workspace))
		return err_set(e, -ENOMEM, "out of memory");
	return 0;
}

/* The home directory inside: the host's path, empty. A service's "/" cannot be one. */
static int choose_home(const struct plan_facts *facts, char **ret, struct err *e)
{
	int r = facts->home && facts->home[0] == '/' ? path_expand(facts->home, "/", "/", ret)
						     : -EINVAL;

	if (r == 0 && strcmp(*ret, "/") == 0) {
		free(*ret);
		*ret = str_dup(STR_LIT("/home/user"));
		r = *ret ? 0 : -ENOMEM;
	}
	if (r == 0 && (strchr(*ret, ':') || path_in_list(*ret, plan_never_trees, true) ||
		       path_in_list(*ret, plan_never_write, true)))
		r = -EINVAL;
	return r < 0 ? err_set(e, r, "HOME is '%s', which cannot be a home directory inside",
			       facts->home ? facts->home : "")
		     : 0;
}

static int fill(struct plan *p, const struct policy *pol, const struct plan_facts *facts,
		const char *home, const struct wants *ws, struct err *e)
{
	int r = add_system(p, facts, e);

	if (r == 0)
		r = add_fixed(p, e);
	if (r == 0)
		r = add_users(p, facts, home, e);
	if (r == 0)
		r = add_scratch(p, home, e);
	if (r == 0)
		r = add_wants(p, ws, e);
	if (r == 0)
		r = add_sockets(p, pol, facts, home, e);
	if (r == 0) {
		qsort(p->steps, p->nsteps, sizeof p->steps[0], step_compare);
		r = check_twice(p, e);
	}
	if (r == 0)
		r = choose_cwd(p, ws, facts, home, e);
	if (r == 0)
		r = plan_env_make(pol, facts, home, p, e);
	return r;
}

int plan_make(const struct policy *pol, const struct plan_facts *facts, struct plan *ret,
	      struct err *e)
{
	_cleanup_(free_ptr) char *home = NULL;
	_cleanup_(wants_done) struct wants ws = { 0 };
	_cleanup_(plan_done) struct plan p;
	int r;

	plan_init(&p);
	if (!facts->cwd || facts->cwd[0] != '/')
		return err_set(e, -EINVAL, "the current directory is not known");
	r = choose_home(facts, &home, e);
	if (r == 0)
		r = wants_make(pol, facts, home, &ws, e);
	if (r < 0)
		return r;
	p.steps = calloc(PLAN_MOUNTS_MAX, sizeof p.steps[0]);
	if (!p.steps)
		return err_set(e, -ENOMEM, "out of memory");
	p.uid = facts->uid;
	p.gid = facts->gid;
	p.limits = pol->limits;
	p.network = pol->network || pol->dns_denied == DNS_EXPLAIN;
	p.unix_gateway = pol->unix_gateway;
	p.proxy_env = pol->proxy_env;
	add_ports(&p, pol);
	r = fill(&p, pol, facts, home, &ws, e);
	if (r < 0)
		return r;
	*ret = p;
	plan_init(&p);
	return 0;
}
