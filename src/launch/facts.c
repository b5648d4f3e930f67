/* SPDX-License-Identifier: Apache-2.0 */
/* facts - see facts.h.  Launch process; input is the user's own environment. */
#include "launch/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

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
	int r = home_find(&f->home, e);

	r = r ? r : home_place(HOME_STATE, f->state_dir, e);
	r = r ? r : home_place(HOME_CONFIG, f->config_dir, e);
	if (r < 0)
		return r;
	if (!getcwd(f->cwd, sizeof f->cwd))
		return err_sys(e, -errno, "current directory");
	if (f->cwd[0] != '/') /* getcwd(3): "(unreachable)/..." */
		return err_set(e, -ENOENT, "the current directory is not reachable from here: %s",
			       f->cwd);
	f->plan = (struct plan_facts){
		.uid = getuid(),
		.gid = getgid(),
		.home = f->home.dir,
		.cwd = f->cwd,
		.user_name = f->home.user,
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
