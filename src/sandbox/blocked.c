/* SPDX-License-Identifier: Apache-2.0 */
/* blocked - see blocked.h.  Runs in the launcher after a failure; reads kernel settings only. */
#include "sandbox/blocked.h"

#include "base/num.h"
#include "base/own.h"
#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>

struct setting {
	const char *path;
	uint64_t blocks; /* the value that forbids */
	const char *text;
};

static const struct setting settings[] = {
	{ "/proc/sys/kernel/unprivileged_userns_clone", 0,
	  "kernel.unprivileged_userns_clone=0 forbids user namespaces; fix: sudo sysctl "
	  "kernel.unprivileged_userns_clone=1" },
	{ "/proc/sys/user/max_user_namespaces", 0,
	  "user.max_user_namespaces=0 forbids user namespaces; fix: sudo sysctl "
	  "user.max_user_namespaces=10000" },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1,
	  "kernel.apparmor_restrict_unprivileged_userns=1 takes all power from user namespaces; "
	  "fix: an AppArmor profile with 'userns,' for stockade, or sudo sysctl "
	  "kernel.apparmor_restrict_unprivileged_userns=0" },
};

static bool reads(const char *path, uint64_t value)
{
	char text[24];
	_cleanup_(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
	struct str rest = { text, n > 0 ? (size_t)n : 0 }, line;
	uint64_t found;

	return str_next(&rest, '\n', &line) && num_parse_u64(line, UINT64_MAX, &found) == 0 &&
	       found == value;
}

static const char *reason(int code)
{
	for (unsigned i = 0; i < ARRAY_LEN(settings); i++)
		if (reads(settings[i].path, settings[i].blocks))
			return settings[i].text;
	if (code == -ENOSYS)
		return "clone3 is missing: an outer container's seccomp profile hides it, or the "
		       "kernel is older than 5.6; fix: run the container with --security-opt "
		       "seccomp=unconfined";
	if (code == -ENOSPC)
		return "the bound on namespaces is reached (user.max_*_namespaces) or they are "
		       "nested too deeply; fix: raise it with sysctl";
	if (code == -EINVAL)
		return "the kernel was built without one of the namespaces (user, mount, pid, net, "
		       "ipc, uts, cgroup, time)";
	if (code == -EPERM || code == -EACCES)
		return "an outer container or security module forbids it; fix: run the container "
		       "with --security-opt seccomp=unconfined (and apparmor=unconfined)";
	return "";
}

int blocked_explain(int code, struct err *e)
{
	return err_sys(e, code, "cannot make namespaces: %s", reason(code));
}

bool blocked_context(int code, struct err *e)
{
	static const struct setting *apparmor = &settings[2];

	if ((code != -EPERM && code != -EACCES) || !reads(apparmor->path, apparmor->blocks))
		return false;
	err_context(e, code, "%s", apparmor->text);
	return true;
}
