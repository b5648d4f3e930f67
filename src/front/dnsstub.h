/* SPDX-License-Identifier: Apache-2.0 */
/* dnsstub - answers the sandbox's DNS questions with made-up addresses; asks nobody. */
#ifndef STOCKADE_FRONT_DNSSTUB_H
#define STOCKADE_FRONT_DNSSTUB_H

#include "front/conn.h"

/* Questions answered in one callback, so that a flood of them leaves the others their share. */
#define DNSSTUB_BATCH 32

/* Makes the kernel say which address was asked. */
int dnsstub_prepare(int fd, enum listener_kind kind);
void dnsstub_serve(struct front *f, int fd, enum listener_kind kind);

#endif
