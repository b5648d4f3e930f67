/* SPDX-License-Identifier: Apache-2.0 */
/* Back against peers that lie: front asks for what policy denies, or breaks the order of a stream;
 * resolver points inside.  back_run() runs in a child process; this process is all its peers. */
#include "back/back.h"
#include "base/wire.h"
#include "net/http1.h"
#include "os/fd.h"
#include "policy/decide.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#define WAIT_MS 3000

static char api[] = "api", header[] = "x-api-key", none[] = "", get[] = "GET", pub[] = "/pub/**";
static char *methods[] = { get }, *paths[] = { pub };
static struct credential credentials[] = {
	{ .name = api, .header = header, .prefix = none, .suffix = none }
};
static struct net_rule rules[4];
static struct policy policy = {
	.rules = rules, .nrules = 4, .credentials = credentials, .ncredentials = 1
};

struct world {
	struct channel launch, front, keeper, resolver, audit; /* our ends */
	pid_t pid;
	int listener;
	uint16_t port;
};

enum { RULE_PLAIN, RULE_LIMITED, RULE_KEY, RULE_LOCAL };

static void make_rules(uint16_t port)
{
	static struct port_range any = { 1, 65535 };
	static const char *const hosts[] = { "plain.test", "limited.test", "key.test",
					     "127.0.0.1" };

	for (size_t i = 0; i < 4; i++) {
		rules[i] = (struct net_rule){ .action = ACTION_ALLOW, .ports = &any, .nports = 1 };
		assert_int_equal(host_pattern_parse(str_from(hosts[i]), &rules[i].host), 0);
	}
	rules[RULE_LIMITED].methods = methods;
	rules[RULE_LIMITED].nmethods = 1;
	rules[RULE_LIMITED].paths = paths;
	rules[RULE_LIMITED].npaths = 1;
	rules[RULE_KEY].credential = api;
	rules[RULE_KEY].cleartext = CLEARTEXT_ALLOW;
	for (size_t i = RULE_LIMITED; i <= RULE_KEY; i++) {
		assert_int_equal(addr_parse(STR_LIT("127.0.0.1"), &rules[i].upstream_addr), 0);
		rules[i].upstream_port = port;
	}
}

static void start(struct world *w)
{
	static const enum role peers[] = { ROLE_LAUNCH, ROLE_FRONT, ROLE_KEEPER, ROLE_RESOLVER,
					   ROLE_AUDIT };
	struct channel *ours[] = { &w->launch, &w->front, &w->keeper, &w->resolver, &w->audit };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct channel theirs[5];
	socklen_t len = sizeof a;

	w->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(w->listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(w->listener, 8), 0);
	assert_int_equal(getsockname(w->listener, (struct sockaddr *)&a, &len), 0);
	w->port = ntohs(a.sin_port);
	make_rules(w->port);
	for (size_t i = 0; i < 5; i++) {
		int fds[2];

		assert_int_equal(channel_pair(fds), 0);
		channel_init(ours[i], fds[0], peers[i], ROLE_BACK);
		channel_init(&theirs[i], fds[1], ROLE_BACK, peers[i]);
		channel_set_running(ours[i]);
		channel_set_running(&theirs[i]);
	}
	w->pid = fork();
	assert_true(w->pid >= 0);
	if (w->pid == 0) {
		const struct back_setup setup = { .launch = &theirs[0],
						  .front = &theirs[1],
						  .keeper = &theirs[2],
						  .resolver = &theirs[3],
						  .audit = &theirs[4],
						  .policy = &policy };

		for (size_t i = 0; i < 5; i++)
			channel_done(ours[i]);
		close(w->listener);
		_exit(back_run(&setup) == 0 ? 0 : 1);
	}
	for (size_t i = 0; i < 5; i++)
		channel_done(&theirs[i]);
}

/* 0 or 1 as back ended, -1 when it lives and is killed. */
static int finish(struct world *w, int wait_ms)
{
	struct channel *ours[] = { &w->launch, &w->front, &w->keeper, &w->resolver, &w->audit };
	int status = 0, got = 0;

	for (int i = 0; i < wait_ms / 10 && got == 0; i++) {
		got = waitpid(w->pid, &status, WNOHANG);
		if (got == 0)
			poll(NULL, 0, 10);
	}
	if (got == 0) {
		kill(w->pid, SIGKILL);
		waitpid(w->pid, &status, 0);
	}
	for (size_t i = 0; i < 5; i++)
		channel_done(ours[i]);
	close(w->listener);
	return got && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void ask(struct world *w, uint32_t id, unsigned kind, const char *host, uint16_t port)
{
	struct buf b = BUF_INIT(1024);
	int error = 0;

	wire_u32(&b, &error, id);
	wire_u8(&b, &error, LISTENER_PROXY);
	wire_u8(&b, &error, (uint8_t)kind);
	wire_str(&b, &error, str_from(host));
	wire_u16(&b, &error, port);
	wire_u8(&b, &error, SNI_NOT_TLS);
	wire_str(&b, &error, STR_NONE);
	assert_int_equal(error, 0);
	assert_int_equal(channel_send(&w->front, MSG_OPEN, buf_str(&b), -1), 0);
	buf_done(&b);
}

static struct msg expect(struct channel *c, enum msg_type t)
{
	struct msg m = { .fd = -1 };
	int r = channel_recv_wait(c, &m, WAIT_MS);

	if (r != 1 || m.type != t)
		fail_msg("expected %s, got %d %s", msg_name(t), r, r == 1 ? msg_name(m.type) : "");
	return m;
}

static unsigned refused_status(struct world *w)
{
	struct msg m = expect(&w->front, MSG_REFUSED);
	struct wire_in in = { .rest = m.payload };

	wire_get_u32(&in);
	return wire_get_u16(&in);
}

static void answer_name(struct world *w, const char *address)
{
	struct msg m = expect(&w->resolver, MSG_RESOLVE);
	struct wire_in in = { .rest = m.payload };
	struct buf b = BUF_INIT(512);
	struct addr a;
	int error = 0;

	wire_u32(&b, &error, wire_get_u32(&in));
	wire_u16(&b, &error, 0);
	wire_u8(&b, &error, 1);
	assert_int_equal(addr_parse(str_from(address), &a), 0);
	wire_addr(&b, &error, &a);
	assert_int_equal(channel_send(&w->resolver, MSG_RESOLVED, buf_str(&b), -1), 0);
	buf_done(&b);
}

static struct channel open_stream(struct world *w, const char *host)
{
	struct channel c;
	struct msg m;

	ask(w, 1, INTENT_REQUEST, host, 80);
	m = expect(&w->front, MSG_OPENED);
	assert_true(m.fd >= 0 && m.payload.p[4] == 1);
	channel_init(&c, m.fd, ROLE_FRONT, ROLE_BACK);
	channel_set_running(&c);
	return c;
}

static void request(struct channel *c, const char *method, const char *host, const char *path,
		    enum http1_body body, uint64_t length)
{
	struct request r = { .method = str_from(method),
			     .port = 80,
			     .path = str_from(path),
			     .body = (uint8_t)body,
			     .length = length };
	struct buf b = BUF_INIT(65536);

	assert_int_equal(host_parse(str_from(host), &r.host), 0);
	assert_int_equal(request_pack(&r, &b), 0);
	assert_int_equal(channel_send(c, MSG_REQUEST, buf_str(&b), -1), 0);
	buf_done(&b);
}

static unsigned failed_status(struct channel *c)
{
	struct msg m = expect(c, MSG_FAILED);
	struct wire_in in = { .rest = m.payload };

	return wire_get_u16(&in);
}

static void stop_ends_it_in_order(void **state)
{
	struct world w;

	(void)state;
	start(&w);
	assert_int_equal(channel_send(&w.launch, MSG_STOP, STR_NONE, -1), 0);
	assert_int_equal(finish(&w, WAIT_MS), 0);
}

static void any_peer_that_goes_ends_it(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct world w;
		struct channel *ours[] = { &w.launch, &w.front, &w.keeper, &w.resolver, &w.audit };

		start(&w);
		channel_done(ours[i]);
		assert_int_equal(finish(&w, WAIT_MS), 1);
	}
}

static void what_policy_denies_front_does_not_get(void **state)
{
	static const struct {
		const char *host;
		unsigned kind;
	} rows[] = { { "evil.test", INTENT_TUNNEL },	   { "evil.test", INTENT_REQUEST },
		     { "evil.test", INTENT_CONNECT },	   { "limited.test", INTENT_TUNNEL },
		     { "key.test", INTENT_TUNNEL },	   { "10.0.0.1", INTENT_TUNNEL },
		     { "169.254.169.254", INTENT_REQUEST } };
	struct world w;

	(void)state;
	start(&w);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ask(&w, (uint32_t)i, rows[i].kind, rows[i].host, 80);
		expect(&w.audit, MSG_RECORD);
		assert_int_equal(refused_status(&w), 403);
	}
	assert_int_equal(finish(&w, 0), -1);
}

static void a_name_that_points_inside_is_refused(void **state)
{
	struct world w;

	(void)state;
	start(&w);
	ask(&w, 7, INTENT_TUNNEL, "plain.test", w.port);
	answer_name(&w, "127.0.0.1");
	expect(&w.audit, MSG_RECORD);
	assert_int_equal(refused_status(&w), 403);
	assert_int_equal(finish(&w, 0), -1);
}

static void an_address_that_policy_names_is_dialled(void **state)
{
	struct world w;
	struct msg m;

	(void)state;
	start(&w);
	ask(&w, 7, INTENT_TUNNEL, "127.0.0.1", w.port);
	m = expect(&w.front, MSG_OPENED);
	assert_true(m.fd >= 0);
	expect(&w.audit, MSG_RECORD);
	close_fd(&m.fd);
	assert_int_equal(finish(&w, 0), -1);
}

static void broken_questions_end_it(void **state)
{
	struct world w;

	(void)state;
	start(&w);
	ask(&w, 7, INTENT_RESOLVE, "plain.test", 80); /* not front's to ask */
	assert_int_equal(finish(&w, WAIT_MS), 1);
	start(&w);
	ask(&w, 7, INTENT_TUNNEL, "PLAIN.test", 80);
	assert_int_equal(finish(&w, WAIT_MS), 1);
	start(&w);
	ask(&w, 7, INTENT_TUNNEL, "plain.test", 0);
	assert_int_equal(finish(&w, WAIT_MS), 1);
	start(&w);
	ask(&w, 7, INTENT_TUNNEL, "plain.test", 80);
	ask(&w, 7, INTENT_TUNNEL, "plain.test", 80);
	assert_int_equal(finish(&w, WAIT_MS), 1);
	start(&w);
	assert_int_equal(channel_send(&w.resolver, MSG_RESOLVED, STR_LIT("x"), -1), 0);
	assert_int_equal(finish(&w, WAIT_MS), 1);
}

static void each_request_is_decided_on(void **state)
{
	struct channel c;
	struct world w;

	(void)state;
	start(&w);
	c = open_stream(&w, "limited.test");
	request(&c, "GET", "limited.test", "/secret", BODY_NONE, 0);
	assert_int_equal(failed_status(&c), 403);
	request(&c, "POST", "limited.test", "/pub/x", BODY_NONE, 0);
	assert_int_equal(failed_status(&c), 403);
	request(&c, "GET", "plain.test", "/pub/x", BODY_NONE, 0); /* another host than opened */
	assert_int_equal(failed_status(&c), 400);
	assert_int_equal(channel_send(&c, MSG_REQUEST, STR_LIT("junk"), -1), 0);
	assert_int_equal(failed_status(&c), 400);
	for (int i = 0; i < 4; i++)
		expect(&w.audit, MSG_RECORD);
	channel_done(&c);
	assert_int_equal(finish(&w, 0), -1);
}

/* The server's side of one connection. */
static int serve(struct world *w)
{
	struct pollfd p = { .fd = w->listener, .events = POLLIN };

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	return accept(w->listener, NULL, NULL);
}

static void read_until(int fd, const char *end, char *room, size_t size)
{
	size_t n = 0;

	room[0] = '\0';
	while (!strstr(room, end)) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t got;

		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		got = read(fd, room + n, size - n - 1);
		assert_true(got > 0);
		n += (size_t)got;
		room[n] = '\0';
	}
}

static void a_body_goes_as_it_was_declared(void **state)
{
	struct channel c;
	struct world w;
	char room[1024];
	struct msg m;
	int fd;

	(void)state;
	start(&w);
	c = open_stream(&w, "limited.test");
	request(&c, "GET", "limited.test", "/pub/x", BODY_CHUNKED, 0);
	fd = serve(&w);
	assert_int_equal(channel_send(&c, MSG_BODY, STR_LIT("hello"), -1), 0);
	assert_int_equal(channel_send(&c, MSG_BODY_END, STR_NONE, -1), 0);
	read_until(fd, "0\r\n\r\n", room, sizeof room);
	assert_string_equal(room, "GET /pub/x HTTP/1.1\r\nHost: limited.test\r\n"
				  "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
	assert_int_equal(write(fd, "HTTP/1.1 204 N\r\n\r\n", 18), 18);
	m = expect(&c, MSG_DATA);
	assert_int_equal(m.payload.len, 18);
	assert_int_equal(channel_send(&c, MSG_DONE, STR_LIT("\1"), -1), 0);
	/* The same connection carries the next; a byte too many in its body ends the stream. */
	request(&c, "GET", "limited.test", "/pub/y", BODY_LENGTH, 3);
	read_until(fd, "\r\n\r\n", room, sizeof room);
	assert_int_equal(channel_send(&c, MSG_BODY, STR_LIT("1234"), -1), 0);
	assert_int_equal(channel_recv_wait(&c, &m, WAIT_MS), -ECONNRESET);
	assert_int_equal(read(fd, room, sizeof room), 0);
	close(fd);
	channel_done(&c);
	assert_int_equal(finish(&w, 0), -1);
}

static void a_key_that_keeper_refuses_lets_nothing_out(void **state)
{
	struct buf b = BUF_INIT(512);
	struct channel c;
	struct world w;
	int error = 0, fd;
	struct wire_in in;
	struct msg m;
	char byte;

	(void)state;
	start(&w);
	c = open_stream(&w, "key.test");
	request(&c, "GET", "key.test", "/", BODY_NONE, 0);
	fd = serve(&w);
	m = expect(&w.keeper, MSG_CRED_GET);
	in = (struct wire_in){ .rest = m.payload };
	wire_u32(&b, &error, wire_get_u32(&in));
	assert_int_equal(wire_get_u32(&in), RULE_KEY);
	assert_true(str_eq(wire_get_str(&in, 100), STR_LIT("key.test")));
	assert_int_equal(wire_get_u16(&in), 80);
	assert_int_equal(wire_get_u8(&in), 0); /* and back does not claim that it is verified */
	wire_str(&b, &error, STR_LIT("no"));
	assert_int_equal(channel_send(&w.keeper, MSG_CRED_NO, buf_str(&b), -1), 0);
	assert_int_equal(failed_status(&c), 502);
	assert_int_equal(read(fd, &byte, 1), 0);
	close(fd);
	buf_done(&b);
	channel_done(&c);
	assert_int_equal(finish(&w, 0), -1);
}

static void without_the_log_nothing_is_let_out(void **state)
{
	struct channel c;
	struct world w;
	char byte;
	int fd;

	(void)state;
	start(&w);
	c = open_stream(&w, "limited.test");
	kill(w.pid, SIGSTOP);
	request(&c, "GET", "limited.test", "/pub/x", BODY_NONE, 0);
	channel_done(&w.audit);
	kill(w.pid, SIGCONT);
	assert_int_equal(finish(&(struct world){ .launch = w.launch,
						 .front = w.front,
						 .keeper = w.keeper,
						 .resolver = w.resolver,
						 .audit = w.audit,
						 .pid = w.pid,
						 .listener = dup(w.listener) },
				WAIT_MS),
			 1);
	assert_int_equal(fd_set_nonblock(w.listener, true), 0);
	fd = accept(w.listener, NULL, NULL);
	if (fd >= 0) {
		assert_int_equal(read(fd, &byte, 1), 0);
		close(fd);
	}
	close(w.listener);
	channel_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stop_ends_it_in_order),
		cmocka_unit_test(any_peer_that_goes_ends_it),
		cmocka_unit_test(what_policy_denies_front_does_not_get),
		cmocka_unit_test(a_name_that_points_inside_is_refused),
		cmocka_unit_test(an_address_that_policy_names_is_dialled),
		cmocka_unit_test(broken_questions_end_it),
		cmocka_unit_test(each_request_is_decided_on),
		cmocka_unit_test(a_body_goes_as_it_was_declared),
		cmocka_unit_test(a_key_that_keeper_refuses_lets_nothing_out),
		cmocka_unit_test(without_the_log_nothing_is_let_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
