/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials are read from where policy says, checked, and never named in an error by value. */
#include "launch/secrets.h"
#include "os/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char name[] = "api", header[] = "x-api-key", none[] = "", variable[] = "API_TOKEN";
static char file_of_policy[] = "stockade.yaml";

struct row {
	const char *what;
	enum credential_source source;
	const char *from;
	const char *want;  /* value, or NULL: refused */
	const char *error; /* in the message then */
};

static int load(enum credential_source source, const char *from, char *placeholder_env,
		struct secrets *ret, struct err *e)
{
	static char text[4096];
	static struct credential c;
	static struct net_rule rule;
	static struct policy p;

	snprintf(text, sizeof text, "%s", from);
	c = (struct credential){ .name = name,
				 .source = source,
				 .from = text,
				 .header = header,
				 .prefix = none,
				 .suffix = none,
				 .placeholder_env = placeholder_env,
				 .origin = { file_of_policy, 7, SOURCE_USER } };
	rule = (struct net_rule){ .action = ACTION_ALLOW, .credential = name };
	p = (struct policy){ .rules = &rule, .nrules = 1, .credentials = &c, .ncredentials = 1 };
	secrets_name(&p, ret);
	return secrets_read(ret, environ, e);
}

static const struct row table[] = {
	{ "variable", CREDENTIAL_ENV, "TOKEN", "from-env", NULL },
	{ "variable with '='", CREDENTIAL_ENV, "EQUALS", "a=b=c", NULL },
	{ "no such variable", CREDENTIAL_ENV, "NOSUCH", NULL, "NOSUCH is not set" },
	{ "prefix of a variable", CREDENTIAL_ENV, "TOKE", NULL, "not set" },
	{ "empty variable", CREDENTIAL_ENV, "EMPTY", NULL, "empty" },
	{ "variable with a line break", CREDENTIAL_ENV, "BROKEN", NULL, "line break" },
	{ "file", CREDENTIAL_FILE, "~/key", "from-file", NULL },
	{ "file, CRLF", CREDENTIAL_FILE, "~/crlf", "from-file", NULL },
	{ "file of two lines", CREDENTIAL_FILE, "~/two", NULL, "line break" },
	{ "no such file", CREDENTIAL_FILE, "~/nosuch", NULL, "No such file" },
	{ "directory", CREDENTIAL_FILE, "~/", NULL, "directory" },
	{ "FIFO", CREDENTIAL_FILE, "~/fifo", NULL, "Invalid argument" },
	{ "device", CREDENTIAL_FILE, "/dev/zero", NULL, "Invalid argument" },
	{ "too long a file", CREDENTIAL_FILE, "~/long", NULL, "" },
	{ "command", CREDENTIAL_CMD, "echo from-$TOKEN", "from-from-env", NULL },
	{ "command without line end", CREDENTIAL_CMD, "printf x", "x", NULL },
	{ "command that fails", CREDENTIAL_CMD, "echo x; exit 3", NULL, "status 3" },
	{ "command without output", CREDENTIAL_CMD, "true", NULL, "empty" },
	{ "command of two lines", CREDENTIAL_CMD, "echo a; echo b", NULL, "line break" },
	{ "endless command", CREDENTIAL_CMD, "yes from-hidden", NULL, "more than" },
	{ "command that writes NUL", CREDENTIAL_CMD, "printf 'a\\0b'", NULL, "0x00" },
	{ "command that does not exist", CREDENTIAL_CMD, "nosuch-command 2>&-", NULL,
	  "status 127" },
};

static char home[] = "/tmp/test-secrets-XXXXXX";

static void put(const char *file, const char *text, size_t n)
{
	char path[128];
	int fd;

	snprintf(path, sizeof path, "%s/%s", home, file);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && write(fd, text, n) == (ssize_t)n);
	close(fd);
}

static int make_home(void **state)
{
	static char big[40000];
	char path[128];

	(void)state;
	if (!mkdtemp(home))
		return -1;
	setenv("HOME", home, 1);
	setenv("TOKEN", "from-env", 1);
	setenv("EMPTY", "", 1);
	setenv("BROKEN", "from-hidden\nX: y", 1);
	setenv("EQUALS", "a=b=c", 1);
	put("key", "from-file\n", 10);
	put("crlf", "from-file\r\n", 11);
	put("two", "from-file\nhidden\n", 17);
	memset(big, 'a', sizeof big);
	put("long", big, sizeof big);
	snprintf(path, sizeof path, "%s/fifo", home);
	return mkfifo(path, 0600);
}

static int drop_home(void **state)
{
	static const char *const files[] = { "key", "crlf", "two", "long", "fifo" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		snprintf(path, sizeof path, "%s/%s", home, files[i]);
		unlink(path);
	}
	return rmdir(home);
}

static void each_source(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const struct row *t = &table[i];
		struct secrets s = { .n = 0 };
		struct err e = ERR_INIT;
		int r = load(t->source, t->from, NULL, &s, &e);

		if (!t->want) {
			if (r >= 0 || !strstr(e.text, t->error))
				fail_msg("%s: %d %s", t->what, r, e.text);
			assert_non_null(strstr(e.text, "stockade.yaml:7: credential"));
			assert_null(strstr(e.text, "hidden"));
			continue;
		}
		if (r < 0 || s.n != 1 || !str_eq(buf_str(&s.entries[0].value), str_from(t->want)))
			fail_msg("%s: %d %s", t->what, r, e.text);
		secrets_wipe(&s);
	}
}

static void placeholders_differ(void **state)
{
	struct secrets a, b;

	(void)state;
	assert_int_equal(load(CREDENTIAL_ENV, "TOKEN", variable, &a, NULL), 0);
	assert_int_equal(load(CREDENTIAL_ENV, "TOKEN", variable, &b, NULL), 0);
	assert_memory_equal(a.entries[0].placeholder, "sk-stockade-", 12);
	assert_int_equal(strlen(a.entries[0].placeholder), 44);
	assert_string_not_equal(a.entries[0].placeholder, b.entries[0].placeholder);
	secrets_wipe(&a);
	secrets_wipe(&b);
}

static void what_no_rule_binds_is_not_read(void **state)
{
	struct credential c = { .name = name, .source = CREDENTIAL_ENV, .from = none };
	struct net_rule free_rule = { .action = ACTION_ALLOW };
	struct policy p = {
		.credentials = &c, .ncredentials = 1, .rules = &free_rule, .nrules = 1
	};
	struct secrets s;

	(void)state;
	secrets_name(&p, &s);
	assert_int_equal(secrets_read(&s, environ, NULL), 0);
	assert_int_equal(s.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_source),
		cmocka_unit_test(placeholders_differ),
		cmocka_unit_test(what_no_rule_binds_is_not_read),
	};

	return cmocka_run_group_tests(tests, make_home, drop_home);
}
