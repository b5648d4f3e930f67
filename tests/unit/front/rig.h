/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig - a front role in a process of its own, with a small back that dials loopback, an upstream
 * with scripted answers, and the audit end in the test's hands.
 */
#ifndef STOCKADE_TEST_RIG_H
#define STOCKADE_TEST_RIG_H

#include "audit/record.h"
#include "ipc/channel.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Of the transparent listener; 0: any.  Set before the rig starts where a redirect rule names it.
 */
extern uint16_t rig_transparent_port;

struct rig {
	pid_t front, back, upstream;
	struct channel audit, launch;
	uint16_t proxy, socks, transparent, dns; /* loopback ports */
	char unix_path[64];
};

void rig_start(struct rig *r);
/* Asks front to stop, waits; its exit code. */
int rig_stop(struct rig *r);
int rig_wait_front(struct rig *r);

/* Client side: everything blocks with a time-out of five seconds and fails the test beyond it. */
int rig_connect(uint16_t port);
int rig_connect_to(const char *ip, uint16_t port);
int rig_connect_unix(const struct rig *r);
void rig_send(int fd, const char *text);
void rig_send_bytes(int fd, const void *p, size_t n);
/* Until `want` stands in what came (whole answers), or the end; returns length. */
size_t rig_read_until(int fd, char *out, size_t max, const char *want);
/* Until the end. */
size_t rig_read_all(int fd, char *out, size_t max);
/* One whole exchange on its own connection: sends, reads to the end. */
size_t rig_talk(uint16_t port, const char *text, char *out, size_t max);

/* The next record of this event; others are skipped.  Fails the test after two seconds. */
void rig_record(struct rig *r, enum audit_event ev, struct audit_record *ret);
/* No record with this verdict waits. */
void rig_no_record(struct rig *r, const char *verdict);

/* One DNS question to an address of its own; returns the answer's length. */
size_t rig_ask(const struct rig *r, const char *name, unsigned char type, unsigned char *reply,
	       size_t max);
/* A ClientHello naming `sni` (NULL: none); returns its length. */
size_t rig_hello(const char *sni, unsigned char *out);

#endif
