/* SPDX-License-Identifier: Apache-2.0 */
/* summary - what the user sees when a session ends: three lines, or one JSON object. */
#ifndef STOCKADE_LAUNCH_SUMMARY_H
#define STOCKADE_LAUNCH_SUMMARY_H

#include "audit/tally.h"

#include <stdbool.h>

struct summary {
	struct audit_tally tally;
	const char *session_id;
	const char *log_path;
	const char *changed; /* a path of the host that was writable, the workspace first; or "" */
	unsigned nchanged;   /* how many such paths */
	int exit_code;
};

/* Sorts the tally.  Text lines begin with "stockade: ". */
int summary_format(struct summary *s, bool json, struct buf *out);

#endif
