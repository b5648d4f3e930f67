/* SPDX-License-Identifier: Apache-2.0 */
/* rand - random bytes from the kernel (getrandom(2)); never fails once the system is up. */
#ifndef STOCKADE_BASE_RAND_H
#define STOCKADE_BASE_RAND_H

#include <stddef.h>

void rand_bytes(void *p, size_t n);
/* `n` characters of [0-9a-z] without look-alikes (32 letters: 5 bits each), and a NUL. */
void rand_text(char *ret, size_t n);

#endif
