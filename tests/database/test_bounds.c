/* What a client gives up does not go on in PostgreSQL, and what PostgreSQL gives up has a name. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/database/suites.h"

#define NAME "test-bounds"
#define DEADLINE_MS 2000
/* Statements of this suite's connections that PostgreSQL still works on. */
#define AT_WORK "SELECT count(*) FROM pg_stat_activity WHERE application_name = '" NAME "' AND state = 'active'"

enum { LOCK, SLEEP, SETTINGS, STREAM, ONCE, NUMBER, SPEND };

static const struct db_statement statements[] = {
    [LOCK] = {.name = "lock", .sql = "UPDATE skylark.services SET updated_at = updated_at"},
    [SLEEP] = {.name = "sleep", .sql = "SELECT pg_sleep(3600)"},
    [SETTINGS] = {.name = "settings",
                  .sql = "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings WHERE name IN "
                         "('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', "
                         "'client_connection_check_interval')"},
    /* Rows that fill the server's buffer, so that the first come, and then nothing. */
    [STREAM] = {.name = "stream", .sql = "SELECT repeat('x', 5000) FROM generate_series(1, 5) UNION ALL SELECT 'y' FROM pg_sleep(3600)"},
    /* Ends its own connection, the first time only: a sequence is not rolled back. */
    [ONCE] = {.name = "once",
              .sql = "SELECT CASE WHEN nextval('broken_once') % 2 = 1 THEN pg_terminate_backend(pg_backend_pid()) ELSE true END"},
    [NUMBER] = {.name = "number", .sql = "SELECT 1"},
    [SPEND] = {.name = "spend", .sql = "SELECT pg_sleep(1)"},
};

static struct db *open_db(void)
{
    static char conninfo[500];
    snprintf(conninfo, sizeof conninfo, "%s", database_of("owner"));
    struct db_options options = {
        .conninfo = conninfo, .application_name = NAME, .statements = statements,
        .n_statements = sizeof statements / sizeof statements[0], .connect_deadline_ms = 10000,
        .query_deadline_ms = DEADLINE_MS, .stream_deadline_ms = 3600 * 1000,
    };
    return db_create(&options);
}

static void test_settings(void)
{
    sql_migrated();
    struct db *db = open_db();
    PGresult *r;
    REQUIRE(db_run(db, SETTINGS, NULL, &r) == DB_OK, "%s", db_message(db));
    CHECK(strcmp(db_text(r, 0, 0), "client_connection_check_interval=1000 idle_in_transaction_session_timeout=2000 "
                                      "lock_timeout=400 statement_timeout=1800") == 0, "%s", db_text(r, 0, 0));
    PQclear(r);
    db_bound(db, 100000);
    REQUIRE(db_run(db, SETTINGS, NULL, &r) == DB_OK, "%s", db_message(db));
    CHECK(strstr(db_text(r, 0, 0), "lock_timeout=400 statement_timeout=99000") != NULL, "%s", db_text(r, 0, 0));
    PQclear(r);
    db_bound(db, 0);
    REQUIRE(db_run(db, SETTINGS, NULL, &r) == DB_OK, "%s", db_message(db));
    CHECK(strstr(db_text(r, 0, 0), "statement_timeout=1800") != NULL, "%s", db_text(r, 0, 0));
    PQclear(r);
    CHECK(db_connections(db) == 1, "%u connections", db_connections(db));
    db_free(db);
}

static void test_lock(void)
{
    PGconn *c = sql_with_service(), *holder = sql_connect("skylark_shared", NULL);
    struct db *db = open_db();
    sql_run(holder, "BEGIN");
    CHECK(sql_run(holder, "UPDATE skylark.services SET updated_at = updated_at")[0] == '\0', "%s", PQerrorMessage(holder));
    CHECK(db_execute(db, LOCK, NULL, NULL) == DB_AWAY, "%s", db_message(db));
    CHECK(strcmp(db_condition_name(db), "lock_not_available") == 0 && db_backoff_ms(db) > 0, "%s", db_condition_name(db));
    CHECK(becomes(c, "0", AT_WORK), "it still waits");
    sql_run(holder, "ROLLBACK");
    CHECK(db_execute(db, LOCK, NULL, NULL) == DB_OK && db_connections(db) == 1, "%s, connection %u", db_message(db),
          db_connections(db));
    CHECK(db_backoff_ms(db) == 0 && db_condition_name(db)[0] == '\0', "%s", db_condition_name(db));
    PQfinish(holder);
    db_free(db);
}

static void test_slow(void)
{
    PGconn *c = sql_migrated();
    struct db *db = open_db();
    CHECK(db_execute(db, SLEEP, NULL, NULL) == DB_AWAY, "%s", db_message(db));
    CHECK(strcmp(db_condition_name(db), "query_canceled") == 0 && db_connections(db) == 1, "%s", db_condition_name(db));
    CHECK(becomes(c, "0", AT_WORK), "it still sleeps");
    db_free(db);
}

/* The statements of a transaction share one deadline: two of a second each are too much for two seconds. */
static void test_transaction(void)
{
    PGconn *c = sql_migrated();
    struct db *db = open_db();
    REQUIRE(db_begin(db) == DB_OK, "%s", db_message(db));
    enum db_status status = DB_OK;
    int n = 0;
    for (; n < 10 && status == DB_OK; n++)
        status = db_execute(db, SPEND, NULL, NULL);
    CHECK(status == DB_AWAY && n <= 3, "%d statements, %s", n, db_message(db));
    db_rollback(db);
    CHECK(becomes(c, "0", AT_WORK), "it goes on");
    db_free(db);
}

/* How often PostgreSQL was asked to cancel something: its log says so for each. */
static int cancels(PGconn *c)
{
    char path[600], line[2000];
    int n = 0;
    snprintf(path, sizeof path, "%s/../log", sql_value(c, "SHOW data_directory"));
    FILE *log = fopen(path, "r");
    while (log != NULL && fgets(line, sizeof line, log) != NULL)
        n += strstr(line, "canceling statement due to user request") != NULL;
    if (log != NULL)
        fclose(log);
    return n;
}

static void test_stream_left(void)
{
    PGconn *c = sql_migrated();
    struct db *db = open_db();
    const PGresult *row;
    int before = cancels(c);
    REQUIRE(db_stream_begin(db, STREAM, NULL) == DB_OK && db_stream_next(db, &row) == DB_OK, "%s", db_message(db));
    CHECK(row != NULL && strcmp(sql_value(c, AT_WORK), "1") == 0, "%s at work", sql_value(c, AT_WORK));
    db_stream_end(db);
    CHECK(becomes(c, "0", AT_WORK), "what is not read any more goes on");
    CHECK(cancels(c) == before + 1, "%d cancels, %d before", cancels(c), before);
    CHECK(db_execute(db, NUMBER, NULL, NULL) == DB_OK, "%s", db_message(db));
    db_free(db);
}

/* A client that is gone without a word: its statement ends all the same. */
static bool leave(void)
{
    struct db *db = open_db();
    const PGresult *row;
    return db_stream_begin(db, STREAM, NULL) == DB_OK && db_stream_next(db, &row) == DB_OK && row != NULL;
}

static void test_client_gone(void)
{
    PGconn *c = sql_migrated();
    CHECK(ends(leave), "no row");
    CHECK(becomes(c, "0", AT_WORK), "what nobody waits for goes on");
}

/* A server process that hangs can't bound anything: the client gives it up, and the server what it was at when it goes on. */
static void test_backend_stopped(void)
{
    PGconn *c = sql_migrated();
    struct db *db = open_db();
    REQUIRE(db_execute(db, NUMBER, NULL, NULL) == DB_OK, "%s", db_message(db));
    pid_t backend = atoi(sql_value(c, "SELECT pid FROM pg_stat_activity WHERE application_name = '" NAME "'"));
    REQUIRE(backend > 1 && kill(backend, SIGSTOP) == 0, "%d", backend);
    CHECK(db_execute(db, SLEEP, NULL, NULL) == DB_AWAY, "%s", db_message(db));
    CHECK(strcmp(db_condition_name(db), "no_answer") == 0, "%s", db_condition_name(db));
    CHECK(db_execute(db, NUMBER, NULL, NULL) == DB_OK && db_connections(db) == 2, "%s", db_message(db));
    kill(backend, SIGCONT);
    CHECK(becomes(c, "0", AT_WORK), "what was given up goes on");
    db_free(db);
}

static struct db *stopped_db;

static bool give_up(void)
{
    /* The statement, then new connections, none of which anybody answers. */
    for (int i = 0; i < 3; i++) {
        if (db_execute(stopped_db, NUMBER, NULL, NULL) != DB_AWAY)
            return false;
    }
    return true;
}

static void test_postgres_stopped(void)
{
    PGconn *c = sql_migrated();
    stopped_db = open_db();
    REQUIRE(db_execute(stopped_db, NUMBER, NULL, NULL) == DB_OK, "%s", db_message(stopped_db));
    postgres_signal(c, SIGSTOP);
    bool gave_up = ends(give_up);
    postgres_signal(c, SIGCONT);
    CHECK(gave_up, "a call did not end while PostgreSQL hung");
    CHECK(becomes(c, "0", AT_WORK), "what was given up goes on");
    db_free(stopped_db);
}

static void test_read_again(void)
{
    PGconn *c = sql_migrated();
    PGresult *r;
    sql_run(c, "DROP SEQUENCE IF EXISTS broken_once");
    CHECK(sql_run(c, "CREATE SEQUENCE broken_once")[0] == '\0', "%s", PQerrorMessage(c));
    struct db *db = open_db();
    REQUIRE(db_execute(db, NUMBER, NULL, NULL) == DB_OK, "%s", db_message(db));
    CHECK(db_run(db, ONCE, NULL, &r) == DB_AWAY, "db_run sent it again");
    CHECK(db_run(db, ONCE, NULL, &r) == DB_OK, "%s", db_message(db));
    PQclear(r);
    CHECK(db_read(db, ONCE, NULL, &r) == DB_OK, "%s", db_message(db));
    PQclear(r);
    CHECK(strcmp(sql_value(c, "SELECT last_value FROM broken_once"), "4") == 0, "%s times", sql_value(c, "SELECT last_value FROM broken_once"));
    REQUIRE(db_begin(db) == DB_OK, "%s", db_message(db));
    CHECK(db_read(db, ONCE, NULL, &r) == DB_AWAY, "sent again after its transaction was lost");
    CHECK(strcmp(sql_value(c, "SELECT last_value FROM broken_once"), "5") == 0, "%s times", sql_value(c, "SELECT last_value FROM broken_once"));
    db_rollback(db);
    db_free(db);
}

const struct check_test tests_bounds[] = {
    {"every session has the bounds of its client", test_settings},
    {"a wait for a lock ends, and leaves nobody waiting", test_lock},
    {"a statement that takes too long ends at the server", test_slow},
    {"a transaction has one deadline", test_transaction},
    {"a stream that is left is cancelled", test_stream_left},
    {"a client that is gone leaves no statement", test_client_gone},
    {"a stopped backend is given up and cancelled", test_backend_stopped},
    {"a stopped PostgreSQL is given up", test_postgres_stopped},
    {"a read is sent again once, and nothing else is", test_read_again},
    {NULL, NULL},
};
