/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record - one line of the audit log as a value, and how it crosses to the audit role.
 *
 * The log is JSON lines.  Each line carries "prev", the SHA-256 of the whole line before it
 * (without its newline), so that a line altered, dropped or moved is found by `log verify`.
 * Schema: doc/AUDIT.md.  Never a secret: no header value, no body, no query string is in here.
 */
#ifndef STOCKADE_AUDIT_RECORD_H
#define STOCKADE_AUDIT_RECORD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"

#include <stdint.h>

#define AUDIT_SCHEMA_VERSION 1
/* Longest path written; longer ones are cut and marked. */
#define AUDIT_PATH_MAX 2048
/* The longest string of any field (detail). */
#define AUDIT_STR_MAX 4096
/* "2026-01-31T23:59:59.123456789Z" */
#define AUDIT_TIME_LEN 30
/* A line of the log: all strings at their longest, each byte escaped to six, and the names. */
#define AUDIT_LINE_MAX 65536u

enum audit_event {
	AUDIT_SESSION_START, /* detail: command; tiers */
	AUDIT_SESSION_END,   /* status: exit code */
	AUDIT_SETUP_REFUSED, /* detail: the error line */
	AUDIT_DEGRADED,	     /* detail: what was lost with --allow-degraded */
	AUDIT_RESOLVE,	 /* a DNS question that was denied (allowed ones are seen as connects) */
	AUDIT_CONNECT,	 /* a tunnel, allowed or denied */
	AUDIT_REQUEST,	 /* one HTTP request, allowed or denied */
	AUDIT_BAD_INPUT, /* bytes that are no protocol we speak */
	AUDIT_UPSTREAM,	 /* allowed, but dialling or TLS failed; detail: why */
	AUDIT_CLOSE,	 /* a tunnel ended: bytes each way */
	AUDIT_EVENT_MAX
};

struct audit_record {
	enum audit_event event;
	uint64_t time_ns;   /* CLOCK_REALTIME; 0: filled by record_append */
	struct str by;	    /* role that speaks: "front", "back", "launch" */
	struct str verdict; /* "allow", "deny", or empty */
	struct str via;	    /* "transparent", "proxy", "socks", "unix", "dns" */
	struct str host;
	uint16_t port;
	struct str addr; /* address dialled */
	struct str method;
	struct str path;   /* without query */
	struct str rule;   /* "file:line" of the rule that decided, or "default" */
	struct str reason; /* token of reason_name(), or ours */
	struct str detail; /* free text for a person */
	uint64_t status;   /* HTTP status or exit code */
	uint64_t bytes_up, bytes_down;
	struct str credential; /* name of what was injected, never its value */
};

/* The message MSG_RECORD.  Strings over their limit (audit/field.h) are cut and marked. */
int record_pack(const struct audit_record *r, struct buf *out);
int record_unpack(struct str payload, struct audit_record *ret); /* slices into payload */

/* One line (no newline): members with empty values are left out. */
int record_format(const struct audit_record *r, uint64_t seq, const char *prev_hex,
		  struct buf *out);
const char *audit_event_name(enum audit_event ev);
/* Nanoseconds since 1970, UTC, as RFC 3339 text. */
void audit_time_format(uint64_t time_ns, char ret[static AUDIT_TIME_LEN + 1]);

/* The writing end of a log: who holds it writes; launch hands it to the audit role. */
struct audit_log {
	int fd;	      /* O_APPEND, owned */
	uint64_t seq; /* of the next record, from 0 */
	char prev[HASH_HEX_LEN + 1];
	uint64_t reserved; /* bytes allocated ahead, so that a full disk is met before, not after */
};

/* Counters for the three-line summary, kept by whoever writes. */
#define AUDIT_TOP_DENIED 5
struct audit_tally {
	uint64_t allowed, denied, errors;
	struct {
		char host[256];
		uint16_t port;
		uint64_t count;
	} top[64]; /* distinct denied host:port, first come; the rest counted in `denied` only */
	unsigned ntop;
};

int audit_log_create(struct audit_log *log, int dirfd, const char *name, struct err *e);
/* Appends one record; -ENOSPC and every other failure are final: nothing more may be let out. */
int audit_log_append(struct audit_log *log, const struct audit_record *r, struct err *e);
/* Several packed records in one write(2); used by the role to keep up with a busy gateway. */
void audit_log_close(struct audit_log *log);
void audit_tally_add(struct audit_tally *t, const struct audit_record *r);
int audit_tally_pack(const struct audit_tally *t, struct buf *out);
int audit_tally_unpack(struct str payload, struct audit_tally *ret);

#endif
