/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan - what one sandbox looks like, as data.  Pure: policy and facts in, steps out.
 *
 * A back end only executes a plan; it never reads policy.  `stockade run --dry-run` prints it.
 */
#ifndef STOCKADE_FS_PLAN_H
#define STOCKADE_FS_PLAN_H

#include "base/buf.h"
#include "base/err.h"
#include "policy/policy.h"

#include <stdint.h>
#include <sys/types.h>

#define PLAN_MOUNTS_MAX 512u
/* Where nftables is missing each port that policy names gets two listeners of its own. */
#define PLAN_PORTS_MAX 16u

enum plan_kind {
	PLAN_BIND,  /* source (host) -> target, recursive */
	PLAN_TMPFS, /* fresh, `size` bytes, `mode` */
	PLAN_PROC,
	PLAN_DEV,     /* minimal /dev with devpts, shm and mqueue */
	PLAN_FILE,    /* read-only file with `content` */
	PLAN_SYMLINK, /* target -> source text */
	PLAN_DIR,     /* empty directory of the root tmpfs */
	PLAN_MASK,    /* empty read-only file or directory over target */
};

struct plan_step {
	enum plan_kind kind;
	char *source;
	char *target; /* absolute path inside */
	bool read_only;
	bool optional; /* a missing source is skipped */
	bool no_exec;
	uint64_t size;
	unsigned mode;
	char *content;
	struct origin origin; /* policy line it came from; file NULL for what every plan has */
};

/* What the planner must know of the host; filled by the caller (launch), so the planner is pure. */
struct plan_facts {
	uid_t uid;
	gid_t gid;
	const char *home;      /* absolute */
	const char *cwd;       /* absolute, resolved */
	const char *user_name; /* for /etc/passwd inside */
	const char *state_dir; /* never visible inside */
	const char *config_dir;
	/* "/bin", "/sbin", "/lib", "/lib64" ...: link text when a symlink, "" when a directory,
	 * NULL when absent. */
	const char *(*top_link)(void *arg, const char *path);
	void *arg;
	char *const *environ;
};

struct plan {
	struct plan_step *steps; /* in the order they are carried out: parents before children */
	size_t nsteps;
	char **env; /* NAME=VALUE, NULL-terminated */
	size_t nenv;
	char *cwd; /* inside */
	char *workspace;
	uid_t uid;
	gid_t gid;
	struct policy_limits limits;
	uint16_t ports[PLAN_PORTS_MAX]; /* that policy names: used only without nftables */
	unsigned nports;
	bool network; /* the sandbox gets listeners; else only a dead loopback */
	bool unix_gateway;
	bool proxy_env;
};

void plan_init(struct plan *p);
void plan_done(struct plan *p);
/* Refuses a workspace that is /, the home directory or above it, or that holds stockade's own
 * state or configuration; paths that overlap in contradiction; more steps than the limit. */
int plan_make(const struct policy *pol, const struct plan_facts *facts, struct plan *ret,
	      struct err *e);
/* Human lines or JSON. */
int plan_print(const struct plan *p, bool json, struct buf *out);

/* Fixed points of every sandbox's inside.  198.18.0.0/15 is for benchmarking (RFC 2544), never
 * routed: the gateway's own addresses and the made-up ones of DNS lie in it. */
#define PLAN_GATEWAY_IP "198.18.0.1"
#define PLAN_PROXY_PORT 3128 /* HTTP_PROXY: absolute form, CONNECT */
#define PLAN_SOCKS_PORT 1080 /* ALL_PROXY: socks5h */
#define PLAN_DNS_IP "198.18.0.2"
#define PLAN_TRANSPARENT_PORT 15001 /* where nftables redirects every other connection */
#define PLAN_UNIX_SOCKET "/run/stockade/gateway.sock"

#endif
