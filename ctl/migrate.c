/* migrate: brings the schema up to this program, in one transaction under one advisory lock. It applies the files of
 * sql/tables/ that are missing, forward only: a file that was edited after it was applied, a gap, or a schema newer than
 * this program is refused, and nothing is changed. When a file was missing or the definitions (sql/definitions/) differ
 * from those that were applied, the old definitions are taken away first and this program's applied last. Works on a bare
 * connection, since the schema may not be there yet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/version.h"
#include "ctl/commands.h"
#include "gen/ctl_statements.h"
#include "gen/schema.h"

#define CONNECT_DEADLINE_MS 10000
/* How long to wait for another migrate, and then for each lock on what is changed: whoever comes after us waits behind us. */
#define OTHER_MS "600000"
#define LOCK_MS "30000"

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
        int version = (int)db_int(have, i, CTL_MIGRATIONS_LIST_C_VERSION);
        if (version != i + 1) {
            fprintf(stderr, "skylarkctl: file %d of the tables is missing although %d was applied; the list was tampered with\n",
                    i + 1, version);
            return EXIT_FAILED;
        }
        if ((size_t)version > db_n_tables) {
            fprintf(stderr, "skylarkctl: the schema is version %s, this program (%s) knows %zu; install the newer program\n",
                    db_text(have, PQntuples(have) - 1, CTL_MIGRATIONS_LIST_C_VERSION), SKYLARK_VERSION, db_n_tables);
            return EXIT_FAILED;
        }
        const struct db_tables_file *file = &db_tables[version - 1];
        if (strcmp(file->checksum, db_text(have, i, CTL_MIGRATIONS_LIST_C_CHECKSUM)) != 0) {
            fprintf(stderr, "skylarkctl: sql/tables/%04d_%s was applied in another form than this program has; files of the "
                            "tables are never edited once applied\n", file->version, file->name);
            return EXIT_FAILED;
        }
        *applied = (size_t)version;
    }
    return 0;
}

static int tables_apply(PGconn *conn, const struct db_tables_file *file)
{
    char version[16];
    snprintf(version, sizeof version, "%d", file->version);
    const char *params[CTL_MIGRATION_INSERT_P__MAX] = {
        [CTL_MIGRATION_INSERT_P_VERSION] = version,
        [CTL_MIGRATION_INSERT_P_NAME] = file->name,
        [CTL_MIGRATION_INSERT_P_CHECKSUM] = file->checksum,
    };
    char what[160];
    snprintf(what, sizeof what, "sql/tables/%04d_%s", file->version, file->name);
    int status = run_text(conn, file->sql, what);
    return status == 0 ? run_statement(conn, CTL_MIGRATION_INSERT, params, what) : status;
}

static int definitions_apply(PGconn *conn)
{
    int status = 0;
    for (size_t i = 0; i < db_n_definitions && status == 0; i++) {
        char what[160];
        snprintf(what, sizeof what, "sql/definitions/%s", db_definitions[i].name);
        status = run_text(conn, db_definitions[i].sql, what);
    }
    const char *params[CTL_DEFINITIONS_SET_P__MAX] = {[CTL_DEFINITIONS_SET_P_CHECKSUM] = db_definitions_checksum};
    if (status == 0)
        status = run_statement(conn, CTL_DEFINITIONS_SET, params, "noting the definitions");
    if (status == 0)
        status = run_statement(conn, CTL_SCHEMA_OBJECTS_CLEAR, NULL, "noting the definitions");
    return status == 0 ? run_statement(conn, CTL_SCHEMA_OBJECTS_SET, NULL, "noting the definitions") : status;
}

/* Everything from the file after applied on, and the definitions, in one transaction. */
static int apply(PGconn *conn, size_t applied)
{
    /* by_hand: the lists of what is applied are guarded. In a Skylark that runs, whoever waits for a table behind a long query holds up all who come after. */
    int status = run_text(conn, "BEGIN; SET LOCAL lock_timeout = '10s'; SET LOCAL skylark.by_hand = on", "BEGIN");
    /* The old definitions go first: a table can't change under a view. */
    if (status == 0)
        status = run_text(conn, db_reset_sql, "sql/reset.sql");
    for (size_t i = applied; i < db_n_tables && status == 0; i++)
        status = tables_apply(conn, &db_tables[i]);
    if (status == 0)
        status = definitions_apply(conn);
    /* After a failure COMMIT would roll back as well, but say that it went well. */
    if (status == 0)
        status = run_text(conn, "COMMIT", "COMMIT");
    for (size_t i = applied; i < db_n_tables && status == 0; i++)
        printf("applied %04d_%s\n", db_tables[i].version, db_tables[i].name);
    if (status == 0)
        puts("applied the definitions");
    return status;
}

static PGresult *query(PGconn *conn, enum ctl_statement statement)
{
    PGresult *have = PQexec(conn, ctl_statements[statement].sql);
    const char *state = PQresultErrorField(have, PG_DIAG_SQLSTATE);
    if (PQresultStatus(have) == PGRES_TUPLES_OK)
        return have;
    if (state != NULL && strcmp(state, "42P01") == 0) /* undefined_table: only migrate --status asks so early */
        fputs("skylarkctl: the database has no Skylark schema; run skylarkctl migrate\n", stderr);
    else
        refuse(conn, "reading what was applied");
    PQclear(have);
    return NULL;
}

static bool definitions_match(const PGresult *have)
{
    return PQntuples(have) == 1 && strcmp(db_text(have, 0, CTL_DEFINITIONS_GET_C_CHECKSUM), db_definitions_checksum) == 0;
}

static int list(PGconn *conn)
{
    PGresult *tables = query(conn, CTL_MIGRATIONS_LIST);
    PGresult *definitions = tables != NULL ? query(conn, CTL_DEFINITIONS_GET) : NULL;
    int status = EXIT_FAILED;
    if (tables != NULL && definitions != NULL) {
        size_t applied;
        status = compare(tables, &applied);
        for (size_t i = 0; i < db_n_tables; i++)
            printf("%04d_%s  %s\n", db_tables[i].version, db_tables[i].name,
                   i < applied ? db_text(tables, (int)i, CTL_MIGRATIONS_LIST_C_APPLIED_AT) : "not applied");
        printf("definitions  %s\n", PQntuples(definitions) == 0     ? "not applied"
                                    : definitions_match(definitions) ? db_text(definitions, 0, CTL_DEFINITIONS_GET_C_APPLIED_AT)
                                                                     : "applied in another form");
    }
    PQclear(definitions);
    PQclear(tables);
    return status;
}

/* Sets what differs of the roles' settings; *changed: how many. */
static int role_settings_apply(PGconn *conn, int *changed)
{
    PGresult *r = query(conn, CTL_ROLE_SETTINGS_APPLY);
    if (r == NULL || PQntuples(r) != 1) {
        PQclear(r);
        return EXIT_FAILED;
    }
    *changed = (int)strtol(db_text(r, 0, CTL_ROLE_SETTINGS_APPLY_C_CHANGED), NULL, 10);
    PQclear(r);
    if (*changed > 0)
        printf("changed %d settings of roles\n", *changed);
    return 0;
}

static int bound(PGconn *conn, const char *lock_ms)
{
    const char *params[CTL_MIGRATION_BOUNDS_P__MAX] = {[CTL_MIGRATION_BOUNDS_P_LOCK_MS] = lock_ms};
    return run_statement(conn, CTL_MIGRATION_BOUNDS, params, "bounding the session");
}

/* What migrate and doctor --fix begin with. The lock is held until the connection closes, whatever happens; a second one
 * waits here and then finds all done. */
static int prepare(PGconn *conn)
{
    if (bound(conn, OTHER_MS) != 0 || run_statement(conn, CTL_MIGRATION_LOCK, NULL, "taking the lock") != 0 ||
        bound(conn, LOCK_MS) != 0 ||
        run_text(conn, db_roles_sql, "sql/roles.sql") != 0)
        return EXIT_FAILED;
    return run_text(conn, db_bootstrap_sql, "sql/bootstrap.sql");
}

static int migrate(PGconn *conn)
{
    if (prepare(conn) != 0)
        return EXIT_FAILED;
    PGresult *tables = query(conn, CTL_MIGRATIONS_LIST);
    PGresult *definitions = tables != NULL ? query(conn, CTL_DEFINITIONS_GET) : NULL;
    int status = EXIT_FAILED, changed;
    if (tables != NULL && definitions != NULL) {
        size_t applied;
        status = compare(tables, &applied);
        if (status == 0 && (applied < db_n_tables || !definitions_match(definitions)))
            status = apply(conn, applied);
    }
    PQclear(definitions);
    PQclear(tables);
    if (status == 0)
        status = role_settings_apply(conn, &changed);
    if (status == 0)
        printf("schema is at version %d\n", db_schema_version);
    return status;
}

/* Applies the definitions again if anything of them was changed by hand, and says what. */
static int definitions_mend(PGconn *conn)
{
    PGresult *differences = query(conn, CTL_SCHEMA_DIFFERENCES);
    if (differences == NULL)
        return EXIT_FAILED;
    int n = PQntuples(differences), status = n > 0 ? apply(conn, db_n_tables) : 0;
    for (int i = 0; i < n && status == 0; i++)
        printf("mended: %s\n", db_text(differences, i, CTL_SCHEMA_DIFFERENCES_C_DIFFERENCE));
    PQclear(differences);
    return status;
}

static int fix(PGconn *conn)
{
    if (prepare(conn) != 0)
        return EXIT_FAILED;
    PGresult *tables = query(conn, CTL_MIGRATIONS_LIST);
    PGresult *definitions = tables != NULL ? query(conn, CTL_DEFINITIONS_GET) : NULL;
    int status = EXIT_FAILED, changed;
    if (tables != NULL && definitions != NULL) {
        size_t applied;
        status = compare(tables, &applied);
        if (status == 0 && (applied < db_n_tables || !definitions_match(definitions))) {
            fputs("skylarkctl: the schema is not this program's; run skylarkctl migrate\n", stderr);
            status = EXIT_FAILED;
        }
    }
    PQclear(definitions);
    PQclear(tables);
    if (status == 0)
        status = definitions_mend(conn);
    return status == 0 ? role_settings_apply(conn, &changed) : status;
}

static void drop_notice(void *arg, const char *message)
{
    (void)arg;
    (void)message; /* "already exists, skipping" is what is wanted */
}

static int with_connection(struct ctl *ctl, int (*run)(PGconn *conn))
{
    PGconn *conn = db_bare_connection(ctl->settings.database, "skylarkctl", CONNECT_DEADLINE_MS);
    int status = EXIT_FAILED;
    if (conn == NULL) {
        fputs("skylarkctl: PostgreSQL did not answer in time\n", stderr);
    } else if (PQstatus(conn) != CONNECTION_OK) {
        refuse(conn, "connecting to PostgreSQL");
    } else {
        PQsetNoticeProcessor(conn, drop_notice, NULL);
        status = run(conn);
    }
    PQfinish(conn);
    return status;
}

int schema_fix(struct ctl *ctl)
{
    return with_connection(ctl, fix);
}

int command_migrate(struct ctl *ctl)
{
    bool only_list = ctl->argc == 1;
    if (only_list && strcmp(ctl->argv[0], "--status") != 0) {
        fputs("Usage: skylarkctl migrate [--status]\n", stderr);
        return EXIT_USAGE;
    }
    return with_connection(ctl, only_list ? list : migrate);
}
