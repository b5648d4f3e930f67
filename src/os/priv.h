/* SPDX-License-Identifier: Apache-2.0 */
/* priv - giving power away: identity maps, capabilities, no_new_privs, seccomp. */
#ifndef STOCKADE_OS_PRIV_H
#define STOCKADE_OS_PRIV_H

#include "base/err.h"

#include <linux/filter.h>
#include <stddef.h>
#include <sys/types.h>

/* In a fresh user namespace: the same uid and gid inside as outside, and no other. */
int priv_map_self(uid_t uid, gid_t gid, struct err *e);
/* Empties the effective, permitted, inheritable, bounding and ambient sets. */
int priv_drop_caps(struct err *e);
int priv_no_new(struct err *e);
/* Loads a filter made by tools/seccomp-gen; needs no_new_privs. */
int priv_seccomp(const struct sock_filter *filter, size_t n, struct err *e);
/* Writes text to a file of /proc in one write; -errno. */
int priv_write(int dirfd, const char *path, const char *text);

#endif
