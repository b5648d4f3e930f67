/* SPDX-License-Identifier: Apache-2.0 */
/* merge_lists - rules, mounts, variables, credentials, sockets.  See merge.h.  Pure. */
#include "policy/merge_impl.h"

#include "base/path.h"

#include <errno.h>

static int push_rules(struct merger *m, size_t which, enum action action)
{
	const struct policy_layer *l = &m->stack->layers[which];
	bool managed = m->stack->pulled_by[which] == SOURCE_MANAGED;

	for (size_t i = 0; i < l->nrules; i++) {
		const struct net_rule *r = &l->rules[i];
		void *items = m->out->rules;
		struct net_rule *slot;
		const char *why = l->untrusted ? NULL : "the managed policy sets only_managed";

		if (r->action != action)
			continue;
		if (action == ACTION_ALLOW && (l->untrusted || (m->only_managed && !managed))) {
			/* "allow " is said by the section. */
			int err =
			    merge_drop(m, l, r->origin.line, "network.allow", r->text + 6, why);

			if (err < 0)
				return err;
			continue;
		}
		slot = merge_push(m, &items, &m->out->nrules, sizeof *slot, POLICY_RULES_MAX);
		if (!slot)
			return m->e->code;
		m->out->rules = items;
		*slot = *r;
		m->out->network |= action == ACTION_ALLOW;
	}
	return 0;
}

int merge_rules(struct merger *m)
{
	static const enum action order[] = { ACTION_DENY, ACTION_ALLOW };

	for (size_t a = 0; a < 2; a++)
		for (size_t i = 0; i < m->stack->n; i++) {
			int err = push_rules(m, i, order[a]);

			if (err < 0)
				return err;
		}
	return 0;
}

/* The strongest layer's word on this very path, or a hidden path above it. */
static const struct policy_mount *mount_blocks(const struct policy *p, const struct policy_mount *m)
{
	for (size_t i = 0; i < p->nmounts; i++) {
		const struct policy_mount *o = &p->mounts[i];

		if (strcmp(o->path, m->path) == 0 ||
		    (o->mode == MOUNT_HIDE && path_is_under(str_from(m->path), str_from(o->path))))
			return o;
	}
	return NULL;
}

static int push_mount(struct merger *m, const struct policy_layer *l, const struct policy_mount *mt)
{
	static const char *const sections[] = {
		[MOUNT_READ] = "filesystem.read",
		[MOUNT_WRITE] = "filesystem.write",
		[MOUNT_HIDE] = "filesystem.hide",
	};
	const struct policy_mount *o = mount_blocks(m->out, mt);
	void *items = m->out->mounts;
	struct policy_mount *slot;

	if (mt->mode != MOUNT_HIDE && l->untrusted)
		return merge_drop(m, l, mt->origin.line, sections[mt->mode], mt->path, NULL);
	if (o && mt->mode != MOUNT_HIDE && o->mode == MOUNT_HIDE)
		return merge_drop(m, l, mt->origin.line, sections[mt->mode], mt->path,
				  "it lies under a hidden path, and hide wins");
	if (o && strcmp(o->path, mt->path) == 0)
		return 0;
	slot = merge_push(m, &items, &m->out->nmounts, sizeof *slot, POLICY_MOUNTS_MAX);
	if (!slot)
		return m->e->code;
	m->out->mounts = items;
	*slot = *mt;
	return 0;
}

static int push_mounts(struct merger *m, bool hide)
{
	for (size_t i = 0; i < m->stack->n; i++) {
		const struct policy_layer *l = &m->stack->layers[i];

		for (size_t j = 0; j < l->nmounts; j++) {
			int err = 0;

			if ((l->mounts[j].mode == MOUNT_HIDE) == hide)
				err = push_mount(m, l, &l->mounts[j]);
			if (err < 0)
				return err;
		}
	}
	return 0;
}

/* Hidden paths are read first, because they decide, and stand last, because they cover. */
int merge_mounts(struct merger *m)
{
	struct policy *p = m->out;
	struct policy_mount *turned;
	size_t hidden;
	int err = push_mounts(m, true);

	hidden = p->nmounts;
	if (err == 0)
		err = push_mounts(m, false);
	if (err < 0 || p->nmounts == 0)
		return err;
	turned = arena_alloc(m->stack->arena, p->nmounts * sizeof *turned);
	if (!turned)
		return err_set(m->e, -ENOMEM, "policy: out of memory");
	memcpy(turned, p->mounts + hidden, (p->nmounts - hidden) * sizeof *turned);
	memcpy(turned + (p->nmounts - hidden), p->mounts, hidden * sizeof *turned);
	p->mounts = turned;
	return 0;
}

static int push_env(struct merger *m, const struct policy_layer *l, const struct env_entry *entry)
{
	void *items = m->out->env;
	struct env_entry *slot;

	if (l->untrusted)
		return merge_drop(m, l, entry->origin.line,
				  entry->value ? "environment.set" : "environment.pass",
				  entry->name, NULL);
	for (size_t i = 0; i < m->out->nenv; i++)
		if (strcmp(m->out->env[i].name, entry->name) == 0)
			return 0;
	slot = merge_push(m, &items, &m->out->nenv, sizeof *slot, POLICY_ENV_MAX);
	if (!slot)
		return m->e->code;
	m->out->env = items;
	*slot = *entry;
	return 0;
}

int merge_env(struct merger *m)
{
	for (size_t i = 0; i < m->stack->n; i++) {
		const struct policy_layer *l = &m->stack->layers[i];

		for (size_t j = 0; j < l->nenv; j++) {
			int err = push_env(m, l, &l->env[j]);

			if (err < 0)
				return err;
		}
	}
	return 0;
}

static int push_credential(struct merger *m, const struct policy_layer *l,
			   const struct credential *c)
{
	void *items = m->out->credentials;
	struct credential *slot;

	if (l->untrusted) {
		/* Where it comes from is what a person must see: a command runs outside. */
		static const char *const kinds[] = { "env", "file", "cmd" };
		const char *text = arena_printf(m->stack->arena, "%s from %s:%s", c->name,
						kinds[c->source], c->from);

		if (!text)
			return err_set(m->e, -ENOMEM, "policy: out of memory");
		return merge_drop(m, l, c->origin.line, "credentials", text, NULL);
	}
	if (policy_credential(m->out, c->name))
		return 0;
	slot = merge_push(m, &items, &m->out->ncredentials, sizeof *slot, POLICY_CREDENTIALS_MAX);
	if (!slot)
		return m->e->code;
	m->out->credentials = items;
	*slot = *c;
	return 0;
}

int merge_credentials(struct merger *m)
{
	for (size_t i = 0; i < m->stack->n; i++) {
		const struct policy_layer *l = &m->stack->layers[i];

		for (size_t j = 0; j < l->ncredentials; j++) {
			int err = push_credential(m, l, &l->credentials[j]);

			if (err < 0)
				return err;
		}
	}
	return 0;
}

static int push_socket(struct merger *m, const struct policy_layer *l, const struct layer_name *s)
{
	void *items = m->out->unix_sockets;
	char **slot;

	if (l->untrusted)
		return merge_drop(m, l, s->line, "sockets.unix", s->text, NULL);
	for (size_t i = 0; i < m->out->nunix_sockets; i++)
		if (strcmp(m->out->unix_sockets[i], s->text) == 0)
			return 0;
	slot = merge_push(m, &items, &m->out->nunix_sockets, sizeof *slot, POLICY_LIST_MAX);
	if (!slot)
		return m->e->code;
	m->out->unix_sockets = items;
	*slot = s->text;
	return 0;
}

int merge_sockets(struct merger *m)
{
	for (size_t i = 0; i < m->stack->n; i++) {
		const struct policy_layer *l = &m->stack->layers[i];

		for (size_t j = 0; j < l->nunix_sockets; j++) {
			int err = push_socket(m, l, &l->unix_sockets[j]);

			if (err < 0)
				return err;
		}
	}
	return 0;
}

/* A variable that would carry the secret itself into the sandbox. */
static int check_env(struct merger *m, const struct credential *c)
{
	for (size_t i = 0; i < m->out->nenv; i++) {
		const struct env_entry *v = &m->out->env[i];
		const struct origin *o = &v->origin;

		if (c->placeholder_env && strcmp(v->name, c->placeholder_env) == 0)
			return err_set(m->e, -EINVAL,
				       "%s:%u: %s is where credential '%s' (%s:%u) puts its "
				       "placeholder; take it out of environment",
				       o->file, o->line, v->name, c->name, c->origin.file,
				       c->origin.line);
		if (c->source == CREDENTIAL_ENV && !v->value && strcmp(v->name, c->from) == 0)
			return err_set(
			    m->e, -EINVAL,
			    "%s:%u: passing %s would show credential '%s' (%s:%u) to the "
			    "agent; take it out of environment.pass",
			    o->file, o->line, v->name, c->name, c->origin.file, c->origin.line);
	}
	return 0;
}

static int check_placeholders(struct merger *m, size_t which)
{
	const struct credential *c = &m->out->credentials[which];

	for (size_t i = 0; c->placeholder_env && i < which; i++) {
		const struct credential *o = &m->out->credentials[i];

		if (o->placeholder_env && strcmp(o->placeholder_env, c->placeholder_env) == 0)
			return err_set(m->e, -EINVAL,
				       "%s:%u: credentials '%s' and '%s' (%s:%u) both put their "
				       "placeholder into %s",
				       c->origin.file, c->origin.line, c->name, o->name,
				       o->origin.file, o->origin.line, c->placeholder_env);
	}
	return 0;
}

int merge_check(struct merger *m)
{
	struct policy *p = m->out;
	int err = 0;

	for (size_t i = 0; i < p->nrules; i++)
		if (p->rules[i].credential && !policy_credential(p, p->rules[i].credential))
			return err_set(m->e, -EINVAL, "%s:%u: credential '%.80s' is not defined",
				       p->rules[i].origin.file, p->rules[i].origin.line,
				       p->rules[i].credential);
	for (size_t i = 0; err == 0 && i < p->ncredentials; i++) {
		err = check_env(m, &p->credentials[i]);
		if (err == 0)
			err = check_placeholders(m, i);
	}
	return err;
}
