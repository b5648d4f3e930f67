/* SPDX-License-Identifier: Apache-2.0 */
/* read_credentials - the section credentials.  Pure; launcher and CLI; the file may be hostile.  A
 * credential here is where the secret lies and how it is sent, never the secret. */
#include "policy/schema.h"

#include "base/own.h"

#include <errno.h>

static int read_from(struct reader *r, const struct node *n, void *target)
{
	static const struct {
		struct str prefix;
		enum credential_source source;
	} kinds[] = {
		{ { "env:", 4 }, CREDENTIAL_ENV },
		{ { "file:", 5 }, CREDENTIAL_FILE },
		{ { "cmd:", 4 }, CREDENTIAL_CMD },
	};
	struct credential *c = target;
	char *text;
	int err = schema_text(r, n, &text);

	if (err < 0)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_has_prefix(n->text, kinds[i].prefix)) {
			c->source = kinds[i].source;
			c->from = text + kinds[i].prefix.len;
		}
	/* What stands there may be the secret itself: it is not repeated. */
	if (!c->from || !*c->from)
		return schema_error(r, n->line,
				    "'from' must be env:VARIABLE, file:PATH or "
				    "cmd:COMMAND, never the secret itself");
	if (c->source == CREDENTIAL_ENV && !schema_env_name(str_from(c->from)))
		return schema_error(r, n->line,
				    "what follows 'env:' is no name of an environment variable");
	if (c->source == CREDENTIAL_FILE && c->from[0] != '/' &&
	    !str_has_prefix(str_from(c->from), STR_LIT("~/")))
		return schema_error(r, n->line, "a credential's file must start with '/' or '~/'");
	return 0;
}

/* RFC 9110 5.6.2 token. */
static bool token_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* Fields that say where a message goes or where it ends: no secret belongs there. */
static bool header_forbidden(struct str name)
{
	static const char *const names[] = { "host",	"connection",	"content-length",
					     "te",	"upgrade",	"transfer-encoding",
					     "trailer", "keep-alive",	"proxy-authorization",
					     "expect",	"content-type", "proxy-connection" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_ieq(name, str_from(names[i])))
			return true;
	return false;
}

/* "Name: {}" with one hole, which is not in the name. */
static bool header_split(struct str text, struct str *ret_name, struct str *ret_prefix,
			 struct str *ret_suffix)
{
	size_t colon = str_index(text, ':');
	const char *hole = strstr(text.p, "{}"); /* the tree's texts end in NUL */
	const char *value = text.p + colon + 1;

	if (colon == 0 || colon == text.len || !hole || hole < value || strstr(hole + 2, "{}") ||
	    !str_printable(text))
		return false;
	for (size_t i = 0; i < colon; i++)
		if (!token_byte(text.p[i]))
			return false;
	value += strspn(value, " ");
	*ret_name = (struct str){ text.p, colon };
	*ret_prefix = (struct str){ value, (size_t)(hole - value) };
	*ret_suffix = str_from(hole + 2);
	return true;
}

static int read_header(struct reader *r, const struct node *n, void *target)
{
	struct credential *c = target;
	struct str name, prefix, suffix;
	char *text;
	int err = schema_text(r, n, &text);

	if (err < 0)
		return err;
	if (!header_split((struct str){ text, n->text.len }, &name, &prefix, &suffix))
		return schema_error(r, n->line,
				    "'header' must be \"Name: {}\" with one {} where the "
				    "secret goes, such as \"Authorization: Bearer {}\"");
	if (header_forbidden(name))
		return schema_error(r, n->line, "header '%.*s' cannot carry a credential",
				    STR_FMT(name));
	c->header = arena_str(r->arena, name);
	c->prefix = arena_str(r->arena, prefix);
	c->suffix = arena_str(r->arena, suffix);
	if (!c->header || !c->prefix || !c->suffix)
		return schema_oom(r);
	for (char *p = c->header; *p; p++)
		*p = str_lower(*p);
	return 0;
}

static int read_placeholder(struct reader *r, const struct node *n, void *target)
{
	struct credential *c = target;
	int err = schema_text(r, n, &c->placeholder_env);

	if (err < 0)
		return err;
	if (!schema_env_name(n->text))
		return schema_error(r, n->line, "'%.80s' is no name of an environment variable",
				    n->text.p);
	return 0;
}

static int read_optional(struct reader *r, const struct node *n, void *target)
{
	struct credential *c = target;

	return schema_bool(r, n, &c->optional);
}

static const struct field fields[] = {
	{ "from", FIELD_SCALAR, read_from },
	{ "header", FIELD_SCALAR, read_header },
	{ "placeholder_env", FIELD_SCALAR, read_placeholder },
	{ "optional", FIELD_SCALAR, read_optional },
	{ "query", FIELD_LATER, NULL },
	{ "basic", FIELD_LATER, NULL },
	{ "sign", FIELD_LATER, NULL },
	{ "oauth", FIELD_LATER, NULL },
	{ "ttl", FIELD_LATER, NULL },
};

static bool name_ok(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '_'))
			return false;
	}
	return s.len > 0 && s.len <= 64; /* a name, for logs */
}

static int read_credential(struct reader *r, const struct node *n)
{
	struct policy_layer *l = r->layer;
	struct credential c = { .origin = schema_origin(r, n) }, *slot;
	void *items = l->credentials;
	int err;

	if (!name_ok(n->key))
		return schema_error(r, n->key_line,
				    "a credential's name has 1 to 64 of "
				    "[A-Za-z0-9_-]");
	if (n->kind != NODE_MAP)
		return schema_error(r, n->line, "credential '%s' must be a map", n->key.p);
	c.name = (char *)(uintptr_t)n->key.p; /* the tree's copy, in the same arena */
	err = schema_map(r, n, "a credential", fields, ARRAY_LEN(fields), &c);
	if (err < 0)
		return err;
	if (!c.from || !c.header)
		return schema_error(r, n->key_line, "credential '%s' needs '%s'", c.name,
				    c.from ? "header" : "from");
	slot = schema_push(r, &items, &l->ncredentials, sizeof *slot);
	if (!slot)
		return -ENOMEM;
	l->credentials = items;
	*slot = c;
	return 0;
}

int read_credentials(struct reader *r, const struct node *n, void *target)
{
	(void)target;
	if (n->n > POLICY_CREDENTIALS_MAX)
		return err_set(r->e, -E2BIG, "%s:%u: more than %u credentials", r->name, n->line,
			       POLICY_CREDENTIALS_MAX);
	for (const struct node *c = n->first; c; c = c->next) {
		int err = read_credential(r, c);

		if (err < 0)
			return err;
	}
	return 0;
}
