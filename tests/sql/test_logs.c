/* Reading logs: however many rows there are, a page reads about as many as it holds, in order, by the index. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/api_statements.h"
#include "tests/sql/suites.h"

#define SERVICE "22222222-2222-4222-8222-222222222222"
#define QUIET "aaaaaaaa-0000-4000-8000-000000000000"
/* Of one service, over four days and so several partitions: a line of each of ten instances every few seconds. */
#define ROWS_TEXT "400000"

static PGconn *filled(void)
{
    static PGconn *api;
    if (api != NULL)
        return api;
    sql_database("logs");
    if (sql_ctl("logs", "migrate", NULL) != 0)
        return NULL;
    PGconn *owner = sql_connect("logs", NULL);
    CHECK(sql_run(owner, "INSERT INTO skylark.log_rows SELECT '" SERVICE "', now() - n * interval '800 ms', "
                  "('bbbbbbbb-0000-4000-8000-00000000000' || n %% 10)::uuid, 1000000 - n, 1, 'a line of some length, number ' || n "
                  "FROM generate_series(0, " ROWS_TEXT ") n")[0] == '\0', "%s", PQerrorMessage(owner));
    sql_run(owner, "INSERT INTO skylark.log_rows SELECT '" SERVICE "', now() - n * interval '10 hours', '" QUIET "', 10 - n, 1, 'quiet' "
                   "FROM generate_series(0, 7) n");
    sql_run(owner, "VACUUM ANALYZE skylark.log_rows");
    PQfinish(owner);
    api = sql_connect("logs", "skylark_api");
    CHECK(sql_run(api, "PREPARE page AS %s", api_statements[API_LOGS_PAGE].sql)[0] == '\0', "%s", PQerrorMessage(api));
    CHECK(sql_run(api, "PREPARE tail AS %s", api_statements[API_LOGS_TAIL].sql)[0] == '\0', "%s", PQerrorMessage(api));
    return api;
}

/* A page of the last hours, as its parameters. */
#define NOW_US "(extract(epoch FROM now()) * 1000000)::bigint"
#define RANGE(hours) "'" SERVICE "', " NOW_US " - " #hours " * 3600000000, " NOW_US " + 60000000"
#define ALL "'00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'"
#define ONE(digits) "'" digits "-0000-0000-0000-000000000000', '" digits "-ffff-ffff-ffff-ffffffffffff'"
#define FROM_START ", -1, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 9223372036854775807, 0, '{}', "

static void test_plans(void)
{
    static const struct {
        const char *what, *call;
        int rows, blocks_most; /* a page of 8 KiB holds some 60 rows, and an index scan looks at one more for each row */
    } rows[] = {
        {"a page of all", "page(" RANGE(80) ", " ALL FROM_START "1001)", 1001, 2200},
        {"the tail of all", "tail(" RANGE(80) ", " ALL ", 100)", 100, 300},
        {"a long tail", "tail(" RANGE(80) ", " ALL ", 50000)", 50000, 60000},
        {"of one instance", "page(" RANGE(80) ", " ONE("bbbbbbbb") FROM_START "101)", 101, 400},
        /* Its rows are found in the index alone: all entries of the range, and no row of the others. */
        {"of a quiet instance", "page(" RANGE(80) ", " ONE("aaaaaaaa") FROM_START "101)", 8, 8000},
        {"of no instance", "tail(" RANGE(80) ", " ONE("cccccccc") ", 100)", 0, 8000},
    };
    PGconn *c = filled();
    REQUIRE(c != NULL, "no database");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char plan[16384] = "";
        PGresult *r = NULL;
        int blocks = 0, found = -1;
        sql_run(c, "SET plan_cache_mode = force_generic_plan");
        char text[2048];
        snprintf(text, sizeof text, "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) EXECUTE %s", rows[i].call);
        r = PQexec(c, text);
        for (int l = 0; l < PQntuples(r); l++) {
            const char *line = sql_column(r, l, "QUERY PLAN"), *at;
            if (strlen(plan) + strlen(line) + 2 < sizeof plan) {
                strcat(plan, line);
                strcat(plan, "\n");
            }
            /* Those of the topmost node are of the whole. */
            if (blocks == 0 && strstr(line, "Buffers: shared") != NULL) {
                at = strstr(line, "hit=");
                blocks += at != NULL ? atoi(at + 4) : 0;
                at = strstr(line, "read=");
                blocks += at != NULL ? atoi(at + 5) : 0;
            }
            at = strstr(line, "rows=");
            if (found < 0 && at != NULL)
                found = atoi(at + 5);
        }
        CHECK(PQresultStatus(r) == PGRES_TUPLES_OK, "%s: %s", rows[i].what, PQresultErrorMessage(r));
        CHECK(strstr(plan, "Sort Method") == NULL && strstr(plan, "Seq Scan") == NULL && strstr(plan, "Bitmap") == NULL, "%s: %s",
              rows[i].what, plan);
        CHECK(found == rows[i].rows, "%s: %d rows: %s", rows[i].what, found, plan);
        CHECK(blocks > 0 && blocks <= rows[i].blocks_most, "%s: %d blocks: %s", rows[i].what, blocks, plan);
        PQclear(r);
    }
}

const struct check_test tests_logs[] = {
    {"a page reads as many rows as it holds, by the index", test_plans},
    {NULL, NULL},
};
