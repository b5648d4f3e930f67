/* SPDX-License-Identifier: Apache-2.0 */
/* nearest - see nearest.h.  Pure; called where a name of ours was not recognised (options,
 * commands, policy keys), outside the sandbox; the typed word may be hostile, its length is
 * bounded before anything is done. */
#include "base/nearest.h"

#include <limits.h>

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Optimal string alignment, three rows of the table at a time. */
unsigned nearest_distance(struct str a, struct str b)
{
	unsigned rows[3][NEAREST_WORD_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];

	if (a.len > NEAREST_WORD_MAX || b.len > NEAREST_WORD_MAX)
		return UINT_MAX;
	for (unsigned j = 0; j <= b.len; j++)
		last[j] = before[j] = j;
	for (unsigned i = 1; i <= a.len; i++) {
		unsigned *spare = before;

		now[0] = i;
		for (unsigned j = 1; j <= b.len; j++) {
			unsigned cost = a.p[i - 1] != b.p[j - 1];

			now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + cost);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				now[j] = min3(now[j], before[j - 2] + 1, now[j]);
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b.len];
}

void nearest_offer(struct nearest *n, const char *candidate)
{
	unsigned d = nearest_distance(n->word, str_from(candidate));
	unsigned most = n->word.len < 6 ? 1 : (unsigned)n->word.len / 3;

	if (d > most || (n->best && d >= n->distance))
		return;
	n->best = candidate;
	n->distance = d;
}
