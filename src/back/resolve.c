/* SPDX-License-Identifier: Apache-2.0 */
/* resolve - see resolve.h.  Runs in back; the resolver's answers are checked like any stranger's.
 */
#include "back/resolve.h"

#include "base/wire.h"

#include <errno.h>

int resolve_start(struct resolve_client *c, struct resolve *q, struct str name, resolve_fn fn)
{
	struct buf b = BUF_INIT(512);
	int r = 0;

	/* Ids wrap: one that is still waited for is not given out again. */
	while (idmap_find(&c->waiting, c->next_id))
		c->next_id++;
	wire_u32(&b, &r, c->next_id);
	wire_str(&b, &r, name);
	if (r == 0)
		r = channel_send(c->channel, MSG_RESOLVE, buf_str(&b), -1);
	buf_done(&b);
	if (r < 0)
		return r;
	q->fn = fn;
	idmap_add(&c->waiting, &q->node, c->next_id++);
	return 0;
}

void resolve_cancel(struct resolve_client *c, struct resolve *q)
{
	if (q->fn)
		idmap_take(&c->waiting, q->node.id);
	q->fn = NULL;
}

int resolve_answer(struct resolve_client *c, struct str payload)
{
	struct wire_in in = { .rest = payload };
	struct addr addrs[RESOLVE_ADDRS_MAX];
	uint32_t id = wire_get_u32(&in);
	unsigned status = wire_get_u16(&in);
	size_t n = wire_get_u8(&in);
	struct resolve *q;
	resolve_fn fn;

	if (n > RESOLVE_ADDRS_MAX)
		return -EPROTO;
	for (size_t i = 0; i < n; i++) {
		wire_get_addr(&in, &addrs[i]);
		if (addrs[i].family == 0)
			return -EPROTO;
	}
	if (wire_in_done(&in) < 0 || (status == 0) != (n > 0))
		return -EPROTO;
	q = (struct resolve *)idmap_take(&c->waiting, id);
	if (!q)
		return 0;
	fn = q->fn;
	q->fn = NULL;
	fn(q, status, addrs, n);
	return 0;
}
