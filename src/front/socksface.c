/* SPDX-License-Identifier: Apache-2.0 */
/* socksface - see socksface.h.  Runs in front; input is hostile, net/socks.c reads it. */
#include "front/socksface.h"

#include "front/connect.h"
#include "front/intent.h"
#include "front/refuse.h"

bool socksface_step(struct conn *c)
{
	unsigned char reply[SOCKS_REPLY_MAX];
	size_t used = 0, n = 0;
	int r;

	if (buf_len(&c->in) == 0)
		return false;
	r = socks_feed(&c->socks, buf_str(&c->in), &used, reply, &n);
	if (used)
		buf_consume(&c->in, used);
	if (n)
		conn_send_str(c, (struct str){ (const char *)reply, n });
	if (c->state != CONN_SOCKS)
		return false;
	if (r < 0) {
		refuse_bytes(c, "a SOCKS message that is not spoken here");
		return false;
	}
	if (r == 0)
		return used > 0;
	intent_host(c->front->names, &c->socks.host, &c->host);
	c->port = c->socks.port;
	connect_decide(c);
	return true;
}

void socksface_reply(struct conn *c, enum socks_status st)
{
	unsigned char reply[SOCKS_REPLY_MAX];
	size_t n = socks_reply(st, reply);

	conn_send_str(c, (struct str){ (const char *)reply, n });
}
