/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layers - see layers.h.  Launcher and CLI, before any sandbox stands.  The project's file is
 * hostile; the user's and the administrator's are not, but a mistake in them must not pass in
 * silence.
 */
#include "launch/layers.h"

#include "base/buf.h"
#include "base/own.h"
#include "os/fd.h"
#include "os/home.h"
#include "policy/merge.h"
#include "policy/trust.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define USER_FILE "stockade.yaml"
#define TRUST_FILE "trust"
#define MANAGED_FILE "managed.yaml"
#define MANAGED_DROP_IN "managed.d"
/* Files of managed.d: more than the layers that a policy may have are refused anyway. */
#define DROP_INS_MAX 64

/* Without a home directory there are no files of the user: no error. */
static int place(enum home_place which, char ret[static PATH_TEXT_MAX], struct err *e)
{
	struct err why = ERR_INIT;
	int r = home_place(which, ret, &why);

	if (r == -ENOENT) {
		ret[0] = '\0';
		return 0;
	}
	return r < 0 ? err_set(e, r, "%s", why.text) : 0;
}

int layers_request_init(struct layers_request *ret, struct err *e)
{
	int err = place(HOME_CONFIG, ret->config_dir, e);

	err = err ? err : place(HOME_STATE, ret->state_dir, e);
	if (err < 0)
		return err;
	if (!getcwd(ret->project_dir, sizeof ret->project_dir))
		return err_sys(e, -errno, "current directory");
	ret->managed_dir = LAYERS_MANAGED_DIR;
	ret->policies = NULL;
	ret->npolicies = 0;
	ret->options = STR_NONE;
	ret->trust_project = false;
	return 0;
}

static int open_error(struct err *e, int code, const char *path)
{
	if (code == -ELOOP)
		return err_set(e, code,
			       "%s: is a symbolic link; a policy file here must be a regular file",
			       path);
	return err_sys(e, code, "%s", path);
}

/* 0 read, 1 not there.  O_NONBLOCK: opening a FIFO must not wait. */
static int read_file(const char *path, int flags, struct buf *b, struct stat *st, struct err *e)
{
	_cleanup_(close_fd) int fd =
	    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags);
	int err;

	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0)
		return open_error(e, -errno, path);
	if (fstat(fd, st) < 0)
		return err_sys(e, -errno, "%s", path);
	if (!S_ISREG(st->st_mode))
		return err_set(e, -EINVAL, "%s: is no regular file", path);
	err = fd_read_all(fd, b);
	if (err == -EFBIG || err == -ENOBUFS)
		return err_set(e, -E2BIG, "%s: larger than %zu bytes", path, b->max);
	return err < 0 ? err_sys(e, err, "%s", path) : 0;
}

static int add_file(struct policy_stack *s, const char *path, enum policy_source source,
		    bool required, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(POLICY_FILE_MAX);
	struct stat st = { 0 };
	int err = read_file(path, 0, &b, &st, e);

	if (err == 1)
		return required ? err_set(e, -ENOENT, "%s: no such policy file", path) : 0;
	if (err < 0)
		return err;
	if (source == SOURCE_MANAGED && (st.st_mode & (S_IWGRP | S_IWOTH)))
		return err_set(e, -EPERM,
			       "%s: a managed policy must not be writable by group or others",
			       path);
	return stack_add(s, buf_str(&b), path, source, false, e);
}

static int is_yaml(const struct dirent *d)
{
	return d->d_name[0] != '.' && str_has_suffix(str_from(d->d_name), STR_LIT(".yaml"));
}

static void free_names(struct dirent **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static int add_drop_ins(struct policy_stack *s, const char *dir, struct err *e)
{
	struct dirent **names;
	char path[PATH_TEXT_MAX];
	int n = scandir(dir, &names, is_yaml, alphasort), err = 0;

	if (n < 0)
		return errno == ENOENT ? 0 : err_sys(e, -errno, "%s", dir);
	if (n > DROP_INS_MAX)
		err = err_set(e, -E2BIG, "%s: more than %d files", dir, DROP_INS_MAX);
	for (int i = 0; err == 0 && i < n; i++) {
		err = path_join(str_from(dir), str_from(names[i]->d_name), path);
		if (err == 0)
			err = add_file(s, path, SOURCE_MANAGED, true, e);
	}
	free_names(names, n);
	return err;
}

static int add_managed(struct policy_stack *s, const char *dir, struct err *e)
{
	char path[PATH_TEXT_MAX];
	int err;

	if (!dir)
		return 0;
	if (path_join(str_from(dir), STR_LIT(MANAGED_FILE), path) < 0)
		return err_set(e, -ENAMETOOLONG, "path too long: %s", dir);
	err = add_file(s, path, SOURCE_MANAGED, false, e);
	if (err == 0) /* shorter than the other, so it fits */
		err = path_join(str_from(dir), STR_LIT(MANAGED_DROP_IN), path);
	return err < 0 ? err : add_drop_ins(s, path, e);
}

/* 0 read (perhaps empty).  The store decides what a hostile file may grant: only the user's own
 * hand may have written it. */
static int read_store(const char *state_dir, char path[static PATH_TEXT_MAX], struct buf *b,
		      struct err *e)
{
	struct stat st = { 0 };
	int err;

	if (path_join(str_from(state_dir), STR_LIT(TRUST_FILE), path) < 0)
		return err_set(e, -ENAMETOOLONG, "path too long: %s", state_dir);
	err = read_file(path, O_NOFOLLOW, b, &st, e);
	if (err != 0)
		return err == 1 ? 0 : err;
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return err_set(e, -EPERM,
			       "%s: the trust store must be yours and not writable by others "
			       "(chmod 600)",
			       path);
	return trust_check(buf_str(b), path, e);
}

static int project_trusted(const struct layers_request *req, struct layers_report *rep,
			   struct err *e)
{
	_cleanup_(buf_done) struct buf store = BUF_INIT(TRUST_STORE_MAX);
	char path[PATH_TEXT_MAX];
	int err;

	if (!req->state_dir[0])
		return 0;
	err = read_store(req->state_dir, path, &store, e);
	if (err == 0)
		rep->project_trusted =
		    trust_has(buf_str(&store), rep->project_hash, rep->project_path);
	return err;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

static int add_project(struct policy_stack *s, const struct layers_request *req,
		       struct layers_report *rep, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(POLICY_FILE_MAX);
	uint8_t hash[HASH_LEN];
	struct stat st = { 0 };
	int err;

	if (!req->project_dir[0])
		return 0;
	if (path_join(str_from(req->project_dir), STR_LIT(LAYERS_PROJECT_FILE), rep->project_path) <
	    0)
		return err_set(e, -ENAMETOOLONG, "path too long: %s", req->project_dir);
	err = read_file(rep->project_path, O_NOFOLLOW, &b, &st, e);
	if (err != 0)
		return err == 1 ? 0 : err;
	/* Directories come with clones too, and this name is shown and stored. */
	if (has_control(rep->project_path))
		return err_set(e, -EINVAL, "%s: a control character in the path",
			       rep->project_path);
	rep->project_found = true;
	/* The bytes that are hashed are the bytes that are read: no second look at the file. */
	hash_sha256(buf_str(&b), hash);
	hash_hex(hash, rep->project_hash);
	err = project_trusted(req, rep, e);
	if (err < 0)
		return err;
	return stack_add(s, buf_str(&b), rep->project_path, SOURCE_PROJECT,
			 !rep->project_trusted && !req->trust_project, e);
}

static int add_user(struct policy_stack *s, const struct layers_request *req, struct err *e)
{
	char path[PATH_TEXT_MAX];

	if (!req->config_dir[0])
		return 0;
	if (path_join(str_from(req->config_dir), STR_LIT(USER_FILE), path) < 0)
		return err_set(e, -ENAMETOOLONG, "path too long: %s", req->config_dir);
	return add_file(s, path, SOURCE_USER, false, e);
}

int layers_load(const struct layers_request *req, struct policy *ret,
		struct layers_report *ret_report, struct err *e)
{
	struct layers_report rep = { 0 };
	struct policy_stack s;
	int err = stack_init(&s, e);

	if (err == 0)
		err = add_managed(&s, req->managed_dir, e);
	if (err == 0 && req->options.len)
		err = stack_add(&s, req->options, "command line", SOURCE_COMMAND, false, e);
	for (size_t i = 0; err == 0 && i < req->npolicies; i++)
		err = add_file(&s, req->policies[i], SOURCE_COMMAND, true, e);
	if (err == 0)
		err = add_project(&s, req, &rep, e);
	if (err == 0)
		err = add_user(&s, req, e);
	if (err == 0)
		err = stack_merge(&s, ret, e);
	stack_done(&s);
	if (err < 0)
		return err;
	*ret_report = rep;
	return 0;
}

/* The directories of state_dir that are missing, 0700. */
static int make_dirs(const char *dir, struct err *e)
{
	char path[PATH_TEXT_MAX];

	snprintf(path, sizeof path, "%s", dir);
	for (char *slash = path + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return err_sys(e, -errno, "%s", path);
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, -errno, "%s", path);
	return 0;
}

/* A new file put in the old one's place: a crash leaves one or the other, whole. */
static int replace_file(const char *path, struct str content, struct err *e)
{
	char temp[PATH_TEXT_MAX + 16];
	_cleanup_(close_fd) int fd = -1;
	int err;

	snprintf(temp, sizeof temp, "%s.XXXXXX", path);
	fd = mkostemp(temp, O_CLOEXEC); /* 0600 */
	if (fd < 0)
		return err_sys(e, -errno, "%s", temp);
	err = fd_write_all(fd, content.p, content.len);
	if (err == 0 && fsync(fd) < 0)
		err = -errno;
	if (err == 0 && rename(temp, path) < 0)
		err = -errno;
	if (err < 0) {
		unlink(temp);
		return err_sys(e, err, "%s", path);
	}
	return 0;
}

int layers_trust(const struct layers_request *req, const struct layers_report *report, bool revoke,
		 struct err *e)
{
	_cleanup_(buf_done) struct buf old = BUF_INIT(TRUST_STORE_MAX);
	_cleanup_(buf_done) struct buf new = BUF_INIT(TRUST_STORE_MAX);
	char path[PATH_TEXT_MAX];
	int err;

	if (!req->state_dir[0])
		return err_set(e, -ENOENT,
			       "no place for the trust store: set HOME or XDG_STATE_HOME");
	err = make_dirs(req->state_dir, e);
	if (err == 0)
		err = read_store(req->state_dir, path, &old, e);
	if (err < 0)
		return err;
	err = trust_update(buf_str(&old), revoke ? NULL : report->project_hash,
			   report->project_path, &new);
	if (err < 0)
		return err_sys(e, err, "%s", path);
	return replace_file(path, buf_str(&new), e);
}
