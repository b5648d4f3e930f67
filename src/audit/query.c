/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query - see query.h.  Called by `stockade log`, outside any sandbox; the file may have been
 * tampered with.
 */
#include "audit/query.h"

#include "audit/field.h"
#include "audit/moment.h"
#include "base/own.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

/* One read(2). */
#define READ_STEP 65536u
/* Members of a line besides the table's: v, seq, prev, time, event. */
#define FIXED_MEMBERS 5u

void audit_line_done(struct audit_line *l)
{
	json_decref(l->root);
	l->root = NULL;
}

/* Our writer escapes control bytes, DEL and C1, so a line that holds one is not ours. */
static bool bytes_ours(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f)
			return false;
		if (c == 0xc2 && i + 1 < s.len && (unsigned char)s.p[i + 1] < 0xa0)
			return false;
	}
	return true;
}

static bool get_u64(const json_t *v, uint64_t max, uint64_t *ret)
{
	/* jansson's integers are signed; a count beyond 2^63 is none we wrote. */
	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    (uint64_t)json_integer_value(v) > max)
		return false;
	*ret = (uint64_t)json_integer_value(v);
	return true;
}

static struct str get_str(const json_t *v)
{
	if (!json_is_string(v))
		return STR_NONE;
	return (struct str){ json_string_value(v), json_string_length(v) };
}

/* Number of members taken, or -1. */
static int parse_fixed(const json_t *root, struct audit_line *l)
{
	struct str prev = get_str(json_object_get(root, "prev"));
	uint64_t version;

	if (!get_u64(json_object_get(root, "v"), UINT64_MAX, &version) ||
	    version != AUDIT_SCHEMA_VERSION ||
	    !get_u64(json_object_get(root, "seq"), UINT64_MAX, &l->seq) ||
	    prev.len != HASH_HEX_LEN || memchr(prev.p, '\0', prev.len))
		return -1;
	memcpy(l->prev, prev.p, HASH_HEX_LEN);
	l->prev[HASH_HEX_LEN] = '\0';
	if (audit_time_parse(get_str(json_object_get(root, "time")), &l->r.time_ns) < 0)
		return -1;
	l->r.event = audit_event_parse(get_str(json_object_get(root, "event")));
	return l->r.event < AUDIT_EVENT_MAX ? (int)FIXED_MEMBERS : -1;
}

static bool parse_field(const json_t *v, const struct audit_field *f, struct audit_record *r)
{
	uint64_t number;

	if (f->kind == AUDIT_FIELD_STR || f->kind == AUDIT_FIELD_PATH) {
		*audit_field_str(r, f) = get_str(v);
		return json_is_string(v);
	}
	if (!get_u64(v, f->kind == AUDIT_FIELD_U16 ? UINT16_MAX : UINT64_MAX, &number))
		return false;
	if (f->kind == AUDIT_FIELD_U16)
		*(uint16_t *)(void *)((char *)r + f->offset) = (uint16_t)number;
	else
		*(uint64_t *)(void *)((char *)r + f->offset) = number;
	return true;
}

int audit_line_parse(struct str line, struct audit_line *ret, struct err *e)
{
	struct audit_line l = { 0 };
	json_error_t why;
	int known;

	if (line.len > AUDIT_LINE_MAX || !bytes_ours(line))
		return err_set(e, -EBADMSG, "not a line that stockade writes");
	l.root = json_loadb(line.p ? line.p : "", line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
			    &why);
	if (!l.root)
		return err_set(e, -EBADMSG, "not JSON");
	known = json_is_object((json_t *)l.root) ? parse_fixed(l.root, &l) : -1;
	for (size_t i = 0; known >= 0 && i < audit_nfields; i++) {
		const json_t *v = json_object_get(l.root, audit_fields[i].name);

		if (!v)
			continue;
		known = parse_field(v, &audit_fields[i], &l.r) ? known + 1 : -1;
	}
	if (known < 0 || (size_t)known != json_object_size(l.root)) {
		audit_line_done(&l);
		return err_set(e, -EBADMSG, "not a record of schema %d", AUDIT_SCHEMA_VERSION);
	}
	*ret = l;
	return 0;
}

void audit_reader_init(struct audit_reader *rd, int fd)
{
	*rd = (struct audit_reader){ .fd = fd, .b = BUF_INIT(2 * AUDIT_LINE_MAX + READ_STEP) };
}

void audit_reader_done(struct audit_reader *rd)
{
	buf_done(&rd->b);
}

bool audit_reader_torn(const struct audit_reader *rd)
{
	return buf_len(&rd->b) > rd->used || rd->skipping;
}

/* 1 more bytes, 0 end of file. */
static int fill(struct audit_reader *rd)
{
	ssize_t n;
	int r = buf_reserve(&rd->b, READ_STEP);

	if (r < 0)
		return r;
	do
		n = read(rd->fd, buf_space(&rd->b), READ_STEP);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	buf_commit(&rd->b, (size_t)n);
	return n > 0;
}

int audit_reader_next(struct audit_reader *rd, struct str *ret_line)
{
	buf_consume(&rd->b, rd->used);
	rd->used = 0;
	for (;;) {
		struct str have = buf_str(&rd->b);
		size_t at = str_index(have, '\n');
		int r;

		if (at < have.len) {
			bool whole = !rd->skipping && at <= AUDIT_LINE_MAX;

			rd->used = at + 1; /* the slice stays valid until the next call */
			rd->skipping = false;
			rd->line_no++;
			*ret_line = (struct str){ have.p, at };
			return whole ? 1 : -EMSGSIZE;
		}
		if (have.len > AUDIT_LINE_MAX) {
			buf_clear(&rd->b);
			rd->skipping = true;
		}
		r = fill(rd);
		if (r <= 0)
			return r;
	}
}

static bool host_match(struct str pattern, struct str host)
{
	if (pattern.len > 2 && str_has_prefix(pattern, STR_LIT("*."))) {
		struct str suffix = { pattern.p + 1, pattern.len - 1 };

		return host.len > suffix.len &&
		       str_ieq((struct str){ host.p + host.len - suffix.len, suffix.len }, suffix);
	}
	return str_ieq(pattern, host);
}

bool audit_filter_match(const struct audit_filter *f, const struct audit_record *r)
{
	if (f->verdict.len && !str_eq(f->verdict, r->verdict))
		return false;
	if (f->host.len && !host_match(f->host, r->host))
		return false;
	if (f->event != AUDIT_EVENT_MAX && f->event != r->event)
		return false;
	return r->time_ns >= f->since_ns && (f->until_ns == 0 || r->time_ns < f->until_ns);
}

struct verifier {
	struct audit_verify *v;
	uint64_t next_seq;
	bool gap; /* the line before could not be read: its hash and number are not known */
	audit_problem_fn fn;
	void *arg;
};

static void problem(struct verifier *c, uint64_t line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void problem(struct verifier *c, uint64_t line, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->v->problems++;
	if (c->fn)
		c->fn(c->arg, line, text);
}

static void check_line(struct verifier *c, uint64_t line_no, const struct audit_line *l)
{
	unsigned long long got = l->seq, want = c->next_seq;

	if (c->v->ended)
		problem(c, line_no, "written after the session's end");
	if (c->gap) {
		c->gap = false;
		return;
	}
	if (got > want)
		problem(c, line_no, "records %llu to %llu before this line are missing", want,
			got - 1);
	else if (got < want)
		problem(c, line_no, "record %llu stands where %llu belongs: moved or repeated", got,
			want);
	else if (strcmp(l->prev, c->v->head) != 0)
		problem(c, line_no,
			line_no == 1 ? "the chain does not begin here: prev is not zero"
				     : "the line before this one was altered");
}

static void verify_line(struct verifier *c, uint64_t line_no, int got, struct str text)
{
	struct audit_line l;
	struct err why = ERR_INIT;
	uint8_t hash[HASH_LEN];

	c->v->lines++;
	if (got == -EMSGSIZE) {
		problem(c, line_no, "longer than any line that stockade writes");
		c->gap = true;
		return;
	}
	if (audit_line_parse(text, &l, &why) < 0) {
		problem(c, line_no, "%s", why.text);
		c->gap = true;
		c->v->ended = false;
		return;
	}
	check_line(c, line_no, &l);
	hash_sha256(text, hash);
	hash_hex(hash, c->v->head);
	c->next_seq = l.seq + 1;
	c->v->ended = l.r.event == AUDIT_SESSION_END || l.r.event == AUDIT_SETUP_REFUSED;
	audit_line_done(&l);
}

/* A shared lock is refused while a session holds its own; none is kept.  On a file system without
 * locks nobody is known to run. */
static bool is_held(int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	flock(fd, LOCK_UN);
	return false;
}

int audit_verify_file(int fd, struct audit_verify *ret, audit_problem_fn fn, void *arg,
		      struct err *e)
{
	_cleanup_(audit_reader_done) struct audit_reader rd;
	struct verifier c = { .v = ret, .fn = fn, .arg = arg };
	int r;

	*ret = (struct audit_verify){ 0 };
	memset(ret->head, '0', HASH_HEX_LEN);
	ret->running = is_held(fd); /* asked first: what ends meanwhile has written its end */
	audit_reader_init(&rd, fd);
	for (;;) {
		struct str line = STR_NONE;

		r = audit_reader_next(&rd, &line);
		if (r == 0)
			break;
		if (r < 0 && r != -EMSGSIZE)
			return err_sys(e, r, "cannot read the audit log");
		verify_line(&c, rd.line_no, r, line);
	}
	if (audit_reader_torn(&rd)) {
		problem(&c, rd.line_no + 1, "cut in the middle of a line");
		ret->ended = false;
	} else if (!ret->ended && !ret->running) {
		problem(&c, rd.line_no + 1,
			"no session-end, and the session does not run: the end was cut off, or "
			"the session was killed");
	}
	return 0;
}
