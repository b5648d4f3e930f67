/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inject - which credential fields a request may carry, and taking them out before the real one
 * is set.  Pure.
 *
 * A host to which policy binds a credential takes that credential and no other: an agent-supplied
 * key on an allowed host is how data leaves through a service that is allowed.
 */
#ifndef STOCKADE_BACK_INJECT_H
#define STOCKADE_BACK_INJECT_H

#include "net/request.h"
#include "policy/policy.h"

/* What stands for a credential inside the sandbox. */
struct placeholder {
	struct str credential; /* its name in the policy */
	struct str value;      /* never empty */
};

enum inject_verdict {
	INJECT_OK,
	INJECT_FOREIGN,	  /* a key that is not ours, to a host with a bound credential */
	INJECT_ELSEWHERE, /* a placeholder on the way to a host that it is not bound to */
	INJECT_MAX
};

/* "foreign-credential", "placeholder-elsewhere"; "allowed". */
const char *inject_name(enum inject_verdict v);
/* Does any rule bind a credential to this host? */
bool inject_host_is_bound(const struct policy *p, const struct host *h);
enum inject_verdict inject_check(const struct policy *p, const struct request *r,
				 const struct placeholder *ph, size_t nph);
/* Takes out every credential field of a request to a bound host, whatever its spelling and however
 * often it stands there; after inject_check() said INJECT_OK they hold placeholders only. */
void inject_strip(const struct policy *p, struct request *r);

#endif
