/* SPDX-License-Identifier: Apache-2.0 */
/* Transparent connections, in a network namespace where every address is local and every TCP port
 * is redirected: an agent without any proxy setting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

#include "os/netlink.h"

#include <arpa/inet.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static struct rig rig;
static char out[65536];

static int setup(void **state)
{
	(void)state;
	rig_start(&rig);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(rig_stop(&rig), 0);
	return 0;
}

/* What the sandbox's resolver is told for a name. */
static const char *resolve(const char *name)
{
	static char text[INET_ADDRSTRLEN];
	unsigned char reply[512];
	size_t n = rig_ask(&rig, name, 1, reply, sizeof reply);

	assert_int_equal(reply[7], 1);
	assert_non_null(inet_ntop(AF_INET, reply + n - 4, text, sizeof text));
	return text;
}

static void wants(const char *want)
{
	if (!strstr(out, want))
		fail_msg("expected \"%s\" in: %s", want, out);
}

#define GET(path, host) "GET " path " HTTP/1.1\r\nHost: " host "\r\nConnection: close\r\n\r\n"

static void http_by_name(void **state)
{
	int fd = rig_connect_to(resolve("allowed.test"), 80);
	struct audit_record r;

	(void)state;
	rig_send(fd, GET("/t", "allowed.test"));
	rig_read_all(fd, out, sizeof out);
	wants("GET /t HTTP/1.1\r\nHost: allowed.test\r\n");
	close(fd);
	rig_record(&rig, AUDIT_REQUEST, &r);
	assert_true(str_eq(r.via, STR_LIT("transparent")));
	assert_true(str_eq(r.verdict, STR_LIT("allow")));
	/* The address decides, not what the request says. */
	fd = rig_connect_to(resolve("allowed.test"), 80);
	rig_send(fd, GET("/t", "evil.test"));
	rig_read_all(fd, out, sizeof out);
	wants("X-Stockade-Reason: host-mismatch\r\n");
	close(fd);
}

static void denied_name_explains(void **state)
{
	int fd = rig_connect_to(resolve("evil.test"), 80);
	struct audit_record r;

	(void)state;
	rig_send(fd, GET("/", "evil.test"));
	rig_read_all(fd, out, sizeof out);
	wants("HTTP/1.1 403 ");
	wants("stockade policy explain --connect evil.test:80");
	close(fd);
	rig_record(&rig, AUDIT_REQUEST, &r);
	assert_true(str_eq(r.verdict, STR_LIT("deny")));
}

static void tls_by_name(void **state)
{
	unsigned char hello[512];
	size_t n = rig_hello("allowed.test", hello);
	int fd = rig_connect_to(resolve("allowed.test"), 443);

	(void)state;
	rig_send_bytes(fd, hello, n);
	shutdown(fd, SHUT_WR);
	assert_int_equal(rig_read_all(fd, out, sizeof out), n + 10);
	assert_memory_equal(out, hello, n);
	close(fd);
	n = rig_hello("evil.test", hello);
	fd = rig_connect_to(resolve("allowed.test"), 443);
	rig_send_bytes(fd, hello, n);
	assert_int_equal(rig_read_all(fd, out, sizeof out), 7);
	assert_int_equal((unsigned char)out[6], 112); /* unrecognized_name */
	close(fd);
}

static void hello_in_pieces(void **state)
{
	unsigned char hello[512];
	size_t n = rig_hello("allowed.test", hello);
	int fd = rig_connect_to(resolve("allowed.test"), 443);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		rig_send_bytes(fd, hello + i, 1);
		if (i % 16 == 0)
			usleep(1000);
	}
	shutdown(fd, SHUT_WR);
	assert_int_equal(rig_read_all(fd, out, sizeof out), n + 10);
	close(fd);
}

static void server_first(void **state)
{
	int fd = rig_connect_to(resolve("tcp.test"), 2222);

	(void)state;
	rig_read_until(fd, out, sizeof out, "SSH-2.0-test\r\n");
	rig_send(fd, "x");
	rig_read_until(fd, out, sizeof out, "x");
	close(fd);
	/* A port that no rule lists: nothing is dialled, the silence ends. */
	fd = rig_connect_to(resolve("allowed.test"), 2222);
	assert_int_equal(rig_read_all(fd, out, sizeof out), 0);
	close(fd);
	/* N10 */
	fd = rig_connect_to(resolve("allowed.test"), 853);
	assert_int_equal(rig_read_all(fd, out, sizeof out), 0);
	close(fd);
}

static void address_nobody_made_up(void **state)
{
	unsigned char hello[512];
	struct audit_record r;
	int fd = rig_connect_to("1.1.1.1", 80);

	(void)state;
	rig_send(fd, GET("/", "allowed.test"));
	rig_read_all(fd, out, sizeof out);
	wants("HTTP/1.1 403 ");
	close(fd);
	rig_record(&rig, AUDIT_REQUEST, &r);
	assert_true(str_eq(r.verdict, STR_LIT("deny")));
	/* From the range, but never given out. */
	fd = rig_connect_to("198.19.200.200", 443);
	rig_send_bytes(fd, hello, rig_hello("allowed.test", hello));
	assert_int_equal(rig_read_all(fd, out, sizeof out), 7);
	close(fd);
	rig_no_record(&rig, "allow");
}

static void over_ipv6(void **state)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(80) };
	struct timeval t = { 5, 0 };
	unsigned char reply[512];
	size_t n = rig_ask(&rig, "allowed.test", 28, reply, sizeof reply);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(reply[7], 1);
	memcpy(&a.sin6_addr, reply + n - 16, 16);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	rig_send(fd, GET("/six", "allowed.test"));
	rig_read_all(fd, out, sizeof out);
	wants("GET /six HTTP/1.1\r\nHost: allowed.test\r\n");
	close(fd);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(http_by_name), T(denied_name_explains),   T(tls_by_name), T(hello_in_pieces),
		T(server_first), T(address_nobody_made_up), T(over_ipv6),
	};
	struct err e = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	rig_transparent_port = 15001;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		printf("SKIP: no user and network namespace here\n");
		return 77;
	}
	if (netlink_loopback(true, &e) < 0 || netlink_redirect(0, rig_transparent_port, &e) < 0) {
		printf("SKIP: %s\n", e.text);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
