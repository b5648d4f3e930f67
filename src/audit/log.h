/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - the writing end of a session's audit log: a file opened O_APPEND, a chain of hashes, and a
 * batch of lines that one write(2) carries.
 *
 * Every failure is final: what could not be recorded must not be let out.
 */
#ifndef STOCKADE_AUDIT_LOG_H
#define STOCKADE_AUDIT_LOG_H

#include "audit/record.h"

/* Bytes of one batch: what the role gathers before it writes, plus one record that is as long as
 * they get. */
#define AUDIT_BATCH_FULL (256u * 1024)
#define AUDIT_BATCH_MAX (AUDIT_BATCH_FULL + 2 * AUDIT_LINE_MAX)

/* The writing end of a log: who holds it writes; launch hands it to the audit role. */
struct audit_log {
	int fd;	      /* O_APPEND, owned */
	uint64_t seq; /* of the next record, from 0 */
	char prev[HASH_HEX_LEN + 1];
	uint64_t size;	   /* bytes in the file; nobody else writes it */
	uint64_t reserved; /* disk blocks are held up to here */
	struct buf batch;  /* formatted, not yet written */
};

/* Empty: fd -1, and the chain at its beginning (64 zeros). */
void audit_log_init(struct audit_log *log);
/* A new file, mode 0600; -EEXIST when there is one.  It is locked (flock(2)) until the last process
 * that holds this descriptor has let go: who reads it can tell a session that runs from one that
 * ended without a word. */
int audit_log_create(struct audit_log *log, int dirfd, const char *name, struct err *e);
/* Goes on where another process stopped (MSG_LOG); takes `fd` on success only. */
int audit_log_adopt(struct audit_log *log, int fd, uint64_t seq, struct str prev, struct err *e);
/* Formats one record into the batch; a record without time gets this moment's. */
int audit_log_add(struct audit_log *log, const struct audit_record *r, struct err *e);
/* Writes the batch, all of it or none, in one write(2). */
int audit_log_flush(struct audit_log *log, struct err *e);
/* Both in one call: for launch. */
int audit_log_append(struct audit_log *log, const struct audit_record *r, struct err *e);
/* Closes, and gives back the disk blocks that were held ahead. */
void audit_log_close(struct audit_log *log);
/* Only lets go: another process has the log now (audit_role_log_pack). */
void audit_log_release(struct audit_log *log);

#endif
