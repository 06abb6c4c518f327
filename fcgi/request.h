/* One HTTP request as the handlers see it, and the response they put together. */
#ifndef SKYLARK_FCGI_REQUEST_H
#define SKYLARK_FCGI_REQUEST_H

#include <fcgiapp.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/db.h"
#include "fcgi/arena.h"
#include "fcgi/form.h"
#include "fcgi/problem.h"
#include "fcgi/settings.h"
#include "fcgi/slots.h"

#define REQUEST_SEGMENTS_MAX 8
#define REQUEST_ID_SIZE 65
#define REQUEST_TOKEN_HASH_SIZE (2 + 64 + 1) /* \x and 32 bytes in hex: a bytea parameter */

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OPTIONS, HTTP_OTHER, HTTP_METHOD__MAX };

enum body_kind { BODY_NONE, BODY_JSON, BODY_URLENCODED, BODY_MULTIPART, BODY_OTHER };

struct route;

/* Who asks, once the dispatcher has found out. */
struct request_access {
    char token_id[24];
    char user_name[64];
    char namespace_id[24];
    bool token_unmarked;
};

struct request {
    FCGX_Request *fcgi;
    struct db *db;
    const struct api_settings *settings;
    const struct route *route;
    int64_t started_us; /* monotonic */

    char id[REQUEST_ID_SIZE];
    enum http_method method;
    bool head;     /* GET without a body in the answer */
    bool internal; /* came in over the listener that is not public */
    const char *address; /* client's */

    char *segments[REQUEST_SEGMENTS_MAX]; /* of the path, decoded, without empty ones */
    size_t n_segments;
    /* Captured from the path; NULL: not in it. */
    const char *namespace_name, *service_name, *instance_id, *user_name, *region_name, *organisation_name;
    struct form query;

    struct arena arena; /* what the row's own functions allocate */
    void *asked;        /* what they made of the body or query, in the arena; its type is the handler's own business */

    enum body_kind body_kind;
    struct buf body;

    char token_hash[REQUEST_TOKEN_HASH_SIZE]; /* "" without an Authorization header */
    struct request_access access;
    int long_read; /* slot that it holds while it reads long; SLOTS_FULL: none */
    int change, change_of_service; /* the same while it changes something */
    bool deadlocked; /* PostgreSQL asked for the transaction to be run again */

    /* The response: set by the handler, sent by the dispatcher. */
    struct problem problem; /* kind PROBLEM_NONE: all is well */
    const char *status;     /* "200 OK" unless set */
    const char *content_type;
    struct buf headers; /* further ones, each with its CRLF */
    struct buf reply;
    bool broken;       /* the answer can't be finished: the connection is cut so that the client sees it */
};

/* Fills a zero-initialised request from what nginx handed over: method, path, query, id, token. Faults go
 * to problem. Does not read the body. */
void request_open(struct request *rq, FCGX_Request *fcgi);

/* Frees all that the request allocated. */
void request_close(struct request *rq);

/* Reads the body, of the kinds allowed (a mask of 1 << enum body_kind) and at most limit bytes. */
void request_read_body(struct request *rq, unsigned kinds, size_t limit);

/* The body as a JSON object, strictly checked, with as many values as the route's row allows; {} for an empty one. NULL with
 * the faults in problem. It is the arena's. */
struct json_object *request_json(struct request *rq);

/* json_object_put for arena_own. */
void request_put_json(void *object);

/* A parameter that nginx set, "" when it did not. */
const char *request_parameter(const struct request *rq, const char *name);

/* Empties the response, for another try. */
void request_reset_response(struct request *rq);

/* Sends the response, or the problem, within the setting answer_deadline: to a peer that takes it more slowly it is cut off. */
void request_respond(struct request *rq);

/* What a failed call of common/db.h means to the client; DB_CONFLICT and DB_REFUSED are told apart by their
 * constraint. */
void request_db_problem(struct request *rq, enum db_status status);

#endif
