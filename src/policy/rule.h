/* SPDX-License-Identifier: Apache-2.0 */
/* rule - small questions about one network rule, and its text. */
#ifndef STOCKADE_POLICY_RULE_H
#define STOCKADE_POLICY_RULE_H

#include "base/buf.h"
#include "policy/policy.h"

/* Looks at method or path, or binds a credential: only single requests can be checked against it,
 * never an opaque tunnel. */
bool rule_needs_request(const struct net_rule *r);
bool rule_port_listed(const struct net_rule *r, uint16_t port);
/* CLEARTEXT_DEFAULT resolved. */
enum cleartext rule_cleartext(const struct net_rule *r);
const char *cleartext_name(enum cleartext c);
/* "*.example.com", "127.0.0.1", "[::1]": as it is written in a policy. */
int rule_host_text(const struct net_rule *r, struct buf *out);
/* "443,8000-8100"; nothing when no port is listed. */
int rule_ports_text(const struct net_rule *r, struct buf *out);
/* "allow api.github.com:443 GET,HEAD /v1 credential github". */
int rule_text(const struct net_rule *r, struct buf *out);

#endif
