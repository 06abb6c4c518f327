/* Checks of a URL's query parameters. */
#ifndef SKYLARK_FCGI_QUERY_CHECK_H
#define SKYLARK_FCGI_QUERY_CHECK_H

#include "fcgi/request.h"

/* Reports every parameter that is not among the names (NULL-terminated). */
void query_check_names(struct request *rq, const char *const *names);

/* The whole number of a parameter, fallback when it is absent; out of min..max or no number: reported, and
 * fallback returned. */
int64_t query_integer(struct request *rq, const char *name, int64_t min, int64_t max, int64_t fallback);

/* Reads a time from 1970 to 2262, as epoch seconds or RFC 3339, each with decimals or without, in nanoseconds since 1970.
 * Without decimals it means that whole second: *whole_second. A day more still fits into *ns. Returns whether it is one. */
bool query_time_parse(const char *text, int64_t *ns, bool *whole_second) __attribute__((warn_unused_result));

/* The time of a parameter, as query_time_parse reads it. fallback when absent, or when it is none: reported. */
int64_t query_time(struct request *rq, const char *name, int64_t fallback, bool *whole_second);

#endif
