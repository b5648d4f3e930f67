/* SPDX-License-Identifier: Apache-2.0 */
/* num - see num.h.  Pure; input may be hostile. */
#include "base/num.h"

#include <errno.h>

int num_parse_u64(struct str s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.len == 0)
		return -EINVAL;
	for (size_t i = 0; i < s.len; i++) {
		uint64_t digit = (uint64_t)(unsigned char)s.p[i] - '0';

		if (s.p[i] < '0' || s.p[i] > '9')
			return -EINVAL;
		if (v > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		v = v * 10 + digit;
	}
	if (v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

struct unit {
	char letter;
	uint64_t factor;
};

static int parse_with_unit(struct str s, const struct unit *units, size_t n, uint64_t *ret)
{
	uint64_t factor = 1, v;
	int r;

	for (size_t i = 0; s.len && i < n; i++)
		if (s.p[s.len - 1] == units[i].letter) {
			factor = units[i].factor;
			s.len--;
			break;
		}
	r = num_parse_u64(s, UINT64_MAX / factor, &v);
	if (r < 0)
		return r;
	*ret = v * factor;
	return 0;
}

int num_parse_size(struct str s, uint64_t *ret_bytes)
{
	static const struct unit units[] = {
		{ 'K', 1ULL << 10 },
		{ 'M', 1ULL << 20 },
		{ 'G', 1ULL << 30 },
		{ 'T', 1ULL << 40 },
	};

	return parse_with_unit(s, units, sizeof units / sizeof units[0], ret_bytes);
}

int num_parse_duration(struct str s, uint64_t *ret_seconds)
{
	static const struct unit units[] = {
		{ 's', 1 },
		{ 'm', 60 },
		{ 'h', 3600 },
		{ 'd', 86400 },
	};

	return parse_with_unit(s, units, sizeof units / sizeof units[0], ret_seconds);
}

int num_parse_milli(struct str s, uint64_t *ret_milli)
{
	static const uint64_t scale[] = { 1000, 100, 10, 1 };
	size_t dot = str_index(s, '.');
	struct str frac = dot < s.len ? (struct str){ s.p + dot + 1, s.len - dot - 1 } : STR_NONE;
	uint64_t whole, part = 0;
	int r;

	r = num_parse_u64((struct str){ s.p, dot }, UINT64_MAX / 1000 - 1, &whole);
	if (r < 0)
		return r;
	if (dot < s.len && (frac.len == 0 || frac.len > 3))
		return -EINVAL;
	if (frac.len) {
		r = num_parse_u64(frac, 999, &part);
		if (r < 0)
			return r;
	}
	*ret_milli = whole * 1000 + part * scale[frac.len];
	return 0;
}
