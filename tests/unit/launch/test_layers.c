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

static void managed_drop_ins(void **state)
{
	struct policy p;
	char name[64];

	(void)state;
	put("etc/managed.d/.hidden.yaml", "nonsense: 1\n");
	put("etc/managed.d/a.yaml~", "nonsense: 1\n");
	assert_int_equal(load(&p), 0);
	policy_done(&p);
	put("etc/managed.d/a.yaml", "nonsense: 1\n");
	refused("etc/managed.d/a.yaml:1: unknown key 'nonsense'");
	put("etc/managed.d/a.yaml", "{}\n");
	assert_int_equal(chmod(at("etc/managed.d/a.yaml"), 0620), 0);
	refused("etc/managed.d/a.yaml: a managed policy must not be writable");
	unlink(at("etc/managed.d/a.yaml"));
	assert_int_equal(symlink("/nonexistent", at("etc/managed.d/a.yaml")), 0);
	refused("etc/managed.d/a.yaml: no such policy file");
	unlink(at("etc/managed.d/a.yaml"));
	for (int i = 0; i <= 64; i++) {
		snprintf(name, sizeof name, "etc/managed.d/%03d.yaml", i);
		put(name, "{}\n");
		if (i == 31) /* with the built-in base one more than there may be */
			refused("more than 32 policy layers");
	}
	refused("etc/managed.d: more than 64 files");
}

static void managed_drop_in_is_no_directory(void **state)
{
	(void)state;
	assert_int_equal(rmdir(at("etc/managed.d")), 0);
	put("etc/managed.d", "");
	refused("etc/managed.d: Not a directory");
}

/* A name that does not fit is a refusal, never a file that is left out. */
static void long_paths(void **state)
{
	static char name[PATH_TEXT_MAX];
	struct layers_request kept = req;

	(void)state;
	memset(name, 'a', sizeof name - 1);
	name[0] = '/';
	req.managed_dir = name;
	refused("path too long");
	req = kept;
	memcpy(req.config_dir, name, sizeof name);
	refused("path too long");
	req = kept;
	memcpy(req.project_dir, name, sizeof name);
	refused("path too long");
	req = kept;
	put("project/stockade.yaml", "{}\n");
	memcpy(req.state_dir, name, sizeof name);
	refused("path too long");
}

static void large_files(void **state)
{
	static char text[POLICY_FILE_MAX + 2];
	struct policy p;

	(void)state;
	memset(text, '#', sizeof text - 1);
	put("config/stockade.yaml", text);
	refused("config/stockade.yaml: larger than");
	text[POLICY_FILE_MAX] = '\0';
	put("config/stockade.yaml", text);
	assert_int_equal(load(&p), 0);
	policy_done(&p);
}

static void no_places(void **state)
{
	struct policy p;

	(void)state;
	put("project/stockade.yaml", "network: { allow: [p.test] }\n");
	put("config/stockade.yaml", "network: { allow: [u.test] }\n");
	req.managed_dir = NULL;
	req.config_dir[0] = '\0';
	req.state_dir[0] = '\0';
	assert_int_equal(load(&p), 0);
	assert_true(rep.project_found && !rep.project_trusted);
	assert_int_equal(p.nrules, 0);
	policy_done(&p);
	assert_int_equal(layers_trust(&req, &rep, false, &e), -ENOENT);
	assert_non_null(strstr(e.text, "set HOME or XDG_STATE_HOME"));
	req.trust_project = true;
	assert_int_equal(load(&p), 0);
	assert_true(!rep.project_trusted && p.nrules == 1);
	policy_done(&p);
	req.project_dir[0] = '\0';
	assert_int_equal(load(&p), 0);
	assert_true(!rep.project_found && p.nrules == 0);
	policy_done(&p);
}

static void command_line_options(void **state)
{
	struct policy p;

	(void)state;
	put("config/stockade.yaml", "limits: { pids: 9 }\n");
	req.options = STR_LIT("limits: { pids: 7 }\n");
	assert_int_equal(load(&p), 0);
	assert_int_equal(p.limits.pids, 7);
	policy_done(&p);
	req.options = STR_LIT("limits: { pids: x }\n");
	refused("command line:1: ");
}

static void control_characters_in_the_path(void **state)
{
	static const char *const names[] = { "esc\x1b[2J", "line\nbreak", "del\x7f" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char file[64];

		mkdir(at(names[i]), 0755);
		snprintf(file, sizeof file, "%s/stockade.yaml", names[i]);
		put(file, "{}\n");
		snprintf(req.project_dir, sizeof req.project_dir, "%s/%s", root, names[i]);
		refused("a control character in the path");
		assert_null(strpbrk(e.text, "\x1b\n\x7f"));
	}
}

/* What cannot be recorded is said, and leaves the old store and nothing beside it. */
static void trust_that_cannot_be_written(void **state)
{
	struct policy p;

	(void)state;
	put("project/stockade.yaml", "{}\n");
	assert_int_equal(load(&p), 0);
	policy_done(&p);
	put("state", "");
	assert_true(layers_trust(&req, &rep, false, &e) < 0);
	assert_non_null(strstr(e.text, "Not a directory"));
	unlink(at("state"));
	snprintf(req.state_dir, sizeof req.state_dir, "%s/project/stockade.yaml", root);
	assert_true(layers_trust(&req, &rep, false, &e) < 0);
	snprintf(req.state_dir, sizeof req.state_dir, "%s/state", root);
	strcpy(rep.project_path, "/a\n/b");
	assert_int_equal(layers_trust(&req, &rep, false, &e), -EINVAL);
	assert_int_equal(access(at("state/trust"), F_OK), -1);
	/* A directory stands where the store belongs. */
	strcpy(rep.project_path, "/a");
	mkdir(at("state/trust"), 0700);
	assert_true(layers_trust(&req, &rep, false, &e) < 0);
	assert_int_equal(rmdir(at("state/trust")), 0);
	assert_int_equal(rmdir(at("state")), 0); /* empty */
}

static void from_the_environment(void **state)
{
	static char too_long[PATH_TEXT_MAX + 8];
	static const struct {
		const char *config, *state, *home, *want_config, *want_state; /* NULL: unset */
	} rows[] = {
		{ "/c", "/s", "/h", "/c/stockade", "/s/stockade" },
		{ NULL, NULL, "/h", "/h/.config/stockade", "/h/.local/state/stockade" },
		{ "", "", "/h", "/h/.config/stockade", "/h/.local/state/stockade" },
		{ "rel", "./rel", "/h", "/h/.config/stockade", "/h/.local/state/stockade" },
		{ too_long, NULL, "/h", NULL, NULL },
		{ NULL, too_long, "/h", NULL, NULL },
		{ NULL, NULL, too_long, NULL, NULL },
	};

	(void)state;
	memset(too_long, 'a', sizeof too_long - 1);
	too_long[0] = '/';
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const values[] = { rows[i].config, rows[i].state, rows[i].home };
		static const char *const names[] = { "XDG_CONFIG_HOME", "XDG_STATE_HOME", "HOME" };
		struct layers_request got = { .npolicies = 7 };
		int r;

		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			if (values[k])
				setenv(names[k], values[k], 1);
			else
				unsetenv(names[k]);
		}
		e = ERR_INIT;
		r = layers_request_init(&got, &e);
		if (!rows[i].want_config) {
			assert_int_equal(r, -ENAMETOOLONG);
			assert_int_equal(got.npolicies, 7);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(e.text[0], '\0');
		assert_string_equal(got.config_dir, rows[i].want_config);
		assert_string_equal(got.state_dir, rows[i].want_state);
		assert_string_equal(got.managed_dir, LAYERS_MANAGED_DIR);
		assert_int_equal(got.project_dir[0], '/');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_layers, setup, teardown),
		cmocka_unit_test_setup_teardown(trust_follows_content, setup, teardown),
		cmocka_unit_test_setup_teardown(odd_files, setup, teardown),
		cmocka_unit_test_setup_teardown(managed_drop_ins, setup, teardown),
		cmocka_unit_test_setup_teardown(managed_drop_in_is_no_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(long_paths, setup, teardown),
		cmocka_unit_test_setup_teardown(large_files, setup, teardown),
		cmocka_unit_test_setup_teardown(no_places, setup, teardown),
		cmocka_unit_test_setup_teardown(command_line_options, setup, teardown),
		cmocka_unit_test_setup_teardown(control_characters_in_the_path, setup, teardown),
		cmocka_unit_test_setup_teardown(trust_that_cannot_be_written, setup, teardown),
		cmocka_unit_test(from_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
