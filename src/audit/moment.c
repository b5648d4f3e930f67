/* SPDX-License-Identifier: Apache-2.0 */
/* moment - see moment.h.  Pure; formatting is in the audit role's hot path, parsing reads lines of
 * a log that may have been tampered with. */
#include "audit/moment.h"

#include "base/num.h"

#include <errno.h>
#include <stdbool.h>

#define NS 1000000000u

/* `width` digits with leading zeros. */
static void put_digits(char *at, unsigned width, uint64_t v)
{
	while (width--) {
		at[width] = (char)('0' + v % 10);
		v /= 10;
	}
}

/* Days since 1970-01-01 as a date (H. Hinnant's civil_from_days: eras of 400 years that start on
 * 1 March, so that the leap day is the last of its year). */
static void civil_from_days(uint64_t days, unsigned *ret_year, unsigned *ret_month,
			    unsigned *ret_day)
{
	uint64_t z = days + 719468, era = z / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;

	*ret_day = doy - (153 * mp + 2) / 5 + 1;
	*ret_month = mp < 10 ? mp + 3 : mp - 9;
	*ret_year = (unsigned)(yoe + era * 400) + (*ret_month <= 2);
}

/* The other way round; year >= 1970. */
static uint64_t days_from_civil(unsigned year, unsigned month, unsigned day)
{
	unsigned y = year - (month <= 2), era = y / 400, yoe = y - era * 400;
	unsigned mp = month > 2 ? month - 3 : month + 9;
	unsigned doy = (153 * mp + 2) / 5 + day - 1;
	unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return (uint64_t)era * 146097 + doe - 719468;
}

void audit_time_format(uint64_t time_ns, char ret[static AUDIT_TIME_LEN + 1])
{
	uint64_t seconds = time_ns / NS;
	unsigned year, month, day, in_day = (unsigned)(seconds % 86400);

	civil_from_days(seconds / 86400, &year, &month, &day);
	memcpy(ret, "0000-00-00T00:00:00.000000000Z", AUDIT_TIME_LEN + 1);
	put_digits(ret, 4, year);
	put_digits(ret + 5, 2, month);
	put_digits(ret + 8, 2, day);
	put_digits(ret + 11, 2, in_day / 3600);
	put_digits(ret + 14, 2, in_day / 60 % 60);
	put_digits(ret + 17, 2, in_day % 60);
	put_digits(ret + 20, 9, time_ns % NS);
}

/* Takes `width` digits off the front. */
static bool take_digits(struct str *s, size_t width, unsigned max, unsigned *ret)
{
	uint64_t v;

	if (s->len < width || num_parse_u64((struct str){ s->p, width }, max, &v) < 0)
		return false;
	s->p += width;
	s->len -= width;
	*ret = (unsigned)v;
	return true;
}

static bool take_char(struct str *s, const char *any_of)
{
	if (s->len == 0 || s->p[0] == '\0' || !strchr(any_of, s->p[0]))
		return false;
	s->p++;
	s->len--;
	return true;
}

static bool take_date(struct str *s, uint64_t *ret_days)
{
	static const unsigned lengths[12] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned y, m, d;
	bool leap;

	/* 2553 is the last whole year that 64 bits of nanoseconds reach. */
	if (!take_digits(s, 4, 2553, &y) || !take_char(s, "-") || !take_digits(s, 2, 12, &m) ||
	    !take_char(s, "-") || !take_digits(s, 2, 31, &d))
		return false;
	leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
	if (y < 1970 || m == 0 || d == 0 || d > lengths[m - 1] || (m == 2 && d == 29 && !leap))
		return false;
	*ret_days = days_from_civil(y, m, d);
	return true;
}

static bool take_hours_minutes(struct str *s, uint64_t *ret_seconds)
{
	unsigned h, m;

	if (!take_digits(s, 2, 23, &h) || !take_char(s, ":") || !take_digits(s, 2, 59, &m))
		return false;
	*ret_seconds = h * 3600u + m * 60u;
	return true;
}

int audit_time_parse(struct str s, uint64_t *ret_ns)
{
	uint64_t days, in_day;
	unsigned sec, ns;

	if (s.len != AUDIT_TIME_LEN || !take_date(&s, &days) || !take_char(&s, "T") ||
	    !take_hours_minutes(&s, &in_day) || !take_char(&s, ":") ||
	    !take_digits(&s, 2, 59, &sec) || !take_char(&s, ".") ||
	    !take_digits(&s, 9, NS - 1, &ns) || !take_char(&s, "Z"))
		return -EINVAL;
	*ret_ns = (days * 86400 + in_day + sec) * NS + ns;
	return 0;
}

int audit_time_parse_user(struct str s, uint64_t now_ns, uint64_t *ret_ns)
{
	uint64_t days, in_day = 0, ago;
	unsigned sec = 0;

	if (num_parse_duration(s, &ago) == 0) {
		*ret_ns = ago < now_ns / NS ? now_ns - ago * NS : 0;
		return 0;
	}
	if (!take_date(&s, &days))
		return -EINVAL;
	if (take_char(&s, "T ")) {
		if (!take_hours_minutes(&s, &in_day))
			return -EINVAL;
		if (take_char(&s, ":") && !take_digits(&s, 2, 59, &sec))
			return -EINVAL;
		take_char(&s, "Z");
	}
	if (s.len)
		return -EINVAL;
	*ret_ns = (days * 86400 + in_day + sec) * NS;
	return 0;
}
