/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query - reading a log again: lines as values, filters, and the check of the chain.
 *
 * A log on disk is input like any other: it may have been tampered with, so every length is bounded
 * and nothing of it is passed to a terminal unescaped (audit/show.h).
 */
#ifndef STOCKADE_AUDIT_QUERY_H
#define STOCKADE_AUDIT_QUERY_H

#include "audit/record.h"

#include <stdbool.h>

/* One line read back.  `r` has slices into `root`. */
struct audit_line {
	struct audit_record r;
	uint64_t seq;
	char prev[HASH_HEX_LEN + 1];
	void *root; /* the parsed JSON, owned */
};

/* -EBADMSG with the reason: no JSON, a member unknown, missing, twice or of the wrong kind, bytes
 * that our writer never writes. */
int audit_line_parse(struct str line, struct audit_line *ret, struct err *e);
void audit_line_done(struct audit_line *l);

/* Lines of a descriptor, in bounded memory. */
struct audit_reader {
	int fd; /* borrowed */
	struct buf b;
	size_t used;	  /* bytes of the line given last */
	uint64_t line_no; /* of the line given last, from 1 */
	bool skipping;	  /* inside a line that is too long */
};

void audit_reader_init(struct audit_reader *rd, int fd);
void audit_reader_done(struct audit_reader *rd);
/* 1 a line (a slice until the next call), 0 none now (call again: the file may grow), -EMSGSIZE a
 * line longer than AUDIT_LINE_MAX was left out, or -errno of read(2). */
int audit_reader_next(struct audit_reader *rd, struct str *ret_line);
/* Bytes after the last newline. */
bool audit_reader_torn(const struct audit_reader *rd);

struct audit_filter {
	struct str verdict;	/* empty: any */
	struct str host;	/* exact, or "*.suffix"; empty: any */
	enum audit_event event; /* AUDIT_EVENT_MAX: any */
	uint64_t since_ns;	/* inclusive */
	uint64_t until_ns;	/* exclusive; 0: no end */
};

bool audit_filter_match(const struct audit_filter *f, const struct audit_record *r);

struct audit_verify {
	uint64_t lines, problems;
	char head[HASH_HEX_LEN + 1]; /* hash of the last line; zeros when there is none */
	bool ended;		     /* the last line is session-end, or setup-refused */
	bool running;		     /* its session still holds the file */
};

typedef void (*audit_problem_fn)(void *arg, uint64_t line, const char *text);

/* A log whose session no longer runs must have its end: else that was cut off, or the session was
 * killed, and it is a problem.  Reads all of it, calls `fn` for each problem.  0 even with
 * problems; negative only when the file could not be read. */
int audit_verify_file(int fd, struct audit_verify *ret, audit_problem_fn fn, void *arg,
		      struct err *e);

#endif
