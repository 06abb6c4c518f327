/* Samples what the running instances of one engine use. Each is asked for on its own beat, so that neither
 * the engine nor this process works in bursts; what comes back is made into rates and stored some hundred at a time. A sample
 * that is lost is lost: the next one is seconds away, and nothing is ever made up in its place. */
#include "collector/sampler.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collector/days.h"
#include "collector/figures.h"
#include "collector/rate.h"
#include "collector/right.h"
#include "collector/settings.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/signals.h"
#include "gen/collector_statements.h"

#define WAIT_AWAY_MS 500
#define STANDBY_MS 2000
#define TURN_MOST_MS 500
/* Announcements come in bursts; the engine is asked for its list so often at the most. */
#define PASS_LEAST_MS 100
/* Questions under way at once. Engines collect once a second and let each question wait for that, so 1,000 instances sampled
 * every 5 s have some 200 under way; a wait costs the engine nothing. */
#define ASKED_MOST 512
/* Samples may wait so long for being stored, and take so much memory while the database is away. */
#define STORE_MS 500
#define ROWS_MOST (4 << 20)

struct sampler;

/* A running instance. */
struct target {
    struct sampler *sampler;
    struct target *next;
    char instance_id[37];
    char *container_id;
    int64_t cpu_millis;
    struct engine_stream *asked; /* NULL: no question is under way */
    struct engine_usage before;  /* at_ns 0: none yet */
    int64_t due_ms;              /* monotonic: when to ask next */
    bool seen;                   /* in the engine's list */
};

struct sampler {
    const struct collector_settings *settings;
    struct right right;
    struct engine_loop *loop;
    struct target *targets;
    int n_asked;
    struct buf rows;
    int64_t n_rows;
    struct days needed, there; /* by rows; partitions that are known to be there */
    int64_t next_pass_ms, store_ms; /* monotonic; store_ms 0: nothing waits */
};

static void target_free(struct target *t)
{
    if (t->asked != NULL) {
        engine_stream_close(t->asked);
        t->sampler->n_asked--;
    }
    free(t->container_id);
    free(t);
}

static void forget_targets(struct sampler *s)
{
    while (s->targets != NULL) {
        struct target *t = s->targets;
        s->targets = t->next;
        target_free(t);
    }
    s->next_pass_ms = 0;
    metrics_set(FIGURE_INSTANCES_SAMPLED, 0, 0);
}

/* Samples that will not be stored any more. */
static void give_up_rows(struct sampler *s)
{
    metrics_add(FIGURE_SAMPLE_FAILURES, 0, s->n_rows);
    buf_clear(&s->rows);
    s->needed.n = s->there.n = 0;
    s->n_rows = 0;
    s->store_ms = 0;
}

/* --- samples --- */

/* A number as one of a row's fields. */
struct figure {
    char text[32];
};

static const char *put_integer(struct figure *f, int64_t n)
{
    snprintf(f->text, sizeof f->text, "%" PRId64, n);
    return f->text;
}

static const char *put_real(struct figure *f, double x)
{
    snprintf(f->text, sizeof f->text, "%.6g", x);
    return f->text;
}

static void add_row(struct sampler *s, const char *instance_id, const struct sample *x)
{
    char second_text[32], at[48];
    time_t second = (time_t)(x->at_ns / 1000000000);
    struct tm tm;
    gmtime_r(&second, &tm);
    strftime(second_text, sizeof second_text, "%Y-%m-%d %H:%M:%S", &tm);
    snprintf(at, sizeof at, "%s.%06d+00", second_text, (int)(x->at_ns % 1000000000 / 1000));
    const struct engine_usage *c = &x->counters;
    struct figure figures[COLLECTOR_METRIC_SAMPLES_COPY_F__MAX];
    const char *fields[COLLECTOR_METRIC_SAMPLES_COPY_F__MAX] = {
        [COLLECTOR_METRIC_SAMPLES_COPY_F_INSTANCE_ID] = instance_id,
        [COLLECTOR_METRIC_SAMPLES_COPY_F_SAMPLED_AT] = at,
#define F(field) COLLECTOR_METRIC_SAMPLES_COPY_F_##field
#define REAL(field, value) [F(field)] = put_real(&figures[F(field)], value)
#define INTEGER(field, value) [F(field)] = put_integer(&figures[F(field)], value)
        REAL(CPU_UTILIZATION, x->cpu_utilization),
        REAL(MEMORY_UTILIZATION, x->memory_utilization),
        REAL(NETWORK_IN, x->network_in),
        REAL(NETWORK_OUT, x->network_out),
        INTEGER(CPU_NS, c->cpu_ns),
        INTEGER(MEMORY_BYTES, c->memory_bytes),
        INTEGER(RECEIVED_BYTES, c->received_bytes),
        INTEGER(RECEIVED_ERRORS, c->received_errors),
        INTEGER(SENT_BYTES, c->sent_bytes),
        INTEGER(SENT_ERRORS, c->sent_errors),
#undef F
#undef REAL
#undef INTEGER
    };
    db_copy_row(&s->rows, fields, COLLECTOR_METRIC_SAMPLES_COPY_F__MAX);
    days_add(&s->needed, x->at_ns);
    s->n_rows++;
    if (s->store_ms == 0)
        s->store_ms = clock_monotonic_ms() + STORE_MS;
}

static void usage_seen(void *context, enum engine_status status, const struct engine_usage *usage)
{
    struct target *t = context;
    struct sampler *s = t->sampler;
    struct sample x;
    t->asked = NULL;
    s->n_asked--;
    if (status != ENGINE_OK) {
        t->before.at_ns = 0;
        if (status != ENGINE_NOT_FOUND) /* the list will tell that it is gone */
            metrics_add(FIGURE_SAMPLE_FAILURES, 0, 1);
        return;
    }
    if (t->before.at_ns > 0 && rate_between(&t->before, usage, t->cpu_millis, &x))
        add_row(s, t->instance_id, &x);
    t->before = *usage;
}

static void store(struct sampler *s)
{
    s->store_ms = 0;
    enum db_status status = s->rows.failed ? DB_FAILED : DB_AWAY;
    if (!s->rows.failed && s->right.connection == db_connections(s->right.db))
        status = days_make(&s->needed, &s->there, s->right.db, "metric_samples");
    if (status == DB_OK && s->right.connection != db_connections(s->right.db))
        status = DB_AWAY;
    if (status == DB_OK)
        status = db_copy(s->right.db, COLLECTOR_METRIC_SAMPLES_COPY, s->rows.data, s->rows.len);
    if (status == DB_OK) {
        metrics_add(FIGURE_SAMPLES, 0, s->n_rows);
    } else if (status == DB_AWAY && s->rows.len < ROWS_MOST) {
        s->store_ms = clock_monotonic_ms() + STORE_MS;
        return;
    } else {
        log_warning("%" PRId64 " samples could not be stored: %s", s->n_rows, db_message(s->right.db));
        give_up_rows(s);
        return;
    }
    buf_clear(&s->rows);
    s->needed.n = 0;
    s->n_rows = 0;
}

/* Asks for those that are due, as many as may be under way. Returns when the next one is due (monotonic). */
static int64_t ask(struct sampler *s, int64_t now)
{
    int64_t next = now + TURN_MOST_MS, late = 0;
    for (struct target *t = s->targets; t != NULL; t = t->next) {
        if (now - t->due_ms > late)
            late = now - t->due_ms;
        if (t->asked != NULL)
            continue;
        if (t->due_ms <= now && s->n_asked < ASKED_MOST) {
            struct engine_usage_handler handler = {.done = usage_seen, .context = t};
            /* On its beat, unless that was missed by more than a beat. */
            t->due_ms += s->settings->sample_interval_ms;
            if (t->due_ms <= now)
                t->due_ms = now + s->settings->sample_interval_ms;
            t->asked = engine_usage_ask(s->loop, t->container_id, &handler);
            if (t->asked != NULL)
                s->n_asked++;
        }
        if (t->asked == NULL && s->n_asked < ASKED_MOST && t->due_ms < next)
            next = t->due_ms;
    }
    metrics_set(FIGURE_SAMPLE_LAG, 0, late);
    return next;
}

/* --- which instances there are --- */

/* Where in the interval an instance has its beat: anywhere, and always the same. */
static int64_t beat_of(const struct sampler *s, const char *instance_id)
{
    uint32_t hash = 5381;
    for (const char *p = instance_id; *p != '\0'; p++)
        hash = hash * 33 + (unsigned char)*p;
    return (int64_t)hash % s->settings->sample_interval_ms;
}

/* Returns whether the engine answered. */
static bool target_add(struct sampler *s, const struct engine_container *c)
{
    struct engine_container known;
    enum engine_status status = engine_container_inspect(s->right.engine, c->id, &known);
    if (status != ENGINE_OK)
        return status != ENGINE_AWAY; /* the next pass tries again */
    struct target *t = calloc(1, sizeof *t);
    char *id = strdup(c->id);
    if (t == NULL || id == NULL) {
        free(t);
        free(id);
    } else {
        *t = (struct target){.sampler = s, .next = s->targets, .container_id = id, .cpu_millis = known.cpu_millis,
                             .due_ms = clock_monotonic_ms() + beat_of(s, c->instance), .seen = true};
        snprintf(t->instance_id, sizeof t->instance_id, "%s", c->instance);
        s->targets = t;
    }
    engine_container_clear(&known);
    return true;
}

static void pass(struct sampler *s)
{
    struct engine_container_list list;
    int64_t n = 0;
    s->next_pass_ms = clock_monotonic_ms() + s->settings->pass_interval_ms;
    if (engine_container_find(s->right.engine, s->right.installation, NULL, &list) != ENGINE_OK) {
        log_warning("the containers could not be listed: %s", engine_error(s->right.engine));
        s->next_pass_ms = clock_monotonic_ms() + WAIT_AWAY_MS;
        return;
    }
    for (struct target *t = s->targets; t != NULL; t = t->next)
        t->seen = false;
    bool answers = true;
    for (size_t i = 0; i < list.n; i++) {
        const struct engine_container *c = &list.items[i];
        struct target *t = s->targets;
        if (c->state != ENGINE_RUNNING || strlen(c->instance) != 36)
            continue;
        while (t != NULL && strcmp(t->container_id, c->id) != 0)
            t = t->next;
        if (t != NULL)
            t->seen = true;
        else if (answers && !signals_stop()) /* those that are known are sampled, whatever one that hangs does */
            answers = target_add(s, c);
    }
    for (struct target **at = &s->targets; *at != NULL;) {
        struct target *t = *at;
        if (t->seen) {
            at = &t->next;
            n++;
        } else {
            *at = t->next;
            target_free(t);
        }
    }
    metrics_set(FIGURE_INSTANCES_SAMPLED, 0, n);
    engine_container_list_free(&list);
}

/* --- the loop --- */

static void hear(struct sampler *s)
{
    int64_t soon = clock_monotonic_ms() + PASS_LEAST_MS;
    if (right_announced(&s->right) && s->next_pass_ms > soon)
        s->next_pass_ms = soon;
}

static void turn(struct sampler *s)
{
    int64_t now = clock_monotonic_ms();
    if (now >= s->next_pass_ms)
        pass(s);
    int64_t until = ask(s, now);
    if (s->next_pass_ms < until)
        until = s->next_pass_ms;
    if (s->store_ms > 0 && s->store_ms < until)
        until = s->store_ms;
    int wait = until > now ? (int)(until - now) : 0;
    if (engine_loop_wait(s->loop, db_socket(s->right.db), wait) != ENGINE_OK)
        signals_wait(-1, WAIT_AWAY_MS);
    hear(s);
    if (s->store_ms > 0 && clock_monotonic_ms() >= s->store_ms)
        store(s);
}

static void sample(struct sampler *s)
{
    while (loop_next()) {
        switch (right_take(&s->right)) {
        case RIGHT_TAKEN: /* samples that wait are of the same engine, and as good as before */
            forget_targets(s);
            break;
        case RIGHT_HELD:
            turn(s);
            break;
        case RIGHT_STANDBY:
            forget_targets(s);
            give_up_rows(s);
            signals_wait(-1, STANDBY_MS);
            break;
        case RIGHT_AWAY:
            signals_wait(-1, WAIT_AWAY_MS);
            break;
        }
    }
    if (s->store_ms > 0)
        store(s);
}

int sampler_run(void *context, int index)
{
    const struct collector_settings *settings = context;
    struct engine_options engine = {.endpoint = settings->engine, .call_deadline_ms = settings->engine_deadline_ms};
    struct sampler s = {.settings = settings};
    int status = 1;
    (void)index;
    s.loop = engine_loop_create(&engine);
    if (right_open(&s.right, settings, "samples") == 0 && s.loop != NULL) {
        sample(&s);
        status = 0;
    }
    forget_targets(&s);
    buf_free(&s.rows);
    engine_loop_free(s.loop);
    right_close(&s.right);
    return status;
}
