/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz - what every fuzz target shares.  A target is one function; libFuzzer or replay.c calls it.
 * A property that does not hold aborts, with assertions on or off. */
#ifndef STOCKADE_TESTS_FUZZ_H
#define STOCKADE_TESTS_FUZZ_H

#include "base/str.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond)                                                                                 \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #cond);   \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static inline struct str fuzz_str(const uint8_t *data, size_t size)
{
	return (struct str){ (const char *)data, size };
}

/* True when `part` lies in `whole`, or is empty. */
static inline bool fuzz_inside(struct str part, struct str whole)
{
	return part.len == 0 || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

#endif
