/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json - writes JSON (RFC 8259) into a buf.  Reading is jansson's work.
 *
 * The writer puts commas itself.  Errors stick: check once, with json_done().  Bytes that are not
 * valid UTF-8 are written as U+FFFD, control bytes and DEL as \u00XX, so that a line is always one
 * line and a terminal is never spoken to.
 */
#ifndef STOCKADE_BASE_JSON_H
#define STOCKADE_BASE_JSON_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Deeper nesting is a programming error. */
#define JSON_DEPTH_MAX 32

struct json {
	struct buf *out; /* borrowed */
	int error;	 /* first failure, negative errno */
	unsigned depth;
	uint32_t has_items; /* bit d: level d needs a comma before its next item */
	bool after_key;
};

#define JSON_INIT(b) ((struct json){ .out = (b) })

void json_object_begin(struct json *j);
void json_object_end(struct json *j);
void json_array_begin(struct json *j);
void json_array_end(struct json *j);
void json_key(struct json *j, const char *key);
void json_str(struct json *j, struct str s);
void json_u64(struct json *j, uint64_t v);
void json_i64(struct json *j, int64_t v);
void json_bool(struct json *j, bool v);
void json_put_null(struct json *j); /* not json_null: jansson has one */
/* Key and value in one call. */
void json_member_str(struct json *j, const char *key, struct str s);
void json_member_cstr(struct json *j, const char *key, const char *s); /* NULL: null */
void json_member_u64(struct json *j, const char *key, uint64_t v);
void json_member_bool(struct json *j, const char *key, bool v);
/* 0 or the first error; asserts that everything opened was closed. */
int json_done(struct json *j);

#endif
