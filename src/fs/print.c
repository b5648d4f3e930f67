/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print - a plan for a person or a program (`stockade run --dry-run`).  Pure; runs in the command.
 * Of the environment only names: a value that was passed through may be a secret.
 */
#include "fs/parts.h"

#include "base/json.h"
#include "base/own.h"

#include <assert.h>
#include <inttypes.h>

static const char *const kind_names[] = {
	[PLAN_BIND] = "bind", [PLAN_TMPFS] = "tmpfs",  [PLAN_PROC] = "proc", [PLAN_DEV] = "dev",
	[PLAN_FILE] = "file", [PLAN_SYMLINK] = "link", [PLAN_DIR] = "dir",   [PLAN_MASK] = "hide",
};
static_assert(ARRAY_LEN(kind_names) == PLAN_MASK + 1, "every kind has a name");

/* "rw" where the agent can write. */
static const char *step_access(const struct plan_step *s)
{
	if (s->kind == PLAN_TMPFS || s->kind == PLAN_DEV)
		return "rw";
	return s->kind == PLAN_BIND && !s->read_only ? "rw" : "ro";
}

static void json_step(struct json *j, const struct plan_step *s)
{
	json_object_begin(j);
	json_member_cstr(j, "kind", kind_names[s->kind]);
	json_member_cstr(j, "target", s->target);
	if (s->source)
		json_member_cstr(j, "source", s->source);
	json_member_cstr(j, "access", step_access(s));
	if (s->size)
		json_member_u64(j, "size", s->size);
	if (s->optional)
		json_member_bool(j, "optional", true);
	if (s->content)
		json_member_cstr(j, "content", s->content);
	if (s->origin.file) {
		json_member_cstr(j, "file", s->origin.file);
		json_member_u64(j, "line", s->origin.line);
	}
	json_object_end(j);
}

static void json_limits(struct json *j, const struct policy_limits *l)
{
	json_key(j, "limits");
	json_object_begin(j);
	json_member_u64(j, "memory", l->memory);
	json_member_u64(j, "cpu_milli", l->cpu_milli);
	json_member_u64(j, "pids", l->pids);
	json_member_u64(j, "time", l->time);
	json_member_bool(j, "cgroup_required", l->cgroup == REQUIRE_YES);
	json_object_end(j);
}

static int print_json(const struct plan *p, struct buf *out)
{
	struct json j = JSON_INIT(out);

	json_object_begin(&j);
	json_member_cstr(&j, "cwd", p->cwd);
	json_member_cstr(&j, "workspace", p->workspace);
	json_member_u64(&j, "uid", p->uid);
	json_member_u64(&j, "gid", p->gid);
	json_member_bool(&j, "network", p->network);
	json_member_bool(&j, "unix_gateway", p->unix_gateway);
	json_member_bool(&j, "proxy_env", p->proxy_env);
	json_key(&j, "ports");
	json_array_begin(&j);
	for (size_t i = 0; i < p->nports; i++)
		json_u64(&j, p->ports[i]);
	json_array_end(&j);
	json_limits(&j, &p->limits);
	json_key(&j, "steps");
	json_array_begin(&j);
	for (size_t i = 0; i < p->nsteps; i++)
		json_step(&j, &p->steps[i]);
	json_array_end(&j);
	json_key(&j, "environment");
	json_array_begin(&j);
	for (size_t i = 0; i < p->nenv; i++)
		json_str(&j, (struct str){ p->env[i], strcspn(p->env[i], "=") });
	json_array_end(&j);
	json_object_end(&j);
	return json_done(&j) < 0 ? json_done(&j) : buf_append_c(out, '\n');
}

/* A path as one word of a line that a terminal shows. */
static int put_path(struct buf *out, const char *path)
{
	int r = 0;

	for (const unsigned char *c = (const unsigned char *)path; *c && r == 0; c++)
		r = *c < 0x20 || *c >= 0x7f ? buf_printf(out, "\\x%02x", *c)
					    : buf_append_c(out, (char)*c);
	return r;
}

static int text_step(const struct plan_step *s, struct buf *out)
{
	int r = buf_printf(out, "  %-6s%s  ", kind_names[s->kind], step_access(s));

	if (r == 0)
		r = put_path(out, s->target);
	if (r == 0 && s->source && strcmp(s->source, s->target) != 0) {
		r = buf_printf(out, " %s ", s->kind == PLAN_SYMLINK ? "->" : "from");
		if (r == 0)
			r = put_path(out, s->source);
	}
	if (r == 0 && s->size)
		r = buf_printf(out, "  at most %" PRIu64 " MiB", s->size >> 20);
	if (r == 0 && s->origin.file) {
		r = buf_printf(out, "  (");
		if (r == 0)
			r = put_path(out, s->origin.file);
		if (r == 0)
			r = buf_printf(out, ":%u)", s->origin.line);
	}
	return r < 0 ? r : buf_append_c(out, '\n');
}

static int print_text(const struct plan *p, struct buf *out)
{
	int r = buf_printf(out, "files\n");

	for (size_t i = 0; i < p->nsteps && r == 0; i++)
		r = text_step(&p->steps[i], out);
	if (r == 0)
		r = buf_printf(out, "starts in\n  ");
	if (r == 0)
		r = put_path(out, p->cwd);
	if (r == 0)
		r = buf_printf(out, "\nuser\n  uid %u gid %u\nnetwork\n  %s%s%s\nenvironment\n",
			       p->uid, p->gid, p->network ? "only through the gateway" : "none",
			       p->proxy_env ? ", proxy variables set" : "",
			       p->unix_gateway ? ", and " PLAN_UNIX_SOCKET : "");
	for (size_t i = 0; i < p->nenv && r == 0; i++) {
		r = buf_append(out, "  ", 2);
		if (r == 0)
			r = buf_append(out, p->env[i], strcspn(p->env[i], "="));
		if (r == 0)
			r = buf_append_c(out, '\n');
	}
	return r;
}

int plan_print(const struct plan *p, bool json, struct buf *out)
{
	return json ? print_json(p, out) : print_text(p, out);
}
