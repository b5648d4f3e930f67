/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: what is not exactly a policy is refused, with file and line and what to do. */
#include "load.h"

#include "base/own.h"

#define NET(rule) "network:\n  allow:\n    - " rule "\n"
#define CRED(body) "credentials:\n  c: { " body " }\n"
#define OK_CRED CRED("from: env:X, header: 'x-api-key: {}'")

static const struct {
	const char *text, *error; /* error: a part of the message */
} bad[] = {
	/* not the YAML that we read */
	{ "a: &x 1\nb: *x\n", "f.yaml:1: " },
	{ "extends: &x base\n", "f.yaml:1: anchors" },
	{ "extends: [&x base]\n", "anchors" },
	{ "workspace: &x { mode: ro }\n", "anchors" },
	{ "environment:\n  pass: &x [A]\n", "f.yaml:2: anchors" },
	{ "extends: *x\n", "aliases" },
	{ "network:\n  allow: [*]\n", "f.yaml:2: " },
	{ "extends: !!str base\n", "tags" },
	{ "extends: !x base\n", "tags" },
	{ "workspace: !!map { mode: ro }\n", "tags" },
	{ "sockets: { unix: !!seq [] }\n", "tags" },
	{ "%YAML 1.1\n---\nextends: base\n", "directives" },
	{ "%TAG ! tag:x,2000:\n---\nextends: base\n", "directives" },
	{ "extends: base\n---\nextends: node\n", "f.yaml:2: a second document" },
	{ "--- {}\n--- {}\n", "second document" },
	{ "extends: base\nextends: node\n", "f.yaml:2: duplicate key 'extends' (first on line 1)" },
	{ "limits:\n  pids: 1\n  pids: 2\n", "f.yaml:3: duplicate key 'pids'" },
	{ "<<: { extends: base }\n", "merge keys" },
	{ "? [a]\n: b\n", "a key must be a plain word" },
	{ "? { a: b }\n: b\n", "a key must be a plain word" },
	{ "'': b\n", "empty key" },
	{ "- a\n", "a policy is a map of keys, not a list" },
	{ "just text\n", "a policy is a map" },
	{ "a: [\n", "not valid YAML" },
	{ "\tworkspace: { mode: ro }\n", "not valid YAML" },
	{ "extends: \"\\xff\n", "not valid YAML" },
	{ "extends: \xff\xfe\n", "not valid YAML" },
	{ "a: [[[[[[[[[[[[x]]]]]]]]]]]]\n", "nested too deeply" },
	/* keys */
	{ "extend: base\n", "unknown key 'extend'; did you mean 'extends'?" },
	{ "netwrok: {}\n", "did you mean 'network'?" },
	{ "foo: 1\n", "f.yaml:1: unknown key 'foo'" },
	{ "network: { alow: [] }\n", "unknown key 'alow' in network; did you mean 'allow'?" },
	{ NET("{ host: a.b, port: 1 }"),
	  "f.yaml:3: unknown key 'port' in a rule; did you mean 'ports'" },
	{ "permissions: {}\n", "'permissions' is not yet supported by this version" },
	{ "network: { ask: [] }\n", "'ask' is not yet supported" },
	{ NET("{ host: a.b, budget: {} }"), "'budget' is not yet supported" },
	{ NET("{ host: a.b, expires: 10m }"), "'expires' is not yet supported" },
	{ NET("{ git: github.com/a/b }"), "'git' is not yet supported" },
	{ NET("npm"), "the bundle 'npm' is not yet supported" },
	{ NET("{ host: a.b, tls: intercept }"), "'tls: intercept' is not yet supported" },
	{ "isolation: gvisor\n", "isolation 'gvisor' is not yet supported" },
	{ "isolation: oci:crun\n", "is not yet supported" },
	{ "isolation: nativ\n", "did you mean 'native'" },
	{ "workspace: { mode: review }\n", "workspace mode 'review' is not yet supported" },
	{ "workspace: { mode: copy }\n", "workspace mode 'copy' is not yet supported" },
	{ "filesystem: { hide: ['**/*.pem'] }\n", "not yet supported" },
	{ "environment: { pass: ['LC_*'] }\n", "not yet supported" },
	/* kinds and words */
	{ "network: []\n", "'network' must be a map, not a list" },
	{ "network: ~\n", "'network' must be a map" },
	{ "network: { allow: a.b }\n", "'allow' must be a list" },
	{ "network: { allow: [[a.b]] }\n", "a rule is a host or a map" },
	{ "network: { proxy_env: yes }\n", "must be true or false" },
	{ "network: { proxy_env: 'true' }\n", "must be true or false" },
	{ "network: { dns_denied: refuse }\n", "is not one of explain, nxdomain" },
	{ "network: { only_managed: true }\n", "managed policy file only" },
	{ "extends: {}\n", "a profile's name" },
	{ "extends: [[base]]\n", "single value" },
	{ "extends: bse\n",
	  "unknown profile 'bse'; there are base, claude-code, node, python, strict" },
	{ "extends:\n", "a value is missing" },
	{ "extends: ''\n", "an empty value" },
	{ "workspace: { mode: rx }\n", "'rx' is not one of none, ro, rw" },
	{ "workspace: { path: ../x }\n", "hold no '..'" },
	{ "workspace: { path: x }\n", "must start with" },
	{ "filesystem: { read: [/a/../b] }\n", "hold no '..'" },
	{ "filesystem: { read: ['~root/x'] }\n", "must start with" },
	{ "filesystem: { read: [/a, /a/] }\n", "listed twice" },
	{ "filesystem: { read: [/a], write: [/a] }\n", "listed twice" },
	{ "filesystem: { read: [\"/a\\0b\"] }\n", "control character" },
	{ "filesystem: { read: [\"/a\\nb\"] }\n", "control character" },
	{ "filesystem: { read: [\"/a\\eb\"] }\n", "control character" },
	{ "filesystem: { read: [\"/a\\u009bb\"] }\n", "control character" },
	{ "filesystem: { read: [\"/a\\u202eb\"] }\n", "control character" },
	{ "filesystem: { read: [\"/a\\u2066b\"] }\n", "control character" },
	{ "\"a\\u009b\": 1\n", "unknown key" },
	{ "filesystem: { read: [{}] }\n", "single value" },
	{ "sockets: { unix: [./x] }\n", "a socket's path" },
	{ "environment: { pass: [A-B] }\n", "no name of an environment variable" },
	{ "environment: { pass: [1A] }\n", "no name" },
	{ "environment: { pass: ['A=B'] }\n", "no name" },
	{ "environment: { pass: [A], set: { A: b } }\n", "listed twice" },
	{ "environment: { set: { A: [b] } }\n", "single value" },
	{ "environment: { set: { A: } }\n", "a value is missing" },
	{ "limits: { memory: -1 }\n", "must be a size" },
	{ "limits: { memory: 0 }\n", "must be a size" },
	{ "limits: { memory: 9223372036854775808 }\n", "must be a size" },
	{ "limits: { memory: 2GB }\n", "must be a size" },
	{ "limits: { tmp: none }\n", "must be a size" },
	{ "limits: { cpus: 1.2345 }\n", "must be a number" },
	{ "limits: { pids: 5000000 }\n", "must be a number of processes" },
	{ "limits: { time: 2y }\n", "must be a duration" },
	{ "limits: { cgroup: maybe }\n", "is not one of best-effort, required" },
	{ "limits: { cgroup: [required] }\n", "single value" },
	{ "limits: { memory: [1G] }\n", "single value" },
	{ "workspace: { mode: [ro] }\n", "single value" },
	{ "workspace: { path: {} }\n", "single value" },
	{ "isolation: [native]\n", "single value" },
	{ "sockets: { unix: [[/x]] }\n", "single value" },
	{ "a_key_that_is_longer_than_any_word_that_could_be_offered_instead_of_it_by_far: 1\n",
	  "unknown key 'a_key" },
	/* rules */
	{ NET("127.1"), "host '127.1' is not a name" },
	{ NET("0x7f000001"), "is not a name" },
	{ NET("'a.b*'"), "is not a name" },
	{ NET("http://a.b/"), "f.yaml:3: port" },
	{ NET("a.b:0"), "port '0'" },
	{ NET("a.b:65536"), "port '65536'" },
	{ NET("'a.b:'"), "port ''" },
	{ NET("a.b:80:90"), "port '80:90'" },
	{ NET("{ host: a.b, ports: ['90-80'] }"), "port '90-80'" },
	{ NET("{ host: a.b, ports: ['80-x'] }"), "port '80-x'" },
	{ NET("{ host: a.b, ports: ['80-'] }"), "port '80-'" },
	{ NET("{ host: a.b, ports: ['80-65536'] }"), "port '80-65536'" },
	{ NET("{ host: a.b, ports: [[80]] }"), "single value" },
	{ NET("{ host: a.b, methods: [[GET]] }"), "single value" },
	{ NET("{ host: a.b, paths: [{}] }"), "single value" },
	{ NET("{ host: a.b, addresses: [[10.0.0.0/8]] }"), "single value" },
	{ NET("{ host: a.b, upstream: [] }"), "single value" },
	{ NET("{ host: a.b, cleartext: [allow] }"), "single value" },
	{ NET("{ host: a.b, cleartext: yes }"), "is not one of" },
	{ NET("{ host: a.b, tls: [] }"), "single value" },
	{ NET("{ host: a.b, credential: {} }"), "single value" },
	{ NET("{ host: {} }"), "single value" },
	{ NET("{ host: a.b, ports: [0443] }"), "port '0443'" },
	{ NET("{ host: a.b, ports: [] }"), "empty list" },
	{ NET("{ host: a.b, methods: [] }"), "empty list" },
	{ NET("{ host: a.b, paths: [] }"), "empty list" },
	{ NET("{ host: a.b, methods: [get] }"), "in capitals" },
	{ NET("{ host: a.b, methods: [CONNECT] }"), "CONNECT" },
	{ NET("{ host: a.b, paths: [x] }"), "must start with '/'" },
	{ NET("{ host: a.b, paths: ['/a%2fb'] }"), "must start with '/'" },
	{ NET("{ host: a.b, paths: ['/***'] }"), "must start with '/'" },
	{ NET("{ host: a.b, addresses: [10.0.0.1/8] }"), "is no address or block" },
	{ NET("{ host: a.b, upstream: 'localhost:1' }"), "must be an address and port" },
	{ NET("{ host: a.b, upstream: '127.0.0.1' }"), "must be an address and port" },
	{ NET("{ host: a.b, upstream: '127.0.0.1:0' }"), "must be an address and port" },
	{ NET("{ host: a.b, upstream: '::1' }"), "must be an address and port" },
	{ NET("{ ports: [1] }"), "a rule needs 'host'" },
	{ NET("{}"), "a rule needs 'host'" },
	{ NET("{ host: a.b, tls: tunnel, methods: [GET] }"), "what is inside is encrypted" },
	{ OK_CRED NET("{ host: a.b, tls: tunnel, credential: c }"), "what is inside is encrypted" },
	{ OK_CRED NET("{ host: '*', credential: c }"), "cannot be bound to every host" },
	{ OK_CRED NET("{ host: '*.com', credential: c }"), "anyone can register" },
	{ OK_CRED NET("{ host: '*.co.uk', credential: c }"), "anyone can register" },
	{ NET("{ host: a.b, credential: c }"), "credential 'c' is not defined" },
	{ "network: { deny: [{ host: a.b, credential: c }] }\n", "a deny rule has only" },
	{ "network: { deny: [{ host: a.b, tls: tunnel }] }\n", "a deny rule has only" },
	/* credentials */
	{ "credentials: { 'a b': {} }\n", "a credential's name" },
	{ "credentials: { a: x }\n", "must be a map" },
	{ "credentials: { a: {} }\n", "needs 'from'" },
	{ CRED("from: env:X"), "needs 'header'" },
	{ CRED("from: sk-secret, header: 'a: {}'"), "never the secret itself" },
	{ CRED("from: 'env:', header: 'a: {}'"), "never the secret itself" },
	{ CRED("from: 'env:A B', header: 'a: {}'"), "no name of an environment" },
	{ CRED("from: 'file:x', header: 'a: {}'"), "must start with '/'" },
	{ CRED("from: [env:X], header: 'a: {}'"), "single value" },
	{ CRED("from: env:X, header: ['a: {}']"), "single value" },
	{ CRED("from: env:X, header: 'a: {}', placeholder_env: [P]"), "single value" },
	{ CRED("from: env:X, header: 'a'"), "must be \"Name: {}\"" },
	{ CRED("from: env:X, header: 'a: x'"), "must be \"Name: {}\"" },
	{ CRED("from: env:X, header: 'a: {}{}'"), "must be \"Name: {}\"" },
	{ CRED("from: env:X, header: '{}: a'"), "must be \"Name: {}\"" },
	{ CRED("from: env:X, header: 'a b: {}'"), "must be \"Name: {}\"" },
	{ CRED("from: env:X, header: ': {}'"), "must be \"Name: {}\"" },
	{ CRED("from: env:X, header: \"a: \\r\\n{}\""), "control character" },
	{ CRED("from: env:X, header: 'Host: {}'"), "cannot carry a credential" },
	{ CRED("from: env:X, header: 'Transfer-Encoding: {}'"), "cannot carry a credential" },
	{ CRED("from: env:X, header: 'a: {}', placeholder_env: 'A B'"),
	  "no name of an environment" },
	{ CRED("from: env:X, header: 'a: {}', oauth: x"), "'oauth' is not yet supported" },
	{ OK_CRED "environment: { pass: [X] }\n", "would show credential 'c'" },
	{ CRED("from: env:X, header: 'a: {}', placeholder_env: Y") "environment: { set: { Y: 1 } "
								   "}\n",
	  "puts its placeholder" },
	{ "credentials:\n  a: { from: env:A, header: 'a: {}', placeholder_env: Y }\n"
	  "  b: { from: env:B, header: 'a: {}', placeholder_env: Y }\n",
	  "both put their placeholder" },
};

static void refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = ERR_INIT;
		struct policy p = { .nrules = 4711 };

		if (load_one(str_from(bad[i].text), &p, &e) >= 0)
			fail_msg("row %zu must be refused:\n%s", i, bad[i].text);
		if (!strstr(e.text, bad[i].error) || strncmp(e.text, "f.yaml:", 7) != 0)
			fail_msg("row %zu:\n%s\nsaid '%s', expected f.yaml:... '%s'", i,
				 bad[i].text, e.text, bad[i].error);
		if (p.nrules != 4711)
			fail_msg("row %zu touched its output", i);
		if (strstr(e.text, "sk-secret"))
			fail_msg("row %zu repeats a secret", i);
	}
}

/* Text whose length counts, not its NUL. */
static void refuses_bytes(void **state)
{
	static const struct str rows[] = {
		STR_LIT("extends: base\n\0"), STR_LIT("extends: ba\0se\n"),
		STR_LIT("\xff\xfe"
			"e\0x\0t\0"), /* UTF-16 */
	};
	struct policy p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (load_one(rows[i], &p, NULL) >= 0)
			fail_msg("row %zu must be refused", i);
}

static void refuses_what_is_too_much(void **state)
{
	static char text[POLICY_FILE_MAX + 2];
	struct err e = ERR_INIT;
	struct policy p;
	size_t n;

	(void)state;
	memset(text, '#', sizeof text);
	assert_int_equal(load_one((struct str){ text, POLICY_FILE_MAX + 1 }, &p, &e), -E2BIG);
	assert_int_equal(load_one((struct str){ text, POLICY_FILE_MAX }, &p, &e), 0);
	policy_done(&p);
	n = (size_t)sprintf(text, "network: { allow: [");
	for (unsigned i = 0; i <= POLICY_RULES_MAX; i++)
		n += (size_t)sprintf(text + n, "a.b,");
	n += (size_t)sprintf(text + n, "] }");
	assert_int_equal(load_one((struct str){ text, n }, &p, &e), -E2BIG);
	n = (size_t)sprintf(text, "environment: { set: {");
	for (unsigned i = 0; i <= POLICY_ENV_MAX; i++)
		n += (size_t)sprintf(text + n, "A%u: 1,", i);
	n += (size_t)sprintf(text + n, "} }");
	assert_int_equal(load_one((struct str){ text, n }, &p, &e), -E2BIG);
	n = (size_t)sprintf(text, "network: { allow: [{ host: a.b, ports: [");
	for (unsigned i = 0; i <= POLICY_LIST_MAX; i++)
		n += (size_t)sprintf(text + n, "%u,", i + 1);
	n += (size_t)sprintf(text + n, "] }] }");
	assert_int_equal(load_one((struct str){ text, n }, &p, &e), -E2BIG);
	n = (size_t)sprintf(text, "environment: { set: { A: ");
	memset(text + n, 'x', POLICY_STRING_MAX + 1);
	n += POLICY_STRING_MAX + 1;
	n += (size_t)sprintf(text + n, "} }");
	assert_int_equal(load_one((struct str){ text, n }, &p, &e), -E2BIG);
	/* What several lists of one layer hold together. */
	n = (size_t)sprintf(text, "network: { deny: [a.b], allow: [");
	for (unsigned i = 0; i < POLICY_RULES_MAX; i++)
		n += (size_t)sprintf(text + n, "a.b,");
	n += (size_t)sprintf(text + n, "] }");
	assert_int_equal(load_one((struct str){ text, n }, &p, &e), -E2BIG);
	assert_non_null(strstr(e.text, "more than 4096 rules"));
	n = (size_t)sprintf(text, "filesystem: { hide: [/h], read: [");
	for (unsigned i = 0; i < POLICY_MOUNTS_MAX; i++)
		n += (size_t)sprintf(text + n, "/r%u,", i);
	n += (size_t)sprintf(text + n, "] }");
	assert_int_equal(load_one((struct str){ text, n }, &p, &e), -E2BIG);
	assert_non_null(strstr(e.text, "more than 256 paths"));
	n = (size_t)sprintf(text, "environment: { set: { B: 1 }, pass: [");
	for (unsigned i = 0; i < POLICY_ENV_MAX; i++)
		n += (size_t)sprintf(text + n, "A%u,", i);
	n += (size_t)sprintf(text + n, "] }");
	assert_int_equal(load_one((struct str){ text, n }, &p, &e), -E2BIG);
	assert_non_null(strstr(e.text, "more than 256 variables"));
	/* Values of the tree, whatever they are. */
	n = (size_t)sprintf(text, "x: [");
	for (unsigned i = 0; i < 65536; i++)
		n += (size_t)sprintf(text + n, "a,");
	n += (size_t)sprintf(text + n, "]");
	assert_int_equal(load_one((struct str){ text, n }, &p, &e), -E2BIG);
	assert_non_null(strstr(e.text, "more than 65536 values"));
	n = (size_t)sprintf(text, "credentials: {");
	for (unsigned i = 0; i <= POLICY_CREDENTIALS_MAX; i++)
		n += (size_t)sprintf(text + n, "c%u: { from: env:A, header: 'a: {}' },", i);
	n += (size_t)sprintf(text + n, "}");
	assert_int_equal(load_one((struct str){ text, n }, &p, &e), -E2BIG);
}

static const char full[] =
    "extends: claude-code\n"
    "isolation: native\n"
    "workspace: { path: ./src/, mode: ro }\n"
    "filesystem:\n"
    "  read: [~/.gitconfig, /opt//tools/.]\n"
    "  write: [~/.cache/npm]\n"
    "  hide: [./secret, ~/.gitconfig/x]\n"
    "environment:\n"
    "  pass: [EDITOR]\n"
    "  set: { DEBUG: 1, EMPTY: '', TERM: dumb }\n"
    "network:\n"
    "  dns_denied: nxdomain\n"
    "  unix_socket: true\n"
    "  allow:\n"
    "    - example.com\n"
    "    - Example.ORG:8443\n"
    "    - '[::1]:8080'\n"
    "    - '::1'\n"
    "    - '*.example.net'\n"
    "    - host: api.github.com\n"
    "      methods: [GET, HEAD]\n"
    "      paths: [/repos/acme/**]\n"
    "      credential: github\n"
    "    - { host: '*.internal.example', ports: [443, '8000-8100'], addresses: [10.0.0.0/8],\n"
    "        tls: tunnel }\n"
    "    - { host: up.example, upstream: '127.0.0.1:8443', cleartext: upgrade }\n"
    "  deny: [ evil.example ]\n"
    "credentials:\n"
    "  github: { from: 'cmd:gh auth token', header: 'Authorization:  Bearer {} x',\n"
    "            placeholder_env: GITHUB_TOKEN }\n"
    "sockets: { unix: [/run/x.sock] }\n"
    "limits: { memory: 2G, cpus: 1.5, pids: 100, tmp: 100M, home: 1M, time: 2h, cgroup: required "
    "}\n";

static void reads_everything(void **state)
{
	static const char *const texts[] = {
		"deny evil.example",
		"allow example.com",
		"allow example.org:8443",
		"allow [::1]:8080",
		"allow [::1]",
		"allow *.example.net",
		"allow api.github.com GET,HEAD /repos/acme/** credential github",
		"allow *.internal.example:443,8000-8100",
		"allow up.example",
		"allow api.anthropic.com credential anthropic",
	};
	struct err e = ERR_INIT;
	struct policy p;
	const struct credential *c;

	(void)state;
	if (load_one(str_from(full), &p, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(p.nrules, ARRAY_LEN(texts));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_string_equal(p.rules[i].text, texts[i]);
	assert_string_equal(p.rules[0].origin.file, "f.yaml");
	assert_int_equal(p.rules[0].origin.line, 27);
	assert_int_equal(p.rules[6].origin.line, 20);
	assert_string_equal(p.rules[9].origin.file, "profile:claude-code");
	assert_int_equal(p.rules[9].origin.source, SOURCE_PROFILE);
	assert_int_equal(p.rules[8].upstream_port, 8443);
	assert_int_equal(p.rules[8].cleartext, CLEARTEXT_UPGRADE);
	assert_true(p.rules[7].tunnel);
	assert_string_equal(p.workspace, "./src");
	assert_int_equal(p.workspace_mode, WORKSPACE_RO);
	assert_int_equal(p.nmounts, 5);
	assert_string_equal(p.mounts[1].path, "/opt/tools");
	assert_int_equal(p.mounts[2].mode, MOUNT_WRITE);
	assert_int_equal(p.mounts[3].mode, MOUNT_HIDE);
	assert_int_equal(p.mounts[4].mode, MOUNT_HIDE);
	c = policy_credential(&p, "github");
	assert_non_null(c);
	assert_string_equal(c->header, "authorization");
	assert_string_equal(c->prefix, "Bearer ");
	assert_string_equal(c->suffix, " x");
	assert_string_equal(c->from, "gh auth token");
	assert_int_equal(c->source, CREDENTIAL_CMD);
	assert_true(policy_credential(&p, "anthropic")->optional);
	assert_null(policy_credential(&p, "none"));
	assert_null(policy_credential(&p, NULL));
	assert_int_equal(p.limits.memory, 2ull << 30);
	assert_int_equal(p.limits.cpu_milli, 1500);
	assert_int_equal(p.limits.pids, 100);
	assert_int_equal(p.limits.time, 7200);
	assert_int_equal(p.limits.cgroup, REQUIRE_YES);
	assert_int_equal(p.dns_denied, DNS_NXDOMAIN);
	assert_true(p.unix_gateway && p.proxy_env && p.network);
	assert_int_equal(p.nunix_sockets, 1);
	policy_done(&p);
	policy_done(&p);
}

/* No file at all, and files that say nothing. */
static void empty_means_base(void **state)
{
	static const char *const rows[] = { "", "\n", "# only a comment\n", "---\n{}\n", "{}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;
		struct policy p;

		if (load_one(str_from(rows[i]), &p, &e) < 0)
			fail_msg("row %zu: %s", i, e.text);
		assert_int_equal(p.nrules, 0);
		assert_false(p.network || p.proxy_env || p.unix_gateway);
		assert_int_equal(p.workspace_mode, WORKSPACE_RO);
		assert_true(p.limits.tmp > 0 && p.limits.home > 0);
		policy_done(&p);
	}
}

static void profiles_are_valid(void **state)
{
	static const char *const names[] = { "base", "strict", "claude-code", "node", "python" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char text[64];
		struct err e = ERR_INIT;
		struct policy p;

		snprintf(text, sizeof text, "extends: %s\n", names[i]);
		if (load_one(str_from(text), &p, &e) < 0)
			fail_msg("%s: %s", names[i], e.text);
		policy_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_bytes),
		cmocka_unit_test(refuses_what_is_too_much),
		cmocka_unit_test(reads_everything),
		cmocka_unit_test(empty_means_base),
		cmocka_unit_test(profiles_are_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
