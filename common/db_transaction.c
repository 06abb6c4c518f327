/* Transactions, and what became of a COMMIT that was cut off. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/db_internal.h"
#include "common/log.h"
#include "gen/common_statements.h"

enum db_status db_begin(struct db *db)
{
    /* A dead idle connection is noticed here, where opening another one costs nothing. */
    db->in_transaction = false;
    for (int attempt = 0;; attempt++) {
        if (db->conn != NULL)
            db_idle_check(db);
        enum db_status status = db_connect(db);
        if (status != DB_OK)
            return status;
        PGresult *r = NULL;
        db_call_begin(db, db->options.query_deadline_ms);
        status = db_session_bound(db, db->options.query_deadline_ms);
        if (status == DB_OK)
            status = db_command(db, "BEGIN", NULL, 0, &r);
        PQclear(r);
        db->in_transaction = status == DB_OK;
        db->transaction_deadline_ms = db->deadline_ms;
        if (status != DB_AWAY || attempt > 0)
            return status;
    }
}

/* Asks a new connection what the server knows of the transaction. */
static enum db_status transaction_fate(struct db *db)
{
    char id[sizeof db->transaction_id];
    memcpy(id, db->transaction_id, sizeof id);
    const char *params[COMMON_TRANSACTION_FATE_P__MAX] = {[COMMON_TRANSACTION_FATE_P_TRANSACTION_ID] = id};
    int64_t deadline = clock_monotonic_ms() + db->options.connect_deadline_ms;
    do {
        PGresult *r;
        db->next_attempt_ms = 0;
        bool connected = db_connect(db) == DB_OK;
        db_call_begin(db, db->options.connect_deadline_ms);
        if (!connected ||
            db_command(db, common_statements[COMMON_TRANSACTION_FATE].sql, params,
                       COMMON_TRANSACTION_FATE_P__MAX, &r) != DB_OK) {
            usleep(50 * 1000);
            continue;
        }
        const char *fate = PQntuples(r) == 1 ? db_text(r, 0, COMMON_TRANSACTION_FATE_C_FATE) : "";
        bool committed = strcmp(fate, "committed") == 0, aborted = strcmp(fate, "aborted") == 0;
        PQclear(r);
        if (committed || aborted)
            return committed ? DB_OK : DB_AWAY;
        usleep(50 * 1000); /* in progress: the old backend has not noticed yet */
    } while (clock_monotonic_ms() < deadline);
    log_error("the connection broke during COMMIT of transaction %s; its outcome is not known", id);
    return DB_UNKNOWN;
}

enum db_status db_commit(struct db *db)
{
    if (!db->in_transaction || db->conn == NULL) {
        db->in_transaction = false;
        return DB_AWAY;
    }
    PGresult *r;
    db_call_begin(db, db->options.query_deadline_ms);
    enum db_status status = db_command(db, common_statements[COMMON_TRANSACTION_ID].sql, NULL, 0, &r);
    if (status != DB_OK) {
        db_rollback(db);
        return status;
    }
    bool wrote = PQntuples(r) == 1 && !db_null(r, 0, COMMON_TRANSACTION_ID_C_TRANSACTION_ID);
    snprintf(db->transaction_id, sizeof db->transaction_id, "%s", db_text(r, 0, COMMON_TRANSACTION_ID_C_TRANSACTION_ID));
    PQclear(r);
    db->in_transaction = false;
    db_call_begin(db, db->options.query_deadline_ms); /* all that was done would be lost for want of a moment */
    status = db_command(db, "COMMIT", NULL, 0, &r);
    if (status == DB_OK && strcmp(PQcmdStatus(r), "COMMIT") != 0)
        status = DB_FAILED; /* PostgreSQL rolled a failed transaction back instead */
    PQclear(r);
    if (status == DB_AWAY && wrote)
        return transaction_fate(db);
    return status;
}

void db_rollback(struct db *db)
{
    if (!db->in_transaction)
        return;
    db->in_transaction = false;
    if (db->conn == NULL)
        return;
    /* What the caller is to hear of is why it rolls back. */
    const struct db_condition *condition = db->condition;
    PGresult *r;
    db_call_begin(db, db->options.query_deadline_ms);
    if (db_command(db, "ROLLBACK", NULL, 0, &r) != DB_OK)
        db_drop(db); /* which rolls back as well */
    PQclear(r);
    db->condition = condition;
}
