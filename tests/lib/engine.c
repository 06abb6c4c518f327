/* The container engine as it sees itself. */
#include "tests/lib/engine.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/api.h"
#include "tests/lib/world.h"

static struct http_response ask(const char *method, const char *body, const char *path)
{
    return http_do(&(struct http_call){.method = method, .base = "http://engine", .path = path, .body = body,
                                       .unix_socket = world.engine_socket});
}

long engine_call(const char *method, const char *body, struct json_object **json, const char *path, ...)
{
    char place[2048];
    va_list ap;
    va_start(ap, path);
    vsnprintf(place, sizeof place, path, ap);
    va_end(ap);
    struct http_response r = ask(method, body, place);
    long status = r.status;
    if (json != NULL)
        *json = r.body_len > 0 ? json_tokener_parse(r.body) : NULL;
    http_free(&r);
    return status;
}

/* The list at that path whose label filter is the labels; at: where in the answer it is. */
static int list(const char *path, const char *labels, const char *at, struct json_object **json)
{
    struct json_object *filters = json_object_new_object(), *array = json_object_new_array(), *answer = NULL;
    char *copy = strdup(labels), *rest = copy;
    for (char *label; (label = strsep(&rest, " ")) != NULL;)
        if (label[0] != '\0')
            json_object_array_add(array, json_object_new_string(label));
    free(copy);
    json_object_object_add(filters, "label", array);
    char *escaped = curl_easy_escape(NULL, json_object_to_json_string_ext(filters, JSON_C_TO_STRING_PLAIN), 0);
    long status = engine_call("GET", NULL, &answer, "%sfilters=%s", path, escaped);
    curl_free(escaped);
    json_object_put(filters);
    struct json_object *found = doc_at(answer, at);
    int n = -1;
    if (status == 200)
        n = json_object_is_type(found, json_type_array) ? (int)json_object_array_length(found) : 0;
    if (json != NULL)
        *json = json_object_get(found);
    json_object_put(answer);
    return n;
}

int engine_list_containers(const char *labels, bool all, struct json_object **json)
{
    return list(all ? "/containers/json?all=1&" : "/containers/json?", labels, "", json);
}

int engine_networks(const char *labels, struct json_object **json)
{
    return list("/networks?", labels, "", json);
}

int engine_volumes(const char *labels, struct json_object **json)
{
    return list("/volumes?", labels, "Volumes", json);
}

int engine_containers(const char *space, const char *service, bool all, struct json_object **json)
{
    char labels[300];
    snprintf(labels, sizeof labels, "skylark.namespace=%s skylark.name=%s", space, service);
    return engine_list_containers(labels, all, json);
}

/* A label; its name has dots, so doc_at() can't find it. */
static const char *label(struct json_object *labels, const char *name)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(labels, name, &value);
    return value != NULL ? json_object_get_string(value) : "";
}

static int networks_of(struct json_object *networks, char (*addresses)[48], int max)
{
    int n = 0;
    if (!json_object_is_type(networks, json_type_object))
        return 0;
    json_object_object_foreach(networks, name, one) {
        (void)name;
        const char *address = doc_text(one, "IPAddress");
        if (address[0] != '\0' && n < max)
            snprintf(addresses[n++], sizeof addresses[0], "%s", address);
    }
    return n;
}

bool engine_find(const char *service, int slot, struct engine_container *c)
{
    char labels[300];
    struct json_object *found;
    snprintf(labels, sizeof labels, slot >= 0 ? "skylark.name=%s skylark.slot=%d" : "skylark.name=%s", service, slot);
    *c = (struct engine_container){0};
    bool there = engine_list_containers(labels, false, &found) > 0;
    if (there) {
        struct json_object *one = json_object_array_get_idx(found, 0), *labels_of = doc_at(one, "Labels");
        snprintf(c->id, sizeof c->id, "%s", doc_text(one, "Id"));
        snprintf(c->name, sizeof c->name, "%s", doc_text(one, "Names[0]"));
        snprintf(c->image, sizeof c->image, "%s", doc_text(one, "Image"));
        snprintf(c->label_instance, sizeof c->label_instance, "%s", label(labels_of, "skylark.instance"));
        c->generation = atoi(label(labels_of, "skylark.generation"));
        networks_of(doc_at(one, "NetworkSettings.Networks"), &c->address, 1);
    }
    json_object_put(found);
    return there;
}

int engine_addresses(const char *id, char (*addresses)[48], int max)
{
    struct json_object *one;
    engine_call("GET", NULL, &one, "/containers/%s/json", id);
    int n = networks_of(doc_at(one, "NetworkSettings.Networks"), addresses, max);
    json_object_put(one);
    return n;
}

bool engine_kill(const char *id)
{
    return engine_call("POST", NULL, NULL, "/containers/%s/kill", id) == 204;
}

bool engine_kill_one(const char *service, int slot, char *id)
{
    struct engine_container c;
    bool there = engine_find(service, slot, &c);
    if (id != NULL)
        strcpy(id, c.id);
    return there && engine_kill(c.id);
}

/* Takes the engine's frames apart: stream, three zeros, four bytes of length. */
static char *unframed(const struct http_response *r)
{
    char *text = calloc(1, r->body_len + 1);
    size_t n = 0;
    for (size_t at = 0; at + 8 <= r->body_len;) {
        const unsigned char *head = (const unsigned char *)r->body + at;
        size_t len = (size_t)head[4] << 24 | (size_t)head[5] << 16 | (size_t)head[6] << 8 | head[7];
        at += 8;
        len = len < r->body_len - at ? len : r->body_len - at;
        memcpy(text + n, r->body + at, len);
        n += len;
        at += len;
    }
    return text;
}

char *engine_exec(const char *id, int *status, const char *const *command)
{
    struct json_object *body = json_object_new_object(), *words = json_object_new_array(), *made = NULL, *ended = NULL;
    for (; *command != NULL; command++)
        json_object_array_add(words, json_object_new_string(*command));
    json_object_object_add(body, "Cmd", words);
    json_object_object_add(body, "AttachStdout", json_object_new_boolean(true));
    json_object_object_add(body, "AttachStderr", json_object_new_boolean(true));
    engine_call("POST", json_object_to_json_string(body), &made, "/containers/%s/exec", id);
    json_object_put(body);
    char path[256];
    snprintf(path, sizeof path, "/exec/%s/start", doc_text(made, "Id"));
    struct http_response r = ask("POST", "{\"Detach\":false,\"Tty\":false}", path);
    char *text = unframed(&r);
    http_free(&r);
    engine_call("GET", NULL, &ended, "/exec/%s/json", doc_text(made, "Id"));
    int64_t code = doc_int(ended, "ExitCode");
    if (status != NULL)
        *status = code == INT64_MIN ? -1 : (int)code;
    json_object_put(made);
    json_object_put(ended);
    return text;
}
