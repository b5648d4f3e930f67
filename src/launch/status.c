/* SPDX-License-Identifier: Apache-2.0 */
/* status - see status.h.  Launch process; writes only what launch itself knows. */
#include "launch/status.h"

#include "base/json.h"
#include "base/own.h"
#include "os/fd.h"

/* The longest line holds one path. */
#define STATUS_LINE_MAX 16384

static void begin(struct json *j, const char *event)
{
	json_object_begin(j);
	json_member_cstr(j, "event", event);
}

static void end(struct json *j, int fd)
{
	json_object_end(j);
	if (json_done(j) == 0 && buf_append_c(j->out, '\n') == 0)
		(void)fd_write_all(fd, buf_cstr(j->out), buf_len(j->out));
}

void status_session(int fd, const char *id, const char *log_path)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(STATUS_LINE_MAX);
	struct json j = JSON_INIT(&b);

	if (fd < 0)
		return;
	begin(&j, "session");
	json_member_cstr(&j, "id", id);
	json_member_cstr(&j, "log", log_path);
	end(&j, fd);
}

void status_started(int fd, const struct sandbox *s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(STATUS_LINE_MAX);
	struct json j = JSON_INIT(&b);

	if (fd < 0)
		return;
	begin(&j, "started");
	json_member_u64(&j, "pid", (uint64_t)s->pid);
	json_member_cstr(&j, "cgroup", s->tier.cgroup);
	json_member_u64(&j, "landlock", (uint64_t)s->tier.landlock_abi);
	json_member_bool(&j, "redirect", s->tier.redirect);
	json_member_cstr(&j, "lost", s->tier.lost);
	end(&j, fd);
}

void status_gateway(int fd)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(STATUS_LINE_MAX);
	struct json j = JSON_INIT(&b);

	if (fd < 0)
		return;
	begin(&j, "gateway");
	end(&j, fd);
}

void status_ended(int fd, int exit_code, const struct audit_tally *tally)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(STATUS_LINE_MAX);
	struct json j = JSON_INIT(&b);

	if (fd < 0)
		return;
	begin(&j, "ended");
	json_member_u64(&j, "exit", (uint64_t)exit_code);
	json_member_u64(&j, "allowed", tally->allowed);
	json_member_u64(&j, "denied", tally->denied);
	end(&j, fd);
}
