/* SPDX-License-Identifier: Apache-2.0 */
/* The plan's corners: contradictions, odd links of the host, environments that are too large. */
#include "fs/plan.h"

#include "base/own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int resolve(void *arg, const char *path, char **ret)
{
	(void)arg;
	if (strcmp(path, "/opt") == 0)
		return -ENOENT;
	*ret = str_dup(str_from(path));
	return *ret ? 0 : -ENOMEM;
}

static struct plan_facts facts(void)
{
	return (struct plan_facts){
		.uid = 1000,
		.gid = 1000,
		.home = "/home/u",
		.cwd = "/home/u/app",
		.user_name = "u",
		.resolve = resolve,
	};
}

static const struct plan_step *find(const struct plan *p, const char *target)
{
	for (size_t i = 0; i < p->nsteps; i++)
		if (strcmp(p->steps[i].target, target) == 0)
			return &p->steps[i];
	return NULL;
}

static const char *env(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->nenv; i++)
		if (strncmp(p->env[i], name, strlen(name)) == 0 && p->env[i][strlen(name)] == '=')
			return p->env[i] + strlen(name) + 1;
	return NULL;
}

/* A socket is bound read-only, which does not hinder connect(2): one that is also writable is a
 * contradiction. */
static void test_socket_is_also_written(void **state)
{
	struct policy_mount m[] = { { .mode = MOUNT_WRITE,
				      .path = (char *)"/data/x.sock",
				      .origin = { "p.yaml", 7, SOURCE_COMMAND } } };
	char *paths[] = { (char *)"/data/x.sock", (char *)"/data/x.sock" };
	struct policy pol = { .workspace_mode = WORKSPACE_NONE,
			      .mounts = m,
			      .nmounts = 1,
			      .unix_sockets = paths,
			      .nunix_sockets = 1 };
	struct plan_facts f = facts();
	struct err e = ERR_INIT;
	struct plan p;

	(void)state;
	plan_init(&p);
	assert_int_equal(plan_make(&pol, &f, &p, &e), -EINVAL);
	assert_non_null(strstr(e.text, "'/data/x.sock' would be mounted twice"));
	assert_non_null(strstr(e.text, "p.yaml:7"));
	pol.nmounts = 0;
	pol.nunix_sockets = 2; /* the same one twice is none */
	assert_int_equal(plan_make(&pol, &f, &p, &e), 0);
	plan_done(&p);
}

static const char *odd_link(void *arg, const char *path)
{
	(void)arg;
	if (strcmp(path, "/lib") == 0)
		return "../../usr/lib";
	if (strcmp(path, "/opt") == 0)
		return "/data/opt";
	if (strcmp(path, "/lib64") == 0)
		return "../usrlib";
	return NULL;
}

static void test_system_links(void **state)
{
	struct policy pol = { .workspace_mode = WORKSPACE_NONE };
	struct plan_facts f = facts();
	_cleanup_(plan_done) struct plan p;

	(void)state;
	plan_init(&p);
	f.top_link = odd_link;
	f.uid = 0;
	f.state_dir = NULL;
	f.config_dir = "";
	assert_int_equal(plan_make(&pol, &f, &p, NULL), 0);
	assert_string_equal(find(&p, "/lib")->source, "../../usr/lib");
	assert_int_equal(find(&p, "/lib")->kind, PLAN_SYMLINK);
	assert_null(find(&p, "/usr"));
	assert_null(find(&p, "/opt")); /* leads nowhere */
	/* A name that begins like /usr is not in it. */
	assert_int_equal(find(&p, "/lib64")->kind, PLAN_BIND);
	assert_non_null(strstr(find(&p, "/etc/passwd")->content, "root:x:0:"));
	assert_string_equal(env(&p, "USER"), "root");
}

static void test_too_many_variables(void **state)
{
	static struct env_entry set[2 * POLICY_ENV_MAX + 1];
	static char names[ARRAY_LEN(set)][16];
	struct policy pol = { .workspace_mode = WORKSPACE_NONE,
			      .env = set,
			      .nenv = ARRAY_LEN(set) };
	struct plan_facts f = facts();
	struct err e = ERR_INIT;
	struct plan p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(set); i++) {
		snprintf(names[i], sizeof names[i], "V%zu", i);
		set[i] = (struct env_entry){ .name = names[i], .value = names[i] };
	}
	assert_int_equal(plan_make(&pol, &f, &p, &e), -E2BIG);
	assert_string_equal(e.text, "environment: more than 512 variables");
}

/* One value as long as execve(2) takes it, and one byte more. */
static void test_long_variable(void **state)
{
	static char value[128 * 1024];
	struct env_entry set[] = { { .name = (char *)"A", .value = value } };
	struct policy pol = { .workspace_mode = WORKSPACE_NONE, .env = set, .nenv = 1 };
	struct plan_facts f = facts();
	struct err e = ERR_INIT;
	struct plan p;

	(void)state;
	plan_init(&p);
	memset(value, 'x', sizeof value - 2);
	assert_int_equal(plan_make(&pol, &f, &p, &e), 0);
	assert_int_equal(strlen(env(&p, "A")), sizeof value - 2);
	plan_done(&p);
	value[sizeof value - 2] = 'x';
	assert_int_equal(plan_make(&pol, &f, &p, &e), -E2BIG);
	assert_string_equal(e.text, "environment: the value of A is too long");
}

/* What no file says is "policy", and what may be missing says so. */
static void test_no_origin(void **state)
{
	struct policy_mount m[] = { { .mode = MOUNT_READ, .path = (char *)"/proc/1" },
				    { .mode = MOUNT_HIDE, .path = (char *)"/usr/x" } };
	struct policy pol = { .workspace_mode = WORKSPACE_NONE, .mounts = m, .nmounts = 1 };
	_cleanup_(buf_done) struct buf json = BUF_INIT(1 << 20);
	_cleanup_(plan_done) struct plan p;
	struct plan_facts f = facts();
	struct err e = ERR_INIT;

	(void)state;
	plan_init(&p);
	assert_int_equal(plan_make(&pol, &f, &p, &e), -EINVAL);
	assert_true(strncmp(e.text, "policy: ", 8) == 0);
	pol.mounts = &m[1];
	assert_int_equal(plan_make(&pol, &f, &p, &e), 0);
	assert_true(find(&p, "/usr/x")->optional);
	assert_int_equal(plan_print(&p, true, &json), 0);
	assert_non_null(strstr(buf_cstr(&json), "\"optional\":true"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_socket_is_also_written),
		cmocka_unit_test(test_system_links),
		cmocka_unit_test(test_too_many_variables),
		cmocka_unit_test(test_long_variable),
		cmocka_unit_test(test_no_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
