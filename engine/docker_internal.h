/* What the files of the Docker driver share and nobody else sees. */
#ifndef SKYLARK_ENGINE_DOCKER_INTERNAL_H
#define SKYLARK_ENGINE_DOCKER_INTERNAL_H

#include <curl/curl.h>
#include <json-c/json.h>

#include "common/buf.h"
#include "engine/engine.h"

struct engine {
    char *socket_path;
    int64_t call_deadline_ms;
    CURL *curl; /* kept, so that its connection is */
    char version[16]; /* negotiated API version; "" until then, and again after the engine was away */
    struct buf error;
    struct buf reply;
    struct json_object *description; /* owns the strings of the last engine_describe */
    struct json_object *about;       /* reply of GET /version */
};

/* One call: method, path (behind the version, with its query), and a body (NULL: none). On ENGINE_OK *reply (may be
 * NULL) is the parsed answer, NULL for an empty one; the caller puts it. Otherwise engine->error has the engine's
 * words. */
enum engine_status docker_call(struct engine *engine, const char *method, const char *path, struct json_object *body,
                               struct json_object **reply) __attribute__((warn_unused_result));

/* Makes sure that engine->version is known. */
enum engine_status docker_negotiate(struct engine *engine) __attribute__((warn_unused_result));

/* Prepares a handle for one URL over the socket. */
void docker_prepare(const struct engine *engine, CURL *curl, const char *method, const char *url);

/* What curl's own failure means; the words go to engine->error. */
enum engine_status docker_transport_failure(struct engine *engine, CURLcode code);

/* What an HTTP status means; the message of the JSON body goes to engine->error. */
enum engine_status docker_http_failure(struct engine *engine, long http, const char *body);

/* Adds text percent-encoded as one value of a query string. */
void docker_add_encoded(struct buf *b, const char *text);

/* The query value {"label":["k=v",…]} of a filter by installation and (unless NULL) one more label, of that value (NULL:
 * any), encoded; extra: further members of the object as JSON, "" for none. */
void docker_add_label_filter(struct buf *b, const char *installation, const char *label, const char *value, const char *extra);

/* The text of a member, "" when it is absent. Borrowed. */
const char *docker_text(struct json_object *object, const char *name);

/* NULL-terminated, or NULL. */
void docker_texts_free(char **texts);

/* A container's place in a network as JSON. The caller puts it. */
struct json_object *docker_endpoint(const char *const *aliases, const char *const *links);

/* The JSON body that makes a container of a spec. The caller puts it. */
struct json_object *docker_container_body(const struct engine_container_spec *spec);

#endif
