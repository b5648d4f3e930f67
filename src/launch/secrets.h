/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secrets - reads the credentials that policy binds, outside, before anything is started; and makes
 * up what stands for them inside.
 */
#ifndef STOCKADE_LAUNCH_SECRETS_H
#define STOCKADE_LAUNCH_SECRETS_H

#include "base/buf.h"
#include "base/err.h"
#include "fs/plan.h"
#include "policy/policy.h"

/* A helper that asks a key ring or refreshes a token is done in a few seconds. */
#define SECRETS_CMD_MS 30000u
/* "sk-stockade-" and 32 letters of 5 bits. */
#define SECRETS_PLACEHOLDER_MAX 48u

struct secret_entry {
	const struct credential *credential; /* of the policy, borrowed */
	struct buf value;
	char placeholder[SECRETS_PLACEHOLDER_MAX]; /* "" when policy names no variable for it */
};

struct secrets {
	struct secret_entry entries[POLICY_CREDENTIALS_MAX];
	size_t n;
};

/* Which credentials an allow rule binds, and what stands for them inside; no value yet. */
void secrets_name(const struct policy *p, struct secrets *ret);
/* Reads the values; `host_env` is the host's environment.  Called after the sandbox's first process
 * was made, so that no copy of a value is in its memory.  Errors name the credential, its source
 * and the policy line, never the value; nothing is left in memory then. */
int secrets_read(struct secrets *s, char *const *host_env, struct err *e);
/* Wipes the values and keeps the placeholders: once they were sent. */
void secrets_wipe(struct secrets *s);
/* The variables that get a placeholder inside; returns how many. */
size_t secrets_placeholders(const struct secrets *s,
			    struct plan_pair ret[static POLICY_CREDENTIALS_MAX]);
/* Replaces every occurrence of a value in the NUL-terminated text: a command line may hold one. */
void secrets_redact(const struct secrets *s, char *text);

#endif
