/* SPDX-License-Identifier: Apache-2.0 */
/* A normalised path normalises to itself and holds nothing that two servers read in two ways. */
#include "fuzz.h"

#include "net/http1.h"

static bool has(struct str s, const char *what)
{
	return memmem(s.p, s.len, what, strlen(what)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char out[HTTP1_TARGET_MAX], second[HTTP1_TARGET_MAX];
	struct str path, again;

	if (http1_path_normalize(fuzz_str(data, size), out, &path) < 0)
		return 0;
	MUST(path.p == out && path.len > 0 && path.len <= size);
	MUST(http1_path_normalize(path, second, &again) == 0 && str_eq(path, again));
	if (str_eq(path, STR_LIT("*")))
		return 0;
	MUST(path.p[0] == '/');
	MUST(!has(path, "//") && !has(path, "/./") && !has(path, "/../") && !has(path, "\\"));
	MUST(!str_has_suffix(path, STR_LIT("/.")) && !str_has_suffix(path, STR_LIT("/..")));
	MUST(!has(path, "%2F") && !has(path, "%2f") && !has(path, "%2E") && !has(path, "%5C"));
	MUST(!has(path, "%00") && !has(path, ";") && !has(path, "?") && !has(path, "#"));
	return 0;
}
