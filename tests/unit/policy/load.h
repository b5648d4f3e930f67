/* SPDX-License-Identifier: Apache-2.0 */
/* load - a policy from text in one call, for the tests of this folder. */
#ifndef STOCKADE_TESTS_POLICY_LOAD_H
#define STOCKADE_TESTS_POLICY_LOAD_H

#include "policy/merge.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct test_layer {
	const char *text;
	const char *name;
	enum policy_source source;
	bool untrusted;
};

static inline int load_layers(const struct test_layer *l, size_t n, struct policy *ret,
			      struct err *e)
{
	struct policy_stack s;
	int r = stack_init(&s, e);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = stack_add(&s, str_from(l[i].text), l[i].name, l[i].source, l[i].untrusted, e);
	if (r == 0)
		r = stack_merge(&s, ret, e);
	stack_done(&s);
	return r;
}

static inline int load_one(struct str text, struct policy *ret, struct err *e)
{
	struct policy_stack s;
	int r = stack_init(&s, e);

	if (r == 0)
		r = stack_add(&s, text, "f.yaml", SOURCE_COMMAND, false, e);
	if (r == 0)
		r = stack_merge(&s, ret, e);
	stack_done(&s);
	return r;
}

#endif
