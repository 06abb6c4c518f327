/* What is kept how long: partitions are made and dropped, history is pruned, whoever has what open. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/batch.h"
#include "collector/maintain.h"
#include "common/clock.h"
#include "gen/collector_statements.h"
#include "tests/sql/suites.h"

#define DAY "((now() AT TIME ZONE 'UTC')::date + %d)"
#define IS(conn, expected, ...) \
    do { \
        char is_[200]; \
        snprintf(is_, sizeof is_, "%s", sql_value(conn, __VA_ARGS__)); \
        CHECK(strcmp(is_, expected) == 0, "%s, not %s: %s", is_, expected, PQerrorMessage(conn)); \
    } while (0)

static PGconn *owner, *collector;

/* A database of its own: what other suites have open must not matter. */
static bool opened(void)
{
    if (owner != NULL)
        return true;
    sql_database("retention");
    if (sql_ctl("retention", "migrate", NULL) != 0)
        return false;
    owner = sql_connect("retention", NULL);
    collector = sql_connect("retention", "skylark_collector");
    return true;
}

static void add_lines(int day)
{
    CHECK(sql_run(owner, "INSERT INTO skylark.log_rows SELECT '" SQL_SERVICE "', " DAY "::timestamp AT TIME ZONE 'UTC' + n * interval '1 h', "
                  "gen_random_uuid(), 0, 1, 'x' FROM generate_series(0, 23) n", day)[0] == '\0', "day %d: %s", day, PQerrorMessage(owner));
}

static void test_days(void)
{
    REQUIRE(opened(), "no database");
    /* From the first moment on there is room for lines of these days, of the past, and of a time years ahead. */
    for (int day = -1; day <= 3; day++)
        add_lines(day);
    add_lines(-4000);
    add_lines(-5);
    add_lines(2000);
    IS(collector, "skylark.log_rows_other", "SELECT min(tableoid::regclass::text) FROM skylark.log_rows WHERE logged_at < now() - interval '3 days'");
    IS(owner, "24", "SELECT count(*) FROM skylark.log_rows_later");
    IS(owner, "24", "SELECT count(*) FROM ONLY skylark.log_rows_%s", sql_value(owner, "SELECT to_char(" DAY ", 'YYYYMMDD')", 2));
    IS(collector, "there", "SELECT skylark.partition_make('log_rows', " DAY ")", 3);
    IS(collector, "there", "SELECT skylark.partition_make('log_rows', " DAY ")", -100);
    IS(collector, "refused", "SELECT skylark.partition_make('log_rows', " DAY ")", 62);
    IS(collector, "refused", "SELECT skylark.partition_make('log_rows', " DAY ")", -4000);
    IS(collector, "0", "SELECT count(*) FROM skylark.partitions_missing('log_rows', 3)");
    IS(collector, "2", "SELECT count(*) FROM skylark.partitions_missing('metric_samples', 5)");
    IS(collector, "made", "SELECT skylark.partition_make('log_rows', " DAY ")", 20);
    add_lines(20);
    IS(collector, "gone", "SELECT skylark.partition_drop('log_rows', " DAY ", '1 hour')", 20);
    IS(collector, "0", "SELECT count(*) FROM skylark.partitions_expired('log_rows', '1 day')");
    static const struct {
        const char *call, *state;
    } refused[] = {
        {"SELECT skylark.partition_make('services', current_date)", "22023"},
        {"SELECT skylark.partitions_expired('log_rows', '1 minute')", "22023"},
        {"SELECT skylark.partitions_missing('log_rows', 61)", "22023"},
        {"SELECT skylark.history_prune('services', '1 day', 10)", "22023"},
        {"SELECT skylark.history_prune('events', '1 minute', 10)", "22023"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        CHECK(strcmp(sql_run(collector, "%s", refused[i].call), refused[i].state) == 0, "%s", refused[i].call);
}

/* Somebody reads and does not end: partitions are made all the same, old ones go when the reader has ended, and nobody waits long. */
static void test_open_reader(void)
{
    REQUIRE(opened(), "no database");
    PGconn *reader = sql_connect("retention", "skylark_api"), *writer = sql_connect("retention", "skylark_collector");
    sql_run(owner, "SELECT skylark.partition_make('log_rows', " DAY ")", -1);
    CHECK(sql_run(reader, "BEGIN; DECLARE lines CURSOR FOR SELECT * FROM skylark.log_rows; FETCH 1 FROM lines")[0] == '\0', "%s",
          PQerrorMessage(reader));
    IS(collector, "made", "SELECT skylark.partition_make('log_rows', " DAY ")", 30);
    IS(collector, "made", "SELECT skylark.partition_make('log_rows', " DAY ")", 31);
    add_lines(31);
    /* Yesterday's is older than an hour, unless the day has only begun. */
    const char *expired = "SELECT count(*) FROM skylark.partitions_expired('log_rows', '1 hour')";
    if (atoi(sql_value(collector, "%s", expired)) > 0) {
        IS(collector, "busy", "SELECT skylark.partition_drop('log_rows', " DAY ", '1 hour')", -1);
        CHECK(sql_run(writer, "INSERT INTO skylark.log_rows VALUES ('" SQL_SERVICE "', now(), gen_random_uuid(), 0, 1, 'x')")[0] == '\0', "%s",
              PQerrorMessage(writer));
        CHECK(sql_run(reader, "FETCH 1 FROM lines; COMMIT")[0] == '\0', "%s", PQerrorMessage(reader));
        IS(collector, "dropped", "SELECT skylark.partition_drop('log_rows', " DAY ", '1 hour')", -1);
        IS(collector, "gone", "SELECT skylark.partition_drop('log_rows', " DAY ", '1 hour')", -1);
        IS(collector, "made", "SELECT skylark.partition_make('log_rows', " DAY ")", -1);
    }
    PQfinish(reader);
    PQfinish(writer);
}

/* Batch by batch, the oldest first, past what somebody holds. */
static void test_batches(void)
{
    static const struct {
        const char *what, *fill, *hold;
    } rows[] = {
        {"events", "INSERT INTO skylark.events (occurred_at, namespace_name, service_name, service_id, actor, action) "
                   "SELECT now() - n * interval '1 day', 'n', 's', gen_random_uuid(), 'a', 'x' FROM generate_series(1, 35) n",
         "SELECT FROM skylark.events ORDER BY occurred_at LIMIT 1 FOR UPDATE"},
        {"autoscaling_decisions",
         "INSERT INTO skylark.autoscaling_decisions (service_id, decided_at, reason, metric_name, metric_stat, upper_threshold, "
         "lower_threshold, samples, running, counted, missing, target_before, target_after, wanted) SELECT gen_random_uuid(), "
         "now() - n * interval '1 day', 'within_band', 'CPU_UTILIZATION', 'MEAN', 1, 0, 1, 1, 1, 1, 1, 1, 1 FROM generate_series(1, 35) n",
         "SELECT FROM skylark.autoscaling_decisions ORDER BY decided_at LIMIT 1 FOR UPDATE"},
        {"image_pulls", "INSERT INTO skylark.image_pulls (image_ref, state, finished_at) SELECT 'x:' || n, CASE n % 2 WHEN 0 THEN 'done' ELSE "
                        "'failed' END, now() - n * interval '1 day' FROM generate_series(1, 35) n",
         "SELECT FROM skylark.image_pulls ORDER BY finished_at LIMIT 1 FOR UPDATE"},
        {"instances", "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state, removed_at) SELECT "
                      "gen_random_uuid(), '" SQL_SERVICE "', 0, 1, 'e', n::text, 'removed', now() - n * interval '1 day' "
                      "FROM generate_series(1, 35) n",
         "SELECT FROM skylark.instances ORDER BY removed_at LIMIT 1 FOR UPDATE"},
        {"log_rows", "INSERT INTO skylark.log_rows SELECT '" SQL_SERVICE "', now() - n * interval '1 day', gen_random_uuid(), n, 1, 'x' "
                     "FROM generate_series(1, 35) n", "SELECT FROM skylark.log_rows_other ORDER BY logged_at LIMIT 1 FOR UPDATE"},
        {"metric_samples", "INSERT INTO skylark.metric_samples SELECT gen_random_uuid(), now() - n * interval '1 day', 0, 0, 0, 0 "
                           "FROM generate_series(1, 35) n", "SELECT FROM skylark.metric_samples_other ORDER BY sampled_at LIMIT 1 FOR UPDATE"},
    };
    REQUIRE(opened(), "no database");
    sql_run(owner, "DELETE FROM skylark.log_rows_other");
    sql_run(owner, "INSERT INTO skylark.namespaces (name, kind) VALUES ('retention', 'user')");
    CHECK(sql_run(owner, "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) SELECT '" SQL_SERVICE
                  "', id, 's', 'x', 'XS', 'n' FROM skylark.namespaces WHERE name = 'retention'")[0] == '\0', "%s", PQerrorMessage(owner));
    PGconn *holder = sql_connect("retention", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *what = rows[i].what;
        CHECK(sql_run(owner, "%s", rows[i].fill)[0] == '\0', "%s: %s", what, PQerrorMessage(owner));
        CHECK(sql_run(holder, "BEGIN; %s", rows[i].hold)[0] == '\0', "%s: %s", what, PQerrorMessage(holder));
        /* 25 are older than 10 days and a half; the oldest of them is held. */
        static const char *const deleted[] = {"10", "10", "4", "0"};
        for (size_t k = 0; k < sizeof deleted / sizeof deleted[0]; k++) {
            char n[24];
            snprintf(n, sizeof n, "%s", sql_value(collector, "SELECT skylark.history_prune('%s', '10 days 12 hours', 10)", what));
            CHECK(strcmp(n, deleted[k]) == 0, "%s: %s, not %s: %s", what, n, deleted[k], PQerrorMessage(collector));
        }
        sql_run(holder, "ROLLBACK");
        IS(collector, "1", "SELECT skylark.history_prune('%s', '10 days 12 hours', 10)", what);
    }
    /* What is still wanted stays, however old. */
    sql_run(owner, "INSERT INTO skylark.image_pulls (image_ref, requested_at) VALUES ('wanted', now() - interval '1 year')");
    IS(collector, "0", "SELECT skylark.history_prune('image_pulls', '10 days 12 hours', 10)");
    PQfinish(holder);
}

/* By an index, however many rows are not old enough. */
static void test_by_index(void)
{
    static const char *const statements[] = {
        "SELECT id FROM skylark.events WHERE occurred_at < now() - interval '90 days' ORDER BY occurred_at LIMIT 1000",
        "SELECT id FROM skylark.autoscaling_decisions WHERE decided_at < now() - interval '90 days' ORDER BY decided_at LIMIT 1000",
        "SELECT id FROM skylark.instances WHERE state = 'removed' AND removed_at < now() - interval '7 days' ORDER BY removed_at LIMIT 1000",
        "SELECT 1 FROM skylark.image_pulls WHERE state IN ('done', 'failed') AND finished_at < now() - interval '9 days' ORDER BY finished_at LIMIT 1000",
        "SELECT 1 FROM skylark.log_rows_other WHERE logged_at < now() - interval '9 days' ORDER BY logged_at LIMIT 1000",
        "SELECT 1 FROM skylark.metric_samples_other WHERE sampled_at < now() - interval '9 days' ORDER BY sampled_at LIMIT 1000",
    };
    REQUIRE(opened(), "no database");
    sql_run(owner, "SET enable_seqscan = off; SET enable_sort = off");
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        char plan[4000];
        snprintf(plan, sizeof plan, "%s", sql_value(owner, "EXPLAIN (FORMAT json, COSTS OFF) %s", statements[i]));
        CHECK(strstr(plan, "Index") != NULL && strstr(plan, "\"Sort\"") == NULL && strstr(plan, "Seq Scan") == NULL, "%s", plan);
    }
    sql_run(owner, "RESET ALL");
}

static struct db *collector_db(void)
{
    char conninfo[1024];
    snprintf(conninfo, sizeof conninfo, "%s dbname=retention user=skylark_collector", getenv("SKYLARK_TEST_PG"));
    struct db_options options = {.conninfo = conninfo, .application_name = "upkeep", .statements = collector_statements,
                                 .n_statements = COLLECTOR__MAX, .connect_deadline_ms = 10000, .query_deadline_ms = 60000};
    return db_create(&options);
}

static enum db_status store(struct batch *batch, struct db *db)
{
    PGresult *taken;
    enum db_status status = batch_begin(batch, db, db_connections(db), "{}", &taken);
    PQclear(taken);
    return status == DB_OK ? batch_store(batch, db) : status;
}

/* Lines of a day for which nothing was made ahead, and again after somebody has dropped it. */
static void test_day_of_a_row(void)
{
    REQUIRE(opened(), "no database");
    static const char day_text[] = "SELECT to_char(" DAY ", 'YYYYMMDD')";
    char day[16];
    struct db *db = collector_db();
    struct batch batch = {0};
    struct resume resume = {0};
    REQUIRE(db_connect(db) == DB_OK, "%s", db_message(db));
    snprintf(day, sizeof day, "%s", sql_value(owner, day_text, 40));
    for (int round = 0; round < 2; round++) {
        batch_add_row(&batch, &batch.rows, SQL_SERVICE, SQL_SERVICE, 1000 + round, 1, clock_wall_ns() + INT64_C(40) * 86400 * 1000000000, "x",
                      1, false);
        batch_add_row(&batch, &batch.rows, SQL_SERVICE, SQL_SERVICE, 2000 + round, 1, clock_wall_ns(), "x", 1, false);
        batch_add_position(&batch, SQL_SERVICE, 1, &resume, 1, false);
        enum db_status status = store(&batch, db);
        if (round == 1 && status != DB_OK)
            status = store(&batch, db); /* the day was taken for there still */
        CHECK(status == DB_OK, "%s", db_message(db));
        IS(owner, "1", "SELECT count(*) FROM skylark.log_rows_%s", day);
        CHECK(sql_run(owner, "DROP TABLE skylark.log_rows_%s", day)[0] == '\0', "%s", PQerrorMessage(owner));
    }
    batch_free(&batch);
    db_free(db);
}

/* The collector's own pass, while somebody has locked what it begins with: the rest is done, what was missed comes with the next pass. */
static void test_pass(void)
{
    REQUIRE(opened(), "no database");
    struct db *db = collector_db();
    struct collector_settings settings = {
        .maintenance_interval_ms = 3600000, .log_retention_ms = INT64_C(40) * 86400000, .metric_retention_ms = INT64_C(40) * 86400000,
        .event_retention_ms = 86400000, .pull_retention_ms = 86400000, .token_retention_ms = 86400000, .days_ahead = 6,
    };
    PGconn *holder = sql_connect("retention", NULL);
    sql_run(owner, "INSERT INTO skylark.events (occurred_at, namespace_name, service_name, service_id, actor, action) "
                   "SELECT now() - interval '2 days', 'n', 's', gen_random_uuid(), 'a', 'x' FROM generate_series(1, 2500) n");
    sql_run(owner, "INSERT INTO skylark.image_pulls (image_ref, state, finished_at) VALUES ('pass:old', 'done', now() - interval '2 days')");
    CHECK(sql_run(holder, "BEGIN; LOCK TABLE skylark.log_rows IN SHARE UPDATE EXCLUSIVE MODE; LOCK TABLE skylark.image_pulls IN SHARE MODE")[0] ==
              '\0', "%s", PQerrorMessage(holder));
    struct maintain m = {.settings = &settings};
    for (int turns = 0; turns < 1000 && m.next_ms <= clock_monotonic_ms(); turns++)
        maintain_when_due(&m, db);
    int64_t wait = m.next_ms - clock_monotonic_ms();
    CHECK(wait > 0 && wait <= 60000, "the next pass comes in %d ms", (int)wait);
    IS(owner, "0", "SELECT count(*) FROM skylark.partitions_missing('metric_samples', 6)");
    CHECK(atoi(sql_value(owner, "SELECT count(*) FROM skylark.partitions_missing('log_rows', 6)")) > 0, "the lock was none");
    IS(owner, "0", "SELECT count(*) FROM skylark.events WHERE occurred_at < now() - interval '1 day 1 hour'");
    IS(owner, "1", "SELECT count(*) FROM skylark.image_pulls WHERE image_ref = 'pass:old'");
    sql_run(holder, "COMMIT");
    m.next_ms = 0;
    for (int turns = 0; turns < 1000 && m.next_ms <= clock_monotonic_ms(); turns++)
        maintain_when_due(&m, db);
    wait = m.next_ms - clock_monotonic_ms();
    CHECK(wait > 60000, "the next pass comes in %d ms", (int)wait);
    IS(owner, "0", "SELECT count(*) FROM skylark.partitions_missing('log_rows', 6)");
    IS(owner, "0", "SELECT count(*) FROM skylark.image_pulls WHERE image_ref = 'pass:old'");
    PQfinish(holder);
    db_free(db);
}

/* What is kept for times years ahead never comes near. */
static void test_later(void)
{
    REQUIRE(opened(), "no database");
    IS(collector, "there", "SELECT skylark.partition_later_move('log_rows')");
    CHECK(sql_run(owner, "ALTER TABLE skylark.log_rows DETACH PARTITION skylark.log_rows_later; "
                  "ALTER TABLE skylark.log_rows ATTACH PARTITION skylark.log_rows_later FOR VALUES FROM (now() + interval '300 days') TO (MAXVALUE)")[0] ==
              '\0', "%s", PQerrorMessage(owner));
    add_lines(500);
    IS(collector, "used", "SELECT skylark.partition_later_move('log_rows')");
    sql_run(owner, "DELETE FROM skylark.log_rows_later");
    PGconn *reader = sql_connect("retention", "skylark_api");
    sql_run(reader, "BEGIN; SELECT FROM skylark.log_rows LIMIT 1");
    IS(collector, "busy", "SELECT skylark.partition_later_move('log_rows')");
    PQfinish(reader);
    /* Its session ends a moment after. */
    for (int i = 0; i < 100 && strcmp(sql_value(collector, "SELECT skylark.partition_later_move('log_rows')"), "there") != 0; i++)
        ;
    IS(collector, "there", "SELECT skylark.partition_later_move('log_rows')");
    IS(owner, "log_rows_later", "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = "
       "'skylark.log_rows'::regclass AND pg_get_expr(c.relpartbound, c.oid) LIKE '%%MAXVALUE%%'");
    add_lines(2000);
}

/* docs/schema.md says of each table what bounds it. */
static void test_documented(void)
{
    char doc[65536] = "", pattern[128], path[1024];
    snprintf(path, sizeof path, "%s/../docs/schema.md", getenv("SKYLARK_TEST_BIN"));
    FILE *f = fopen(path, "r");
    REQUIRE(opened() && f != NULL, "no database or no docs/schema.md");
    doc[fread(doc, 1, sizeof doc - 1, f)] = '\0';
    fclose(f);
    const char *section = strstr(doc, "## What bounds each table");
    REQUIRE(section != NULL, "no such section");
    PGresult *r = PQexec(owner, "SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'skylark'::regnamespace AND c.relkind IN ('r', 'p') "
                                "AND NOT c.relispartition ORDER BY 1");
    CHECK(PQntuples(r) > 20, "%d tables", PQntuples(r));
    for (int i = 0; i < PQntuples(r); i++) {
        snprintf(pattern, sizeof pattern, "`%s`", sql_column(r, i, "name"));
        CHECK(strstr(section, pattern) != NULL, "%s is not there", pattern);
    }
    PQclear(r);
}

const struct check_test tests_retention[] = {
    {"partitions by day", test_days},
    {"an open reader holds up no partition", test_open_reader},
    {"history goes in batches", test_batches},
    {"and by an index", test_by_index},
    {"a day is made for its first row", test_day_of_a_row},
    {"a pass goes on past what is locked", test_pass},
    {"later times stay out of the way", test_later},
    {"docs/schema.md bounds every table", test_documented},
    {NULL, NULL},
};
