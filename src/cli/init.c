/* SPDX-License-Identifier: Apache-2.0 */
/* init - `stockade init`: a commented stockade.yaml for the directory it stands in.  CLI. */
#include "base/own.h"
#include "cli/command.h"
#include "cli/policy_common.h"
#include "launch/layers.h"
#include "os/fd.h"
#include "policy/template.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define TEMPLATE_MAX 16384

struct values {
	bool print, force;
};

static const struct opt_spec options[] = {
	{ "print", 0, OPT_FLAG, offsetof(struct values, print), NULL,
	  "Write to standard output instead of " LAYERS_PROJECT_FILE, NULL },
	{ "force", 0, OPT_FLAG, offsetof(struct values, force), NULL,
	  "Replace a " LAYERS_PROJECT_FILE " that is there", NULL },
	{ 0 },
};

static bool any_here(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (faccessat(AT_FDCWD, names[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	return false;
}

static struct template_facts look(void)
{
	static const char *const claude[] = { ".claude", "CLAUDE.md" };
	static const char *const node[] = { "package.json", "package-lock.json", "yarn.lock",
					    "pnpm-lock.yaml" };
	static const char *const python[] = { "pyproject.toml", "requirements.txt", "setup.py",
					      "Pipfile", "uv.lock" };

	return (struct template_facts){
		.claude = any_here(claude, ARRAY_LEN(claude)),
		.node = any_here(node, ARRAY_LEN(node)),
		.python = any_here(python, ARRAY_LEN(python)),
	};
}

/* O_EXCL does not follow a link that lies in wait; --force takes the old name away first. */
static int write_new(struct str text, bool force, struct err *e)
{
	_cleanup_(close_fd) int fd = -1;
	int err;

	if (force && unlink(LAYERS_PROJECT_FILE) < 0 && errno != ENOENT)
		return err_sys(e, -errno, LAYERS_PROJECT_FILE);
	fd = open(LAYERS_PROJECT_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 && errno == EEXIST)
		return err_set(e, -EEXIST,
			       LAYERS_PROJECT_FILE " is there already (--force replaces it)");
	if (fd < 0)
		return err_sys(e, -errno, LAYERS_PROJECT_FILE);
	err = fd_write_all(fd, text.p, text.len);
	return err < 0 ? err_sys(e, err, LAYERS_PROJECT_FILE) : 0;
}

static int run(const void *values, int noperands, char *const *operands, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(TEMPLATE_MAX);
	const struct values *v = values;
	struct template_facts facts = look();
	int err = template_write(&facts, &b);

	(void)noperands;
	(void)operands;
	if (err < 0)
		err_sys(e, err, "init");
	else if (v->print)
		err = policy_common_print(buf_str(&b), e);
	else
		err = write_new(buf_str(&b), v->force, e);
	if (err < 0)
		return EXIT_STOCKADE;
	if (!v->print)
		printf("wrote " LAYERS_PROJECT_FILE "; read it, then: stockade trust\n");
	return 0;
}

const struct command cmd_init = {
	.name = "init",
	.summary = "Write a commented policy for this directory",
	.operands = "",
	.about = "Writes " LAYERS_PROJECT_FILE
		 " with the profiles that fit what lies here (Claude Code, "
		 "Node, Python).  It counts in full after `stockade trust`.",
	.examples = "stockade init\nstockade init --print",
	.options = options,
	.values_size = sizeof(struct values),
	.run = run,
};
