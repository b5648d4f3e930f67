/* SPDX-License-Identifier: Apache-2.0 */
/* First byte: kind and size of the pieces.  Whole or in pieces, a body is the same. */
#include "fuzz.h"

#include "net/http1.h"

struct reading {
	int r;
	size_t used;
	uint64_t payload, sum;
	bool done;
};

static struct reading read_by(struct str in, enum http1_body kind, size_t piece)
{
	struct reading got = { 0 };
	struct http1_framer f;

	http1_framer_init(&f, kind, 300);
	while (got.used < in.len && !f.done) {
		size_t n = in.len - got.used < piece ? in.len - got.used : piece, used = 0;
		struct str part = { in.p + got.used, n }, data = STR_NONE;

		got.r = http1_framer_feed(&f, part, &used, &data);
		if (got.r < 0)
			return (struct reading){ .r = got.r };
		MUST(used > 0 && used <= n && fuzz_inside(data, part));
		got.used += used;
		got.payload += data.len;
		for (size_t i = 0; i < data.len; i++)
			got.sum = got.sum * 31 + (unsigned char)data.p[i];
	}
	got.done = f.done;
	return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum http1_body kinds[] = { BODY_CHUNKED, BODY_CHUNKED, BODY_LENGTH,
						 BODY_UNTIL_CLOSE };
	struct reading whole, pieces;
	struct str in;

	if (size == 0)
		return 0;
	in = fuzz_str(data + 1, size - 1);
	whole = read_by(in, kinds[data[0] & 3], in.len + 1);
	pieces = read_by(in, kinds[data[0] & 3], (size_t)(data[0] >> 2) + 1);
	MUST(whole.r == pieces.r && whole.used == pieces.used && whole.done == pieces.done);
	MUST(whole.payload == pieces.payload && whole.sum == pieces.sum);
	return 0;
}
