/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_verify - `stockade log verify`: checks the chain of a session's audit log.  Runs outside any
 * sandbox, on a file that may have been tampered with.
 */
#include "audit/query.h"
#include "audit/store.h"
#include "base/json.h"
#include "base/own.h"
#include "cli/command.h"
#include "os/fd.h"
#include "os/home.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

/* Problems shown; a file with more is not read by anybody. */
#define SHOWN_PROBLEMS 20u
/* What --json writes: twenty problems of 300 bytes. */
#define JSON_MAX 16384u

/* The log is not what was written. */
#define EXIT_TAMPERED 1

struct values {
	const char *session, *file, *expect;
	bool json;
};

static const struct opt_spec options[] = {
	{ "session", 's', OPT_STRING, offsetof(struct values, session), "ID",
	  "the session; 'last' is the default", NULL },
	{ "file", 0, OPT_STRING, offsetof(struct values, file), "FILE",
	  "a log that lies somewhere else", "file" },
	{ "expect", 0, OPT_STRING, offsetof(struct values, expect), "HASH",
	  "the hash of the last line, as it was noted when the session ended", NULL },
	{ "json", 0, OPT_FLAG, offsetof(struct values, json), NULL, "write one JSON object", NULL },
	{ 0 },
};

struct report {
	struct json j;
	bool json;
	unsigned shown;
};

static void note(void *arg, uint64_t line, const char *text)
{
	struct report *rep = arg;

	if (rep->shown++ >= SHOWN_PROBLEMS)
		return;
	if (rep->json) {
		json_object_begin(&rep->j);
		json_member_u64(&rep->j, "line", line);
		json_member_cstr(&rep->j, "problem", text);
		json_object_end(&rep->j);
	} else {
		printf("line %llu: %s\n", (unsigned long long)line, text);
	}
}

static int open_log(const struct values *v, struct err *e)
{
	char id[STORE_ID_LEN + 1], state_dir[PATH_TEXT_MAX];

	if (v->file) {
		/* O_NONBLOCK: a FIFO must not be waited for. */
		int fd = open(v->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

		return fd < 0 ? err_sys(e, -errno, "cannot open the log") : fd;
	}
	if (home_place(HOME_STATE, state_dir, e) < 0 ||
	    store_find(state_dir, v->session ? v->session : "last", id, e) < 0)
		return -ENOENT;
	return store_open_log(state_dir, id, e);
}

static void say(const struct audit_verify *got, bool whole)
{
	printf("%s: %llu records, %s, last hash %s\n", whole ? "whole" : "NOT WHOLE",
	       (unsigned long long)got->lines,
	       got->ended     ? "closed by its session's end"
	       : got->running ? "open: its session runs"
			      : "open: no session-end, so records at the end are missing",
	       got->head);
}

static int run(const void *values, int noperands, char *const *operands, struct err *e)
{
	const struct values *v = values;
	_cleanup_(close_fd) int fd = open_log(v, e);
	_cleanup_(buf_done) struct buf out = BUF_INIT(JSON_MAX);
	struct report rep = { .j = JSON_INIT(&out), .json = v->json };
	struct audit_verify got;
	bool whole;

	(void)noperands;
	(void)operands;
	if (fd < 0)
		return EXIT_STOCKADE;
	json_object_begin(&rep.j);
	json_key(&rep.j, "problems");
	json_array_begin(&rep.j);
	if (audit_verify_file(fd, &got, note, &rep, e) < 0)
		return EXIT_STOCKADE;
	if (v->expect && strcmp(v->expect, got.head) != 0) {
		got.problems++;
		note(&rep, got.lines, "the last line is not the one that was expected");
	}
	whole = got.problems == 0;
	json_array_end(&rep.j);
	json_member_bool(&rep.j, "whole", whole);
	json_member_u64(&rep.j, "problem_count", got.problems);
	json_member_u64(&rep.j, "records", got.lines);
	json_member_bool(&rep.j, "closed", got.ended);
	json_member_bool(&rep.j, "running", got.running);
	json_member_cstr(&rep.j, "last_hash", got.head);
	json_object_end(&rep.j);
	if (json_done(&rep.j) < 0) {
		err_sys(e, json_done(&rep.j), "cannot write JSON");
		return EXIT_STOCKADE;
	}
	if (v->json)
		printf("%s\n", buf_cstr(&out));
	else
		say(&got, whole);
	return whole ? 0 : EXIT_TAMPERED;
}

const struct command cmd_log_verify = {
	.name = "log verify",
	.summary = "Check that a session's log was not altered",
	.operands = "",
	.about =
	    "Every line of a log carries the hash of the line before it, so a line that was "
	    "altered, dropped, moved or added is found. Exits with 0 when the log is whole, "
	    "with 1 when it is not.\n\n"
	    "The last line of a session that is over is its session-end. A log without it is whole "
	    "only while its session runs, which a lock on the file tells; afterwards its end was "
	    "cut off, or the session was killed. Whoever can rewrite the file can also write such "
	    "a line: note the last hash elsewhere and give it to --expect to be sure.",
	.examples = "stockade log verify\n"
		    "stockade log verify --session last --json\n",
	.options = options,
	.values_size = sizeof(struct values),
	.run = run,
};
