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

/* Appends one record as it stands in the message MSG_RECORD, which holds one or several, one behind
 * the other.  Strings over their limit (audit/field.h) are cut and marked. */
int record_pack(const struct audit_record *r, struct buf *out);
int record_unpack(struct str payload, struct audit_record *ret); /* slices into payload */
/* Takes the first record off `rest`; both are untouched on failure (-EBADMSG). */
int record_unpack_next(struct str *rest, struct audit_record *ret);

/* One line (no newline): members with empty values are left out. */
int record_format(const struct audit_record *r, uint64_t seq, const char *prev_hex,
		  struct buf *out);
const char *audit_event_name(enum audit_event ev);
/* The event of that name, or AUDIT_EVENT_MAX. */
enum audit_event audit_event_parse(struct str name);

#endif
