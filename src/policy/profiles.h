/* SPDX-License-Identifier: Apache-2.0 */
/* profiles - the policies that are built in: profiles/<name>.yaml, compiled into the program. */
#ifndef STOCKADE_POLICY_PROFILES_H
#define STOCKADE_POLICY_PROFILES_H

#include "base/str.h"

/* Always there, weakest. */
#define PROFILE_BASE "base"
/* How a profile is called in messages and origins: "profile:base". */
#define PROFILE_NAME_PREFIX "profile:"

struct profile {
	const char *name;
	struct str text;
};

/* Sorted by name; ends with a NULL name.  Generated. */
extern const struct profile profile_table[];

/* p == NULL: there is none of this name. */
struct str profile_text(const char *name);
/* "base, claude-code, ..." */
const char *profile_list(char *ret, size_t cap);

#endif
