/* Opening a connection and making it one of ours, all within one deadline and, once it is open, in one round trip. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/db_internal.h"
#include "common/log.h"
#include "gen/common_statements.h"

/* A server gives up a statement when nine tenths of the client's deadline are over, but at most a second before it: so the
 * client hears of it in time. A wait for a lock may take a fifth of the usual deadline: who waits holds up a worker, and what
 * is held for longer than that is held by somebody who forgot. */
#define SERVER_MARGIN_MOST_MS 1000
#define LOCK_SHARE 5
/* How often a running statement looks whether its client is still there. */
#define CLIENT_CHECK_MS "1000"
/* A machine that is silent, at either end of a TCP connection: asked after 30 s, given up 30 s later. */
#define KEEPALIVE_SECONDS "30"
#define KEEPALIVE_INTERVAL_SECONDS "10"
#define KEEPALIVE_COUNT "3"
#define UNACKNOWLEDGED_MS "30000"

/* --- opening --- */

/* What the thread works with: copies, since it may outlive whoever asked. */
struct attempt {
    char *conninfo, *application_name;
    char timeout[24];
    PGconn *conn;
};

static void attempt_run(void *context)
{
    struct attempt *a = context;
    /* What stands before dbname is a default: the connection string goes before it. */
    const char *const keys[] = {"connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count",
                                "tcp_user_timeout", "dbname", "fallback_application_name", "client_encoding", NULL};
    const char *const values[] = {a->timeout, KEEPALIVE_SECONDS, KEEPALIVE_INTERVAL_SECONDS, KEEPALIVE_COUNT,
                                  UNACKNOWLEDGED_MS, a->conninfo, a->application_name, "UTF8", NULL};
    a->conn = PQconnectdbParams(keys, values, 1);
}

static void attempt_free(void *context)
{
    struct attempt *a = context;
    PQfinish(a->conn);
    free(a->conninfo);
    free(a->application_name);
    free(a);
}

/* Whether the server has nothing to say yet: what it says first to who is connected is that it ends. */
static bool connection_quiet(const PGconn *conn)
{
    struct pollfd p = {.fd = PQsocket(conn), .events = POLLIN};
    return PQstatus(conn) == CONNECTION_OK && poll(&p, 1, 0) == 0;
}

/* Lets go of an attempt that ended, since it was last waited for, with nothing that is of use now: what was the matter then says
 * nothing of now, however long ago that is. */
static void attempt_forget_failed(struct aside **under_way, const struct attempt *attempt)
{
    if (*under_way == NULL || !aside_wait(*under_way, 0) || connection_quiet(attempt->conn))
        return;
    aside_release(*under_way);
    *under_way = NULL;
}

/* Connecting blocks without a deadline of ours, in getaddrinfo to begin with; so all of it is made aside. *attempt: the one
 * that is under way from before, or NULL; what does not end in time stays there for the next call. */
static PGconn *connection_await(struct aside **under_way, struct attempt **attempt, const char *conninfo,
                                const char *application_name, int64_t deadline_ms)
{
    static const struct aside_call call = {.run = attempt_run, .free = attempt_free};
    attempt_forget_failed(under_way, *attempt);
    if (*under_way == NULL) {
        struct attempt *a = calloc(1, sizeof *a);
        if (a == NULL)
            return NULL;
        a->conninfo = strdup(conninfo);
        a->application_name = strdup(application_name);
        /* Seconds; libpq's own limit for each address ends the thread in the end, ours comes first. */
        snprintf(a->timeout, sizeof a->timeout, "%lld", (long long)((deadline_ms - clock_monotonic_ms()) / 1000 + 2));
        if (a->conninfo == NULL || a->application_name == NULL) {
            attempt_free(a);
            return NULL;
        }
        *attempt = a;
        *under_way = aside_start(&call, a);
    }
    if (*under_way == NULL || !aside_wait(*under_way, deadline_ms))
        return NULL;
    PGconn *conn = (*attempt)->conn;
    (*attempt)->conn = NULL;
    aside_release(*under_way);
    *under_way = NULL;
    return conn;
}

PGconn *db_bare_connection(const char *conninfo, const char *application_name, int64_t deadline_ms)
{
    struct aside *under_way = NULL;
    struct attempt *attempt = NULL;
    PGconn *conn = connection_await(&under_way, &attempt, conninfo, application_name, clock_monotonic_ms() + deadline_ms);
    aside_release(under_way);
    return conn;
}

static enum db_status connection_open(struct db *db)
{
    db->conn = connection_await(&db->connecting, &db->attempt, db->options.conninfo, db->options.application_name, db->deadline_ms);
    if (db->conn == NULL) {
        db_remember(db, "PostgreSQL did not answer in time");
        db->timed_out = true;
        return DB_AWAY;
    }
    if (PQstatus(db->conn) != CONNECTION_OK) {
        db_remember(db, PQerrorMessage(db->conn));
        return DB_AWAY;
    }
    return PQsetnonblocking(db->conn, 1) == 0 ? DB_OK : DB_AWAY;
}

/* --- the session --- */

struct bound_texts {
    char statement[24], lock[24], idle[24];
};

static void bounds_fill(const struct db *db, int64_t bound_ms, struct bound_texts *texts, const char **params)
{
    int64_t margin = bound_ms / 10 < SERVER_MARGIN_MOST_MS ? bound_ms / 10 : SERVER_MARGIN_MOST_MS;
    int64_t fifth = db->options.query_deadline_ms / LOCK_SHARE;
    int64_t lock = db->options.lock_deadline_ms > 0 && db->options.lock_deadline_ms < fifth ? db->options.lock_deadline_ms : fifth;
    snprintf(texts->statement, sizeof texts->statement, "%lld", (long long)(bound_ms - margin));
    snprintf(texts->lock, sizeof texts->lock, "%lld", (long long)(lock > 0 ? lock : 1));
    snprintf(texts->idle, sizeof texts->idle, "%lld", (long long)db->options.query_deadline_ms);
    params[COMMON_SESSION_BOUNDS_P_STATEMENT_MS] = texts->statement;
    params[COMMON_SESSION_BOUNDS_P_LOCK_MS] = texts->lock;
    params[COMMON_SESSION_BOUNDS_P_IDLE_MS] = texts->idle;
    params[COMMON_SESSION_BOUNDS_P_CLIENT_CHECK_MS] = CLIENT_CHECK_MS;
    params[COMMON_SESSION_BOUNDS_P_KEEPALIVE_S] = KEEPALIVE_SECONDS;
    params[COMMON_SESSION_BOUNDS_P_UNACKNOWLEDGED_MS] = UNACKNOWLEDGED_MS;
}

enum db_status db_session_bound(struct db *db, int64_t bound_ms)
{
    /* What a transaction sets goes with it when it is rolled back; so bounds change outside. */
    if (db->server_bound_ms == bound_ms || db->in_transaction)
        return DB_OK;
    struct bound_texts texts;
    const char *params[COMMON_SESSION_BOUNDS_P__MAX];
    PGresult *r;
    bounds_fill(db, bound_ms, &texts, params);
    enum db_status status = db_command(db, common_statements[COMMON_SESSION_BOUNDS].sql, params, COMMON_SESSION_BOUNDS_P__MAX, &r);
    PQclear(r);
    if (status == DB_OK)
        db->server_bound_ms = bound_ms;
    return status;
}

/* Refuses a schema that this binary was not built for. */
static enum db_status schema_judge(struct db *db, const PGresult *r)
{
    int version = (int)db_int(r, 0, COMMON_SCHEMA_VERSION_C_VERSION);
    bool same_tables = version == db_schema_version && strcmp(db_text(r, 0, COMMON_SCHEMA_VERSION_C_CHECKSUM), db_schema_checksum) == 0;
    if (same_tables && strcmp(db_text(r, 0, COMMON_SCHEMA_VERSION_C_DEFINITIONS), db_definitions_checksum) == 0)
        return DB_OK;
    char text[200];
    snprintf(text, sizeof text, "the database's schema is version %d, this program knows version %d%s", version,
             db_schema_version,
             version < db_schema_version   ? "; run skylarkctl migrate"
             : version > db_schema_version ? "; install the newer program"
             : same_tables                 ? ", but its definitions differ; run skylarkctl migrate"
                                           : ", but its tables differ");
    db_remember(db, text);
    return DB_SCHEMA;
}

static enum db_status schema_failure(struct db *db, enum db_status status)
{
    if (status != DB_FAILED)
        return status;
    db_remember(db, "the database has no Skylark schema that this role can read; run skylarkctl migrate");
    return DB_SCHEMA;
}

static enum db_status schema_check(struct db *db)
{
    PGresult *r;
    enum db_status status = db_command(db, common_statements[COMMON_SCHEMA_VERSION].sql, NULL, 0, &r);
    status = status == DB_OK ? schema_judge(db, r) : schema_failure(db, status);
    PQclear(r);
    return status;
}

static bool listen_send(struct db *db)
{
    if (db->options.channel == NULL)
        return true;
    char *name = PQescapeIdentifier(db->conn, db->options.channel, strlen(db->options.channel));
    struct buf listen = {0};
    buf_addf(&listen, "LISTEN %s", name != NULL ? name : "");
    bool sent = PQsendQueryParams(db->conn, buf_text(&listen), 0, NULL, NULL, NULL, NULL, 0) == 1;
    buf_free(&listen);
    PQfreemem(name);
    return sent;
}

/* The answers to what session_settle sent, up to the end of the pipeline. The first failure counts: what follows it was not run. */
static enum db_status session_answers(struct db *db)
{
    enum { BOUNDS, SCHEMA };
    enum db_status status = DB_OK;
    for (int n = 0;;) {
        PGresult *r;
        enum db_status wait = db_next_result(db, db->deadline_ms, &r);
        if (wait != DB_OK)
            return wait;
        ExecStatusType kind = r != NULL ? PQresultStatus(r) : PGRES_EMPTY_QUERY;
        if (r == NULL) {
            n++;
        } else if (status == DB_OK && kind == PGRES_TUPLES_OK && n == SCHEMA) {
            status = schema_judge(db, r);
        } else if (status == DB_OK && kind != PGRES_TUPLES_OK && kind != PGRES_COMMAND_OK && kind != PGRES_PIPELINE_SYNC) {
            status = db_failure(db, r);
            if (n == SCHEMA)
                status = schema_failure(db, status);
        }
        PQclear(r);
        if (db->conn == NULL || kind == PGRES_PIPELINE_SYNC)
            return status;
    }
}

/* Bounds, schema and channel, in one round trip. */
static enum db_status session_settle(struct db *db)
{
    struct bound_texts texts;
    const char *params[COMMON_SESSION_BOUNDS_P__MAX];
    bounds_fill(db, db->options.query_deadline_ms, &texts, params);
    if (!PQenterPipelineMode(db->conn) ||
        !PQsendQueryParams(db->conn, common_statements[COMMON_SESSION_BOUNDS].sql, COMMON_SESSION_BOUNDS_P__MAX, NULL, params, NULL, NULL, 0) ||
        !PQsendQueryParams(db->conn, common_statements[COMMON_SCHEMA_VERSION].sql, 0, NULL, NULL, NULL, NULL, 0) ||
        !listen_send(db) || !PQpipelineSync(db->conn))
        return db_failure(db, NULL);
    enum db_status status = session_answers(db);
    if (status == DB_OK && !PQexitPipelineMode(db->conn))
        status = db_failure(db, NULL);
    if (status == DB_OK)
        db->server_bound_ms = db->options.query_deadline_ms;
    return status;
}

enum db_status db_session_open(struct db *db)
{
    enum db_status status = connection_open(db);
    return status == DB_OK ? session_settle(db) : status;
}

enum db_status db_ping(struct db *db)
{
    if (db->conn != NULL)
        db_idle_check(db);
    bool had_connection = db->conn != NULL;
    enum db_status status = db_connect(db); /* which checks the schema of a new connection */
    db_call_begin(db, db->options.query_deadline_ms);
    return status == DB_OK && had_connection ? schema_check(db) : status;
}
