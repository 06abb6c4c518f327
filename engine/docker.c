/* The Docker driver: the connection, the API version, one blocking call. */
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "engine/docker_internal.h"

/* The newest API whose answers this driver was written for. */
#define API_MINOR_KNOWN 47

static const char endpoint_scheme[] = "unix://";

struct engine *engine_create(const struct engine_options *options)
{
    if (strncmp(options->endpoint, endpoint_scheme, strlen(endpoint_scheme)) != 0) {
        log_error("engine endpoint %s is not of the form unix:///path", options->endpoint);
        return NULL;
    }
    struct engine *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->call_deadline_ms = options->call_deadline_ms;
    e->socket_path = strdup(options->endpoint + strlen(endpoint_scheme));
    e->curl = curl_easy_init();
    if (e->socket_path == NULL || e->curl == NULL) {
        engine_free(e);
        return NULL;
    }
    return e;
}

void engine_free(struct engine *e)
{
    if (e == NULL)
        return;
    curl_easy_cleanup(e->curl);
    free(e->socket_path);
    buf_free(&e->error);
    buf_free(&e->reply);
    json_object_put(e->description);
    json_object_put(e->about);
    free(e);
}

const char *engine_error(const struct engine *e)
{
    return buf_text(&e->error);
}

bool engine_unusable(enum engine_status status)
{
    return status == ENGINE_AWAY || status == ENGINE_STOPPED;
}

void docker_texts_free(char **texts)
{
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
        free(texts[i]);
    free(texts);
}

const char *docker_text(struct json_object *object, const char *name)
{
    struct json_object *value;
    const char *text = json_object_object_get_ex(object, name, &value) ? json_object_get_string(value) : NULL;
    return text != NULL ? text : "";
}

void docker_add_encoded(struct buf *b, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c) != NULL)
            buf_addc(b, (char)c);
        else
            buf_addf(b, "%%%02X", c);
    }
}

void docker_add_label_filter(struct buf *b, const char *installation, const char *label, const char *value, const char *extra)
{
    struct buf json = {0}, text = {0};
    buf_addf(&text, "skylark.installation=%s", installation);
    buf_adds(&json, "{\"label\":[");
    buf_add_json(&json, buf_text(&text), text.len);
    if (label != NULL) {
        buf_clear(&text);
        buf_addf(&text, "%s%s%s", label, value != NULL ? "=" : "", value != NULL ? value : "");
        buf_addc(&json, ',');
        buf_add_json(&json, buf_text(&text), text.len);
    }
    buf_addf(&json, "]%s}", extra);
    docker_add_encoded(b, buf_text(&json));
    buf_free(&json);
    buf_free(&text);
}

static void set_error(struct engine *e, const char *text)
{
    buf_clear(&e->error);
    buf_adds(&e->error, text);
}

enum engine_status docker_transport_failure(struct engine *e, CURLcode code)
{
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        set_error(e, "told to stop");
        return ENGINE_STOPPED;
    }
    e->version[0] = '\0'; /* who answers next may be another engine */
    buf_clear(&e->error);
    buf_addf(&e->error, "no answer from the container engine: %s", curl_easy_strerror(code));
    return ENGINE_AWAY;
}

enum engine_status docker_http_failure(struct engine *e, long http, const char *body)
{
    struct json_object *json = json_tokener_parse(body);
    const char *message = json_object_is_type(json, json_type_object) ? docker_text(json, "message") : "";
    buf_clear(&e->error);
    if (message[0] != '\0')
        buf_adds(&e->error, message);
    else
        buf_addf(&e->error, "the engine answered with HTTP status %ld", http);
    json_object_put(json);
    switch (http) {
    case 400:
    case 403:
    case 405:
        return ENGINE_REFUSED;
    case 404:
        return ENGINE_NOT_FOUND;
    case 409:
        return ENGINE_CONFLICT;
    default:
        return ENGINE_FAILED;
    }
}

static size_t take_reply(char *data, size_t size, size_t n, void *context)
{
    struct buf *reply = context;
    buf_add(reply, data, size * n);
    return reply->failed ? 0 : size * n;
}

void docker_prepare(const struct engine *e, CURL *curl, const char *method, const char *url)
{
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, e->socket_path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"); /* whatever the environment says */
}

/* One exchange; http is set when there was an answer. The answer is in e->reply. */
static enum engine_status exchange(struct engine *e, const char *method, const char *url, const char *body, long *http)
{
    struct curl_slist *headers = NULL;
    buf_clear(&e->reply);
    docker_prepare(e, e->curl, method, url);
    curl_easy_setopt(e->curl, CURLOPT_TIMEOUT_MS, (long)e->call_deadline_ms);
    curl_easy_setopt(e->curl, CURLOPT_WRITEFUNCTION, take_reply);
    curl_easy_setopt(e->curl, CURLOPT_WRITEDATA, &e->reply);
    if (body != NULL) {
        headers = curl_slist_append(headers, "Content-Type: application/json");
        curl_easy_setopt(e->curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(e->curl, CURLOPT_POSTFIELDS, body);
    } else if (strcmp(method, "POST") == 0) {
        curl_easy_setopt(e->curl, CURLOPT_POSTFIELDS, "");
    }
    CURLcode code = curl_easy_perform(e->curl);
    curl_slist_free_all(headers);
    if (code != CURLE_OK)
        return docker_transport_failure(e, code);
    curl_easy_getinfo(e->curl, CURLINFO_RESPONSE_CODE, http);
    return ENGINE_OK;
}

static int minor_of(const char *version)
{
    return strncmp(version, "1.", 2) == 0 ? (int)strtol(version + 2, NULL, 10) : -1;
}

enum engine_status docker_negotiate(struct engine *e)
{
    if (e->version[0] != '\0')
        return ENGINE_OK;
    long http;
    enum engine_status status = exchange(e, "GET", "http://engine/version", NULL, &http);
    if (status != ENGINE_OK)
        return status;
    if (http != 200)
        return docker_http_failure(e, http, buf_text(&e->reply));
    json_object_put(e->about);
    e->about = json_tokener_parse(buf_text(&e->reply));
    int newest = minor_of(docker_text(e->about, "ApiVersion")), oldest = minor_of(docker_text(e->about, "MinAPIVersion"));
    if (newest < 0 || oldest > API_MINOR_KNOWN) {
        buf_clear(&e->error);
        buf_addf(&e->error, "the engine speaks API %s to %s, this driver knows 1.%d at most",
                 docker_text(e->about, "MinAPIVersion"), docker_text(e->about, "ApiVersion"), API_MINOR_KNOWN);
        return ENGINE_FAILED;
    }
    snprintf(e->version, sizeof e->version, "1.%d", newest < API_MINOR_KNOWN ? newest : API_MINOR_KNOWN);
    return ENGINE_OK;
}

enum engine_status docker_call(struct engine *e, const char *method, const char *path, struct json_object *body,
                               struct json_object **reply)
{
    if (reply != NULL)
        *reply = NULL;
    enum engine_status status = docker_negotiate(e);
    if (status != ENGINE_OK)
        return status;
    struct buf url = {0};
    buf_addf(&url, "http://engine/v%s%s", e->version, path);
    long http = 0;
    status = exchange(e, method, buf_text(&url), body != NULL ? json_object_to_json_string(body) : NULL, &http);
    buf_free(&url);
    if (status != ENGINE_OK)
        return status;
    if (http == 304) /* it is so already */
        return ENGINE_OK;
    if (http < 200 || http > 299)
        return docker_http_failure(e, http, buf_text(&e->reply));
    if (reply == NULL || e->reply.len == 0)
        return ENGINE_OK;
    *reply = json_tokener_parse(buf_text(&e->reply));
    if (*reply != NULL || strcmp(buf_text(&e->reply), "null\n") == 0)
        return ENGINE_OK;
    set_error(e, "the engine's answer is not JSON");
    return ENGINE_FAILED;
}

enum engine_status engine_describe(struct engine *e, struct engine_description *d)
{
    *d = (struct engine_description){0};
    /* Asked anew each time: an engine that was replaced may speak another version. */
    e->version[0] = '\0';
    struct json_object *info, *value;
    enum engine_status status = docker_call(e, "GET", "/info", NULL, &info);
    if (status != ENGINE_OK)
        return status;
    json_object_put(e->description);
    e->description = info;
    d->id = docker_text(info, "ID");
    d->name = docker_text(info, "Name");
    d->version = docker_text(e->about, "Version");
    d->api_version = e->version;
    if (json_object_object_get_ex(info, "NCPU", &value))
        d->cpus = json_object_get_int64(value);
    if (json_object_object_get_ex(info, "MemTotal", &value))
        d->memory_bytes = json_object_get_int64(value);
    if (d->id[0] != '\0')
        return ENGINE_OK;
    set_error(e, "the engine does not say its id");
    return ENGINE_FAILED;
}
