/* SPDX-License-Identifier: Apache-2.0 */
/* idmap - what is under way, found by its 32-bit id.  Nodes are embedded in their owners. */
#ifndef STOCKADE_BACK_IDMAP_H
#define STOCKADE_BACK_IDMAP_H

#include <stddef.h>
#include <stdint.h>

/* Chains stay under four nodes at the most that back keeps under way (4096). */
#define IDMAP_BUCKETS 1024u

struct id_node {
	struct id_node *next;
	uint32_t id;
};

struct idmap {
	struct id_node *buckets[IDMAP_BUCKETS];
	size_t n;
};

static inline struct id_node **idmap_slot(struct idmap *m, uint32_t id)
{
	struct id_node **p = &m->buckets[id % IDMAP_BUCKETS];

	while (*p && (*p)->id != id)
		p = &(*p)->next;
	return p;
}

static inline struct id_node *idmap_find(struct idmap *m, uint32_t id)
{
	return *idmap_slot(m, id);
}

/* The id must not be in the map. */
static inline void idmap_add(struct idmap *m, struct id_node *node, uint32_t id)
{
	struct id_node **p = &m->buckets[id % IDMAP_BUCKETS];

	node->id = id;
	node->next = *p;
	*p = node;
	m->n++;
}

/* Returns the node, or NULL when there is none. */
static inline struct id_node *idmap_take(struct idmap *m, uint32_t id)
{
	struct id_node **p = idmap_slot(m, id), *node = *p;

	if (node) {
		*p = node->next;
		m->n--;
	}
	return node;
}

#endif
