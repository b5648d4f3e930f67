/* SPDX-License-Identifier: Apache-2.0 */
/* First bytes choose which fields are read; reads stay inside, errors stick, and what was read
 * writes the same bytes again. */
#include "fuzz.h"

#include "base/wire.h"

#define FIELDS_MAX 16
#define STR_MAX 64

static void copy_field(unsigned kind, struct wire_in *in, struct buf *out, int *error)
{
	struct str s;
	struct addr a;

	switch (kind) {
	case 0:
		wire_u8(out, error, wire_get_u8(in));
		break;
	case 1:
		wire_u16(out, error, wire_get_u16(in));
		break;
	case 2:
		wire_u32(out, error, wire_get_u32(in));
		break;
	case 3:
		wire_u64(out, error, wire_get_u64(in));
		break;
	case 4:
		wire_get_addr(in, &a);
		MUST(in->bad || a.family == 0 || a.family == 4 || a.family == 6);
		wire_addr(out, error, &a);
		break;
	default:
		s = wire_get_str(in, STR_MAX);
		MUST(s.len <= STR_MAX && (!in->bad || s.len == 0));
		wire_str(out, error, s);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = BUF_INIT(1 << 16);
	size_t n = size ? data[0] % FIELDS_MAX : 0;
	struct wire_in in;
	int error = 0;

	if (size < 1 + n)
		return 0;
	in = (struct wire_in){ .rest = fuzz_str(data + 1 + n, size - 1 - n) };
	for (size_t i = 0; i < n; i++)
		copy_field(data[1 + i] % 6, &in, &out, &error);
	MUST(error == 0);
	if (wire_in_done(&in) == 0)
		MUST(str_eq(buf_str(&out), fuzz_str(data + 1 + n, size - 1 - n)));
	buf_done(&out);
	return 0;
}
