/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status - the machine's view of a session: JSON lines on --status-fd.
 *
 *   {"event":"session","id":"...","log":"/..."}
 *   {"event":"started","pid":4711,"cgroup":"v2","landlock":7,"redirect":true,"lost":""}
 *   {"event":"gateway"}                      the roles were started
 *   {"event":"ended","exit":0,"allowed":3,"denied":1}
 */
#ifndef STOCKADE_LAUNCH_STATUS_H
#define STOCKADE_LAUNCH_STATUS_H

#include "audit/tally.h"
#include "sandbox/sandbox.h"

/* All do nothing when fd is -1.  A reader that went away is no reason to end a session: errors are
 * dropped (SIGPIPE is ignored by launch). */
void status_session(int fd, const char *id, const char *log_path);
void status_started(int fd, const struct sandbox *s);
void status_gateway(int fd);
void status_ended(int fd, int exit_code, const struct audit_tally *tally);

#endif
