/* SPDX-License-Identifier: Apache-2.0 */
/* rig - see rig.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

#include "base/wire.h"
#include "front/front.h"
#include "net/request.h"
#include "policy/decide.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 5000

uint16_t rig_transparent_port;

/* ---- policy: what the tests' hosts may do ---- */

static struct port_range port_2222[] = { { 2222, 2222 }, { 8080, 8080 } };
static char *api_paths[] = { (char *)"/v1/**" };
static char rule_text[] = "allow (test rule)";

static struct net_rule rules[] = {
	{ .action = ACTION_DENY, .host = { HOST_EXACT }, .text = rule_text },
	{ .action = ACTION_ALLOW, .host = { HOST_EXACT }, .text = rule_text },
	{ .action = ACTION_ALLOW,
	  .host = { HOST_EXACT },
	  .ports = port_2222,
	  .nports = 2,
	  .text = rule_text },
	{ .action = ACTION_ALLOW,
	  .host = { HOST_EXACT },
	  .paths = api_paths,
	  .npaths = 1,
	  .text = rule_text },
	{ .action = ACTION_ALLOW, .host = { HOST_EXACT }, .text = rule_text },
};
static const char *const rule_hosts[] = { "denied.test", "allowed.test", "tcp.test", "api.test",
					  "dead.test" };
static struct policy policy;

static void make_policy(void)
{
	policy = (struct policy){ .rules = rules, .nrules = 5, .network = true };
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(host_parse(str_from(rule_hosts[i]), &rules[i].host.host), 0);
		rules[i].origin = (struct origin){ "test.yaml", (unsigned)i + 1, SOURCE_COMMAND };
	}
}

/* ---- small things ---- */

/* On *ret_port, or where it is 0, on any. */
static int listen_on(const char *ip, uint16_t *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(*ret_port) };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	inet_pton(AF_INET, ip, &a.sin_addr);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 128), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static void set_timeout(int fd)
{
	struct timeval t = { WAIT_MS / 1000, 0 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

int rig_connect_to(const char *ip, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, ip, &a.sin_addr);
	set_timeout(fd);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int rig_connect(uint16_t port)
{
	return rig_connect_to("127.0.0.1", port);
}

int rig_connect_unix(const struct rig *r)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", r->unix_path);
	set_timeout(fd);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

void rig_send_bytes(int fd, const void *p, size_t n)
{
	assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
}

void rig_send(int fd, const char *text)
{
	rig_send_bytes(fd, text, strlen(text));
}

static size_t read_some(int fd, char *out, size_t max, const char *want)
{
	size_t n = 0;

	out[0] = '\0';
	while (n + 1 < max && !(want && n && memmem(out, n, want, strlen(want)))) {
		ssize_t got = recv(fd, out + n, max - n - 1, 0);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			fail_msg("nothing came for %d ms; had: %s", WAIT_MS, out);
		if (got <= 0)
			break;
		n += (size_t)got;
		out[n] = '\0';
	}
	return n;
}

size_t rig_read_until(int fd, char *out, size_t max, const char *want)
{
	size_t n = read_some(fd, out, max, want);

	if (!memmem(out, n, want, strlen(want)))
		fail_msg("expected \"%s\", connection ended with: %s", want, out);
	return n;
}

size_t rig_read_all(int fd, char *out, size_t max)
{
	return read_some(fd, out, max, NULL);
}

size_t rig_talk(uint16_t port, const char *text, char *out, size_t max)
{
	int fd = rig_connect(port);
	size_t n;

	assert_true(fd >= 0);
	rig_send(fd, text);
	n = rig_read_all(fd, out, max);
	close(fd);
	return n;
}

/* ---- upstream: a process a connection ---- */

static void put(int fd, const char *s)
{
	if (send(fd, s, strlen(s), MSG_NOSIGNAL) < 0)
		_exit(0);
}

static void answer(int fd, const char *head)
{
	static char text[9000];
	char path[512] = "";

	sscanf(head, "%*s %500s", path);
	if (strcmp(path, "/chunked") == 0) {
		put(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
		put(fd, "6\r\n world\r\n0\r\n\r\n");
	} else if (strcmp(path, "/sse") == 0) {
		put(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
			"Transfer-Encoding: chunked\r\n\r\nb\r\ndata: one\n\n\r\n");
		usleep(600000);
		put(fd, "b\r\ndata: two\n\n\r\n0\r\n\r\n");
	} else if (strcmp(path, "/until-close") == 0) {
		put(fd, "HTTP/1.1 200 OK\r\n\r\nall of it");
		_exit(0);
	} else if (strcmp(path, "/cut") == 0) {
		put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
		_exit(0);
	} else if (strcmp(path, "/once") == 0) {
		/* Keep-alive is promised and broken: what a stale pooled connection looks like. */
		put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nonce");
		_exit(0);
	} else if (strcmp(path, "/upgrade") == 0) {
		put(fd, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n"
			"\r\nsecret bytes");
	} else if (strcmp(path, "/malformed") == 0) {
		put(fd,
		    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
	} else if (strcmp(path, "/none") == 0) {
		put(fd, "HTTP/1.1 204 No Content\r\n\r\n");
	} else if (strcmp(path, "/extra") == 0) {
		put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n"
			"Content-Length: 4\r\n\r\nevil");
	} else if (strncmp(head, "HEAD ", 5) == 0) {
		put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
	} else {
		/* What arrived, as the body. */
		snprintf(text, sizeof text,
			 "HTTP/1.1 200 OK\r\nX-Up: yes\r\nConnection: keep-alive\r\n"
			 "Keep-Alive: timeout=5\r\nContent-Length: %zu\r\n\r\n%s",
			 strlen(head), head);
		put(fd, text);
	}
}

/* Body length by our own, simple reading: Content-Length, or to the last chunk. */
static bool whole(const char *buf)
{
	const char *end = strstr(buf, "\r\n\r\n"), *cl;

	if (!end)
		return false;
	if (strstr(buf, "Transfer-Encoding: chunked"))
		return strstr(end, "0\r\n\r\n") != NULL;
	cl = strstr(buf, "Content-Length: ");
	return !cl || cl > end || strlen(end + 4) >= strtoul(cl + 16, NULL, 10);
}

static void serve_http(int fd)
{
	static char buf[8192];
	size_t n = 0;

	for (;;) {
		ssize_t got = recv(fd, buf + n, sizeof buf - 1 - n, 0);

		if (got <= 0)
			_exit(0);
		n += (size_t)got;
		buf[n] = '\0';
		if (strstr(buf, "Expect: 100-continue") && strstr(buf, "\r\n\r\n")) {
			if (!whole(buf)) {
				put(fd, "HTTP/1.1 100 Continue\r\n\r\n");
				continue;
			}
		}
		if (!whole(buf))
			continue;
		answer(fd, buf);
		n = 0;
	}
}

static void serve_echo(int fd)
{
	static char buf[65536];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
		if (send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
			_exit(0);
	put(fd, "[eof seen]");
	_exit(0);
}

static void serve_banner(int fd)
{
	put(fd, "SSH-2.0-test\r\n");
	serve_echo(fd);
}

static void upstream_run(const int fds[3])
{
	static void (*const serve[3])(int) = { serve_http, serve_echo, serve_banner };
	struct pollfd p[3];

	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 3; i++)
		p[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	for (;;) {
		if (poll(p, 3, -1) < 0)
			continue;
		for (int i = 0; i < 3; i++) {
			int fd;

			if (!(p[i].revents & POLLIN))
				continue;
			fd = accept(p[i].fd, NULL, NULL);
			if (fork() == 0) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				serve[i](fd);
			}
			close(fd);
		}
	}
}

/* ---- back ---- */

static void stream_answer(struct channel *s, const struct request *q, const char *body)
{
	static char text[70000];
	char status[] = "\xf6\x01\x10\x00\x00\x00\x00"; /* 502, reason 16, empty text */

	if (str_eq(q->path, STR_LIT("/v1/fail"))) {
		channel_send(s, MSG_FAILED, (struct str){ status, 7 }, -1);
		return;
	}
	snprintf(text, sizeof text,
		 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n%.*s %.*s %s\r\n",
		 q->method.len + q->path.len + strlen(body) + 2, STR_FMT(q->method),
		 STR_FMT(q->path), body);
	/* In pieces, one of which cuts the head. */
	channel_send(s, MSG_DATA, (struct str){ text, 20 }, -1);
	channel_send(s, MSG_DATA, (struct str){ text + 20, strlen(text) - 20 }, -1);
	channel_send(s, MSG_DATA, STR_LIT("0\r\n\r\n"), -1);
}

static void stream_run(int fd)
{
	static struct request q;
	static char body[65536], copy[70000];
	struct channel s;
	struct msg m;
	size_t n = 0;

	channel_init(&s, fd, ROLE_BACK, ROLE_FRONT);
	channel_set_running(&s);
	while (channel_recv_wait(&s, &m, -1) == 1) {
		if (m.type == MSG_REQUEST) {
			memcpy(copy, m.payload.p, m.payload.len);
			if (request_unpack((struct str){ copy, m.payload.len }, &q) < 0)
				_exit(1);
			n = 0;
			body[0] = '\0';
		} else if (m.type == MSG_BODY && n + m.payload.len < sizeof body) {
			memcpy(body + n, m.payload.p, m.payload.len);
			n += m.payload.len;
			body[n] = '\0';
		}
		if (m.type == MSG_BODY_END || (m.type == MSG_REQUEST && q.body == 0))
			stream_answer(&s, &q, body);
	}
	_exit(0);
}

static void refuse(struct channel *c, uint32_t id, uint16_t status, const char *text)
{
	struct buf b = BUF_INIT(1024);
	int error = 0;

	wire_u32(&b, &error, id);
	wire_u16(&b, &error, status);
	wire_u8(&b, &error, REASON_MAX);
	wire_str(&b, &error, str_from(text));
	channel_send(c, MSG_REFUSED, buf_str(&b), -1);
	buf_done(&b);
}

static void open_one(struct channel *c, struct str payload, const uint16_t ports[3])
{
	struct wire_in in = { payload };
	uint32_t id = wire_get_u32(&in);
	struct buf b = BUF_INIT(64);
	int error = 0, fd = -1, pair[2];
	bool mediated;
	struct str host;
	uint16_t port;

	wire_get_u8(&in);
	wire_get_u8(&in);
	host = wire_get_str(&in, 255);
	port = wire_get_u16(&in);
	mediated = str_eq(host, STR_LIT("api.test"));
	if (str_eq(host, STR_LIT("dead.test"))) {
		refuse(c, id, 504, "nobody answered at dead.test");
		return;
	}
	if (mediated && channel_pair(pair) == 0) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(pair[0]);
			stream_run(pair[1]);
		}
		close(pair[1]);
		fd = pair[0];
	} else {
		fd = rig_connect(port == 80 ? ports[0] : port == 2222 ? ports[2] : ports[1]);
	}
	wire_u32(&b, &error, id);
	wire_u8(&b, &error, mediated);
	wire_u32(&b, &error, 1);
	channel_send(c, MSG_OPENED, buf_str(&b), fd);
	close(fd);
	buf_done(&b);
}

static void back_run(int fd, const uint16_t ports[3])
{
	struct channel c;
	struct msg m;

	signal(SIGCHLD, SIG_IGN);
	channel_init(&c, fd, ROLE_BACK, ROLE_FRONT);
	channel_set_running(&c);
	while (channel_recv_wait(&c, &m, -1) == 1)
		if (m.type == MSG_OPEN)
			open_one(&c, m.payload, ports);
	_exit(0);
}

/* ---- start and stop ---- */

static pid_t start_upstream(uint16_t ports[3])
{
	int fds[3];
	pid_t pid;

	for (int i = 0; i < 3; i++)
		fds[i] = listen_on("127.0.0.1", &ports[i]);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		upstream_run(fds);
	}
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	return pid;
}

static void add(struct front_setup *s, enum listener_kind kind, int fd)
{
	s->listeners[s->nlisteners++] = (struct front_listener){ kind, fd };
}

/* The same port on IPv6, where a redirect rule sends both. */
static void add_transparent6(struct front_setup *s)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
				  .sin6_port = htons(rig_transparent_port) };
	int on = 1, fd;

	if (rig_transparent_port == 0)
		return;
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 128), 0);
	add(s, LISTENER_TRANSPARENT6, fd);
}

static void add_others(struct rig *r, struct front_setup *s)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	struct sockaddr_in d = { .sin_family = AF_INET };
	socklen_t n = sizeof d;
	int unix_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int dns_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(r->unix_path, sizeof r->unix_path, "/tmp/stockade-front-%d.sock", getpid());
	unlink(r->unix_path);
	snprintf(u.sun_path, sizeof u.sun_path, "%s", r->unix_path);
	assert_int_equal(bind(unix_fd, (struct sockaddr *)&u, sizeof u), 0);
	assert_int_equal(listen(unix_fd, 16), 0);
	add(s, LISTENER_UNIX, unix_fd);
	assert_int_equal(bind(dns_fd, (struct sockaddr *)&d, sizeof d), 0);
	assert_int_equal(getsockname(dns_fd, (struct sockaddr *)&d, &n), 0);
	r->dns = ntohs(d.sin_port);
	add(s, LISTENER_DNS4, dns_fd);
}

void rig_start(struct rig *r)
{
	static struct channel launch, back, audit;
	struct front_setup s = { .launch = &launch, .back = &back, .audit = &audit };
	uint16_t ports[3] = { 0 };
	int l[2], b[2], a[2];

	memset(r, 0, sizeof *r);
	make_policy();
	s.policy = &policy;
	r->upstream = start_upstream(ports);
	assert_int_equal(channel_pair(l) | channel_pair(b) | channel_pair(a), 0);
	add(&s, LISTENER_PROXY, listen_on("127.0.0.1", &r->proxy));
	add(&s, LISTENER_SOCKS, listen_on("127.0.0.1", &r->socks));
	r->transparent = rig_transparent_port;
	add(&s, LISTENER_TRANSPARENT4, listen_on("0.0.0.0", &r->transparent));
	add_transparent6(&s);
	add_others(r, &s);
	r->front = fork();
	if (r->front == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		close(l[1]);
		close(b[1]);
		close(a[1]);
		channel_init(&launch, l[0], ROLE_FRONT, ROLE_LAUNCH);
		channel_init(&back, b[0], ROLE_FRONT, ROLE_BACK);
		channel_init(&audit, a[0], ROLE_FRONT, ROLE_AUDIT);
		channel_set_running(&launch);
		channel_set_running(&back);
		channel_set_running(&audit);
		exit(front_run(&s) == 0 ? 0 : 1);
	}
	for (size_t i = 0; i < s.nlisteners; i++)
		close(s.listeners[i].fd);
	close(l[0]);
	close(b[0]);
	close(a[0]);
	r->back = fork();
	if (r->back == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(a[1]);
		close(l[1]);
		back_run(b[1], ports);
	}
	close(b[1]);
	channel_init(&r->launch, l[1], ROLE_LAUNCH, ROLE_FRONT);
	channel_init(&r->audit, a[1], ROLE_AUDIT, ROLE_FRONT);
	channel_set_running(&r->launch);
	channel_set_running(&r->audit);
}

int rig_wait_front(struct rig *r)
{
	int status = -1;

	for (int i = 0; i < 500 && r->front > 0; i++) {
		if (waitpid(r->front, &status, WNOHANG) == r->front) {
			r->front = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}
		usleep(10000);
	}
	return -1;
}

int rig_stop(struct rig *r)
{
	int code = 0;

	if (r->front > 0) {
		channel_send(&r->launch, MSG_STOP, STR_NONE, -1);
		code = rig_wait_front(r);
		if (r->front > 0)
			kill(r->front, SIGKILL);
	}
	kill(r->back, SIGKILL);
	kill(r->upstream, SIGKILL);
	waitpid(r->back, NULL, 0);
	waitpid(r->upstream, NULL, 0);
	channel_done(&r->launch);
	channel_done(&r->audit);
	unlink(r->unix_path);
	return code;
}

/* ---- records ---- */

/* What is left of the message taken last: it may hold several. */
static struct str records;

/* The next record, or false when none comes within `ms`. */
static bool next_record(struct rig *r, int ms, struct audit_record *ret)
{
	struct msg m;

	if (records.len == 0) {
		if (channel_recv_wait(&r->audit, &m, ms) != 1)
			return false;
		assert_int_equal(m.type, MSG_RECORD);
		records = m.payload;
	}
	assert_int_equal(record_unpack_next(&records, ret), 0);
	return true;
}

void rig_record(struct rig *r, enum audit_event ev, struct audit_record *ret)
{
	while (next_record(r, 2000, ret))
		if (ret->event == ev)
			return;
	fail_msg("no record of event %d", ev);
}

void rig_no_record(struct rig *r, const char *verdict)
{
	struct audit_record rec;

	while (next_record(r, 100, &rec))
		if (str_eq(rec.verdict, str_from(verdict)))
			fail_msg("a record with verdict %s: %.*s", verdict, STR_FMT(rec.host));
}

/* ---- DNS and TLS ---- */

size_t rig_ask(const struct rig *r, const char *name, unsigned char type, unsigned char *reply,
	       size_t max)
{
	unsigned char q[512] = { 0x12, 0x34, 1, 0, 0, 1 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(r->dns) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct timeval t = { 3, 0 };
	size_t n = 12;
	ssize_t got;

	while (*name) {
		size_t len = strcspn(name, ".");

		q[n++] = (unsigned char)len;
		memcpy(q + n, name, len);
		n += len;
		name += len + (name[len] == '.');
	}
	n++;
	q[n + 1] = type;
	q[n + 3] = 1;
	n += 4;
	inet_pton(AF_INET, "127.0.0.5", &a.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	/* Connected: an answer from another address than the one asked would not arrive. */
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(send(fd, q, n, 0), (ssize_t)n);
	got = recv(fd, reply, max, 0);
	close(fd);
	assert_true(got >= 12);
	return (size_t)got;
}

static void be16(unsigned char *p, size_t v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

size_t rig_hello(const char *sni, unsigned char *out)
{
	static const unsigned char fixed[] = { 0x00, 0x02, 0x13, 0x01, 0x01, 0x00 };
	size_t len = sni ? strlen(sni) : 0, ext = sni ? len + 9 : 0, n = 43;

	memset(out, 0, 512);
	out[0] = 0x16;
	out[1] = 3;
	out[2] = 1;
	out[5] = 1; /* ClientHello */
	out[9] = 3;
	out[10] = 3;
	memset(out + 11, 0x42, 32);
	out[n++] = 0; /* session id */
	memcpy(out + n, fixed, sizeof fixed);
	n += sizeof fixed;
	be16(out + n, ext);
	n += 2;
	if (sni) {
		be16(out + n, 0);
		be16(out + n + 2, len + 5);
		be16(out + n + 4, len + 3);
		out[n + 6] = 0;
		be16(out + n + 7, len);
		memcpy(out + n + 9, sni, len);
		n += ext;
	}
	be16(out + 3, n - 5);
	out[6] = 0;
	be16(out + 7, n - 9);
	return n;
}
