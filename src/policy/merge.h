/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge - layers into one policy.
 *
 * Strength: managed > command > project > user > profiles, and among layers of one source the one
 * added first; `base` is always there, weakest.  Deny beats allow, hide beats read and write,
 * whatever the layers.  What can be set once is set by the strongest layer that says so, but a
 * managed layer's value is a ceiling for limits, workspace mode and cgroup: weaker layers may go
 * below it.  An untrusted layer may only tighten; what it would grant is listed in policy.dropped.
 */
#ifndef STOCKADE_POLICY_MERGE_H
#define STOCKADE_POLICY_MERGE_H

#include "base/err.h"
#include "policy/layer.h"

struct policy_stack {
	struct arena *arena; /* owns the layers; handed to the policy by stack_merge() */
	struct policy_layer layers[POLICY_LAYERS_MAX];
	enum policy_source pulled_by[POLICY_LAYERS_MAX]; /* profiles: the layer that extends them */
	size_t n;
};

int stack_init(struct policy_stack *s, struct err *e);
void stack_done(struct policy_stack *s); /* safe after stack_merge(), and twice */
/* Reads a file and adds it.  `name`: for messages. */
int stack_add(struct policy_stack *s, struct str text, const char *name, enum policy_source source,
	      bool untrusted, struct err *e);
/* Adds the profiles, merges, checks what only the whole can show.  On success `ret` owns all memory
 * and the stack is empty; on failure the stack keeps it. */
int stack_merge(struct policy_stack *s, struct policy *ret, struct err *e);

#endif
