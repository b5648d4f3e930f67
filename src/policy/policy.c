/* SPDX-License-Identifier: Apache-2.0 */
/* policy - see policy.h.  Pure; every process that holds a policy. */
#include "policy/policy.h"

#include "base/own.h"

void policy_init(struct policy *p)
{
	static char here[] = "."; /* never written to */

	*p = (struct policy){ .workspace = here, .workspace_mode = WORKSPACE_RO };
}

void policy_done(struct policy *p)
{
	arena_free(p->arena);
	policy_init(p);
}

const char *source_name(enum policy_source s)
{
	static const char *const names[] = {
		[SOURCE_MANAGED] = "managed", [SOURCE_COMMAND] = "command",
		[SOURCE_PROJECT] = "project", [SOURCE_USER] = "user",
		[SOURCE_PROFILE] = "profile",
	};

	return (size_t)s < ARRAY_LEN(names) ? names[s] : "unknown";
}

const struct credential *policy_credential(const struct policy *p, const char *name)
{
	for (size_t i = 0; name && i < p->ncredentials; i++)
		if (strcmp(p->credentials[i].name, name) == 0)
			return &p->credentials[i];
	return NULL;
}
