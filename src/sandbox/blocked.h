/* SPDX-License-Identifier: Apache-2.0 */
/* blocked - why this host refused a namespace, and what to do about it.  `stockade doctor` too. */
#ifndef STOCKADE_SANDBOX_BLOCKED_H
#define STOCKADE_SANDBOX_BLOCKED_H

#include "base/err.h"

/* Says which setting makes clone3 fail with `code`; returns code. */
int blocked_explain(int code, struct err *e);
/* Adds the same to a permission error of a later step; returns code. */
int blocked_context(int code, struct err *e);

#endif
