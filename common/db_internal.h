/* What the files of db share and nobody else sees. */
#ifndef SKYLARK_COMMON_DB_INTERNAL_H
#define SKYLARK_COMMON_DB_INTERNAL_H

#include "common/buf.h"
#include "common/db.h"

struct db {
    struct db_options options; /* its strings are ours */
    PGconn *conn;              /* NULL: not connected */
    int64_t next_attempt_ms;   /* monotonic; before it, DB_AWAY at once */
    bool away_logged;          /* the log says so once, not with every request */
    bool in_transaction;
    bool streaming;
    unsigned connections;
    uint64_t sent; /* statements */
    bool fresh; /* connected since the last db_notified */
    char transaction_id[24];
    char constraint[128];
    struct buf message;
    PGresult *row; /* of db_stream_next */
};

/* Sorts a failed result (NULL: none came) and remembers its message and constraint. Drops the connection
 * when it is broken. Never returns DB_OK. */
enum db_status db_failure(struct db *db, const PGresult *result);

/* Waits until a result can be read without blocking. deadline_ms: monotonic. DB_AWAY drops the connection. */
enum db_status db_wait(struct db *db, int64_t deadline_ms);

/* Next result of the statement that was sent, NULL when it is over. */
enum db_status db_next_result(struct db *db, int64_t deadline_ms, PGresult **result);

/* Reads and forgets what is left of a failed statement, so that the next one can be sent. */
void db_drain(struct db *db, int64_t deadline_ms);

/* Sends a prepared statement on an open connection. */
enum db_status db_send(struct db *db, unsigned statement, const char *const *params);

/* Runs one command by its text (BEGIN, COMMIT, ROLLBACK, or a statement of sql/queries/common/). */
enum db_status db_command(struct db *db, const char *sql, const char *const *params, int n_params,
                          PGresult **result);

/* Closes the connection, with whatever was under way. */
void db_drop(struct db *db);

#endif
