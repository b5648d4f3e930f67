/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layers - finds and reads the files of a policy, and keeps the trust store.
 *
 * /etc/stockade/managed.yaml and managed.d (all *.yaml, by name), the command line's options and
 * every --policy FILE,
 * ./stockade.yaml of the project, $XDG_CONFIG_HOME/stockade/stockade.yaml.  A file that is there
 * but cannot be read, or is malformed, is a refusal: never a weaker policy.  The project's file
 * must be a regular file itself (no link: it came with the clone) and may only tighten until its
 * content is in the trust store.
 */
#ifndef STOCKADE_LAUNCH_LAYERS_H
#define STOCKADE_LAUNCH_LAYERS_H

#include "base/err.h"
#include "base/hash.h"
#include "base/path.h"
#include "policy/policy.h"

#define LAYERS_MANAGED_DIR "/etc/stockade"
#define LAYERS_PROJECT_FILE "stockade.yaml"

struct layers_request {
	const char *managed_dir;
	char config_dir[PATH_TEXT_MAX];	 /* "": no user file */
	char state_dir[PATH_TEXT_MAX];	 /* "": no trust store, nothing is trusted */
	char project_dir[PATH_TEXT_MAX]; /* absolute; "": no project file */
	const char *const *policies;	 /* --policy, strongest first */
	size_t npolicies;
	struct str options; /* the layer that command-line options make; empty: none */
	bool trust_project; /* count it as trusted: for `stockade trust` and `policy show` */
};

struct layers_report {
	bool project_found, project_trusted;
	char project_path[PATH_TEXT_MAX];
	char project_hash[HASH_HEX_LEN + 1];
};

/* From the environment (XDG_*, HOME) and the current directory. */
int layers_request_init(struct layers_request *ret, struct err *e);
int layers_load(const struct layers_request *req, struct policy *ret,
		struct layers_report *ret_report, struct err *e);
/* Records (or takes out) the project file whose hash the user was shown. */
int layers_trust(const struct layers_request *req, const struct layers_report *report, bool revoke,
		 struct err *e);

#endif
