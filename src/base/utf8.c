/* SPDX-License-Identifier: Apache-2.0 */
/* utf8 - see utf8.h.  Pure; input is hostile (names, paths, policy files, logs). */
#include "base/utf8.h"

#include "base/own.h"

static const struct {
	unsigned char first, mask;
	uint32_t least; /* below this a shorter form exists */
} forms[] = {
	{ 0x00, 0x80, 0 },
	{ 0xc0, 0xe0, 0x80 },
	{ 0xe0, 0xf0, 0x800 },
	{ 0xf0, 0xf8, 0x10000 },
};

static const struct utf8_range none[] = { { 0xd800, 0xdfff }, { 0x110000, UINT32_MAX } };

size_t utf8_read(struct str s, uint32_t *ret)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t form = 0;
	uint32_t c;

	while (s.len && form < ARRAY_LEN(forms) && (p[0] & forms[form].mask) != forms[form].first)
		form++;
	if (form == ARRAY_LEN(forms) || form >= s.len)
		return 0;
	c = p[0] & ~forms[form].mask & 0xffu;
	for (size_t i = 1; i <= form; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < forms[form].least || utf8_among(c, none, ARRAY_LEN(none)))
		return 0;
	*ret = c;
	return form + 1;
}

bool utf8_among(uint32_t c, const struct utf8_range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c >= ranges[i].low && c <= ranges[i].high)
			return true;
	return false;
}
