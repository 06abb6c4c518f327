/* Checks of a URL's query parameters. */
#include "fcgi/query_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

#define NS_PER_SECOND 1000000000LL
/* 64 bits of nanoseconds end in 2262, at second 9223372036. A day less, so that what is added to a time (the second that it
 * means, a period of a series) fits as well. */
#define SECONDS_MAX (9223372036LL - 86400)

void query_check_names(struct request *rq, const char *const *names)
{
    for (size_t i = 0; i < rq->query.n; i++) {
        bool known = false;
        for (size_t n = 0; names[n] != NULL && !known; n++)
            known = strcmp(names[n], rq->query.fields[i].name) == 0;
        if (!known)
            problem_add(&rq->problem, rq->query.fields[i].name, "is not a parameter here");
    }
}

int64_t query_integer(struct request *rq, const char *name, int64_t min, int64_t max, int64_t fallback)
{
    const char *text = form_get(&rq->query, name);
    if (text == NULL)
        return fallback;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    bool number = strspn(text, "0123456789-") == strlen(text) && end != text && *end == '\0';
    if (!number || errno != 0 || value < min || value > max) {
        problem_add(&rq->problem, name, "must be a whole number from %" PRId64 " to %" PRId64, min, max);
        return fallback;
    }
    return value;
}

/* 1433753210 or 1433753210.25, not negative. */
static bool epoch_parse(const char *text, int64_t *ns, bool *whole_second)
{
    size_t n = strspn(text, "0123456789");
    if (n == 0 || n > 10) /* ten digits at most, so that nothing below overflows */
        return false;
    long long seconds = strtoll(text, NULL, 10);
    int64_t fraction = 0;
    *whole_second = text[n] == '\0';
    if (!*whole_second) {
        const char *decimals = text + n + 1;
        size_t d = strspn(decimals, "0123456789");
        if (text[n] != '.' || d == 0 || d > 9 || decimals[d] != '\0')
            return false;
        fraction = strtoll(decimals, NULL, 10);
        for (; d < 9; d++)
            fraction *= 10;
    }
    if (seconds > SECONDS_MAX)
        return false;
    *ns = seconds * NS_PER_SECOND + fraction;
    return true;
}

bool query_time_parse(const char *text, int64_t *ns, bool *whole_second)
{
    if (epoch_parse(text, ns, whole_second))
        return true;
    *whole_second = strchr(text, '.') == NULL;
    return clock_parse_rfc3339(text, strlen(text), ns) == 0 && *ns >= 0 && *ns / NS_PER_SECOND <= SECONDS_MAX;
}

int64_t query_time(struct request *rq, const char *name, int64_t fallback, bool *whole_second)
{
    const char *text = form_get(&rq->query, name);
    int64_t ns;
    *whole_second = false;
    if (text == NULL)
        return fallback;
    if (query_time_parse(text, &ns, whole_second))
        return ns;
    *whole_second = false;
    problem_add(&rq->problem, name, "must be a time from 1970 to 2262: seconds since 1970, such as 1433753210, or 2015-06-08T08:46:50Z");
    return fallback;
}
