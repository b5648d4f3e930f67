/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust - `stockade trust`: shows what the project's policy file would grant, and records its
 * content. CLI.  The file is hostile: what is shown went through the schema and is escaped.
 */
#include "base/own.h"
#include "cli/command.h"
#include "cli/policy_common.h"
#include "policy/show.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct values {
	bool yes, revoke;
};

static const struct opt_spec options[] = {
	{ "yes", 'y', OPT_FLAG, offsetof(struct values, yes), NULL, "Record without asking", NULL },
	{ "revoke", 0, OPT_FLAG, offsetof(struct values, revoke), NULL, "Take the trust back",
	  NULL },
	{ 0 },
};

static void show_grants(const struct policy *p, const struct layers_report *rep)
{
	size_t n = 0;

	printf("%s\nsha256 %s\n", rep->project_path, rep->project_hash);
	for (size_t i = 0; i < p->ndropped; i++)
		if (p->dropped[i].untrusted) {
			printf("  line %u grants %s\n", p->dropped[i].origin.line,
			       p->dropped[i].text);
			n++;
		}
	if (n == 0)
		printf("  grants nothing beyond what counts already\n");
	fflush(stdout);
}

static bool confirmed(void)
{
	char answer[16] = "";

	if (!isatty(0))
		return false;
	printf("Trust this content? [y/N] ");
	fflush(stdout);
	return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int do_trust(const struct layers_request *req, const struct values *v, struct err *e)
{
	struct layers_report rep, again;
	struct layers_request full = *req;
	struct policy p;

	if (layers_load(req, &p, &rep, e) < 0)
		return EXIT_POLICY;
	if (!rep.project_found) {
		policy_done(&p);
		err_set(e, -ENOENT, "no " LAYERS_PROJECT_FILE " in this directory");
		return EXIT_STOCKADE;
	}
	if (rep.project_trusted) {
		policy_done(&p);
		printf("%s is trusted already\n", rep.project_path);
		return 0;
	}
	show_grants(&p, &rep);
	policy_done(&p);
	/* What only shows when it counts, such as an unknown profile. */
	full.trust_project = true;
	if (layers_load(&full, &p, &again, e) < 0)
		return EXIT_POLICY;
	policy_done(&p);
	if (!v->yes && !confirmed()) {
		err_set(e, -ECANCELED, "not recorded (--yes records without asking)");
		return EXIT_STOCKADE;
	}
	/* The hash that was shown, not that of a file that changed since. */
	if (layers_trust(req, &rep, false, e) < 0)
		return EXIT_STOCKADE;
	printf("trusted\n");
	return 0;
}

static int do_revoke(const struct layers_request *req, struct err *e)
{
	struct layers_report rep = { 0 };

	if (path_join(str_from(req->project_dir), STR_LIT(LAYERS_PROJECT_FILE), rep.project_path) <
	    0) {
		err_set(e, -ENAMETOOLONG, "path too long");
		return EXIT_STOCKADE;
	}
	return layers_trust(req, &rep, true, e) < 0 ? EXIT_STOCKADE : 0;
}

static int run(const void *values, int noperands, char *const *operands, struct err *e)
{
	const struct values *v = values;
	struct layers_request req;

	(void)noperands;
	(void)operands;
	if (layers_request_init(&req, e) < 0)
		return EXIT_STOCKADE;
	return v->revoke ? do_revoke(&req, e) : do_trust(&req, v, e);
}

const struct command cmd_trust = {
	.name = "trust",
	.summary = "Let this directory's policy file count in full",
	.operands = "",
	.about =
	    "A policy file that came with a directory may only tighten until you have seen what it "
	    "grants.  This shows it and records the file's content hash; a changed file must be "
	    "trusted again.",
	.examples = "stockade trust\nstockade trust --revoke",
	.options = options,
	.values_size = sizeof(struct values),
	.run = run,
};
