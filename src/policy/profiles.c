/* SPDX-License-Identifier: Apache-2.0 */
/* profiles - see profiles.h.  Pure. */
#include "policy/profiles.h"

#include <stdio.h>

struct str profile_text(const char *name)
{
	for (const struct profile *p = profile_table; p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p->text;
	return STR_NONE;
}

const char *profile_list(char *ret, size_t cap)
{
	size_t n = 0;

	ret[0] = '\0';
	for (const struct profile *p = profile_table; p->name && n < cap; p++)
		n += (size_t)snprintf(ret + n, cap - n, "%s%s", n ? ", " : "", p->name);
	return ret;
}
