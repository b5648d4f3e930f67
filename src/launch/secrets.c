/* SPDX-License-Identifier: Apache-2.0 */
/* secrets - see secrets.h.  Launch process; sources are the user's own words, values are checked
 * because they end up in a header. */
#include "launch/secrets.h"

#include "base/own.h"
#include "base/rand.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

extern char **environ;

static bool used(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->nrules; i++)
		if (p->rules[i].credential && strcmp(p->rules[i].credential, name) == 0)
			return true;
	return false;
}

static int refuse(const struct credential *c, int code, struct err *e, const char *what)
{
	return err_set(e, code, "%s:%u: credential \"%s\": %s", c->origin.file, c->origin.line,
		       c->name, what);
}

static int from_env(struct secret *s, struct err *e)
{
	const struct credential *c = s->credential;
	const char *value = getenv(c->from);

	if (!value && c->origin.source == SOURCE_PROFILE) {
		s->value = NULL;
		return 0;
	}
	if (!value)
		return err_set(e, -ENOENT,
			       "%s:%u: credential \"%s\": the environment variable %s is not set; "
			       "set it, or take the credential out of the policy",
			       c->origin.file, c->origin.line, c->name, c->from);
	s->len = strlen(value);
	if (s->len > SECRET_MAX)
		return refuse(c, -E2BIG, e, "the value is longer than 16384 bytes");
	memcpy(s->value, value, s->len);
	return 0;
}

/* Until the end of the file or SECRET_MAX bytes; `deadline` 0: no time limit. */
static int read_into(struct secret *s, int fd, uint64_t deadline, struct err *e)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now = clock_mono_ms();
		ssize_t n;

		if (deadline && now >= deadline)
			return refuse(s->credential, -ETIMEDOUT, e,
				      "the command gave no answer within 30 seconds");
		if (deadline && poll(&p, 1, (int)(deadline - now)) <= 0)
			continue;
		n = read(fd, s->value + s->len, SECRET_MAX + 1 - s->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return refuse(s->credential, -errno, e, "reading the value failed");
		if (n == 0)
			return 0;
		s->len += (size_t)n;
		if (s->len > SECRET_MAX)
			return refuse(s->credential, -E2BIG, e,
				      "the value is longer than 16384 bytes");
	}
}

/* "~/x" is under $HOME; a path is never searched anywhere else. */
static int open_source(const char *path, char *room, size_t size)
{
	const char *home = getenv("HOME");

	if (path[0] == '~' && path[1] == '/' && home &&
	    snprintf(room, size, "%s%s", home, path + 1) < (int)size)
		path = room;
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

static int from_file(struct secret *s, struct err *e)
{
	const struct credential *c = s->credential;
	char room[4096];
	_cleanup_(close_fd) int fd = open_source(c->from, room, sizeof room);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, -errno, "%s:%u: credential \"%s\": cannot open %s",
			       c->origin.file, c->origin.line, c->name, c->from);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "%s:%u: credential \"%s\": %s is not a regular file",
			       c->origin.file, c->origin.line, c->name, c->from);
	return read_into(s, fd, 0, e);
}

static int from_cmd(struct secret *s, struct err *e)
{
	const struct credential *c = s->credential;
	char *argv[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" }, c->from, NULL };
	_cleanup_(close_fd) int in = -1, out = -1, pidfd = -1;
	struct spawn sp = { .path = "/bin/sh",
			    .argv = argv,
			    .env = environ,
			    .die_with_parent = true,
			    .new_session = true };
	int fds[2], r, code;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, -errno, "pipe");
	in = fds[0];
	out = fds[1];
	sp.fds[0] = (struct spawn_fd){ out, 1 };
	sp.fds[1] = (struct spawn_fd){ 2, 2 };
	sp.nfds = 2;
	pidfd = spawn(&sp, NULL, e);
	if (pidfd < 0)
		return pidfd;
	close_fd(&out);
	r = read_into(s, in, clock_mono_ms() + SECRET_CMD_TIMEOUT_MS, e);
	if (r < 0)
		spawn_kill(pidfd, SIGKILL);
	if (spawn_wait(pidfd, true, &code) < 0 || r < 0)
		return r < 0 ? r : refuse(c, -EIO, e, "the command's end was not seen");
	if (code != 0)
		return err_set(e, -EIO, "%s:%u: credential \"%s\": the command `%s` failed (%d)",
			       c->origin.file, c->origin.line, c->name, c->from, code);
	return 0;
}

/* What could end a header line, or hide in one, is refused (CWE-113). */
static int check_value(struct secret *s, struct err *e)
{
	const struct credential *c = s->credential;

	if (!s->value)
		return 0;
	if (c->source != CREDENTIAL_ENV && s->len && s->value[s->len - 1] == '\n')
		s->len--;
	if (s->len == 0)
		return refuse(c, -EINVAL, e, "the value is empty");
	if (s->len > SECRET_MAX)
		return refuse(c, -E2BIG, e, "the value is longer than 16384 bytes");
	for (size_t i = 0; i < s->len; i++)
		if ((unsigned char)s->value[i] < 0x20 || s->value[i] == 0x7f)
			return refuse(c, -EINVAL, e,
				      "the value holds a control byte (a line break?)");
	s->value[s->len] = '\0';
	return 0;
}

typedef int (*source_fn)(struct secret *s, struct err *e);
static const source_fn sources[] = {
	[CREDENTIAL_ENV] = from_env,
	[CREDENTIAL_FILE] = from_file,
	[CREDENTIAL_CMD] = from_cmd,
};

static int load_one(struct secrets *all, struct secret *s, struct err *e)
{
	int r = sources[s->credential->source](s, e);

	if (r == 0)
		r = check_value(s, e);
	if (r < 0)
		return r;
	memcpy(s->placeholder, PLACEHOLDER_PREFIX, sizeof PLACEHOLDER_PREFIX - 1);
	rand_text(s->placeholder + sizeof PLACEHOLDER_PREFIX - 1, PLACEHOLDER_RANDOM);
	if (s->credential->placeholder_env)
		all->env[all->nenv++] =
		    (struct plan_pair){ s->credential->placeholder_env, s->placeholder };
	return 0;
}

/* Pages that are never swapped and never dumped. mlock may fail under a small RLIMIT_MEMLOCK: the
 * values are then as safe as the environment they came from. */
static int reserve(struct secrets *s, size_t n, struct err *e)
{
	s->items = calloc(n ? n : 1, sizeof *s->items);
	s->env = calloc(n ? n : 1, sizeof *s->env);
	if (!s->items || !s->env)
		return err_set(e, -ENOMEM, "out of memory");
	if (n == 0)
		return 0;
	s->pages_len = n * (SECRET_MAX + 2);
	s->pages =
	    mmap(NULL, s->pages_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->pages == MAP_FAILED) {
		s->pages = NULL;
		return err_sys(e, -errno, "memory for credentials");
	}
	(void)mlock(s->pages, s->pages_len);
	if (madvise(s->pages, s->pages_len, MADV_DONTDUMP) < 0)
		return err_sys(e, -errno, "keeping credentials out of core dumps");
	return 0;
}

int secrets_load(const struct policy *p, struct secrets *ret, struct err *e)
{
	_cleanup_(secrets_wipe) struct secrets s = { 0 };
	size_t n = 0;
	int r;

	for (size_t i = 0; i < p->ncredentials; i++)
		n += used(p, p->credentials[i].name);
	r = reserve(&s, n, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < p->ncredentials; i++) {
		struct secret *item = &s.items[s.n];

		if (!used(p, p->credentials[i].name))
			continue;
		item->credential = &p->credentials[i];
		item->value = (char *)s.pages + s.n * (SECRET_MAX + 2);
		s.n++;
		r = load_one(&s, item, e);
		if (r < 0)
			return r;
	}
	*ret = s;
	s = (struct secrets){ 0 };
	return 0;
}

void secrets_wipe(struct secrets *s)
{
	if (s->pages) {
		explicit_bzero(s->pages, s->pages_len);
		munmap(s->pages, s->pages_len);
	}
	free(s->items);
	free(s->env);
	*s = (struct secrets){ 0 };
}

void secrets_redact(const struct secrets *s, char *text)
{
	static const char instead[] = "[credential]";

	for (size_t i = 0; i < s->n; i++) {
		char *hit;

		/* A very short value would match words; it is no secret worth the name. */
		if (!s->items[i].value || s->items[i].len < sizeof instead - 1)
			continue;
		while ((hit = strstr(text, s->items[i].value))) {
			size_t rest = strlen(hit + s->items[i].len) + 1;

			memcpy(hit, instead, sizeof instead - 1);
			memmove(hit + sizeof instead - 1, hit + s->items[i].len, rest);
		}
	}
}
