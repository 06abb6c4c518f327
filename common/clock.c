/* Time: the wall clock for what people read, the monotonic one for waiting. */
#include "common/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_SECOND INT64_C(1000000000)

int64_t clock_monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

/* decimals: of the second, each of them worth ns_per_decimal. */
static void format_iso(int64_t ns, int64_t ns_per_decimal, int decimals, char *out)
{
    time_t seconds = (time_t)(ns / NS_PER_SECOND);
    int64_t rest = ns % NS_PER_SECOND;
    if (rest < 0) {
        rest += NS_PER_SECOND;
        seconds--;
    }
    struct tm tm;
    char date[24];
    gmtime_r(&seconds, &tm);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out, CLOCK_ISO_SIZE, "%s.%0*dZ", date, decimals, (int)(rest / ns_per_decimal));
}

void clock_format_iso(int64_t ns, char *out)
{
    format_iso(ns, 1000000, 3, out);
}

void clock_format_iso_us(int64_t us, char *out)
{
    format_iso(us * 1000, 1000, 6, out);
}

/* Reads exactly n digits. */
static int digits(const char **at, const char *end, int n, int *value)
{
    *value = 0;
    for (; n > 0; n--, (*at)++) {
        if (*at >= end || **at < '0' || **at > '9')
            return -1;
        *value = *value * 10 + (**at - '0');
    }
    return 0;
}

static int expect(const char **at, const char *end, const char *any_of)
{
    if (*at >= end || **at == '\0' || strchr(any_of, **at) == NULL)
        return -1;
    (*at)++;
    return 0;
}

static int parse_fraction(const char **at, const char *end, int64_t *ns)
{
    *ns = 0;
    if (*at >= end || **at != '.')
        return 0;
    (*at)++;
    int64_t unit = NS_PER_SECOND / 10;
    const char *first = *at;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
        *ns += unit * (**at - '0');
    return *at > first && *at - first <= 9 ? 0 : -1;
}

/* Seconds east of UTC. */
static int parse_offset(const char **at, const char *end, int *offset)
{
    int hours, minutes;
    *offset = 0;
    if (*at < end && (**at == 'Z' || **at == 'z')) {
        (*at)++;
        return 0;
    }
    int sign = *at < end && **at == '-' ? -1 : 1;
    if (expect(at, end, "+-") != 0 || digits(at, end, 2, &hours) != 0 || expect(at, end, ":") != 0 ||
        digits(at, end, 2, &minutes) != 0 || hours > 23 || minutes > 59)
        return -1;
    *offset = sign * (hours * 3600 + minutes * 60);
    return 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 ? days[1] + leap : days[month - 1];
}

int clock_parse_rfc3339(const char *s, unsigned long len, int64_t *ns)
{
    const char *at = s, *end = s + len;
    int year, month, day, hour, minute, second, offset;
    int64_t fraction;
    if (digits(&at, end, 4, &year) != 0 || expect(&at, end, "-") != 0 || digits(&at, end, 2, &month) != 0 ||
        expect(&at, end, "-") != 0 || digits(&at, end, 2, &day) != 0 || expect(&at, end, "Tt ") != 0 ||
        digits(&at, end, 2, &hour) != 0 || expect(&at, end, ":") != 0 || digits(&at, end, 2, &minute) != 0 ||
        expect(&at, end, ":") != 0 || digits(&at, end, 2, &second) != 0 || parse_fraction(&at, end, &fraction) != 0 ||
        parse_offset(&at, end, &offset) != 0 || at != end)
        return -1;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 || minute > 59 ||
        second > 60)
        return -1;
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day,
                    .tm_hour = hour, .tm_min = minute, .tm_sec = second};
    int64_t seconds = (int64_t)timegm(&tm) - offset;
    if (__builtin_mul_overflow(seconds, NS_PER_SECOND, ns) || __builtin_add_overflow(*ns, fraction, ns))
        return -1;
    return 0;
}
