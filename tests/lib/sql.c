/* A PostgreSQL of the tests' own: databases, connections, and short ways to ask. */
#include "tests/lib/sql.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/check.h"

#define TEXT_MAX 65536

static char text[TEXT_MAX];
static char last_value[TEXT_MAX], last_state[8];

static const char *env(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL) {
        fprintf(stderr, "%s is not set: run it by tests/lib/with_postgres.sh\n", name);
        exit(2);
    }
    return value;
}

static void drop_notice(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

PGconn *sql_connect(const char *database, const char *role)
{
    char conninfo[600];
    /* The owner plays all processes, whose rows are guarded against what is changed by hand. */
    snprintf(conninfo, sizeof conninfo, "%s dbname=%s%s%s", env("SKYLARK_TEST_PG"), database,
             role != NULL ? " user=" : " options=-cskylark.by_hand=on", role != NULL ? role : "");
    PGconn *conn = PQconnectdb(conninfo);
    if (PQstatus(conn) != CONNECTION_OK) {
        fprintf(stderr, "%s", PQerrorMessage(conn));
        exit(2);
    }
    PQsetNoticeProcessor(conn, drop_notice, NULL);
    return conn;
}

static PGresult *run(PGconn *conn, const char *fmt, va_list ap)
{
    int n = vsnprintf(text, sizeof text, fmt, ap);
    if (n < 0 || n >= TEXT_MAX)
        abort();
    PGresult *r = PQexec(conn, text);
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    snprintf(last_state, sizeof last_state, "%s", state != NULL ? state : "");
    return r;
}

PGconn *sql_with_service(void)
{
    PGconn *c = sql_migrated();
    sql_run(c, "DELETE FROM skylark.services");
    sql_run(c, "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
               "SELECT '" SQL_SERVICE "', id, 'web', 'nginx', 'XS', 'demo' FROM skylark.namespaces WHERE name = 'demo'");
    CHECK(strcmp(sql_value(c, "SELECT domain_label FROM skylark.services"), "web-demo") == 0, "%s", PQerrorMessage(c));
    return c;
}

const char *sql_run(PGconn *conn, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    PQclear(run(conn, fmt, ap));
    va_end(ap);
    return last_state;
}

const char *sql_value(PGconn *conn, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    PGresult *r = run(conn, fmt, ap);
    va_end(ap);
    bool there = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) > 0;
    snprintf(last_value, sizeof last_value, "%s", there ? PQgetvalue(r, 0, 0) : PQresultErrorMessage(r));
    PQclear(r);
    return last_value;
}

PGresult *sql_statement(PGconn *conn, const struct db_statement *statement, const char *const *params)
{
    return PQexecParams(conn, statement->sql, statement->n_params, NULL, params, NULL, NULL, 0);
}

const char *sql_column(const PGresult *result, int row, const char *name)
{
    int column = 0, n = PQnfields(result);
    while (column < n && strcmp(PQfname(result, column), name) != 0)
        column++;
    if (column == n || row >= PQntuples(result)) {
        fprintf(stderr, "there is no row %d with %s: %s\n", row, name, PQresultErrorMessage(result));
        abort();
    }
    return PQgetvalue(result, row, column);
}

bool sql_waits_for_lock(PGconn *conn, PGconn *other)
{
    for (int i = 0; i < 600; i++) {
        if (atoi(sql_value(conn, "SELECT count(*) FROM pg_locks WHERE pid = %d AND NOT granted", PQbackendPID(other))) > 0)
            return true;
        PQconsumeInput(other);
        if (!PQisBusy(other))
            return false;
        usleep(50000);
    }
    return false;
}

void sql_database(const char *name)
{
    PGconn *conn = sql_connect("postgres", NULL);
    CHECK(sql_run(conn, "DROP DATABASE IF EXISTS %s WITH (FORCE)", name)[0] == '\0', "%s", PQerrorMessage(conn));
    CHECK(sql_run(conn, "CREATE DATABASE %s", name)[0] == '\0', "%s", PQerrorMessage(conn));
    PQfinish(conn);
}

int sql_ctl(const char *database, const char *words, char **output)
{
    char command[1200];
    size_t n = 0, cap = 0;
    snprintf(command, sizeof command, "%s -o 'database=%s dbname=%s' %s 2>&1", env("SKYLARK_TEST_CTL"),
             env("SKYLARK_TEST_PG"), database, words);
    FILE *pipe = popen(command, "r");
    char *all = NULL;
    for (int c; pipe != NULL && (c = fgetc(pipe)) != EOF;) {
        if (n + 2 > cap)
            all = realloc(all, cap = cap * 2 + 256);
        all[n++] = (char)c;
        all[n] = '\0';
    }
    int status = pipe != NULL ? pclose(pipe) : -1;
    if (output != NULL)
        *output = all != NULL ? all : strdup("");
    else
        free(all);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

PGconn *sql_migrated(void)
{
    static PGconn *conn;
    if (conn != NULL)
        return conn;
    char *output;
    sql_database("skylark_shared");
    if (sql_ctl("skylark_shared", "migrate", &output) != 0) {
        fprintf(stderr, "%s", output);
        exit(2);
    }
    free(output);
    conn = sql_connect("skylark_shared", NULL);
    sql_run(conn, "UPDATE skylark.quotas SET maximum = NULL"); /* a test of quotas sets its own */
    sql_run(conn, "INSERT INTO skylark.namespaces (name, kind) VALUES ('demo', 'user')");
    sql_run(conn, "INSERT INTO skylark.users (id, password_hash) SELECT id, '$argon2id$x' FROM skylark.namespaces "
                  "WHERE name = 'demo'");
    return conn;
}
