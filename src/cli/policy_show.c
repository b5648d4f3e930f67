/* SPDX-License-Identifier: Apache-2.0 */
/* policy_show - `stockade policy show [PROFILE]`: the merged policy with the origin of each line.
 * CLI. */
#include "base/own.h"
#include "cli/command.h"
#include "cli/policy_common.h"
#include "policy/show.h"
#include "sandbox/sandbox.h"

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

static int run(const void *values, int noperands, char *const *operands, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
	const struct values *v = values;
	struct layers_report report;
	struct policy p;
	int err = policy_common_load(&v->policies, noperands ? operands[0] : NULL, &p, &report, e);

	if (err < 0)
		return EXIT_POLICY;
	policy_common_dropped(&p);
	err = v->json ? show_json(&p, &b) : show_yaml(&p, &b);
	policy_done(&p);
	if (err == 0 && v->json)
		err = buf_append_c(&b, '\n');
	if (err < 0)
		err_sys(e, err, "policy show");
	else
		err = policy_common_print(buf_str(&b), e);
	return err < 0 ? EXIT_STOCKADE : 0;
}

const struct command cmd_policy_show = {
	.name = "policy show",
	.summary = "Print the policy that a run here would have",
	.operands = "[PROFILE]",
	.about =
	    "Prints all layers merged, as YAML that could be used as a policy file, with file and "
	    "line of each entry; or, with PROFILE, a built-in profile alone.",
	.examples = "stockade policy show\nstockade policy show claude-code",
	.options = options,
	.values_size = sizeof(struct values),
	.max_operands = 1,
	.run = run,
};
