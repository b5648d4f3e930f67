/* SPDX-License-Identifier: Apache-2.0 */
/* Doctor: what is missing is said with the setting that takes it away; and the probes of this host
 * run. Summary: three lines, escaped. */
#include "launch/doctor.h"

#include "base/own.h"
#include "launch/summary.h"
#include "os/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct doctor_facts all_there(void)
{
	return (struct doctor_facts){ .probes.landlock_abi = 7,
				      .cgroup = PROBE_CGROUP_V2,
				      .userns_clone = 1,
				      .max_userns = 1000,
				      .apparmor_userns = 0 };
}

static const struct doctor_row *row(const struct doctor *d, const char *id)
{
	for (unsigned i = 0; i < d->nrows; i++)
		if (strcmp(d->rows[i].id, id) == 0)
			return &d->rows[i];
	fail_msg("no row '%s'", id);
	return &d->rows[0]; /* not reached */
}

static void test_all_there(void **state)
{
	struct doctor_facts f = all_there();
	struct doctor d;

	(void)state;
	doctor_judge(&f, &d);
	assert_true(d.native);
	assert_false(d.degraded);
	for (unsigned i = 0; i < d.nrows; i++) {
		if (d.rows[i].state != DOCTOR_OK)
			fail_msg("%s: %s", d.rows[i].id, d.rows[i].found);
		assert_string_equal(d.rows[i].fix, "");
	}
	assert_string_equal(row(&d, "landlock")->found, "yes, ABI 7");
}

static void test_missing(void **state)
{
	static const struct {
		enum probe probe;
		const char *id;
		bool native, degraded;
	} rows[] = {
		{ PROBE_USERNS, "user-namespace", false, false },
		{ PROBE_NETNS, "network-namespace", false, false },
		{ PROBE_SECCOMP, "seccomp", false, false },
		{ PROBE_MOUNT_API, "mount-api", false, false },
		{ PROBE_LANDLOCK, "landlock", true, true },
		{ PROBE_NFTABLES, "nftables", true, true },
		{ PROBE_PROC, "fresh-proc", true, true },
		{ PROBE_OVERLAY, "overlayfs", true, false },
		{ PROBE_NOTIF, "seccomp-notify", true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct doctor_facts f = all_there();
		struct doctor d;

		f.probes.result[rows[i].probe] = -EPERM;
		doctor_judge(&f, &d);
		if (row(&d, rows[i].id)->state != DOCTOR_MISSING || d.native != rows[i].native ||
		    d.degraded != rows[i].degraded || !row(&d, rows[i].id)->fix[0])
			fail_msg("%s: native %d degraded %d fix '%s'", rows[i].id, d.native,
				 d.degraded, row(&d, rows[i].id)->fix);
		/* What could not be tried is not called missing, and not there either. */
		f.probes.result[rows[i].probe] = -ENODATA;
		doctor_judge(&f, &d);
		assert_int_equal(row(&d, rows[i].id)->state, DOCTOR_UNKNOWN);
		assert_int_equal(d.native, rows[i].native);
	}
}

static void test_userns_fix(void **state)
{
	static const struct {
		long clone, max, apparmor;
		bool root;
		const char *says;
	} rows[] = {
		{ 1, 0, 0, false, "sysctl -w user.max_user_namespaces=15000" },
		{ 0, 9, 0, false, "sysctl -w kernel.unprivileged_userns_clone=1" },
		{ -ENOENT, 9, 1, false, "apparmor_restrict_unprivileged_userns=0" },
		{ 0, 9, 1, true, "seccomp=unconfined" },
		{ -ENOENT, 9, -ENOENT, false, "seccomp=unconfined" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct doctor_facts f = all_there();
		struct doctor d;

		f.userns_clone = rows[i].clone;
		f.max_userns = rows[i].max;
		f.apparmor_userns = rows[i].apparmor;
		f.probes.root = rows[i].root;
		f.probes.result[PROBE_USERNS] = -EPERM;
		doctor_judge(&f, &d);
		if (!strstr(row(&d, "user-namespace")->fix, rows[i].says))
			fail_msg("row %zu: '%s'", i, row(&d, "user-namespace")->fix);
	}
}

static void test_format(void **state)
{
	struct doctor_facts f = all_there();
	_cleanup_(buf_done) struct buf text = BUF_INIT(65536), json = BUF_INIT(65536);
	struct doctor d;

	(void)state;
	f.cgroup = PROBE_CGROUP_NONE;
	f.programs[3] = true;
	doctor_judge(&f, &d);
	assert_int_equal(doctor_format(&d, false, &text), 0);
	assert_non_null(strstr(buf_cstr(&text), "MISSING  cgroup"));
	assert_non_null(strstr(buf_cstr(&text), "a run would lose:\n  without cgroup: limits"));
	assert_non_null(strstr(buf_cstr(&text), "found for later versions: docker\n"));
	assert_int_equal(doctor_format(&d, true, &json), 0);
	assert_non_null(strstr(buf_cstr(&json), "{\"native\":true,\"degraded\":true,"));
	assert_non_null(strstr(buf_cstr(&json), "\"docker\":true"));
}

/* Whatever this host is, asking it takes no time, fails in no way, and leaves no child. */
static void test_this_host(void **state)
{
	struct doctor_facts f;
	struct doctor d;
	uint64_t from = clock_mono_ms();

	(void)state;
	assert_int_equal(doctor_gather("/usr/bin:/bin", &f, NULL), 0);
	assert_true(clock_mono_ms() - from < 2000); /* 100 ms are promised; CI machines are busy */
	doctor_judge(&f, &d);
	assert_true(d.nrows > PROBE_MAX);
	assert_true(probe_program("/nowhere:/bin", "sh"));
	assert_false(probe_program("/nowhere:", "sh"));
	assert_true(probe_sysctl("/proc/sys/kernel/pid_max") > 0);
	assert_int_equal(probe_sysctl("/proc/sys/no/such"), -ENOENT);
}

static void test_summary(void **state)
{
	struct summary s = { .session_id = "20260131-235959-abcdef",
			     .log_path = "/s/audit\x1b.jsonl",
			     .changed = "/w\x1b",
			     .nchanged = 2,
			     .exit_code = 3 };
	_cleanup_(buf_done) struct buf text = BUF_INIT(65536), json = BUF_INIT(65536);

	(void)state;
	s.tally.allowed = 12;
	s.tally.denied = 9;
	for (unsigned i = 0; i < 6; i++) {
		snprintf(s.tally.top[i].host, AUDIT_TALLY_HOST_MAX, "h%u.test", i);
		s.tally.top[i].port = (uint16_t)(i ? 443 : 0);
		s.tally.top[i].count = i == 5 ? 4 : 1;
	}
	s.tally.ntop = 6;
	assert_int_equal(summary_format(&s, false, &text), 0);
	assert_string_equal(buf_cstr(&text),
			    "stockade: allowed 12\n"
			    "stockade: denied 9: h5.test:443 (4x), h0.test, h1.test:443, "
			    "h2.test:443, h3.test:443, ...\n"
			    "stockade: changes stand in /w\\x1b and 1 more; "
			    "stockade log --session 20260131-235959-abcdef\n");
	s.nchanged = 0;
	buf_clear(&text);
	assert_int_equal(summary_format(&s, false, &text), 0);
	assert_non_null(strstr(buf_cstr(&text), "\nstockade: changes none kept; stockade log"));
	assert_int_equal(summary_format(&s, true, &json), 0);
	assert_non_null(strstr(buf_cstr(&json), "\"exit_code\":3,\"allowed\":12,\"denied\":9"));
	assert_null(strchr(buf_cstr(&json), '\x1b'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_there),  cmocka_unit_test(test_missing),
		cmocka_unit_test(test_userns_fix), cmocka_unit_test(test_format),
		cmocka_unit_test(test_this_host),  cmocka_unit_test(test_summary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
