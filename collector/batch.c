/* Rows on their way into the database. */
#include "collector/batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "collector/assemble.h"
#include "common/utf8.h"
#include "gen/collector_statements.h"

#define NS_PER_SECOND INT64_C(1000000000)

void batch_free(struct batch *b)
{
    buf_free(&b->rows);
    buf_free(&b->positions);
    buf_free(&b->message);
}

void batch_clear(struct batch *b)
{
    buf_clear(&b->rows);
    buf_clear(&b->positions);
    b->needed.n = 0;
}

/* 2026-11-23 13:55:06.472123+00; most rows share their second with the one before. */
static void print_time(struct batch *b, int64_t at_ns, char *out, size_t size)
{
    time_t second = (time_t)(at_ns / NS_PER_SECOND);
    if (second != b->second || b->second_text[0] == '\0') {
        struct tm tm;
        gmtime_r(&second, &tm);
        strftime(b->second_text, sizeof b->second_text, "%Y-%m-%d %H:%M:%S", &tm);
        b->second = second;
    }
    snprintf(out, size, "%s.%06d+00", b->second_text, (int)(at_ns % NS_PER_SECOND / 1000));
}

size_t batch_add_row(struct batch *b, struct buf *rows, const char *service_id, const char *instance_id, int64_t seq, int stream,
                     int64_t at_ns, const char *data, size_t len, bool continues)
{
    buf_clear(&b->message);
    utf8_add_storable(&b->message, data, len);
    if (continues)
        buf_adds(&b->message, ASSEMBLE_CONTINUES);
    char time[48], seq_text[24], stream_text[16];
    print_time(b, at_ns, time, sizeof time);
    snprintf(seq_text, sizeof seq_text, "%" PRId64, seq);
    snprintf(stream_text, sizeof stream_text, "%d", stream);
    const char *fields[COLLECTOR_LOG_ROWS_COPY_F__MAX] = {
        [COLLECTOR_LOG_ROWS_COPY_F_SERVICE_ID] = service_id,
        [COLLECTOR_LOG_ROWS_COPY_F_LOGGED_AT] = time,
        [COLLECTOR_LOG_ROWS_COPY_F_INSTANCE_ID] = instance_id,
        [COLLECTOR_LOG_ROWS_COPY_F_SEQ] = seq_text,
        [COLLECTOR_LOG_ROWS_COPY_F_STREAM] = stream_text,
        [COLLECTOR_LOG_ROWS_COPY_F_MESSAGE] = buf_text(&b->message),
    };
    db_copy_row(rows, fields, COLLECTOR_LOG_ROWS_COPY_F__MAX);
    days_add(&b->needed, at_ns);
    return b->message.len;
}

void batch_add_position(struct batch *b, const char *instance_id, int64_t next_seq, const struct resume *r, int64_t bytes,
                        bool completed)
{
    buf_addf(&b->positions,
             "%c{\"instance_id\":\"%s\",\"next_seq\":%" PRId64 ",\"stdout_at_ns\":%" PRId64 ",\"stdout_lines_at\":%" PRId64
             ",\"stderr_at_ns\":%" PRId64 ",\"stderr_lines_at\":%" PRId64 ",\"open_at_ns\":%" PRId64 ",\"bytes\":%" PRId64
             ",\"completed\":%s}",
             b->positions.len > 0 ? ',' : '[', instance_id, next_seq, r->streams[0].at_ns, r->streams[0].rows_at,
             r->streams[1].at_ns, r->streams[1].rows_at, r->open_ns, bytes, completed ? "true" : "false");
}

enum db_status batch_begin(struct batch *b, struct db *db, unsigned connection, const char *instances, PGresult **taken)
{
    const char *params[COLLECTOR_POSITIONS_TAKE_P__MAX] = {[COLLECTOR_POSITIONS_TAKE_P_INSTANCES] = instances};
    *taken = NULL;
    enum db_status status = days_make(&b->needed, &b->there, db, "log_rows");
    if (status == DB_OK)
        status = db_begin(db);
    if (status == DB_OK && db_connections(db) != connection)
        status = DB_AWAY; /* a new one: the right to write went with the old one */
    if (status == DB_OK)
        status = db_run(db, COLLECTOR_POSITIONS_TAKE, params, taken);
    if (status != DB_OK)
        db_rollback(db);
    return status;
}

enum db_status batch_store(struct batch *b, struct db *db)
{
    struct buf positions = {0};
    buf_addf(&positions, "%s]", b->positions.len > 0 ? buf_text(&b->positions) : "[");
    const char *params[COLLECTOR_POSITIONS_STORE_P__MAX] = {[COLLECTOR_POSITIONS_STORE_P_POSITIONS] = buf_text(&positions)};
    bool whole = !b->rows.failed && !b->positions.failed && !b->message.failed && !positions.failed;
    enum db_status status = whole ? DB_OK : DB_FAILED;
    if (status == DB_OK && b->rows.len > 0)
        status = db_copy(db, COLLECTOR_LOG_ROWS_COPY, b->rows.data, b->rows.len);
    if (status == DB_OK)
        status = db_execute(db, COLLECTOR_POSITIONS_STORE, params, NULL);
    if (status == DB_OK)
        status = db_commit(db);
    else
        db_rollback(db);
    buf_free(&positions);
    if (status == DB_OK)
        batch_clear(b);
    else
        b->there.n = 0; /* somebody may have dropped one */
    return status;
}
