/* SPDX-License-Identifier: Apache-2.0 */
/* policy_check - `stockade policy check [FILE...]`: is it valid, and what is worth a look.  CLI. */
#include "base/own.h"
#include "cli/command.h"
#include "cli/policy_common.h"
#include "policy/lint.h"
#include "policy/show.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <stdio.h>

#define TEXT_MAX (16u * 1024 * 1024)

struct values {
	struct opt_list policies;
	bool json;
};

static const struct opt_spec options[] = {
	{ "policy", 'p', OPT_LIST, offsetof(struct values, policies), "FILE",
	  "Policy file to read besides the usual ones", "file" },
	{ "json", 0, OPT_FLAG, offsetof(struct values, json), NULL, "Write one JSON object", NULL },
	{ 0 },
};

static void say(void *arg, const struct origin *where, const char *text)
{
	(void)arg;
	printf("%s:%u: warning: %s\n", where->file, where->line, text);
}

static int check_json(const struct policy *p, const struct err *problem, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
	int err = show_check_json(p, problem, &b);

	if (err == 0)
		err = buf_append_c(&b, '\n');
	if (err < 0)
		return err_sys(e, err, "policy check");
	return policy_common_print(buf_str(&b), e);
}

static int check_text(const struct policy *p, struct err *e)
{
	size_t n;

	policy_common_dropped(p);
	n = policy_lint(p, say, NULL);
	printf(
	    "policy is valid: %zu files, %zu rules, %zu warnings, %zu entries that do not count\n",
	    p->nfiles, p->nrules, n, p->ndropped);
	return fflush(stdout) == 0 ? 0 : err_sys(e, -errno, "standard output");
}

static int run(const void *values, int noperands, char *const *operands, struct err *e)
{
	const struct values *v = values;
	struct opt_list list = v->policies;
	struct layers_report report;
	struct err problem = ERR_INIT;
	struct policy p;
	int err;

	for (int i = 0; i < noperands; i++) {
		if (list.n == OPT_LIST_MAX)
			return (err_set(e, -EINVAL, "more than %d policy files", OPT_LIST_MAX),
				EXIT_STOCKADE);
		list.items[list.n++] = operands[i];
	}
	err = policy_common_load(&list, NULL, &p, &report, &problem);
	if (err < 0) {
		if (v->json && check_json(NULL, &problem, e) < 0)
			return EXIT_STOCKADE;
		*e = problem;
		return EXIT_POLICY;
	}
	err = v->json ? check_json(&p, NULL, e) : check_text(&p, e);
	policy_done(&p);
	return err < 0 ? EXIT_STOCKADE : 0;
}

const struct command cmd_policy_check = {
	.name = "policy check",
	.summary = "Read the policy and say what is wrong or doubtful in it",
	.operands = "[FILE...]",
	.about =
	    "Reads all layers as run would, and each FILE like --policy FILE.  Errors and warnings "
	    "name file and line.  Exit code 0: valid (perhaps with warnings); 122: refused.",
	.examples = "stockade policy check\nstockade policy check --json stockade.yaml",
	.options = options,
	.values_size = sizeof(struct values),
	.max_operands = OPT_LIST_MAX,
	.run = run,
};
