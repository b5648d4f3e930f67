/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secrets - the credentials' values, read once at start, outside the boundary, and handed to
 * keeper.  Launch holds them in locked pages that a core dump leaves out, and wipes them when they
 * were sent or when the session ends.
 */
#ifndef STOCKADE_LAUNCH_SECRETS_H
#define STOCKADE_LAUNCH_SECRETS_H

#include "base/err.h"
#include "fs/plan.h"
#include "policy/policy.h"

/* Longest value: a service account's JSON key is 2.4 KB, a long JWT under 16 KB. */
#define SECRET_MAX 16384u
/* "sk-stockade-" and 32 letters of 5 bits: cannot be guessed, is no real key's shape. */
#define PLACEHOLDER_PREFIX "sk-stockade-"
#define PLACEHOLDER_RANDOM 32u
#define PLACEHOLDER_MAX (sizeof PLACEHOLDER_PREFIX + PLACEHOLDER_RANDOM)
/* A `cmd:` source may ask a keyring or a token service, not a person. */
#define SECRET_CMD_TIMEOUT_MS 30000

struct secret {
	const struct credential *credential; /* borrowed from the policy */
	char *value;			     /* SECRET_MAX + 1 bytes of the locked page, or NULL */
	size_t len;
	char placeholder[PLACEHOLDER_MAX];
};

struct secrets {
	struct secret *items; /* heap */
	size_t n;
	void *pages; /* mmap: every value */
	size_t pages_len;
	struct plan_pair *env; /* heap: placeholder variables for the plan */
	size_t nenv;
};

/* Reads every credential that a rule of the policy uses.  A value with CR, LF, NUL or another
 * control byte is refused (one trailing newline of a file or command is dropped), and so is an
 * empty one; a credential of a built-in profile whose variable is not set is left without value:
 * its requests are refused, the run is not.  Messages name the credential, never a value. */
int secrets_load(const struct policy *p, struct secrets *ret, struct err *e);
/* Zeroes and frees; safe twice. */
void secrets_wipe(struct secrets *s);
/* Replaces every occurrence of a value in the NUL-terminated text by "[credential]". */
void secrets_redact(const struct secrets *s, char *text);

#endif
