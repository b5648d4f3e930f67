/* SPDX-License-Identifier: Apache-2.0 */
/* merge_impl - what the files of merge share; nobody else includes it. */
#ifndef STOCKADE_POLICY_MERGE_IMPL_H
#define STOCKADE_POLICY_MERGE_IMPL_H

#include "policy/merge.h"

struct merger {
	struct policy_stack *stack; /* layers sorted, strongest first */
	struct policy *out;
	bool only_managed;
	struct err *e; /* never NULL */
};

/* Appends a zeroed item; NULL (and `e`) without memory or past `max`. */
void *merge_push(struct merger *m, void **items, size_t *n, size_t item_size, size_t max);
/* Notes what does not count. */
int merge_drop(struct merger *m, const struct policy_layer *l, unsigned line, const char *section,
	       const char *text, const char *why);
int merge_settings(struct merger *m);
int merge_rules(struct merger *m);
int merge_mounts(struct merger *m);
int merge_env(struct merger *m);
int merge_credentials(struct merger *m);
int merge_sockets(struct merger *m);
/* What only the whole can show: undefined credentials, secrets passed through. */
int merge_check(struct merger *m);

#endif
