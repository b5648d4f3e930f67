/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nearest - "did you mean": the known word nearest to a mistyped one.
 */
#ifndef STOCKADE_BASE_NEAREST_H
#define STOCKADE_BASE_NEAREST_H

#include "base/str.h"

/* Longer words are compared with nothing: no name of ours is that long, and the table of the
 * distance lies on the stack. */
#define NEAREST_WORD_MAX 63u

struct nearest {
	struct str word;   /* what was typed */
	const char *best;  /* NULL: nothing is near enough */
	unsigned distance; /* of best */
};

#define NEAREST_INIT(w) ((struct nearest){ .word = (w) })

/* Edits (insert, delete, replace, swap neighbours) that lead from a to b. */
unsigned nearest_distance(struct str a, struct str b);
/* Keeps `candidate` when it is nearer than all before, and near enough: at most a third of the
 * typed letters differ (at least one may).  `candidate` must outlive `n`. */
void nearest_offer(struct nearest *n, const char *candidate);

#endif
