/* Followed logs, the watch for events and questions that are answered once, all in one loop over curl's multi interface. */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/signals.h"
#include "engine/docker_internal.h"
#include "engine/docker_log.h"
#include "engine/docker_usage.h"

#define ERROR_BODY_MAX 4096
#define EVENT_LINE_MAX (1 << 20)
#define ANSWER_MAX (1 << 20)

enum stream_kind { STREAM_LOG, STREAM_EVENTS, STREAM_USAGE };

struct engine_stream {
    struct engine_loop *loop;
    struct engine_stream *next, *previous;
    CURL *curl;
    bool closed; /* by the user, from inside a callback */
    bool broken; /* what came is not what the engine's API promises */
    enum stream_kind kind;
    struct docker_log log;
    struct engine_log_handler log_handler;
    struct engine_event_handler event_handler;
    struct engine_usage_handler usage_handler;
    struct buf line; /* of events; or an answer; or the beginning of an error's body */
};

struct engine_loop {
    struct engine *engine; /* for the version, and for what errors mean */
    CURLM *multi;
    struct engine_stream *streams;
    bool inside; /* callbacks run: no handle may be removed now */
};

struct engine_loop *engine_loop_create(const struct engine_options *options)
{
    struct engine_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return NULL;
    loop->engine = engine_create(options);
    loop->multi = curl_multi_init();
    if (loop->engine == NULL || loop->multi == NULL) {
        engine_loop_free(loop);
        return NULL;
    }
    return loop;
}

static void stream_free(struct engine_stream *s)
{
    struct engine_loop *loop = s->loop;
    if (s->previous != NULL)
        s->previous->next = s->next;
    else if (loop->streams == s)
        loop->streams = s->next;
    if (s->next != NULL)
        s->next->previous = s->previous;
    if (s->curl != NULL) {
        curl_multi_remove_handle(loop->multi, s->curl);
        curl_easy_cleanup(s->curl);
    }
    docker_log_clear(&s->log);
    buf_free(&s->line);
    free(s);
}

void engine_loop_free(struct engine_loop *loop)
{
    if (loop == NULL)
        return;
    while (loop->streams != NULL)
        stream_free(loop->streams);
    if (loop->multi != NULL)
        curl_multi_cleanup(loop->multi);
    engine_free(loop->engine);
    free(loop);
}

void engine_stream_close(struct engine_stream *s)
{
    if (s->loop->inside)
        s->closed = true; /* its transfer ends with its next byte, or right after the callbacks */
    else
        stream_free(s);
}

void engine_stream_pause(struct engine_stream *s, bool pause)
{
    /* Going on may hand over at once what curl has held back. */
    bool before = s->loop->inside;
    s->loop->inside = true;
    CURLcode code = curl_easy_pause(s->curl, pause ? CURLPAUSE_RECV : CURLPAUSE_CONT);
    s->loop->inside = before;
    if (code != CURLE_OK)
        log_warning("pausing a stream: %s", curl_easy_strerror(code));
}

static void event_line(struct engine_stream *s)
{
    struct json_object *event = json_tokener_parse(buf_text(&s->line)), *actor = NULL, *attributes = NULL;
    if (json_object_is_type(event, json_type_object)) {
        if (json_object_object_get_ex(event, "Actor", &actor))
            json_object_object_get_ex(actor, "Attributes", &attributes);
        struct engine_event e = {
            .action = docker_text(event, "Action"),
            .container_id = docker_text(actor, "ID"),
            .service = docker_text(attributes, "skylark.service"),
            .instance = docker_text(attributes, "skylark.instance"),
        };
        s->event_handler.event(s->event_handler.context, &e);
    }
    json_object_put(event);
    buf_clear(&s->line);
}

static void events_take(struct engine_stream *s, const char *data, size_t len)
{
    for (size_t i = 0; i < len && !s->closed; i++) {
        if (data[i] == '\n')
            event_line(s);
        else
            buf_addc(&s->line, data[i]);
    }
    s->broken = s->broken || s->line.failed || s->line.len > EVENT_LINE_MAX;
}

static size_t stream_take(char *data, size_t size, size_t n, void *context)
{
    struct engine_stream *s = context;
    size_t len = size * n;
    long http = 0;
    if (s->closed)
        return 0;
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &http);
    if (http != 200) {
        if (s->line.len < ERROR_BODY_MAX)
            buf_add(&s->line, data, len);
    } else if (s->kind == STREAM_EVENTS) {
        events_take(s, data, len);
    } else if (s->kind == STREAM_USAGE) {
        buf_add(&s->line, data, len);
        s->broken = s->line.failed || s->line.len > ANSWER_MAX;
    } else if (docker_log_feed(&s->log, data, len, &s->log_handler) != 0) {
        s->broken = true;
    }
    return s->broken || s->closed ? 0 : len;
}

static struct engine_stream *stream_open(struct engine_loop *loop, enum stream_kind kind, const char *path)
{
    if (docker_negotiate(loop->engine) != ENGINE_OK) {
        log_warning("opening a stream: %s", engine_error(loop->engine));
        return NULL;
    }
    struct engine_stream *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->loop = loop;
    s->kind = kind;
    s->next = loop->streams;
    if (s->next != NULL)
        s->next->previous = s;
    loop->streams = s;
    s->curl = curl_easy_init();
    if (s->curl == NULL) {
        stream_free(s);
        return NULL;
    }
    struct buf url = {0};
    buf_addf(&url, "http://engine/v%s%s", loop->engine->version, path);
    docker_prepare(loop->engine, s->curl, "GET", buf_text(&url));
    buf_free(&url);
    curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)loop->engine->call_deadline_ms);
    curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, stream_take);
    curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, s);
    curl_easy_setopt(s->curl, CURLOPT_PRIVATE, s);
    if (curl_multi_add_handle(loop->multi, s->curl) != CURLM_OK) {
        stream_free(s);
        return NULL;
    }
    return s;
}

struct engine_stream *engine_log_follow(struct engine_loop *loop, const char *container_id, int64_t since_ns,
                                        const struct engine_log_handler *handler)
{
    struct buf path = {0};
    buf_addf(&path, "/containers/%s/logs?follow=1&stdout=1&stderr=1&timestamps=1", container_id);
    if (since_ns > 0)
        buf_addf(&path, "&since=%lld.%09lld", (long long)(since_ns / 1000000000), (long long)(since_ns % 1000000000));
    struct engine_stream *s = stream_open(loop, STREAM_LOG, buf_text(&path));
    buf_free(&path);
    if (s != NULL)
        s->log_handler = *handler;
    return s;
}

struct engine_stream *engine_events_watch(struct engine_loop *loop, const char *installation,
                                          const struct engine_event_handler *handler)
{
    struct buf path = {0};
    buf_adds(&path, "/events?filters=");
    docker_add_label_filter(&path, installation, NULL, NULL, ",\"type\":[\"container\"]");
    struct engine_stream *s = stream_open(loop, STREAM_EVENTS, buf_text(&path));
    buf_free(&path);
    if (s != NULL)
        s->event_handler = *handler;
    return s;
}

struct engine_stream *engine_usage_ask(struct engine_loop *loop, const char *container_id,
                                       const struct engine_usage_handler *handler)
{
    struct buf path = {0};
    /* One look, without waiting for a second one to compare with; older engines don't know one-shot and wait a second. */
    buf_addf(&path, "/containers/%s/stats?stream=false&one-shot=true", container_id);
    struct engine_stream *s = stream_open(loop, STREAM_USAGE, buf_text(&path));
    buf_free(&path);
    if (s != NULL) {
        s->usage_handler = *handler;
        curl_easy_setopt(s->curl, CURLOPT_TIMEOUT_MS, (long)loop->engine->call_deadline_ms);
    }
    return s;
}

static void usage_ended(struct engine_stream *s, enum engine_status status)
{
    struct engine_usage usage;
    if (status == ENGINE_OK)
        status = docker_usage_read(buf_text(&s->line), &usage);
    s->usage_handler.done(s->usage_handler.context, status, status == ENGINE_OK ? &usage : NULL);
}

/* A transfer is over: tells its owner and frees it. */
static void stream_ended(struct engine_stream *s, CURLcode code)
{
    long http = 0;
    enum engine_status status = ENGINE_OK;
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &http);
    if (s->broken)
        status = ENGINE_FAILED;
    else if (code != CURLE_OK)
        status = docker_transport_failure(s->loop->engine, code);
    else if (http != 200)
        status = docker_http_failure(s->loop->engine, http, buf_text(&s->line));
    if (!s->closed && s->kind == STREAM_LOG)
        s->log_handler.end(s->log_handler.context, status);
    else if (!s->closed && s->kind == STREAM_EVENTS)
        s->event_handler.end(s->event_handler.context, status);
    else if (!s->closed)
        usage_ended(s, status);
    stream_free(s);
}

static void closed_collect(struct engine_loop *loop)
{
    for (struct engine_stream *s = loop->streams, *next; s != NULL; s = next) {
        next = s->next;
        if (s->closed)
            stream_free(s);
    }
}

enum engine_status engine_loop_wait(struct engine_loop *loop, int extra_fd, int ms)
{
    const int fds[] = {signals_descriptor(), extra_fd};
    struct curl_waitfd extra[2];
    unsigned n_extra = 0;
    int running, left;
    for (size_t i = 0; i < 2; i++) {
        if (fds[i] >= 0)
            extra[n_extra++] = (struct curl_waitfd){.fd = fds[i], .events = CURL_WAIT_POLLIN};
    }
    if (curl_multi_poll(loop->multi, extra, n_extra, ms, NULL) != CURLM_OK)
        return ENGINE_FAILED;
    loop->inside = true;
    CURLMcode code = curl_multi_perform(loop->multi, &running);
    loop->inside = false;
    for (CURLMsg *m; (m = curl_multi_info_read(loop->multi, &left)) != NULL;) {
        struct engine_stream *s;
        if (m->msg != CURLMSG_DONE || curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &s) != CURLE_OK)
            continue;
        stream_ended(s, m->data.result);
    }
    closed_collect(loop);
    return code == CURLM_OK ? ENGINE_OK : ENGINE_FAILED;
}
