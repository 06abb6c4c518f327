/* Checks of a URL's query parameters. */
#ifndef SKYLARK_FCGI_QUERY_CHECK_H
#define SKYLARK_FCGI_QUERY_CHECK_H

#include "fcgi/request.h"

/* Reports every parameter that is not among the names (NULL-terminated). */
void query_check_names(struct request *rq, const char *const *names);

/* The whole number of a parameter, fallback when it is absent; out of min..max or no number: reported, and
 * fallback returned. */
int64_t query_integer(struct request *rq, const char *name, int64_t min, int64_t max, int64_t fallback);

/* A time as epoch seconds (with decimals or without) or RFC 3339, in nanoseconds since 1970. Without decimals it
 * means that whole second: *whole_second. fallback when absent. */
int64_t query_time(struct request *rq, const char *name, int64_t fallback, bool *whole_second);

#endif
