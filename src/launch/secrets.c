/* SPDX-License-Identifier: Apache-2.0 */
/* secrets - see secrets.h.  Runs in launch, outside, as the user; sources are the user's own word.
 */
#include "launch/secrets.h"

#include "base/env.h"
#include "base/rand.h"
#include "keeper/secret.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define PLACEHOLDER_LETTERS 32u
/* A value and the line end that comes with it. */
#define SOURCE_MAX (SECRET_VALUE_MAX + 2u)

static int from_env(const struct credential *c, char *const *host_env, struct buf *out,
		    struct err *e)
{
	const char *value = env_value(host_env, c->from);

	if (value)
		return buf_append_str(out, str_from(value));
	return err_set(e, -ENOENT, "the environment variable %s is not set", c->from);
}

static int from_file(const struct credential *c, char *const *host_env, struct buf *out,
		     struct err *e)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(POLICY_STRING_MAX * 2);
	const char *home = env_value(host_env, "HOME");
	int r;

	if (c->from[0] == '~' && c->from[1] == '/' && home)
		r = buf_printf(&path, "%s%s", home, c->from + 1);
	else
		r = buf_append_str(&path, str_from(c->from));
	if (r == 0)
		r = fd_read_file(AT_FDCWD, buf_cstr(&path), out);
	return r < 0 ? err_sys(e, r, "%s", c->from) : 0;
}

/* Reads until the end, the limit, or the time is over. */
static int read_output(int fd, struct buf *out, struct err *e)
{
	uint64_t end = clock_mono_ms() + SECRETS_CMD_MS;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now = clock_mono_ms();
		ssize_t n;

		if (now >= end || poll(&p, 1, (int)(end - now)) == 0)
			return err_set(e, -ETIMEDOUT, "the command took longer than %u seconds",
				       SECRETS_CMD_MS / 1000);
		if (!p.revents)
			continue;
		if (buf_len(out) == SOURCE_MAX)
			return err_set(e, -EFBIG, "the command wrote more than %u bytes",
				       SECRET_VALUE_MAX);
		n = read(fd, buf_space(out), SOURCE_MAX - buf_len(out));
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_sys(e, -errno, "reading from the command");
		if (n > 0)
			buf_commit(out, (size_t)n);
	}
}

/* The command closed its output; it may end a moment later, not much later. */
static int wait_end(int pidfd, int *ret_code)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	while (poll(&p, 1, (int)SECRETS_CMD_MS) < 0)
		if (errno != EINTR)
			return -errno;
	return spawn_wait(pidfd, false, ret_code);
}

static int from_cmd(const struct credential *c, char *const *host_env, struct buf *out,
		    struct err *e)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", c->from, NULL };
	_cleanup_(close_fd) int reader = -1, writer = -1, pidfd = -1;
	struct spawn s = { .path = "/bin/sh", .exec_fd = -1, .argv = argv, .env = host_env };
	int fds[2], code = 0, r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, -errno, "pipe");
	reader = fds[0];
	writer = fds[1];
	s.die_with_parent = true;
	s.new_session = true; /* so that all of it can be ended */
	s.fds[s.nfds++] = (struct spawn_fd){ writer, STDOUT_FILENO };
	s.fds[s.nfds++] = (struct spawn_fd){ STDERR_FILENO, STDERR_FILENO };
	pid_t pid = 0;
	pidfd = spawn(&s, &pid, e);
	if (pidfd < 0)
		return pidfd;
	close_fd(&writer);
	r = read_output(reader, out, e);
	if (r == 0)
		r = wait_end(pidfd, &code);
	if (r < 0) {
		kill(-pid, SIGKILL);
		spawn_kill(pidfd, SIGKILL);
		spawn_wait(pidfd, true, &code);
		return r == -EAGAIN ? err_set(e, -ETIMEDOUT, "the command does not end") : r;
	}
	return code ? err_set(e, -EIO, "the command ended with status %d", code) : 0;
}

/* One line end is the file's, not the value's. */
static struct str without_line_end(struct str s)
{
	if (s.len && s.p[s.len - 1] == '\n')
		s.len--;
	if (s.len && s.p[s.len - 1] == '\r')
		s.len--;
	return s;
}

static int read_one(struct secret_entry *ret, char *const *host_env, struct err *e)
{
	static int (*const sources[])(const struct credential *, char *const *, struct buf *,
				      struct err *) = {
		[CREDENTIAL_ENV] = from_env,
		[CREDENTIAL_FILE] = from_file,
		[CREDENTIAL_CMD] = from_cmd,
	};
	const struct credential *c = ret->credential;
	struct str value;
	int r = buf_reserve(&ret->value, SOURCE_MAX); /* never moved */

	if (r == 0)
		r = sources[c->source](c, host_env, &ret->value, e);
	if (r == -ENOENT && c->optional) {
		r = 0; /* left empty: keeper never hears of it, and refuses who asks */
		if (e)
			*e = (struct err)ERR_INIT;
	} else if (r == 0) {
		value = without_line_end(buf_str(&ret->value));
		ret->value.end = ret->value.start + value.len;
		r = secret_check(value, c->name, e);
	}
	if (r < 0)
		return err_context(e, r, "%s:%u: credential %s",
				   c->origin.file ? c->origin.file : "", c->origin.line, c->name);
	return 0;
}

static void name_one(struct secret_entry *ret, const struct credential *c)
{
	char letters[PLACEHOLDER_LETTERS + 1];

	*ret = (struct secret_entry){ .credential = c, .value = BUF_INIT(SOURCE_MAX) };
	if (!c->placeholder_env)
		return;
	rand_text(letters, PLACEHOLDER_LETTERS);
	snprintf(ret->placeholder, sizeof ret->placeholder, POLICY_PLACEHOLDER_PREFIX "%s",
		 letters);
}

static bool is_bound(const struct policy *p, const struct credential *c)
{
	for (size_t i = 0; i < p->nrules; i++)
		if (p->rules[i].action == ACTION_ALLOW && p->rules[i].credential &&
		    strcmp(p->rules[i].credential, c->name) == 0)
			return true;
	return false;
}

void secrets_name(const struct policy *p, struct secrets *ret)
{
	ret->n = 0;
	for (size_t i = 0; i < p->ncredentials && ret->n < POLICY_CREDENTIALS_MAX; i++)
		if (is_bound(p, &p->credentials[i]))
			name_one(&ret->entries[ret->n++], &p->credentials[i]);
}

int secrets_read(struct secrets *s, char *const *host_env, struct err *e)
{
	for (size_t i = 0; i < s->n; i++) {
		int r = read_one(&s->entries[i], host_env, e);

		if (r < 0) {
			secrets_wipe(s);
			return r;
		}
	}
	return 0;
}

void secrets_wipe(struct secrets *s)
{
	for (size_t i = 0; i < s->n; i++)
		buf_wipe(&s->entries[i].value);
}

size_t secrets_placeholders(const struct secrets *s,
			    struct plan_pair ret[static POLICY_CREDENTIALS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->entries[i].placeholder[0])
			ret[n++] = (struct plan_pair){ s->entries[i].credential->placeholder_env,
						       s->entries[i].placeholder };
	return n;
}

/* A value shorter than what replaces it would match ordinary words, and is no secret. */
void secrets_redact(const struct secrets *s, char *text)
{
	static const char instead[] = "[credential]";
	const size_t len = sizeof instead - 1;

	for (size_t i = 0; i < s->n; i++) {
		size_t value_len = buf_len(&s->entries[i].value);
		char *hit;

		while (value_len >= len && (hit = strstr(text, buf_cstr(&s->entries[i].value)))) {
			memcpy(hit, instead, len);
			memmove(hit + len, hit + value_len, strlen(hit + value_len) + 1);
		}
	}
}
