/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store - see store.h.  Runs in launch (create) and in `stockade log`.  The directory is the user's
 * own; names found in it are checked all the same, for they become parts of paths and of output.
 */
#include "audit/store.h"

#include "audit/moment.h"
#include "base/own.h"
#include "base/rand.h"
#include "os/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STORE_PATH_MAX PATH_MAX
/* Two sessions of one millisecond have the same name once in 2^20: the second is then refused. */
#define RANDOM_LETTERS 4

static int open_dir(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Opens `path`, making what is missing. */
static int open_made(const char *path)
{
	_cleanup_(close_fd) int at = open_dir(AT_FDCWD, "/");
	struct str rest = str_from(path), part;

	while (at >= 0 && str_next(&rest, '/', &part)) {
		_cleanup_(free_ptr) char *name = str_dup(part);
		int next;

		if (!name)
			return -ENOMEM;
		if (part.len == 0)
			continue;
		next = open_dir(at, name);
		if (next == -ENOENT) {
			if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
				return -errno;
			next = open_dir(at, name);
		}
		if (next < 0)
			return next;
		close_fd(&at);
		at = next;
	}
	return TAKE_FD(at);
}

static int check_mine(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, -errno, "%s", path);
	if (st.st_uid != geteuid())
		return err_set(e, -EPERM, "%s belongs to another user; logs are not written there",
			       path);
	if (st.st_mode & 022)
		return err_set(e, -EPERM, "%s is writable by others; run: chmod go-w '%s'", path,
			       path);
	return 0;
}

/* Names sort by time, within a second too: its 1024th stands before the random letters. */
void store_new_id(uint64_t now_ns, char ret[static STORE_ID_LEN + 1])
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	const uint64_t part = now_ns % 1000000000u * 1024 / 1000000000u;
	char when[AUDIT_TIME_LEN + 1];

	/* 2026-01-31T23:59:59 without its punctuation. */
	audit_time_format(now_ns, when);
	memcpy(ret, when, 4);
	memcpy(ret + 4, when + 5, 2);
	memcpy(ret + 6, when + 8, 2);
	ret[8] = '-';
	memcpy(ret + 9, when + 11, 2);
	memcpy(ret + 11, when + 14, 2);
	memcpy(ret + 13, when + 17, 2);
	ret[15] = '-';
	ret[16] = digits[part >> 5];
	ret[17] = digits[part & 31];
	rand_text(ret + 18, RANDOM_LETTERS);
}

static bool id_ok(const char *name)
{
	if (strlen(name) != STORE_ID_LEN || name[8] != '-' || name[15] != '-')
		return false;
	for (size_t i = 0; i < STORE_ID_LEN; i++) {
		bool digit = name[i] >= '0' && name[i] <= '9';
		bool letter = name[i] >= 'a' && name[i] <= 'z';

		if (i != 8 && i != 15 && !digit && !(letter && i > 15))
			return false;
	}
	return true;
}

static int sessions_path(const char *state_dir, struct buf *b, struct err *e)
{
	if (buf_printf(b, "%s/sessions", state_dir) < 0)
		return err_set(e, -ENAMETOOLONG, "the state directory's path is too long");
	return 0;
}

int store_create(const char *state_dir, const char *id, struct store_session *ret, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(STORE_PATH_MAX - 1);
	_cleanup_(close_fd) int at = -1;
	struct store_session s = { .dirfd = -1 };
	int r = sessions_path(state_dir, &b, e);

	if (r < 0)
		return r;
	at = open_made(buf_cstr(&b));
	if (at < 0)
		return err_sys(e, at, "cannot make the directory for logs %s", buf_cstr(&b));
	r = check_mine(at, buf_cstr(&b), e);
	if (r < 0)
		return r;
	if (strlen(id) != STORE_ID_LEN)
		return err_set(e, -EINVAL, "'%s' is no session's id", id);
	memcpy(s.id, id, sizeof s.id);
	r = mkdirat(at, s.id, 0700) < 0 ? -errno : 0;
	if (r == 0)
		r = s.dirfd = open_dir(at, s.id);
	if (r < 0)
		return err_sys(e, r, "cannot make a session's directory in %s", buf_cstr(&b));
	if (buf_printf(&b, "/%s", s.id) == 0)
		s.path = str_dup(buf_str(&b));
	if (!s.path) {
		store_session_done(&s);
		return err_set(e, -ENOMEM, "out of memory");
	}
	*ret = s;
	return 0;
}

void store_session_done(struct store_session *s)
{
	close_fd(&s->dirfd);
	free(s->path);
	s->path = NULL;
}

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, STORE_ID_LEN);
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

int store_list(const char *state_dir, char (**ret)[STORE_ID_LEN + 1], size_t *ret_n, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(STORE_PATH_MAX - 1);
	_cleanup_(close_dir) DIR *d = NULL;
	_cleanup_(buf_done) struct buf ids = BUF_INIT(STORE_LIST_MAX * (STORE_ID_LEN + 1));
	struct dirent *entry;
	int r = sessions_path(state_dir, &b, e);

	if (r < 0)
		return r;
	d = opendir(buf_cstr(&b));
	if (!d && errno != ENOENT)
		return err_sys(e, -errno, "cannot read %s", buf_cstr(&b));
	while (d && (entry = readdir(d))) {
		if (!id_ok(entry->d_name))
			continue;
		r = buf_append(&ids, entry->d_name, STORE_ID_LEN + 1);
		if (r < 0)
			return err_sys(e, r, "too many sessions in %s", buf_cstr(&b));
	}
	if (buf_len(&ids))
		qsort(ids.base, buf_len(&ids) / (STORE_ID_LEN + 1), STORE_ID_LEN + 1, compare_ids);
	*ret_n = buf_len(&ids) / (STORE_ID_LEN + 1);
	*ret = (char(*)[STORE_ID_LEN + 1])(void *)TAKE_PTR(ids.base);
	return 0;
}

static bool id_matches(const char *id, const char *text)
{
	size_t n = strlen(text);

	return n <= STORE_ID_LEN && (strncmp(id, text, n) == 0 || strcmp(id + 16, text) == 0);
}

int store_find(const char *state_dir, const char *text, char ret_id[static STORE_ID_LEN + 1],
	       struct err *e)
{
	_cleanup_(free_ptr) char(*ids)[STORE_ID_LEN + 1] = NULL;
	const char *hit = NULL;
	size_t n = 0, hits = 0;
	int r = store_list(state_dir, &ids, &n, e);

	if (r < 0)
		return r;
	if (n == 0)
		return err_set(e, -ENOENT, "there is no session yet in %s/sessions", state_dir);
	if (strcmp(text, "last") == 0) {
		memcpy(ret_id, ids[n - 1], STORE_ID_LEN + 1);
		return 0;
	}
	for (size_t i = 0; i < n && text[0]; i++)
		if (id_matches(ids[i], text)) {
			hit = ids[i];
			hits++;
		}
	if (hits != 1)
		return err_set(e, hits ? -ENOTUNIQ : -ENOENT,
			       "%s sessions match '%s' in %s/sessions", hits ? "several" : "no",
			       str_printable(str_from(text)) ? text : "?", state_dir);
	memcpy(ret_id, hit, STORE_ID_LEN + 1);
	return 0;
}

int store_open_log(const char *state_dir, const char *id, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(STORE_PATH_MAX - 1);
	_cleanup_(close_fd) int fd = -1;
	struct stat st;

	if (!id_ok(id))
		return err_set(e, -EINVAL, "that is no session's name");
	if (buf_printf(&b, "%s/sessions/%s/" STORE_LOG_NAME, state_dir, id) < 0)
		return err_set(e, -ENAMETOOLONG, "the state directory's path is too long");
	fd = open(buf_cstr(&b), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_sys(e, -errno, "cannot open %s", buf_cstr(&b));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "%s is not a regular file", buf_cstr(&b));
	return TAKE_FD(fd);
}
