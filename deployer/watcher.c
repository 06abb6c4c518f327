/* The role that watches the engine: hears of every container that starts or dies and makes its service due at once, and
 * again and again compares all containers with the rows, for what was missed. As long as it does, counts can be vouched
 * for; engines.observed_at says so. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/signals.h"
#include "common/supervisor.h"
#include "deployer/figures.h"
#include "deployer/role.h"
#include "deployer/strays.h"
#include "gen/deployer_statements.h"

#define WAIT_AWAY_MS 500

struct watcher {
    struct role role;
    struct engine_loop *loop;
    struct engine_stream *events; /* NULL while there is none */
    int64_t next_pass_ms, next_watch_ms; /* monotonic */
    struct strays strays;
};

static void event_seen(void *context, const struct engine_event *event)
{
    static const char *const telling[] = {"start", "die", "destroy", "oom", "pause", "unpause", "rename",
                                          "health_status: healthy", "health_status: unhealthy"};
    struct watcher *w = context;
    bool tells = false;
    uuid_t uuid;
    for (size_t i = 0; i < sizeof telling / sizeof telling[0]; i++)
        tells = tells || strcmp(event->action, telling[i]) == 0;
    if (!tells || uuid_parse(event->service, uuid) != 0)
        return;
    const char *params[DEPLOYER_SERVICE_DUE_P__MAX] = {[DEPLOYER_SERVICE_DUE_P_SERVICE_ID] = event->service};
    /* What could not be written is found by the next pass. */
    if (db_execute(w->role.db, DEPLOYER_SERVICE_DUE, params, NULL) != DB_OK)
        w->next_pass_ms = 0;
}

static void events_ended(void *context, enum engine_status status)
{
    struct watcher *w = context;
    w->events = NULL;
    w->next_pass_ms = 0;
    w->next_watch_ms = clock_monotonic_ms() + WAIT_AWAY_MS; /* an engine that ends them at once is not asked without a pause */
    log_info("the engine's events ended (%d); watching anew", (int)status);
}

static const char *state_name(enum engine_container_state state)
{
    return state == ENGINE_CREATED ? "created" : state == ENGINE_RUNNING ? "running" : "exited";
}

/* *strays: the containers that no live row stands for, which the caller clears; NULL when the rows were not reached. */
static enum engine_status compare_all(struct watcher *w, PGresult **strays)
{
    *strays = NULL;
    struct engine_container_list list;
    enum engine_status status = engine_container_find(w->role.engine, w->role.installation, NULL, &list);
    if (status != ENGINE_OK)
        return status;
    struct buf all = {0};
    int64_t counts[ENGINE_CONTAINER_STATE__MAX] = {0};
    buf_addc(&all, '[');
    for (size_t i = 0; i < list.n; i++) {
        counts[list.items[i].state]++;
        uuid_t uuid;
        bool valid = uuid_parse(list.items[i].instance, uuid) == 0;
        buf_addf(&all, "%s{\"id\":\"%s\",\"state\":\"%s\",\"unhealthy\":%s,\"instance\":%s%s%s}", i > 0 ? "," : "",
                 list.items[i].id, state_name(list.items[i].state),
                 list.items[i].health == ENGINE_HEALTH_BAD ? "true" : "false", valid ? "\"" : "",
                 valid ? list.items[i].instance : "null", valid ? "\"" : "");
    }
    buf_addc(&all, ']');
    for (size_t i = 0; i < ENGINE_CONTAINER_STATE__MAX; i++)
        metrics_set(FIGURE_INSTANCES, i, counts[i]);
    metrics_add(FIGURE_COMPARISONS, 0, 1);
    const char *params[DEPLOYER_CONTAINERS_COMPARE_P__MAX] = {[DEPLOYER_CONTAINERS_COMPARE_P_CONTAINERS] = buf_text(&all)};
    if (all.failed || db_run(w->role.db, DEPLOYER_CONTAINERS_COMPARE, params, strays) != DB_OK)
        *strays = NULL;
    buf_free(&all);
    engine_container_list_free(&list);
    return ENGINE_OK;
}

/* The one address at which the node publishes ports; NULL when it does so at all that it has. */
static const char *node_address(const char *publish_address)
{
    unsigned char any[sizeof(struct in6_addr)] = {0}, address[sizeof(struct in6_addr)] = {0};
    bool valid = inet_pton(AF_INET, publish_address, address) == 1 || inet_pton(AF_INET6, publish_address, address) == 1;
    return valid && memcmp(address, any, sizeof any) != 0 ? publish_address : NULL;
}

/* Notes that the engine answered, and who it is: it may have been replaced behind its socket. */
static enum engine_status note_seen(struct watcher *w)
{
    struct engine_description d;
    char cpus[24], memory[24];
    enum engine_status status = engine_describe(w->role.engine, &d);
    if (status != ENGINE_OK)
        return status;
    if (strcmp(d.id, w->role.engine_id) != 0) {
        w->role.engine_known = false; /* role_ready says what that means */
        return ENGINE_OK;
    }
    snprintf(cpus, sizeof cpus, "%" PRId64, d.cpus);
    snprintf(memory, sizeof memory, "%" PRId64, d.memory_bytes);
    const char *params[DEPLOYER_ENGINE_SEEN_P__MAX] = {
        [DEPLOYER_ENGINE_SEEN_P_ENGINE_ID] = d.id,
        [DEPLOYER_ENGINE_SEEN_P_NAME] = d.name,
        [DEPLOYER_ENGINE_SEEN_P_VERSION] = d.version,
        [DEPLOYER_ENGINE_SEEN_P_CPUS] = cpus,
        [DEPLOYER_ENGINE_SEEN_P_MEMORY_BYTES] = memory,
        [DEPLOYER_ENGINE_SEEN_P_ADDRESS] = node_address(w->role.settings->publish_address),
    };
    if (db_execute(w->role.db, DEPLOYER_ENGINE_SEEN, params, NULL) != DB_OK)
        log_warning("that the engine answers could not be noted: %s", db_message(w->role.db));
    return ENGINE_OK;
}

static void note_away(struct watcher *w)
{
    const char *params[DEPLOYER_ENGINE_AWAY_P__MAX] = {[DEPLOYER_ENGINE_AWAY_P_MESSAGE] = engine_error(w->role.engine)};
    if (db_execute(w->role.db, DEPLOYER_ENGINE_AWAY, params, NULL) != DB_OK)
        log_warning("that the engine is away could not be noted: %s", db_message(w->role.db));
}

static void pass(struct watcher *w)
{
    w->next_pass_ms = clock_monotonic_ms() + w->role.settings->pass_interval_ms;
    PGresult *strays;
    enum engine_status status = compare_all(w, &strays);
    /* Only after the rows were compared: this vouches for them. */
    if (status == ENGINE_OK && strays != NULL)
        status = note_seen(w);
    else if (status == ENGINE_OK)
        w->next_pass_ms = clock_monotonic_ms() + WAIT_AWAY_MS;
    /* Last, since a removal may take its time; never on an engine that has turned out to be another. */
    if (status == ENGINE_OK && strays != NULL && w->role.engine_known)
        strays_remove(&w->role, &w->strays, strays);
    PQclear(strays);
    if (status == ENGINE_OK)
        return;
    role_engine_away(&w->role);
    note_away(w);
}

static void watch_events(struct watcher *w)
{
    struct engine_event_handler handler = {.event = event_seen, .end = events_ended, .context = w};
    w->events = engine_events_watch(w->loop, w->role.installation, &handler);
    w->next_pass_ms = 0; /* for what happened before the watch began */
    w->next_watch_ms = clock_monotonic_ms() + WAIT_AWAY_MS;
}

static int wait_ms(const struct watcher *w)
{
    int64_t left = w->next_pass_ms - clock_monotonic_ms();
    if (w->events == NULL && left > WAIT_AWAY_MS)
        left = WAIT_AWAY_MS;
    return left > 0 ? (int)left : 0;
}

static int watch(struct watcher *w)
{
    while (loop_next()) {
        enum role_readiness ready = role_ready(&w->role);
        if (ready == ROLE_REFUSE)
            return SUPERVISOR_EXIT_REFUSED;
        if (ready == ROLE_WAIT) {
            if (!w->role.engine_known && db_connect(w->role.db) == DB_OK)
                note_away(w);
            signals_wait(-1, WAIT_AWAY_MS);
            continue;
        }
        if (w->events == NULL && clock_monotonic_ms() >= w->next_watch_ms)
            watch_events(w);
        /* One turn of the loop sends the request for events off before the rows are compared. */
        if (engine_loop_wait(w->loop, -1, wait_ms(w)) != ENGINE_OK)
            signals_wait(-1, WAIT_AWAY_MS);
        if (clock_monotonic_ms() >= w->next_pass_ms)
            pass(w);
    }
    return 0;
}

int watcher_run(void *context, int index)
{
    struct watcher w = {0};
    char name[32];
    (void)index;
    snprintf(name, sizeof name, "watcher");
    if (role_open(&w.role, context, name, NULL) != 0)
        return 1;
    struct engine_options options = {.endpoint = w.role.settings->engine,
                                     .call_deadline_ms = w.role.settings->engine_deadline_ms};
    int status = 1;
    w.loop = engine_loop_create(&options);
    if (w.loop != NULL)
        status = watch(&w);
    engine_loop_free(w.loop);
    strays_free(&w.strays);
    role_close(&w.role);
    return status;
}
