/* SPDX-License-Identifier: Apache-2.0 */
/* A head reads the same however it arrives, its slices lie inside it, and a second parser-free
 * check finds in it what must not be there. */
#include "fuzz.h"

#include "net/http1.h"

static struct http1_request req, again;

static void check_bytes(struct str head)
{
	for (size_t i = 0; i < head.len; i++) {
		MUST(head.p[i] != '\0');
		MUST(head.p[i] != '\n' || (i > 0 && head.p[i - 1] == '\r'));
		MUST(head.p[i] != '\r' || (i + 1 < head.len && head.p[i + 1] == '\n'));
	}
}

static void check_request(struct str in)
{
	struct str head = { in.p, req.head_len };
	unsigned hosts = 0, framing = 0;

	MUST(req.head_len <= in.len && req.head_len <= HTTP1_HEAD_MAX);
	MUST(req.nheaders <= HTTP1_HEADERS_MAX);
	check_bytes(head);
	MUST(fuzz_inside(req.method, head) && fuzz_inside(req.query, head));
	MUST(fuzz_inside(req.upgrade, head));
	MUST(fuzz_inside(req.path, head) || str_eq(req.path, STR_LIT("/")));
	MUST(req.host.len > 0);
	for (size_t i = 0; i < req.nheaders; i++) {
		const struct http1_header *h = &req.headers[i];

		MUST(h->name.len > 0 && fuzz_inside(h->name, head) && fuzz_inside(h->value, head));
		hosts += str_ieq(h->name, STR_LIT("host"));
		framing += str_ieq(h->name, STR_LIT("content-length")) ||
			   str_ieq(h->name, STR_LIT("transfer-encoding"));
		http1_hop_by_hop(req.headers, req.nheaders, h);
	}
	MUST(hosts <= 1 && (hosts == 1 || req.minor == 0));
	MUST(framing == (req.body == BODY_LENGTH || req.body == BODY_CHUNKED) ||
	     (req.form == TARGET_AUTHORITY && req.length == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = fuzz_str(data, size);
	int r = http1_request_parse(in, &req, NULL), early = 0;
	size_t n, step = size / 64 + 1;

	MUST(r == 0 || r == 1 || (r <= -400 && r >= -599));
	for (n = 0; n < size && early == 0; n += step)
		early = http1_request_parse((struct str){ in.p, n }, &again, NULL);
	/* A beginning is either undecided or already decided as the whole is. */
	MUST(early == 0 || early == r);
	if (r == 1)
		check_request(in);
	return 0;
}
