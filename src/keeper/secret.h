/* SPDX-License-Identifier: Apache-2.0 */
/* secret - which bytes a credential may have, and memory that holds one. */
#ifndef STOCKADE_KEEPER_SECRET_H
#define STOCKADE_KEEPER_SECRET_H

#include "base/err.h"
#include "base/str.h"

/* Longest value: far above any token, and with its template it fits a message. */
#define SECRET_VALUE_MAX (32u * 1024)

/* Refuses an empty or too long value, control bytes (a CR or LF would write header fields of its
 * own), bytes outside ASCII, spaces at either end.  The error names `what` and the kind of byte,
 * never the value. */
int secret_check(struct str value, const char *what, struct err *e);

/* Pages for one value: out of the kernel's own map where memfd_secret(2) exists, else locked; never
 * in a core, never in a child. */
struct secret {
	char *pages; /* NULL: none */
	size_t size; /* of the pages */
	size_t len;  /* of the value */
};

int secret_keep(struct str value, struct secret *ret);
void secret_drop(struct secret *s);

#endif
