/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field - the one table of what a record holds: how a member is named in the log, where it lies in
 * struct audit_record, and how long it may be.  Packing, unpacking, writing and reading follow it,
 * and so does the test that compares it with doc/AUDIT.md.
 */
#ifndef STOCKADE_AUDIT_FIELD_H
#define STOCKADE_AUDIT_FIELD_H

#include "audit/record.h"

enum audit_field_kind {
	AUDIT_FIELD_STR,
	AUDIT_FIELD_PATH, /* a string that ends at '?' or '#': no query, no fragment */
	AUDIT_FIELD_U16,
	AUDIT_FIELD_U64,
};

struct audit_field {
	const char *name;
	enum audit_field_kind kind;
	size_t offset; /* into struct audit_record */
	size_t max;    /* longest string written, in bytes; longer ones are cut and end in "..." */
	unsigned always; /* bit per enum audit_event: written there even when it is 0 */
};

extern const struct audit_field audit_fields[];
extern const size_t audit_nfields;

static inline struct str *audit_field_str(struct audit_record *r, const struct audit_field *f)
{
	return (struct str *)(void *)((char *)r + f->offset);
}

#endif
