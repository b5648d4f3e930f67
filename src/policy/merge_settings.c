/* SPDX-License-Identifier: Apache-2.0 */
/* merge_settings - what can be set once.  See merge.h.  Pure. */
#include "policy/merge_impl.h"

#include "base/own.h"
#include "policy/profiles.h"

#include <stdio.h>

/* A limit in digits. */
#define SETTING_TEXT_MAX 24

enum order {
	ORDER_NONE, /* no value is stricter than another: managed wins, untrusted is dropped */
	ORDER_LOW,  /* the lower the stricter */
	ORDER_HIGH,
};

static const struct {
	const char *name;
	enum order order;
} settings[SETTING_MAX] = {
	[SETTING_WORKSPACE_PATH] = { "workspace.path", ORDER_NONE },
	[SETTING_WORKSPACE_MODE] = { "workspace.mode", ORDER_LOW },
	[SETTING_PROXY_ENV] = { "network.proxy_env", ORDER_NONE },
	[SETTING_UNIX_SOCKET] = { "network.unix_socket", ORDER_NONE },
	[SETTING_DNS_DENIED] = { "network.dns_denied", ORDER_NONE },
	[SETTING_ONLY_MANAGED] = { "network.only_managed", ORDER_HIGH },
	[SETTING_MEMORY] = { "limits.memory", ORDER_LOW },
	[SETTING_CPUS] = { "limits.cpus", ORDER_LOW },
	[SETTING_PIDS] = { "limits.pids", ORDER_LOW },
	[SETTING_TMP] = { "limits.tmp", ORDER_LOW },
	[SETTING_HOME] = { "limits.home", ORDER_LOW },
	[SETTING_TIME] = { "limits.time", ORDER_LOW },
	[SETTING_CGROUP] = { "limits.cgroup", ORDER_HIGH },
};

struct chosen {
	const struct policy_layer *layer; /* NULL: nobody */
	uint64_t value;
};

static bool stricter(enum order o, uint64_t a, uint64_t b)
{
	return o == ORDER_LOW ? a < b : o == ORDER_HIGH ? a > b : false;
}

static bool is_base(const struct policy_layer *l)
{
	return l->source == SOURCE_PROFILE &&
	       strcmp(l->name, PROFILE_NAME_PREFIX PROFILE_BASE) == 0;
}

static void take(struct chosen *c, const struct policy_layer *l, enum policy_setting s)
{
	*c = (struct chosen){ l, l->settings[s].value };
}

/* The trusted layers' word.  `base` is only a default: it is no wish that could undercut a managed
 * value. */
static struct chosen choose(const struct policy_stack *st, enum policy_setting s)
{
	struct chosen managed = { 0 }, other = { 0 }, base = { 0 };

	for (size_t i = 0; i < st->n; i++) {
		const struct policy_layer *l = &st->layers[i];

		if (l->settings[s].line == 0 || l->untrusted)
			continue;
		if (l->source == SOURCE_MANAGED) {
			if (!managed.layer ||
			    stricter(settings[s].order, l->settings[s].value, managed.value))
				take(&managed, l, s);
		} else if (is_base(l)) {
			take(&base, l, s);
		} else if (!other.layer) {
			take(&other, l, s);
		}
	}
	if (managed.layer &&
	    !(other.layer && stricter(settings[s].order, other.value, managed.value)))
		return managed;
	return other.layer ? other : base;
}

/* What an untrusted layer asks for, as a person reads it; numbers go to `room`. */
static const char *setting_text(const struct policy_layer *l, enum policy_setting s,
				char room[static SETTING_TEXT_MAX])
{
	static const char *const words[SETTING_MAX][3] = {
		[SETTING_WORKSPACE_MODE] = { "none", "ro", "rw" },
		[SETTING_PROXY_ENV] = { "false", "true" },
		[SETTING_UNIX_SOCKET] = { "false", "true" },
		[SETTING_DNS_DENIED] = { [DNS_EXPLAIN] = "explain", [DNS_NXDOMAIN] = "nxdomain" },
		[SETTING_CGROUP] = { "best-effort", "required" },
	};
	uint64_t v = l->settings[s].value;

	if (s == SETTING_WORKSPACE_PATH)
		return l->workspace;
	if (v == LIMIT_NONE)
		return "none";
	if (words[s][0])
		return words[s][v];
	if (s == SETTING_CPUS)
		snprintf(room, SETTING_TEXT_MAX, "%llu.%03u", (unsigned long long)v / 1000,
			 (unsigned)(v % 1000));
	else
		snprintf(room, SETTING_TEXT_MAX, "%llu", (unsigned long long)v);
	return room;
}

/* Untrusted layers may make it stricter. */
static int tighten(struct merger *m, enum policy_setting s, struct chosen *c)
{
	for (size_t i = 0; i < m->stack->n; i++) {
		const struct policy_layer *l = &m->stack->layers[i];
		const struct setting_value *v = &l->settings[s];
		char room[SETTING_TEXT_MAX];
		int err;

		if (!l->untrusted || v->line == 0)
			continue;
		if (settings[s].order != ORDER_NONE && c->layer && v->value == c->value)
			continue;
		if (c->layer && stricter(settings[s].order, v->value, c->value)) {
			take(c, l, s);
			continue;
		}
		/* No limit so far: any is stricter. */
		if (!c->layer && settings[s].order == ORDER_LOW && v->value != LIMIT_NONE &&
		    s != SETTING_WORKSPACE_MODE) {
			take(c, l, s);
			continue;
		}
		err = merge_drop(m, l, v->line, settings[s].name, setting_text(l, s, room), NULL);
		if (err < 0)
			return err;
	}
	return 0;
}

static uint64_t limit(uint64_t v)
{
	return v == LIMIT_NONE ? 0 : v;
}

static void apply(struct policy *p, enum policy_setting s, const struct chosen *c)
{
	static const enum workspace_mode modes[] = {
		[WORKSPACE_RANK_NONE] = WORKSPACE_NONE,
		[WORKSPACE_RANK_RO] = WORKSPACE_RO,
		[WORKSPACE_RANK_RW] = WORKSPACE_RW,
	};
	struct policy_limits *l = &p->limits;
	uint64_t *limits[SETTING_MAX] = {
		[SETTING_MEMORY] = &l->memory, [SETTING_CPUS] = &l->cpu_milli,
		[SETTING_PIDS] = &l->pids,     [SETTING_TMP] = &l->tmp,
		[SETTING_HOME] = &l->home,     [SETTING_TIME] = &l->time,
	};

	if (limits[s])
		*limits[s] = limit(c->value);
	else if (s == SETTING_WORKSPACE_PATH)
		p->workspace = c->layer->workspace;
	else if (s == SETTING_WORKSPACE_MODE)
		p->workspace_mode = modes[c->value];
	else if (s == SETTING_PROXY_ENV)
		p->proxy_env = c->value;
	else if (s == SETTING_UNIX_SOCKET)
		p->unix_gateway = c->value;
	else if (s == SETTING_DNS_DENIED)
		p->dns_denied = (enum dns_denied)c->value;
	else if (s == SETTING_CGROUP)
		l->cgroup = (enum requirement)c->value;
	p->set_by[s] =
	    (struct origin){ c->layer->name, c->layer->settings[s].line, c->layer->source };
}

int merge_settings(struct merger *m)
{
	for (int i = 0; i < SETTING_MAX; i++) {
		enum policy_setting s = (enum policy_setting)i;
		struct chosen c = choose(m->stack, s);
		int err = tighten(m, s, &c);

		if (err < 0)
			return err;
		if (c.layer)
			apply(m->out, s, &c);
		if (c.layer && s == SETTING_ONLY_MANAGED)
			m->only_managed = c.value;
	}
	return 0;
}
