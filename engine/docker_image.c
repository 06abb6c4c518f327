/* Images: finding and pulling them. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/signals.h"
#include "engine/docker_internal.h"
#include "engine/docker_pull.h"

enum engine_status engine_image_find(struct engine *e, const char *image_ref, char **image_id)
{
    struct buf path = {0};
    struct json_object *image;
    *image_id = NULL;
    buf_adds(&path, "/images/");
    docker_add_encoded(&path, image_ref);
    buf_adds(&path, "/json");
    enum engine_status status = docker_call(e, "GET", buf_text(&path), NULL, &image);
    buf_free(&path);
    if (status == ENGINE_OK)
        *image_id = strdup(docker_text(image, "Id"));
    json_object_put(image);
    return status == ENGINE_OK && *image_id == NULL ? ENGINE_FAILED : status;
}

#define LINE_MAX_BYTES (1 << 20)

struct pull {
    struct engine *engine;
    struct docker_pull progress;
    engine_progress *report;
    void *context;
    struct buf line;
};

static void pull_line(struct pull *p)
{
    if (docker_pull_line(&p->progress, buf_text(&p->line)) && p->report != NULL)
        p->report(p->context, docker_pull_sentence(&p->progress));
    buf_clear(&p->line);
}

static size_t take_progress(char *data, size_t size, size_t n, void *context)
{
    struct pull *p = context;
    size_t len = size * n;
    long http = 0;
    curl_easy_getinfo(p->engine->curl, CURLINFO_RESPONSE_CODE, &http);
    if (http != 200) { /* one error, not lines of progress */
        buf_add(&p->line, data, len);
        return p->line.failed || p->line.len > LINE_MAX_BYTES ? 0 : len;
    }
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n')
            pull_line(p);
        else
            buf_addc(&p->line, data[i]);
    }
    /* A line that never ends is no progress. */
    return p->line.failed || p->line.len > LINE_MAX_BYTES ? 0 : len;
}

static int check_stop(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)context, (void)a, (void)b, (void)c, (void)d;
    return signals_stop();
}

/* Words by which engines say that they never got to the registry, as against its saying no. */
static bool says_registry_away(const char *error)
{
    static const char *const words[] = {
        "connection refused", "no such host", "i/o timeout", "network is unreachable", "no route to host",
        "TLS handshake timeout", "request canceled", "Client.Timeout", "server misbehaving", "context deadline exceeded",
        "connection reset", "EOF", "x509:", "dial tcp", "503 Service Unavailable", "502 Bad Gateway",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strstr(error, words[i]) != NULL)
            return true;
    }
    return false;
}

static enum engine_status pull_run(struct engine *e, struct pull *p, const char *url, int64_t idle_ms)
{
    long http = 0;
    docker_prepare(e, e->curl, "POST", url);
    curl_easy_setopt(e->curl, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(e->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)e->call_deadline_ms);
    curl_easy_setopt(e->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(e->curl, CURLOPT_LOW_SPEED_TIME, (long)(idle_ms / 1000 > 0 ? idle_ms / 1000 : 1));
    curl_easy_setopt(e->curl, CURLOPT_WRITEFUNCTION, take_progress);
    curl_easy_setopt(e->curl, CURLOPT_WRITEDATA, p);
    curl_easy_setopt(e->curl, CURLOPT_XFERINFOFUNCTION, check_stop);
    curl_easy_setopt(e->curl, CURLOPT_NOPROGRESS, 0L);
    CURLcode code = curl_easy_perform(e->curl);
    if (code != CURLE_OK)
        return docker_transport_failure(e, code);
    curl_easy_getinfo(e->curl, CURLINFO_RESPONSE_CODE, &http);
    if (p->line.len > 0 && http == 200)
        pull_line(p);
    if (http != 200)
        return docker_http_failure(e, http, buf_text(&p->line));
    if (docker_pull_error(&p->progress)[0] == '\0')
        return ENGINE_OK;
    buf_clear(&e->error);
    buf_adds(&e->error, docker_pull_error(&p->progress));
    return strstr(engine_error(e), "not found") != NULL ? ENGINE_NOT_FOUND : ENGINE_REFUSED;
}

enum engine_status engine_image_pull(struct engine *e, const char *image_name, const char *image_tag, int64_t idle_ms,
                                     engine_progress *progress, void *context, bool *registry_away)
{
    if (registry_away != NULL)
        *registry_away = false;
    enum engine_status status = docker_negotiate(e);
    if (status != ENGINE_OK)
        return status;
    struct pull p = {.engine = e, .report = progress, .context = context};
    struct buf url = {0};
    buf_addf(&url, "http://engine/v%s/images/create?fromImage=", e->version);
    docker_add_encoded(&url, image_name);
    buf_adds(&url, "&tag=");
    docker_add_encoded(&url, image_tag);
    status = pull_run(e, &p, buf_text(&url), idle_ms);
    if (status != ENGINE_OK && status != ENGINE_AWAY && status != ENGINE_STOPPED && registry_away != NULL)
        *registry_away = says_registry_away(engine_error(e));
    docker_pull_clear(&p.progress);
    buf_free(&p.line);
    buf_free(&url);
    return status;
}
