/* SPDX-License-Identifier: Apache-2.0 */
/* err - see err.h.  Pure; every process; input is our own text plus escaped user strings. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void text_finish(struct err *e, int written)
{
	if (written >= (int)sizeof e->text)
		memcpy(e->text + sizeof e->text - 4, "...", 4);
	for (char *p = e->text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?'; /* a name with an escape code must not reach a terminal */
}

__attribute__((format(printf, 3, 0))) static void err_vset(struct err *e, int code, const char *fmt,
							   va_list ap)
{
	if (!e)
		return;
	e->code = code;
	text_finish(e, vsnprintf(e->text, sizeof e->text, fmt, ap));
}

void err_set_text(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(e, code, fmt, ap);
	va_end(ap);
}

void err_sys_text(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;
	size_t len;

	if (!e)
		return;
	va_start(ap, fmt);
	err_vset(e, code, fmt, ap);
	va_end(ap);
	len = strlen(e->text);
	text_finish(e, (int)len +
			   snprintf(e->text + len, sizeof e->text - len, ": %s", strerror(-code)));
}

int err_context(struct err *e, int code, const char *fmt, ...)
{
	char old[ERR_TEXT_MAX];
	va_list ap;
	size_t len;

	if (!e)
		return code;
	memcpy(old, e->text, sizeof old);
	va_start(ap, fmt);
	err_vset(e, e->code ? e->code : code, fmt, ap);
	va_end(ap);
	len = strlen(e->text);
	text_finish(e, (int)len + snprintf(e->text + len, sizeof e->text - len, ": %s", old));
	return e->code;
}
