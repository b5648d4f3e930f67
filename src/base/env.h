/* SPDX-License-Identifier: Apache-2.0 */
/* env - looking names up in an environment: entries "NAME=value", then NULL; NULL is an empty one.
 */
#ifndef STOCKADE_BASE_ENV_H
#define STOCKADE_BASE_ENV_H

/* The whole entry, or NULL. */
char *env_entry(char *const *env, const char *name);
/* What stands after the '=', or NULL. */
const char *env_value(char *const *env, const char *name);

#endif
