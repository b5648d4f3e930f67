/* SPDX-License-Identifier: Apache-2.0 */
/*
 * complete - completion scripts for bash, zsh and fish, written from the command tables.
 */
#ifndef STOCKADE_CLI_COMPLETE_H
#define STOCKADE_CLI_COMPLETE_H

#include "base/buf.h"

#define COMPLETE_MAX (256u * 1024) /* a whole script; ten times today's */

int complete_bash(struct buf *out);
int complete_zsh(struct buf *out);
int complete_fish(struct buf *out);

#endif
