/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree - a policy file as a small tree of scalars, lists and maps, strictly.
 *
 * YAML 1.1 has more than a policy needs, and each part of it has surprised somebody: anchors,
 * aliases, merge keys, tags, directives, several documents, keys that are no scalars and keys that
 * come twice are all refused with file and line.  Scalars stay text; the schema says what they are.
 */
#ifndef STOCKADE_POLICY_TREE_H
#define STOCKADE_POLICY_TREE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* The schema is five levels deep. */
#define TREE_DEPTH_MAX 8
/* Keys of one map: environment.set has the most. */
#define TREE_MAP_MAX 256
/* Values of one file: 4096 rules of a dozen values each. */
#define TREE_NODES_MAX 65536

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	bool plain;	   /* SCALAR: written without quotes */
	unsigned line;	   /* from 1 */
	struct str text;   /* SCALAR: its bytes, followed by a NUL that is not counted */
	struct str key;	   /* in a map */
	unsigned key_line; /* in a map */
	struct node *first, *next;
	size_t n; /* children */
};

/* *ret is NULL for a file without a document.  All memory is the arena's. */
int tree_read(struct arena *a, struct str text, const char *name, struct node **ret, struct err *e);
/* "a map", "a list", "a value". */
const char *node_kind_name(enum node_kind k);

#endif
