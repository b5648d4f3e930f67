/* SPDX-License-Identifier: Apache-2.0 */
/* moment - moments as nanoseconds since 1970 and as text.  UTC only: a log is read elsewhere, and
 * the proleptic Gregorian calendar needs neither files nor locks. */
#ifndef STOCKADE_AUDIT_MOMENT_H
#define STOCKADE_AUDIT_MOMENT_H

#include "base/str.h"

#include <stdint.h>

/* "2026-01-31T23:59:59.123456789Z" (RFC 3339) */
#define AUDIT_TIME_LEN 30

void audit_time_format(uint64_t time_ns, char ret[static AUDIT_TIME_LEN + 1]);
/* Exactly the form above; -EINVAL. */
int audit_time_parse(struct str s, uint64_t *ret_ns);
/* As a person writes it: "2026-01-31", "2026-01-31T23:59", "2026-01-31 23:59:59", each UTC and with
 * or without a final Z, or a duration before `now_ns`: "90s", "10m", "2h", "3d"; -EINVAL. */
int audit_time_parse_user(struct str s, uint64_t now_ns, uint64_t *ret_ns);

#endif
