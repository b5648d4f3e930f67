/* SPDX-License-Identifier: Apache-2.0 */
/* policy_common - see policy_common.h.  CLI. */
#include "cli/policy_common.h"

#include "base/own.h"
#include "os/fd.h"
#include "policy/merge.h"
#include "policy/profiles.h"
#include "policy/show.h"

#include <errno.h>
#include <stdio.h>

/* A merged policy as text is at most a few times the files. */
#define TEXT_MAX (16u * 1024 * 1024)

static int load_profile(const char *profile, struct policy *ret, struct err *e)
{
	struct policy_stack s;
	char text[256], list[256];
	int err;

	if (!profile_text(profile).p)
		return err_set(e, -EINVAL, "unknown profile '%.80s'; there are %s", profile,
			       profile_list(list, sizeof list));
	snprintf(text, sizeof text, "extends: %s\n", profile);
	err = stack_init(&s, e);
	if (err == 0)
		err = stack_add(&s, str_from(text), profile, SOURCE_COMMAND, false, e);
	if (err == 0)
		err = stack_merge(&s, ret, e);
	stack_done(&s);
	return err;
}

int policy_common_load(const struct opt_list *policies, const char *profile, struct policy *ret,
		       struct layers_report *report, struct err *e)
{
	struct layers_request req;
	int err;

	if (profile)
		return load_profile(profile, ret, e);
	err = layers_request_init(&req, e);
	if (err < 0)
		return err;
	req.policies = policies->items;
	req.npolicies = policies->n;
	return layers_load(&req, ret, report, e);
}

int policy_common_print(struct str text, struct err *e)
{
	int err = fd_write_all(1, text.p, text.len);

	return err < 0 ? err_sys(e, err, "standard output") : 0;
}

void policy_common_dropped(const struct policy *p)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_MAX);

	/* Advice only: nothing depends on it. */
	if (show_dropped(p, &b) == 0)
		fd_write_all(2, buf_cstr(&b), buf_len(&b));
}
