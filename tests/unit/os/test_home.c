/* SPDX-License-Identifier: Apache-2.0 */
/* home: what the environment says, what /etc/passwd says where it is silent, and what neither may.
 */
#include "os/home.h"

#include "base/own.h"

#include <errno.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static void set_or_unset(const char *name, const char *value)
{
	assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void places(void **state)
{
	static const struct {
		const char *xdg, *home, *config, *state;
	} rows[] = {
		{ "/x", "/home/u", "/x/stockade", "/x/stockade" },
		{ "/x/", NULL, "/x/stockade", "/x/stockade" },
		{ NULL, "/home/u", "/home/u/.config/stockade", "/home/u/.local/state/stockade" },
		{ "relative", "/home/u/", "/home/u/.config/stockade",
		  "/home/u/.local/state/stockade" },
		{ "", "/", "/.config/stockade", "/.local/state/stockade" },
	};
	char got[PATH_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		set_or_unset("HOME", rows[i].home);
		set_or_unset("XDG_CONFIG_HOME", rows[i].xdg);
		set_or_unset("XDG_STATE_HOME", rows[i].xdg);
		assert_int_equal(home_place(HOME_CONFIG, got, NULL), 0);
		assert_string_equal(got, rows[i].config);
		assert_int_equal(home_place(HOME_STATE, got, NULL), 0);
		assert_string_equal(got, rows[i].state);
	}
}

static void too_long(void **state)
{
	char text[PATH_TEXT_MAX + 1], got[PATH_TEXT_MAX] = "untouched";
	struct err e = ERR_INIT;
	struct home h = { .dir = "untouched" };

	(void)state;
	memset(text, 'a', sizeof text);
	text[0] = '/';
	text[PATH_TEXT_MAX] = '\0';
	set_or_unset("XDG_STATE_HOME", text);
	assert_int_equal(home_place(HOME_STATE, got, &e), -ENAMETOOLONG);
	assert_non_null(strstr(e.text, "XDG_STATE_HOME"));
	set_or_unset("XDG_STATE_HOME", NULL);
	set_or_unset("HOME", text);
	assert_int_equal(home_place(HOME_STATE, got, &e), -ENAMETOOLONG);
	assert_int_equal(home_find(&h, &e), -ENAMETOOLONG);
	/* Itself short enough, what lies below it is not. */
	text[PATH_TEXT_MAX - 5] = '\0';
	set_or_unset("HOME", text);
	assert_int_equal(home_find(&h, &e), 0);
	assert_int_equal(home_place(HOME_STATE, got, &e), -ENAMETOOLONG);
	assert_string_equal(got, "untouched");
}

static void users(void **state)
{
	static const char *const bad[] = { "",	  "-x",	  "a b",
					   "a/b", "a\nb", "abcdefghijabcdefghijabcdefghijabc" };
	struct home h;

	(void)state;
	set_or_unset("HOME", "/home/u");
	set_or_unset("USER", "some.one_2-x");
	assert_int_equal(home_find(&h, NULL), 0);
	assert_string_equal(h.dir, "/home/u");
	assert_string_equal(h.user, "some.one_2-x");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		set_or_unset("USER", bad[i]);
		assert_int_equal(home_find(&h, NULL), 0);
		assert_string_not_equal(h.user, bad[i]);
		assert_true(h.user[0] != '\0');
	}
}

/* Whoever runs this has an entry, or has none: both are answered for. */
static void passwd(void **state)
{
	static const char *const silent[] = { NULL, "", "relative" };
	const struct passwd *pw = getpwuid(getuid());
	struct err e = ERR_INIT;
	struct home h;

	(void)state;
	set_or_unset("USER", NULL);
	for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
		set_or_unset("HOME", silent[i]);
		if (pw) {
			assert_int_equal(home_find(&h, NULL), 0);
			assert_string_equal(h.dir, pw->pw_dir);
			assert_string_equal(h.user, pw->pw_name);
		} else {
			assert_int_equal(home_find(&h, &e), -ENOENT);
			assert_non_null(strstr(e.text, "set HOME"));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(too_long),
		cmocka_unit_test(users),
		cmocka_unit_test(passwd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
