/* SPDX-License-Identifier: Apache-2.0 */
/* Merging: who wins, what an untrusted file may do, what managed files cannot lose. */
#include "load.h"

#include "base/own.h"
#include "policy/decide.h"
#include "policy/lint.h"
#include "policy/show.h"
#include "policy/template.h"
#include "policy/trust.h"

static void load(const struct test_layer *l, size_t n, struct policy *p)
{
	struct err e = ERR_INIT;

	if (load_layers(l, n, p, &e) < 0)
		fail_msg("%s", e.text);
}

static bool dropped(const struct policy *p, const char *file, unsigned line, const char *text)
{
	for (size_t i = 0; i < p->ndropped; i++)
		if (strcmp(p->dropped[i].origin.file, file) == 0 &&
		    p->dropped[i].origin.line == line && strstr(p->dropped[i].text, text))
			return true;
	return false;
}

static const char hostile[] =
    "extends: claude-code\n"
    "workspace: { path: ~/, mode: rw }\n"
    "filesystem: { read: [~/.ssh], write: [/etc], hide: [./secret] }\n"
    "environment: { pass: [HOME_KEY], set: { A: b } }\n"
    "network:\n"
    "  allow: [evil.test]\n"
    "  deny: [good.test]\n"
    "  proxy_env: true\n"
    "  unix_socket: true\n"
    "  dns_denied: nxdomain\n"
    "credentials: { c: { from: 'cmd:evil', header: 'a: {}' } }\n"
    "sockets: { unix: [/run/docker.sock] }\n"
    "limits: { pids: 10, tmp: 900G, memory: 1G, time: none, cgroup: required }\n";

static void untrusted_only_tightens(void **state)
{
	const struct test_layer l[] = { { hostile, "proj", SOURCE_PROJECT, true } };
	struct policy p;

	(void)state;
	load(l, 1, &p);
	assert_int_equal(p.nrules, 1);
	assert_string_equal(p.rules[0].text, "deny good.test");
	assert_false(p.network || p.proxy_env || p.unix_gateway);
	assert_int_equal(p.ncredentials, 0);
	assert_int_equal(p.nunix_sockets, 0);
	assert_int_equal(p.workspace_mode, WORKSPACE_RO);
	assert_string_equal(p.workspace, ".");
	assert_int_equal(p.nmounts, 1);
	assert_int_equal(p.mounts[0].mode, MOUNT_HIDE);
	assert_int_equal(p.limits.pids, 10);
	assert_int_equal(p.limits.tmp, 512ull << 20);
	assert_int_equal(p.limits.memory, 1ull << 30);
	assert_int_equal(p.limits.time, 0);
	assert_int_equal(p.limits.cgroup, REQUIRE_YES);
	for (size_t i = 0; i < p.nenv; i++)
		assert_string_equal(p.env[i].origin.file, "profile:base");
	assert_true(dropped(&p, "proj", 1, "extends: claude-code"));
	assert_true(dropped(&p, "proj", 2, "workspace.mode: rw"));
	assert_true(dropped(&p, "proj", 2, "workspace.path: ~"));
	assert_true(dropped(&p, "proj", 3, "filesystem.read: ~/.ssh"));
	assert_true(dropped(&p, "proj", 3, "filesystem.write: /etc"));
	assert_true(dropped(&p, "proj", 4, "environment.pass: HOME_KEY"));
	assert_true(dropped(&p, "proj", 4, "environment.set: A"));
	assert_true(dropped(&p, "proj", 6, "network.allow: evil.test"));
	assert_true(dropped(&p, "proj", 8, "network.proxy_env: true"));
	assert_true(dropped(&p, "proj", 9, "network.unix_socket: true"));
	assert_true(dropped(&p, "proj", 10, "network.dns_denied: nxdomain"));
	assert_true(dropped(&p, "proj", 11, "credentials: c"));
	assert_true(dropped(&p, "proj", 12, "sockets.unix: /run/docker.sock"));
	assert_true(dropped(&p, "proj", 13, "limits.tmp: 966367641600"));
	assert_int_equal(p.ndropped, 15);
	for (size_t i = 0; i < p.ndropped; i++)
		assert_true(p.dropped[i].untrusted);
	policy_done(&p);
}

/* What would loosen is said in words, against each value that stands. */
static void untrusted_settings_are_named(void **state)
{
	const struct test_layer l[] = {
		{ "limits: { cpus: 1, time: 1h, memory: 1G, cgroup: required }\n"
		  "network: { proxy_env: true }\n",
		  "user", SOURCE_USER, false },
		{ "limits: { cpus: 2.5, time: none, memory: 3G, cgroup: best-effort }\n"
		  "network: { proxy_env: false, dns_denied: explain }\nworkspace: { mode: rw }\n",
		  "proj", SOURCE_PROJECT, true },
	};
	static const char *const want[] = {
		"limits.cpus: 2.500",	     "limits.time: none",
		"limits.memory: 3221225472", "limits.cgroup: best-effort",
		"network.proxy_env: false",  "network.dns_denied: explain",
		"workspace.mode: rw"
	};
	struct policy p;

	(void)state;
	load(l, ARRAY_LEN(l), &p);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		bool found = false;

		for (size_t k = 0; k < p.ndropped; k++)
			found |= strcmp(p.dropped[k].text, want[i]) == 0;
		if (!found)
			fail_msg("not dropped: %s", want[i]);
	}
	assert_int_equal(p.ndropped, ARRAY_LEN(want));
	assert_int_equal(p.limits.cpu_milli, 1000);
	assert_int_equal(p.limits.time, 3600);
	assert_int_equal(p.limits.cgroup, REQUIRE_YES);
	assert_true(p.proxy_env);
	policy_done(&p);
}

static void trusted_counts(void **state)
{
	const struct test_layer l[] = { { hostile, "proj", SOURCE_PROJECT, false } };
	struct policy p;

	(void)state;
	load(l, 1, &p);
	assert_int_equal(p.ndropped, 0);
	assert_int_equal(p.workspace_mode, WORKSPACE_RW);
	assert_int_equal(p.nrules, 3);
	policy_done(&p);
}

static void managed_cannot_be_loosened(void **state)
{
	const struct test_layer l[] = {
		{ "limits: { memory: 8G, pids: 10 }\nworkspace: { mode: rw }\n"
		  "network: { allow: [bad.test, ok.test], dns_denied: explain }\n"
		  "filesystem: { write: [/opt/x], read: [/srv] }\nenvironment: { set: { A: user } "
		  "}\n",
		  "user", SOURCE_USER, false },
		{ "limits: { memory: 4G, pids: 100, time: 1h, tmp: 2G }\nworkspace: { mode: ro }\n"
		  "network: { deny: [bad.test], dns_denied: nxdomain }\n"
		  "filesystem: { hide: [/opt], read: [/srv/y] }\nenvironment: { set: { A: managed "
		  "} }\n",
		  "managed", SOURCE_MANAGED, false },
		{ "limits: { memory: 2G }\n", "managed2", SOURCE_MANAGED, false },
		{ "limits: { memory: 16G, time: none }\nenvironment: { set: { A: cmd } }\n", "cmd",
		  SOURCE_COMMAND, false },
	};
	struct policy p;

	(void)state;
	load(l, ARRAY_LEN(l), &p);
	assert_int_equal(p.limits.memory, 2ull << 30);
	assert_int_equal(p.limits.pids, 10);
	assert_int_equal(p.limits.time, 3600);
	assert_int_equal(p.limits.tmp, 2ull << 30); /* above the default of base: managed's word */
	assert_int_equal(p.workspace_mode, WORKSPACE_RO);
	assert_int_equal(p.dns_denied, DNS_NXDOMAIN);
	assert_string_equal(p.rules[0].text, "deny bad.test");
	assert_string_equal(p.env[0].value, "managed");
	assert_true(dropped(&p, "user", 4, "/opt/x"));
	assert_int_equal(p.nmounts, 3);
	assert_string_equal(p.mounts[2].path, "/opt");
	policy_done(&p);
}

static void only_managed(void **state)
{
	const struct test_layer l[] = {
		{ "network: { allow: [a.test], only_managed: true }\n", "managed", SOURCE_MANAGED,
		  false },
		{ "extends: claude-code\nnetwork: { allow: [b.test], deny: [c.test] }\n", "user",
		  SOURCE_USER, false },
	};
	const struct test_layer by_managed[] = {
		{ "extends: claude-code\nnetwork: { only_managed: true }\n", "managed",
		  SOURCE_MANAGED, false },
	};
	struct policy p;

	(void)state;
	load(l, ARRAY_LEN(l), &p);
	assert_int_equal(p.nrules, 2);
	assert_string_equal(p.rules[0].text, "deny c.test");
	assert_string_equal(p.rules[1].text, "allow a.test");
	assert_true(dropped(&p, "user", 2, "network.allow: b.test"));
	assert_true(dropped(&p, "profile:claude-code", 15, "network.allow"));
	policy_done(&p);
	/* A profile counts as what extends it. */
	load(by_managed, ARRAY_LEN(by_managed), &p);
	assert_int_equal(p.nrules, 1);
	assert_string_equal(p.rules[0].origin.file, "profile:claude-code");
	policy_done(&p);
}

static void strength_orders(void **state)
{
	const struct test_layer l[] = {
		{ "network: { allow: [u.test], proxy_env: false }\nextends: [node, claude-code]\n",
		  "user", SOURCE_USER, false },
		{ "network: { allow: [p.test], deny: [d.test] }\nextends: node\n", "proj",
		  SOURCE_PROJECT, false },
		{ "network: { allow: [c.test] }\n", "cmd", SOURCE_COMMAND, false },
	};
	static const char *const files[] = {
		"cmd", "proj", "user", "profile:node", "profile:claude-code", "profile:base"
	};
	struct policy p;

	(void)state;
	load(l, ARRAY_LEN(l), &p);
	assert_int_equal(p.nfiles, ARRAY_LEN(files));
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		assert_string_equal(p.files[i], files[i]);
	assert_string_equal(p.rules[0].text, "deny d.test");
	assert_string_equal(p.rules[1].text, "allow c.test");
	assert_string_equal(p.rules[2].text, "allow p.test");
	assert_string_equal(p.rules[3].text, "allow u.test");
	assert_false(p.proxy_env);
	assert_int_equal(p.workspace_mode, WORKSPACE_RW);
	assert_string_equal(p.set_by[SETTING_WORKSPACE_MODE].file, "profile:node");
	policy_done(&p);
}

/* What show writes can be read, and means the same. */
static void shown_is_policy(void **state)
{
	static const char text[] =
	    "extends: [claude-code, node, python]\n"
	    "filesystem: { read: [/a, \"/it's\"], write: [~/w], hide: [./h] }\n"
	    "network:\n  deny: [{ host: d.test, ports: [1-5], paths: ['/a/**'] }]\n"
	    "  allow:\n    - { host: a.test, methods: [GET], upstream: '[::1]:1', cleartext: allow "
	    "}\n"
	    "    - { host: b.test, addresses: [10.0.0.0/8], tls: tunnel }\n    - '[::1]:80'\n"
	    "credentials:\n  x: { from: \"cmd:echo 'a'\", header: 'X-Y: a\"\\{}b', optional: true "
	    "}\n"
	    "sockets: { unix: [/run/s] }\n"
	    "limits: { memory: 1G, cpus: 1.25, time: 1m, cgroup: required }\n";
	struct test_layer l = { text, "f", SOURCE_COMMAND, false };
	struct buf a = BUF_INIT(1u << 20), b = BUF_INIT(1u << 20);
	struct policy p, q;
	char *first;

	(void)state;
	load(&l, 1, &p);
	assert_int_equal(show_yaml(&p, &a), 0);
	assert_int_equal(show_json(&p, &b), 0);
	assert_true(buf_len(&b) > 100 && buf_str(&b).p[0] == '{');
	buf_clear(&b);
	l.text = buf_cstr(&a);
	load(&l, 1, &q);
	assert_int_equal(p.nrules, q.nrules);
	for (size_t i = 0; i < p.nrules; i++)
		if (p.rules[i].nports == 0 || p.rules[i].ports[0].low != p.rules[i].ports[0].high)
			assert_string_equal(p.rules[i].text, q.rules[i].text);
	assert_int_equal(p.ncredentials, q.ncredentials);
	assert_string_equal(policy_credential(&q, "x")->from, "echo 'a'");
	assert_string_equal(policy_credential(&q, "x")->prefix, policy_credential(&p, "x")->prefix);
	assert_memory_equal(&p.limits, &q.limits, sizeof p.limits);
	assert_int_equal(p.nenv, q.nenv);
	assert_int_equal(p.nmounts, q.nmounts);
	first = strstr(buf_cstr(&a), "# f:");
	assert_non_null(first);
	assert_int_equal(show_check_json(&p, NULL, &b), 0);
	assert_non_null(strstr(buf_cstr(&b), "\"ok\":true"));
	policy_done(&p);
	policy_done(&q);
	buf_done(&a);
	buf_done(&b);
}

static char said[8192];

static void say(void *arg, const struct origin *o, const char *text)
{
	size_t n = strlen(said);

	(void)arg;
	snprintf(said + n, sizeof said - n, "%s:%u:%s\n", o->file, o->line, text);
}

static void lints(void **state)
{
	static const char *const want[] = {
		"bound to no rule",	 "shows the agent the file",
		"never decides",	 "without the credential",
		"opens every host",	 "top-level domain",
		"opens 65535",		 "very large address block",
		"in clear text",	 "SSH keys",
		"control over the host", "looks like a secret",
	};
	struct test_layer l = { "filesystem: { read: [~/.ssh] }\n"
				"environment: { pass: [MY_TOKEN] }\n"
				"sockets: { unix: [/run/docker.sock] }\n"
				"network:\n  allow:\n    - a.test\n    - { host: a.test, "
				"credential: c }\n    - '*.test'\n"
				"    - { host: b.x, ports: [1-65535], addresses: [0.0.0.0/0] }\n"
				"    - { host: z.x, credential: c, cleartext: allow }\n    - '*'\n"
				"credentials:\n  c: { from: env:X, header: 'a: {}' }\n"
				"  unused: { from: 'file:~/.ssh/k', header: 'a: {}' }\n",
				"f", SOURCE_COMMAND, false };
	struct policy p;

	(void)state;
	load(&l, 1, &p);
	said[0] = '\0';
	if (policy_lint(&p, say, NULL) != 11)
		fail_msg("%s", said);
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		if (!strstr(said, want[i]))
			fail_msg("no finding '%s' in\n%s", want[i], said);
	policy_done(&p);
	l.text = "extends: claude-code\nnetwork: { allow: [x.test], deny: [y.test] }\n";
	load(&l, 1, &p);
	assert_int_equal(policy_lint(&p, say, NULL), 0);
	policy_done(&p);
}

/* Which earlier rule leaves a later one nothing to decide. */
static void lints_shadows(void **state)
{
	static const struct {
		const char *rules;
		bool found;
	} rows[] = {
		{ "allow: [a.test, a.test]", true },
		{ "allow: [a.test, b.test]", false },
		{ "allow: ['*.test', a.test]", true },
		{ "allow: ['*.test', test]", false },
		{ "allow: [a.test, '*.test']", false },
		{ "allow: ['*.test', '*.a.test']", true },
		{ "allow: ['*.a.test', '*.test']", false },
		{ "allow: ['*.test', '*.test']", true },
		{ "allow: ['*', a.test]", true },
		{ "allow: ['*', '*.test']", true },
		{ "allow: ['*', '*']", true },
		{ "allow: ['*', 192.0.2.1]", false }, /* any name, and no address */
		{ "allow: [a.test, '*']", false },
		{ "allow: ['*.test', '*']", false },
		{ "allow: [192.0.2.1, 192.0.2.1]", true },
		{ "allow: [192.0.2.1, 192.0.2.2]", false },
		/* ports */
		{ "allow: ['a.test:443', a.test]", false },
		{ "allow: [{ host: a.test, ports: [80, 443] }, a.test]", true },
		{ "allow: [a.test, 'a.test:443']", true },
		{ "allow: [a.test, 'a.test:22']", false },
		{ "allow: [a.test, { host: a.test, ports: ['80-81'] }]", false },
		{ "allow: [{ host: a.test, ports: ['1-100'] }, { host: a.test, ports: ['80-81'] }]",
		  true },
		{ "allow: [{ host: a.test, ports: ['80-81'] }, { host: a.test, ports: ['1-100'] }]",
		  false },
		{ "allow: [{ host: a.test, ports: [1, 2] }, { host: a.test, ports: [2, 3] }]",
		  false },
		/* a deny without ports takes them all */
		{ "deny: [a.test]\n  allow: ['a.test:22']", true },
		{ "deny: ['a.test:22']\n  allow: ['a.test:22']", true },
		{ "deny: ['a.test:22']\n  allow: [a.test]", false },
		/* a rule that looks at requests lets others pass to the next */
		{ "allow: [{ host: a.test, methods: [GET] }, a.test]", false },
		{ "allow: [a.test, { host: a.test, methods: [GET] }]", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct test_layer l = { .name = "f", .source = SOURCE_COMMAND };
		struct policy p;
		char text[512];

		snprintf(text, sizeof text, "network:\n  %s\n", rows[i].rules);
		l.text = text;
		load(&l, 1, &p);
		said[0] = '\0';
		policy_lint(&p, say, NULL);
		if (!!strstr(said, "never decides") != rows[i].found)
			fail_msg("%s\nexpected %d, said '%s'", text, rows[i].found, said);
		policy_done(&p);
	}
}

static void lints_places(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: nothing */
	} rows[] = {
		{ "filesystem: { hide: [~/.ssh] }", NULL },
		{ "filesystem: { read: [~/.aws] }", "AWS credentials" },
		{ "filesystem: { write: [~/.config] }", "the credentials of many programs" },
		{ "filesystem: { read: [~/.sshx] }", NULL },
		{ "sockets: { unix: [/run/x.sock] }", NULL },
		{ "sockets: { unix: [/var/run/docker.sock] }", "control over the host" },
		{ "filesystem: { hide: [~/k] }\n"
		  "credentials: { c: { from: 'file:~/k', header: 'a: {}' } }\n"
		  "network: { allow: [{ host: a.b, credential: c }] }",
		  NULL },
		{ "filesystem: { read: [~/k] }\n"
		  "credentials: { c: { from: 'file:~/k/key', header: 'a: {}' } }\n"
		  "network: { allow: [{ host: a.b, credential: c }] }",
		  "shows the agent the file of credential 'c'" },
		{ "network: { allow: [{ host: a.b, ports: ['1-1024'] }] }", NULL },
		{ "network: { allow: [{ host: a.b, ports: ['1-1025'] }] }", "opens 1025 ports" },
		{ "network: { allow: [{ host: a.b, addresses: [10.0.0.0/8] }] }", NULL },
		{ "network: { allow: [{ host: a.b, addresses: [10.0.0.0/7] }] }",
		  "very large address block" },
		{ "network: { allow: ['*.b.test'] }", NULL },
		{ "network: { deny: ['*', '*.com'] }", "never decides" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct test_layer l = { rows[i].text, "f", SOURCE_COMMAND, false };
		struct policy p;
		size_t n;

		load(&l, 1, &p);
		said[0] = '\0';
		n = policy_lint(&p, say, NULL);
		if (n != (rows[i].want ? 1 : 0) || (rows[i].want && !strstr(said, rows[i].want)))
			fail_msg("%s\nexpected '%s', said '%s'", rows[i].text,
				 rows[i].want ? rows[i].want : "", said);
		policy_done(&p);
	}
}

/* What does not count is told with its place; a buffer that is too short is an error. */
static void shows_what_was_dropped(void **state)
{
	const struct test_layer l[] = {
		{ "network:\n  allow: [evil.test]\n", "proj", SOURCE_PROJECT, true },
		{ "filesystem: { hide: [/h], read: [/h/x] }\n", "user", SOURCE_USER, false },
	};
	struct buf b = BUF_INIT(4096);
	struct policy p;

	(void)state;
	load(l, ARRAY_LEN(l), &p);
	assert_int_equal(show_dropped(&p, &b), 0);
	assert_non_null(strstr(buf_cstr(&b), "proj:2: does not count: network.allow: evil.test ("));
	assert_non_null(strstr(buf_cstr(&b), "user:1: does not count: filesystem.read: /h/x "
					     "(it lies under a hidden path, and hide wins)\n"));
	for (size_t n = 0; n < buf_len(&b); n++) {
		struct buf small = BUF_INIT(n);

		assert_true(show_dropped(&p, &small) < 0);
		buf_done(&small);
	}
	policy_done(&p);
	buf_done(&b);
}

/* Every byte that does not fit is an error, never a policy that shows less. */
static void shows_all_or_nothing(void **state)
{
	static const char text[] =
	    "filesystem: { read: [/a], hide: [./h] }\n"
	    "network:\n  deny: [d.test]\n  allow:\n"
	    "    - { host: '*.a.test', methods: [GET], paths: [/x], credential: c }\n"
	    "    - { host: u4.test, upstream: '192.0.2.1:8443', cleartext: refuse }\n"
	    "    - { host: u6.test, upstream: '[::1]:8443', ports: [1, '2-3'], addresses: "
	    "[10.0.0.0/8] }\n"
	    "credentials: { c: { from: 'file:/k', header: 'x: {}', placeholder_env: P } }\n"
	    "sockets: { unix: [/run/s] }\nlimits: { pids: 9 }\n";
	const struct test_layer l = { text, "f", SOURCE_COMMAND, false };
	int (*const shows[])(const struct policy *, struct buf *) = { show_yaml, show_json };
	struct buf b = BUF_INIT(65536);
	struct policy p;

	(void)state;
	load(&l, 1, &p);
	for (size_t k = 0; k < ARRAY_LEN(shows); k++) {
		buf_clear(&b);
		assert_int_equal(shows[k](&p, &b), 0);
		if (k == 0)
			assert_non_null(strstr(buf_cstr(&b), "upstream: '192.0.2.1:8443'"));
		for (size_t n = 0; n < buf_len(&b); n++) {
			struct buf small = BUF_INIT(n);

			if (shows[k](&p, &small) >= 0)
				fail_msg("%zu bytes were enough for %zu", n, buf_len(&b));
			buf_done(&small);
		}
	}
	policy_done(&p);
	buf_done(&b);
}

static void check_json_of_an_error(void **state)
{
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT(1024);

	(void)state;
	err_set(&e, -EINVAL, "f:1: \"no\"");
	assert_int_equal(show_check_json(NULL, &e, &b), 0);
	assert_string_equal(buf_cstr(&b), "{\"ok\":false,\"error\":\"f:1: \\\"no\\\"\"}");
	buf_done(&b);
}

/* Limits that hold for all layers together, not only for each. */
static void limits_of_all_layers(void **state)
{
	static char text[2][65536];
	struct test_layer l[POLICY_LAYERS_MAX + 1];
	struct err e = ERR_INIT;
	struct policy p;

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		size_t n = (size_t)sprintf(text[k], "environment: { set: {");

		for (unsigned i = 0; i < POLICY_ENV_MAX; i++)
			n += (size_t)sprintf(text[k] + n, "A%zu_%u: 1,", k, i);
		sprintf(text[k] + n, "} }");
		l[k] = (struct test_layer){ text[k], k ? "b" : "a", SOURCE_USER, false };
	}
	assert_int_equal(load_layers(l, 2, &p, &e), -E2BIG);
	assert_non_null(strstr(e.text, "in all layers"));
	assert_int_equal(load_layers(l, 2, &p, NULL), -E2BIG);
	for (size_t k = 0; k < ARRAY_LEN(l); k++)
		l[k] = (struct test_layer){ "limits: { pids: 9 }\n", "x", SOURCE_COMMAND, false };
	assert_int_equal(load_layers(l, ARRAY_LEN(l), &p, &e), -E2BIG);
	assert_non_null(strstr(e.text, "policy layers"));
}

/* The same thing said twice, and what an untrusted layer repeats, is said once. */
static void repeats_are_one(void **state)
{
	const struct test_layer l[] = {
		{ "sockets: { unix: [/run/a] }\nfilesystem: { read: [/r] }\n"
		  "credentials: { c: { from: env:X, header: 'a: {}' } }\nlimits: { pids: 9 }\n",
		  "cmd", SOURCE_COMMAND, false },
		{ "sockets: { unix: [/run/a, /run/b] }\nfilesystem: { write: [/r] }\n"
		  "credentials: { c: { from: env:Y, header: 'b: {}' } }\n",
		  "user", SOURCE_USER, false },
		{ "limits: { pids: 9 }\nworkspace: { mode: none }\n", "proj", SOURCE_PROJECT,
		  true },
	};
	struct policy p;

	(void)state;
	load(l, ARRAY_LEN(l), &p);
	assert_int_equal(p.nunix_sockets, 2);
	assert_int_equal(p.nmounts, 1);
	assert_int_equal(p.mounts[0].mode, MOUNT_READ);
	assert_int_equal(p.ncredentials, 1);
	assert_string_equal(p.credentials[0].from, "X");
	assert_int_equal(p.limits.pids, 9);
	assert_int_equal(p.workspace_mode, WORKSPACE_NONE);
	assert_int_equal(p.ndropped, 0);
	policy_done(&p);
}

static void templates(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct template_facts f = { i & 1, i & 2, i & 4 };
		struct buf b = BUF_INIT(16384);
		struct test_layer l = { .name = "t", .source = SOURCE_PROJECT };
		struct policy p;

		assert_int_equal(template_write(&f, &b), 0);
		l.text = buf_cstr(&b);
		load(&l, 1, &p);
		/* Only the profile of a program that has a service of its own names a host. */
		assert_int_equal(p.network, f.claude);
		policy_done(&p);
		buf_done(&b);
	}
}

#define H "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void trust_store(void **state)
{
	static const char wrong_digit[] =
	    "g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef /a";
	static const char *const bad[] = { "x",	     H,	       H " ",	    H " rel", wrong_digit,
					   H "  /a", H "\t/a", "G" H " /a", "\n\nx\n" };
	struct buf b = BUF_INIT(4096), c = BUF_INIT(4096);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (trust_check(str_from(bad[i]), "s", NULL) != -EINVAL)
			fail_msg("'%s' must be refused", bad[i]);
	assert_int_equal(trust_update(STR_NONE, H, "/a b", &b), 0);
	assert_int_equal(trust_check(buf_str(&b), "s", NULL), 0);
	assert_true(trust_has(buf_str(&b), H, "/a b"));
	assert_false(trust_has(buf_str(&b), H, "/a"));
	assert_false(trust_has(STR_NONE, H, "/a"));
	assert_int_equal(trust_update(buf_str(&b), H, "/c", &c), 0);
	assert_true(trust_has(buf_str(&c), H, "/a b") && trust_has(buf_str(&c), H, "/c"));
	buf_clear(&b);
	assert_int_equal(trust_update(buf_str(&c), NULL, "/a b", &b), 0);
	assert_false(trust_has(buf_str(&b), H, "/a b"));
	assert_true(trust_has(buf_str(&b), H, "/c"));
	assert_int_equal(trust_update(STR_NONE, H, "/a\n" H " /x", &c), -EINVAL);
	assert_int_equal(trust_update(STR_NONE, H, "rel", &c), -EINVAL);
	buf_done(&b);
	buf_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(untrusted_only_tightens),
		cmocka_unit_test(untrusted_settings_are_named),
		cmocka_unit_test(trusted_counts),
		cmocka_unit_test(managed_cannot_be_loosened),
		cmocka_unit_test(only_managed),
		cmocka_unit_test(strength_orders),
		cmocka_unit_test(shown_is_policy),
		cmocka_unit_test(lints),
		cmocka_unit_test(lints_shadows),
		cmocka_unit_test(lints_places),
		cmocka_unit_test(shows_what_was_dropped),
		cmocka_unit_test(shows_all_or_nothing),
		cmocka_unit_test(check_json_of_an_error),
		cmocka_unit_test(limits_of_all_layers),
		cmocka_unit_test(repeats_are_one),
		cmocka_unit_test(templates),
		cmocka_unit_test(trust_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
