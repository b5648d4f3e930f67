/* SPDX-License-Identifier: Apache-2.0 */
/* merge - see merge.h.  Pure; launcher and CLI; layers may come from hostile files but have passed
 * the schema. */
#include "policy/merge_impl.h"

#include "base/own.h"
#include "policy/profiles.h"
#include "policy/read.h"

#include <errno.h>
#include <stdio.h>

static const char *const not_trusted = "the file is not trusted (stockade trust)";

int stack_init(struct policy_stack *s, struct err *e)
{
	s->n = 0;
	s->arena = arena_new();
	return s->arena ? 0 : err_set(e, -ENOMEM, "policy: out of memory");
}

void stack_done(struct policy_stack *s)
{
	arena_free(s->arena);
	s->arena = NULL;
	s->n = 0;
}

int stack_add(struct policy_stack *s, struct str text, const char *name, enum policy_source source,
	      bool untrusted, struct err *e)
{
	int err;

	if (s->n >= POLICY_LAYERS_MAX)
		return err_set(e, -E2BIG, "%s: more than %u policy layers", name,
			       POLICY_LAYERS_MAX);
	err = policy_read(s->arena, text, name, source, &s->layers[s->n], e);
	if (err < 0)
		return err;
	s->layers[s->n].untrusted = untrusted;
	s->pulled_by[s->n] = source;
	s->n++;
	return 0;
}

static bool have_profile(const struct policy_stack *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->layers[i].source == SOURCE_PROFILE &&
		    strcmp(s->layers[i].name + strlen(PROFILE_NAME_PREFIX), name) == 0)
			return true;
	return false;
}

static int add_profile(struct policy_stack *s, const char *name, enum policy_source pulled_by,
		       struct err *e)
{
	char label[64];
	int err;

	snprintf(label, sizeof label, PROFILE_NAME_PREFIX "%s", name);
	err = stack_add(s, profile_text(name), label, SOURCE_PROFILE, false, e);
	if (err == 0)
		s->pulled_by[s->n - 1] = pulled_by;
	return err;
}

/* Profiles of one layer.  `base` is left out here: it is added last, as the weakest. */
static int extend_layer(struct policy_stack *s, size_t which, struct err *e)
{
	const struct policy_layer *l = &s->layers[which];
	char list[256];
	int err = 0;

	for (size_t i = 0; err == 0 && i < l->nextends; i++) {
		const char *name = l->extends[i].text;

		if (!profile_text(name).p)
			return err_set(e, -EINVAL, "%s:%u: unknown profile '%.80s'; there are %s",
				       l->name, l->extends[i].line, name,
				       profile_list(list, sizeof list));
		if (strcmp(name, PROFILE_BASE) != 0 && !have_profile(s, name))
			err = add_profile(s, name, s->pulled_by[which], e);
	}
	return err;
}

static void sort_layers(struct policy_stack *s)
{
	for (size_t i = 1; i < s->n; i++)
		for (size_t j = i; j && s->layers[j - 1].source > s->layers[j].source; j--) {
			struct policy_layer l = s->layers[j];
			enum policy_source by = s->pulled_by[j];

			s->layers[j] = s->layers[j - 1];
			s->pulled_by[j] = s->pulled_by[j - 1];
			s->layers[j - 1] = l;
			s->pulled_by[j - 1] = by;
		}
}

static int resolve(struct merger *m)
{
	struct policy_stack *s = m->stack;
	int err = 0;

	sort_layers(s);
	/* s->n grows: profiles extend profiles. */
	for (size_t i = 0; err == 0 && i < s->n; i++) {
		const struct policy_layer *l = &s->layers[i];

		for (size_t j = 0; err == 0 && l->untrusted && j < l->nextends; j++)
			err = merge_drop(m, l, l->extends[j].line, "extends", l->extends[j].text,
					 not_trusted);
		if (err == 0 && !l->untrusted)
			err = extend_layer(s, i, m->e);
	}
	if (err == 0)
		err = add_profile(s, PROFILE_BASE, SOURCE_PROFILE, m->e);
	return err;
}

void *merge_push(struct merger *m, void **items, size_t *n, size_t item_size, size_t max)
{
	char *grown;

	if (*n >= max) {
		err_set(m->e, -E2BIG, "policy: more than %zu entries of one kind in all layers",
			max);
		return NULL;
	}
	grown = arena_vec(m->stack->arena, *items, *n, item_size);
	if (!grown) {
		err_set(m->e, -ENOMEM, "policy: out of memory");
		return NULL;
	}
	*items = grown;
	return memset(grown + (*n)++ * item_size, 0, item_size);
}

int merge_drop(struct merger *m, const struct policy_layer *l, unsigned line, const char *section,
	       const char *text, const char *why)
{
	void *items = m->out->dropped;
	/* Every droppable thing has a line of its own in a file: its own limits bound them. */
	struct policy_dropped *d =
	    merge_push(m, &items, &m->out->ndropped, sizeof *d, SIZE_MAX / sizeof *d);

	if (!d)
		return -ENOMEM;
	m->out->dropped = items;
	d->origin = (struct origin){ l->name, line, l->source };
	d->text = arena_printf(m->stack->arena, "%s: %.200s", section, text);
	d->why = why ? why : not_trusted;
	d->untrusted = l->untrusted;
	return d->text ? 0 : err_set(m->e, -ENOMEM, "policy: out of memory");
}

static int note_files(struct merger *m)
{
	for (size_t i = 0; i < m->stack->n; i++) {
		void *items = m->out->files;
		const char **slot =
		    merge_push(m, &items, &m->out->nfiles, sizeof *slot, POLICY_LAYERS_MAX);

		if (!slot)
			return -ENOMEM;
		m->out->files = items;
		*slot = m->stack->layers[i].name;
	}
	return 0;
}

int stack_merge(struct policy_stack *s, struct policy *ret, struct err *e)
{
	static int (*const steps[])(struct merger *) = {
		resolve,   note_files,	      merge_settings, merge_rules, merge_mounts,
		merge_env, merge_credentials, merge_sockets,  merge_check,
	};
	struct err unasked = ERR_INIT; /* the code is in there too */
	struct policy out;
	struct merger m = { .stack = s, .out = &out, .e = e ? e : &unasked };

	policy_init(&out);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		int err = steps[i](&m);

		if (err < 0)
			return err;
	}
	out.arena = TAKE_PTR(s->arena);
	s->n = 0;
	*ret = out;
	return 0;
}
