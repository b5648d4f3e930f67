/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read - a policy file's bytes into a layer.  Purely in memory.
 */
#ifndef STOCKADE_POLICY_READ_H
#define STOCKADE_POLICY_READ_H

#include "base/err.h"
#include "policy/layer.h"

/* `name` is what messages and origins call the file; both it and everything in `ret` live in `a`.
 * Limits: policy.h.  -EINVAL refused, -E2BIG over a limit, -ENOMEM; `e` begins "name:line: ". */
int policy_read(struct arena *a, struct str text, const char *name, enum policy_source source,
		struct policy_layer *ret, struct err *e);

#endif
