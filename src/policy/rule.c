/* SPDX-License-Identifier: Apache-2.0 */
/* rule - see rule.h.  Pure; every process that holds a policy. */
#include "policy/rule.h"

#include "base/own.h"

bool rule_needs_request(const struct net_rule *r)
{
	return r->nmethods || r->npaths || r->credential;
}

bool rule_port_listed(const struct net_rule *r, uint16_t port)
{
	if (r->nports == 0)
		return r->action == ACTION_DENY || port == 80 || port == 443;
	for (size_t i = 0; i < r->nports; i++)
		if (port >= r->ports[i].low && port <= r->ports[i].high)
			return true;
	return false;
}

enum cleartext rule_cleartext(const struct net_rule *r)
{
	if (r->cleartext != CLEARTEXT_DEFAULT)
		return r->cleartext;
	return r->credential ? CLEARTEXT_UPGRADE : CLEARTEXT_ALLOW;
}

const char *cleartext_name(enum cleartext c)
{
	static const char *const names[] = {
		[CLEARTEXT_DEFAULT] = "default",
		[CLEARTEXT_ALLOW] = "allow",
		[CLEARTEXT_UPGRADE] = "upgrade",
		[CLEARTEXT_REFUSE] = "refuse",
	};

	return (size_t)c < ARRAY_LEN(names) ? names[c] : "unknown";
}

int rule_host_text(const struct net_rule *r, struct buf *out)
{
	static const char *const before[] = {
		[HOST_EXACT] = "",
		[HOST_SUFFIX] = "*.",
		[HOST_ANY] = "*",
	};
	bool v6 = r->host.host.addr.family == 6;

	return buf_printf(out, "%s%s%s%s", before[r->host.kind], v6 ? "[" : "", r->host.host.text,
			  v6 ? "]" : "");
}

int rule_ports_text(const struct net_rule *r, struct buf *out)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < r->nports; i++) {
		const struct port_range *p = &r->ports[i];

		err = buf_printf(out, "%s%u", i ? "," : "", p->low);
		if (err == 0 && p->high != p->low)
			err = buf_printf(out, "-%u", p->high);
	}
	return err;
}

static int words(struct buf *out, char *const *items, size_t n)
{
	int err = n ? buf_append_c(out, ' ') : 0;

	for (size_t i = 0; err == 0 && i < n; i++)
		err = buf_printf(out, "%s%s", i ? "," : "", items[i]);
	return err;
}

int rule_text(const struct net_rule *r, struct buf *out)
{
	int err = buf_printf(out, "%s ", r->action == ACTION_ALLOW ? "allow" : "deny");

	if (err == 0)
		err = rule_host_text(r, out);
	if (err == 0 && r->nports)
		err = buf_append_c(out, ':');
	if (err == 0)
		err = rule_ports_text(r, out);
	if (err == 0)
		err = words(out, r->methods, r->nmethods);
	if (err == 0)
		err = words(out, r->paths, r->npaths);
	if (err == 0 && r->credential)
		err = buf_printf(out, " credential %s", r->credential);
	return err;
}
