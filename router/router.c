/* The role that keeps one front right. What it serves is a state of the database as of one snapshot, and that is what it
 * reports: so whoever changed something finds out exactly when the change is served. */
#include "router/router.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/signals.h"
#include "gen/router_statements.h"
#include "router/drain.h"
#include "router/figures.h"
#include "router/front.h"
#include "router/render.h"
#include "router/settings.h"

#define WAIT_AWAY_MS 500
/* nginx is told to load new routes at most so often: each time its workers are replaced, and old ones that still have
 * connections stay beside them; the more there are, the longer. */
#define RELOAD_LEAST_MS 1000
#define RELOAD_OLD_WORKER_MS 100
#define RELOAD_MOST_MS 30000
/* What was refused is tried again, since what is wrong may be mended outside the database. */
#define REFUSED_LEAST_MS 5000
/* Between two reports, at most, whatever else takes its time; silent for longer than 30 s, a front is not waited for. */
#define BEAT_REPORT_MS 5000
/* Between two looks at connections, while any instance is being drained. */
#define DRAIN_LOOK_MS 100

struct router {
    const struct router_settings *settings;
    struct db *db;
    char name[256];
    char served[RENDER_VERSION_SIZE]; /* "" until it is known */
    struct json_object *draining;     /* of the latest load */
    struct buf busy;                  /* as last reported */
    struct buf fault;                 /* why the latest routes are not served; empty when they are */
    struct buf endpoint_faults;       /* a JSON object, of the routes that are served; empty for {} */
    int servers;
    bool dirty;                       /* there is something new */
    int64_t next_pass_ms, next_apply_ms, reported_ms; /* monotonic */
};

static const char *const socket_tables[] = {"/proc/net/tcp", "/proc/net/tcp6", NULL};

/* Says what is served. snapshot: NULL when that has not changed. */
static bool report(struct router *r, const char *snapshot)
{
    char servers[16];
    snprintf(servers, sizeof servers, "%d", r->servers);
    const char *params[ROUTER_FRONT_REPORT_P__MAX] = {
        [ROUTER_FRONT_REPORT_P_FRONT] = r->name,
        [ROUTER_FRONT_REPORT_P_SNAPSHOT] = snapshot,
        [ROUTER_FRONT_REPORT_P_SERVERS] = servers,
        [ROUTER_FRONT_REPORT_P_BUSY] = r->busy.len > 0 ? buf_text(&r->busy) : "{}",
        [ROUTER_FRONT_REPORT_P_FAULT] = buf_text(&r->fault),
        [ROUTER_FRONT_REPORT_P_ENDPOINT_FAULTS] = r->endpoint_faults.len > 0 ? buf_text(&r->endpoint_faults) : "{}",
    };
    enum db_status status = db_execute(r->db, ROUTER_FRONT_REPORT, params, NULL);
    r->reported_ms = clock_monotonic_ms();
    if (status != DB_OK)
        log_warning("what is served could not be reported: %s", db_message(r->db));
    metrics_set(FIGURE_FAULTY, 0, r->fault.len > 0 || r->endpoint_faults.len > 0);
    return status == DB_OK;
}

/* Remembers what is wrong now; says it, or that it is over, once. */
static void set_fault(struct buf *remembered, const char *fault, const char *over)
{
    if (strcmp(buf_text(remembered), fault) == 0)
        return;
    buf_clear(remembered);
    buf_adds(remembered, fault);
    if (fault[0] != '\0')
        log_error("%s", fault);
    else
        log_info("%s", over);
}

static void set_route_fault(struct router *r, const char *fault)
{
    set_fault(&r->fault, fault, "the latest routes are served again");
}

static void set_endpoint_faults(struct router *r, struct json_object *faults)
{
    set_fault(&r->endpoint_faults, faults != NULL ? json_object_to_json_string(faults) : "", "all endpoints are served again");
}

/* Looks who still holds connections. Returns whether that is news. */
static bool look_busy(struct router *r)
{
    struct buf busy = {0};
    int n = drain_busy(r->draining, socket_tables, &busy);
    metrics_set(FIGURE_DRAINING, 0, n);
    bool news = strcmp(buf_text(&busy), buf_text(&r->busy)) != 0;
    buf_free(&r->busy);
    r->busy = busy;
    return news;
}

static bool is_port_free(void *context, const char *protocol, int port)
{
    return front_port_free(context, protocol, port);
}

static void beat(void *context)
{
    struct router *r = context;
    if (clock_monotonic_ms() - r->reported_ms >= BEAT_REPORT_MS)
        report(r, NULL);
}

static int64_t reload_wait(const struct router *r)
{
    int old = front_old_workers(r->settings);
    int64_t wait = RELOAD_LEAST_MS + (int64_t)old * RELOAD_OLD_WORKER_MS;
    metrics_set(FIGURE_OLD_WORKERS, 0, old);
    return wait < RELOAD_MOST_MS ? wait : RELOAD_MOST_MS;
}

/* Has nginx serve what was rendered, unless it does, which is looked at each time: it may have been started anew since.
 * Returns whether it serves it now. */
static bool apply(struct router *r, const struct render_output *output)
{
    struct buf fault = {0};
    const struct front_beat beats = {beat, r};
    bool serves = front_serves(r->settings, output->version);
    if (serves && strcmp(r->served, output->version) == 0)
        return true;
    if (!serves && front_apply(r->settings, output, &beats, &fault) == 0) {
        serves = true;
        metrics_add(FIGURE_RELOADS, 0, 1);
        log_info("serving %d endpoints with %d servers", output->endpoints, output->servers);
    }
    r->next_apply_ms = clock_monotonic_ms() + (serves ? reload_wait(r) : REFUSED_LEAST_MS);
    snprintf(r->served, sizeof r->served, "%s", serves ? output->version : "");
    if (!serves) {
        metrics_add(FIGURE_REFUSED, 0, 1);
        set_route_fault(r, buf_text(&fault));
    }
    buf_free(&fault);
    return serves;
}

static void render_and_apply(struct router *r, struct json_object *routes, const char *snapshot)
{
    struct render_templates templates;
    struct render_output output = {0};
    struct buf fault = {0};
    if (render_load(r->settings->templates, &templates, &fault) != 0) {
        set_route_fault(r, buf_text(&fault));
        r->next_apply_ms = clock_monotonic_ms() + REFUSED_LEAST_MS;
        buf_free(&fault);
        report(r, NULL);
        return;
    }
    struct render_options options = {
        .templates = &templates, .certificate = r->settings->certificate, .certificate_key = r->settings->certificate_key,
        .certificates = r->settings->certificates, .port_free = is_port_free, .context = (void *)r->settings,
    };
    if (render_routes(&options, routes, &output) == 0 && apply(r, &output)) {
        r->servers = output.servers;
        metrics_set(FIGURE_ENDPOINTS, 0, output.endpoints);
        metrics_set(FIGURE_SERVERS, 0, output.servers);
        set_route_fault(r, "");
        set_endpoint_faults(r, output.faults);
        if (!report(r, snapshot)) {
            r->dirty = true;
            r->next_apply_ms = clock_monotonic_ms() + RELOAD_LEAST_MS;
        }
    } else {
        report(r, NULL);
    }
    render_output_free(&output);
    render_free(&templates);
    buf_free(&fault);
}

/* One pass: what should be served, and is it. */
static void pass(struct router *r)
{
    PGresult *result;
    r->next_pass_ms = clock_monotonic_ms() + r->settings->pass_interval_ms;
    if (db_run(r->db, ROUTER_ROUTES_LOAD, NULL, &result) != DB_OK) {
        r->next_apply_ms = clock_monotonic_ms() + RELOAD_LEAST_MS;
        return;
    }
    r->dirty = false;
    struct json_object *routes =
        PQntuples(result) == 1 ? json_tokener_parse(db_text(result, 0, ROUTER_ROUTES_LOAD_C_ROUTES)) : NULL;
    if (routes != NULL) {
        json_object_put(r->draining);
        r->draining = json_object_get(json_object_object_get(routes, "draining"));
        look_busy(r); /* whatever is reported from here on, this is true */
        render_and_apply(r, routes, db_text(result, 0, ROUTER_ROUTES_LOAD_C_SNAPSHOT));
    }
    json_object_put(routes);
    PQclear(result);
}

/* Milliseconds until something has to be done without being woken. */
static int wait_ms(const struct router *r)
{
    int64_t now = clock_monotonic_ms(), until = r->next_pass_ms;
    if (r->dirty || r->next_pass_ms <= now)
        until = r->next_apply_ms;
    if (json_object_is_type(r->draining, json_type_array) && json_object_array_length(r->draining) > 0 && until > now + DRAIN_LOOK_MS)
        until = now + DRAIN_LOOK_MS;
    if (until > r->reported_ms + BEAT_REPORT_MS)
        until = r->reported_ms + BEAT_REPORT_MS;
    return until > now ? (int)(until - now) : 0;
}

static void turn(struct router *r)
{
    char payload[16];
    while (db_notified(r->db, payload, sizeof payload))
        r->dirty = true;
    int64_t now = clock_monotonic_ms();
    if ((r->dirty || now >= r->next_pass_ms) && now >= r->next_apply_ms) {
        pass(r);
    } else if (look_busy(r) || now - r->reported_ms >= BEAT_REPORT_MS) {
        report(r, NULL);
    }
    while (db_notified(r->db, payload, sizeof payload))
        r->dirty = true;
    int wait = wait_ms(r);
    if (wait > 0)
        signals_wait(db_socket(r->db), wait);
}

int router_run(void *context, int index)
{
    struct router r = {.settings = context, .dirty = true};
    (void)index;
    struct db_options database = {
        .conninfo = r.settings->database, .application_name = "skylark-router", .statements = router_statements,
        .n_statements = ROUTER__MAX, .connect_deadline_ms = r.settings->connect_deadline_ms,
        .query_deadline_ms = r.settings->query_deadline_ms, .lock_deadline_ms = DB_LOCK_MS, .channel = "skylark_routes",
    };
    snprintf(r.name, sizeof r.name, "%s", r.settings->name);
    if (r.name[0] == '\0')
        gethostname(r.name, sizeof r.name - 1);
    r.db = db_create(&database);
    if (r.db == NULL)
        return 1;
    while (loop_next()) {
        if (db_connect(r.db) == DB_OK)
            turn(&r);
        else
            signals_wait(-1, WAIT_AWAY_MS);
    }
    json_object_put(r.draining);
    buf_free(&r.busy);
    buf_free(&r.fault);
    buf_free(&r.endpoint_faults);
    db_free(r.db);
    return 0;
}
