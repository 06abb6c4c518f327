/* One long-lived connection to PostgreSQL: connecting, healing, running prepared statements. */
#include "common/db.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/db_internal.h"
#include "common/log.h"
#include "gen/common_statements.h"

/* While the server is away it is asked again this often; requests between get DB_AWAY at once. */
#define ATTEMPT_INTERVAL_MS 1000
#define STATEMENT_NAME_SIZE 24

struct db *db_create(const struct db_options *options)
{
    struct db *db = calloc(1, sizeof *db);
    if (db == NULL)
        return NULL;
    db->options = *options;
    db->options.conninfo = strdup(options->conninfo);
    db->options.application_name = strdup(options->application_name);
    db->options.channel = options->channel != NULL ? strdup(options->channel) : NULL;
    if (db->options.conninfo == NULL || db->options.application_name == NULL ||
        (options->channel != NULL && db->options.channel == NULL)) {
        db_free(db);
        return NULL;
    }
    return db;
}

void db_drop(struct db *db)
{
    PQclear(db->row);
    db->row = NULL;
    PQfinish(db->conn);
    db->conn = NULL;
    db->streaming = false;
    /* in_transaction stays: what belongs to a lost transaction must not run by itself over the next connection. */
}

void db_free(struct db *db)
{
    if (db == NULL)
        return;
    db_drop(db);
    free((char *)db->options.conninfo);
    free((char *)db->options.application_name);
    free((char *)db->options.channel);
    buf_free(&db->message);
    free(db);
}

const char *db_constraint(const struct db *db)
{
    return db->constraint;
}

const char *db_message(const struct db *db)
{
    return buf_text(&db->message);
}

int db_socket(const struct db *db)
{
    return db->conn != NULL ? PQsocket(db->conn) : -1;
}

unsigned db_connections(const struct db *db)
{
    return db->connections;
}

uint64_t db_sent(const struct db *db)
{
    return db->sent;
}

static enum db_status status_of_sqlstate(const char *state)
{
    static const struct {
        const char *prefix;
        enum db_status status;
    } rows[] = {
        {"23505", DB_CONFLICT}, {"23P01", DB_CONFLICT}, {"23", DB_REFUSED},  {"22", DB_REFUSED},
        {"P0001", DB_REFUSED},  {"40", DB_RETRY},       {"08", DB_AWAY},     {"57P", DB_AWAY},
        {"53300", DB_AWAY},     {"25006", DB_AWAY},     {"57014", DB_AWAY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strncmp(state, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            return rows[i].status;
    }
    return DB_FAILED;
}

/* Keeps the text without its line ends: it goes into log lines. */
static void db_remember(struct db *db, const char *text)
{
    buf_clear(&db->message);
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
        len--;
    buf_add(&db->message, text, len);
}

enum db_status db_failure(struct db *db, const PGresult *result)
{
    enum db_status status = DB_AWAY;
    db->constraint[0] = '\0';
    if (result != NULL) {
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
        const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        snprintf(db->constraint, sizeof db->constraint, "%s", constraint != NULL ? constraint : "");
        db_remember(db, primary != NULL ? primary : PQresultErrorMessage(result));
        if (state != NULL)
            status = status_of_sqlstate(state);
    } else if (db->conn != NULL) {
        db_remember(db, PQerrorMessage(db->conn));
    }
    if (status == DB_FAILED)
        log_error("PostgreSQL: %s", db_message(db));
    if (db->conn == NULL || PQstatus(db->conn) == CONNECTION_BAD || (status == DB_AWAY && result == NULL)) {
        log_warning("connection to PostgreSQL lost: %s", db_message(db));
        db_drop(db);
        status = DB_AWAY;
    }
    return status;
}

/* Polls the socket. Returns false when the deadline has passed. */
static bool socket_wait(int fd, short events, int64_t deadline_ms)
{
    for (;;) {
        int64_t left = deadline_ms - clock_monotonic_ms();
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, left > 0 ? (int)left : 0);
        if (n > 0)
            return true;
        if (n == 0 || errno != EINTR)
            return false;
    }
}

enum db_status db_wait(struct db *db, int64_t deadline_ms)
{
    for (;;) {
        int pending = PQflush(db->conn);
        if (pending < 0)
            return db_failure(db, NULL);
        if (pending == 0 && !PQisBusy(db->conn))
            return DB_OK;
        if (!socket_wait(PQsocket(db->conn), (short)(pending ? POLLIN | POLLOUT : POLLIN), deadline_ms)) {
            log_warning("PostgreSQL did not answer in time; the connection is given up");
            /* No PQcancel: it would wait for the same server. The backend notices when it writes. */
            db_drop(db);
            db_remember(db, "PostgreSQL did not answer in time");
            return DB_AWAY;
        }
        if (!PQconsumeInput(db->conn))
            return db_failure(db, NULL);
    }
}

enum db_status db_next_result(struct db *db, int64_t deadline_ms, PGresult **result)
{
    *result = NULL;
    enum db_status status = db_wait(db, deadline_ms);
    if (status == DB_OK)
        *result = PQgetResult(db->conn);
    return status;
}

void db_drain(struct db *db, int64_t deadline_ms)
{
    PGresult *r = NULL;
    do {
        PQclear(r);
        r = NULL;
        if (db->conn == NULL || db_next_result(db, deadline_ms, &r) != DB_OK)
            break;
    } while (r != NULL);
    PQclear(r);
}

/* Reads all results of what was sent and keeps the first; a failure among them wins. */
static enum db_status db_collect(struct db *db, PGresult **result)
{
    int64_t deadline = clock_monotonic_ms() + db->options.query_deadline_ms;
    enum db_status status = DB_OK;
    *result = NULL;
    for (;;) {
        PGresult *next;
        enum db_status wait = db_next_result(db, deadline, &next);
        if (wait != DB_OK) {
            status = wait;
            break;
        }
        if (next == NULL)
            break;
        ExecStatusType kind = PQresultStatus(next);
        if (kind != PGRES_TUPLES_OK && kind != PGRES_COMMAND_OK) {
            status = db_failure(db, next);
            PQclear(next);
            if (db->conn == NULL)
                break;
        } else if (*result == NULL) {
            *result = next;
        } else {
            PQclear(next);
        }
    }
    if (status == DB_OK && *result == NULL)
        status = db_failure(db, NULL);
    if (status != DB_OK) {
        PQclear(*result);
        *result = NULL;
    }
    return status;
}

enum db_status db_command(struct db *db, const char *sql, const char *const *params, int n_params,
                          PGresult **result)
{
    *result = NULL;
    db->sent++;
    if (!PQsendQueryParams(db->conn, sql, n_params, NULL, params, NULL, NULL, 0))
        return db_failure(db, NULL);
    return db_collect(db, result);
}

/* Opens the connection itself, within the deadline. */
static enum db_status connection_open(struct db *db, int64_t deadline_ms)
{
    const char *const keys[] = {"dbname", "fallback_application_name", "client_encoding", NULL};
    const char *const values[] = {db->options.conninfo, db->options.application_name, "UTF8", NULL};
    db->conn = PQconnectStartParams(keys, values, 1);
    if (db->conn == NULL)
        return DB_AWAY;
    PostgresPollingStatusType step = PGRES_POLLING_WRITING;
    while (PQstatus(db->conn) != CONNECTION_BAD && step != PGRES_POLLING_OK && step != PGRES_POLLING_FAILED) {
        short events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (!socket_wait(PQsocket(db->conn), events, deadline_ms)) {
            db_remember(db, "PostgreSQL did not answer in time");
            return DB_AWAY;
        }
        step = PQconnectPoll(db->conn);
    }
    if (PQstatus(db->conn) != CONNECTION_OK) {
        db_remember(db, PQerrorMessage(db->conn));
        return DB_AWAY;
    }
    return PQsetnonblocking(db->conn, 1) == 0 ? DB_OK : DB_AWAY;
}

/* Refuses a schema that this binary was not built for. */
static enum db_status schema_check(struct db *db)
{
    PGresult *r;
    enum db_status status = db_command(db, common_statements[COMMON_SCHEMA_VERSION].sql, NULL, 0, &r);
    if (status == DB_FAILED) {
        db_remember(db, "the database has no Skylark schema that this role can read; run skylarkctl migrate");
        return DB_SCHEMA;
    }
    if (status != DB_OK)
        return status;
    int version = (int)db_int(r, 0, COMMON_SCHEMA_VERSION_C_VERSION);
    bool same_tables = version == db_schema_version && strcmp(db_text(r, 0, COMMON_SCHEMA_VERSION_C_CHECKSUM), db_schema_checksum) == 0;
    if (!same_tables || strcmp(db_text(r, 0, COMMON_SCHEMA_VERSION_C_DEFINITIONS), db_definitions_checksum) != 0) {
        char text[200];
        snprintf(text, sizeof text, "the database's schema is version %d, this program knows version %d%s", version,
                 db_schema_version,
                 version < db_schema_version   ? "; run skylarkctl migrate"
                 : version > db_schema_version ? "; install the newer program"
                 : same_tables                 ? ", but its definitions differ; run skylarkctl migrate"
                                               : ", but its tables differ");
        db_remember(db, text);
        status = DB_SCHEMA;
    }
    PQclear(r);
    return status;
}

static enum db_status session_prepare(struct db *db)
{
    enum db_status status = schema_check(db);
    PGresult *r;
    if (status == DB_OK && db->options.statement_deadline_ms > 0) {
        char set[64];
        snprintf(set, sizeof set, "SET statement_timeout = %lld", (long long)db->options.statement_deadline_ms);
        status = db_command(db, set, NULL, 0, &r);
        PQclear(r);
    }
    if (status == DB_OK && db->options.channel != NULL) {
        char *name = PQescapeIdentifier(db->conn, db->options.channel, strlen(db->options.channel));
        struct buf listen = {0};
        buf_addf(&listen, "LISTEN %s", name != NULL ? name : "");
        status = db_command(db, buf_text(&listen), NULL, 0, &r);
        PQclear(r);
        buf_free(&listen);
        PQfreemem(name);
    }
    for (size_t i = 0; i < db->options.n_statements && status == DB_OK; i++) {
        char name[STATEMENT_NAME_SIZE];
        snprintf(name, sizeof name, "s%zu", i);
        if (!PQsendPrepare(db->conn, name, db->options.statements[i].sql, 0, NULL))
            return db_failure(db, NULL);
        status = db_collect(db, &r);
        PQclear(r);
        if (status != DB_OK)
            log_error("preparing %s: %s", db->options.statements[i].name, db_message(db));
    }
    return status;
}

enum db_status db_connect(struct db *db)
{
    if (db->conn != NULL)
        return DB_OK;
    int64_t now = clock_monotonic_ms();
    if (now < db->next_attempt_ms)
        return DB_AWAY;
    enum db_status status = connection_open(db, now + db->options.connect_deadline_ms);
    if (status == DB_OK)
        status = session_prepare(db);
    if (status != DB_OK) {
        if (!db->away_logged)
            log_warning("no connection to PostgreSQL: %s", db_message(db));
        db->away_logged = true;
        db_drop(db);
        db->next_attempt_ms = clock_monotonic_ms() + ATTEMPT_INTERVAL_MS;
        return status == DB_SCHEMA || status == DB_FAILED ? DB_SCHEMA : DB_AWAY;
    }
    if (db->away_logged)
        log_info("connected to PostgreSQL again");
    db->away_logged = false;
    db->fresh = true;
    db->connections++;
    return DB_OK;
}

/* Notices that the server closed an idle connection before anything is sent into the void. */
static void idle_check(struct db *db)
{
    struct pollfd p = {.fd = PQsocket(db->conn), .events = POLLIN};
    if (poll(&p, 1, 0) <= 0)
        return;
    if (!PQconsumeInput(db->conn) || PQstatus(db->conn) == CONNECTION_BAD) {
        log_info("PostgreSQL closed the idle connection; connecting anew");
        db_drop(db);
    }
}

enum db_status db_ping(struct db *db)
{
    if (db->conn != NULL)
        idle_check(db);
    bool had_connection = db->conn != NULL;
    enum db_status status = db_connect(db); /* which checks the schema of a new connection */
    return status == DB_OK && had_connection ? schema_check(db) : status;
}

enum db_status db_send(struct db *db, unsigned statement, const char *const *params)
{
    if (db->conn != NULL && !db->in_transaction)
        idle_check(db);
    if (db->conn == NULL && db->in_transaction)
        return DB_AWAY;
    enum db_status status = db_connect(db);
    if (status != DB_OK)
        return status;
    char name[STATEMENT_NAME_SIZE];
    snprintf(name, sizeof name, "s%u", statement);
    int n = db->options.statements[statement].n_params;
    db->sent++;
    if (!PQsendQueryPrepared(db->conn, name, n, params, NULL, NULL, 0))
        return db_failure(db, NULL);
    return DB_OK;
}

enum db_status db_run(struct db *db, unsigned statement, const char *const *params, PGresult **result)
{
    *result = NULL;
    enum db_status status = db_send(db, statement, params);
    return status == DB_OK ? db_collect(db, result) : status;
}

enum db_status db_execute(struct db *db, unsigned statement, const char *const *params, long *affected)
{
    PGresult *r;
    enum db_status status = db_run(db, statement, params, &r);
    if (affected != NULL)
        *affected = status == DB_OK ? strtol(PQcmdTuples(r), NULL, 10) : 0;
    PQclear(r);
    return status;
}

bool db_notified(struct db *db, char *payload, size_t size)
{
    payload[0] = '\0';
    if (db->conn == NULL)
        return false;
    if (db->fresh) {
        db->fresh = false;
        return true;
    }
    if (!PQconsumeInput(db->conn)) {
        db_failure(db, NULL);
        return false;
    }
    PGnotify *n = PQnotifies(db->conn);
    if (n == NULL)
        return false;
    snprintf(payload, size, "%s", n->extra);
    PQfreemem(n);
    return true;
}
