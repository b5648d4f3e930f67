/* SPDX-License-Identifier: Apache-2.0 */
/* clock - the two clocks we read. */
#ifndef STOCKADE_OS_CLOCK_H
#define STOCKADE_OS_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Since boot; for time-outs. */
static inline uint64_t clock_mono_ms(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000000u;
}

/* Since 1970; for logs only, never for a decision. */
static inline uint64_t clock_real_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

#endif
