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

/* While the server is away it is asked again this often; requests between get DB_AWAY at once. */
#define ATTEMPT_INTERVAL_MS 1000

struct db *db_create(const struct db_options *options)
{
    struct db *db = calloc(1, sizeof *db);
    if (db == NULL)
        return NULL;
    db->options = *options;
    db->options.conninfo = strdup(options->conninfo);
    db->options.application_name = strdup(options->application_name);
    db->options.channel = options->channel != NULL ? strdup(options->channel) : NULL;
    db->prepared = calloc(options->n_statements + 1, sizeof *db->prepared);
    if (db->prepared == NULL || db->options.conninfo == NULL || db->options.application_name == NULL ||
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
    db->server_bound_ms = 0;
    memset(db->prepared, 0, db->options.n_statements * sizeof *db->prepared);
    /* in_transaction stays: what belongs to a lost transaction must not run by itself over the next connection. */
}

void db_free(struct db *db)
{
    if (db == NULL)
        return;
    if (db->prepared != NULL)
        db_drop(db);
    aside_release(db->connecting);
    free(db->prepared);
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

const char *db_condition_name(const struct db *db)
{
    return db->condition != NULL ? db->condition->name : "";
}

const char *db_condition_words(const struct db *db)
{
    return db->condition != NULL ? db->condition->words : NULL;
}

int db_backoff_ms(const struct db *db)
{
    return db->condition != NULL ? db->condition->backoff_ms : 0;
}

void db_bound(struct db *db, int64_t deadline_ms)
{
    db->bound_ms = deadline_ms;
}

static int64_t query_bound(const struct db *db)
{
    return db->bound_ms > 0 ? db->bound_ms : db->options.query_deadline_ms;
}

void db_call_begin(struct db *db, int64_t ms)
{
    db->deadline_ms = clock_monotonic_ms() + ms;
    if (db->in_transaction && db->deadline_ms > db->transaction_deadline_ms)
        db->deadline_ms = db->transaction_deadline_ms;
    db->condition = NULL;
    db->timed_out = false;
}

void db_remember(struct db *db, const char *text)
{
    buf_clear(&db->message);
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
        len--;
    buf_add(&db->message, text, len);
}

enum db_status db_failure(struct db *db, const PGresult *result)
{
    const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    db->condition = db_condition_find(state);
    db->constraint[0] = '\0';
    if (result != NULL) {
        const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
        const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        snprintf(db->constraint, sizeof db->constraint, "%s", constraint != NULL ? constraint : "");
        db_remember(db, primary != NULL ? primary : PQresultErrorMessage(result));
    } else if (db->conn != NULL) {
        db_remember(db, PQerrorMessage(db->conn));
    }
    enum db_status status = db->condition->status;
    if (status == DB_FAILED)
        log_error("PostgreSQL: %s (%s)", db_message(db), db->condition->name);
    if (db->conn == NULL || PQstatus(db->conn) == CONNECTION_BAD || db->condition->reconnect) {
        log_warning("connection to PostgreSQL lost: %s (%s)", db_message(db), db->condition->name);
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
            db_cancel(db->conn);
            db_drop(db);
            db_remember(db, "PostgreSQL did not answer in time");
            db->condition = db_condition_find(NULL);
            db->timed_out = true;
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

enum db_status db_collect(struct db *db, PGresult **result)
{
    enum db_status status = DB_OK;
    *result = NULL;
    for (;;) {
        PGresult *next;
        enum db_status wait = db_next_result(db, db->deadline_ms, &next);
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

enum db_status db_connect(struct db *db)
{
    if (db->conn != NULL)
        return DB_OK;
    int64_t now = clock_monotonic_ms();
    if (now < db->next_attempt_ms) {
        db->condition = db_condition_find(NULL);
        return DB_AWAY;
    }
    db->deadline_ms = now + db->options.connect_deadline_ms;
    enum db_status status = db_session_open(db);
    if (status != DB_OK) {
        if (!db->away_logged)
            log_warning("no connection to PostgreSQL: %s", db_message(db));
        db->away_logged = true;
        db_drop(db);
        if (db->condition == NULL)
            db->condition = db_condition_find(NULL);
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

void db_idle_check(struct db *db)
{
    /* A server that ends says so first: only what comes after its words tells that it is gone. */
    for (struct pollfd p; db->conn != NULL;) {
        p = (struct pollfd){.fd = PQsocket(db->conn), .events = POLLIN};
        if (poll(&p, 1, 0) <= 0)
            return;
        if (!PQconsumeInput(db->conn) || PQstatus(db->conn) == CONNECTION_BAD) {
            log_info("PostgreSQL closed the idle connection; connecting anew");
            db_drop(db);
        }
    }
}

static enum db_status statement_prepare(struct db *db, unsigned statement, const char *name)
{
    if (db->prepared[statement])
        return DB_OK;
    PGresult *r = NULL;
    if (!PQsendPrepare(db->conn, name, db->options.statements[statement].sql, 0, NULL))
        return db_failure(db, NULL);
    enum db_status status = db_collect(db, &r);
    PQclear(r);
    db->prepared[statement] = status == DB_OK;
    if (status != DB_OK)
        log_warning("preparing %s: %s", db->options.statements[statement].name, db_message(db));
    return status;
}

enum db_status db_send(struct db *db, unsigned statement, const char *const *params, int64_t bound_ms)
{
    db_call_begin(db, bound_ms);
    if (db->conn != NULL && !db->in_transaction)
        db_idle_check(db);
    if (db->conn == NULL && db->in_transaction) {
        db->condition = db_condition_find(NULL);
        return DB_AWAY;
    }
    if (db->conn == NULL) {
        enum db_status connected = db_connect(db);
        if (connected != DB_OK)
            return connected;
        db_call_begin(db, bound_ms);
    }
    char name[DB_STATEMENT_NAME_SIZE];
    snprintf(name, sizeof name, "s%u", statement);
    enum db_status status = db_session_bound(db, bound_ms);
    if (status == DB_OK)
        status = statement_prepare(db, statement, name);
    if (status != DB_OK)
        return status;
    int n = db->options.statements[statement].n_params;
    db->sent++;
    return PQsendQueryPrepared(db->conn, name, n, params, NULL, NULL, 0) ? DB_OK : db_failure(db, NULL);
}

enum db_status db_run(struct db *db, unsigned statement, const char *const *params, PGresult **result)
{
    *result = NULL;
    enum db_status status = db_send(db, statement, params, query_bound(db));
    if (status == DB_OK)
        status = db_collect(db, result);
    const struct db_statement *s = &db->options.statements[statement];
    if (status == DB_OK && s->one_row && PQntuples(*result) != 1) {
        char text[120];
        snprintf(text, sizeof text, "%s returned %d rows instead of one; run skylarkctl doctor", s->name, PQntuples(*result));
        log_error("PostgreSQL: %s", text);
        db_remember(db, text);
        PQclear(*result);
        *result = NULL;
        status = DB_FAILED;
    }
    return status;
}

enum db_status db_read(struct db *db, unsigned statement, const char *const *params, PGresult **result)
{
    bool connected = db->conn != NULL;
    enum db_status status = db_run(db, statement, params, result);
    /* Broken, not given up after the deadline: what took that long once would do so again. */
    bool broken = status == DB_AWAY && connected && db->conn == NULL && !db->timed_out && !db->in_transaction;
    return broken ? db_run(db, statement, params, result) : status;
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
