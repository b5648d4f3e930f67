/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - `stockade log`: shows a session's audit log, filtered, for a person or as JSON.  Runs
 * outside any sandbox.  The log holds what agents chose to send; nothing of it reaches the terminal
 * unescaped.
 */
#include "audit/moment.h"
#include "audit/query.h"
#include "audit/show.h"
#include "audit/store.h"
#include "base/own.h"
#include "cli/command.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/home.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/* How often --follow looks for more: soon enough for a person, nothing for the machine. */
#define FOLLOW_MS 200
/* One shown line: every byte of the longest line as \xNN. */
#define SHOWN_MAX (4u * AUDIT_LINE_MAX)

struct values {
	const char *session, *verdict, *host, *event, *since, *until;
	bool follow, json, list;
};

static const struct opt_spec options[] = {
	{ "session", 's', OPT_STRING, offsetof(struct values, session), "ID",
	  "the session: its name, the beginning of it, its last letters, or 'last' (the default)",
	  NULL },
	{ "follow", 'f', OPT_FLAG, offsetof(struct values, follow), NULL,
	  "show what is added until the session ends", NULL },
	{ "verdict", 0, OPT_STRING, offsetof(struct values, verdict), "WORD",
	  "only records that were allowed, or denied", "allow|deny" },
	{ "host", 0, OPT_STRING, offsetof(struct values, host), "HOST",
	  "only records about this host, or about '*.suffix'", NULL },
	{ "event", 0, OPT_STRING, offsetof(struct values, event), "EVENT",
	  "only records of this kind", "connect|request|resolve|upstream|bad-input|close" },
	{ "since", 0, OPT_STRING, offsetof(struct values, since), "TIME",
	  "only records from then on: 10m, 2h, 2026-01-31, 2026-01-31T23:59 (UTC)", NULL },
	{ "until", 0, OPT_STRING, offsetof(struct values, until), "TIME",
	  "only records before then", NULL },
	{ "list", 'l', OPT_FLAG, offsetof(struct values, list), NULL,
	  "name the sessions, oldest first, instead", NULL },
	{ "json", 0, OPT_FLAG, offsetof(struct values, json), NULL,
	  "the records as they are in the file, one JSON object a line", NULL },
	{ 0 },
};

static int parse_filter(const struct values *v, struct audit_filter *f, struct err *e)
{
	uint64_t now = clock_real_ns();

	*f = (struct audit_filter){ .verdict = str_from(v->verdict),
				    .host = str_from(v->host),
				    .event = AUDIT_EVENT_MAX };
	if (v->verdict && !str_eq(f->verdict, STR_LIT("allow")) &&
	    !str_eq(f->verdict, STR_LIT("deny")))
		return err_set(e, -EINVAL, "--verdict is 'allow' or 'deny'");
	if (v->event) {
		f->event = audit_event_parse(str_from(v->event));
		if (f->event == AUDIT_EVENT_MAX)
			return err_set(e, -EINVAL,
				       "--event: there is no such event; see "
				       "doc/AUDIT.md for their names");
	}
	if (v->since && audit_time_parse_user(str_from(v->since), now, &f->since_ns) < 0)
		return err_set(e, -EINVAL,
			       "--since is a time like 10m, 2h, 2026-01-31 or "
			       "2026-01-31T23:59");
	if (v->until && audit_time_parse_user(str_from(v->until), now, &f->until_ns) < 0)
		return err_set(e, -EINVAL,
			       "--until is a time like 10m, 2h, 2026-01-31 or "
			       "2026-01-31T23:59");
	return 0;
}

static int list_sessions(const char *state_dir, struct err *e)
{
	_cleanup_(free_ptr) char(*ids)[STORE_ID_LEN + 1] = NULL;
	size_t n = 0;
	int r = store_list(state_dir, &ids, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		printf("%s\n", ids[i]);
	return 0;
}

/* 1 when it was the session's end. */
static int show_line(const struct values *v, const struct audit_filter *f, bool colour,
		     uint64_t line_no, struct str text, struct err *e)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(SHOWN_MAX);
	struct audit_line line;
	struct err why = ERR_INIT;
	int r = audit_line_parse(text, &line, &why), end;

	if (r < 0) {
		fprintf(stderr, "stockade: line %llu: %s\n", (unsigned long long)line_no, why.text);
		return 0;
	}
	end = line.r.event == AUDIT_SESSION_END;
	if (!audit_filter_match(f, &line.r))
		r = 0;
	else if (v->json)
		r = buf_append_str(&out, text) < 0 ? -ENOMEM : buf_append_c(&out, '\n');
	else
		r = audit_show(&line.r, colour, &out);
	audit_line_done(&line);
	if (r < 0)
		return err_sys(e, r, "cannot show line %llu", (unsigned long long)line_no);
	fwrite(buf_cstr(&out), 1, buf_len(&out), stdout);
	return end;
}

static int show_log(int fd, const struct values *v, const struct audit_filter *f, struct err *e)
{
	_cleanup_(audit_reader_done) struct audit_reader rd;
	bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");

	audit_reader_init(&rd, fd);
	for (;;) {
		struct str text;
		int r = audit_reader_next(&rd, &text);

		if (r == -EMSGSIZE) {
			fprintf(stderr,
				"stockade: line %llu: longer than any that stockade writes\n",
				(unsigned long long)rd.line_no);
		} else if (r < 0) {
			return err_sys(e, r, "cannot read the log");
		} else if (r > 0) {
			r = show_line(v, f, colour, rd.line_no, text, e);
			if (r < 0 || (r > 0 && v->follow))
				return r < 0 ? r : 0;
		} else {
			if (fflush(stdout) != 0)
				return err_sys(e, -errno, "standard output");
			if (!v->follow)
				return 0;
			poll(NULL, 0, FOLLOW_MS);
		}
	}
}

static int run(const void *values, int noperands, char *const *operands, struct err *e)
{
	const struct values *v = values;
	_cleanup_(close_fd) int fd = -1;
	struct audit_filter f;
	char id[STORE_ID_LEN + 1], state_dir[PATH_TEXT_MAX];

	(void)noperands;
	(void)operands;
	if (parse_filter(v, &f, e) < 0 || home_place(HOME_STATE, state_dir, e) < 0)
		return EXIT_STOCKADE;
	if (v->list)
		return list_sessions(state_dir, e) < 0 ? EXIT_STOCKADE : 0;
	if (store_find(state_dir, v->session ? v->session : "last", id, e) < 0)
		return EXIT_STOCKADE;
	fd = store_open_log(state_dir, id, e);
	if (fd < 0 || show_log(fd, v, &f, e) < 0)
		return EXIT_STOCKADE;
	return 0;
}

const struct command cmd_log = {
	.name = "log",
	.summary = "Show what a session did and tried",
	.operands = "",
	.about = "Shows the audit log of a session: when it began and ended, every connection and "
		 "request that was decided on, and which rule decided.\n\n"
		 "Times are UTC. Bytes that could speak to a terminal are shown as \\xNN.",
	.examples = "stockade log\n"
		    "stockade log --verdict deny --since 1h\n"
		    "stockade log --follow --host '*.example.com'\n"
		    "stockade log --list\n",
	.options = options,
	.values_size = sizeof(struct values),
	.run = run,
};
