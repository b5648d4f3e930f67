/* SPDX-License-Identifier: Apache-2.0 */
/* The message table is enforced: wrong sender, receiver, phase, length, descriptors, repetition. */
#include "ipc/channel.h"
#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static char big[CHANNEL_MSG_MAX + 16];

struct ends {
	struct channel a, b;
};

static struct ends open_ends(enum role a, enum role b, bool running)
{
	struct ends e;
	int fds[2];

	assert_int_equal(channel_pair(fds), 0);
	channel_init(&e.a, fds[0], a, b);
	channel_init(&e.b, fds[1], b, a);
	if (running) {
		channel_set_running(&e.a);
		channel_set_running(&e.b);
	}
	return e;
}

static void close_ends(struct ends *e)
{
	channel_done(&e->a);
	channel_done(&e->b);
}

/* Writes a message past the sender's own check, as a role that was taken over would. */
static void raw_send(int fd, uint32_t type, uint32_t claimed, size_t len, unsigned nfds)
{
	char control[CMSG_SPACE(8 * sizeof(int))] = { 0 };
	uint32_t head[2] = { type, claimed };
	struct iovec iov[2] = { { head, sizeof head }, { big, len } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	if (nfds) {
		struct cmsghdr *h;
		int dup_of[8];

		for (unsigned i = 0; i < nfds; i++)
			dup_of[i] = STDERR_FILENO;
		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(h), dup_of, nfds * sizeof(int));
	}
	assert_true(sendmsg(fd, &m, MSG_NOSIGNAL) >= 0);
}

static unsigned open_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

struct table_row {
	const char *what;
	enum role from, to;
	bool running;
	enum msg_type type;
	size_t len;
	unsigned fds;
	int want; /* of channel_recv: 1 or -EPROTO */
};

static const struct table_row table[] = {
	{ "config", ROLE_LAUNCH, ROLE_FRONT, false, MSG_CONFIG, 10, 1, 1 },
	{ "config to any role", ROLE_LAUNCH, ROLE_AUDIT, false, MSG_CONFIG, 10, 1, 1 },
	{ "config without its descriptor", ROLE_LAUNCH, ROLE_FRONT, false, MSG_CONFIG, 10, 0,
	  -EPROTO },
	{ "config with two descriptors", ROLE_LAUNCH, ROLE_FRONT, false, MSG_CONFIG, 10, 2,
	  -EPROTO },
	{ "config with seven (cut)", ROLE_LAUNCH, ROLE_FRONT, false, MSG_CONFIG, 10, 7, -EPROTO },
	{ "config from a role", ROLE_FRONT, ROLE_BACK, false, MSG_CONFIG, 10, 1, -EPROTO },
	{ "config after GO", ROLE_LAUNCH, ROLE_FRONT, true, MSG_CONFIG, 10, 1, -EPROTO },
	{ "config as long as allowed", ROLE_LAUNCH, ROLE_FRONT, false, MSG_CONFIG, 4096, 1, 1 },
	{ "config too long", ROLE_LAUNCH, ROLE_FRONT, false, MSG_CONFIG, 4097, 1, -EPROTO },
	{ "secret to keeper", ROLE_LAUNCH, ROLE_KEEPER, false, MSG_SECRET, 65536, 0, 1 },
	{ "secret to front", ROLE_LAUNCH, ROLE_FRONT, false, MSG_SECRET, 10, 0, -EPROTO },
	{ "secret to back", ROLE_LAUNCH, ROLE_BACK, false, MSG_SECRET, 10, 0, -EPROTO },
	{ "secret with a descriptor", ROLE_LAUNCH, ROLE_KEEPER, false, MSG_SECRET, 10, 1, -EPROTO },
	{ "listener to back", ROLE_LAUNCH, ROLE_BACK, false, MSG_LISTENER, 1, 1, -EPROTO },
	{ "ready to launch", ROLE_BACK, ROLE_LAUNCH, true, MSG_READY, 0, 0, 1 },
	{ "ready to another role", ROLE_BACK, ROLE_FRONT, true, MSG_READY, 0, 0, -EPROTO },
	{ "ready from launch", ROLE_LAUNCH, ROLE_BACK, true, MSG_READY, 0, 0, -EPROTO },
	{ "stop before GO", ROLE_LAUNCH, ROLE_BACK, false, MSG_STOP, 0, 0, -EPROTO },
	{ "open", ROLE_FRONT, ROLE_BACK, true, MSG_OPEN, 100, 0, 1 },
	{ "open before GO", ROLE_FRONT, ROLE_BACK, false, MSG_OPEN, 100, 0, -EPROTO },
	{ "open to keeper", ROLE_FRONT, ROLE_KEEPER, true, MSG_OPEN, 100, 0, -EPROTO },
	{ "opened without descriptor", ROLE_BACK, ROLE_FRONT, true, MSG_OPENED, 9, 0, -EPROTO },
	{ "opened the wrong way", ROLE_FRONT, ROLE_BACK, true, MSG_OPENED, 9, 1, -EPROTO },
	{ "credential asked by front", ROLE_FRONT, ROLE_KEEPER, true, MSG_CRED_GET, 9, 0, -EPROTO },
	{ "credential given to front", ROLE_KEEPER, ROLE_FRONT, true, MSG_CRED, 9, 0, -EPROTO },
	{ "credential at its longest", ROLE_KEEPER, ROLE_BACK, true, MSG_CRED, 66560, 0, 1 },
	{ "longer than any message", ROLE_KEEPER, ROLE_BACK, true, MSG_CRED, 66561, 0, -EPROTO },
	{ "record by launch", ROLE_LAUNCH, ROLE_AUDIT, true, MSG_RECORD, 9, 0, 1 },
	{ "record by keeper", ROLE_KEEPER, ROLE_AUDIT, true, MSG_RECORD, 9, 0, 1 },
	{ "record to back", ROLE_FRONT, ROLE_BACK, true, MSG_RECORD, 9, 0, -EPROTO },
	{ "summary by front", ROLE_FRONT, ROLE_LAUNCH, true, MSG_SUMMARY, 9, 0, -EPROTO },
	{ "no such type", ROLE_FRONT, ROLE_BACK, true, MSG_TYPES, 0, 0, -EPROTO },
	{ "no such type at all", ROLE_FRONT, ROLE_BACK, true, (enum msg_type)0x7fffffff, 0, 0,
	  -EPROTO },
};

static void receiving_enforces_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct table_row *t = &table[i];
		struct ends e = open_ends(t->from, t->to, t->running);
		struct msg m = { .fd = -1 };
		unsigned before = open_fds();
		int r;

		raw_send(e.a.fd, (uint32_t)t->type, (uint32_t)t->len, t->len, t->fds);
		r = channel_recv(&e.b, &m);
		if (r != t->want)
			fail_msg("%s: %d, expected %d", t->what, r, t->want);
		if (r == 1) {
			assert_int_equal(m.type, t->type);
			assert_int_equal(m.payload.len, t->len);
			assert_int_equal(m.fd >= 0, t->fds == 1);
			if (m.fd >= 0)
				assert_true(fcntl(m.fd, F_GETFD) & FD_CLOEXEC);
			close_fd(&m.fd);
		} else { /* and it stays broken, and no descriptor leaked */
			assert_int_equal(channel_recv(&e.b, &m), -ECONNRESET);
			assert_int_equal(channel_send(&e.b, MSG_READY, STR_NONE, -1), -EPIPE);
		}
		assert_int_equal(open_fds(), before);
		close_ends(&e);
	}
}

static void sending_enforces_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct table_row *t = &table[i];
		struct ends e = open_ends(t->from, t->to, t->running);
		int r;

		if (t->fds <= 1) {
			r = channel_send(&e.a, t->type, (struct str){ big, t->len },
					 t->fds ? STDERR_FILENO : -1);
			if (r != (t->want == 1 ? 0 : t->want))
				fail_msg("%s: %d", t->what, r);
		}
		close_ends(&e);
	}
}

static void lengths_that_lie_are_refused(void **state)
{
	static const struct {
		uint32_t claimed;
		size_t len;
	} rows[] = { { 5, 4 }, { 3, 4 }, { UINT32_MAX, 4 }, { 0, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ends e = open_ends(ROLE_FRONT, ROLE_BACK, true);
		struct msg m;

		raw_send(e.a.fd, MSG_BODY, rows[i].claimed, rows[i].len, 0);
		assert_int_equal(channel_recv(&e.b, &m), -EPROTO);
		close_ends(&e);
	}
}

static void a_message_shorter_than_its_header_is_refused(void **state)
{
	struct ends e = open_ends(ROLE_FRONT, ROLE_BACK, true);
	struct msg m;

	(void)state;
	assert_int_equal(send(e.a.fd, "abc", 3, 0), 3);
	assert_int_equal(channel_recv(&e.b, &m), -EPROTO);
	close_ends(&e);
}

static void once_means_once(void **state)
{
	struct ends e = open_ends(ROLE_BACK, ROLE_LAUNCH, false);
	struct msg m;

	(void)state;
	raw_send(e.a.fd, MSG_READY, 0, 0, 0);
	raw_send(e.a.fd, MSG_READY, 0, 0, 0);
	assert_int_equal(channel_recv(&e.b, &m), 1);
	assert_int_equal(channel_recv(&e.b, &m), -EPROTO);
	close_ends(&e);

	e = open_ends(ROLE_BACK, ROLE_LAUNCH, false);
	assert_int_equal(channel_send(&e.a, MSG_READY, STR_NONE, -1), 0);
	assert_int_equal(channel_send(&e.a, MSG_READY, STR_NONE, -1), -EPROTO);
	close_ends(&e);
}

static void many_may_repeat(void **state)
{
	struct ends e = open_ends(ROLE_FRONT, ROLE_BACK, true);
	struct msg m;

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(channel_send(&e.a, MSG_CANCEL, STR_LIT("abcd"), -1), 0);
		assert_int_equal(channel_recv(&e.b, &m), 1);
		assert_memory_equal(m.payload.p, "abcd", 4);
	}
	close_ends(&e);
}

static void go_starts_the_run_on_both_ends(void **state)
{
	struct ends e = open_ends(ROLE_LAUNCH, ROLE_BACK, false);
	struct msg m;

	(void)state;
	assert_int_equal(channel_send(&e.a, MSG_GO, STR_NONE, -1), 0);
	assert_true(e.a.running);
	assert_int_equal(channel_recv(&e.b, &m), 1);
	assert_true(e.b.running);
	assert_int_equal(channel_send(&e.a, MSG_STOP, STR_NONE, -1), 0);
	assert_int_equal(channel_recv(&e.b, &m), 1);
	assert_int_equal(channel_send(&e.a, MSG_GO, STR_NONE, -1), -EPROTO);
	close_ends(&e);
}

static void a_dead_peer_is_told(void **state)
{
	struct ends e = open_ends(ROLE_FRONT, ROLE_BACK, true);
	struct msg m;

	(void)state;
	assert_int_equal(channel_recv(&e.a, &m), 0);
	channel_done(&e.b);
	assert_int_equal(channel_send(&e.a, MSG_BODY_END, STR_NONE, -1), -EPIPE);
	assert_true(e.a.broken);
	close_ends(&e);

	e = open_ends(ROLE_FRONT, ROLE_BACK, true);
	channel_done(&e.a);
	assert_int_equal(channel_recv(&e.b, &m), -ECONNRESET);
	assert_int_equal(channel_recv_wait(&e.b, &m, -1), -ECONNRESET);
	close_ends(&e);
}

/* What a peer sent before it died is still read. */
static void last_words_are_heard(void **state)
{
	struct ends e = open_ends(ROLE_BACK, ROLE_LAUNCH, false);
	struct msg m;

	(void)state;
	assert_int_equal(channel_send(&e.a, MSG_FATAL, STR_LIT("why"), -1), 0);
	channel_done(&e.a);
	assert_int_equal(channel_recv_wait(&e.b, &m, 1000), 1);
	assert_int_equal(m.type, MSG_FATAL);
	assert_int_equal(channel_recv_wait(&e.b, &m, 1000), -ECONNRESET);
	close_ends(&e);
}

static void waiting_ends(void **state)
{
	struct ends e = open_ends(ROLE_FRONT, ROLE_BACK, true);
	struct msg m;

	(void)state;
	assert_int_equal(channel_recv_wait(&e.a, &m, 20), 0);
	assert_int_equal(channel_recv_wait(&e.a, &m, 0), 0);
	close_ends(&e);
}

/* What the socket does not take is queued in order, flushed in order, and bounded. */
static void a_slow_peer_is_queued_for_then_given_up(void **state)
{
	struct ends e = open_ends(ROLE_FRONT, ROLE_BACK, true);
	unsigned sent = 0, got = 0;
	struct msg m;
	int r;

	(void)state;
	while (!channel_pending(&e.a)) {
		memcpy(big, &sent, sizeof sent);
		assert_int_equal(channel_send(&e.a, MSG_BODY, (struct str){ big, 30000 }, -1), 0);
		sent++;
	}
	memcpy(big, &sent, sizeof sent);
	assert_int_equal(channel_send(&e.a, MSG_BODY, (struct str){ big, 10 }, -1), 0);
	sent++;
	assert_int_equal(channel_flush(&e.a), 1);
	while (got < sent) {
		unsigned number;

		r = channel_recv(&e.b, &m);
		assert_int_equal(r, 1);
		memcpy(&number, m.payload.p, sizeof number);
		assert_int_equal(number, got++);
		assert_true(channel_flush(&e.a) >= 0);
	}
	assert_false(channel_pending(&e.a));
	assert_int_equal(channel_recv(&e.b, &m), 0);

	do
		r = channel_send(&e.a, MSG_BODY, (struct str){ big, 65536 }, -1);
	while (r == 0 && ++sent < 1000);
	assert_int_equal(r, -ENOBUFS);
	assert_int_equal(channel_flush(&e.a), -EPIPE);
	close_ends(&e);
}

static void a_descriptor_waits_but_not_for_ever(void **state)
{
	struct ends e = open_ends(ROLE_BACK, ROLE_FRONT, true);
	struct msg m;

	(void)state;
	while (!channel_pending(&e.a))
		assert_int_equal(channel_send(&e.a, MSG_DATA, (struct str){ big, 60000 }, -1), 0);
	assert_int_equal(channel_send(&e.a, MSG_OPENED, STR_LIT("x"), STDERR_FILENO), -ENOBUFS);
	/* With room again the queue goes first. */
	close_ends(&e);
	e = open_ends(ROLE_BACK, ROLE_FRONT, true);
	while (!channel_pending(&e.a))
		assert_int_equal(channel_send(&e.a, MSG_DATA, (struct str){ big, 60000 }, -1), 0);
	while (channel_recv(&e.b, &m) == 1)
		;
	assert_int_equal(channel_send(&e.a, MSG_OPENED, STR_LIT("x"), STDERR_FILENO), 0);
	assert_int_equal(channel_recv(&e.b, &m), 1);
	assert_int_equal(m.type, MSG_DATA);
	assert_int_equal(channel_recv(&e.b, &m), 1);
	assert_int_equal(m.type, MSG_OPENED);
	assert_true(m.fd >= 0);
	close_fd(&m.fd);
	close_ends(&e);
}

static void scrub_clears_what_was_received(void **state)
{
	struct ends e = open_ends(ROLE_KEEPER, ROLE_BACK, true);
	struct msg m;

	(void)state;
	assert_int_equal(channel_send(&e.a, MSG_CRED, STR_LIT("canary"), -1), 0);
	assert_int_equal(channel_recv(&e.b, &m), 1);
	assert_memory_equal(m.payload.p, "canary", 6);
	channel_scrub();
	assert_memory_equal(m.payload.p, "\0\0\0\0\0\0", 6);
	close_ends(&e);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(role_name(ROLE_RESOLVER), "resolver");
	assert_string_equal(role_name(ROLE_ANY), "unknown");
	assert_string_equal(msg_name(MSG_CRED_GET), "CRED_GET");
	assert_string_equal(msg_name(MSG_TYPES), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receiving_enforces_the_table),
		cmocka_unit_test(sending_enforces_the_table),
		cmocka_unit_test(lengths_that_lie_are_refused),
		cmocka_unit_test(a_message_shorter_than_its_header_is_refused),
		cmocka_unit_test(once_means_once),
		cmocka_unit_test(many_may_repeat),
		cmocka_unit_test(go_starts_the_run_on_both_ends),
		cmocka_unit_test(a_dead_peer_is_told),
		cmocka_unit_test(last_words_are_heard),
		cmocka_unit_test(waiting_ends),
		cmocka_unit_test(a_slow_peer_is_queued_for_then_given_up),
		cmocka_unit_test(a_descriptor_waits_but_not_for_ever),
		cmocka_unit_test(scrub_clears_what_was_received),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
