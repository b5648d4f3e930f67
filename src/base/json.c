/* SPDX-License-Identifier: Apache-2.0 */
/* json - see json.h.  Pure; values may be hostile and are escaped byte by byte. */
#include "base/json.h"

#include "base/utf8.h"

#include <assert.h>
#include <inttypes.h>

static void put(struct json *j, const void *p, size_t n)
{
	if (j->error == 0)
		j->error = buf_append(j->out, p, n);
}

/* Comma before an item, unless it is the first of its level or follows its key. */
static void item(struct json *j)
{
	uint32_t bit = 1u << j->depth;

	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (j->has_items & bit)
		put(j, ",", 1);
	j->has_items |= bit;
}

static void level_begin(struct json *j, char c)
{
	item(j);
	put(j, &c, 1);
	assert(j->depth + 1 < JSON_DEPTH_MAX);
	j->depth++;
	j->has_items &= ~(1u << j->depth);
}

static void level_end(struct json *j, char c)
{
	assert(j->depth > 0);
	j->depth--;
	put(j, &c, 1);
}

void json_object_begin(struct json *j)
{
	level_begin(j, '{');
}

void json_object_end(struct json *j)
{
	level_end(j, '}');
}

void json_array_begin(struct json *j)
{
	level_begin(j, '[');
}

void json_array_end(struct json *j)
{
	level_end(j, ']');
}

static void escape(struct json *j, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char u[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
	char two[2] = { '\\', (char)c };

	if (c == '\n' || c == '\t' || c == '\r') {
		two[1] = c == '\n' ? 'n' : c == '\t' ? 't' : 'r';
		put(j, two, 2);
	} else if (c == '"' || c == '\\') {
		put(j, two, 2);
	} else {
		put(j, u, 6);
	}
}

static void string(struct json *j, struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t from = 0, i = 0;

	put(j, "\"", 1);
	while (i < s.len) {
		unsigned char c = p[i];
		uint32_t wide;
		size_t len;

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			i++;
			continue;
		}
		len = c < 0x80 ? 0 : utf8_read((struct str){ s.p + i, s.len - i }, &wide);
		/* U+0080..U+009F are control characters too. */
		if (len && wide >= 0xa0) {
			i += len;
			continue;
		}
		put(j, p + from, i - from);
		if (c >= 0x80)
			put(j, "\xef\xbf\xbd", 3);
		else
			escape(j, c);
		i += len ? len : 1;
		from = i;
	}
	put(j, p + from, s.len - from);
	put(j, "\"", 1);
}

void json_key(struct json *j, const char *key)
{
	item(j);
	string(j, str_from(key));
	put(j, ":", 1);
	j->after_key = true;
}

void json_str(struct json *j, struct str s)
{
	item(j);
	string(j, s);
}

void json_u64(struct json *j, uint64_t v)
{
	char digits[20]; /* of UINT64_MAX */
	size_t at = sizeof digits;

	item(j);
	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	put(j, digits + at, sizeof digits - at);
}

void json_i64(struct json *j, int64_t v)
{
	item(j);
	if (j->error == 0)
		j->error = buf_printf(j->out, "%" PRId64, v);
}

void json_bool(struct json *j, bool v)
{
	item(j);
	put(j, v ? "true" : "false", v ? 4 : 5);
}

void json_put_null(struct json *j)
{
	item(j);
	put(j, "null", 4);
}

void json_member_str(struct json *j, const char *key, struct str s)
{
	json_key(j, key);
	json_str(j, s);
}

void json_member_cstr(struct json *j, const char *key, const char *s)
{
	json_key(j, key);
	if (s)
		json_str(j, str_from(s));
	else
		json_put_null(j);
}

void json_member_u64(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	json_u64(j, v);
}

void json_member_bool(struct json *j, const char *key, bool v)
{
	json_key(j, key);
	json_bool(j, v);
}

int json_done(struct json *j)
{
	assert(j->error || (j->depth == 0 && !j->after_key));
	return j->error;
}
