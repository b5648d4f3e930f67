/* SPDX-License-Identifier: Apache-2.0 */
/* env - see env.h.  Pure; launcher; the environment is the user's own. */
#include "base/env.h"

#include <string.h>

char *env_entry(char *const *env, const char *name)
{
	const size_t len = strlen(name);

	for (; env && *env; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return *env;
	return NULL;
}

const char *env_value(char *const *env, const char *name)
{
	const char *entry = env_entry(env, name);

	return entry ? entry + strlen(name) + 1 : NULL;
}
