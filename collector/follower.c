/* Follows the logs of all containers of the installation on one engine and stores them. The engine keeps every line until
 * it is stored, and the database knows how far that is: so memory is never the only copy of anything, and whatever goes
 * wrong (the database away, a transaction whose end is not known, another collector in between) is mended the same way, by
 * forgetting everything and going on from the stored positions. */
#include "collector/follower.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/assemble.h"
#include "collector/batch.h"
#include "collector/figures.h"
#include "collector/maintain.h"
#include "collector/right.h"
#include "collector/settings.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/signals.h"
#include "engine/engine.h"
#include "gen/collector_statements.h"

#define NS_PER_MS 1000000
/* Engine and collector are on one host and have one clock. When it was set back by more than this, lines bear the time when they were read. */
#define AHEAD_MOST_NS (INT64_C(86400) * 1000000000)
#define WAIT_AWAY_MS 500
#define STANDBY_MS 2000
/* Announcements come in bursts; the engine is asked for its list so often at the most. */
#define PASS_LEAST_MS 100

struct follower;

/* One followed log. */
struct follow {
    struct follower *follower;
    struct follow *next;
    char instance_id[37], service_id[37];
    char *container_id;
    struct engine_stream *stream; /* NULL: not open (any more) */
    struct assemble assemble[RESUME_STREAMS];
    struct resume resume;
    int64_t next_seq;
    struct buf rows; /* since the last store, for COPY */
    int64_t n_rows, bytes, oldest_ns; /* of them */
    int reading;   /* stream of the piece under way */
    bool dirty;    /* its position has moved since the last store, or completed is not stored yet */
    bool ended;    /* the engine says that this was all; to be confirmed */
    bool last_look; /* opened when the container had ended already: what it gives is all there will ever be */
    bool completed;
    bool taken;   /* its position is ours in the transaction that is open */
    bool skipped; /* somebody has its rows locked, or they are gone: to be forgotten, and followed anew from what is stored */
};

struct follower {
    const struct collector_settings *settings;
    struct right right;
    struct engine_loop *loop;
    struct batch batch;
    int64_t waiting; /* bytes of rows of all follows */
    struct follow *follows;
    struct maintain maintain;
    int64_t next_pass_ms, next_flush_ms; /* monotonic; next_flush_ms 0: nothing waits */
    bool lost; /* a store failed: start over */
    int backoff_ms; /* how soon, after that */
};

static void follow_free(struct follow *f)
{
    if (f->stream != NULL)
        engine_stream_close(f->stream);
    for (int i = 0; i < RESUME_STREAMS; i++)
        assemble_clear(&f->assemble[i]);
    buf_free(&f->rows);
    free(f->container_id);
    free(f);
}

/* Forgets everything that is not in the database. */
static void forget_all(struct follower *c)
{
    while (c->follows != NULL) {
        struct follow *f = c->follows;
        c->follows = f->next;
        follow_free(f);
    }
    batch_clear(&c->batch);
    metrics_set(FIGURE_LOGS_FOLLOWED, 0, 0);
    c->waiting = 0;
    c->next_flush_ms = 0;
    c->next_pass_ms = 0;
    c->lost = false;
}

/* --- from the engine into the batch --- */

static void note_change(struct follower *c, struct follow *f)
{
    f->dirty = true;
    if (c->next_flush_ms == 0)
        c->next_flush_ms = clock_monotonic_ms() + c->settings->flush_interval_ms;
    if (c->waiting >= c->settings->flush_bytes)
        c->next_flush_ms = clock_monotonic_ms();
}

static void take_row(void *context, int64_t at_ns, const char *data, size_t len, bool continues)
{
    struct follow *f = context;
    struct follower *c = f->follower;
    if (f->skipped || !resume_take(&f->resume, f->reading, at_ns))
        return;
    int64_t now_ns = clock_wall_ns();
    if (at_ns < now_ns - c->settings->log_retention_ms * NS_PER_MS) {
        /* The partition of its day may be gone already. */
        metrics_add(FIGURE_LOG_EXPIRED, 0, 1);
        f->next_seq++;
        note_change(c, f);
        return;
    }
    if (at_ns > now_ns + AHEAD_MOST_NS)
        at_ns = now_ns;
    size_t before = f->rows.len;
    f->bytes += (int64_t)batch_add_row(&c->batch, &f->rows, f->service_id, f->instance_id, f->next_seq++, f->reading, at_ns, data,
                                       len, continues);
    c->waiting += (int64_t)(f->rows.len - before);
    if (f->n_rows++ == 0 || at_ns < f->oldest_ns)
        f->oldest_ns = at_ns;
    note_change(c, f);
}

/* The engine's time of the oldest line that has begun and not ended. */
static int64_t open_line(const struct follow *f)
{
    int64_t oldest = 0;
    for (int i = 0; i < RESUME_STREAMS; i++) {
        const struct assemble *a = &f->assemble[i];
        if (a->open && (oldest == 0 || a->at_ns < oldest))
            oldest = a->at_ns;
    }
    return oldest;
}

/* Its rows are stored, or given up. */
static void rows_clear(struct follower *c, struct follow *f)
{
    c->waiting -= (int64_t)f->rows.len;
    buf_clear(&f->rows);
    f->dirty = false;
    f->n_rows = f->bytes = 0;
}

static void count_stored(struct follower *c)
{
    int64_t oldest = 0;
    for (struct follow *f = c->follows; f != NULL; f = f->next) {
        if (!f->taken)
            continue;
        if (f->n_rows > 0 && (oldest == 0 || f->oldest_ns < oldest))
            oldest = f->oldest_ns;
        metrics_add(FIGURE_LOG_LINES, 0, f->n_rows);
        metrics_add(FIGURE_LOG_BYTES, 0, f->bytes);
    }
    if (oldest > 0)
        metrics_set(FIGURE_LOG_LAG, 0, (clock_wall_ns() - oldest) / NS_PER_MS);
}

static struct follow *follow_find(struct follower *c, const char *instance_id)
{
    for (struct follow *f = c->follows; f != NULL; f = f->next) {
        if (strcmp(f->instance_id, instance_id) == 0)
            return f;
    }
    return NULL;
}

/* Opens the transaction and finds out whose rows may be stored in it. */
static enum db_status store_begin(struct follower *c)
{
    struct buf wanted = {0};
    PGresult *taken = NULL;
    buf_addc(&wanted, '{');
    for (struct follow *f = c->follows; f != NULL; f = f->next) {
        f->taken = false;
        if (f->dirty)
            buf_addf(&wanted, "%s%s", wanted.len > 1 ? "," : "", f->instance_id);
    }
    buf_addc(&wanted, '}');
    enum db_status status = wanted.failed ? DB_FAILED : batch_begin(&c->batch, c->right.db, c->right.connection, buf_text(&wanted), &taken);
    for (int i = 0; status == DB_OK && i < PQntuples(taken); i++) {
        struct follow *f = follow_find(c, db_text(taken, i, COLLECTOR_POSITIONS_TAKE_C_INSTANCE_ID));
        if (f != NULL)
            f->taken = true;
    }
    PQclear(taken);
    buf_free(&wanted);
    return status;
}

static void store(struct follower *c)
{
    c->next_flush_ms = 0;
    enum db_status status = store_begin(c);
    for (struct follow *f = c->follows; f != NULL && status == DB_OK; f = f->next) {
        f->resume.open_ns = open_line(f);
        if (!f->taken)
            continue;
        if (f->rows.len > 0)
            buf_add(&c->batch.rows, f->rows.data, f->rows.len);
        c->batch.rows.failed = c->batch.rows.failed || f->rows.failed;
        batch_add_position(&c->batch, f->instance_id, f->next_seq, &f->resume, f->bytes, f->completed);
    }
    if (status == DB_OK)
        status = batch_store(&c->batch, c->right.db);
    if (status != DB_OK) {
        log_warning("lines could not be stored (%s); going on from what is", db_message(c->right.db));
        c->lost = true;
        c->backoff_ms = db_backoff_ms(c->right.db);
        metrics_add(FIGURE_LOG_STORE_FAILURES, 0, 1);
        return;
    }
    count_stored(c);
    for (struct follow *f = c->follows; f != NULL; f = f->next) {
        if (f->dirty && !f->taken) {
            f->skipped = true;
            /* Not a failure: nothing is lost while they are locked, and each DELETE of a service comes this way. */
            log_info("lines of instance %s are not stored: its rows are locked, or its service was deleted", f->instance_id);
        }
        if (f->dirty)
            rows_clear(c, f);
    }
}

static void take_piece(void *context, const struct engine_log_piece *piece)
{
    struct follow *f = context;
    f->reading = piece->stream;
    assemble_feed(&f->assemble[piece->stream - 1], piece, take_row, f);
    /* One instance that prints without end must not fill the memory within one turn of the loop. */
    if (f->follower->waiting >= 4 * f->follower->settings->flush_bytes && !f->follower->lost)
        store(f->follower);
}

static void log_ended(void *context, enum engine_status status)
{
    struct follow *f = context;
    f->stream = NULL;
    f->ended = status == ENGINE_OK || status == ENGINE_NOT_FOUND;
    int64_t soon = clock_monotonic_ms() + (f->ended ? PASS_LEAST_MS : WAIT_AWAY_MS);
    if (f->follower->next_pass_ms > soon)
        f->follower->next_pass_ms = soon;
}

/* container: as the list showed it, NULL when it is gone. */
static void follow_open(struct follow *f, const struct engine_container *container)
{
    struct engine_log_handler handler = {.piece = take_piece, .end = log_ended, .context = f};
    int64_t begun = open_line(f); /* it is read again from its start */
    if (begun > 0)
        f->resume.open_ns = begun;
    for (int i = 0; i < RESUME_STREAMS; i++)
        assemble_clear(&f->assemble[i]);
    resume_start(&f->resume);
    f->ended = false;
    f->last_look = container == NULL || container->state == ENGINE_EXITED;
    f->stream = engine_log_follow(f->follower->loop, f->container_id, resume_since(&f->resume), &handler);
}

/* --- which logs there are --- */

/* The engine's word that a log is over counts only when the container had ended before the log was opened: streams also end
 * when the engine itself shuts down, and at once for a container that never ran. Then the last lines without a newline are
 * lines, and the log is complete. */
static void follow_confirm_end(struct follower *c, struct follow *f, const struct engine_container *container)
{
    if (container != NULL && container->state == ENGINE_CREATED)
        return; /* its start is announced */
    if (!f->ended || !f->last_look) {
        follow_open(f, container);
        return;
    }
    for (int i = 0; i < RESUME_STREAMS; i++) {
        f->reading = i + 1;
        assemble_finish(&f->assemble[i], take_row, f);
    }
    f->completed = true;
    note_change(c, f);
}

/* Starts following what the database says is an instance of ours whose log is not complete. */
static void follow_new(struct follower *c, const struct engine_container_list *list, struct buf *wanted)
{
    static const struct {
        int at_ns, lines_at;
    } positions[RESUME_STREAMS] = {
        {COLLECTOR_POSITIONS_LOAD_C_STDOUT_AT_NS, COLLECTOR_POSITIONS_LOAD_C_STDOUT_LINES_AT},
        {COLLECTOR_POSITIONS_LOAD_C_STDERR_AT_NS, COLLECTOR_POSITIONS_LOAD_C_STDERR_LINES_AT},
    };
    PGresult *r;
    const char *params[COLLECTOR_POSITIONS_LOAD_P__MAX] = {[COLLECTOR_POSITIONS_LOAD_P_INSTANCES] = buf_text(wanted)};
    if (db_run(c->right.db, COLLECTOR_POSITIONS_LOAD, params, &r) != DB_OK)
        return;
    for (int i = 0; i < PQntuples(r); i++) {
        const char *instance = db_text(r, i, COLLECTOR_POSITIONS_LOAD_C_INSTANCE_ID);
        const struct engine_container *container = NULL;
        for (size_t n = 0; n < list->n && container == NULL; n++)
            container = strcmp(list->items[n].instance, instance) == 0 ? &list->items[n] : NULL;
        struct follow *f = container != NULL ? calloc(1, sizeof *f) : NULL;
        if (f == NULL)
            continue;
        f->follower = c;
        f->container_id = strdup(container->id);
        snprintf(f->instance_id, sizeof f->instance_id, "%s", instance);
        snprintf(f->service_id, sizeof f->service_id, "%s", db_text(r, i, COLLECTOR_POSITIONS_LOAD_C_SERVICE_ID));
        f->next_seq = db_int(r, i, COLLECTOR_POSITIONS_LOAD_C_NEXT_SEQ);
        for (int s = 0; s < RESUME_STREAMS; s++) {
            f->resume.streams[s].at_ns = db_int(r, i, positions[s].at_ns);
            f->resume.streams[s].rows_at = db_int(r, i, positions[s].lines_at);
        }
        f->resume.open_ns = db_int(r, i, COLLECTOR_POSITIONS_LOAD_C_OPEN_AT_NS);
        f->next = c->follows;
        c->follows = f;
        if (f->container_id != NULL)
            follow_open(f, container);
    }
    PQclear(r);
}

/* Goes through what is followed: ends that need confirming, streams that broke, and what is done with. */
static void follows_tend(struct follower *c, const struct engine_container_list *list)
{
    int64_t left = 0;
    for (struct follow **at = &c->follows; *at != NULL;) {
        struct follow *f = *at;
        const struct engine_container *container = NULL;
        for (size_t n = 0; n < list->n && container == NULL; n++)
            container = strcmp(list->items[n].instance, f->instance_id) == 0 ? &list->items[n] : NULL;
        if (f->stream == NULL && !f->completed && !f->skipped)
            follow_confirm_end(c, f, container);
        if (f->skipped || (f->completed && !f->dirty)) {
            c->waiting -= (int64_t)f->rows.len;
            *at = f->next;
            follow_free(f);
        } else {
            at = &f->next;
            left++;
        }
    }
    metrics_set(FIGURE_LOGS_FOLLOWED, 0, left);
}

static void pass(struct follower *c)
{
    struct engine_container_list list;
    c->next_pass_ms = clock_monotonic_ms() + c->settings->pass_interval_ms;
    enum engine_status status = engine_container_find(c->right.engine, c->right.installation, NULL, &list);
    if (status != ENGINE_OK) {
        log_warning("the containers could not be listed: %s", engine_error(c->right.engine));
        c->next_pass_ms = clock_monotonic_ms() + WAIT_AWAY_MS;
        engine_container_list_free(&list);
        return;
    }
    follows_tend(c, &list);
    struct buf wanted = {0};
    size_t n = 0;
    buf_addc(&wanted, '{');
    for (size_t i = 0; i < list.n; i++) {
        /* One that never ran has printed nothing yet; its start is announced. */
        if (strlen(list.items[i].instance) != 36 || list.items[i].state == ENGINE_CREATED ||
            follow_find(c, list.items[i].instance) != NULL)
            continue;
        buf_addf(&wanted, "%s%s", n++ > 0 ? "," : "", list.items[i].instance);
    }
    buf_addc(&wanted, '}');
    if (n > 0)
        follow_new(c, &list, &wanted);
    buf_free(&wanted);
    engine_container_list_free(&list);
}

/* --- the loop --- */

static int wait_ms(const struct follower *c)
{
    int64_t now = clock_monotonic_ms(), until = c->next_pass_ms;
    if (c->next_flush_ms > 0 && c->next_flush_ms < until)
        until = c->next_flush_ms;
    if (c->maintain.next_ms < until)
        until = c->maintain.next_ms;
    return until > now ? (int)(until - now) : 0;
}

static void hear(struct follower *c)
{
    int64_t soon = clock_monotonic_ms() + PASS_LEAST_MS;
    if (right_announced(&c->right) && c->next_pass_ms > soon)
        c->next_pass_ms = soon;
}

static void turn(struct follower *c)
{
    if (engine_loop_wait(c->loop, db_socket(c->right.db), wait_ms(c)) != ENGINE_OK)
        signals_wait(-1, WAIT_AWAY_MS);
    hear(c);
    if (c->next_flush_ms > 0 && clock_monotonic_ms() >= c->next_flush_ms && !c->lost)
        store(c);
    if (clock_monotonic_ms() >= c->next_pass_ms && !c->lost)
        pass(c);
    maintain_when_due(&c->maintain, c->right.db);
    if (c->lost) {
        forget_all(c);
        /* What failed once may fail again. */
        c->next_pass_ms = clock_monotonic_ms() + (c->backoff_ms > WAIT_AWAY_MS ? c->backoff_ms : WAIT_AWAY_MS);
    }
}

static int follower_open(struct follower *c, const struct collector_settings *settings)
{
    struct engine_options engine = {.endpoint = settings->engine, .call_deadline_ms = settings->engine_deadline_ms};
    c->settings = settings;
    c->maintain.settings = settings;
    c->loop = engine_loop_create(&engine);
    return right_open(&c->right, settings, "logs") == 0 && c->loop != NULL ? 0 : -1;
}

int follower_run(void *context, int index)
{
    struct follower c = {0};
    (void)index;
    int status = 1;
    if (follower_open(&c, context) == 0) {
        while (loop_next()) {
            enum right_status held = right_take(&c.right);
            if (held == RIGHT_HELD)
                turn(&c);
            else if (held == RIGHT_TAKEN)
                forget_all(&c); /* and take up again from the stored positions */
            else
                signals_wait(-1, held == RIGHT_STANDBY ? STANDBY_MS : WAIT_AWAY_MS);
        }
        if (c.next_flush_ms > 0)
            store(&c); /* what is lost here is read again by the next collector */
        status = 0;
    }
    forget_all(&c);
    batch_free(&c.batch);
    engine_loop_free(c.loop);
    right_close(&c.right);
    return status;
}
