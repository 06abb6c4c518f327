/* skylarkctl migrate: once, twice, two at once, and what it refuses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/db.h"
#include "gen/migrations.h"
#include "tests/sql/suites.h"

/* skylarkctl ends with that status; its output is the caller's to free. */
static char *ctl(const char *database, const char *words, int expected)
{
    char *output;
    int status = sql_ctl(database, words, &output);
    CHECK(status == expected, "skylarkctl %s: status %d: %s", words, status, output);
    return output;
}

static void test_fresh_and_again(void)
{
    char *first, *second;
    sql_database("m1");
    first = ctl("m1", "migrate", 0);
    CHECK(strstr(first, "applied 0001_tenancy") != NULL, "%s", first);
    second = ctl("m1", "migrate", 0);
    CHECK(strstr(second, "applied") == NULL, "%s", second);
    PGconn *c = sql_connect("m1", NULL);
    CHECK(atoi(sql_value(c, "SELECT count(*) FROM skylark.schema_migrations")) == db_schema_version, "not all are noted");
    PQfinish(c);
    free(first);
    free(second);
}

static void test_two_at_once(void)
{
    char command[1500];
    sql_database("m2");
    snprintf(command, sizeof command,
             "for i in 1 2 3; do %s -o 'database=%s dbname=m2' migrate >/dev/null 2>&1 & p=\"$p $!\"; done; "
             "for i in $p; do wait $i || exit 1; done",
             getenv("SKYLARK_TEST_CTL"), getenv("SKYLARK_TEST_PG"));
    CHECK(system(command) == 0, "one of three at once failed");
    PGconn *c = sql_connect("m2", NULL);
    CHECK(atoi(sql_value(c, "SELECT count(*) FROM skylark.schema_migrations")) == db_schema_version, "not all are noted");
    PQfinish(c);
}

/* Each way of tampering: refused by skylarkctl with words, and by the processes as a schema that they don't know. */
static void test_refused(void)
{
    static const struct {
        const char *change, *says;
    } rows[] = {
        {"UPDATE skylark.schema_migrations SET checksum = repeat('0', 64) WHERE version = 2", "in another form"},
        {"DELETE FROM skylark.schema_migrations WHERE version = 2", "is missing although"},
        {"INSERT INTO skylark.schema_migrations (version, name, checksum) SELECT max(version) + 1, 'later', repeat('0', 64) "
         "FROM skylark.schema_migrations", "install the newer program"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *output;
        sql_database("m3");
        REQUIRE(sql_ctl("m3", "migrate", NULL) == 0, "migrate");
        PGconn *c = sql_connect("m3", NULL);
        CHECK(sql_run(c, "%s", rows[i].change)[0] == '\0', "%s", PQerrorMessage(c));
        output = ctl("m3", "migrate", 1);
        CHECK(strstr(output, rows[i].says) != NULL, "%s", output);
        free(output);
        output = ctl("m3", "status", 1);
        CHECK(strstr(output, "schema is version") != NULL, "%s", output);
        free(output);
        char conninfo[300];
        snprintf(conninfo, sizeof conninfo, "%s dbname=m3", getenv("SKYLARK_TEST_PG"));
        struct db_options options = {.conninfo = conninfo, .application_name = "test", .connect_deadline_ms = 5000,
                                     .query_deadline_ms = 5000};
        struct db *db = db_create(&options);
        CHECK(db_connect(db) == DB_SCHEMA, "a process would serve it");
        db_free(db);
        PQfinish(c);
    }
}

/* A migration that fails half-way leaves nothing of itself. */
static void test_failure_rolls_back(void)
{
    char *output;
    sql_database("m4");
    PGconn *c = sql_connect("m4", NULL);
    sql_run(c, "CREATE SCHEMA skylark; CREATE TABLE skylark.services (id int)");
    output = ctl("m4", "migrate", 1);
    CHECK(strstr(output, "0002_services") != NULL && strstr(output, "already exists") != NULL, "%s", output);
    CHECK(strcmp(sql_value(c, "SELECT max(version) FROM skylark.schema_migrations"), "1") == 0, "more than the first");
    CHECK(strcmp(sql_value(c, "SELECT to_regclass('skylark.instance_sizes') IS NULL"), "t") == 0, "half of it stayed");
    free(output);
    PQfinish(c);
}

static void test_unreachable(void)
{
    char *output;
    output = ctl("no_such_database", "migrate", 1);
    CHECK(strstr(output, "does not exist") != NULL, "%s", output);
    free(output);
    output = ctl("postgres", "status", 1);
    CHECK(strstr(output, "run skylarkctl migrate") != NULL, "%s", output);
    free(output);
    output = ctl("postgres", "no such command", 2);
    free(output);
}

const struct check_test tests_migrate[] = {
    {"fresh, and again", test_fresh_and_again},
    {"three at once", test_two_at_once},
    {"what is refused", test_refused},
    {"a failure leaves nothing", test_failure_rolls_back},
    {"what can't be reached", test_unreachable},
    {NULL, NULL},
};
