/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err - an error that carries its context.
 *
 * Functions return 0 (or a non-negative result) on success and -errno on failure, and take a
 * `struct err *` last.  The object gathers ONE line for the user: what failed, on what, why, and
 * what to do.  Library code never prints.  A NULL object is allowed everywhere: only the code is
 * returned then.
 */
#ifndef STOCKADE_BASE_ERR_H
#define STOCKADE_BASE_ERR_H

#include <errno.h>

/* One terminal line with two long paths in it; longer text is cut and ends in "...". */
#define ERR_TEXT_MAX 1024

struct err {
	int code;		 /* negative errno, 0 when nothing went wrong */
	char text[ERR_TEXT_MAX]; /* always NUL-terminated, no newline */
};

#define ERR_INIT ((struct err){ 0 })

/* Never 0 or above: who reports an error fails, whatever was passed. */
static inline int err_code(int code)
{
	return code < 0 ? code : -EIO;
}

/* Sets code and text; is `code`, so that `return err_set(e, -EINVAL, ...)` reads well.  A macro, so
 * that compilers and analysers see that what is returned is that very code, and so a failure. */
#define err_set(e, code, ...)                                                                      \
	({                                                                                         \
		int err_code_ = err_code(code);                                                    \
		err_set_text((e), err_code_, __VA_ARGS__);                                         \
		err_code_;                                                                         \
	})

/* Like err_set() with ": <strerror(-code)>" appended: for a failed system call. */
#define err_sys(e, code, ...)                                                                      \
	({                                                                                         \
		int err_code_ = err_code(code);                                                    \
		err_sys_text((e), err_code_, __VA_ARGS__);                                         \
		err_code_;                                                                         \
	})

void err_set_text(struct err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void err_sys_text(struct err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "<context>: " before the text that is there; returns e's code (or `code` when e is NULL). */
int err_context(struct err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
