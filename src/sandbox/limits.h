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
/* What of the policy's limits no rlimit keeps. */
enum limits_lost {
	LIMITS_LOST_CPU = 1 << 0,    /* not bounded at all */
	LIMITS_LOST_MEMORY = 1 << 1, /* of each process, not of all together */
	LIMITS_LOST_PIDS = 1 << 2,   /* not bounded: root, and pid_max is the machine's */
	LIMITS_LOST_FEW = 1 << 3,    /* root, and pid_max is coarser than the bound */
};

/* Child: what needs no cgroup; before capabilities are dropped.  `pid_namespace`: it has one of its
 * own.  `ret_lost`: enum limits_lost. */
int limits_own(const struct policy_limits *want, const struct limits *l, bool pid_namespace,
	       unsigned *ret_lost, struct err *e);
/* Launcher: closes descriptors; then, once nothing runs inside, removes the directories. */
void limits_close(struct limits *l);
void limits_remove(struct limits *l);

#endif
