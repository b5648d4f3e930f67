/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor - what this host offers for sandboxes: each probe, what it means, what would mend it,
 * which back ends can run here, and what a run would lose.
 */
#ifndef STOCKADE_LAUNCH_DOCTOR_H
#define STOCKADE_LAUNCH_DOCTOR_H

#include "base/buf.h"
#include "os/probe.h"

#include <stdbool.h>

enum doctor_state { DOCTOR_OK, DOCTOR_MISSING, DOCTOR_UNKNOWN };

/* What `stockade run` does without it. */
enum doctor_need {
	DOCTOR_REQUIRED, /* refuses to start, whatever is asked */
	DOCTOR_DEGRADES, /* refuses unless --allow-degraded, or takes the next tier and says so */
	DOCTOR_LATER,	 /* not used by this version, or only by other back ends */
};

/* Everything that was asked of the host; a test fills it by hand. */
struct doctor_facts {
	struct probes probes;
	enum probe_cgroup cgroup;
	long userns_clone, max_userns, apparmor_userns; /* of /proc/sys; negative: no such file */
	int kvm, vsock;					/* 0 or -errno */
	bool programs[6];				/* doctor_programs[] */
};

extern const char *const doctor_programs[6];

/* `path`: $PATH. */
int doctor_gather(const char *path, struct doctor_facts *ret, struct err *e);

struct doctor_row {
	const char *id;
	enum doctor_need need;
	enum doctor_state state;
	const char *meaning;
	char found[96]; /* "yes", "ABI 7", or the error */
	char fix[256];	/* a command, or "" */
};

#define DOCTOR_ROWS_MAX 32u
struct doctor {
	struct doctor_row rows[DOCTOR_ROWS_MAX];
	unsigned nrows;
	bool native;   /* stockade run works here */
	bool degraded; /* ... with something missing */
	bool programs[6];
};

/* Pure. */
void doctor_judge(const struct doctor_facts *f, struct doctor *ret);
int doctor_format(const struct doctor *d, bool json, struct buf *out);

#endif
