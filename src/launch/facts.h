/* SPDX-License-Identifier: Apache-2.0 */
/* facts - what the planner must know of this host and user, gathered once a run. */
#ifndef STOCKADE_LAUNCH_FACTS_H
#define STOCKADE_LAUNCH_FACTS_H

#include "base/err.h"
#include "fs/plan.h"

#include <limits.h>

struct facts {
	struct plan_facts plan;
	char home[PATH_MAX];
	char cwd[PATH_MAX];
	char user[33]; /* LOGIN_NAME_MAX is 256; shadow's useradd stops at 32 */
	char state_dir[PATH_MAX];
	char config_dir[PATH_MAX];
	char link[PATH_MAX];
};

/* From the environment ($HOME, $USER, $XDG_STATE_HOME, $XDG_CONFIG_HOME), else /etc/passwd.
 * -EINVAL when there is no absolute home directory. `ret` must not move afterwards. */
int facts_gather(struct facts *ret, struct err *e);

#endif
