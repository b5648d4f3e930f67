/* SPDX-License-Identifier: Apache-2.0 */
/* sanitized - in builds with the address sanitizer only: called by its run-time in every role.
 * Leaks are looked for by a tracer at the end of a process, which the jail does not let start; unit
 * tests look for them instead. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
