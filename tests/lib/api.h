/* The API as tests use it: an answer with its document, and values in it by their place. */
#ifndef SKYLARK_TESTS_LIB_API_H
#define SKYLARK_TESTS_LIB_API_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/http.h"

struct answer {
    long status;
    struct json_object *json; /* NULL when the body is none */
    struct http_response raw;
};

/* A request with the whole token of madams. body may be NULL. path is printf's. */
struct answer api(const char *method, const char *body, const char *path, ...) __attribute__((format(printf, 3, 4)));
/* The same with that token (NULL: none). */
struct answer api_as(const char *token, const char *method, const char *body, const char *path, ...)
    __attribute__((format(printf, 4, 5)));
/* Any request; sent again, for 30 s at the most, while nginx's limit on logins refuses it: tests log in faster than people. */
struct answer api_call(const struct http_call *call);
/* Any request, once. Like all of these, checks that JSON is written "key": value, as clients that grep expect it. */
struct answer api_call_once(const struct http_call *call);
void api_free(struct answer *answer);
/* Makes the request of api(), drops the answer, returns its status. */
long api_status(const char *method, const char *body, const char *path, ...) __attribute__((format(printf, 3, 4)));

/* The value at a place such as "results[0].region.name"; NULL when there is none (or it is null). */
struct json_object *doc_at(struct json_object *json, const char *place);
/* "" when it is no text. */
const char *doc_text(struct json_object *json, const char *place);
/* INT64_MIN when it is no whole number. */
int64_t doc_int(struct json_object *json, const char *place);
int64_t doc_len(struct json_object *json, const char *place);

/* Whether the problem's errors name exactly these fields, separated by blanks, in any order. "*" in front: at
 * least these. */
bool doc_names(struct json_object *problem, const char *fields);

/* Checks that it is a problem document of that status, as section 3 of the design has it; what says which. */
void check_problem(const struct answer *answer, long status, const char *what);

#endif
