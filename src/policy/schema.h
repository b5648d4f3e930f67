/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema - the grammar of a policy file as tables: which key may stand where, what kind of value it
 * has, and who reads it.
 *
 * Every reader returns 0 or a negative errno with "file:line: what, why, what to do" in `e`.
 */
#ifndef STOCKADE_POLICY_SCHEMA_H
#define STOCKADE_POLICY_SCHEMA_H

#include "base/err.h"
#include "policy/layer.h"
#include "policy/tree.h"

#include <errno.h>

struct reader {
	struct arena *arena;
	struct policy_layer *layer;
	const char *name;
	struct err *e;
};

enum field_kind {
	FIELD_SCALAR,
	FIELD_LIST,
	FIELD_MAP,
	FIELD_ANY,
	FIELD_LATER, /* known to the language, not to this version: refused by name */
};

struct field {
	const char *name;
	enum field_kind kind;
	int (*read)(struct reader *r, const struct node *n, void *target);
};

int schema_map(struct reader *r, const struct node *map, const char *where,
	       const struct field *fields, size_t n, void *target);
/* Each item of a list; an item is a scalar unless `any`; more than `max` is refused. */
int schema_list(struct reader *r, const struct node *list, size_t max, bool any,
		int (*read)(struct reader *, const struct node *, void *), void *target);
/* "file:line: text"; is -EINVAL, as a macro for the reason of err_set(). */
#define schema_error(r, line, ...) (schema_error_text((r), (line), __VA_ARGS__), -EINVAL)
void schema_error_text(struct reader *r, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int schema_oom(struct reader *r);
/* Text without control bytes, 1..POLICY_STRING_MAX bytes, not null.  A copy. */
int schema_text(struct reader *r, const struct node *n, char **ret);
/* As schema_text(), but may be empty: for environment values. */
int schema_value(struct reader *r, const struct node *n, char **ret);
int schema_bool(struct reader *r, const struct node *n, bool *ret);
/* Index of the word. */
int schema_word(struct reader *r, const struct node *n, const char *const *words, size_t nwords,
		size_t *ret);
/* "; did you mean 'x'?" or "". */
const char *schema_suggest(struct reader *r, struct str word, const char *const *words, size_t n);
struct origin schema_origin(const struct reader *r, const struct node *n);
bool schema_env_name(struct str s);
/* Appends a zeroed item to a vector of the arena; NULL (and `e`) without memory. */
void *schema_push(struct reader *r, void **items, size_t *n, size_t item_size);
/* Records a setting. */
int schema_set(struct reader *r, const struct node *n, enum policy_setting s, uint64_t value);

/* The sections; `target` is the layer. */
int read_workspace(struct reader *r, const struct node *n, void *target);
int read_filesystem(struct reader *r, const struct node *n, void *target);
int read_sockets(struct reader *r, const struct node *n, void *target);
int read_environment(struct reader *r, const struct node *n, void *target);
int read_network(struct reader *r, const struct node *n, void *target);
int read_credentials(struct reader *r, const struct node *n, void *target);
int read_limits(struct reader *r, const struct node *n, void *target);

#endif
