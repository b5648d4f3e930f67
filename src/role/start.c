/* SPDX-License-Identifier: Apache-2.0 */
/* start - see start.h.  Runs in every role before it is jailed.  Its input is launch's, which the
 * role trusts; it is checked all the same, since a mistake here would be a hole. */
#include "role/start.h"

#include "base/wire.h"
#include "os/fd.h"
#include "policy/pack.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static int take_config(struct start *s, struct msg *m, struct err *e)
{
	struct wire_in in = { .rest = m->payload };
	uint32_t len = wire_get_u32(&in);
	int r;
	void *p;

	wire_get_str(&in, START_SESSION_MAX);
	if (wire_in_done(&in) < 0 || len == 0 || len > POLICY_PACK_MAX)
		return err_set(e, -EPROTO, "message CONFIG is malformed");
	p = mmap(NULL, len, PROT_READ, MAP_PRIVATE, m->fd, 0);
	if (p == MAP_FAILED)
		return err_sys(e, -errno, "policy");
	r = policy_unpack((struct str){ p, len }, &s->policy, e);
	munmap(p, len);
	if (r < 0)
		return r;
	s->has_policy = true;
	keeper_init(&s->keeper, &s->policy);
	return 0;
}

static int take_peer(struct start *s, struct msg *m, struct err *e)
{
	struct wire_in in = { .rest = m->payload };
	unsigned who = wire_get_u8(&in);

	if (wire_in_done(&in) < 0 || who >= ROLE_MAX || !(role_peers(s->self) & (1u << who)) ||
	    s->peers[who].fd >= 0)
		return err_set(e, -EPROTO, "message PEER names a wrong role");
	channel_init(&s->peers[who], TAKE_FD(m->fd), s->self, (enum role)who);
	return 0;
}

static int take_listener(struct start *s, struct msg *m, struct err *e)
{
	struct wire_in in = { .rest = m->payload };
	unsigned kind = wire_get_u8(&in);

	if (wire_in_done(&in) < 0 || kind >= LISTENER_MAX ||
	    s->front.nlisteners >= FRONT_LISTENERS_MAX)
		return err_set(e, -EPROTO, "message LISTENER is malformed, or one too many");
	s->front.listeners[s->front.nlisteners++] =
	    (struct front_listener){ (enum listener_kind)kind, TAKE_FD(m->fd) };
	return 0;
}

static int take_placeholder(struct start *s, struct msg *m, struct err *e)
{
	struct wire_in in = { .rest = m->payload };
	struct str name = wire_get_str(&in, POLICY_STRING_MAX);
	struct str value = wire_get_str(&in, POLICY_STRING_MAX);
	struct placeholder *p;

	if (wire_in_done(&in) == 0 && value.len == 0)
		return 0; /* a credential that nothing stands for inside */
	if (wire_in_done(&in) < 0 || s->nplaceholders >= POLICY_CREDENTIALS_MAX)
		return err_set(e, -EPROTO, "message PLACEHOLDER is malformed, or one too many");
	p = &s->placeholders[s->nplaceholders];
	p->credential = (struct str){ str_dup(name), name.len };
	p->value = (struct str){ str_dup(value), value.len };
	if (!p->credential.p || !p->value.p)
		return -ENOMEM;
	s->nplaceholders++;
	return 0;
}

static int take_secret(struct start *s, struct msg *m, struct err *e)
{
	int r;

	if (!s->has_policy)
		return err_set(e, -EPROTO, "message SECRET came before CONFIG");
	r = keeper_load(&s->keeper, m->payload, e);
	channel_scrub();
	return r;
}

static int take_log(struct start *s, struct msg *m, struct err *e)
{
	int r = audit_role_log(m, &s->log, e);

	s->has_log = r == 0;
	return r;
}

/* GO: is everything there? */
static int check(struct start *s, struct err *e)
{
	if (!s->has_policy)
		return err_set(e, -EPROTO, "GO came before CONFIG");
	if (s->self == ROLE_AUDIT && !s->has_log)
		return err_set(e, -EPROTO, "GO came before LOG");
	for (unsigned who = 0; who < ROLE_MAX; who++) {
		if (!(role_peers(s->self) & (1u << who)))
			continue;
		if (s->peers[who].fd < 0)
			return err_set(e, -EPROTO, "GO came before PEER %s",
				       role_name((enum role)who));
		channel_set_running(&s->peers[who]);
	}
	return 0;
}

static int take(struct start *s, struct msg *m, struct err *e)
{
	static int (*const takes[MSG_TYPES])(struct start *, struct msg *, struct err *) = {
		[MSG_CONFIG] = take_config,	      [MSG_PEER] = take_peer,
		[MSG_LISTENER] = take_listener,	      [MSG_SECRET] = take_secret,
		[MSG_PLACEHOLDER] = take_placeholder, [MSG_LOG] = take_log,
	};

	if (!takes[m->type])
		return err_set(e, -EPROTO, "message %s came before GO", msg_name(m->type));
	return takes[m->type](s, m, e);
}

int start_receive(struct start *s, enum role self, int fd, struct err *e)
{
	*s = (struct start){ .self = self };
	policy_init(&s->policy);
	channel_init(&s->launch, fd, self, ROLE_LAUNCH);
	for (unsigned who = 0; who < ROLE_MAX; who++)
		s->peers[who].fd = -1;
	for (;;) {
		struct msg m = { .fd = -1 };
		int r = channel_recv_wait(&s->launch, &m, -1);

		if (r < 0)
			return err_sys(e, r, "the launcher's channel");
		if (r == 0)
			continue;
		if (m.type == MSG_GO)
			return check(s, e);
		r = take(s, &m, e);
		close_fd(&m.fd);
		if (r < 0)
			return r;
	}
}
