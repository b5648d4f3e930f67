/* SPDX-License-Identifier: Apache-2.0 */
/* hints - see hints.h.  CLI, in the process the user started; input is the user's own environment
 * and a policy that was read already. */
#include "cli/hints.h"

#include "base/path.h"
#include "base/str.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Has the source nothing to give?  A command is not run only to ask. */
static bool is_missing(const struct credential *c)
{
	if (!c->optional)
		return false;
	if (c->source == CREDENTIAL_ENV)
		return !getenv(c->from);
	return c->source == CREDENTIAL_FILE && c->from[0] == '/' && access(c->from, F_OK) < 0;
}

void hint_credentials(const struct policy *p, FILE *to)
{
	for (size_t i = 0; i < p->nrules; i++) {
		const struct net_rule *r = &p->rules[i];
		const struct credential *c = r->action == ACTION_ALLOW && r->credential
						 ? policy_credential(p, r->credential)
						 : NULL;

		if (c && is_missing(c))
			fprintf(to,
				"stockade: credential '%s' is missing: %s%s, so what needs it is "
				"refused (%s:%u)\n",
				c->name, c->from,
				c->source == CREDENTIAL_ENV ? " is not set" : " is not there",
				r->origin.file, r->origin.line);
	}
}

void hint_program(const char *program, const char *path, struct err *e)
{
	struct str rest = str_from(path ? path : ""), dir;
	char file[PATH_TEXT_MAX], real[PATH_MAX];

	if (strchr(program, '/'))
		return;
	while (str_next(&rest, ':', &dir)) {
		if (dir.len == 0 || dir.p[0] != '/' ||
		    path_join(dir, str_from(program), file) < 0 || access(file, X_OK) < 0)
			continue;
		if (!realpath(file, real))
			continue;
		err_set(e, e->code,
			"%s: is %s outside, but it, or the interpreter it names, is not there "
			"inside: show its folder with --read (or filesystem.read) and name it by "
			"its path, e.g. stockade run --read %.*s -- %s",
			program, file, (int)(strrchr(real, '/') - real), real, real);
		return;
	}
}
