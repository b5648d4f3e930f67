/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper - the role that holds the credentials.  It answers one question, of back: the value of the
 * field that this rule binds, for this host and port, over this kind of connection.
 */
#ifndef STOCKADE_KEEPER_KEEPER_H
#define STOCKADE_KEEPER_KEEPER_H

#include "ipc/channel.h"
#include "keeper/secret.h"
#include "policy/policy.h"

/* Questions a second, and saved up: more than any client sends requests, few enough that a back
 * that was taken over is slow at guessing. */
#define KEEPER_RATE 2000u
#define KEEPER_BURST 4000u

struct keeper {
	const struct policy *policy;		       /* borrowed: keeper's own copy */
	struct secret secrets[POLICY_CREDENTIALS_MAX]; /* by index into policy->credentials */
	uint64_t tokens, filled_ms;
};

void keeper_init(struct keeper *k, const struct policy *policy);
void keeper_done(struct keeper *k);
/* One MSG_SECRET: its name must be in the policy and not be there yet. */
int keeper_load(struct keeper *k, struct str payload, struct err *e);
/* Answers one MSG_CRED_GET: *ret_type and `out` are the message to send; the caller wipes `out`.
 * -EPROTO when the question is malformed. */
int keeper_answer(struct keeper *k, struct str payload, uint64_t now_ms, enum msg_type *ret_type,
		  struct buf *out);
/* Serves until launch says STOP (0) or a channel is gone or breaks the table (-errno). */
int keeper_run(struct keeper *k, struct channel *launch, struct channel *back);

#endif
