/* SPDX-License-Identifier: Apache-2.0 */
/* intent - see intent.h.  Runs in front; what it is filled from is hostile, and was parsed.
 * Pure. */
#include "front/intent.h"

#define PORT_HTTP 80
#define PORT_HTTPS 443

void intent_destination(const struct dns_names *names, const struct addr *a, struct host *ret)
{
	const struct host *name = dns_names_lookup(names, a);

	if (name) {
		*ret = *name;
		return;
	}
	memset(ret, 0, sizeof *ret);
	ret->addr = *a;
	addr_format(a, ret->text);
	ret->len = (uint8_t)strlen(ret->text);
}

void intent_host(const struct dns_names *names, const struct host *asked, struct host *ret)
{
	if (asked->addr.family)
		intent_destination(names, &asked->addr, ret);
	else
		*ret = *asked;
}

enum intent_fault intent_request(const struct http1_request *r, const struct host *fixed,
				 uint16_t fixed_port, char path[static HTTP1_TARGET_MAX],
				 struct intent *ret)
{
	uint16_t usual = r->https ? PORT_HTTPS : PORT_HTTP;

	ret->kind = INTENT_REQUEST;
	ret->host = r->host;
	ret->port = r->port ? r->port : usual;
	ret->explicit_port = !fixed;
	ret->sni_state = SNI_NOT_TLS;
	ret->https = r->https;
	ret->method = r->method;
	ret->path = r->path;
	if (fixed) {
		/* An origin-form request on a port of its own may leave the port out of Host. */
		bool same_port = r->port ? r->port == fixed_port
					 : r->form != TARGET_ABSOLUTE || usual == fixed_port;

		if (!same_port || !str_eq(host_str(fixed), host_str(&r->host)))
			return INTENT_OTHER_HOST;
		ret->port = fixed_port;
	}
	if (r->form == TARGET_ASTERISK)
		return INTENT_OK;
	return http1_path_normalize(r->path, path, &ret->path) < 0 ? INTENT_BAD_PATH : INTENT_OK;
}
