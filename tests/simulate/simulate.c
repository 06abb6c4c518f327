/* The fake clock, the deployer and the collector that go with it, and the real statement. */
#include "tests/simulate/simulate.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gen/autoscaler_statements.h"
#include "tests/lib/check.h"
#include "tests/lib/sql.h"

#define EPOCH 1893456000 /* where the fake clock begins: 2030-01-01, far from what the real one says */
#define BYTES 1e6        /* bytes per second of an instance that does all it can */
#define ID_SIZE 37

struct instance {
    char id[ID_SIZE];
    bool there, running;
    int started_at; /* or will be */
};

struct service {
    char id[ID_SIZE];
    struct instance slots[INSTANCES_MAX];
    unsigned number, n_made;
    int target, seen_target, last_decision_target;
    bool over;
    struct outcome *o;
};

/* Text of a PostgreSQL array, made anew in each step. */
struct array {
    char *text;
    size_t n, cap;
};

/* With SIMULATE_TRACE={scenario} in the environment its rows of autoscaling_decisions are printed as they come. */
static const char *traced;
static struct service *services;
static PGconn *conn;

static void array_add(struct array *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void array_add(struct array *a, const char *fmt, ...)
{
    if (a->n + 80 > a->cap) {
        a->text = realloc(a->text, a->cap = a->cap * 2 + 4096);
        if (a->text == NULL)
            abort();
    }
    a->text[a->n] = a->n == 0 ? '{' : ',';
    a->n++;
    va_list ap;
    va_start(ap, fmt);
    a->n += (size_t)vsnprintf(a->text + a->n, 64, fmt, ap);
    va_end(ap);
}

static const char *array_end(struct array *a)
{
    if (a->n == 0)
        return "{}";
    a->text[a->n] = '}';
    a->text[a->n + 1] = '\0';
    a->n = 0;
    return a->text;
}

/* --- the metric --- */

static double weight(const struct scenario *s, int slot)
{
    return slot % 2 == 0 ? 1 + s->skew : 1 - s->skew;
}

double simulate_usage(const struct scenario *s, double load, const bool *up, int slot)
{
    double sum = 0;
    for (int i = 0; i < INSTANCES_MAX; i++)
        sum += up[i] ? weight(s, i) : 0;
    double usage = load * weight(s, slot) / sum;
    return strncmp(s->metric, "NETWORK", 7) == 0 ? usage * BYTES : fmin(usage, 1);
}

double simulate_metric(const struct scenario *s, double load, int n)
{
    bool up[INSTANCES_MAX] = {false};
    double sum = 0, most = 0, least = INFINITY;
    for (int i = 0; i < n; i++)
        up[i] = true;
    for (int i = 0; i < n; i++) {
        double usage = simulate_usage(s, load, up, i);
        sum += usage;
        most = fmax(most, usage);
        least = fmin(least, usage);
    }
    return strcmp(s->stat, "MAX") == 0 ? most : strcmp(s->stat, "MIN") == 0 ? least : sum / n;
}

/* --- the database --- */

static bool ok(PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);
    bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_PIPELINE_SYNC;
    if (!good)
        fprintf(stderr, "%s", PQresultErrorMessage(r));
    return good;
}

static bool run(const char *text)
{
    PGresult *r = PQexec(conn, text);
    bool good = ok(r);
    PQclear(r);
    return good;
}

static const struct {
    const char *name, *sql;
} own_statements[] = {
    {"instances",
     "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state, created_at, "
     "started_at, removed_at) "
     "SELECT u.id, u.service_id, u.slot, 1, 'simulated', u.id::text, u.state, to_timestamp($1::float8), "
     "to_timestamp(u.started), CASE WHEN u.state = 'removed' THEN to_timestamp($1::float8) END "
     "FROM unnest($2::uuid[], $3::uuid[], $4::integer[], $5::text[], $6::float8[]) "
     "AS u (id, service_id, slot, state, started) "
     "ON CONFLICT (id) DO UPDATE SET state = EXCLUDED.state, started_at = EXCLUDED.started_at, "
     "removed_at = EXCLUDED.removed_at"},
    {"status", "UPDATE skylark.service_status st SET observed_revision = s.revision, observed_generation = s.generation, "
               "condition = u.condition, observed_at = to_timestamp($1::float8) "
               "FROM unnest($2::uuid[], $3::text[]) AS u (id, condition) JOIN skylark.services s ON s.id = u.id "
               "WHERE st.service_id = u.id"},
    {"samples", "INSERT INTO skylark.metric_samples "
                "SELECT u.id, to_timestamp($1::float8), u.cpu, u.memory, u.network, 0 "
                "FROM unnest($2::uuid[], $3::float8[], $4::float8[], $5::float8[]) AS u (id, cpu, memory, network)"},
    {"targets", "SELECT s.id AS service_id, s.target_num_instances, q.evaluated_at = to_timestamp($1::float8) AS evaluated "
                "FROM skylark.services s JOIN skylark.autoscaling_queue q ON q.service_id = s.id"},
    {"decisions",
     "SELECT d.id AS decision_id, d.service_id, date_part('epoch', d.decided_at)::bigint AS decided_at, d.reason, d.target_before, "
     "d.target_after "
     "FROM skylark.autoscaling_decisions d WHERE d.id > $1::bigint ORDER BY d.id"},
};

static bool prepare(void)
{
    const struct db_statement *evaluate = &autoscaler_statements[AUTOSCALER_SERVICES_EVALUATE];
    PGresult *r = PQprepare(conn, "evaluate", evaluate->sql, evaluate->n_params, NULL);
    bool good = ok(r);
    PQclear(r);
    for (size_t i = 0; i < sizeof own_statements / sizeof own_statements[0] && good; i++) {
        r = PQprepare(conn, own_statements[i].name, own_statements[i].sql, 0, NULL);
        good = ok(r);
        PQclear(r);
    }
    return good;
}

static bool make_service(struct service *v, const struct scenario *from)
{
    struct scenario *s = &v->o->s;
    *s = *from;
    s->metric = s->metric != NULL ? s->metric : "CPU_UTILIZATION";
    s->stat = s->stat != NULL ? s->stat : "MEAN";
    s->upper = s->upper != 0 ? s->upper : 0.6;
    s->lower = s->lower != 0 ? s->lower : 0.2;
    s->increase = s->increase != 0 ? s->increase : 1;
    s->decrease = s->decrease != 0 ? s->decrease : 1;
    s->minimum = s->minimum != 0 ? s->minimum : 1;
    s->maximum = s->maximum != 0 ? s->maximum : 10;
    s->wait = s->wait != 0 ? s->wait : 60;
    s->start_delay = s->start_delay != 0 ? s->start_delay : 5;
    v->target = v->seen_target = v->last_decision_target = s->first != 0 ? s->first : s->minimum;
    v->o->targets = calloc((size_t)s->hours * 3600 / STEP + 2, sizeof *v->o->targets);
    v->o->first_outside = -1;
    /* The first digits spread the services over the evaluation interval. */
    snprintf(v->id, sizeof v->id, "%08x-0000-4000-8000-%012x", v->number * 2654435761u, v->number);
    char wait_up[16] = "NULL", wait_down[16] = "NULL";
    if (s->wait_up != 0)
        snprintf(wait_up, sizeof wait_up, "%d", s->wait_up);
    if (s->wait_down != 0)
        snprintf(wait_down, sizeof wait_down, "%d", s->wait_down);
    bool made =
        sql_run(conn, "BEGIN")[0] == '\0' &&
        sql_run(conn,
                "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by, scaling_mode, "
                "target_num_instances) SELECT '%s', id, '%s', 'nginx', 'XS', 'demo', 'AUTO', %d FROM skylark.namespaces "
                "WHERE name = 'demo'",
                v->id, s->name, v->target)[0] == '\0' &&
        sql_run(conn,
                "INSERT INTO skylark.autoscaling_settings (service_id, metric_name, metric_stat, upper_threshold, "
                "lower_threshold, increase_delta, decrease_delta, minimum_num_instances, maximum_num_instances, "
                "wait_period, scale_up_wait_period, scale_down_wait_period, stabilization_window, dry_run) "
                "VALUES ('%s', '%s', '%s', %g, %g, %d, %d, %d, %d, %d, %s, %s, %d, %s)",
                v->id, s->metric, s->stat, s->upper, s->lower, s->increase, s->decrease, s->minimum, s->maximum, s->wait,
                wait_up, wait_down, s->window, s->dry_run ? "true" : "false")[0] == '\0' &&
        sql_run(conn, "COMMIT")[0] == '\0';
    if (!made)
        fprintf(stderr, "%s: %s", s->name, PQerrorMessage(conn));
    return made && v->o->targets != NULL;
}

/* --- one step --- */

static struct array ids, owners, slots, states, starts, changed, conditions, samples, cpus, memories, networks;

static void instance_changes(const struct service *v, int slot, const struct instance *x, const char *state)
{
    array_add(&ids, "%s", x->id);
    array_add(&owners, "%s", v->id);
    array_add(&slots, "%d", slot);
    array_add(&states, "%s", state);
    array_add(&starts, "%ld", (long)EPOCH + x->started_at);
}

/* The deployer's part: what it does about one service by that time. */
static void deploy(struct service *v, int now)
{
    const struct scenario *s = &v->o->s;
    bool anything = v->target != v->seen_target || now == 0;
    int running = 0;
    if (s->passes_every != 0 && now % s->passes_every != 0)
        return;
    for (int k = 0; k < INSTANCES_MAX; k++) {
        struct instance *x = &v->slots[k];
        bool dies = k == 0 && s->dies_every != 0 && now > 0 && now % s->dies_every == 0;
        if (x->there && (k >= v->target || dies)) {
            instance_changes(v, k, x, "removed");
            x->there = x->running = false;
            anything = true;
        }
        if (!x->there && k < v->target) {
            /* The wish came up right after the step before; at the very beginning all have run for long. */
            if (dies)
                x->started_at = now + s->back_after;
            else if (now == 0)
                x->started_at = -HOURS(1);
            else
                x->started_at = s->passes_every != 0 ? now : now - STEP + s->start_delay;
            snprintf(x->id, sizeof x->id, "%08x-0000-1000-8000-%012x", v->n_made++, v->number);
            x->there = anything = true;
            if (x->started_at > now)
                instance_changes(v, k, x, "created");
        }
        if (x->there && !x->running && x->started_at <= now) {
            x->running = anything = true;
            instance_changes(v, k, x, "running");
        }
        running += x->running;
    }
    v->seen_target = v->target;
    if (anything) {
        array_add(&changed, "%s", v->id);
        array_add(&conditions, "%s", running < v->target ? "progressing" : "settled");
    }
}

/* The collector's part. */
static void collect(struct service *v, int now)
{
    const struct scenario *s = &v->o->s;
    double load = load_at(&s->load, now);
    bool up[INSTANCES_MAX];
    int running = 0;
    for (int k = 0; k < INSTANCES_MAX; k++)
        running += up[k] = v->slots[k].running;
    v->o->overloaded += running == 0 || simulate_metric(s, load, running) > s->upper;
    for (int k = 0; k < INSTANCES_MAX; k++) {
        const struct instance *x = &v->slots[k];
        bool silent = now >= s->silent_from && now < s->silent_until && (s->silent_slots == 0 || k < s->silent_slots);
        if (!x->running || silent)
            continue;
        double usage = simulate_usage(s, load, up, k);
        double cpu = now - x->started_at < s->burns ? 1 : fmin(usage, 1);
        array_add(&samples, "%s", x->id);
        array_add(&cpus, "%.9g", cpu);
        array_add(&memories, "%.9g", fmin(usage, 1));
        array_add(&networks, "%.9g", usage);
    }
}

static bool evaluate(const char *now)
{
    char step_ms[16], stale_ms[16], heartbeat_ms[16];
    snprintf(step_ms, sizeof step_ms, "%d", STEP * 1000);
    snprintf(stale_ms, sizeof stale_ms, "%d", STALE * 1000);
    snprintf(heartbeat_ms, sizeof heartbeat_ms, "%d", HEARTBEAT * 1000);
    const char *params[AUTOSCALER_SERVICES_EVALUATE_P__MAX] = {
        [AUTOSCALER_SERVICES_EVALUATE_P_NOW] = now,
        [AUTOSCALER_SERVICES_EVALUATE_P_INTERVAL_MS] = step_ms,
        [AUTOSCALER_SERVICES_EVALUATE_P_STALE_MS] = stale_ms,
        [AUTOSCALER_SERVICES_EVALUATE_P_HEARTBEAT_MS] = heartbeat_ms,
        [AUTOSCALER_SERVICES_EVALUATE_P_LIMIT] = "2048",
    };
    return PQsendQueryPrepared(conn, "evaluate", AUTOSCALER_SERVICES_EVALUATE_P__MAX, params, NULL, NULL, 0) == 1;
}

/* Sends one of own_statements. */
static bool ask(const char *name, int n, const char *a, const char *b, const char *c, const char *d, const char *e,
                const char *f)
{
    const char *values[] = {a, b, c, d, e, f};
    return PQsendQueryPrepared(conn, name, n, values, NULL, NULL, 0) == 1;
}

static struct service *service_of(const char *id)
{
    long i = strtol(id + 24, NULL, 16);
    return i >= 0 && (size_t)i < n_scenarios ? &services[i] : NULL;
}

static void add_time(int **list, int *n, int *cap, int at)
{
    if (*n == *cap) {
        *list = realloc(*list, sizeof **list * (size_t)(*cap = *cap * 2 + 64));
        if (*list == NULL)
            abort();
    }
    (*list)[(*n)++] = at;
}

static void take_decision(const PGresult *r, int row)
{
    struct service *v = service_of(sql_column(r, row, "service_id"));
    struct outcome *o = v->o;
    int at = (int)(atol(sql_column(r, row, "decided_at")) - EPOCH);
    int before = atoi(sql_column(r, row, "target_before")), after = atoi(sql_column(r, row, "target_after"));
    const char *reason = sql_column(r, row, "reason");
    add_time(&o->rows, &o->n_rows, &o->cap_rows, at);
    if (strcmp(reason, "dry_run") == 0)
        add_time(&o->dry_rows, &o->n_dry_rows, &o->cap_dry_rows, at);
    if (traced != NULL && strcmp(traced, o->s.name) == 0)
        printf("%s %7d s %-14s %d to %d\n", o->s.name, at, reason, before, after);
    o->unrecorded += before != v->last_decision_target;
    v->last_decision_target = after;
    if (before != after && o->n_actions < ACTIONS_MAX) {
        struct action *a = &o->actions[o->n_actions++];
        *a = (struct action){.at = at, .before = before, .after = after};
        snprintf(a->reason, sizeof a->reason, "%s", reason);
    }
}

static void take_target(const PGresult *r, int row, int now)
{
    struct service *v = service_of(sql_column(r, row, "service_id"));
    struct outcome *o = v->o;
    v->target = atoi(sql_column(r, row, "target_num_instances"));
    o->evaluations += sql_column(r, row, "evaluated")[0] == 't';
    o->targets[o->n_steps++] = (short)v->target;
    o->unrecorded += v->target != v->last_decision_target;
    if (o->first_outside < 0 && o->evaluations > 0 && (v->target < o->s.minimum || v->target > o->s.maximum))
        o->first_outside = now;
}

/* One result of the pipeline after the other, up to its end. */
static bool take_results(int now, long *last_decision)
{
    bool good = true;
    for (bool end = false; !end;) {
        PGresult *r = PQgetResult(conn);
        if (r == NULL)
            continue;
        end = PQresultStatus(r) == PGRES_PIPELINE_SYNC || PQstatus(conn) != CONNECTION_OK;
        good = ok(r) && good;
        bool rows = PQresultStatus(r) == PGRES_TUPLES_OK;
        for (int i = 0; rows && i < PQntuples(r); i++) {
            if (PQfnumber(r, "decision_id") >= 0) {
                *last_decision = atol(sql_column(r, i, "decision_id"));
                take_decision(r, i);
            } else if (PQfnumber(r, "evaluated") >= 0) {
                take_target(r, i, now);
            }
        }
        PQclear(r);
    }
    return good;
}

static bool step(int now)
{
    static long last_decision;
    char at[32], stamp[40], last[24];
    time_t clock = EPOCH + now;
    struct tm tm;
    strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%SZ", gmtime_r(&clock, &tm));
    snprintf(at, sizeof at, "%ld", (long)clock);
    snprintf(last, sizeof last, "%ld", last_decision);
    for (size_t i = 0; i < n_scenarios; i++) {
        if (services[i].over)
            continue;
        deploy(&services[i], now);
        collect(&services[i], now);
    }
    bool sent = PQenterPipelineMode(conn) == 1;
    if (ids.n > 0)
        sent = ask("instances", 6, at, array_end(&ids), array_end(&owners), array_end(&slots), array_end(&states),
                   array_end(&starts)) &&
               sent;
    if (changed.n > 0)
        sent = ask("status", 3, at, array_end(&changed), array_end(&conditions), NULL, NULL, NULL) && sent;
    const char *samples_text = array_end(&samples);
    sent = ask("samples", 5, at, samples_text, array_end(&cpus), array_end(&memories), array_end(&networks), NULL) && sent;
    /* One pass takes 500 services, and there are fewer. */
    sent = evaluate(stamp) && sent;
    sent = ask("decisions", 1, last, NULL, NULL, NULL, NULL, NULL) && sent;
    sent = ask("targets", 1, at, NULL, NULL, NULL, NULL, NULL) && PQpipelineSync(conn) == 1 && sent;
    bool good = sent && take_results(now, &last_decision);
    return PQexitPipelineMode(conn) == 1 && good;
}

/* What is no longer looked at goes, so that a simulated day costs what an hour does. */
static bool tidy(int now)
{
    for (size_t i = 0; i < n_scenarios; i++)
        if (!services[i].over && now >= HOURS(services[i].o->s.hours)) {
            services[i].over = true;
            if (sql_run(conn, "DELETE FROM skylark.services WHERE id = '%s'", services[i].id)[0] != '\0')
                return false;
        }
    return sql_run(conn, "DELETE FROM skylark.metric_samples WHERE sampled_at < to_timestamp(%ld)",
                   (long)EPOCH + now - 1200)[0] == '\0' &&
           sql_run(conn, "DELETE FROM skylark.instances WHERE state = 'removed'")[0] == '\0' &&
           sql_run(conn, "VACUUM ANALYZE skylark.metric_samples_later, skylark.instances, skylark.autoscaling_queue, "
                         "skylark.autoscaling_decisions")[0] == '\0';
}

const struct outcome *simulate(void)
{
    static struct outcome *outcomes;
    static bool tried;
    if (tried)
        return outcomes;
    tried = true;
    traced = getenv("SIMULATE_TRACE");
    conn = sql_migrated();
    struct outcome *all = calloc(n_scenarios, sizeof *all);
    services = calloc(n_scenarios, sizeof *services);
    if (all == NULL || services == NULL)
        abort();
    /* As the autoscaler's role has it; without it each execution would be planned anew. */
    bool good = run("SET plan_cache_mode = force_generic_plan") && run("SET synchronous_commit = off") && prepare();
    int end = 0;
    for (size_t i = 0; i < n_scenarios && good; i++) {
        services[i].o = &all[i];
        services[i].number = (unsigned)i;
        good = make_service(&services[i], &scenarios[i]);
        end = HOURS(all[i].s.hours) > end ? HOURS(all[i].s.hours) : end;
    }
    good = good && sql_run(conn, "UPDATE skylark.autoscaling_queue SET due_at = to_timestamp(%d)", EPOCH)[0] == '\0';
    for (int now = 0; now < end && good; now += STEP) {
        if (now > 0 && now % HOURS(1) == 0)
            good = tidy(now);
        good = good && step(now);
    }
    outcomes = good ? all : NULL;
    return outcomes;
}
