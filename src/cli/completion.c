/* SPDX-License-Identifier: Apache-2.0 */
/* completion - `stockade completion SHELL` prints a script that the shell sources.  The process
 * the user started; the input is one word of the user's. */
#include "cli/command.h"
#include "cli/complete.h"

#include "base/own.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*write)(struct buf *out);
} shells[] = {
	{ "bash", complete_bash },
	{ "zsh", complete_zsh },
	{ "fish", complete_fish },
};

static int run(const void *values, int noperands, char *const *operands, struct err *e)
{
	struct buf script = BUF_INIT(COMPLETE_MAX);
	int r = -EINVAL;

	(void)values;
	(void)noperands;
	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (strcmp(operands[0], shells[i].name) == 0)
			r = shells[i].write(&script);
	if (r == -EINVAL)
		err_set(e, r, "completion: '%s' is none of bash, zsh, fish", operands[0]);
	else if (r)
		err_sys(e, r, "completion: cannot write the script");
	else
		fwrite(buf_cstr(&script), 1, buf_len(&script), stdout);
	buf_done(&script);
	return r ? EXIT_STOCKADE : 0;
}

const struct command cmd_completion = {
	.name = "completion",
	.summary = "Print a completion script for bash, zsh or fish",
	.operands = "SHELL",
	.about =
	    "Prints a script that completes commands, options and their values. SHELL is bash, "
	    "zsh or fish. It is made from the tables that parse the command line.",
	.examples = "stockade completion bash",
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
