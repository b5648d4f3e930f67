/* SPDX-License-Identifier: Apache-2.0 */
/* rand - see rand.h. */
#include "base/rand.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void rand_bytes(void *p, size_t n)
{
	char *at = p;

	while (n) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			abort(); /* no randomness: no placeholder, session or key may be made */
		at += got;
		n -= (size_t)got;
	}
}

void rand_text(char *ret, size_t n)
{
	static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

	rand_bytes(ret, n);
	for (size_t i = 0; i < n; i++)
		ret[i] = letters[(unsigned char)ret[i] & 31];
	ret[n] = '\0';
}
