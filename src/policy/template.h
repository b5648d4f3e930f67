/* SPDX-License-Identifier: Apache-2.0 */
/* template - the commented policy that `stockade init` writes. */
#ifndef STOCKADE_POLICY_TEMPLATE_H
#define STOCKADE_POLICY_TEMPLATE_H

#include "base/buf.h"

struct template_facts {
	bool claude, node, python; /* what the directory looks like */
};

/* A valid policy for these facts. */
int template_write(const struct template_facts *f, struct buf *out);

#endif
