/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust - which project files the user has looked at: lines "<sha256 hex> <absolute path>".  The
 * pure half; launch/layers.c reads and writes the file.
 */
#ifndef STOCKADE_POLICY_TRUST_H
#define STOCKADE_POLICY_TRUST_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

/* Room for thousands of projects. */
#define TRUST_STORE_MAX (1024u * 1024)

/* -EINVAL (and file:line) for any line that is not of this form. */
int trust_check(struct str store, const char *name, struct err *e);
bool trust_has(struct str store, const char *hex, const char *path);
/* The store with the path's line replaced; `hex` NULL: taken out. */
int trust_update(struct str store, const char *hex, const char *path, struct buf *out);

#endif
