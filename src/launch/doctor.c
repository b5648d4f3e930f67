/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor - see doctor.h.  Runs in `stockade doctor`.  Gathering asks the kernel (os/probe.h);
 * judging and formatting are pure.
 */
#include "launch/doctor.h"

#include "base/json.h"
#include "base/own.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *const doctor_programs[6] = { "runc",   "crun",   "runsc",
					 "docker", "podman", "qemu-system-x86_64" };

/* What stops user namespaces, most telling first. */
#define FIX_UNKNOWN                                                                                \
	"inside a container, start it with --security-opt seccomp=unconfined; elsewhere build "    \
	"the "                                                                                     \
	"kernel with CONFIG_USER_NS"

static const struct {
	enum probe probe;
	enum doctor_need need;
	const char *id, *meaning, *fix;
} kernel_rows[] = {
	{ PROBE_USERNS, DOCTOR_REQUIRED, "user-namespace",
	  "makes a boundary without root; everything else stands on it", NULL },
	{ PROBE_UIDMAP, DOCTOR_REQUIRED, "uid-map",
	  "gives the user an id in the boundary; AppArmor's restriction takes this away", NULL },
	{ PROBE_MNTNS, DOCTOR_REQUIRED, "mount-namespace",
	  "shows the program only the files that policy names", NULL },
	{ PROBE_PIDNS, DOCTOR_REQUIRED, "pid-namespace",
	  "hides other processes, and ends everything with the session", NULL },
	{ PROBE_NETNS, DOCTOR_REQUIRED, "network-namespace",
	  "leaves the gateway as the only way out", NULL },
	{ PROBE_IPCNS, DOCTOR_REQUIRED, "ipc-namespace",
	  "keeps shared memory and message queues apart", NULL },
	{ PROBE_UTSNS, DOCTOR_DEGRADES, "uts-namespace", "hides the host's name", NULL },
	{ PROBE_CGROUPNS, DOCTOR_DEGRADES, "cgroup-namespace", "hides the host's control groups",
	  NULL },
	{ PROBE_TIMENS, DOCTOR_DEGRADES, "time-namespace", "hides how long the host has been up",
	  "needs Linux 5.6 with CONFIG_TIME_NS" },
	{ PROBE_CLONE3, DOCTOR_REQUIRED, "clone3", "makes all namespaces in one step",
	  "needs Linux 5.5; inside a container a newer container engine, whose filter knows it" },
	{ PROBE_MOUNT_API, DOCTOR_REQUIRED, "mount-api",
	  "mounts by descriptor, which a symbolic link cannot lead astray",
	  "needs Linux 5.12; inside a container start it with --security-opt seccomp=unconfined" },
	{ PROBE_OPENAT2, DOCTOR_REQUIRED, "openat2",
	  "opens paths in the agent's own tree without leaving it", "needs Linux 5.6" },
	{ PROBE_PROC, DOCTOR_DEGRADES, "fresh-proc",
	  "a /proc of its own; else the existing one is bound, as in a container",
	  "inside a container start it with --security-opt systempaths=unconfined" },
	{ PROBE_SECCOMP, DOCTOR_REQUIRED, "seccomp", "refuses system calls that nobody needs",
	  "needs a kernel with CONFIG_SECCOMP_FILTER" },
	{ PROBE_LANDLOCK, DOCTOR_DEGRADES, "landlock",
	  "a second lock on files, sockets and signals",
	  "needs Linux 5.13 and 'landlock' in the kernel's lsm= list (cat "
	  "/sys/kernel/security/lsm)" },
	{ PROBE_NFTABLES, DOCTOR_DEGRADES, "nftables",
	  "catches connections to any port; else only to the ports that policy names",
	  "sudo modprobe nf_tables nft_redir nft_chain_nat" },
	{ PROBE_NOTIF, DOCTOR_LATER, "seccomp-notify", "lets a supervisor answer system calls",
	  "needs Linux 5.0" },
	{ PROBE_OVERLAY, DOCTOR_LATER, "overlayfs", "lets changes be reviewed before they count",
	  "needs Linux 5.11 with CONFIG_OVERLAY_FS (sudo modprobe overlay)" },
};

static_assert(ARRAY_LEN(kernel_rows) == PROBE_MAX, "every probe has a row");
static_assert(PROBE_MAX + 3 <= DOCTOR_ROWS_MAX, "and the others fit too");

int doctor_gather(const char *path, struct doctor_facts *ret, struct err *e)
{
	struct doctor_facts f = { 0 };
	int r = probe_kernel(&f.probes, e);

	if (r < 0)
		return r;
	f.cgroup = probe_cgroups();
	f.userns_clone = probe_sysctl("/proc/sys/kernel/unprivileged_userns_clone");
	f.max_userns = probe_sysctl("/proc/sys/user/max_user_namespaces");
	f.apparmor_userns = probe_sysctl("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
	f.kvm = probe_device("/dev/kvm");
	f.vsock = probe_device("/dev/vhost-vsock");
	for (size_t i = 0; i < ARRAY_LEN(doctor_programs); i++)
		f.programs[i] = path && probe_program(path, doctor_programs[i]);
	*ret = f;
	return 0;
}

/* The setting that blocks user namespaces, and how to change it. */
static const char *userns_fix(const struct doctor_facts *f)
{
	if (f->max_userns == 0)
		return "user.max_user_namespaces is 0: sudo sysctl -w "
		       "user.max_user_namespaces=15000";
	if (f->userns_clone == 0 && !f->probes.root)
		return "kernel.unprivileged_userns_clone is 0: sudo sysctl -w "
		       "kernel.unprivileged_userns_clone=1";
	if (f->apparmor_userns > 0 && !f->probes.root)
		return "AppArmor restricts user namespaces: sudo sysctl -w "
		       "kernel.apparmor_restrict_unprivileged_userns=0, or give stockade a profile "
		       "with 'userns,'";
	return FIX_UNKNOWN;
}

static struct doctor_row *row_add(struct doctor *d, const char *id, enum doctor_need need,
				  int result, const char *meaning)
{
	struct doctor_row *row = &d->rows[d->nrows++];

	*row = (struct doctor_row){ .id = id, .need = need, .meaning = meaning };
	row->state = result == 0 ? DOCTOR_OK : result == -ENODATA ? DOCTOR_UNKNOWN : DOCTOR_MISSING;
	if (result == 0)
		snprintf(row->found, sizeof row->found, "yes");
	else if (result == -ENODATA)
		snprintf(row->found, sizeof row->found, "not tried: it stands on what is missing");
	else
		snprintf(row->found, sizeof row->found, "no (%s)", strerror(-result));
	return row;
}

static void judge_kernel(const struct doctor_facts *f, struct doctor *d)
{
	for (size_t i = 0; i < ARRAY_LEN(kernel_rows); i++) {
		int result = f->probes.result[kernel_rows[i].probe];
		struct doctor_row *row = row_add(d, kernel_rows[i].id, kernel_rows[i].need, result,
						 kernel_rows[i].meaning);

		if (kernel_rows[i].probe == PROBE_LANDLOCK && result == 0)
			snprintf(row->found, sizeof row->found, "yes, ABI %d",
				 f->probes.landlock_abi);
		if (row->state == DOCTOR_MISSING)
			snprintf(row->fix, sizeof row->fix, "%s",
				 kernel_rows[i].fix ? kernel_rows[i].fix : userns_fix(f));
	}
}

static void judge_cgroup(const struct doctor_facts *f, struct doctor *d)
{
	static const char *const found[] = {
		[PROBE_CGROUP_NONE] =
		    "none to use: pids by pid_max, memory of each process by rlimit, no CPU",
		[PROBE_CGROUP_V1] = "version 1",
		[PROBE_CGROUP_V2] = "version 2, delegated",
	};
	bool have = f->cgroup != PROBE_CGROUP_NONE;
	struct doctor_row *row = row_add(d, "cgroup", DOCTOR_DEGRADES, have ? 0 : -EACCES,
					 "limits memory, CPU and processes of a whole session");

	snprintf(row->found, sizeof row->found, "%s", found[f->cgroup]);
	if (!have)
		snprintf(row->fix, sizeof row->fix,
			 "systemd-run --user --scope -p Delegate=yes stockade run ...");
}

void doctor_judge(const struct doctor_facts *f, struct doctor *ret)
{
	struct doctor d = { .native = true };

	judge_kernel(f, &d);
	judge_cgroup(f, &d);
	row_add(&d, "kvm", DOCTOR_LATER, f->kvm, "runs virtual machines at full speed");
	row_add(&d, "vhost-vsock", DOCTOR_LATER, f->vsock, "sockets into virtual machines");
	for (unsigned i = 0; i < d.nrows; i++) {
		if (d.rows[i].state == DOCTOR_OK)
			continue;
		d.native = d.native && d.rows[i].need != DOCTOR_REQUIRED;
		d.degraded = d.degraded || d.rows[i].need == DOCTOR_DEGRADES;
	}
	memcpy(d.programs, f->programs, sizeof d.programs);
	*ret = d;
}

static const char *const state_names[] = { "ok", "missing", "unknown" };
static const char *const need_names[] = { "required", "degrades", "later" };

static int format_json(const struct doctor *d, struct buf *out)
{
	struct json j = JSON_INIT(out);

	json_object_begin(&j);
	json_member_bool(&j, "native", d->native);
	json_member_bool(&j, "degraded", d->degraded);
	json_key(&j, "probes");
	json_array_begin(&j);
	for (unsigned i = 0; i < d->nrows; i++) {
		json_object_begin(&j);
		json_member_cstr(&j, "id", d->rows[i].id);
		json_member_cstr(&j, "state", state_names[d->rows[i].state]);
		json_member_cstr(&j, "need", need_names[d->rows[i].need]);
		json_member_cstr(&j, "found", d->rows[i].found);
		json_member_cstr(&j, "meaning", d->rows[i].meaning);
		json_member_cstr(&j, "fix", d->rows[i].fix[0] ? d->rows[i].fix : NULL);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_key(&j, "programs");
	json_object_begin(&j);
	for (size_t i = 0; i < ARRAY_LEN(doctor_programs); i++)
		json_member_bool(&j, doctor_programs[i], d->programs[i]);
	json_object_end(&j);
	json_object_end(&j);
	return json_done(&j) < 0 ? json_done(&j) : buf_append_c(out, '\n');
}

static int format_row(const struct doctor_row *row, struct buf *out)
{
	static const char *const marks[] = { "ok     ", "MISSING", "?      " };
	/* What only a later version would use is nothing to worry about. */
	const bool later = row->state == DOCTOR_MISSING && row->need == DOCTOR_LATER;
	int r = buf_printf(out, "%s  %-18s %s\n", later ? "no     " : marks[row->state], row->id,
			   row->found);

	if (r == 0 && row->state != DOCTOR_OK)
		r = buf_printf(out, "         %-18s for: %s%s\n", "", row->meaning,
			       row->need == DOCTOR_LATER ? " (no use of it yet)" : "");
	if (r == 0 && row->fix[0])
		r = buf_printf(out, "         %-18s fix: %s\n", "", row->fix);
	return r;
}

/* What a run would lose, one line each. */
static int format_losses(const struct doctor *d, struct buf *out)
{
	int r = 0;

	for (unsigned i = 0; i < d->nrows && r == 0; i++)
		if (d->rows[i].state != DOCTOR_OK && d->rows[i].need == DOCTOR_DEGRADES)
			r = buf_printf(out, "  without %s: %s\n", d->rows[i].id,
				       d->rows[i].meaning);
	return r;
}

static int format_text(const struct doctor *d, struct buf *out)
{
	int r = 0;

	for (unsigned i = 0; i < d->nrows && r == 0; i++)
		r = format_row(&d->rows[i], out);
	if (r == 0)
		r = buf_printf(out, "\nback ends\n  native: %s\n",
			       !d->native    ? "cannot run here; mend what is MISSING above"
			       : d->degraded ? "runs, and a run would lose:"
					     : "runs with every control");
	if (r == 0 && d->native)
		r = format_losses(d, out);
	if (r == 0)
		r = buf_printf(out, "  found for later versions:");
	for (size_t i = 0; i < ARRAY_LEN(doctor_programs) && r == 0; i++)
		if (d->programs[i])
			r = buf_printf(out, " %s", doctor_programs[i]);
	return r ? r : buf_append_c(out, '\n');
}

int doctor_format(const struct doctor *d, bool json, struct buf *out)
{
	return json ? format_json(d, out) : format_text(d, out);
}
