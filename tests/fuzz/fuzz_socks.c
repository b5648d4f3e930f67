/* SPDX-License-Identifier: Apache-2.0 */
/* First byte: size of the pieces.  A conversation ends in the same place however it arrives. */
#include "fuzz.h"

#include "net/socks.h"

static int converse(struct str in, size_t piece, struct socks *s, size_t *used)
{
	size_t have = 0;

	*s = (struct socks){ .step = SOCKS_GREETING };
	*used = 0;
	for (;;) {
		unsigned char reply[SOCKS_REPLY_MAX];
		size_t took = 0, n = 0;
		int r = socks_feed(s, (struct str){ in.p + *used, have - *used }, &took, reply, &n);

		MUST(took <= have - *used && n <= SOCKS_REPLY_MAX);
		*used += took;
		if (r != 0)
			return r;
		if (took)
			continue;
		if (have == in.len)
			return 0;
		have = in.len - have < piece ? in.len : have + piece;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct socks a, b;
	size_t used_a, used_b;
	struct host again;
	struct str in;
	int r;

	if (size == 0)
		return 0;
	in = fuzz_str(data + 1, size - 1);
	r = converse(in, in.len, &a, &used_a);
	MUST(converse(in, (size_t)data[0] + 1, &b, &used_b) == r);
	MUST(used_a == used_b && a.step == b.step);
	if (r != 1)
		return 0;
	MUST(a.port == b.port && a.port != 0 && str_eq(host_str(&a.host), host_str(&b.host)));
	MUST(host_parse(host_str(&a.host), &again) == 0);
	MUST(str_eq(host_str(&a.host), host_str(&again)));
	return 0;
}
