/* SPDX-License-Identifier: Apache-2.0 */
/*
 * home - see home.h.  Launcher and CLI, in the process the user started; input is the user's own
 * environment.
 *
 * /etc/passwd is read with fgetpwent(), never through NSS: the command is linked statically, and a
 * name service has no say in what a sandbox looks like.
 */
#include "os/home.h"

#include "base/own.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

static void close_stream(FILE **f)
{
	if (*f)
		fclose(*f);
}

static int copy(char *to, size_t size, const char *from)
{
	int n = snprintf(to, size, "%s", from);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static bool user_ok(const char *s)
{
	size_t len = s ? strlen(s) : 0;

	return len > 0 && len <= HOME_USER_MAX && s[0] != '-' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		   len;
}

/* Fills what the environment did not say. */
static void from_passwd(struct home *h)
{
	_cleanup_(close_stream) FILE *file = NULL;
	const uid_t uid = getuid();
	struct passwd *pw;

	if (h->dir[0] && h->user[0])
		return;
	file = fopen("/etc/passwd", "re");
	while (file && (pw = fgetpwent(file))) {
		if (pw->pw_uid != uid)
			continue;
		if (!h->dir[0] && pw->pw_dir && pw->pw_dir[0] == '/' &&
		    copy(h->dir, sizeof h->dir, pw->pw_dir) < 0)
			h->dir[0] = '\0';
		if (!h->user[0] && user_ok(pw->pw_name))
			(void)copy(h->user, sizeof h->user, pw->pw_name);
		return;
	}
}

int home_find(struct home *ret, struct err *e)
{
	const char *dir = getenv("HOME"), *user = getenv("USER");
	struct home h;

	h.dir[0] = h.user[0] = '\0';
	if (dir && dir[0] == '/' && copy(h.dir, sizeof h.dir, dir) < 0)
		return err_set(e, -ENAMETOOLONG, "$HOME is too long");
	if (user_ok(user))
		(void)copy(h.user, sizeof h.user, user);
	from_passwd(&h);
	if (!h.dir[0])
		return err_set(e, -ENOENT,
			       "no home directory: $HOME is not an absolute path and uid %u has no "
			       "entry in /etc/passwd; set HOME",
			       getuid());
	if (!h.user[0])
		(void)copy(h.user, sizeof h.user, "agent");
	(void)copy(ret->dir, sizeof ret->dir, h.dir);
	(void)copy(ret->user, sizeof ret->user, h.user);
	return 0;
}

int home_place(enum home_place which, char ret[static PATH_TEXT_MAX], struct err *e)
{
	static const struct {
		const char *variable, *below_home;
	} places[] = {
		[HOME_CONFIG] = { "XDG_CONFIG_HOME", ".config/stockade" },
		[HOME_STATE] = { "XDG_STATE_HOME", ".local/state/stockade" },
	};
	const char *base = getenv(places[which].variable);
	struct home h;
	int r;

	if (base && base[0] == '/') { /* relative ones are to be ignored, says the specification */
		r = path_join(str_from(base), STR_LIT("stockade"), ret);
	} else {
		r = home_find(&h, e);
		if (r < 0)
			return r;
		r = path_join(str_from(h.dir), str_from(places[which].below_home), ret);
	}
	return r < 0 ? err_set(e, r, "$HOME or $%s is too long", places[which].variable) : 0;
}
