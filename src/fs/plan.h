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
/* Distinct ports the allow rules name: where nftables is missing, each is a listener or two. */
#define PLAN_PORTS_MAX 16u
/* Sizes where the policy says none: generous for a build, small beside the memory it comes from. */
#define PLAN_TMP_DEFAULT (512u * 1024 * 1024)
#define PLAN_HOME_DEFAULT (512u * 1024 * 1024)

enum plan_kind {
	PLAN_BIND,  /* source (host) -> target, recursive; source has no symbolic link in it */
	PLAN_TMPFS, /* fresh, `size` bytes, `mode` */
	PLAN_PROC,
	PLAN_DEV,     /* minimal /dev with devpts, shm and mqueue */
	PLAN_FILE,    /* read-only file with `content` */
	PLAN_SYMLINK, /* target -> source text */
	PLAN_DIR,     /* empty directory of the root tmpfs */
	PLAN_MASK,    /* empty read-only file or directory over target; after everything else.
		       * optional: a target that is not there is hidden enough */
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

/* What stands at a path of the host. */
enum plan_node {
	PLAN_NODE_FILE,
	PLAN_NODE_DIR,
	PLAN_NODE_SOCKET,
	PLAN_NODE_FIFO,
	PLAN_NODE_DEVICE
};

struct plan_pair {
	const char *name, *value; /* borrowed */
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
	/* What stands at "/bin", "/lib64", "/etc/localtime" ...: link text when a symlink, "" when
	 * anything else, NULL when absent.  The text is copied at once.  NULL: everything is there
	 * and nothing is a link (tests). */
	const char *(*top_link)(void *arg, const char *path);
	void *arg;
	char *const *environ;
	/* realpath(3) of a path on the host: 0 and a heap string, or -errno.  NULL: paths are taken
	 * as they are (tests). */
	int (*resolve)(void *arg, const char *path, char **ret);
	/* enum plan_node of a resolved path, or -errno.  NULL: everything is what it should be. */
	int (*node)(void *arg, const char *path);
	/* Names and values that launch adds: the placeholders of credentials. */
	const struct plan_pair *placeholders;
	size_t nplaceholders;
	const char *session_id; /* STOCKADE_SESSION; NULL: left out */
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
	/* The sandbox gets listeners; else only a dead loopback.  False only where no rule allows
	 * anything and nobody wants refusals explained (dns_denied: nxdomain). */
	bool network;
	bool unix_gateway;
	bool proxy_env;
	uint16_t ports[PLAN_PORTS_MAX]; /* of allow rules, ascending; 80 and 443 always */
	size_t nports;
	bool ports_cut; /* there were more */
};

void plan_init(struct plan *p);
void plan_done(struct plan *p);
/* Refuses a workspace or mount that is /, the home directory or above it, a branch of the system,
 * or that is, holds or lies in stockade's own state or configuration; a path that cannot be
 * resolved; paths that overlap in contradiction; more steps than the limit.  -EINVAL with the
 * policy's file:line, -ENOMEM. */
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
