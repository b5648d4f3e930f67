/* SPDX-License-Identifier: Apache-2.0 */
/* summary - see summary.h.  Pure; runs in launch.  Hosts come from the agent, by way of the audit
 * role, and are escaped. */
#include "launch/summary.h"

#include "audit/show.h"
#include "base/json.h"

#include <inttypes.h>

static unsigned top_shown(const struct audit_tally *t)
{
	return t->ntop < AUDIT_TOP_DENIED ? t->ntop : AUDIT_TOP_DENIED;
}

static int put_denied(const struct audit_tally *t, struct buf *out)
{
	int r = buf_printf(out, "stockade: denied %" PRIu64, t->denied);

	for (unsigned i = 0; i < top_shown(t) && r == 0; i++) {
		r = buf_append(out, i ? ", " : ": ", 2);
		if (r == 0)
			r = audit_escape(str_from(t->top[i].host), out);
		if (r == 0 && t->top[i].port)
			r = buf_printf(out, ":%u", t->top[i].port);
		if (r == 0 && t->top[i].count > 1)
			r = buf_printf(out, " (%" PRIu64 "x)", t->top[i].count);
	}
	if (r == 0 && t->ntop > AUDIT_TOP_DENIED)
		r = buf_printf(out, ", ...");
	return r ? r : buf_append_c(out, '\n');
}

/* What of the file system outlives the session, and where to read more. */
static int put_changes(const struct summary *s, struct buf *out)
{
	int r = buf_printf(out, "stockade: changes %s", s->nchanged ? "stand in " : "none kept");

	if (r == 0 && s->nchanged)
		r = audit_escape(str_from(s->changed), out);
	if (r == 0 && s->nchanged > 1)
		r = buf_printf(out, " and %u more", s->nchanged - 1);
	return r ? r : buf_printf(out, "; stockade log --session %s\n", s->session_id);
}

static int format_text(const struct summary *s, struct buf *out)
{
	const struct audit_tally *t = &s->tally;
	int r = buf_printf(out, "stockade: allowed %" PRIu64, t->allowed);

	if (r == 0 && t->errors)
		r = buf_printf(out, ", failed %" PRIu64, t->errors);
	if (r == 0)
		r = buf_append_c(out, '\n');
	if (r == 0)
		r = put_denied(t, out);
	return r ? r : put_changes(s, out);
}

static int format_json(const struct summary *s, struct buf *out)
{
	const struct audit_tally *t = &s->tally;
	struct json j = JSON_INIT(out);

	json_object_begin(&j);
	json_member_cstr(&j, "session", s->session_id);
	json_key(&j, "exit_code");
	json_i64(&j, s->exit_code);
	json_member_u64(&j, "allowed", t->allowed);
	json_member_u64(&j, "denied", t->denied);
	json_member_u64(&j, "failed", t->errors);
	json_key(&j, "top_denied");
	json_array_begin(&j);
	for (unsigned i = 0; i < top_shown(t); i++) {
		json_object_begin(&j);
		json_member_cstr(&j, "host", t->top[i].host);
		json_member_u64(&j, "port", t->top[i].port);
		json_member_u64(&j, "count", t->top[i].count);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_member_cstr(&j, "changed", s->nchanged ? s->changed : NULL);
	json_member_u64(&j, "writable_paths", s->nchanged);
	json_member_cstr(&j, "log", s->log_path);
	json_object_end(&j);
	return json_done(&j) < 0 ? json_done(&j) : buf_append_c(out, '\n');
}

int summary_format(struct summary *s, bool json, struct buf *out)
{
	audit_tally_sort(&s->tally);
	return json ? format_json(s, out) : format_text(s, out);
}
