/* Reads JSON text (RFC 8259) more strictly than json-c's own parser, and keeps how numbers are spelled. Faults are: duplicate
 * keys, NUL, lone surrogates, invalid UTF-8, depth, too many values, and any error of grammar. */
#ifndef SKYLARK_FCGI_JSON_READ_H
#define SKYLARK_FCGI_JSON_READ_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#define JSON_READ_DEPTH_MAX 32
/* Bytes of a key that a path shows; so a path has at most JSON_READ_DEPTH_MAX times that and a little more. */
#define JSON_READ_KEY_SHOWN 256

/* One fault, in the order of the text. path names the place as the API does ("instance_envvars.A", "volumes[1]"), "" for the
 * whole; both strings are valid during the call only. Returns whether to go on. */
typedef bool json_read_fault(void *context, const char *path, const char *detail);

/* Reports every duplicate key and every text that can't be taken. Stops when fault says so, with more than values_max values
 * (whatever is in an array or object, and itself; keys are none), and at the first fault of grammar, since nothing after it can
 * be trusted. Returns the number of faults. *out is the value, which the caller puts; NULL with any fault, and for null. Numbers
 * are doubles (json_type_double, infinite ones too) whose json_object_to_json_string is the text's own spelling. */
int json_read(const char *text, size_t len, unsigned values_max, json_read_fault *fault, void *context,
              struct json_object **out) __attribute__((warn_unused_result));

#endif
