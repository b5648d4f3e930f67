/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store - where sessions' logs lie: <state>/sessions/<id>/audit.jsonl, <state> being
 * home_place(HOME_STATE) of os/home.h.
 *
 * An id is the time it began (UTC) and six random letters: "20260131-235959-k3v9ab", so that names
 * sort by time and two sessions of one second differ.
 */
#ifndef STOCKADE_AUDIT_STORE_H
#define STOCKADE_AUDIT_STORE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define STORE_ID_LEN 22
#define STORE_LOG_NAME "audit.jsonl"
/* Sessions listed; beyond this the oldest are not. */
#define STORE_LIST_MAX 100000u

struct store_session {
	char id[STORE_ID_LEN + 1];
	int dirfd;  /* owned */
	char *path; /* of the directory, heap */
};

/* A new session's id: the moment and random letters. */
void store_new_id(uint64_t now_ns, char ret[static STORE_ID_LEN + 1]);
/* Makes what is missing of the path, each 0700; refuses a directory that is another user's or that
 * others may write.  -EEXIST when there is such a session. */
int store_create(const char *state_dir, const char *id, struct store_session *ret, struct err *e);
void store_session_done(struct store_session *s);
/* Ids in the order they began; heap, each `STORE_ID_LEN + 1` bytes in one block. */
int store_list(const char *state_dir, char (**ret)[STORE_ID_LEN + 1], size_t *ret_n, struct err *e);
/* "last", an id, or the beginning (or end: the letters) of exactly one. */
int store_find(const char *state_dir, const char *text, char ret_id[static STORE_ID_LEN + 1],
	       struct err *e);
/* The log for reading: descriptor, or -errno. */
int store_open_log(const char *state_dir, const char *id, struct err *e);

#endif
