/* One long-lived connection to PostgreSQL: prepared statements out of sql/queries/, deadlines on
 * everything, and healing: when the server goes away, calls answer DB_AWAY at once, and the
 * connection comes back by itself with one of the next calls. Not for use by two threads.
 *
 * Whatever has a deadline here is bounded at the server as well, a little earlier (sql/queries/common/session_bounds.sql), so
 * that what is given up does not go on there; what we have to give up all the same is cancelled. */
#ifndef SKYLARK_COMMON_DB_H
#define SKYLARK_COMMON_DB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

/* One file of sql/queries/{process}/. The table, the enum that indexes it, and for each statement enums of its parameters
 * ({STATEMENT}_P_{NAME}) and columns ({STATEMENT}_C_{NAME}) are made at build time (sql/embed.sh). */
struct db_statement {
    const char *name;
    const char *sql;
    const char *const *parameters; /* the names of $1, $2, …; NULL: it has none */
    int n_params;
    const char *const *columns; /* NULL: it returns no rows */
    int n_columns;
    bool hot;     /* its file has the line "-- hot": a test holds its plan to an index */
    bool one_row; /* "-- one row": any other number of rows is DB_FAILED, so that row 0 may be read without a look */
};

enum db_status {
    DB_OK,
    DB_AWAY,     /* not now: no connection, or lost, no answer or no lock in time, read-only, out of something: try again
                  * later (503); db_backoff_ms() says when */
    DB_SCHEMA,   /* the database's schema is not the one this binary was built for (503) */
    DB_CONFLICT, /* a unique or exclusion constraint: see db_constraint() (409) */
    DB_REFUSED,  /* a check, not-null or foreign-key constraint, or a value out of range (400) */
    DB_RETRY,    /* serialization failure or deadlock: the transaction may be run again */
    DB_UNKNOWN,  /* the connection broke during COMMIT, and whether it took effect is not known */
    DB_FAILED,   /* any other error of the server: a defect of ours; logged */
    DB__MAX
};

/* For processes that come again by themselves, and have other things to do meanwhile: their lock_deadline_ms. */
#define DB_LOCK_MS 500

struct db_options {
    const char *conninfo;         /* libpq connection string; copied */
    const char *application_name; /* copied */
    const struct db_statement *statements; /* each is prepared when it is first used; stays valid */
    size_t n_statements;
    int64_t connect_deadline_ms; /* for all of it: names, the handshake, the session's settings, the schema */
    int64_t query_deadline_ms;   /* for a statement, and for a transaction from BEGIN to before COMMIT */
    int64_t lock_deadline_ms;    /* for the server to wait for a lock; 0: a fifth of query_deadline_ms */
    int64_t stream_deadline_ms;  /* for all of a db_stream_begin to its last row; 0: query_deadline_ms */
    const char *channel; /* LISTEN on it with every new connection; NULL: none; copied */
};

/* Never blocks: connects with the first call. NULL when out of memory. */
struct db *db_create(const struct db_options *options);
void db_free(struct db *db); /* closes; accepts NULL */

/* Makes sure that there is a connection to a server with our schema. Blocks up to connect_deadline_ms,
 * but only once a second while the server is away; between, it answers DB_AWAY at once. */
enum db_status db_connect(struct db *db) __attribute__((warn_unused_result));

/* Asks the server for its schema, over the connection that is there or a new one: DB_OK means that it answers and is
 * migrated. */
enum db_status db_ping(struct db *db) __attribute__((warn_unused_result));

/* Runs statement number `statement` with n_params text parameters (NULL entries are SQL NULL): an array
 *     const char *params[{STATEMENT}_P__MAX] = {[{STATEMENT}_P_NAMESPACE] = …, …};
 * or NULL when it has none. On
 * DB_OK *result is the caller's, to PQclear; on anything else it is NULL. Connects when needed: a
 * connection that is seen to be closed before anything is sent is opened anew, unless a transaction is
 * open. Blocks up to query_deadline_ms, after connecting. The server gives the statement up after nine
 * tenths of that, and a wait for a lock after a fifth (DB_AWAY, and the connection stays). */
enum db_status db_run(struct db *db, unsigned statement, const char *const *params, PGresult **result)
    __attribute__((warn_unused_result));

/* Like db_run, for a statement that changes nothing: when the connection breaks under it, it is sent once more over a new
 * one, unless a transaction is open. */
enum db_status db_read(struct db *db, unsigned statement, const char *const *params, PGresult **result)
    __attribute__((warn_unused_result));

/* Like db_run, for statements whose rows nobody needs. *affected (may be NULL): rows changed. */
enum db_status db_execute(struct db *db, unsigned statement, const char *const *params, long *affected)
    __attribute__((warn_unused_result));

/* Outside a transaction: from here on statements may take so long, in the place of query_deadline_ms, here and at the server;
 * 0: query_deadline_ms again. The wait for a lock stays as short as it is. */
void db_bound(struct db *db, int64_t deadline_ms);

/* A transaction. After any status but DB_OK only db_rollback is allowed (it is safe at any time). Its statements share one
 * deadline. Should this process stop in the middle of it, the server ends it.
 * db_commit finds out, over a new connection when it must, whether a COMMIT that was cut off took
 * effect, and says DB_UNKNOWN only when the server does not come back within connect_deadline_ms. */
enum db_status db_begin(struct db *db) __attribute__((warn_unused_result));
enum db_status db_commit(struct db *db) __attribute__((warn_unused_result));
void db_rollback(struct db *db);

/* Row by row, for results too large to hold: db_stream_begin, db_stream_next until *row is NULL (the
 * row is valid until the next call), then db_stream_end in any case. query_deadline_ms holds for each
 * wait, stream_deadline_ms for the whole. Left before its last row, the statement is cancelled, and the
 * connection closed. */
enum db_status db_stream_begin(struct db *db, unsigned statement, const char *const *params)
    __attribute__((warn_unused_result));
enum db_status db_stream_next(struct db *db, const PGresult **row) __attribute__((warn_unused_result));
void db_stream_end(struct db *db);

/* COPY … FROM STDIN in text format: `statement` is the COPY; data is whole rows. One call does it all. */
enum db_status db_copy(struct db *db, unsigned statement, const char *data, size_t len)
    __attribute__((warn_unused_result));

/* How many connections were opened so far: when it has grown, whatever the session held (locks, settings) is gone. */
unsigned db_connections(const struct db *db);

/* How many statements were sent so far, BEGIN and COMMIT too, but for preparing. */
uint64_t db_sent(const struct db *db);

/* The socket to poll for notifications, -1 without a connection. */
int db_socket(const struct db *db);

/* Next notification of the channel: its payload is copied to payload (cut at size). Returns true while
 * there are some. Does not block. A new connection counts as one notification with an empty payload,
 * since others may have been missed. */
bool db_notified(struct db *db, char *payload, size_t size);

/* The values of a result, by the statement's {STATEMENT}_C_…; nothing else reads results. */
bool db_null(const PGresult *result, int row, int column);
const char *db_text(const PGresult *result, int row, int column); /* "" for null, or no such row; as long as the result */
size_t db_length(const PGresult *result, int row, int column);   /* of db_text, in bytes */
int64_t db_int(const PGresult *result, int row, int column);     /* 0 for null */
bool db_bool(const PGresult *result, int row, int column);       /* false for null */

/* Adds the value to b as it is; nothing for null. */
struct buf;
void db_add(struct buf *b, const PGresult *result, int row, int column);

/* For statements that share code: refuses to compile when a parameter or column has another place in one of them. */
#define DB_SAME_PLACE(a, b) _Static_assert((int)(a) == (int)(b), #a " and " #b " have different places")

/* About the latest failure; "" when not known. Valid until the next call. */
const char *db_constraint(const struct db *db);
const char *db_message(const struct db *db);

/* The name of its condition (a row of common/db_condition.h), what to tell a client of it (NULL: nothing in particular), and
 * for how long a loop should wait before it tries again (0: the latest call went well, or may be made again at once). */
const char *db_condition_name(const struct db *db);
const char *db_condition_words(const struct db *db);
int db_backoff_ms(const struct db *db);

/* A bare connection, for what comes before there is a schema: blocks for the deadline at most, whatever the name server or
 * the server do. NULL: not in time, or out of memory. The caller asks PQstatus, and PQfinishes it. */
PGconn *db_bare_connection(const char *conninfo, const char *application_name, int64_t deadline_ms);

/* Adds a row for db_copy: as many fields as the statement has ({STATEMENT}_F__MAX), by their {STATEMENT}_F_…; a NULL entry is SQL
 * NULL. */
void db_copy_row(struct buf *b, const char *const *fields, size_t n);

/* The schema that this binary knows, made at build time: the highest version in sql/tables/, a checksum over the
 * checksums of all files there in order, and one of sql/definitions/. */
extern const int db_schema_version;
extern const char db_schema_checksum[];
extern const char db_definitions_checksum[];

#endif
