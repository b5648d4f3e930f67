/* SPDX-License-Identifier: Apache-2.0 */
/* intent - what the agent wants, as one value, whichever listener it came by.  Pure. */
#ifndef STOCKADE_FRONT_INTENT_H
#define STOCKADE_FRONT_INTENT_H

#include "net/dns.h"
#include "net/http1.h"
#include "policy/decide.h"

/* The one name of a destination: a made-up address becomes the name that it stands for; any other
 * address stays an address, and only a rule that names it allows it. */
void intent_destination(const struct dns_names *names, const struct addr *a, struct host *ret);
void intent_host(const struct dns_names *names, const struct host *asked, struct host *ret);

enum intent_fault {
	INTENT_OK,
	INTENT_OTHER_HOST, /* the request names another host or port than its connection */
	INTENT_BAD_PATH,   /* the path can be read in two ways */
};

/* Fills `ret` from a parsed request.  `fixed` (with its port) is where the connection goes, or
 * NULL when each request says.  `path` is where the normalised path is kept. */
enum intent_fault intent_request(const struct http1_request *r, const struct host *fixed,
				 uint16_t fixed_port, char path[static HTTP1_TARGET_MAX],
				 struct intent *ret);

#endif
