/* SPDX-License-Identifier: Apache-2.0 */
/* facts - what the planner must know of this host and user, gathered once a run. */
#ifndef STOCKADE_LAUNCH_FACTS_H
#define STOCKADE_LAUNCH_FACTS_H

#include "base/err.h"
#include "fs/plan.h"
#include "os/home.h"

#include <limits.h>

struct facts {
	struct plan_facts plan;
	struct home home;
	char cwd[PATH_MAX];
	char state_dir[PATH_MAX];
	char config_dir[PATH_MAX];
	char link[PATH_MAX];
};

/* -ENOENT when there is no home directory or no current one. `ret` must not move afterwards. */
int facts_gather(struct facts *ret, struct err *e);

#endif
