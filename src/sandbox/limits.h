/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits - memory, CPU and process bounds by the best means that this host offers: cgroup v2, else
 * v1, else rlimits and pid_max of the pid namespace.  Used inside this folder only.
 */
#ifndef STOCKADE_SANDBOX_LIMITS_H
#define STOCKADE_SANDBOX_LIMITS_H

#include "base/err.h"
#include "policy/policy.h"

#include <linux/limits.h>
#include <stdbool.h>

/* v1 has one directory a controller: memory, pids, cpu. */
#define LIMITS_GROUPS_MAX 3

struct limits {
	char tier[16]; /* "pidns", "v2", "v1", "rlimit", "none" when nothing is asked for */
	struct {
		char path[PATH_MAX]; /* of the directory, to remove it */
		int procs;	     /* cgroup.procs opened by the launcher */
	} groups[LIMITS_GROUPS_MAX];
	unsigned ngroups;
	unsigned serial; /* of the sandboxes of this launcher: part of the name */
};

/* Launcher: sweeps what killed launchers left, makes the groups and sets their bounds. */
int limits_prepare(const struct policy_limits *want, struct limits *l, struct err *e);
/* Child: moves itself in. */
int limits_join(struct limits *l, struct err *e);
/* Child: what needs no cgroup; before capabilities are dropped. */
int limits_own(const struct policy_limits *want, const struct limits *l, struct err *e);
/* Launcher: closes descriptors; then, once nothing runs inside, removes the directories. */
void limits_close(struct limits *l);
void limits_remove(struct limits *l);

#endif
