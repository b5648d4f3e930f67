/* SPDX-License-Identifier: Apache-2.0 */
/* fd - owning descriptors, and reading and writing all of something. */
#ifndef STOCKADE_OS_FD_H
#define STOCKADE_OS_FD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <unistd.h>

/* For _cleanup_(close_fd) int fd = -1; keeps errno. */
void close_fd(int *fd);
/* Whole file into b (limited by b->max, -EFBIG beyond); refuses what is no regular file with
 * -EINVAL (a FIFO would hang, a device is no configuration). */
int fd_read_file(int dirfd, const char *path, struct buf *b);
/* Until EOF or b->max. */
int fd_read_all(int fd, struct buf *b);
int fd_write_all(int fd, const void *p, size_t n);
/* A sealed memfd (no shrink, grow, write) with these bytes, positioned at 0; -errno. */
int fd_sealed_memfd(const char *name, struct str content);
int fd_set_nonblock(int fd, bool on);
int fd_set_cloexec(int fd, bool on);
/* Closes every descriptor >= low (close_range(2)). */
int fd_close_from(int low);

#endif
