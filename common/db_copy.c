/* COPY … FROM STDIN, the fast way to store many rows. */
#include <string.h>

#include "common/db_internal.h"

static void add_field(struct buf *b, const char *s)
{
    size_t start = 0, len = strlen(s);
    for (size_t i = 0; i < len; i++) {
        const char *escape;
        switch (s[i]) {
        case '\\':
            escape = "\\\\";
            break;
        case '\n':
            escape = "\\n";
            break;
        case '\r':
            escape = "\\r";
            break;
        case '\t':
            escape = "\\t";
            break;
        default:
            continue;
        }
        buf_add(b, s + start, i - start);
        buf_add(b, escape, 2);
        start = i + 1;
    }
    buf_add(b, s + start, len - start);
}

void db_copy_row(struct buf *b, const char *const *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (fields[i] != NULL)
            add_field(b, fields[i]);
        else
            buf_adds(b, "\\N");
        buf_addc(b, i + 1 < n ? '\t' : '\n');
    }
}

/* Waits for COPY to begin, or for the error instead. */
static enum db_status copy_begin(struct db *db, int64_t deadline)
{
    PGresult *r;
    enum db_status status = db_next_result(db, deadline, &r);
    if (status != DB_OK)
        return status;
    if (PQresultStatus(r) != PGRES_COPY_IN)
        status = db_failure(db, r);
    PQclear(r);
    return status;
}

enum db_status db_copy(struct db *db, unsigned statement, const char *data, size_t len)
{
    enum db_status status = db_send(db, statement, NULL, db->options.query_deadline_ms);
    int64_t deadline = db->deadline_ms;
    if (status == DB_OK)
        status = copy_begin(db, deadline);
    /* libpq takes an int; pieces keep its buffer small as well. */
    for (size_t sent = 0; sent < len && status == DB_OK;) {
        size_t piece = len - sent < 65536 ? len - sent : 65536;
        int queued = PQputCopyData(db->conn, data + sent, (int)piece);
        if (queued < 0)
            return db_failure(db, NULL);
        if (queued == 1)
            sent += piece;
        /* In COPY the connection is never busy, so this only drains the send buffer. */
        status = db_wait(db, deadline);
    }
    if (status != DB_OK) {
        db_drain(db, deadline);
        return status;
    }
    if (PQputCopyEnd(db->conn, NULL) < 0)
        return db_failure(db, NULL);
    for (PGresult *r;;) {
        enum db_status wait = db_next_result(db, deadline, &r);
        if (wait != DB_OK)
            return wait;
        if (r == NULL)
            return status;
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            status = db_failure(db, r);
        PQclear(r);
        if (db->conn == NULL)
            return status;
    }
}
