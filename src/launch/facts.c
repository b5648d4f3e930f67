/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts - see facts.h.  Launch process; input is the user's own environment.
 *
 * /etc/passwd is read with fgetpwent(), never through NSS: the command is linked statically, and a
 * name service has no say in what a sandbox looks like.
 */
#include "launch/facts.h"

#include "base/own.h"
#include "base/str.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

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

static bool user_name_ok(const char *s)
{
	size_t len = s ? strlen(s) : 0;

	return len > 0 && len <= 32 && s[0] != '-' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		   len;
}

/* Fills what the environment did not say. */
static void from_passwd(struct facts *f, uid_t uid)
{
	_cleanup_(close_stream) FILE *file = NULL;
	struct passwd *pw;

	if (f->home[0] && f->user[0])
		return;
	file = fopen("/etc/passwd", "re");
	while (file && (pw = fgetpwent(file))) {
		if (pw->pw_uid != uid)
			continue;
		if (!f->home[0] && pw->pw_dir && pw->pw_dir[0] == '/')
			(void)copy(f->home, sizeof f->home, pw->pw_dir);
		if (!f->user[0] && user_name_ok(pw->pw_name))
			(void)copy(f->user, sizeof f->user, pw->pw_name);
		return;
	}
}

/* $VAR/stockade, or <home>/<otherwise>/stockade (XDG Base Directory Specification 0.8). */
static int xdg_dir(char ret[static PATH_MAX], const char *var, const char *home,
		   const char *otherwise)
{
	const char *base = getenv(var);
	int n;

	if (base && base[0] == '/') /* relative ones are to be ignored, says the specification */
		n = snprintf(ret, PATH_MAX, "%s/stockade", base);
	else
		n = snprintf(ret, PATH_MAX, "%s/%s/stockade", home, otherwise);
	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static const char *top_link(void *arg, const char *path)
{
	struct facts *f = arg;
	ssize_t n = readlink(path, f->link, sizeof f->link - 1);

	if (n < 0)
		return errno == EINVAL ? "" : NULL;
	f->link[n] = '\0';
	return f->link;
}

static int resolve(void *arg, const char *path, char **ret)
{
	char *real = realpath(path, NULL);

	(void)arg;
	if (!real)
		return -errno;
	*ret = real;
	return 0;
}

/* The path is resolved: a link here was put there meanwhile, and the sandbox refuses it. */
static int node(void *arg, const char *path)
{
	struct stat st;

	(void)arg;
	if (lstat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return PLAN_NODE_DIR;
	if (S_ISSOCK(st.st_mode))
		return PLAN_NODE_SOCKET;
	if (S_ISFIFO(st.st_mode))
		return PLAN_NODE_FIFO;
	return S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ? PLAN_NODE_DEVICE : PLAN_NODE_FILE;
}

int facts_gather(struct facts *f, struct err *e)
{
	const char *home = getenv("HOME"), *user = getenv("USER");
	uid_t uid = getuid();

	f->home[0] = f->user[0] = '\0';
	if (home && home[0] == '/' && copy(f->home, sizeof f->home, home) < 0)
		return err_set(e, -ENAMETOOLONG, "$HOME is too long");
	if (user_name_ok(user))
		(void)copy(f->user, sizeof f->user, user);
	from_passwd(f, uid);
	if (!f->home[0])
		return err_set(e, -EINVAL,
			       "no home directory: $HOME is not an absolute path and uid %u has no "
			       "entry in /etc/passwd; set HOME",
			       uid);
	if (!f->user[0])
		(void)copy(f->user, sizeof f->user, "agent");
	if (!getcwd(f->cwd, sizeof f->cwd))
		return err_sys(e, -errno, "current directory");
	if (f->cwd[0] != '/') /* getcwd(3): "(unreachable)/..." */
		return err_set(e, -ENOENT, "the current directory is not reachable from here: %s",
			       f->cwd);
	if (xdg_dir(f->state_dir, "XDG_STATE_HOME", f->home, ".local/state") < 0 ||
	    xdg_dir(f->config_dir, "XDG_CONFIG_HOME", f->home, ".config") < 0)
		return err_set(e, -ENAMETOOLONG, "XDG_STATE_HOME or XDG_CONFIG_HOME is too long");
	f->plan = (struct plan_facts){
		.uid = uid,
		.gid = getgid(),
		.home = f->home,
		.cwd = f->cwd,
		.user_name = f->user,
		.state_dir = f->state_dir,
		.config_dir = f->config_dir,
		.top_link = top_link,
		.arg = f,
		.environ = environ,
		.resolve = resolve,
		.node = node,
	};
	return 0;
}
