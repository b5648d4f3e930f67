/* SPDX-License-Identifier: Apache-2.0 */
/* The plan: what may never be seen inside is refused, and the more specific path wins. */
#include "fs/plan.h"

#include "base/own.h"
#include "fs/parts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* What the host's links are, for resolve(): a prefix replaced, or an error. */
struct link {
	const char *from, *to;
	int error;
};

static const struct link links[] = {
	{ "/linked/.config", "/real/home/.config", 0 },
	{ "/linked/.local", NULL, -ENOENT },
	{ "/linked", "/real/home", 0 },
	{ "/home/u/link-home", "/home/u", 0 },
	{ "/home/u/link-root", "/", 0 },
	{ "/home/u/.gitconfig", "/home/u/dotfiles/gitconfig", 0 },
	{ "/home/u/app/.claude", "/etc/secret", 0 },
	{ "/home/u/docs/link", "/srv/target", 0 },
	{ "/home/u/loop", NULL, -ELOOP },
	{ "/home/u/long", NULL, -ENAMETOOLONG },
	{ "/home/u/secret", NULL, -EACCES },
	{ "/home/u/missing", NULL, -ENOENT },
};

static int resolve(void *arg, const char *path, char **ret)
{
	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (path_within(path, links[i].from)) {
			if (links[i].error)
				return links[i].error;
			*ret = str_dup(str_from(links[i].to));
			return *ret ? 0 : -ENOMEM;
		}
	*ret = str_dup(str_from(path));
	return *ret ? 0 : -ENOMEM;
}

/* What stands there tells its name. */
static int node(void *arg, const char *path)
{
	static const struct {
		const char *end;
		int node;
	} ends[] = { { ".fifo", PLAN_NODE_FIFO },
		     { ".sock", PLAN_NODE_SOCKET },
		     { ".device", PLAN_NODE_DEVICE },
		     { ".file", PLAN_NODE_FILE },
		     { ".gone", -ENOENT } };

	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (str_has_suffix(str_from(path), str_from(ends[i].end)))
			return ends[i].node;
	return PLAN_NODE_DIR;
}

static const char *top_link(void *arg, const char *path)
{
	(void)arg;
	if (strcmp(path, "/bin") == 0)
		return "usr/bin";
	if (strcmp(path, "/etc/localtime") == 0)
		return "/usr/share/zoneinfo/Etc/UTC";
	if (strcmp(path, "/opt") == 0)
		return "/data/opt";
	if (strcmp(path, "/usr") == 0 || strcmp(path, "/etc/ssl/certs") == 0)
		return "";
	return NULL;
}

static char *host_env[] = { (char *)"TERM=xterm",	(char *)"SECRET=canary",
			    (char *)"SHELL=/bin/zsh",	(char *)"HTTP_PROXY=http://old:1",
			    (char *)"PASSED=from-host", NULL };

static struct plan_facts facts(void)
{
	return (struct plan_facts){
		.uid = 1000,
		.gid = 1000,
		.home = "/home/u",
		.cwd = "/home/u/app/sub",
		.user_name = "u",
		.state_dir = "/home/u/.local/state/stockade",
		.config_dir = "/home/u/.config/stockade",
		.top_link = top_link,
		.resolve = resolve,
		.node = node,
		.environ = host_env,
	};
}

static struct policy_mount mount(enum mount_mode mode, const char *path, unsigned line)
{
	return (struct policy_mount){ .mode = mode,
				      .path = (char *)path,
				      .origin = { "p.yaml", line, SOURCE_COMMAND } };
}

static const struct plan_step *find(const struct plan *p, const char *target)
{
	for (size_t i = 0; i < p->nsteps; i++)
		if (strcmp(p->steps[i].target, target) == 0)
			return &p->steps[i];
	return NULL;
}

static const char *env(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->nenv; i++)
		if (strncmp(p->env[i], name, strlen(name)) == 0 && p->env[i][strlen(name)] == '=')
			return p->env[i] + strlen(name) + 1;
	return NULL;
}

static void test_workspace_refused(void **state)
{
	static const struct {
		const char *path, *says;
	} bad[] = {
		{ "/", "the whole file system" },
		{ "/home/u", "your home directory" },
		{ "~", "your home directory" },
		{ "/home/u/", "your home directory" },
		{ "/home/./u", "your home directory" },
		{ "/home", "above your home directory" },
		{ "..", "no path that can be granted" },
		{ "./..", "no path that can be granted" },
		{ "../x", "no path that can be granted" },
		{ "/home/u/app/../..", "no path that can be granted" },
		{ "relative", "no path that can be granted" },
		{ "", "no path that can be granted" },
		{ "/home/u/a\nb", "no path that can be granted" },
		{ "/home/u/link-home", "your home directory" },
		{ "/home/u/link-root", "the whole file system" },
		{ "/home/u/loop", "cannot resolve" },
		{ "/home/u/long", "cannot resolve" },
		{ "/home/u/secret", "cannot resolve" },
		{ "/home/u/missing", "cannot resolve" },
		{ "/home/u/a.file", "'/home/u/a.file' is not a directory" },
		{ "/home/u/a.fifo", "is a FIFO" },
		{ "/usr", "system directory" },
		{ "/usr/lib/x", "system directory" },
		{ "/etc", "system directory" },
		{ "/proc/1", "devices, kernel files or sockets" },
		{ "/run/user/1000", "devices, kernel files or sockets" },
		{ "/var", "whole branch" },
		{ "/tmp", "whole branch" },
		{ "/home/u/.config", "stockade's own configuration" },
		{ "/home/u/.config/stockade", "stockade's own configuration" },
		{ "/home/u/.config/stockade/x", "stockade's own configuration" },
		{ "/home/u/.local", "stockade's own state" },
		{ "/home/u/.local/state/stockade/sessions/1", "stockade's own state" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct policy pol = { .workspace = (char *)bad[i].path,
				      .workspace_mode = WORKSPACE_RW };
		struct plan_facts f = facts();
		struct plan p;
		struct err e = ERR_INIT;

		plan_init(&p);
		if (plan_make(&pol, &f, &p, &e) != -EINVAL || !strstr(e.text, bad[i].says))
			fail_msg("workspace '%s': expected '%s', got '%s'", bad[i].path,
				 bad[i].says, e.text);
		assert_null(p.steps);
	}
}

/* The home directory lies behind a link, and getcwd() knows where. */
static void test_home_behind_link(void **state)
{
	static const char *const bad[] = { "/real/home", "/real", "/real/home/.config",
					   "/real/home/.local/state/stockade" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct policy pol = { .workspace = (char *)bad[i], .workspace_mode = WORKSPACE_RO };
		struct plan_facts f = facts();
		struct plan p;

		f.home = "/linked";
		f.state_dir = "/linked/.local/state/stockade";
		f.config_dir = "/linked/.config/stockade";
		if (plan_make(&pol, &f, &p, NULL) != -EINVAL)
			fail_msg("'%s' was granted", bad[i]);
	}
}

static void test_workspace_granted(void **state)
{
	static const struct {
		const char *path, *cwd, *workspace, *inside_cwd;
	} good[] = {
		{ ".", "/home/u/app", "/home/u/app", "/home/u/app" },
		{ "/home/u/app", "/home/u/app/sub", "/home/u/app", "/home/u/app/sub" },
		{ "~/app", "/srv/x", "/home/u/app", "/home/u/app" },
		{ "./sub", "/home/u/app", "/home/u/app/sub", "/home/u/app/sub" },
		{ "/tmp/work", "/tmp/work", "/tmp/work", "/tmp/work" },
		{ "/usr/src/app", "/usr/src/app", "/usr/src/app", "/usr/src/app" },
		{ "/home/user2", "/home/user2", "/home/user2", "/home/user2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct policy pol = { .workspace = (char *)good[i].path,
				      .workspace_mode = WORKSPACE_RW };
		struct plan_facts f = facts();
		_cleanup_(plan_done) struct plan p;
		struct err e = ERR_INIT;
		const struct plan_step *s;

		plan_init(&p);
		f.cwd = good[i].cwd;
		if (plan_make(&pol, &f, &p, &e) < 0)
			fail_msg("workspace '%s': %s", good[i].path, e.text);
		assert_string_equal(p.workspace, good[i].workspace);
		assert_string_equal(p.cwd, good[i].inside_cwd);
		s = find(&p, p.workspace);
		assert_non_null(s);
		assert_int_equal(s->kind, PLAN_BIND);
		assert_false(s->read_only);
	}
}

static void test_mounts_refused(void **state)
{
	static const struct {
		struct policy_mount m[2];
		enum workspace_mode ws;
		const char *says;
	} bad[] = {
#define R MOUNT_READ
#define W MOUNT_WRITE
#define H MOUNT_HIDE
#define M(m_, p_, l_) { .mode = m_, .path = (char *)p_, .origin = { "p.yaml", l_, 0 } }
		{ { M(R, "/", 3) }, 0, "p.yaml:3" },
		{ { M(R, "~", 3) }, 0, "your home directory" },
		{ { M(R, "~/../x", 3) }, 0, "without '..'" },
		{ { M(W, "/etc/cron.d", 3) }, 0, "never writable" },
		{ { M(R, "/run/docker.sock", 3) }, 0, "sockets" },
		{ { M(R, "/var/run", 3) }, 0, "sockets" },
		{ { M(R, "/dev/kmsg", 3) }, 0, "devices" },
		{ { M(R, "~/.config", 3) }, 0, "stockade's own configuration" },
		{ { M(R, "~/.local/state", 3) }, 0, "stockade's own state" },
		{ { M(R, "~/missing", 3) }, 0, "cannot resolve" },
		{ { M(R, "~/a.fifo", 3) }, 0, "p.yaml:3: '/home/u/a.fifo' is a FIFO" },
		{ { M(W, "~/a.sock", 3) }, 0, "p.yaml:3: '/home/u/a.sock' is a socket" },
		{ { M(R, "~/a.device", 3) }, 0, "p.yaml:3: '/home/u/a.device' is a device" },
		{ { M(R, "~/a.gone", 3) }, 0, "p.yaml:3: cannot look at '/home/u/a.gone'" },
		{ { M(R, "~/loop", 3) }, 0, "cannot resolve" },
		{ { M(R, "~/a", 3), M(W, "~/a", 7) }, 0, "p.yaml:7: filesystem.write" },
		{ { M(R, "~/a", 3), M(W, "~/a", 7) }, 0, "at p.yaml:3" },
		{ { M(R, "~/a", 3), M(W, "~/./a/", 7) }, 0, "contradicts" },
		{ { M(R, "~/dotfiles/gitconfig", 3), M(W, "~/.gitconfig", 7) }, 0, "contradicts" },
		{ { M(H, "~/a", 3), M(R, "~/a/b", 7) }, 0, "contradicts" },
		{ { M(R, "~/a", 3), M(H, "~/a", 7) }, 0, "contradicts" },
		/* F02, F03: a link that an earlier agent planted in its workspace. */
		{ { M(R, "~/app/.claude", 3) }, WORKSPACE_RW, "leads through a symbolic link" },
		{ { M(R, "~/app", 3) }, WORKSPACE_RW, "set workspace.mode" },
		{ { M(W, "~/app", 3) }, WORKSPACE_RO, "set workspace.mode" },
		{ { M(H, "~/app", 3) }, WORKSPACE_RO, "contradicts" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct policy_mount m[2] = { bad[i].m[0], bad[i].m[1] };
		struct policy pol = { .workspace = (char *)"~/app",
				      .workspace_mode = bad[i].ws,
				      .mounts = m,
				      .nmounts = m[1].path ? 2 : 1 };
		struct plan_facts f = facts();
		struct plan p;
		struct err e = ERR_INIT;

		plan_init(&p);
		if (plan_make(&pol, &f, &p, &e) != -EINVAL || !strstr(e.text, bad[i].says))
			fail_msg("row %zu '%s': expected '%s', got '%s'", i, m[0].path, bad[i].says,
				 e.text);
	}
}

static void test_overlaps(void **state)
{
	struct policy_mount m[] = {
		mount(MOUNT_WRITE, "~/data/out", 1),  mount(MOUNT_READ, "~/data", 2),
		mount(MOUNT_READ, "~/data", 3),	      mount(MOUNT_HIDE, "~/data/.env", 4),
		mount(MOUNT_READ, "~/.gitconfig", 5), mount(MOUNT_READ, "~/docs/link", 6),
		mount(MOUNT_READ, "~/docs", 9),	      mount(MOUNT_READ, "~/data.x", 7),
		mount(MOUNT_HIDE, "~/missing", 8),
	};
	struct policy pol = { .workspace = (char *)"~/app",
			      .workspace_mode = WORKSPACE_RW,
			      .mounts = m,
			      .nmounts = ARRAY_LEN(m) };
	struct plan_facts f = facts();
	_cleanup_(plan_done) struct plan p;
	struct err e = ERR_INIT;
	size_t seen_data = 0, home = 0, data = 0, out = 0;

	(void)state;
	plan_init(&p);
	if (plan_make(&pol, &f, &p, &e) < 0)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < p.nsteps; i++) {
		const char *t = p.steps[i].target;

		if (strcmp(t, "/home/u/data") == 0) {
			seen_data++;
			data = i;
		}
		home = strcmp(t, "/home/u") == 0 ? i : home;
		out = strcmp(t, "/home/u/data/out") == 0 ? i : out;
		/* Parents before children, and masks after all. */
		for (size_t k = i + 1; k < p.nsteps; k++) {
			bool mask_i = p.steps[i].kind == PLAN_MASK;
			bool mask_k = p.steps[k].kind == PLAN_MASK;

			assert_false(mask_i && !mask_k);
			if (mask_i == mask_k)
				assert_false(path_within(t, p.steps[k].target));
		}
	}
	assert_int_equal(seen_data, 1);
	assert_true(home < data && data < out);
	assert_true(find(&p, "/home/u/data")->read_only);
	assert_false(find(&p, "/home/u/data/out")->read_only);
	assert_int_equal(find(&p, "/home/u/data/.env")->kind, PLAN_MASK);
	assert_null(find(&p, "/home/u/missing"));
	/* A linked dotfile is shown where it was asked for, from where it really is. */
	assert_string_equal(find(&p, "/home/u/.gitconfig")->source, "/home/u/dotfiles/gitconfig");
	/* A link is never mounted on: the mount would follow it. */
	assert_null(find(&p, "/home/u/docs/link"));
	assert_non_null(find(&p, "/srv/target"));
	assert_true(find(&p, "/srv/target")->read_only);
}

static void test_system(void **state)
{
	struct policy pol = { .workspace_mode = WORKSPACE_NONE };
	struct plan_facts f = facts();
	_cleanup_(plan_done) struct plan p;
	size_t binds = 0;

	(void)state;
	plan_init(&p);
	f.user_name = "u:x\n";
	assert_int_equal(plan_make(&pol, &f, &p, NULL), 0);
	assert_string_equal(p.cwd, "/home/u");
	assert_null(p.workspace);
	assert_int_equal(find(&p, "/bin")->kind, PLAN_SYMLINK);
	assert_int_equal(find(&p, "/etc/localtime")->kind, PLAN_SYMLINK);
	/* A link that leads elsewhere is bound from where it leads. */
	assert_int_equal(find(&p, "/opt")->kind, PLAN_BIND);
	assert_null(find(&p, "/sbin"));
	assert_null(find(&p, "/etc/shadow"));
	assert_null(find(&p, "/sys"));
	assert_int_equal(find(&p, "/home/u")->kind, PLAN_TMPFS);
	assert_int_equal(find(&p, "/home/u")->size, PLAN_HOME_DEFAULT);
	assert_string_equal(find(&p, "/etc/resolv.conf")->content, "nameserver 198.18.0.2\n");
	/* A name with a colon in it must not become a second field, or line. */
	assert_non_null(
	    strstr(find(&p, "/etc/passwd")->content, "\nuser:x:1000:1000::/home/u:/bin/sh\n"));
	for (size_t i = 0; i < p.nsteps; i++) {
		binds += p.steps[i].kind == PLAN_BIND;
		if (p.steps[i].kind == PLAN_BIND)
			assert_true(p.steps[i].read_only);
	}
	assert_int_equal(binds, 3);
	assert_true(p.network);
	assert_int_equal(p.nports, 2);
}

static void test_policy_takes_place(void **state)
{
	struct policy_mount m[] = { mount(MOUNT_READ, "/etc", 1), mount(MOUNT_READ, "/bin/x", 2) };
	struct policy pol = { .workspace_mode = WORKSPACE_NONE,
			      .mounts = m,
			      .nmounts = 2,
			      .dns_denied = DNS_NXDOMAIN };
	struct plan_facts f = facts();
	_cleanup_(plan_done) struct plan p;

	(void)state;
	plan_init(&p);
	assert_int_equal(plan_make(&pol, &f, &p, NULL), 0);
	assert_int_equal(find(&p, "/etc")->kind, PLAN_BIND);
	/* Nothing of ours is written into a directory of the host. */
	assert_null(find(&p, "/etc/resolv.conf"));
	assert_null(find(&p, "/etc/passwd"));
	assert_null(find(&p, "/etc/ssl/certs"));
	assert_false(p.network);
}

static void test_env(void **state)
{
	static const struct plan_pair keys[] = { { "API_KEY", "sk-stockade-x" } };
	struct env_entry set[] = {
		{ .name = (char *)"PASSED" },
		{ .name = (char *)"UNSET" },
		{ .name = (char *)"PATH", .value = (char *)"/x" },
		{ .name = (char *)"API_KEY", .value = (char *)"theirs" },
		{ .name = (char *)"STOCKADE", .value = (char *)"no" },
	};
	struct policy pol = { .workspace_mode = WORKSPACE_NONE,
			      .env = set,
			      .nenv = ARRAY_LEN(set),
			      .proxy_env = true,
			      .unix_gateway = true };
	struct plan_facts f = facts();
	_cleanup_(plan_done) struct plan p;
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 20), json = BUF_INIT(1 << 20);

	(void)state;
	plan_init(&p);
	f.placeholders = keys;
	f.nplaceholders = 1;
	f.session_id = "s1";
	assert_int_equal(plan_make(&pol, &f, &p, NULL), 0);
	assert_null(env(&p, "SECRET"));
	assert_null(env(&p, "UNSET"));
	assert_string_equal(env(&p, "PASSED"), "from-host");
	assert_string_equal(env(&p, "PATH"), "/x");
	assert_string_equal(env(&p, "API_KEY"), "sk-stockade-x");
	assert_string_equal(env(&p, "STOCKADE"), "1");
	assert_string_equal(env(&p, "STOCKADE_SESSION"), "s1");
	assert_string_equal(env(&p, "STOCKADE_SOCKET"), PLAN_UNIX_SOCKET);
	assert_string_equal(env(&p, "HTTP_PROXY"), "http://198.18.0.1:3128");
	assert_string_equal(env(&p, "all_proxy"), "socks5h://198.18.0.1:1080");
	assert_string_equal(env(&p, "SHELL"), "/bin/zsh");
	assert_string_equal(env(&p, "HOME"), "/home/u");
	assert_null(env(&p, "ANTHROPIC_UNIX_SOCKET"));
	assert_null(p.env[p.nenv]);
	assert_non_null(find(&p, "/run/stockade"));
	/* Values never appear in what is printed. */
	assert_int_equal(plan_print(&p, false, &text), 0);
	assert_int_equal(plan_print(&p, true, &json), 0);
	assert_null(strstr(buf_cstr(&text), "sk-stockade-x"));
	assert_null(strstr(buf_cstr(&json), "sk-stockade-x"));
	assert_null(strstr(buf_cstr(&json), "from-host"));
	assert_non_null(strstr(buf_cstr(&text), "\n  API_KEY\n"));
	assert_non_null(strstr(buf_cstr(&text), "link  ro  /bin -> usr/bin"));
}

static void test_env_refused(void **state)
{
	struct env_entry set[] = { { .name = (char *)"A=B", .value = (char *)"x" } };
	struct policy pol = { .workspace_mode = WORKSPACE_NONE, .env = set, .nenv = 1 };
	struct plan_facts f = facts();
	struct plan p;

	(void)state;
	assert_int_equal(plan_make(&pol, &f, &p, NULL), -EINVAL);
	f.cwd = "relative";
	assert_int_equal(plan_make(&pol, &f, &p, NULL), -EINVAL);
	f = facts();
	pol.nenv = 0;
	f.home = "relative";
	assert_int_equal(plan_make(&pol, &f, &p, NULL), -EINVAL);
	f.home = "/run/x";
	assert_int_equal(plan_make(&pol, &f, &p, NULL), -EINVAL);
	f.home = "/";
	plan_init(&p);
	assert_int_equal(plan_make(&pol, &f, &p, NULL), 0);
	assert_string_equal(env(&p, "HOME"), "/home/user");
	plan_done(&p);
}

static void test_ports(void **state)
{
	struct port_range a[] = { { 8000, 8003 }, { 22, 22 }, { 443, 443 } },
			  b[] = { { 1, 65535 } };
	struct net_rule rules[] = {
		{ .action = ACTION_ALLOW, .ports = a, .nports = 3 },
		{ .action = ACTION_DENY, .ports = b, .nports = 1 },
	};
	struct policy pol = {
		.workspace_mode = WORKSPACE_NONE, .rules = rules, .nrules = 2, .network = true
	};
	static const uint16_t want[] = { 22, 80, 443, 8000, 8001, 8002, 8003 };
	struct plan_facts f = facts();
	_cleanup_(plan_done) struct plan p;

	(void)state;
	plan_init(&p);
	assert_int_equal(plan_make(&pol, &f, &p, NULL), 0);
	assert_int_equal(p.nports, ARRAY_LEN(want));
	assert_memory_equal(p.ports, want, sizeof want);
	assert_false(p.ports_cut);
	plan_done(&p);
	rules[1].action = ACTION_ALLOW;
	assert_int_equal(plan_make(&pol, &f, &p, NULL), 0);
	assert_int_equal(p.nports, PLAN_PORTS_MAX);
	assert_true(p.ports_cut);
}

static void test_sockets(void **state)
{
	char *paths[] = { (char *)"/run/docker.sock" };
	char *own[] = { (char *)"/home/u/.local/state/stockade/x.sock" };
	char *loop[] = { (char *)"/home/u/loop" };
	char *file[] = { (char *)"/home/u/a.file" };
	struct policy pol = { .workspace_mode = WORKSPACE_NONE,
			      .unix_sockets = paths,
			      .nunix_sockets = 1 };
	struct plan_facts f = facts();
	_cleanup_(plan_done) struct plan p;
	struct err e = ERR_INIT;

	(void)state;
	plan_init(&p);
	assert_int_equal(plan_make(&pol, &f, &p, NULL), 0);
	assert_int_equal(find(&p, "/run/docker.sock")->kind, PLAN_BIND);
	plan_done(&p);
	pol.unix_sockets = own;
	assert_int_equal(plan_make(&pol, &f, &p, NULL), -EINVAL);
	pol.unix_sockets = loop;
	assert_int_equal(plan_make(&pol, &f, &p, NULL), -EINVAL);
	pol.unix_sockets = file;
	assert_int_equal(plan_make(&pol, &f, &p, &e), -EINVAL);
	assert_string_equal(e.text, "sockets.unix: '/home/u/a.file' is not a socket");
}

static void test_too_many(void **state)
{
	static struct policy_mount m[PLAN_MOUNTS_MAX + 1];
	static char names[PLAN_MOUNTS_MAX + 1][16];
	struct policy pol = { .workspace_mode = WORKSPACE_NONE,
			      .mounts = m,
			      .nmounts = ARRAY_LEN(m) };
	struct plan_facts f = facts();
	struct plan p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(m); i++) {
		snprintf(names[i], sizeof names[i], "/data/%zu", i);
		m[i] = mount(MOUNT_READ, names[i], 1);
	}
	assert_int_equal(plan_make(&pol, &f, &p, NULL), -E2BIG);
}

/* The linker puts these in the place of the library's (--wrap): the Nth allocation fails. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
static long fail_at = -1; /* allocations until one fails; negative: none does */

void *__wrap_malloc(size_t n)
{
	return fail_at >= 0 && fail_at-- == 0 ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fail_at >= 0 && fail_at-- == 0 ? NULL : __real_calloc(n, size);
}

/* Without memory there is no plan, rather than one that lacks a step. */
static void test_no_memory(void **state)
{
	const char *files[] = { "/home/u/app/sub/stockade.yaml", "/x.yaml" };
	char *sockets[] = { (char *)"/run/x.sock" };
	struct env_entry set[] = { { .name = (char *)"A", .value = (char *)"b" } };
	struct policy_mount m[] = { mount(MOUNT_READ, "~/.gitconfig", 1),
				    mount(MOUNT_HIDE, "~/app/x", 2),
				    mount(MOUNT_READ, "~/docs/link", 3),
				    mount(MOUNT_READ, "~/docs", 4) };
	struct policy pol = { .workspace = (char *)".",
			      .workspace_mode = WORKSPACE_RW,
			      .mounts = m,
			      .nmounts = ARRAY_LEN(m),
			      .env = set,
			      .nenv = 1,
			      .unix_sockets = sockets,
			      .nunix_sockets = 1,
			      .unix_gateway = true,
			      .proxy_env = true,
			      .files = files,
			      .nfiles = ARRAY_LEN(files) };
	struct plan_facts f = facts();

	(void)state;
	for (long n = 0, total = 0; total < 2; n++) {
		struct plan p;
		int r;

		plan_init(&p);
		fail_at = n;
		r = plan_make(&pol, &f, &p, NULL);
		if (fail_at >= 0) { /* nothing failed: all were counted */
			fail_at = -1;
			assert_int_equal(r, 0);
			plan_done(&p);
			assert_in_range(n, 100, 1999);
			f.resolve = NULL; /* once more, with paths as they are written */
			f.node = NULL;
			n = -1;
			total++;
			continue;
		}
		fail_at = -1;
		if (r >= 0)
			fail_msg("allocation %ld failed, and there is a plan", n);
		assert_null(p.steps);
		assert_in_range(n, 0, 1999);
	}
}

/* A buffer that is too short is an error, never half a plan. */
static void test_print_short(void **state)
{
	struct policy_mount m[] = { mount(MOUNT_WRITE, "~/b\xc3\xa9", 1) };
	struct policy pol = { .workspace_mode = WORKSPACE_NONE, .mounts = m, .nmounts = 1 };
	struct plan_facts f = facts();
	_cleanup_(plan_done) struct plan p;

	(void)state;
	plan_init(&p);
	assert_int_equal(plan_make(&pol, &f, &p, NULL), 0);
	for (int json = 0; json < 2; json++) {
		_cleanup_(buf_done) struct buf whole = BUF_INIT(1 << 20);

		assert_int_equal(plan_print(&p, json, &whole), 0);
		if (!json)
			assert_non_null(
			    strstr(buf_cstr(&whole), "bind  rw  /home/u/b\\xc3\\xa9  (p.yaml:1)"));
		for (size_t n = 0; n < buf_len(&whole); n++) {
			_cleanup_(buf_done) struct buf b = BUF_INIT(n);

			if (plan_print(&p, json, &b) >= 0)
				fail_msg("%zu bytes were enough for %zu", n, buf_len(&whole));
		}
	}
}

static void test_path_compare(void **state)
{
	static const char *const order[] = { "/", "/a", "/a/b", "/a/c", "/a b", "/a.b", "/ab" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		for (size_t k = 0; k < ARRAY_LEN(order); k++) {
			int want = i < k ? -1 : i > k;

			if (path_compare(order[i], order[k]) != want)
				fail_msg("'%s' and '%s': expected %d", order[i], order[k], want);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_workspace_refused),
		cmocka_unit_test(test_home_behind_link),
		cmocka_unit_test(test_workspace_granted),
		cmocka_unit_test(test_mounts_refused),
		cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_system),
		cmocka_unit_test(test_policy_takes_place),
		cmocka_unit_test(test_env),
		cmocka_unit_test(test_env_refused),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_print_short),
		cmocka_unit_test(test_path_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
