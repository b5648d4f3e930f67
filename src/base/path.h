/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path - paths as text: nothing here looks at a disk, so symbolic links are not known.
 *
 * For that reason ".." is refused, not resolved: "a/../b" is "b" only when "a" is no link.
 */
#ifndef STOCKADE_BASE_PATH_H
#define STOCKADE_BASE_PATH_H

#include "base/str.h"

/* Linux PATH_MAX, with the NUL. */
#define PATH_TEXT_MAX 4096

/* Without double, trailing and "." components; a leading "~" or "." component stays.  Must start
 * with "/", "~/" or "./" (or be "~" or ".").  -EINVAL on anything else, on ".." and on control
 * bytes, -ENAMETOOLONG. */
int path_normalise(struct str s, char ret[static PATH_TEXT_MAX]);
/* dir + "/" + name, whatever slashes stand at the joint; -ENAMETOOLONG. */
int path_join(struct str dir, struct str name, char ret[static PATH_TEXT_MAX]);
/* Both normalised: path is dir itself or lies below it. */
bool path_is_under(struct str path, struct str dir);

#endif
