/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role - see role.h.  Runs in the audit role's process, jailed.  What peers send is hostile: front
 * reads the agent's bytes, and any role may have been taken over.
 *
 * One turn: wait, read what is there from every channel (bounded, so that nobody starves), write it
 * with one write(2).  Then, for GATHER_MS, only launch is listened to: records queue in the sockets
 * meanwhile, and whoever sends one does not wake us for it, which would cost it more than the
 * record.
 */
#include "audit/role.h"

#include "audit/tally.h"
#include "base/own.h"
#include "base/wire.h"
#include "os/clock.h"

#include <errno.h>
#include <poll.h>

/* Messages taken from one channel in a turn: 64 KiB of log or so; the others wait less than a
 * millisecond. */
#define TURN_MESSAGES 256u
/* After a turn that wrote something. Long enough for some eighty records of a busy gateway, far
 * less than their socket holds, and short for who follows the log. */
#define GATHER_MS 2
/* Rounds of TURN_MESSAGES taken from one channel after the end: more than its socket buffer holds.
 * Launch stops the others before it stops us, so who still speaks then is not to be waited for. */
#define DRAIN_ROUNDS 64u
/* MSG_SUMMARY's payload (ipc/msgs.def). */
#define SUMMARY_MAX 16384u
/* One packed record: every string at its longest. */
#define RECORD_MAX 16384u

struct audit_role {
	struct channel *launch;
	struct audit_log *log;
	struct audit_tally tally;
	struct buf end;	  /* SESSION_END as launch packed it; empty until it came */
	uint64_t turn_ns; /* time given to every record of this turn */
	bool stop;	  /* launch said STOP or is gone: drain, write the end, leave */
};

/* What only the launcher can know. */
#define SESSION_EVENTS                                                                             \
	(1u << AUDIT_SESSION_START | 1u << AUDIT_SESSION_END | 1u << AUDIT_SETUP_REFUSED |         \
	 1u << AUDIT_DEGRADED)

int audit_role_log_pack(const struct audit_log *log, struct buf *out)
{
	int error = 0;

	wire_u64(out, &error, log->seq);
	wire_str(out, &error, (struct str){ log->prev, HASH_HEX_LEN });
	return error;
}

int audit_role_log(struct msg *m, struct audit_log *ret, struct err *e)
{
	struct wire_in in = { .rest = m->payload };
	uint64_t seq = wire_get_u64(&in);
	struct str prev = wire_get_str(&in, HASH_HEX_LEN);
	int r = wire_in_done(&in);

	if (r == 0)
		r = audit_log_adopt(ret, m->fd, seq, prev, e);
	else
		err_set(e, r, "audit: message LOG is malformed");
	if (r == 0)
		m->fd = -1;
	return r;
}

static int write_record(struct audit_role *a, const struct audit_record *r, struct err *e)
{
	int ret = audit_log_add(a->log, r, e);

	if (ret < 0)
		return ret;
	audit_tally_add(&a->tally, r);
	return buf_len(&a->log->batch) >= AUDIT_BATCH_FULL ? audit_log_flush(a->log, e) : 0;
}

static int take_record(struct audit_role *a, const struct channel *from, struct str packed,
		       struct audit_record *r, struct err *e)
{
	if (from != a->launch && (SESSION_EVENTS & (1u << r->event)))
		return err_set(e, -EPROTO, "audit: %s speaks for the launcher",
			       role_name(from->peer));
	if (r->event == AUDIT_SESSION_END) {
		int ret;

		if (buf_len(&a->end))
			return err_set(e, -EPROTO, "audit: the session ended twice");
		ret = buf_append_str(&a->end, packed);
		return ret < 0 ? err_sys(e, ret, "audit") : 0;
	}
	r->by = str_from(role_name(from->peer));
	r->time_ns = a->turn_ns;
	return write_record(a, r, e);
}

/* A message holds one record or several, one behind the other. */
static int take_records(struct audit_role *a, const struct channel *from, struct str payload,
			struct err *e)
{
	int ret = 0;

	do {
		struct str packed = payload;
		struct audit_record r;

		ret = record_unpack_next(&payload, &r);
		if (ret < 0)
			return err_set(e, ret, "audit: a malformed record from %s",
				       role_name(from->peer));
		packed.len -= payload.len;
		ret = take_record(a, from, packed, &r, e);
	} while (ret == 0 && payload.len > 0);
	return ret;
}

/* At most `max` messages; 1 more may be there, 0 no more now. A peer that is gone is closed. */
static int take_channel(struct audit_role *a, struct channel *c, unsigned max, struct err *e)
{
	for (unsigned i = 0; i < max; i++) {
		struct msg m;
		int r = channel_recv(c, &m);

		if (r == 0)
			return 0;
		if (r == -ECONNRESET) {
			if (c == a->launch)
				a->stop = true;
			channel_done(c);
			return 0;
		}
		if (r < 0)
			return err_sys(e, r, "audit: channel from %s", role_name(c->peer));
		if (m.type == MSG_STOP) {
			a->stop = true;
			continue;
		}
		if (m.type != MSG_RECORD)
			return err_set(e, -EPROTO, "audit: %s sent %s", role_name(c->peer),
				       msg_name(m.type));
		r = take_records(a, c, m.payload, e);
		if (r < 0)
			return r;
	}
	return 1;
}

/* Lets records gather; launch is heard at once. */
static int gather(const struct channel *launch, struct err *e)
{
	struct pollfd p = { .fd = launch->fd, .events = POLLIN };

	if (poll(&p, 1, GATHER_MS) < 0 && errno != EINTR)
		return err_sys(e, -errno, "audit: poll");
	return 0;
}

static int run_turn(struct audit_role *a, struct channel **all, size_t n, struct err *e)
{
	struct pollfd fds[AUDIT_PEERS_MAX + 1];
	bool any;
	int r;

	/* poll() skips a negative descriptor: a closed channel. */
	for (size_t i = 0; i < n; i++)
		fds[i] = (struct pollfd){ .fd = all[i]->fd, .events = POLLIN };
	while (poll(fds, n, -1) < 0)
		if (errno != EINTR)
			return err_sys(e, -errno, "audit: poll");
	a->turn_ns = clock_real_ns();
	for (size_t i = 0; i < n; i++) {
		r = fds[i].revents ? take_channel(a, all[i], TURN_MESSAGES, e) : 0;
		if (r < 0)
			return r;
	}
	any = buf_len(&a->log->batch) > 0;
	r = audit_log_flush(a->log, e);
	return r == 0 && any && !a->stop ? gather(a->launch, e) : r;
}

static int drain(struct audit_role *a, struct channel *c, struct err *e)
{
	int r = 1;

	for (unsigned round = 0; r == 1 && c->fd >= 0; round++) {
		if (round == DRAIN_ROUNDS)
			return err_set(e, -EPROTO, "audit: %s does not stop", role_name(c->peer));
		r = take_channel(a, c, TURN_MESSAGES, e);
	}
	return r;
}

/* Everything that was sent before the end stands before the end. */
static int finish(struct audit_role *a, struct channel **all, size_t n, struct err *e)
{
	struct audit_record end;

	for (size_t i = 0; i < n; i++) {
		int r = drain(a, all[i], e);

		if (r < 0)
			return r;
	}
	if (buf_len(&a->end) && record_unpack(buf_str(&a->end), &end) == 0) {
		int r;

		end.by = str_from(role_name(ROLE_LAUNCH));
		end.time_ns = clock_real_ns();
		r = write_record(a, &end, e);
		if (r < 0)
			return r;
	}
	return audit_log_flush(a->log, e);
}

static void send_summary(struct audit_role *a)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(SUMMARY_MAX);

	/* A launcher that is gone needs no summary; the log is whole either way. */
	if (a->launch->fd >= 0 && audit_tally_pack(&a->tally, &b) == 0 &&
	    channel_send(a->launch, MSG_SUMMARY, buf_str(&b), -1) == 0)
		channel_flush(a->launch);
}

int audit_run(struct channel *launch, struct channel *peers, size_t npeers, struct audit_log *log,
	      struct err *e)
{
	struct audit_role a = { .launch = launch, .log = log, .end = BUF_INIT(RECORD_MAX) };
	struct channel *all[AUDIT_PEERS_MAX + 1];
	int r = 0;

	if (npeers > AUDIT_PEERS_MAX)
		return err_set(e, -EINVAL, "audit: too many channels");
	for (size_t i = 0; i < npeers; i++)
		all[i] = &peers[i];
	all[npeers] = launch; /* last: a STOP is read after what peers sent before it */
	while (r == 0 && !a.stop)
		r = run_turn(&a, all, npeers + 1, e);
	if (r == 0)
		r = finish(&a, all, npeers + 1, e);
	buf_done(&a.end);
	if (r < 0)
		return r;
	audit_log_close(log);
	send_summary(&a);
	return 0;
}
