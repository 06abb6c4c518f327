/* What the end-to-end suites share. */
#include "tests/e2e/e2e.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_MAX 20000

bool service_create_of(const char *image, const char *name, int instances, const char *more)
{
    char body[3072];
    const char *colon = strrchr(image, ':');
    snprintf(body, sizeof body,
             "{\"service_name\":\"%s\",\"image_name\":\"%s/%.*s\",\"image_tag\":\"%s\",\"instance_size\":\"XXS\","
             "\"target_num_instances\":%d%s}",
             name, world.registry, (int)(colon - image), image, colon + 1, instances, more);
    struct answer a = api("POST", body, "/v1/services/madams/");
    bool made = CHECK(a.status == 201, "create %s: %ld %s", name, a.status, a.raw.body);
    api_free(&a);
    return made;
}

bool service_create(const char *name, const char *tag, int instances, const char *more)
{
    char image[64];
    snprintf(image, sizeof image, "team/work:%s", tag);
    return service_create_of(image, name, instances, more);
}

int64_t service_number(const char *name, const char *place)
{
    struct answer a = api("GET", NULL, "/v1/services/madams/%s/", name);
    int64_t number = doc_int(a.json, place);
    api_free(&a);
    return number;
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
    for (double end = 0; world_waiting(&end, 10);)
        if (world_group(pid, NULL, 0) == 0)
            return true;
    return CHECK(false, "%s, pid %d, lives on", name, pid);
}

bool process_reload(const char *name)
{
    int old[64], now[64], pid = world_pid(name), n_old = world_children(pid, old, 64);
    if (pid <= 1 || kill(pid, SIGHUP) != 0)
        return CHECK(false, "%s, pid %d, can't be reloaded", name, pid);
    for (double end = 0; world_waiting(&end, 40);) {
        int n = world_children(pid, now, 64), left = 0;
        for (int i = 0; i < n && i < 64; i++)
            for (int k = 0; k < n_old && k < 64; k++)
                left += now[i] == old[k];
        if (n > 0 && left == 0)
            return true;
    }
    return CHECK(false, "%s, pid %d, still has children of before its reload", name, pid);
}

bool setting_add(const char *name, const char *line)
{
    free(world_shell(NULL, "f='%s/etc/%s.conf'; cp -p \"$f\" \"$f.kept\" && printf '%%s\\n' '%s' >>\"$f\"", world.var, name, line));
    return process_reload(name);
}

bool setting_remove(const char *name)
{
    free(world_shell(NULL, "f='%s/etc/%s.conf'; mv \"$f.kept\" \"$f\"", world.var, name));
    return process_reload(name);
}

bool local_run(void)
{
    int status;
    char *text = world_shell(&status, "unset MAKEFLAGS; \"$ROOT/local/run\" 2>&1");
    bool good = CHECK(status == 0, "local/run: %d: %.1500s", status, text);
    free(text);
    return good;
}

bool settings_usual(bool usual)
{
    static const char *const names[] = {"SKYLARK_SAMPLE_INTERVAL", "SKYLARK_API_SETTINGS", "SKYLARK_DEPLOYER_SETTINGS", "SKYLARK_COLLECTOR_SETTINGS",
                                        "SKYLARK_ROUTER_SETTINGS", "SKYLARK_AUTOSCALER_SETTINGS"};
    static char *kept[sizeof names / sizeof names[0]];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (usual && kept[i] == NULL && getenv(names[i]) != NULL)
            kept[i] = strdup(getenv(names[i]));
        if (usual)
            unsetenv(names[i]);
        else if (kept[i] != NULL)
            setenv(names[i], kept[i], 1);
    }
    return local_run();
}

#define CONTAINERS_MAX 32

struct sample {
    double engine_at, shown_at; /* just before the engine was asked; just after the document was there */
    bool known;                 /* whether the engine answered */
    int n;
    struct {
        uint32_t id; /* first digits of the container's */
        bool running, existing;
    } containers[CONTAINERS_MAX];
    int started, current;
};

struct sampler {
    pthread_t thread;
    atomic_bool stop;
    char service[64];
    size_t n;
    struct sample samples[SAMPLES_MAX];
};

static void sample_engine(struct sample *x, const char *service)
{
    struct json_object *list;
    x->engine_at = world_now();
    int n = engine_containers("madams", service, true, &list);
    x->known = n >= 0;
    x->n = n < 0 ? 0 : n > CONTAINERS_MAX ? CONTAINERS_MAX : n;
    for (int i = 0; i < x->n; i++) {
        struct json_object *c = json_object_array_get_idx(list, (size_t)i);
        char id[9];
        snprintf(id, sizeof id, "%.8s", doc_text(c, "Id"));
        const char *state = doc_text(c, "State");
        x->containers[i].id = (uint32_t)strtoul(id, NULL, 16);
        x->containers[i].running = strcmp(state, "running") == 0;
        x->containers[i].existing = x->containers[i].running || strcmp(state, "created") == 0;
    }
    json_object_put(list);
}

static int sample_running(const struct sample *x)
{
    int n = 0;
    for (int i = 0; i < x->n; i++)
        n += x->containers[i].running;
    return n;
}

static void *sampler_run(void *context)
{
    struct sampler *s = context;
    while (!s->stop && s->n < SAMPLES_MAX) {
        struct sample *x = &s->samples[s->n];
        sample_engine(x, s->service);
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

/* Of the containers that were seen within the delay before a sample, and at it: how many ran all the time, how many
 * ran at some time, how many were there at some time. Each instance is observed by itself, so a count is true when
 * it lies between. */
static void window(const struct sampler *s, size_t at, double delay, int *low, int *high, int *most)
{
    struct {
        uint32_t id;
        int seen_running;
        bool existing;
    } all[256];
    int n = 0, looks = 0;
    for (size_t j = 0; j < s->n && j <= at + 1; j++) {
        /* One look more at each end: the engine may have changed between two. */
        bool early = j + 1 < s->n && s->samples[j + 1].engine_at < s->samples[at].shown_at - delay;
        if (early || !s->samples[j].known)
            continue;
        looks++;
        for (int c = 0; c < s->samples[j].n; c++) {
            int k = 0;
            while (k < n && all[k].id != s->samples[j].containers[c].id)
                k++;
            if (k == n && n < 256) {
                memset(&all[n], 0, sizeof all[n]);
                all[n++].id = s->samples[j].containers[c].id;
            }
            if (k < 256) {
                all[k].seen_running += s->samples[j].containers[c].running;
                all[k].existing = all[k].existing || s->samples[j].containers[c].existing;
            }
        }
    }
    *low = *high = *most = 0;
    for (int k = 0; k < n; k++) {
        *low += all[k].seen_running == looks;
        *high += all[k].seen_running > 0;
        *most += all[k].existing;
    }
}

void sampler_stop(struct sampler *s, double delay, int least, const char *what)
{
    s->stop = true;
    pthread_join(s->thread, NULL);
    delay *= check_patience(); /* a slow machine sees later what changed */
    CHECK(s->n > 10, "%s: only %zu samples", what, s->n);
    int lies = 0, below = 0;
    char first[256] = "";
    for (size_t i = 0; i < s->n; i++) {
        const struct sample *x = &s->samples[i];
        int low, high, most;
        window(s, i, delay, &low, &high, &most);
        bool lie = x->started < 0 || x->started < low || x->started > high || x->current > most;
        if (lie && first[0] == '\0')
            snprintf(first, sizeof first, "at %.2f s: started %d, current %d, but %d ran all the time, %d at some time, %d were there",
                     x->shown_at - s->samples[0].shown_at, x->started, x->current, low, high, most);
        lies += lie;
        below += x->known && sample_running(x) < least;
    }
    CHECK(lies == 0, "%s: %d of %zu samples are not true within %.1f s; %s", what, lies, s->n, delay, first);
    CHECK(below == 0, "%s: in %d of %zu samples the engine ran fewer than %d", what, below, s->n, least);
    free(s);
}
