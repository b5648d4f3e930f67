/* SPDX-License-Identifier: Apache-2.0 */
/* show - records for a person's terminal: one aligned line each, nothing of it unescaped. */
#ifndef STOCKADE_AUDIT_SHOW_H
#define STOCKADE_AUDIT_SHOW_H

#include "audit/record.h"

#include <stdbool.h>

/* Text from outside for a terminal: printable ASCII and ordinary UTF-8 letters as they are; control
 * bytes, C1, invalid UTF-8, and the characters that turn, join or hide text (bidi controls, zero
 * width, line separators, tags) as \xNN bytes. */
int audit_escape(struct str s, struct buf *out);
/* "2026-01-31 23:59:59.123Z  deny   connect  evil.test:443  no-rule ...", with its newline. */
int audit_show(const struct audit_record *r, bool colour, struct buf *out);

#endif
