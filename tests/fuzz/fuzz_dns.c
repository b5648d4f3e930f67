/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is asked, the answer fits, carries the id, and reading it as a question is refused. */
#include "fuzz.h"

#include "net/dns.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_names *names;
	unsigned char out[DNS_MESSAGE_MAX];
	struct str in = fuzz_str(data, size);
	struct dns_question q, again;
	struct addr v4, v6;
	size_t n;
	int r = dns_question_parse(in, &q);

	if (r == -EBADMSG)
		return 0;
	if (r < 0) {
		n = dns_answer(in, &q, (enum dns_rcode) - r, NULL, out);
		MUST(n >= 12 && n <= sizeof out && memcmp(out, data, 2) == 0);
		return 0;
	}
	if (!names)
		names = dns_names_new((const uint8_t *)"0123456789abcdef");
	MUST(names && q.name.len > 0 && q.name.addr.family == 0);
	r = dns_names_assign(names, &q.name, &v4, &v6);
	MUST(r == 0 || r == -ENOSPC);
	if (r == 0)
		MUST(str_eq(host_str(dns_names_lookup(names, &v4)), host_str(&q.name)));
	n = dns_answer(in, &q, DNS_NOERROR, r < 0 ? NULL : q.type == DNS_A ? &v4 : &v6, out);
	MUST(n >= q.question_end && n <= sizeof out && memcmp(out, data, 2) == 0);
	MUST(dns_question_parse((struct str){ (char *)out, n }, &again) == -EBADMSG);
	return 0;
}
