/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the files: what is there but wrong is refused, and trust follows the content. */
#include "launch/layers.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];
static struct layers_request req;
static char managed[128];

static const char *at(const char *name)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s", root, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(at(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(at(name), 0600), 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/layers.XXXXXX");
	assert_non_null(mkdtemp(root));
	mkdir(at("etc"), 0755);
	mkdir(at("etc/managed.d"), 0755);
	mkdir(at("config"), 0755);
	mkdir(at("project"), 0755);
	snprintf(managed, sizeof managed, "%s/etc", root);
	req = (struct layers_request){ .managed_dir = managed };
	snprintf(req.config_dir, sizeof req.config_dir, "%s/config", root);
	snprintf(req.state_dir, sizeof req.state_dir, "%s/state/x", root);
	snprintf(req.project_dir, sizeof req.project_dir, "%s/project", root);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", root);
	return system(command);
}

static struct err e;
static struct layers_report rep;

static int load(struct policy *p)
{
	e = ERR_INIT;
	return layers_load(&req, p, &rep, &e);
}

static void refused(const char *want)
{
	struct policy p;

	if (load(&p) >= 0)
		fail_msg("must be refused: %s", want);
	if (!strstr(e.text, want))
		fail_msg("said '%s', expected '%s'", e.text, want);
}

static void all_layers(void **state)
{
	static const char *command;
	struct policy p;

	(void)state;
	assert_int_equal(load(&p), 0); /* nothing there: base */
	assert_int_equal(p.nfiles, 1);
	assert_false(rep.project_found);
	policy_done(&p);
	put("etc/managed.yaml", "network: { deny: [m.test] }\n");
	put("etc/managed.d/b.yaml", "network: { deny: [b.test] }\n");
	put("etc/managed.d/a.yaml", "network: { deny: [a.test] }\n");
	put("etc/managed.d/ignored.txt", "?");
	put("config/stockade.yaml", "network: { allow: [u.test] }\n");
	put("command.yaml", "network: { allow: [c.test] }\n");
	put("project/stockade.yaml", "network: { allow: [p.test] }\n");
	command = at("command.yaml");
	req.policies = &command;
	req.npolicies = 1;
	if (load(&p) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(p.nrules, 5);
	assert_string_equal(p.rules[1].text, "deny a.test");
	assert_string_equal(p.rules[3].text, "allow c.test");
	assert_string_equal(p.rules[4].text, "allow u.test");
	assert_int_equal(p.ndropped, 1);
	policy_done(&p);
	req.npolicies = 0;
}

static void trust_follows_content(void **state)
{
	struct policy p;
	struct stat st;

	(void)state;
	put("project/stockade.yaml", "network: { allow: [p.test] }\n");
	assert_int_equal(load(&p), 0);
	assert_true(rep.project_found && !rep.project_trusted && !p.network);
	policy_done(&p);
	if (layers_trust(&req, &rep, false, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(stat(at("state/x/trust"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(load(&p), 0);
	assert_true(rep.project_trusted && p.network && p.ndropped == 0);
	policy_done(&p);
	put("project/stockade.yaml", "network: { allow: [p.test, more.test] }\n");
	assert_int_equal(load(&p), 0);
	assert_true(!rep.project_trusted && !p.network);
	policy_done(&p);
	put("project/stockade.yaml", "network: { allow: [p.test] }\n");
	assert_int_equal(layers_trust(&req, &rep, true, &e), 0);
	assert_int_equal(load(&p), 0);
	assert_false(rep.project_trusted);
	policy_done(&p);
	assert_int_equal(chmod(at("state/x/trust"), 0620), 0);
	refused("trust store must be yours");
	put("state/x/trust", "garbage\n");
	refused("not a line of the trust store");
	unlink(at("state/x/trust"));
	assert_int_equal(symlink("/dev/null", at("state/x/trust")), 0);
	refused("symbolic link");
}

static void odd_files(void **state)
{
	static const char *missing = "/nonexistent/x.yaml";
	struct policy p;

	(void)state;
	put("real.yaml", "network: { deny: [r.test] }\n");
	assert_int_equal(symlink("../real.yaml", at("project/stockade.yaml")), 0);
	refused("symbolic link");
	unlink(at("project/stockade.yaml"));
	assert_int_equal(mkfifo(at("project/stockade.yaml"), 0600), 0);
	refused("is no regular file");
	unlink(at("project/stockade.yaml"));
	mkdir(at("project/stockade.yaml"), 0755);
	refused("is no regular file");
	rmdir(at("project/stockade.yaml"));
	put("project/stockade.yaml", "nonsense: 1\n");
	refused("project/stockade.yaml:1: unknown key 'nonsense'");
	unlink(at("project/stockade.yaml"));
	/* the user's own file may be a link (dotfile managers), but to a regular file */
	assert_int_equal(symlink("../real.yaml", at("config/stockade.yaml")), 0);
	assert_int_equal(load(&p), 0);
	assert_int_equal(p.nrules, 1);
	policy_done(&p);
	unlink(at("config/stockade.yaml"));
	assert_int_equal(mkfifo(at("config/stockade.yaml"), 0600), 0);
	refused("is no regular file");
	unlink(at("config/stockade.yaml"));
	put("etc/managed.yaml", "{}\n");
	assert_int_equal(chmod(at("etc/managed.yaml"), 0666), 0);
	refused("must not be writable");
	unlink(at("etc/managed.yaml"));
	req.policies = &missing;
	req.npolicies = 1;
	refused("/nonexistent/x.yaml: no such policy file");
	req.npolicies = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_layers, setup, teardown),
		cmocka_unit_test_setup_teardown(trust_follows_content, setup, teardown),
		cmocka_unit_test_setup_teardown(odd_files, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
