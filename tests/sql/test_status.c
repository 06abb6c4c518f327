/* skylarkctl status and doctor with 20,000 services: what they cost grows with the services, not with their square, and what they show
 * has a bound. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/ctl_statements.h"
#include "tests/sql/suites.h"

#define SERVICES 20000
#define ROWS_MOST 500 /* as in ctl/status.c */
/* A linear plan takes less than a second, a quadratic one minutes. */
#define SECONDS "20"

static PGconn *many(void)
{
    char *output;
    sql_database("status");
    CHECK(sql_ctl("status", "migrate", &output) == 0, "%s", output);
    free(output);
    PGconn *c = sql_connect("status", NULL);
    /* Without triggers, which queue and notify, and without the checks of quotas. */
    static const char *const steps[] = {
        "SET session_replication_role = replica",
        "INSERT INTO skylark.namespaces (name, kind) SELECT 'n' || i, 'user' FROM generate_series(0, 9) i",
        "INSERT INTO skylark.services (id, namespace_id, name, domain_label, image_name, instance_size, created_by) "
        "SELECT gen_random_uuid(), n.id, 's' || i, 's' || i, 'nginx', 'XXS', n.name "
        "FROM generate_series(1, 20000) i JOIN skylark.namespaces n ON n.name = 'n' || i % 10",
        "INSERT INTO skylark.reconcile_queue (service_id) SELECT id FROM skylark.services",
        "INSERT INTO skylark.service_status (service_id, observed_revision, condition) SELECT id, 1, 'settled' FROM skylark.services",
        "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state) "
        "SELECT gen_random_uuid(), id, 0, 1, 'e', md5(id::text), 'running' FROM skylark.services",
        "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, state, removed_at) "
        "SELECT gen_random_uuid(), s.id, 0, 1, 'e', 'removed', now() FROM skylark.services s, generate_series(1, 2)",
        "INSERT INTO skylark.engines (engine_id, state, observed_at) VALUES ('e', 'reachable', now() + interval '1 hour')",
        "UPDATE skylark.installation SET engine_id = 'e', engine_recorded_at = now()",
        "UPDATE skylark.service_status SET condition = 'failing', message = 'No.' WHERE service_id IN "
        "(SELECT id FROM skylark.services ORDER BY seq DESC LIMIT 100)",
        "SET session_replication_role = origin",
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        CHECK(sql_run(c, "%s", steps[i])[0] == '\0', "%s: %s", steps[i], PQerrorMessage(c));
    return c;
}

static void check_statements(PGconn *c, const char *when)
{
    const char *all[CTL_STATUS_SUMMARY_P__MAX] = {[CTL_STATUS_SUMMARY_P_NAMESPACE] = NULL};
    const char *services[CTL_STATUS_SERVICES_P__MAX] = {[CTL_STATUS_SERVICES_P_MOST] = "500"};
    const char *instances[CTL_STATUS_INSTANCES_P__MAX] = {[CTL_STATUS_INSTANCES_P_MOST] = "500"};
    const struct {
        unsigned statement;
        const char *const *params;
        int rows; /* -1: any */
    } rows[] = {
        {CTL_STATUS_ENGINE, NULL, 1},
        {CTL_STATUS_SUMMARY, all, 1},
        {CTL_STATUS_SERVICES, services, 500},
        {CTL_STATUS_INSTANCES, instances, 500},
        {CTL_DOCTOR, NULL, -1},
    };
    sql_run(c, "SET statement_timeout = '" SECONDS "s'");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PGresult *r = sql_statement(c, &ctl_statements[rows[i].statement], rows[i].params);
        CHECK(PQresultStatus(r) == PGRES_TUPLES_OK && (rows[i].rows < 0 || PQntuples(r) == rows[i].rows), "%s, %s: %d rows %s",
              ctl_statements[rows[i].statement].name, when, PQntuples(r), PQresultErrorMessage(r));
        for (int row = 0; row < PQntuples(r); row++) {
            for (int column = 0; column < PQnfields(r); column++)
                CHECK(strlen(db_text(r, row, column)) < 4096, "%s: a text of %zu bytes", ctl_statements[rows[i].statement].name,
                      strlen(db_text(r, row, column)));
        }
        PQclear(r);
    }
    sql_run(c, "RESET statement_timeout");
}

/* Runs skylarkctl with a deadline. Returns how many lines it printed; what they say goes to text. */
static int ctl_lines(const char *words, char *text, size_t size)
{
    char command[1200];
    int lines = 0;
    size_t n = 0;
    snprintf(command, sizeof command, "timeout " SECONDS " %s -o 'database=%s dbname=status' %s 2>&1", getenv("SKYLARK_TEST_CTL"),
             getenv("SKYLARK_TEST_PG"), words);
    FILE *pipe = popen(command, "r");
    for (int c; pipe != NULL && (c = fgetc(pipe)) != EOF;) {
        lines += c == '\n';
        if (n + 1 < size)
            text[n++] = (char)c;
    }
    text[n] = '\0';
    int status = pipe != NULL ? pclose(pipe) : -1;
    CHECK(status == 0, "skylarkctl %s: status %x: %.200s", words, (unsigned)status, text);
    return lines;
}

static void test_many(void)
{
    static char text[1 << 20];
    PGconn *c = many();
    check_statements(c, "without statistics");
    CHECK(sql_run(c, "ANALYZE")[0] == '\0', "%s", PQerrorMessage(c));
    check_statements(c, "with statistics");
    int lines = ctl_lines("status", text, sizeof text);
    CHECK(lines > 2 * ROWS_MOST && lines < 2 * ROWS_MOST + 20, "%d lines", lines);
    char *summary = strstr(text, "Summary\n");
    CHECK(summary != NULL && strstr(summary, "\n20000     19900    0          0        100    0         20000\n") != NULL, "%.400s",
          summary != NULL ? summary : text);
    CHECK(strstr(text, "The first 500. The others: skylarkctl status NAMESPACE") != NULL, "it does not say that there are more");
    /* Those in error come first, wherever their names stand. */
    char *services = strstr(text, "\nServices\n"), *instances = strstr(text, "\nInstances\n");
    int failing = 0;
    for (char *at = services; at != NULL && (at = strstr(at, " Error ")) != NULL && at < instances; at++)
        failing++;
    CHECK(failing == 100, "%d in error are shown", failing);
    ctl_lines("status n7", text, sizeof text);
    CHECK(strstr(text, "\n2000      ") != NULL && strstr(text, "\nn7 ") != NULL && strstr(text, "\nn8 ") == NULL, "%.400s", text);
    char *output;
    CHECK(sql_ctl("status", "status nobody", &output) == 1 && strcmp(output, "skylarkctl: there is no such namespace\n") == 0, "%s", output);
    free(output);
    PQfinish(c);
}

const struct check_test tests_status[] = {
    {"status and doctor with 20,000 services", test_many}, {0},
};
