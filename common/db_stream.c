/* Results that are read row by row. */
#include "common/clock.h"
#include "common/db_internal.h"

enum db_status db_stream_begin(struct db *db, unsigned statement, const char *const *params)
{
    int64_t whole = db->options.stream_deadline_ms > 0 ? db->options.stream_deadline_ms : db->options.query_deadline_ms;
    enum db_status status = db_send(db, statement, params, whole);
    if (status != DB_OK)
        return status;
    if (!PQsetSingleRowMode(db->conn))
        return db_failure(db, NULL);
    db->streaming = true;
    return DB_OK;
}

enum db_status db_stream_next(struct db *db, const PGresult **row)
{
    *row = NULL;
    PQclear(db->row);
    db->row = NULL;
    if (!db->streaming)
        return DB_OK;
    PGresult *next;
    int64_t deadline = clock_monotonic_ms() + db->options.query_deadline_ms;
    enum db_status status = db_next_result(db, deadline < db->deadline_ms ? deadline : db->deadline_ms, &next);
    if (status != DB_OK)
        return status;
    if (next == NULL) {
        db->streaming = false;
        return DB_OK;
    }
    switch (PQresultStatus(next)) {
    case PGRES_SINGLE_TUPLE:
        db->row = next;
        *row = next;
        return DB_OK;
    case PGRES_TUPLES_OK: /* the end of the rows; one more NULL follows */
        PQclear(next);
        return db_stream_next(db, row);
    default:
        status = db_failure(db, next);
        PQclear(next);
        db_drain(db, clock_monotonic_ms() + db->options.query_deadline_ms);
        db->streaming = false;
        return status;
    }
}

void db_stream_end(struct db *db)
{
    PQclear(db->row);
    db->row = NULL;
    if (!db->streaming)
        return;
    /* Left early: reading what is left could take as long as the whole, a new connection does not. */
    db_cancel(db->conn);
    db_drop(db);
}
