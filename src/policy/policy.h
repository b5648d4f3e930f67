/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy - the model: what one session may do.  Pure values; nothing here makes a system call.
 *
 * A policy is read from layers (policy/read.h), merged (policy/merge.h), asked (policy/decide.h),
 * explained (policy/explain.h) and sent to the gateway's roles (policy/pack.h).  Everything is
 * denied unless it is written.  All strings and arrays live in the policy's arena (base/arena.h)
 * and are freed together by policy_done(); a policy put together by hand (tests) has no arena and
 * owns nothing.
 */
#ifndef STOCKADE_POLICY_POLICY_H
#define STOCKADE_POLICY_POLICY_H

#include "base/addr.h"
#include "base/arena.h"
#include "base/host.h"

#include <stdbool.h>
#include <stdint.h>

/* Limits on what a policy file may hold; each far above any real one, so that a hostile file in a
 * cloned repository costs microseconds and kilobytes. */
#define POLICY_FILE_MAX (256u * 1024)
#define POLICY_RULES_MAX 4096u
#define POLICY_LIST_MAX 64u /* ports, methods, paths, addresses of one rule */
#define POLICY_MOUNTS_MAX 256u
#define POLICY_CREDENTIALS_MAX 64u
#define POLICY_ENV_MAX 256u
#define POLICY_STRING_MAX 4096u
#define POLICY_LAYERS_MAX 32u /* files and the profiles that they extend */

/* Where a line of policy came from, strongest first. */
enum policy_source {
	SOURCE_MANAGED, /* /etc/stockade/managed.yaml, managed.d: nothing below can loosen it */
	SOURCE_COMMAND, /* --policy FILE and options */
	SOURCE_PROJECT, /* stockade.yaml in the workspace, counted only when trusted */
	SOURCE_USER,	/* $XDG_CONFIG_HOME/stockade/stockade.yaml */
	SOURCE_PROFILE, /* built in */
};

struct origin {
	const char *file; /* as the user would name it, or "profile:base"; owned by the policy */
	unsigned line;	  /* from 1; 0 = unknown */
	enum policy_source source;
};

enum action { ACTION_DENY, ACTION_ALLOW };

struct port_range {
	uint16_t low, high; /* inclusive, low >= 1 */
};

/* What the gateway does about clear-text HTTP from the agent to this host. */
enum cleartext {
	CLEARTEXT_DEFAULT, /* UPGRADE where a credential is bound, else ALLOW */
	CLEARTEXT_ALLOW,   /* forwarded in clear; with a credential only by this explicit word */
	CLEARTEXT_UPGRADE, /* the agent speaks http:// on port 80, we speak TLS to port 443 */
	CLEARTEXT_REFUSE,
};

struct net_rule {
	enum action action;
	struct host_pattern host;
	struct port_range *ports; /* nports == 0: 80 and 443 to allow, every port to deny */
	size_t nports;
	char **methods; /* upper case; nmethods == 0 means any */
	size_t nmethods;
	char **paths; /* globs (base/glob.h); npaths == 0 means any */
	size_t npaths;
	struct addr_block *addresses; /* private, loopback ... that this rule may reach */
	size_t naddresses;
	char *credential;	   /* name in policy.credentials, or NULL */
	struct addr upstream_addr; /* family 0: resolve the name; else dial this instead */
	uint16_t upstream_port;	   /* 0: the port asked for (or 443 after an upgrade) */
	enum cleartext cleartext;
	bool tunnel; /* tls: tunnel written: never intercepted */
	struct origin origin;
	char *text; /* one line for logs and explain: "allow api.github.com:443 GET /repos" */
};

/* What stands for a credential inside begins so: known everywhere, so that each role can see one on
 * its way to where it does not belong. */
#define POLICY_PLACEHOLDER_PREFIX "sk-stockade-"

enum credential_source { CREDENTIAL_ENV, CREDENTIAL_FILE, CREDENTIAL_CMD };

struct credential {
	char *name;
	enum credential_source source;
	char *from;   /* variable name, path or command: never the secret itself */
	char *header; /* header name, lower case, e.g. "x-api-key" */
	char *prefix; /* what stands before "{}" in the template, e.g. "Bearer "; may be "" */
	char *suffix; /* after "{}" */
	char *placeholder_env; /* variable that gets a placeholder inside, or NULL */
	bool optional;	       /* a source that is missing at start is no error: requests that need
				  it are refused (profiles: not everybody has every key) */
	struct origin origin;
};

enum mount_mode { MOUNT_READ, MOUNT_WRITE, MOUNT_HIDE };

struct policy_mount {
	enum mount_mode mode;
	char *path;    /* absolute, or starts with "~/" or "./" until resolved by fs/plan */
	bool optional; /* skip silently when it does not exist (profiles only) */
	struct origin origin;
};

enum workspace_mode { WORKSPACE_RO, WORKSPACE_RW, WORKSPACE_NONE };

enum requirement { REQUIRE_NO, REQUIRE_YES };

struct env_entry {
	char *name;
	char *value; /* NULL: pass the host's value through when it is set */
	struct origin origin;
};

struct policy_limits {
	uint64_t memory;	 /* bytes, 0 = none */
	uint64_t cpu_milli;	 /* thousandths of a CPU, 0 = none */
	uint64_t pids;		 /* 0 = none */
	uint64_t tmp;		 /* bytes of /tmp */
	uint64_t home;		 /* bytes of the empty home */
	uint64_t time;		 /* seconds of wall clock, 0 = none */
	enum requirement cgroup; /* REQUIRE_YES: refuse where no cgroup can be had */
};

/* A denied name's DNS answer. */
enum dns_denied { DNS_EXPLAIN, DNS_NXDOMAIN };

/* What can be set once; each remembers the line that set it. */
enum policy_setting {
	SETTING_WORKSPACE_PATH,
	SETTING_WORKSPACE_MODE,
	SETTING_PROXY_ENV,
	SETTING_UNIX_SOCKET,
	SETTING_DNS_DENIED,
	SETTING_ONLY_MANAGED,
	SETTING_MEMORY,
	SETTING_CPUS,
	SETTING_PIDS,
	SETTING_TMP,
	SETTING_HOME,
	SETTING_TIME,
	SETTING_CGROUP,
	SETTING_MAX
};

/* Something written that does not count, and why: an untrusted layer's grant, a lower layer's rule
 * under `only_managed`, a mount under a hidden path. */
struct policy_dropped {
	struct origin origin;
	const char *text; /* "network.allow: evil.test" */
	const char *why;
	bool untrusted; /* `stockade trust` would make it count */
};

struct policy {
	struct arena *arena; /* owns all that follows; NULL in a policy made by hand */
	char *workspace;     /* path, default "." */
	enum workspace_mode workspace_mode;
	struct policy_mount *mounts; /* hidden paths last: masks go over what was bound */
	size_t nmounts;
	struct net_rule *rules; /* deny before allow, strongest layer first */
	size_t nrules;
	struct credential *credentials;
	size_t ncredentials;
	struct env_entry *env;
	size_t nenv;
	char **unix_sockets; /* host paths bound into the sandbox */
	size_t nunix_sockets;
	bool unix_gateway; /* gateway also listens on a Unix socket inside, $STOCKADE_SOCKET */
	bool proxy_env;	   /* HTTP_PROXY and friends are set inside */
	enum dns_denied dns_denied;
	struct policy_limits limits;
	bool network; /* false: no rule allows anything, so nothing listens but the refusals */
	const char **files; /* names of the layers read, strongest first */
	size_t nfiles;
	struct origin set_by[SETTING_MAX]; /* file NULL: nobody, the default stands */
	struct policy_dropped *dropped;
	size_t ndropped;
};

void policy_init(struct policy *p);	       /* the empty policy: denies everything */
void policy_done(struct policy *p);	       /* safe on a half-filled one */
const char *source_name(enum policy_source s); /* "managed", "command" ... */
const struct credential *policy_credential(const struct policy *p, const char *name);

#endif
