/* SPDX-License-Identifier: Apache-2.0 */
/* home - who the user is and where the user's files lie: the environment, else /etc/passwd. */
#ifndef STOCKADE_OS_HOME_H
#define STOCKADE_OS_HOME_H

#include "base/err.h"
#include "base/path.h"

#define HOME_USER_MAX 32 /* LOGIN_NAME_MAX is 256; shadow's useradd stops at 32 */

struct home {
	char dir[PATH_TEXT_MAX]; /* absolute */
	char user[HOME_USER_MAX + 1];
};

enum home_place { HOME_CONFIG, HOME_STATE };

/* $HOME and $USER.  -ENOENT when there is no absolute home directory, -ENAMETOOLONG. */
int home_find(struct home *ret, struct err *e);
/* Our directory there: $XDG_CONFIG_HOME/stockade, $XDG_STATE_HOME/stockade, or what stands for them
 * under the home directory (XDG Base Directory Specification 0.8).  Errors of home_find(). */
int home_place(enum home_place which, char ret[static PATH_TEXT_MAX], struct err *e);

#endif
