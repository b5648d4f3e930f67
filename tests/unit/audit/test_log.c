/* SPDX-License-Identifier: Apache-2.0 */
/* The log on disk: every way of tampering is found, a full disk is met, the role keeps its order.
 */
#include "audit/log.h"
#include "audit/query.h"
#include "audit/role.h"
#include "audit/store.h"
#include "audit/tally.h"
#include "base/own.h"
#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#define RECORDS 5

static char dir[] = "/tmp/stockade-test-XXXXXX";
static int dirfd_;

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirfd_ < 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	close(dirfd_);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

static struct audit_record record(enum audit_event ev)
{
	return (struct audit_record){
		.event = ev, .verdict = STR_LIT("deny"), .host = STR_LIT("evil.test"), .port = 443
	};
}

/* A log of RECORDS lines, the last one session-end; returns its text. */
static void make_log(struct buf *text)
{
	struct audit_log log;

	unlinkat(dirfd_, "a", 0);
	assert_int_equal(audit_log_create(&log, dirfd_, "a", NULL), 0);
	for (int i = 0; i < RECORDS; i++) {
		struct audit_record r = record(i + 1 < RECORDS ? AUDIT_CONNECT : AUDIT_SESSION_END);

		assert_int_equal(audit_log_append(&log, &r, NULL), 0);
	}
	audit_log_close(&log);
	buf_clear(text);
	assert_int_equal(fd_read_file(dirfd_, "a", text), 0);
}

struct found {
	uint64_t line;
	char text[256];
};

static void note(void *arg, uint64_t line, const char *text)
{
	struct found *f = arg;

	if (f->line)
		return;
	f->line = line;
	snprintf(f->text, sizeof f->text, "%s", text);
}

static struct audit_verify verify(struct str text, struct found *f)
{
	struct audit_verify v;
	_cleanup_(close_fd) int fd = memfd_create("log", MFD_CLOEXEC);

	*f = (struct found){ 0 };
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text.p, text.len), 0);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(audit_verify_file(fd, &v, note, f, NULL), 0);
	return v;
}

static void test_whole(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 20);
	struct audit_verify v;
	struct found f;
	struct stat st;

	(void)state;
	make_log(&text);
	v = verify(buf_str(&text), &f);
	if (v.problems)
		fail_msg("line %llu: %s", (unsigned long long)f.line, f.text);
	assert_int_equal(v.lines, RECORDS);
	assert_true(v.ended);
	assert_int_equal(fstatat(dirfd_, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, buf_len(&text));
	/* What was reserved and not used is given back. */
	assert_true(st.st_blocks * 512 < 1024 * 1024);
	v = verify(STR_NONE, &f);
	assert_int_equal(v.problems, 1);
	assert_false(v.ended);
}

/* Without its end a log is whole only while its session holds it. */
static void test_running(void **state)
{
	struct audit_record r = record(AUDIT_CONNECT);
	_cleanup_(close_fd) int fd = -1;
	struct audit_verify v;
	struct audit_log log;
	struct found f = { 0 };
	int other;

	(void)state;
	unlinkat(dirfd_, "held", 0);
	assert_int_equal(audit_log_create(&log, dirfd_, "held", NULL), 0);
	assert_int_equal(audit_log_append(&log, &r, NULL), 0);
	fd = openat(dirfd_, "held", O_RDONLY | O_CLOEXEC);
	assert_int_equal(audit_verify_file(fd, &v, note, &f, NULL), 0);
	assert_true(v.running);
	assert_int_equal(v.problems, 0);
	/* Handed on to another process, as to the audit role. */
	other = fcntl(log.fd, F_DUPFD_CLOEXEC, 0);
	audit_log_release(&log);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(audit_verify_file(fd, &v, note, &f, NULL), 0);
	assert_true(v.running);
	assert_int_equal(v.problems, 0);
	close(other);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(audit_verify_file(fd, &v, note, &f, NULL), 0);
	assert_false(v.running);
	assert_int_equal(v.problems, 1);
	assert_int_equal(f.line, 2);
	assert_non_null(strstr(f.text, "no session-end"));
}

/* Copies the lines of `text` in the order given (-1 ends). */
static void reorder(struct buf *text, const int *order, struct buf *out)
{
	struct str lines[RECORDS], rest = buf_str(text);

	for (int i = 0; i < RECORDS; i++)
		assert_true(str_next(&rest, '\n', &lines[i]));
	buf_clear(out);
	for (; *order >= 0; order++) {
		assert_int_equal(buf_append_str(out, lines[*order]), 0);
		assert_int_equal(buf_append_c(out, '\n'), 0);
	}
}

static void test_moved(void **state)
{
	static const struct {
		int order[RECORDS + 3];
		uint64_t line; /* 0: whole */
		const char *says;
		bool ended;
	} rows[] = {
		{ { 0, 1, 2, 3, 4, -1 }, 0, "", true },
		{ { 0, 2, 3, 4, -1 }, 2, "records 1 to 1 before this line are missing", true },
		{ { 1, 2, 3, 4, -1 }, 1, "records 0 to 0", true },
		{ { 0, 2, 1, 3, 4, -1 }, 2, "missing", true },
		{ { 0, 1, 1, 2, 3, 4, -1 }, 3, "moved or repeated", true },
		{ { 0, 1, 2, 3, 4, 4, -1 }, 6, "after the session's end", true },
		{ { 0, 1, 2, -1 }, 4, "the end was cut off", false },
	};
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 20), changed = BUF_INIT(1 << 20);

	(void)state;
	make_log(&text);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct found f;
		struct audit_verify v;

		reorder(&text, rows[i].order, &changed);
		v = verify(buf_str(&changed), &f);
		if (f.line != rows[i].line || !strstr(f.text, rows[i].says) ||
		    v.ended != rows[i].ended)
			fail_msg("row %zu: line %llu '%s'", i, (unsigned long long)f.line, f.text);
	}
}

static void test_altered(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 20);
	struct audit_verify v;
	struct found f;

	(void)state;
	make_log(&text);
	/* Every byte of every line but the last, changed: found. */
	for (size_t i = 0, line = 0; line + 1 < RECORDS; i++) {
		char was = text.base[i];

		line += was == '\n';
		text.base[i] = was == '1' ? '2' : '1';
		v = verify(buf_str(&text), &f);
		if (v.problems == 0)
			fail_msg("byte %zu altered, not found", i);
		text.base[i] = was;
	}
	/* Cut anywhere: torn, or at a line's end without the session's end. */
	for (size_t n = 0; n < buf_len(&text); n++) {
		v = verify((struct str){ text.base, n }, &f);
		assert_false(v.ended);
		assert_int_equal(v.problems, 1);
	}
}

static void test_long_line(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20), text = BUF_INIT(1 << 20);
	struct audit_verify v;
	struct found f;

	(void)state;
	make_log(&text);
	while (buf_len(&b) < 3 * AUDIT_LINE_MAX)
		assert_int_equal(buf_append(&b, "xxxxxxxxxxxxxxxx", 16), 0);
	assert_int_equal(buf_append_c(&b, '\n'), 0);
	assert_int_equal(buf_append_str(&b, buf_str(&text)), 0);
	v = verify(buf_str(&b), &f);
	assert_int_equal(v.problems, 1);
	assert_int_equal(f.line, 1);
	assert_int_equal(v.lines, RECORDS + 1);
	b.end = 3 * AUDIT_LINE_MAX;
	v = verify(buf_str(&b), &f);
	assert_int_equal(v.problems, 1);
}

static void test_create_refuses(void **state)
{
	struct audit_log log;

	(void)state;
	unlinkat(dirfd_, "c", 0);
	unlinkat(dirfd_, "l", 0);
	assert_int_equal(audit_log_create(&log, dirfd_, "c", NULL), 0);
	audit_log_close(&log);
	assert_int_equal(audit_log_create(&log, dirfd_, "c", NULL), -EEXIST);
	assert_int_equal(symlinkat("elsewhere", dirfd_, "l"), 0);
	assert_int_equal(audit_log_create(&log, dirfd_, "l", NULL), -EEXIST);
	assert_int_equal(audit_log_adopt(&log, 0, 1, STR_LIT("short"), NULL), -EBADMSG);
}

/* A file that may not grow stands for a disk that is full: the failure is reported, and what is in
 * the file is whole lines. */
static void test_full(void **state)
{
	struct rlimit was, small = { .rlim_cur = 3000 };
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 20);
	struct audit_record r = record(AUDIT_CONNECT);
	struct audit_log log;
	struct audit_verify v;
	struct found f;
	int ok = 0, ret = 0;

	(void)state;
	unlinkat(dirfd_, "full", 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(audit_log_create(&log, dirfd_, "full", NULL), 0);
	log.reserved = UINT64_MAX; /* as on a file system without fallocate */
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 100 && ret == 0; i++) {
		ret = audit_log_append(&log, &r, NULL);
		ok += ret == 0;
	}
	setrlimit(RLIMIT_FSIZE, &was);
	assert_true(ret < 0);
	assert_true(ok > 0);
	audit_log_close(&log);
	assert_int_equal(fd_read_file(dirfd_, "full", &text), 0);
	v = verify(buf_str(&text), &f);
	assert_int_equal(v.problems, 1); /* it has no session-end, and nothing else */
	assert_int_equal(f.line, v.lines + 1);
	assert_int_equal(v.lines, ok);
}

/* Who handed the log over closes its end later: nothing written meanwhile is lost. */
static void test_two_holders(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 20);
	struct audit_record r = record(AUDIT_CONNECT);
	struct audit_log first, second;
	struct audit_verify v;
	struct found f;

	(void)state;
	unlinkat(dirfd_, "two", 0);
	assert_int_equal(audit_log_create(&first, dirfd_, "two", NULL), 0);
	assert_int_equal(audit_log_append(&first, &r, NULL), 0);
	assert_int_equal(audit_log_adopt(&second, dup(first.fd), first.seq,
					 (struct str){ first.prev, HASH_HEX_LEN }, NULL),
			 0);
	assert_int_equal(audit_log_append(&second, &r, NULL), 0);
	audit_log_close(&first);
	audit_log_close(&second);
	assert_int_equal(fd_read_file(dirfd_, "two", &text), 0);
	v = verify(buf_str(&text), &f);
	assert_int_equal(v.problems, 1); /* it has no session-end, and nothing else */
	assert_int_equal(f.line, v.lines + 1);
	assert_int_equal(v.lines, 2);
}

/* --- the role --- */

struct session {
	struct channel launch, launch_end, peers[2], peer_ends[2];
	struct audit_log log;
};

static void open_pair(struct channel *role, struct channel *other, enum role who)
{
	int fds[2];

	assert_int_equal(channel_pair(fds), 0);
	channel_init(role, fds[0], ROLE_AUDIT, who);
	channel_init(other, fds[1], who, ROLE_AUDIT);
	channel_set_running(role);
	channel_set_running(other);
}

static void session_open(struct session *s)
{
	unlinkat(dirfd_, "s", 0);
	open_pair(&s->launch, &s->launch_end, ROLE_LAUNCH);
	open_pair(&s->peers[0], &s->peer_ends[0], ROLE_FRONT);
	open_pair(&s->peers[1], &s->peer_ends[1], ROLE_BACK);
	assert_int_equal(audit_log_create(&s->log, dirfd_, "s", NULL), 0);
}

static void session_close(struct session *s)
{
	channel_done(&s->launch);
	channel_done(&s->launch_end);
	for (int i = 0; i < 2; i++) {
		channel_done(&s->peers[i]);
		channel_done(&s->peer_ends[i]);
	}
	audit_log_close(&s->log);
}

static void send_record(struct channel *c, const struct audit_record *r)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(16384);

	assert_int_equal(record_pack(r, &b), 0);
	assert_int_equal(channel_send(c, MSG_RECORD, buf_str(&b), -1), 0);
}

/* Several records in one message are so many lines; one bad among them refuses them. */
static void test_role_several(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(65536), text = BUF_INIT(1 << 20);
	struct audit_record r = record(AUDIT_REQUEST);
	struct audit_record end = { .event = AUDIT_SESSION_END };
	struct session s;
	struct audit_verify v;
	struct found f;

	(void)state;
	session_open(&s);
	for (int i = 0; i < 100; i++)
		assert_int_equal(record_pack(&r, &b), 0);
	assert_int_equal(channel_send(&s.peer_ends[0], MSG_RECORD, buf_str(&b), -1), 0);
	buf_clear(&b);
	/* The end comes last even where something follows it in its own message. */
	assert_int_equal(record_pack(&end, &b), 0);
	assert_int_equal(record_pack(&r, &b), 0);
	assert_int_equal(channel_send(&s.launch_end, MSG_RECORD, buf_str(&b), -1), 0);
	assert_int_equal(channel_send(&s.launch_end, MSG_STOP, STR_NONE, -1), 0);
	assert_int_equal(audit_run(&s.launch, s.peers, 2, &s.log, NULL), 0);
	assert_int_equal(fd_read_file(dirfd_, "s", &text), 0);
	v = verify(buf_str(&text), &f);
	assert_int_equal(v.problems, 0);
	assert_int_equal(v.lines, 102);
	assert_true(v.ended);
	session_close(&s);

	session_open(&s);
	buf_clear(&b);
	assert_int_equal(record_pack(&r, &b), 0);
	assert_int_equal(buf_append_str(&b, STR_LIT("junk")), 0);
	assert_int_equal(channel_send(&s.peer_ends[0], MSG_RECORD, buf_str(&b), -1), 0);
	assert_int_equal(audit_run(&s.launch, s.peers, 2, &s.log, NULL), -EBADMSG);
	session_close(&s);

	session_open(&s);
	assert_int_equal(channel_send(&s.peer_ends[0], MSG_RECORD, STR_NONE, -1), 0);
	assert_int_equal(audit_run(&s.launch, s.peers, 2, &s.log, NULL), -EBADMSG);
	session_close(&s);
}

static void test_role(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 20), packed = BUF_INIT(256);
	struct audit_record r = record(AUDIT_CONNECT);
	struct audit_record end = { .event = AUDIT_SESSION_END };
	struct audit_record start = record(AUDIT_SESSION_START);
	struct session s;
	struct audit_tally tally;
	struct audit_verify v;
	struct found f;
	struct msg m = { .fd = -1 };
	struct err e = ERR_INIT;

	(void)state;
	session_open(&s);
	/* Launch writes the beginning, then hands the log over. */
	assert_int_equal(audit_log_append(&s.log, &start, NULL), 0);
	assert_int_equal(audit_role_log_pack(&s.log, &packed), 0);
	m.payload = buf_str(&packed);
	m.fd = TAKE_FD(s.log.fd);
	audit_log_close(&s.log);
	assert_int_equal(audit_role_log(&m, &s.log, &e), 0);
	assert_int_equal(m.fd, -1);
	r.by = STR_LIT("launch"); /* a lie */
	send_record(&s.launch_end, &end);
	assert_int_equal(channel_send(&s.launch_end, MSG_STOP, STR_NONE, -1), 0);
	for (int i = 0; i < 40; i++)
		send_record(&s.peer_ends[i % 2], &r);
	channel_done(&s.peer_ends[0]);
	if (audit_run(&s.launch, s.peers, 2, &s.log, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(fd_read_file(dirfd_, "s", &text), 0);
	v = verify(buf_str(&text), &f);
	if (v.problems)
		fail_msg("line %llu: %s", (unsigned long long)f.line, f.text);
	assert_int_equal(v.lines, 42);
	assert_true(v.ended); /* though it was sent first */
	assert_non_null(strstr(buf_cstr(&text), "\"by\":\"front\",\"verdict\":\"deny\""));
	assert_non_null(strstr(buf_cstr(&text), "\"by\":\"back\",\"verdict\":\"deny\""));
	assert_int_equal(channel_recv(&s.launch_end, &m), 1);
	assert_int_equal(m.type, MSG_SUMMARY);
	assert_int_equal(audit_tally_unpack(m.payload, &tally), 0);
	assert_int_equal(tally.top[0].count, 40);
	session_close(&s);
}

static void test_role_refuses(void **state)
{
	static const enum audit_event theirs[] = { AUDIT_SESSION_START, AUDIT_SESSION_END,
						   AUDIT_SETUP_REFUSED, AUDIT_DEGRADED };
	struct session s;
	struct msg m = { .payload = STR_LIT("short"), .fd = -1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(theirs); i++) {
		struct audit_record r = record(theirs[i]);

		session_open(&s);
		send_record(&s.peer_ends[0], &r);
		assert_int_equal(audit_run(&s.launch, s.peers, 2, &s.log, NULL), -EPROTO);
		session_close(&s);
	}
	session_open(&s);
	assert_int_equal(channel_send(&s.peer_ends[1], MSG_RECORD, STR_LIT("junk"), -1), 0);
	assert_int_equal(audit_run(&s.launch, s.peers, 2, &s.log, NULL), -EBADMSG);
	session_close(&s);
	session_open(&s);
	send_record(&s.launch_end, &(struct audit_record){ .event = AUDIT_SESSION_END });
	send_record(&s.launch_end, &(struct audit_record){ .event = AUDIT_SESSION_END });
	assert_int_equal(audit_run(&s.launch, s.peers, 2, &s.log, NULL), -EPROTO);
	assert_int_equal(audit_role_log(&m, &s.log, NULL), -EBADMSG);
	session_close(&s);
}

static void test_role_failures(void **state)
{
	struct audit_record r = record(AUDIT_CONNECT);
	struct session s;
	struct audit_verify v;
	struct found f;
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 20);

	(void)state;
	/* The launcher is gone: what was sent is written, the log stays open. */
	session_open(&s);
	send_record(&s.peer_ends[0], &r);
	channel_done(&s.launch_end);
	assert_int_equal(audit_run(&s.launch, s.peers, 2, &s.log, NULL), 0);
	assert_int_equal(fd_read_file(dirfd_, "s", &text), 0);
	v = verify(buf_str(&text), &f);
	assert_int_equal(v.lines, 1);
	assert_false(v.ended);
	session_close(&s);
	/* The log cannot be written: over at once. */
	session_open(&s);
	close(s.log.fd);
	s.log.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	s.log.reserved = UINT64_MAX;
	send_record(&s.peer_ends[0], &r);
	assert_int_equal(audit_run(&s.launch, s.peers, 2, &s.log, NULL), -ENOSPC);
	session_close(&s);
}

static int create(const char *under, uint64_t now_ns, struct store_session *ret)
{
	char id[STORE_ID_LEN + 1];

	store_new_id(now_ns, id);
	return store_create(under, id, ret, NULL);
}

/* Sessions of one second are in the order in which they began: 'last' is the last. */
static void test_store_order(void **state)
{
	const uint64_t from = 1769904000000000000u,
		       step = 16000000; /* of 1 s; names hold 1024ths */
	struct store_session s;
	char id[STORE_ID_LEN + 1], under[256];

	(void)state;
	snprintf(under, sizeof under, "%s/order/stockade", dir);
	for (unsigned i = 0; i < 60; i++) {
		assert_int_equal(create(under, from + i * step, &s), 0);
		assert_int_equal(store_find(under, "last", id, NULL), 0);
		assert_string_equal(id, s.id);
		store_session_done(&s);
	}
}

static void test_store(void **state)
{
	static const char *const bad[] = { "",
					   "..",
					   "../../etc",
					   "2026",
					   "20260131-235959-ABCDEF",
					   "20260131-235959-abc/ef",
					   "20260131-235959-abcdefg" };
	_cleanup_(free_ptr) char(*ids)[STORE_ID_LEN + 1] = NULL;
	struct store_session a, b;
	char id[STORE_ID_LEN + 1], path[256], under[256];
	size_t n = 7;

	(void)state;
	snprintf(under, sizeof under, "%s/deep/stockade", dir);
	assert_int_equal(store_find(under, "last", id, NULL), -ENOENT);
	assert_int_equal(create(under, 1769903999000000000u, &a), 0);
	assert_int_equal(create(under, 1769904000000000000u, &b), 0);
	assert_int_equal(strncmp(a.id, "20260131-235959-", 16), 0);
	assert_int_equal(store_list(under, &ids, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_string_equal(ids[0], a.id);
	assert_int_equal(store_find(under, "last", id, NULL), 0);
	assert_string_equal(id, b.id);
	assert_int_equal(store_find(under, "20260131", id, NULL), 0);
	assert_string_equal(id, a.id);
	assert_int_equal(store_find(under, b.id + 16, id, NULL), 0);
	assert_string_equal(id, b.id);
	assert_int_equal(store_find(under, "2026", id, NULL), -ENOTUNIQ);
	assert_int_equal(store_find(under, "x", id, NULL), -ENOENT);
	assert_int_equal(store_find(under, "", id, NULL), -ENOENT);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(store_open_log(under, bad[i], NULL), -EINVAL);
	assert_int_equal(store_open_log(under, a.id, NULL), -ENOENT);
	assert_int_equal(mkfifoat(a.dirfd, STORE_LOG_NAME, 0600), 0);
	assert_int_equal(store_open_log(under, a.id, NULL), -EINVAL);
	/* A directory that others may write is no place for logs. */
	snprintf(path, sizeof path, "%s/deep/stockade/sessions", dir);
	assert_int_equal(chmod(path, 0777), 0);
	store_session_done(&a);
	assert_int_equal(create(under, 1, &a), -EPERM);
	store_session_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),	      cmocka_unit_test(test_running),
		cmocka_unit_test(test_moved),	      cmocka_unit_test(test_altered),
		cmocka_unit_test(test_long_line),     cmocka_unit_test(test_create_refuses),
		cmocka_unit_test(test_full),	      cmocka_unit_test(test_two_holders),
		cmocka_unit_test(test_role),	      cmocka_unit_test(test_role_refuses),
		cmocka_unit_test(test_role_failures), cmocka_unit_test(test_store),
		cmocka_unit_test(test_store_order),   cmocka_unit_test(test_role_several),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
