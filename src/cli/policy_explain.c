/* SPDX-License-Identifier: Apache-2.0 */
/* policy_explain - `stockade policy explain`: what would happen to a connection or request, and
 * why. CLI. */
#include "base/num.h"
#include "base/own.h"
#include "cli/command.h"
#include "cli/policy_common.h"
#include "net/http1.h"
#include "net/http1_bytes.h"
#include "policy/explain.h"
#include "sandbox/sandbox.h"

#include <errno.h>

#define TEXT_MAX (1024u * 1024)
/* Exit code when the answer is no. */
#define EXIT_DENIED 1

struct values {
	struct opt_list policies;
	const char *connect, *resolve, *request, *method;
	bool json;
};

static const struct opt_spec options[] = {
	{ "connect", 0, OPT_STRING, offsetof(struct values, connect), "HOST:PORT",
	  "Explain a connection", NULL },
	{ "request", 0, OPT_STRING, offsetof(struct values, request), "URL",
	  "Explain an HTTP request", NULL },
	{ "method", 0, OPT_STRING, offsetof(struct values, method), "METHOD",
	  "Method of --request (GET if not given)", NULL },
	{ "resolve", 0, OPT_STRING, offsetof(struct values, resolve), "HOST",
	  "Explain a DNS question", NULL },
	{ "policy", 'p', OPT_LIST, offsetof(struct values, policies), "FILE",
	  "Policy file to read besides the usual ones", "file" },
	{ "json", 0, OPT_FLAG, offsetof(struct values, json), NULL, "Write one JSON object", NULL },
	{ 0 },
};

/* "host", "host:port", "[v6]:port". */
static int parse_authority(struct str s, uint16_t port, struct intent *in)
{
	size_t colon = s.len;
	uint64_t v = port;

	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] == ':')
			colon = i;
	if (colon < s.len && (s.p[0] != '[' || s.p[colon - 1] == ']') &&
	    (s.p[0] == '[' || str_index(s, ':') == colon)) {
		struct str digits = { s.p + colon + 1, s.len - colon - 1 };

		if (num_parse_u64(digits, UINT16_MAX, &v) < 0 || v == 0)
			return -EINVAL;
		s.len = colon;
	}
	in->port = (uint16_t)v;
	return host_parse(s, &in->host);
}

static size_t index_of_any(struct str s, const char *bytes)
{
	size_t i = 0;

	while (i < s.len && !strchr(bytes, s.p[i]))
		i++;
	return i;
}

/* Query and fragment decide nothing, and the fragment is not even sent. */
static int parse_url(const char *url, struct intent *in)
{
	struct str s = str_from(url), authority;
	size_t end;

	in->https = str_has_prefix(s, STR_LIT("https://"));
	if (!in->https && !str_has_prefix(s, STR_LIT("http://")))
		return -EINVAL;
	s.p += in->https ? 8 : 7;
	s.len -= in->https ? 8 : 7;
	end = index_of_any(s, "/?#");
	authority = (struct str){ s.p, end };
	in->path =
	    (struct str){ s.p + end, index_of_any((struct str){ s.p + end, s.len - end }, "?#") };
	if (in->path.len == 0)
		in->path = STR_LIT("/");
	return parse_authority(authority, in->https ? 443 : 80, in);
}

static bool is_method(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!http1_is(s.p[i], HTTP1_TOKEN))
			return false;
	return s.len > 0;
}

/* As the gateway reads the path, into `path`; one that it refuses whatever the policy says is told
 * so.  Returns an exit code, 0 to go on. */
static int make_request(const struct values *v, char path[static HTTP1_TARGET_MAX],
			struct intent *in, struct err *e)
{
	in->kind = INTENT_REQUEST;
	in->method = v->method ? str_from(v->method) : STR_LIT("GET");
	if (!is_method(in->method))
		return (err_set(e, -EINVAL, "--method: '%.200s' is no HTTP method", v->method),
			EXIT_STOCKADE);
	if (parse_url(v->request, in) < 0)
		return (err_set(e, -EINVAL, "--request: '%.200s' is no http:// or https:// URL",
				v->request),
			EXIT_STOCKADE);
	if (in->path.len > HTTP1_TARGET_MAX || http1_path_normalize(in->path, path, &in->path) < 0)
		return (err_set(e, -EINVAL,
				"--request: the gateway refuses '%.200s': its path can be read in "
				"two ways (encoded slashes, dots, \"//\", \";\")",
				v->request),
			EXIT_DENIED);
	return 0;
}

/* Returns an exit code, 0 to go on. */
static int make_intent(const struct values *v, char path[static HTTP1_TARGET_MAX],
		       struct intent *in, struct err *e)
{
	if (!!v->connect + !!v->request + !!v->resolve != 1 || (v->method && !v->request))
		return (err_set(e, -EINVAL,
				"give one of --connect HOST:PORT, --request URL, "
				"--resolve HOST"),
			EXIT_STOCKADE);
	if (v->connect) {
		in->kind = INTENT_CONNECT;
		if (parse_authority(str_from(v->connect), 443, in) < 0)
			return (err_set(e, -EINVAL, "--connect: '%.200s' is not HOST:PORT",
					v->connect),
				EXIT_STOCKADE);
	} else if (v->resolve) {
		in->kind = INTENT_RESOLVE;
		if (host_parse(str_from(v->resolve), &in->host) < 0)
			return (err_set(e, -EINVAL, "--resolve: '%.200s' is not a host name",
					v->resolve),
				EXIT_STOCKADE);
	} else {
		return make_request(v, path, in, e);
	}
	return 0;
}

static int run(const void *values, int noperands, char *const *operands, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
	const struct values *v = values;
	struct layers_report report;
	struct intent in = { 0 };
	char path[HTTP1_TARGET_MAX];
	struct verdict verdict;
	struct policy p;
	int err;

	(void)noperands;
	(void)operands;
	err = make_intent(v, path, &in, e);
	if (err)
		return err;
	if (policy_common_load(&v->policies, NULL, &p, &report, e) < 0)
		return EXIT_POLICY;
	policy_common_dropped(&p);
	decide(&p, &in, &verdict);
	err = v->json ? explain_json(&p, &in, &b) : explain_text(&p, &in, &b);
	policy_done(&p);
	if (err == 0 && v->json)
		err = buf_append_c(&b, '\n');
	if (err < 0)
		err_sys(e, err, "policy explain");
	else
		err = policy_common_print(buf_str(&b), e);
	return err < 0 ? EXIT_STOCKADE : verdict.action == ACTION_ALLOW ? 0 : EXIT_DENIED;
}

const struct command cmd_policy_explain = {
	.name = "policy explain",
	.summary = "Say what would happen to a connection, and which line decides",
	.operands = "",
	.about = "Decides as the gateway would and prints verdict, reason, rule with file and "
		 "line, and, "
		 "where a rule would help, the line that would allow it.  Nothing is contacted or "
		 "resolved.  Exit code 0: allowed; 1: denied; 122: the policy is refused.",
	.examples = "stockade policy explain --connect evil.test:443\n"
		    "stockade policy explain --request http://api.anthropic.com/v1/messages "
		    "--method POST",
	.options = options,
	.values_size = sizeof(struct values),
	.run = run,
};
