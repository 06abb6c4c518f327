/* Checks JSON text for what json-c lets pass: duplicate keys, NUL, lone surrogates, invalid UTF-8,
 * numbers out of range, depth, and anything that RFC 8259 does not allow. */
#ifndef SKYLARK_FCGI_JSON_SCAN_H
#define SKYLARK_FCGI_JSON_SCAN_H

#include <stddef.h>

#include "common/buf.h"

#define JSON_SCAN_DEPTH_MAX 32

/* One fault, in the order of the text. path names the place as the API does ("instance_envvars.A",
 * "volumes[1]"), "" for the whole; both strings are valid during the call only. */
typedef void json_scan_fault(void *context, const char *path, const char *detail);

/* Reports every duplicate key and every text or number that can't be taken, but stops at the first fault
 * of grammar, since nothing after it can be trusted. Returns the number of faults. */
int json_scan(const char *text, size_t len, json_scan_fault *fault, void *context)
    __attribute__((warn_unused_result));

#endif
