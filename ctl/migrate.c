/* migrate: applies what is missing of sql/migrations/, each file in a transaction of its own, under one advisory
 * lock. Forward only: a file that was edited after it was applied, a gap, or a schema newer than this program is
 * refused, and nothing is changed. Works on a bare connection, since the schema may not be there yet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/version.h"
#include "ctl/commands.h"
#include "gen/ctl_statements.h"
#include "gen/migrations.h"

static int refuse(PGconn *conn, const char *what)
{
    fprintf(stderr, "skylarkctl: %s: %s", what, PQerrorMessage(conn));
    return EXIT_FAILED;
}

/* Runs SQL text of any number of statements. */
static int run_text(PGconn *conn, const char *sql, const char *what)
{
    PGresult *r = PQexec(conn, sql);
    ExecStatusType kind = PQresultStatus(r);
    int status = kind == PGRES_COMMAND_OK || kind == PGRES_TUPLES_OK ? 0 : refuse(conn, what);
    PQclear(r);
    return status;
}

static int run_statement(PGconn *conn, enum ctl_statement statement, const char *const *params, const char *what)
{
    PGresult *r = PQexecParams(conn, ctl_statements[statement].sql, ctl_statements[statement].n_params, NULL, params, NULL,
                               NULL, 0);
    ExecStatusType kind = PQresultStatus(r);
    int status = kind == PGRES_COMMAND_OK || kind == PGRES_TUPLES_OK ? 0 : refuse(conn, what);
    PQclear(r);
    return status;
}

/* Compares what was applied with what this program has. *applied: how many of ours are there. */
static int compare(const PGresult *have, size_t *applied)
{
    *applied = 0;
    for (int i = 0; i < PQntuples(have); i++) {
        int version = (int)strtol(PQgetvalue(have, i, 0), NULL, 10);
        if (version != i + 1) {
            fprintf(stderr, "skylarkctl: migration %d is missing although %d was applied; the list was tampered with\n", i + 1,
                    version);
            return EXIT_FAILED;
        }
        if ((size_t)version > db_n_migrations) {
            fprintf(stderr, "skylarkctl: the schema is version %s, this program (%s) knows %zu; install the newer program\n",
                    PQgetvalue(have, PQntuples(have) - 1, 0), SKYLARK_VERSION, db_n_migrations);
            return EXIT_FAILED;
        }
        const struct db_migration *m = &db_migrations[version - 1];
        if (strcmp(m->checksum, PQgetvalue(have, i, 2)) != 0) {
            fprintf(stderr, "skylarkctl: migration %04d_%s was applied in another form than this program has; migrations are "
                            "never edited once applied\n", m->version, m->name);
            return EXIT_FAILED;
        }
        *applied = (size_t)version;
    }
    return 0;
}

static int apply(PGconn *conn, const struct db_migration *m)
{
    char version[16];
    snprintf(version, sizeof version, "%d", m->version);
    const char *params[] = {version, m->name, m->checksum};
    char what[160];
    snprintf(what, sizeof what, "migration %04d_%s", m->version, m->name);
    int status = run_text(conn, "BEGIN", what);
    if (status == 0)
        status = run_text(conn, m->sql, what);
    if (status == 0)
        status = run_statement(conn, CTL_MIGRATION_INSERT, params, what);
    /* After a failure COMMIT would roll back as well, but say that it went well. */
    if (status == 0)
        status = run_text(conn, "COMMIT", what);
    if (status == 0)
        printf("applied %04d_%s\n", m->version, m->name);
    return status;
}

static PGresult *applied_list(PGconn *conn)
{
    PGresult *have = PQexec(conn, ctl_statements[CTL_MIGRATIONS_LIST].sql);
    const char *state = PQresultErrorField(have, PG_DIAG_SQLSTATE);
    if (PQresultStatus(have) == PGRES_TUPLES_OK)
        return have;
    if (state != NULL && strcmp(state, "42P01") == 0) /* undefined_table: only migrate --status asks so early */
        fputs("skylarkctl: the database has no Skylark schema; run skylarkctl migrate\n", stderr);
    else
        refuse(conn, "reading the applied migrations");
    PQclear(have);
    return NULL;
}

static int list(PGconn *conn)
{
    PGresult *have = applied_list(conn);
    if (have == NULL)
        return EXIT_FAILED;
    size_t applied;
    int status = compare(have, &applied);
    for (size_t i = 0; i < db_n_migrations; i++)
        printf("%04d_%s  %s\n", db_migrations[i].version, db_migrations[i].name,
               i < applied ? PQgetvalue(have, (int)i, 3) : "not applied");
    PQclear(have);
    return status;
}

static int migrate(PGconn *conn)
{
    /* Held until the connection closes, whatever happens; a second migrate waits here and then finds all done. */
    if (run_statement(conn, CTL_MIGRATION_LOCK, NULL, "taking the lock") != 0 ||
        run_text(conn, db_roles_sql, "sql/roles.sql") != 0 || run_text(conn, db_bootstrap_sql, "sql/bootstrap.sql") != 0)
        return EXIT_FAILED;
    PGresult *have = applied_list(conn);
    size_t applied;
    if (have == NULL)
        return EXIT_FAILED;
    int status = compare(have, &applied);
    PQclear(have);
    for (size_t i = applied; i < db_n_migrations && status == 0; i++)
        status = apply(conn, &db_migrations[i]);
    if (status == 0)
        printf("schema is at version %d\n", db_schema_version);
    return status;
}

static void drop_notice(void *arg, const char *message)
{
    (void)arg;
    (void)message; /* "already exists, skipping" is what is wanted */
}

int command_migrate(struct ctl *ctl)
{
    bool only_list = ctl->argc == 1;
    if (only_list && strcmp(ctl->argv[0], "--status") != 0) {
        fputs("Usage: skylarkctl migrate [--status]\n", stderr);
        return EXIT_USAGE;
    }
    const char *const keys[] = {"dbname", "fallback_application_name", NULL};
    const char *const values[] = {ctl->settings.database, "skylarkctl", NULL};
    PGconn *conn = PQconnectdbParams(keys, values, 1);
    int status = EXIT_FAILED;
    if (PQstatus(conn) != CONNECTION_OK) {
        refuse(conn, "connecting to PostgreSQL");
    } else {
        PQsetNoticeProcessor(conn, drop_notice, NULL);
        status = only_list ? list(conn) : migrate(conn);
    }
    PQfinish(conn);
    return status;
}
