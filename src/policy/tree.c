/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree - see tree.h.  Pure; launcher and CLI; the file may be hostile (a cloned repository), so
 * depth, width and number of values are bounded, and libyaml only ever sees POLICY_FILE_MAX bytes.
 */
#include "policy/tree.h"

#include "base/own.h"

#include <errno.h>
#include <yaml.h>

struct builder {
	struct arena *arena;
	const char *name;
	struct err *e;
	struct node *stack[TREE_DEPTH_MAX]; /* open lists and maps */
	struct node **tail[TREE_DEPTH_MAX]; /* where the next child goes */
	struct str key[TREE_DEPTH_MAX];	    /* of a map whose value has not come yet */
	unsigned key_line[TREE_DEPTH_MAX];
	unsigned depth;
	struct node *root;
	size_t nodes;
	bool had_document, finished;
};

static unsigned line_of(const yaml_event_t *ev)
{
	return (unsigned)ev->start_mark.line + 1;
}

static int refuse(struct builder *b, unsigned line, const char *what)
{
	return err_set(b->e, -EINVAL, "%s:%u: %s", b->name, line, what);
}

static int no_memory(struct builder *b)
{
	return err_set(b->e, -ENOMEM, "%s: out of memory", b->name);
}

/* A scalar where the open map waits for a key. */
static int take_key(struct builder *b, const yaml_event_t *ev)
{
	struct node *map = b->stack[b->depth - 1];
	struct str key = { (const char *)ev->data.scalar.value, ev->data.scalar.length };
	unsigned line = line_of(ev);
	char *copy;

	if (key.len == 0)
		return refuse(b, line, "an empty key");
	if (str_eq(key, STR_LIT("<<")))
		return refuse(b, line, "merge keys ('<<') are not allowed");
	if (map->n >= TREE_MAP_MAX)
		return err_set(b->e, -E2BIG, "%s:%u: more than %d keys in one map", b->name, line,
			       TREE_MAP_MAX);
	for (const struct node *n = map->first; n; n = n->next)
		if (str_eq(n->key, key))
			return err_set(b->e, -EINVAL,
				       "%s:%u: duplicate key '%.*s' (first on line %u)", b->name,
				       line, STR_FMT(key), n->key_line);
	copy = arena_str(b->arena, key);
	if (!copy)
		return no_memory(b);
	b->key[b->depth - 1] = (struct str){ copy, key.len };
	b->key_line[b->depth - 1] = line;
	return 0;
}

static bool wants_key(const struct builder *b)
{
	return b->depth && b->stack[b->depth - 1]->kind == NODE_MAP && !b->key[b->depth - 1].p;
}

static int add_node(struct builder *b, const yaml_event_t *ev, enum node_kind kind,
		    struct node **ret)
{
	struct node *n;

	if (++b->nodes > TREE_NODES_MAX)
		return err_set(b->e, -E2BIG, "%s:%u: more than %d values", b->name, line_of(ev),
			       TREE_NODES_MAX);
	n = arena_alloc(b->arena, sizeof *n);
	if (!n)
		return no_memory(b);
	n->kind = kind;
	n->line = line_of(ev);
	if (b->depth) {
		unsigned top = b->depth - 1;

		n->key = b->key[top];
		n->key_line = b->key_line[top];
		b->key[top] = STR_NONE;
		*b->tail[top] = n;
		b->tail[top] = &n->next;
		b->stack[top]->n++;
	} else {
		b->root = n;
	}
	*ret = n;
	return 0;
}

static int on_scalar(struct builder *b, const yaml_event_t *ev)
{
	struct str text = { (const char *)ev->data.scalar.value, ev->data.scalar.length };
	struct node *n;
	int r;

	if (ev->data.scalar.anchor)
		return refuse(b, line_of(ev), "anchors ('&') are not allowed");
	if (ev->data.scalar.tag)
		return refuse(b, line_of(ev), "tags ('!') are not allowed");
	if (wants_key(b))
		return take_key(b, ev);
	r = add_node(b, ev, NODE_SCALAR, &n);
	if (r < 0)
		return r;
	n->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	n->text = (struct str){ arena_str(b->arena, text), text.len };
	return n->text.p ? 0 : no_memory(b);
}

static int open_node(struct builder *b, const yaml_event_t *ev, enum node_kind kind, bool anchor,
		     bool tag)
{
	struct node *n;
	int r;

	if (anchor)
		return refuse(b, line_of(ev), "anchors ('&') are not allowed");
	if (tag)
		return refuse(b, line_of(ev), "tags ('!') are not allowed");
	if (wants_key(b))
		return refuse(b, line_of(ev), "a key must be a plain word, not a list or map");
	if (b->depth == TREE_DEPTH_MAX)
		return refuse(b, line_of(ev), "nested too deeply");
	r = add_node(b, ev, kind, &n);
	if (r < 0)
		return r;
	b->stack[b->depth] = n;
	b->tail[b->depth] = &n->first;
	b->key[b->depth] = STR_NONE;
	b->key_line[b->depth] = 0; /* a list has none */
	b->depth++;
	return 0;
}

static int on_list(struct builder *b, const yaml_event_t *ev)
{
	return open_node(b, ev, NODE_LIST, ev->data.sequence_start.anchor,
			 ev->data.sequence_start.tag);
}

static int on_map(struct builder *b, const yaml_event_t *ev)
{
	return open_node(b, ev, NODE_MAP, ev->data.mapping_start.anchor,
			 ev->data.mapping_start.tag);
}

static int on_close(struct builder *b, const yaml_event_t *ev)
{
	(void)ev;
	b->depth--;
	return 0;
}

static int on_document(struct builder *b, const yaml_event_t *ev)
{
	if (b->had_document)
		return refuse(b, line_of(ev), "a second document ('---'); a policy file is one");
	if (ev->data.document_start.version_directive ||
	    ev->data.document_start.tag_directives.start !=
		ev->data.document_start.tag_directives.end)
		return refuse(b, line_of(ev), "directives ('%') are not allowed");
	b->had_document = true;
	return 0;
}

static int on_alias(struct builder *b, const yaml_event_t *ev)
{
	return refuse(b, line_of(ev), "aliases ('*') are not allowed; quote a '*' that is text");
}

static int on_end(struct builder *b, const yaml_event_t *ev)
{
	(void)ev;
	b->finished = true;
	return 0;
}

static int on_nothing(struct builder *b, const yaml_event_t *ev)
{
	(void)b;
	(void)ev;
	return 0;
}

static int (*const handlers[])(struct builder *, const yaml_event_t *) = {
	[YAML_NO_EVENT] = on_nothing,		[YAML_STREAM_START_EVENT] = on_nothing,
	[YAML_STREAM_END_EVENT] = on_end,	[YAML_DOCUMENT_START_EVENT] = on_document,
	[YAML_DOCUMENT_END_EVENT] = on_nothing, [YAML_ALIAS_EVENT] = on_alias,
	[YAML_SCALAR_EVENT] = on_scalar,	[YAML_SEQUENCE_START_EVENT] = on_list,
	[YAML_SEQUENCE_END_EVENT] = on_close,	[YAML_MAPPING_START_EVENT] = on_map,
	[YAML_MAPPING_END_EVENT] = on_close,
};

/* libyaml's words are constants: nothing of the file's text is in them. */
static int parser_error(const struct builder *b, const yaml_parser_t *p)
{
	unsigned line = (unsigned)(p->problem_mark.line ? p->problem_mark.line : p->mark.line) + 1;

	if (p->error == YAML_MEMORY_ERROR)
		return err_set(b->e, -ENOMEM, "%s: out of memory", b->name);
	return err_set(b->e, -EINVAL, "%s:%u: not valid YAML: %s", b->name, line,
		       p->problem ? p->problem : "unknown problem");
}

static int run(struct builder *b, yaml_parser_t *p)
{
	while (!b->finished) {
		yaml_event_t ev;
		int r;

		if (!yaml_parser_parse(p, &ev))
			return parser_error(b, p);
		r = (size_t)ev.type < ARRAY_LEN(handlers) ? handlers[ev.type](b, &ev) : -EINVAL;
		yaml_event_delete(&ev);
		if (r < 0)
			return r;
	}
	return 0;
}

int tree_read(struct arena *a, struct str text, const char *name, struct node **ret, struct err *e)
{
	struct builder b = { .arena = a, .name = name, .e = e };
	yaml_parser_t p;
	int r;

	if (!yaml_parser_initialize(&p))
		return no_memory(&b);
	/* Told, not guessed: a UTF-16 file must not be read as anything. */
	yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p, (const unsigned char *)(text.p ? text.p : ""), text.len);
	r = run(&b, &p);
	yaml_parser_delete(&p);
	if (r < 0)
		return r;
	*ret = b.root;
	return 0;
}

const char *node_kind_name(enum node_kind k)
{
	static const char *const names[] = {
		[NODE_SCALAR] = "a single value",
		[NODE_LIST] = "a list",
		[NODE_MAP] = "a map",
	};

	return names[k];
}
