/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start - what a role is given by launch before GO: policy, channels to its peers, and what only it
 * gets (listeners, secrets, placeholders, the log).
 */
#ifndef STOCKADE_ROLE_START_H
#define STOCKADE_ROLE_START_H

#include "audit/role.h"
#include "back/inject.h"
#include "front/front.h"
#include "keeper/keeper.h"

#define START_SESSION_MAX 64u

struct start {
	enum role self;
	struct channel launch;
	struct channel peers[ROLE_MAX]; /* by role; fd -1: no such peer */
	struct policy policy;
	bool has_policy;
	struct front_setup front;
	struct keeper keeper;
	struct placeholder placeholders[POLICY_CREDENTIALS_MAX]; /* texts owned, never freed */
	size_t nplaceholders;
	struct audit_log log;
	bool has_log;
};

/* Reads messages on `fd` until GO; then everything that the role needs is there, and its channels
 * run.  Blocks for as long as launch lives. */
int start_receive(struct start *s, enum role self, int fd, struct err *e);

#endif
