/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine - the restrictions that init and agent share: Landlock, capabilities, no_new_privs,
 * seccomp.
 *
 * Runs in the sandboxed child after the new root is entered.  The namespaces decide what is there;
 * these decide again, by other code of the kernel, what may be done with it.
 */
#include "sandbox/inside.h"

#include "os/fd.h"
#include "os/landlock.h"
#include "os/priv.h"

#include "sandbox/agent-seccomp.h" /* generated */

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int grant(int rules, int abi, const char *path, enum landlock_grant what)
{
	_cleanup_(close_fd) int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISCHR(st.st_mode))
		what = LANDLOCK_DEVICE;
	return landlock_allow(rules, abi, fd, S_ISDIR(st.st_mode), what);
}

static int grant_dev(int rules, int abi)
{
	int r = grant(rules, abi, "/dev", LANDLOCK_DEVICE);

	if (r == 0)
		r = grant(rules, abi, "/dev/shm", LANDLOCK_WRITE);
	if (r == 0)
		r = grant(rules, abi, "/dev/mqueue", LANDLOCK_WRITE);
	return r;
}

/* Reading is what the mounts show; writing is what the plan says may be written. */
static int grant_plan(int rules, int abi, const struct plan *plan)
{
	int r = grant(rules, abi, "/", LANDLOCK_READ);

	for (size_t i = 0; r == 0 && i < plan->nsteps; i++) {
		const struct plan_step *s = &plan->steps[i];

		if (s->kind == PLAN_DEV)
			r = grant_dev(rules, abi);
		else if ((s->kind == PLAN_BIND || s->kind == PLAN_TMPFS) && !s->read_only)
			r = grant(rules, abi, s->target, LANDLOCK_WRITE);
	}
	return r;
}

int confine_files(struct inside *in, struct err *e)
{
	const int abi = landlock_abi();
	_cleanup_(close_fd) int rules = -1;
	int r;

	in->report.tier.landlock_abi = abi;
	if (abi == 0 && in->opt->allow_degraded) {
		inside_lost(in, "Landlock");
		return 0;
	}
	if (abi == 0)
		return err_set(
		    e, -ENOTSUP,
		    "Landlock is missing: boot a kernel with CONFIG_SECURITY_LANDLOCK and "
		    "'landlock' in its lsm= list, or accept less with --allow-degraded");
	rules = landlock_new(abi, false);
	r = rules < 0 ? rules : grant_plan(rules, abi, in->plan);
	if (r == 0)
		r = landlock_enforce(rules);
	return r < 0 ? err_sys(e, r, "Landlock") : 0;
}

int confine_privileges(struct inside *in, struct err *e)
{
	const struct rlimit none = { 0, 0 };
	int r = priv_no_new(e);

	(void)in;
	if (r == 0)
		r = priv_drop_caps(e);
	if (r < 0)
		return r;
	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, -errno, "no core dumps");
	return 0;
}

int confine_calls(struct inside *in, struct err *e)
{
	(void)in;
	return priv_seccomp(seccomp_agent, ARRAY_LEN(seccomp_agent), e);
}
