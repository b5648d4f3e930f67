/* SPDX-License-Identifier: Apache-2.0 */
/* table - what every sandbox shows of the host's system directories: data for plan.c. */
#ifndef STOCKADE_FS_TABLE_H
#define STOCKADE_FS_TABLE_H

#include "fs/plan.h"

/* Seen inside as on the host, read-only, where the host has it: a symbolic link there becomes the
 * same link (no mount), everything else is bound. */
extern const char *const plan_system_paths[]; /* NULL-terminated */

/* Made anew: directories, links and files that no host file is shown for. */
struct plan_fixed {
	enum plan_kind kind;
	const char *target;
	const char *text; /* of a link or a file */
	unsigned mode;
};
extern const struct plan_fixed plan_fixed_steps[];
extern const size_t plan_nfixed;

/* No workspace and no mount may be one of these. */
extern const char *const plan_never_roots[];
/* ... nor one of these, nor lie in one of them. */
extern const char *const plan_never_trees[];
/* Nor be written; but for the second list. */
extern const char *const plan_never_write[];
extern const char *const plan_write_anyway[];

#endif
