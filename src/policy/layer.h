/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer - one policy file (or profile) as read, before layers are merged.
 */
#ifndef STOCKADE_POLICY_LAYER_H
#define STOCKADE_POLICY_LAYER_H

#include "policy/policy.h"

/* Profiles named by one `extends`: there are five. */
#define LAYER_EXTENDS_MAX 8u

struct setting_value {
	unsigned line; /* 0: not written */
	uint64_t value;
};

/* How SETTING_WORKSPACE_MODE is held: the lower the stricter, as with limits. */
enum workspace_rank { WORKSPACE_RANK_NONE, WORKSPACE_RANK_RO, WORKSPACE_RANK_RW };

/* `none` as a limit: no limit, the least strict of all. */
#define LIMIT_NONE UINT64_MAX

struct layer_name {
	char *text;
	unsigned line;
};

struct policy_layer {
	const char *name; /* for messages and origins */
	enum policy_source source;
	bool untrusted; /* may only tighten */
	struct layer_name extends[LAYER_EXTENDS_MAX];
	size_t nextends;
	char *workspace;
	struct setting_value settings[SETTING_MAX];
	struct policy_mount *mounts;
	size_t nmounts;
	struct net_rule *rules;
	size_t nrules;
	struct credential *credentials;
	size_t ncredentials;
	struct env_entry *env;
	size_t nenv;
	struct layer_name *unix_sockets;
	size_t nunix_sockets;
};

#endif
