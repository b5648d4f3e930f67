/* SPDX-License-Identifier: Apache-2.0 */
/* template - see template.h.  Pure; CLI. */
#include "policy/template.h"

static const char head[] =
    "# stockade.yaml - what an agent may do in this directory; stockade.yaml(5).\n"
    "# Everything is denied unless it is written.  `stockade policy check` reads it,\n"
    "# `stockade policy explain --connect HOST:PORT` says what would happen.\n"
    "\n"
    "# Built-in profiles: base, strict, claude-code, node, python (`stockade policy show`).\n";

static const char body[] =
    "\n"
    "# The directory the agent works on: rw, ro or none.\n"
    "workspace: { path: ., mode: rw }\n"
    "\n"
    "# What it sees besides: the home directory is empty but for these.\n"
    "filesystem:\n"
    "  read: []         # [~/.gitconfig]\n"
    "  write: []        # [~/.cache/npm]\n"
    "  hide: []         # [./secrets]\n"
    "\n"
    "network:\n"
    "  # A host, \"host:port\" (the package registry that this project uses, say), or a map:\n"
    "  #   - { host: api.example.com, methods: [GET], paths: [/v1/**], credential: example }\n"
    "  allow: []\n"
    "  deny: []\n"
    "\n"
    "# Secrets stay outside: the gateway adds them to requests of the rule that names them.\n"
    "# credentials:\n"
    "#   example:\n"
    "#     from: env:EXAMPLE_TOKEN            # or file:~/path, or cmd:command\n"
    "#     header: \"Authorization: Bearer {}\"\n"
    "#     placeholder_env: EXAMPLE_TOKEN     # the agent sees a placeholder here\n"
    "\n"
    "limits: { pids: 1024, tmp: 512M, home: 512M }   # memory: 4G, cpus: 2, time: 2h\n";

int template_write(const struct template_facts *f, struct buf *out)
{
	const char *names[3];
	size_t n = 0;
	int err = buf_append_str(out, str_from(head));

	if (f->claude)
		names[n++] = "claude-code";
	if (f->node)
		names[n++] = "node";
	if (f->python)
		names[n++] = "python";
	if (n == 0)
		names[n++] = "base";
	if (err == 0)
		err = buf_printf(out, "extends: [");
	for (size_t i = 0; err == 0 && i < n; i++)
		err = buf_printf(out, "%s%s", i ? ", " : "", names[i]);
	if (err == 0)
		err = buf_printf(out, "]\n");
	return err < 0 ? err : buf_append_str(out, str_from(body));
}
