/* Rows on their way into the database: put together for COPY, and stored with the positions that they reach, in one
 * transaction. Rows of each instance are kept apart until then: what one can't store now holds up no other. */
#ifndef SKYLARK_COLLECTOR_BATCH_H
#define SKYLARK_COLLECTOR_BATCH_H

#include "collector/days.h"
#include "collector/resume.h"
#include "common/buf.h"
#include "common/db.h"

/* Zero-initialised is empty. */
struct batch {
    struct buf rows;
    struct buf positions;
    int64_t second; /* the last time's, already written out in second_text */
    char second_text[24];
    struct buf message;
    struct days needed; /* by rows */
    struct days there;  /* partitions that are known to be there */
};

void batch_free(struct batch *b);
void batch_clear(struct batch *b);

/* Adds one row to rows. data is mended so that it can be stored; continues: marked as going on. Returns the bytes of the stored
 * message. */
size_t batch_add_row(struct batch *b, struct buf *rows, const char *service_id, const char *instance_id, int64_t seq, int stream, int64_t at_ns,
                     const char *data, size_t len, bool continues);

/* Adds how far an instance's log is stored with this batch. completed: to its last line. */
void batch_add_position(struct batch *b, const char *instance_id, int64_t next_seq, const struct resume *r,
                        int64_t bytes, bool completed);

/* Makes the partitions that rows need, opens the transaction over that very connection (db_connections()), which holds the lock, and
 * takes the positions of
 * instances (an array of uuids). *taken: those that are ours until it ends, to PQclear; the others are locked by somebody, or
 * gone, and nothing of them may be stored. On anything but DB_OK there is no transaction, and *taken is NULL. */
enum db_status batch_begin(struct batch *b, struct db *db, unsigned connection, const char *instances, PGresult **taken)
    __attribute__((warn_unused_result));

/* Stores all, empties the batch and ends the transaction. On anything but DB_OK nothing is known to be stored, and the batch
 * is left as it is. */
enum db_status batch_store(struct batch *b, struct db *db) __attribute__((warn_unused_result));

#endif
