/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail - a gateway role locks itself in before it reads the first hostile byte.
 *
 * Works as root and as an ordinary user.  Open descriptors stay usable; nothing new can be opened.
 * Call it single-threaded, after certificates and files have been read.
 */
#ifndef STOCKADE_OS_JAIL_H
#define STOCKADE_OS_JAIL_H

#include "base/err.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

struct jail {
	const struct sock_filter *filter; /* seccomp_NAME of tools/seccomp-gen */
	size_t nfilter;
	unsigned nofile; /* bound of open descriptors, 0: as it is */
	bool connects;	 /* may make TCP connections (back, resolver); else Landlock denies them */
	/* NULL-terminated paths that stay readable, missing ones skipped (resolver: the C library's
	 * configuration).  No empty root then, so Landlock must be there.  NULL: nothing. */
	const char *const *reads;
	bool own_net; /* an empty network namespace of its own (0.6 ms): not for `connects` */
};

/*
 * In order: empty read-only root in user and mount namespaces of its own, no capability,
 * no_new_privs, undumpable, no core, Landlock deny-all, seccomp.  Where namespaces are forbidden
 * Landlock must hold the file system alone; where both are missing this fails.
 * On failure the process is half locked in: end it.
 */
int jail_enter(const struct jail *j, struct err *e);

#endif
