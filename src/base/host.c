/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host - see host.h.  Pure; every process; names are hostile (SOCKS, CONNECT, Host, SNI, DNS).
 *
 * Non-ASCII names are refused, not converted: a client that means one sends its xn-- form, and a
 * table of Unicode cases would be a second reading of the name.
 */
#include "base/host.h"

#include "base/own.h"

#include <errno.h>

#define LABEL_MAX 63 /* RFC 1035 2.3.4 */

static bool alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* `s` is lower case already.  '_' is no host name by RFC 952 but is in use ("_dmarc", buckets). A
 * label does not begin or end with '-': a name like "-x" would be an option to some program. */
static bool label_ok(struct str s)
{
	if (s.len == 0 || s.len > LABEL_MAX || s.p[0] == '-' || s.p[s.len - 1] == '-')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return true;
}

/* What inet_aton(3) would read as a number: such a last label makes the whole an address to some
 * readers (WHATWG URL, "ends in a number"). */
static bool label_numeric(struct str s)
{
	size_t digits = 0;

	if (s.len >= 2 && s.p[0] == '0' && s.p[1] == 'x')
		return true;
	while (digits < s.len && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	return digits == s.len;
}

static int name_check(struct str s)
{
	struct str rest = s, label = STR_NONE;

	if (s.len == 0)
		return -EINVAL;
	while (str_next(&rest, '.', &label))
		if (!label_ok(label))
			return -EINVAL;
	return label_numeric(label) ? -EINVAL : 0;
}

static int host_from_addr(const struct addr *a, struct host *ret)
{
	struct host h = { .addr = *a };

	addr_format(a, h.text);
	h.len = (uint8_t)strlen(h.text);
	*ret = h;
	return 0;
}

int host_parse(struct str s, struct host *ret)
{
	struct host h = { 0 };
	struct addr a;

	if (s.len == 0)
		return -EINVAL;
	if (s.p[0] == '[') {
		if (s.len < 2 || s.p[s.len - 1] != ']')
			return -EINVAL;
		s = (struct str){ s.p + 1, s.len - 2 };
		if (str_index(s, ':') == s.len || addr_parse(s, &a) < 0)
			return -EINVAL;
		return host_from_addr(&a, ret);
	}
	if (addr_parse(s, &a) == 0)
		return host_from_addr(&a, ret);
	if (s.p[s.len - 1] == '.')
		s.len--;
	if (s.len > HOST_NAME_MAX_LEN)
		return -EINVAL;
	for (size_t i = 0; i < s.len; i++)
		h.text[i] = str_lower(s.p[i]);
	h.len = (uint8_t)s.len;
	if (name_check(host_str(&h)) < 0)
		return -EINVAL;
	*ret = h;
	return 0;
}

int host_pattern_parse(struct str s, struct host_pattern *ret)
{
	struct host_pattern p = { .kind = HOST_EXACT };

	if (str_eq(s, STR_LIT("*"))) {
		p.kind = HOST_ANY;
		*ret = p;
		return 0;
	}
	if (str_has_prefix(s, STR_LIT("*."))) {
		p.kind = HOST_SUFFIX;
		s = (struct str){ s.p + 2, s.len - 2 };
	}
	if (host_parse(s, &p.host) < 0 || (p.kind == HOST_SUFFIX && p.host.addr.family))
		return -EINVAL;
	*ret = p;
	return 0;
}

bool host_pattern_match(const struct host_pattern *p, const struct host *h)
{
	struct str name = host_str(h), suffix = host_str(&p->host);

	switch (p->kind) {
	case HOST_ANY:
		return h->addr.family == 0 && h->len > 0;
	case HOST_EXACT:
		if (p->host.addr.family || h->addr.family)
			return p->host.addr.family && addr_eq(&p->host.addr, &h->addr);
		return h->len > 0 && str_eq(name, suffix);
	case HOST_SUFFIX:
		/* The dot before the suffix is part of what must match: "evilallowed.test". */
		return h->addr.family == 0 && name.len > suffix.len + 1 &&
		       name.p[name.len - suffix.len - 1] == '.' && str_has_suffix(name, suffix);
	}
	return false;
}
