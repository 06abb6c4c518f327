/* What the files of db share and nobody else sees. */
#ifndef SKYLARK_COMMON_DB_INTERNAL_H
#define SKYLARK_COMMON_DB_INTERNAL_H

#include "common/aside.h"
#include "common/buf.h"
#include "common/db.h"
#include "common/db_condition.h"

#define DB_STATEMENT_NAME_SIZE 24

struct attempt; /* of db_session.c */

struct db {
    struct db_options options; /* its strings are ours */
    PGconn *conn;              /* NULL: not connected */
    struct aside *connecting;  /* an attempt that did not end in time and still may; NULL: none */
    struct attempt *attempt;   /* its own */
    bool *prepared;            /* by number of the statement, over this connection */
    int64_t bound_ms;          /* of statements that are sent from here on; 0: query_deadline_ms */
    int64_t server_bound_ms;   /* what the session's statement_timeout was last made for */
    int64_t deadline_ms;       /* monotonic; of the call under way */
    int64_t transaction_deadline_ms;
    bool timed_out;            /* the latest failure: the deadline passed, and the connection was given up */
    const struct db_condition *condition; /* of the latest failure; NULL: the latest call went well */
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

/* Sets deadline_ms for a call that begins now and may take so long (and no longer than the transaction that is open). */
void db_call_begin(struct db *db, int64_t ms);

/* Waits until a result can be read without blocking. deadline_ms: monotonic. DB_AWAY drops the connection, and cancels what
 * it is waited for. */
enum db_status db_wait(struct db *db, int64_t deadline_ms);

/* Next result of the statement that was sent, NULL when it is over. */
enum db_status db_next_result(struct db *db, int64_t deadline_ms, PGresult **result);

/* Reads and forgets what is left of a failed statement, so that the next one can be sent. */
void db_drain(struct db *db, int64_t deadline_ms);

/* Begins a call of bound_ms: connects when needed, sees to it that the server has the same bound, prepares the statement if
 * it is not, and sends it. */
enum db_status db_send(struct db *db, unsigned statement, const char *const *params, int64_t bound_ms);

/* Reads all results of what was sent, within deadline_ms of db, and keeps the first; a failure among them wins. */
enum db_status db_collect(struct db *db, PGresult **result);

/* Runs one command by its text (BEGIN, COMMIT, ROLLBACK, or a statement of sql/queries/common/), within deadline_ms of db. */
enum db_status db_command(struct db *db, const char *sql, const char *const *params, int n_params,
                          PGresult **result);

/* Keeps the text of a failure, without its line ends: it goes into log lines. */
void db_remember(struct db *db, const char *text);

/* Makes the session's bounds at the server those of calls of bound_ms. */
enum db_status db_session_bound(struct db *db, int64_t bound_ms);

/* Notices that the server closed an idle connection before anything is sent into the void, and drops it. */
void db_idle_check(struct db *db);

/* Opens a connection by conninfo, in db->conn, and makes it one of ours: bounds, schema, channel. Within deadline_ms of db. */
enum db_status db_session_open(struct db *db);

/* Asks the server to give up what it does for the connection. Blocks for DB_CANCEL_MS at the most; a server that does not take
 * the question by then has its statement_timeout. Accepts NULL. */
#define DB_CANCEL_MS 1000
void db_cancel(PGconn *conn);

/* Closes the connection, with whatever was under way. */
void db_drop(struct db *db);

#endif
