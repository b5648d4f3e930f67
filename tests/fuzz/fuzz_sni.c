/* SPDX-License-Identifier: Apache-2.0 */
/* Beginnings want more or agree; a name found is canonical; anything else leaves it untouched. */
#include "fuzz.h"

#include "net/sni.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = fuzz_str(data, size);
	struct host host = { 0 }, again;
	enum sni_result r = sni_parse(in, &host), early = SNI_MORE;

	for (size_t n = 0; n < size && early == SNI_MORE; n += size / 64 + 1)
		early = sni_parse((struct str){ in.p, n }, &again);
	MUST(early == SNI_MORE || early == r);
	if (r != SNI_FOUND) {
		MUST(host.len == 0);
		return 0;
	}
	MUST(host.addr.family == 0 && host_parse(host_str(&host), &again) == 0);
	MUST(str_eq(host_str(&host), host_str(&again)));
	return 0;
}
