/* SPDX-License-Identifier: Apache-2.0 */
/* First byte: to HEAD, to CONNECT.  As fuzz_http1_request, for answers. */
#include "fuzz.h"

#include "net/http1.h"

static struct http1_response resp, again;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool head = size && data[0] & 1, connect = size && data[0] & 2;
	struct str in = size ? fuzz_str(data + 1, size - 1) : STR_NONE, got;
	int r = http1_response_parse(in, head, connect, &resp, NULL), early = 0;

	MUST(r == 0 || r == 1 || r == -502);
	for (size_t n = 0; n < in.len && early == 0; n += in.len / 64 + 1)
		early = http1_response_parse((struct str){ in.p, n }, head, connect, &again, NULL);
	MUST(early == 0 || early == r);
	if (r != 1)
		return 0;
	got = (struct str){ in.p, resp.head_len };
	MUST(resp.head_len <= in.len && resp.status >= 100 && resp.status <= 599);
	MUST(fuzz_inside(resp.reason, got));
	MUST(!resp.keep_alive || resp.body != BODY_UNTIL_CLOSE);
	for (size_t i = 0; i < resp.nheaders; i++)
		MUST(fuzz_inside(resp.headers[i].name, got) &&
		     fuzz_inside(resp.headers[i].value, got));
	return 0;
}
