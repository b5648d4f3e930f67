/* SPDX-License-Identifier: Apache-2.0 */
/* doctor - `stockade doctor`: what this host offers, and how to mend what is missing.  Runs outside
 * any sandbox and changes nothing. */
#include "launch/doctor.h"
#include "base/own.h"
#include "cli/command.h"
#include "sandbox/sandbox.h"

#include <stdio.h>
#include <stdlib.h>

/* Two dozen rows of at most 500 bytes. */
#define REPORT_MAX 65536u

struct values {
	bool json;
};

static const struct opt_spec options[] = {
	{ "json", 0, OPT_FLAG, offsetof(struct values, json), NULL, "write one JSON object", NULL },
	{ 0 },
};

static int run(const void *values, int noperands, char *const *operands, struct err *e)
{
	const struct values *v = values;
	_cleanup_(buf_done) struct buf out = BUF_INIT(REPORT_MAX);
	struct doctor_facts facts;
	struct doctor d;
	int r;

	(void)noperands;
	(void)operands;
	if (doctor_gather(getenv("PATH"), &facts, e) < 0)
		return EXIT_STOCKADE;
	doctor_judge(&facts, &d);
	r = doctor_format(&d, v->json, &out);
	if (r < 0) {
		err_sys(e, r, "cannot write the report");
		return EXIT_STOCKADE;
	}
	fwrite(buf_cstr(&out), 1, buf_len(&out), stdout);
	return d.native ? 0 : 1;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "Show what this host offers, and how to mend what is missing",
	.operands = "",
	.about =
	    "Tries in a child process what a sandbox needs, and says for each thing whether it "
	    "is there, what it is for, and which command would mend it. Nothing is changed. "
	    "Exits with 1 when no sandbox can be made here.",
	.examples = "stockade doctor\n"
		    "stockade doctor --json\n",
	.options = options,
	.values_size = sizeof(struct values),
	.run = run,
};
