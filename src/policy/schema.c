/* SPDX-License-Identifier: Apache-2.0 */
/* schema - see schema.h.  Pure; launcher and CLI; values may be hostile and never reach a terminal
 * unescaped (err.c replaces control bytes). */
#include "policy/schema.h"

#include "base/nearest.h"
#include "base/own.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* How much of a wrong value a message repeats. */
#define QUOTE_MAX 80

void schema_error_text(struct reader *r, unsigned line, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_set_text(r->e, -EINVAL, "%s:%u: %s", r->name, line, text);
}

int schema_oom(struct reader *r)
{
	return err_set(r->e, -ENOMEM, "%s: out of memory", r->name);
}

const char *schema_suggest(struct reader *r, struct str word, const char *const *words, size_t n)
{
	struct nearest near = NEAREST_INIT(word);
	const char *text;

	for (size_t i = 0; i < n; i++)
		if (words[i])
			nearest_offer(&near, words[i]);
	if (!near.best)
		return "";
	text = arena_printf(r->arena, "; did you mean '%s'?", near.best);
	return text ? text : "";
}

static int unknown_key(struct reader *r, const struct node *n, const char *where,
		       const struct field *fields, size_t nfields)
{
	const char *names[32] = { 0 };

	if (!str_printable(n->key))
		return schema_error(r, n->key_line, "unknown key%s%s", *where ? " in " : "", where);
	for (size_t i = 0; i < nfields && i < ARRAY_LEN(names); i++)
		names[i] = fields[i].kind == FIELD_LATER ? NULL : fields[i].name;
	return schema_error(r, n->key_line, "unknown key '%.*s'%s%s%s",
			    (int)(n->key.len < QUOTE_MAX ? n->key.len : QUOTE_MAX), n->key.p,
			    *where ? " in " : "", where,
			    schema_suggest(r, n->key, names, ARRAY_LEN(names)));
}

static int check_kind(struct reader *r, const struct node *n, const struct field *f)
{
	static const struct {
		enum node_kind kind;
		const char *name;
	} want[] = {
		[FIELD_SCALAR] = { NODE_SCALAR, "a single value" },
		[FIELD_LIST] = { NODE_LIST, "a list" },
		[FIELD_MAP] = { NODE_MAP, "a map" },
	};

	if (f->kind == FIELD_LATER)
		return schema_error(r, n->key_line, "'%s' is not yet supported by this version",
				    f->name);
	if (f->kind == FIELD_ANY || want[f->kind].kind == n->kind)
		return 0;
	return schema_error(r, n->line, "'%s' must be %s, not %s", f->name, want[f->kind].name,
			    node_kind_name(n->kind));
}

static const struct field *find_field(struct str key, const struct field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(key, str_from(fields[i].name)))
			return &fields[i];
	return NULL;
}

int schema_map(struct reader *r, const struct node *map, const char *where,
	       const struct field *fields, size_t n, void *target)
{
	for (const struct node *c = map->first; c; c = c->next) {
		const struct field *f = find_field(c->key, fields, n);
		int err;

		if (!f)
			return unknown_key(r, c, where, fields, n);
		err = check_kind(r, c, f);
		if (err == 0)
			err = f->read(r, c, target);
		if (err < 0)
			return err;
	}
	return 0;
}

int schema_list(struct reader *r, const struct node *list, size_t max, bool any,
		int (*read)(struct reader *, const struct node *, void *), void *target)
{
	if (list->n > max)
		return err_set(r->e, -E2BIG, "%s:%u: %zu items, the most is %zu", r->name,
			       list->line, list->n, max);
	for (const struct node *c = list->first; c; c = c->next) {
		int err;

		if (!any && c->kind != NODE_SCALAR)
			return schema_error(r, c->line,
					    "an item here must be a single value, not %s",
					    node_kind_name(c->kind));
		err = read(r, c, target);
		if (err < 0)
			return err;
	}
	return 0;
}

static bool is_null(const struct node *n)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };

	for (size_t i = 0; n->plain && i < ARRAY_LEN(nulls); i++)
		if (str_eq(n->text, str_from(nulls[i])))
			return true;
	return false;
}

/* Characters that steer a terminal, or that show text in another order than it has: what a person
 * reads before trusting a file must be what it says. */
static const struct utf8_range steering[] = {
	{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0x61c, 0x61c },
	{ 0x200e, 0x200f }, { 0x202a, 0x202e }, { 0x2066, 0x2069 },
};

static bool steers(struct str s)
{
	while (s.len) {
		uint32_t c;
		size_t n = utf8_read(s, &c);

		if (n == 0 || utf8_among(c, steering, ARRAY_LEN(steering)))
			return true;
		s = (struct str){ s.p + n, s.len - n };
	}
	return false;
}

int schema_value(struct reader *r, const struct node *n, char **ret)
{
	if (n->kind != NODE_SCALAR)
		return schema_error(r, n->line, "must be a single value, not %s",
				    node_kind_name(n->kind));
	if (is_null(n))
		return schema_error(r, n->line, "a value is missing");
	if (n->text.len > POLICY_STRING_MAX)
		return err_set(r->e, -E2BIG, "%s:%u: text longer than %u bytes", r->name, n->line,
			       POLICY_STRING_MAX);
	if (steers(n->text))
		return schema_error(r, n->line, "control character in a value");
	*ret = (char *)(uintptr_t)n->text.p; /* the tree's copy, in the same arena */
	return 0;
}

int schema_text(struct reader *r, const struct node *n, char **ret)
{
	if (n->kind == NODE_SCALAR && !n->plain && n->text.len == 0)
		return schema_error(r, n->line, "an empty value");
	return schema_value(r, n, ret);
}

int schema_bool(struct reader *r, const struct node *n, bool *ret)
{
	bool yes = n->plain && str_eq(n->text, STR_LIT("true"));

	if (!yes && !(n->plain && str_eq(n->text, STR_LIT("false"))))
		return schema_error(r, n->line, "'%.*s' must be true or false", STR_FMT(n->key));
	*ret = yes;
	return 0;
}

int schema_word(struct reader *r, const struct node *n, const char *const *words, size_t nwords,
		size_t *ret)
{
	char list[256] = "";
	char *text;
	size_t len = 0;
	int err = schema_text(r, n, &text);

	if (err < 0)
		return err;
	for (size_t i = 0; i < nwords; i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret = i;
			return 0;
		}
		if (len < sizeof list)
			len += (size_t)snprintf(list + len, sizeof list - len, "%s%s",
						i ? ", " : "", words[i]);
	}
	return schema_error(r, n->line, "'%.*s' is not one of %s%s", QUOTE_MAX, text, list,
			    schema_suggest(r, n->text, words, nwords));
}

struct origin schema_origin(const struct reader *r, const struct node *n)
{
	return (struct origin){ r->name, n->key_line ? n->key_line : n->line, r->layer->source };
}

bool schema_env_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

		if (!letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return s.len > 0;
}

void *schema_push(struct reader *r, void **items, size_t *n, size_t item_size)
{
	char *grown = arena_vec(r->arena, *items, *n, item_size);

	if (!grown) {
		schema_oom(r);
		return NULL;
	}
	*items = grown;
	return memset(grown + (*n)++ * item_size, 0, item_size);
}

int schema_set(struct reader *r, const struct node *n, enum policy_setting s, uint64_t value)
{
	r->layer->settings[s] = (struct setting_value){ n->line, value };
	return 0;
}
