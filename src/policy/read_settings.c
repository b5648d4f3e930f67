/* SPDX-License-Identifier: Apache-2.0 */
/* read_settings - the sections environment and limits.  Pure; launcher and CLI; the file may be
 * hostile. */
#include "policy/schema.h"

#include "base/num.h"
#include "base/own.h"

#include <errno.h>

static int add_env(struct reader *r, const struct node *n, struct str name, char *value)
{
	struct policy_layer *l = r->layer;
	void *items = l->env;
	struct env_entry *entry;

	if (str_index(name, '*') < name.len)
		return schema_error(
		    r, n->line,
		    "patterns in variable names are not yet supported by this version: '%.80s'",
		    name.p);
	if (!schema_env_name(name))
		return schema_error(r, n->line, "'%.80s' is no name of an environment variable",
				    name.p);
	if (l->nenv >= POLICY_ENV_MAX)
		return err_set(r->e, -E2BIG, "%s:%u: more than %u variables", r->name, n->line,
			       POLICY_ENV_MAX);
	for (size_t i = 0; i < l->nenv; i++)
		if (str_eq(name, str_from(l->env[i].name)))
			return schema_error(r, n->line,
					    "variable '%.80s' is listed twice (line %u)", name.p,
					    l->env[i].origin.line);
	entry = schema_push(r, &items, &l->nenv, sizeof *entry);
	if (!entry)
		return -ENOMEM;
	l->env = items;
	entry->name = (char *)(uintptr_t)name.p; /* the tree's copy, in the same arena */
	entry->value = value;
	entry->origin = schema_origin(r, n);
	return 0;
}

static int add_pass(struct reader *r, const struct node *n, void *target)
{
	char *name;
	int err = schema_text(r, n, &name);

	(void)target;
	return err < 0 ? err : add_env(r, n, n->text, NULL);
}

static int read_pass(struct reader *r, const struct node *n, void *target)
{
	return schema_list(r, n, POLICY_ENV_MAX, false, add_pass, target);
}

static int read_set(struct reader *r, const struct node *n, void *target)
{
	(void)target;
	for (const struct node *c = n->first; c; c = c->next) {
		char *value;
		int err = schema_value(r, c, &value);

		if (err == 0)
			err = add_env(r, c, c->key, value);
		if (err < 0)
			return err;
	}
	return 0;
}

int read_environment(struct reader *r, const struct node *n, void *target)
{
	static const struct field fields[] = {
		{ "pass", FIELD_LIST, read_pass },
		{ "set", FIELD_MAP, read_set },
	};

	return schema_map(r, n, "environment", fields, ARRAY_LEN(fields), target);
}

/* "none" or what `parse` reads, 1..max.  Memory file systems always have a size. */
static int read_limit(struct reader *r, const struct node *n, enum policy_setting s,
		      int (*parse)(struct str, uint64_t *), const char *like)
{
	uint64_t v;

	bool sized = s == SETTING_TMP || s == SETTING_HOME;

	if (!sized && str_eq(n->text, STR_LIT("none")))
		return schema_set(r, n, s, LIMIT_NONE);
	/* INT64_MAX: rlimits, cgroup files and tmpfs sizes are signed somewhere on their way. */
	if (parse(n->text, &v) < 0 || v == 0 || v > INT64_MAX)
		return schema_error(r, n->line, "'%.*s' must be %s%s, not '%.80s'", STR_FMT(n->key),
				    like, sized ? "" : ", or none", n->text.p);
	return schema_set(r, n, s, v);
}

static int parse_count(struct str s, uint64_t *ret)
{
	/* The kernel's PID_MAX_LIMIT. */
	return num_parse_u64(s, 4194304, ret);
}

static int read_memory(struct reader *r, const struct node *n, void *target)
{
	(void)target;
	return read_limit(r, n, SETTING_MEMORY, num_parse_size, "a size such as 512M or 2G");
}

static int read_cpus(struct reader *r, const struct node *n, void *target)
{
	(void)target;
	return read_limit(r, n, SETTING_CPUS, num_parse_milli, "a number such as 2 or 1.5");
}

static int read_pids(struct reader *r, const struct node *n, void *target)
{
	(void)target;
	return read_limit(r, n, SETTING_PIDS, parse_count, "a number of processes such as 100");
}

static int read_tmp(struct reader *r, const struct node *n, void *target)
{
	(void)target;
	return read_limit(r, n, SETTING_TMP, num_parse_size, "a size such as 100M");
}

static int read_home(struct reader *r, const struct node *n, void *target)
{
	(void)target;
	return read_limit(r, n, SETTING_HOME, num_parse_size, "a size such as 500M");
}

static int read_time(struct reader *r, const struct node *n, void *target)
{
	(void)target;
	return read_limit(r, n, SETTING_TIME, num_parse_duration, "a duration such as 30m or 2h");
}

static int read_cgroup(struct reader *r, const struct node *n, void *target)
{
	static const char *const words[] = {
		[REQUIRE_NO] = "best-effort",
		[REQUIRE_YES] = "required",
	};
	size_t which;
	int err = schema_word(r, n, words, ARRAY_LEN(words), &which);

	(void)target;
	return err < 0 ? err : schema_set(r, n, SETTING_CGROUP, which);
}

int read_limits(struct reader *r, const struct node *n, void *target)
{
	static const struct field fields[] = {
		{ "memory", FIELD_SCALAR, read_memory }, { "cpus", FIELD_SCALAR, read_cpus },
		{ "pids", FIELD_SCALAR, read_pids },	 { "tmp", FIELD_SCALAR, read_tmp },
		{ "home", FIELD_SCALAR, read_home },	 { "time", FIELD_SCALAR, read_time },
		{ "cgroup", FIELD_SCALAR, read_cgroup },
	};

	return schema_map(r, n, "limits", fields, ARRAY_LEN(fields), target);
}
