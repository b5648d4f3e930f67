/* SPDX-License-Identifier: Apache-2.0 */
/* A policy file in a writable tree is read-only there; one behind a link there is refused. */
#include "fs/plan.h"

#include "base/own.h"
#include "fs/parts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* /w/link.yaml leads to /elsewhere/p.yaml, and back.yaml out there into the workspace. */
static int resolve(void *arg, const char *path, char **ret)
{
	(void)arg;
	if (strcmp(path, "/gone/p.yaml") == 0)
		return -ENOENT;
	if (strcmp(path, "/w/link.yaml") == 0)
		path = "/elsewhere/p.yaml";
	else if (strcmp(path, "/elsewhere/back.yaml") == 0)
		path = "/w/p.yaml";
	else if (strcmp(path, "p.yaml") == 0)
		path = "/w/p.yaml";
	else if (strcmp(path, ".") == 0)
		path = "/w";
	*ret = str_dup(str_from(path));
	return *ret ? 0 : -ENOMEM;
}

static const struct plan_step *find(const struct plan *p, const char *target)
{
	for (size_t i = 0; i < p->nsteps; i++)
		if (strcmp(p->steps[i].target, target) == 0)
			return &p->steps[i];
	return NULL;
}

static int make(const char *file, enum workspace_mode mode, struct plan *ret, struct err *e)
{
	const char *files[] = { file, "profile:base", "command line" };
	struct policy pol = { .workspace_mode = mode, .files = files, .nfiles = 3 };
	const struct plan_facts facts = { .home = "/home/u", .cwd = "/w", .resolve = resolve };
	char dot[] = ".";

	pol.workspace = dot;
	plan_init(ret);
	return plan_make(&pol, &facts, ret, e);
}

static void where_a_policy_file_lies(void **state)
{
	static const struct {
		const char *file;
		enum workspace_mode mode;
		const char *guarded; /* path with a read-only step of its own, or NULL */
		const char *error;
	} rows[] = {
		{ "/w/p.yaml", WORKSPACE_RW, "/w/p.yaml", NULL },
		{ "p.yaml", WORKSPACE_RW, "/w/p.yaml", NULL },
		{ "/w/a/b/p.yaml", WORKSPACE_RW, "/w/a/b/p.yaml", NULL },
		{ "/elsewhere/back.yaml", WORKSPACE_RW, "/w/p.yaml", NULL },
		{ "/w/p.yaml", WORKSPACE_RO, NULL, NULL },
		{ "/etc/stockade/managed.yaml", WORKSPACE_RW, NULL, NULL },
		{ "/w/link.yaml", WORKSPACE_RW, NULL, "symbolic link" },
		{ "/w/link.yaml", WORKSPACE_RO, NULL, NULL },
		{ "/gone/p.yaml", WORKSPACE_RW, NULL, "/gone/p.yaml" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(plan_done) struct plan p;
		struct err e = ERR_INIT;
		int r = make(rows[i].file, rows[i].mode, &p, &e);
		const struct plan_step *step =
		    r == 0 && rows[i].guarded ? find(&p, rows[i].guarded) : NULL;

		if (rows[i].error ? r >= 0 || !strstr(e.text, rows[i].error) : r < 0)
			fail_msg("%s: %d %s", rows[i].file, r, e.text);
		if (rows[i].guarded && !(step && step->kind == PLAN_BIND && step->read_only))
			fail_msg("%s: no read-only step on %s", rows[i].file, rows[i].guarded);
		if (!rows[i].guarded && r == 0 && find(&p, "/w/p.yaml"))
			fail_msg("%s: a step that nobody needs", rows[i].file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(where_a_policy_file_lies) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
