/* What the end-to-end suites share. */
#include "tests/e2e/e2e.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_MAX 20000

int engine_containers(const char *space, const char *service, bool all, struct json_object **json)
{
    char path[1024], filters[512];
    snprintf(filters, sizeof filters, "{\"label\":[\"skylark.namespace=%s\",\"skylark.name=%s\"]}", space, service);
    char *escaped = curl_easy_escape(NULL, filters, 0);
    snprintf(path, sizeof path, "/containers/json?all=%d&filters=%s", all, escaped);
    curl_free(escaped);
    struct answer a = api_call(&(struct http_call){.base = "http://engine", .path = path, .unix_socket = world.engine_socket,
                                                   .timeout_ms = 10000});
    int n = a.status == 200 ? (int)doc_len(a.json, "") : -1;
    if (json != NULL)
        *json = json_object_get(a.json);
    api_free(&a);
    return n;
}

bool service_create(const char *name, const char *tag, int instances, const char *more)
{
    char body[2048];
    snprintf(body, sizeof body,
             "{\"service_name\":\"%s\",\"image_name\":\"%s/team/work\",\"image_tag\":\"%s\",\"instance_size\":\"XXS\","
             "\"target_num_instances\":%d%s}",
             name, world.registry, tag, instances, more);
    struct answer a = api("POST", body, "/v1/services/madams/");
    bool made = CHECK(a.status == 201, "create %s: %ld %s", name, a.status, a.raw.body);
    api_free(&a);
    return made;
}

bool service_runs(const char *space, const char *name, int instances, double seconds)
{
    char last[2048] = "";
    int running = -1, all = -1;
    for (double end = 0; world_waiting(&end, seconds);) {
        struct answer a = api_as(strcmp(space, "demo") == 0 ? world.demo_token : world.token, "GET", NULL, "/v1/services/%s/%s/", space, name);
        bool says = a.status == 200 && strcmp(doc_text(a.json, "current_status"), "Running") == 0 &&
                    doc_int(a.json, "started_num_instances") == instances && doc_int(a.json, "current_num_instances") == instances &&
                    doc_len(a.json, "instances") == instances;
        snprintf(last, sizeof last, "%ld %s", a.status, a.raw.body);
        api_free(&a);
        if (!says)
            continue;
        running = engine_containers(space, name, false, NULL);
        all = engine_containers(space, name, true, NULL);
        if (running == instances && all == instances)
            return true;
    }
    return CHECK(false, "%s does not run with %d after %.0f s: the engine runs %d and has %d; %s", name, instances, seconds,
                 running, all, last);
}

bool service_says(const char *name, const char *status, const char *text, double seconds)
{
    char last[1024] = "";
    for (double end = 0; world_waiting(&end, seconds);) {
        struct answer a = api("GET", NULL, "/v1/services/madams/%s/", name);
        bool says = strcmp(doc_text(a.json, "current_status"), status) == 0 && strstr(doc_text(a.json, "status_message"), text) != NULL;
        snprintf(last, sizeof last, "%ld %s: %s", a.status, doc_text(a.json, "current_status"), doc_text(a.json, "status_message"));
        api_free(&a);
        if (says)
            return true;
    }
    return CHECK(false, "%s does not say %s with \"%s\" after %.0f s: %s", name, status, text, seconds, last);
}

void service_delete(const char *name)
{
    CHECK(api_status("DELETE", NULL, "/v1/services/madams/%s/", name) == 204, "delete %s", name);
    int left = -1;
    for (double end = 0; left != 0 && world_waiting(&end, 40);)
        left = engine_containers("madams", name, true, NULL);
    CHECK(left == 0, "%s is deleted and has %d containers", name, left);
}

bool process_kill(const char *name)
{
    int pid = world_pid(name);
    if (pid <= 1 || kill(-pid, SIGKILL) != 0)
        return CHECK(false, "%s, pid %d, can't be killed", name, pid);
    for (double end = 0; world_waiting(&end, 10);) {
        int status;
        free(world_shell(&status, "ps -o stat= -g %d | grep -qv Z", pid));
        if (status != 0)
            return true;
    }
    return CHECK(false, "%s, pid %d, lives on", name, pid);
}

bool local_run(void)
{
    int status;
    char *text = world_shell(&status, "unset MAKEFLAGS; \"$ROOT/local/run\" 2>&1");
    bool good = CHECK(status == 0, "local/run: %d: %.1500s", status, text);
    free(text);
    return good;
}

struct sample {
    double engine_at, shown_at; /* just before the engine was asked; just after the document was there */
    int running, existing, started, current;
};

struct sampler {
    pthread_t thread;
    atomic_bool stop;
    char service[64];
    size_t n;
    struct sample samples[SAMPLES_MAX];
};

static int not_ended(struct json_object *list)
{
    int n = 0;
    for (size_t i = 0; json_object_is_type(list, json_type_array) && i < json_object_array_length(list); i++) {
        const char *state = doc_text(json_object_array_get_idx(list, i), "State");
        n += strcmp(state, "running") == 0 || strcmp(state, "created") == 0 || strcmp(state, "paused") == 0;
    }
    return n;
}

static int running_of(struct json_object *list)
{
    int n = 0;
    for (size_t i = 0; json_object_is_type(list, json_type_array) && i < json_object_array_length(list); i++)
        n += strcmp(doc_text(json_object_array_get_idx(list, i), "State"), "running") == 0;
    return n;
}

static void *sampler_run(void *context)
{
    struct sampler *s = context;
    while (!s->stop && s->n < SAMPLES_MAX) {
        struct sample *x = &s->samples[s->n];
        struct json_object *list;
        x->engine_at = world_now();
        int known = engine_containers("madams", s->service, true, &list);
        x->running = known < 0 ? -1 : running_of(list);
        x->existing = known < 0 ? -1 : not_ended(list);
        json_object_put(list);
        struct answer a = api("GET", NULL, "/v1/services/madams/%s/", s->service);
        x->shown_at = world_now();
        x->started = a.status == 200 ? (int)doc_int(a.json, "started_num_instances") : -1;
        x->current = a.status == 200 ? (int)doc_int(a.json, "current_num_instances") : -1;
        api_free(&a);
        s->n++;
        world_nap();
    }
    http_end();
    return NULL;
}

struct sampler *sampler_start(const char *service)
{
    struct sampler *s = calloc(1, sizeof *s);
    snprintf(s->service, sizeof s->service, "%s", service);
    pthread_create(&s->thread, NULL, sampler_run, s);
    return s;
}

/* What the engine showed within the delay before a sample, and at it. */
static void window(const struct sampler *s, size_t i, double delay, int *low, int *high, int *most)
{
    *low = 1 << 20;
    *high = *most = -1;
    /* One sample further on both sides: the engine may have changed between two looks at it. */
    for (size_t j = 0; j < s->n; j++) {
        bool early = j + 1 < s->n && s->samples[j + 1].engine_at < s->samples[i].shown_at - delay;
        if (early || j > i + 1 || s->samples[j].running < 0)
            continue;
        *low = s->samples[j].running < *low ? s->samples[j].running : *low;
        *high = s->samples[j].running > *high ? s->samples[j].running : *high;
        *most = s->samples[j].existing > *most ? s->samples[j].existing : *most;
    }
}

void sampler_stop(struct sampler *s, double delay, int least, const char *what)
{
    s->stop = true;
    pthread_join(s->thread, NULL);
    CHECK(s->n > 10, "%s: only %zu samples", what, s->n);
    int lies = 0, below = 0;
    char first[256] = "";
    for (size_t i = 0; i < s->n; i++) {
        const struct sample *x = &s->samples[i];
        int low, high, most;
        window(s, i, delay, &low, &high, &most);
        bool lie = x->started < 0 || x->started < low || x->started > high || x->current > most;
        if (lie && first[0] == '\0')
            snprintf(first, sizeof first, "at %.2f s: started %d, current %d, but the engine ran %d to %d, had at most %d",
                     x->shown_at - s->samples[0].shown_at, x->started, x->current, low, high, most);
        lies += lie;
        below += x->running >= 0 && x->running < least;
    }
    CHECK(lies == 0, "%s: %d of %zu samples are not true within %.1f s; %s", what, lies, s->n, delay, first);
    CHECK(below == 0, "%s: in %d of %zu samples the engine ran fewer than %d", what, below, s->n, least);
    free(s);
}
