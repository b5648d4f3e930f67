/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own - ownership by attribute: `_cleanup_(free_ptr) char *p = ...` is released on every way out.
 *
 * TAKE_PTR and TAKE_FD hand the resource on: the variable is emptied in the same expression.
 */
#ifndef STOCKADE_BASE_OWN_H
#define STOCKADE_BASE_OWN_H

#include <stdlib.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) took_ = (p);                                                         \
		(p) = NULL;                                                                        \
		took_;                                                                             \
	})

#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int took_ = (fd);                                                                  \
		(fd) = -1;                                                                         \
		took_;                                                                             \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static inline void free_ptr(void *p)
{
	free(*(void **)p);
}

#endif
