/* The autoscaler's decision, row by row of a table; and the statement that claims, measures, decides, acts and records. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/autoscaler_statements.h"
#include "tests/sql/suites.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define NONE (-1.0) /* no value: no sample counts */
#define NEVER 100000

/* --- the decision --- */

/* What a row of the table leaves out: 2 instances of 1 to 6, band 0.2 to 0.6, steps of 1, waits of 60 s that are long over. */
struct given {
    int target, minimum, maximum, increase, decrease, wait_up, wait_down;
    double upper, lower, value;
    int running; /* 0: as many as the target */
    int missing, acted_ago, recent; /* recent 0: none */
    bool dry_run, updating, starting, no_floor;
};

static const struct {
    const char *what;
    struct given g;
    const char *reason;
    int wanted, recommended;
} decisions[] = {
    {"in the band", {.value = 0.4}, "within_band", 2, 2},
    {"exactly the upper threshold", {.value = 0.6}, "within_band", 2, 2},
    {"exactly the lower threshold", {.value = 0.2}, "within_band", 2, 2},
    {"a hair above", {.value = 0.6000001}, "scaled_up", 3, 3},
    {"a hair below", {.target = 4, .value = 0.1999999}, "scaled_down", 3, 3},
    {"above", {.value = 0.9}, "scaled_up", 3, 3},
    {"by more than one", {.value = 0.9, .increase = 3}, "scaled_up", 5, 5},
    {"a delta beyond the maximum", {.target = 5, .value = 0.9, .increase = 100}, "scaled_up", 6, 6},
    {"at the maximum", {.target = 6, .value = 1}, "at_maximum", 6, 6},
    {"below", {.target = 3, .value = 0.1}, "scaled_down", 2, 2},
    {"a delta beyond the minimum", {.target = 4, .value = 0, .decrease = 100}, "scaled_down", 1, 1},
    {"at the minimum", {.target = 1, .value = 0}, "at_minimum", 1, 1},
    {"a count by metric never falls to 0", {.target = 1, .value = 0, .no_floor = true}, "at_minimum", 1, 1},
    {"and not by a step over it", {.target = 2, .value = 0, .decrease = 5, .no_floor = true}, "scaled_down", 1, 1},
    {"scaled to zero by hand", {.target = 0, .no_floor = true, .value = NONE}, "at_zero", 0, 0},
    {"below the minimum, at once", {.target = 1, .minimum = 3, .value = 0.4, .acted_ago = 1}, "below_minimum", 3, 1},
    {"above the maximum, at once", {.target = 9, .value = 0.4, .acted_ago = 1}, "above_maximum", 6, 9},
    {"beyond the range even without data", {.target = 9, .value = NONE, .missing = 9}, "above_maximum", 6, 9},
    {"fewer would stand above", {.target = 2, .value = 0.35, .lower = 0.4}, "would_flap", 2, 2},
    {"fewer would stand exactly at the upper threshold", {.target = 2, .value = 0.3, .lower = 0.4}, "scaled_down", 1, 1},
    {"a smaller step than asked for", {.target = 6, .value = 0.15, .decrease = 5}, "scaled_down", 2, 2},
    {"of those that run, not of those wanted", {.target = 4, .running = 2, .value = 0.1, .decrease = 3}, "scaled_down", 1, 1},
    {"just acted, above", {.value = 0.9, .acted_ago = 59}, "waiting", 2, 3},
    {"just acted, below", {.target = 3, .value = 0.1, .acted_ago = 59}, "waiting", 3, 2},
    {"just acted, in the band", {.value = 0.4, .acted_ago = 1}, "within_band", 2, 2},
    {"the wait is over to the second", {.value = 0.9, .acted_ago = 60}, "scaled_up", 3, 3},
    {"a short wait upwards", {.value = 0.9, .acted_ago = 20, .wait_up = 15}, "scaled_up", 3, 3},
    {"which is not that downwards", {.target = 3, .value = 0.1, .acted_ago = 20, .wait_up = 15}, "waiting", 3, 2},
    {"a long wait downwards", {.target = 3, .value = 0.1, .acted_ago = 299, .wait_down = 300}, "waiting", 3, 2},
    {"no data", {.value = NONE, .missing = 1}, "no_data", 2, 2},
    {"nothing that counts yet", {.value = NONE}, "starting", 2, 2},
    {"one is silent: nothing is taken away", {.target = 3, .value = 0.1, .missing = 1}, "no_data", 3, 3},
    {"one is silent: others still need more", {.target = 3, .value = 0.9, .missing = 1}, "scaled_up", 4, 4},
    {"those asked for don't run yet", {.target = 3, .value = 0.9, .starting = true}, "starting", 3, 4},
    {"mid-update, above", {.value = 0.9, .updating = true}, "updating", 2, 2},
    {"mid-update, below", {.target = 3, .value = 0.1, .updating = true}, "updating", 3, 3},
    {"mid-update, without data", {.value = NONE, .updating = true}, "updating", 2, 2},
    {"mid-update, beyond the range", {.target = 9, .value = 0.4, .updating = true}, "above_maximum", 6, 9},
    {"the window still asks for as many", {.target = 4, .value = 0.1, .recent = 4}, "stabilizing", 4, 3},
    {"the window asks for more than there are", {.target = 4, .value = 0.1, .recent = 6}, "stabilizing", 4, 3},
    {"the window allows one step of three", {.target = 6, .value = 0.05, .decrease = 3, .recent = 5}, "scaled_down", 5, 3},
    {"the window does not slow what goes up", {.value = 0.9, .recent = 2}, "scaled_up", 3, 3},
    {"a dry run", {.value = 0.9, .dry_run = true}, "dry_run", 3, 3},
    {"a dry run downwards", {.target = 3, .value = 0.1, .dry_run = true}, "dry_run", 2, 2},
    {"a dry run with nothing to do", {.value = 0.4, .dry_run = true}, "within_band", 2, 2},
    {"a dry run beyond the range", {.target = 9, .value = 0.4, .dry_run = true}, "dry_run", 6, 9},
    {"bytes per second", {.value = 2e6, .upper = 1e6, .lower = 1e3}, "scaled_up", 3, 3},
    {"the largest figures there are", {.target = 6, .value = 1e-300, .upper = 1e15, .lower = 1e-200}, "scaled_down", 5, 5},
};

static void test_decisions(void)
{
    PGconn *c = sql_migrated();
    for (size_t i = 0; i < COUNT(decisions); i++) {
        struct given g = decisions[i].g;
        int target = g.target != 0 || g.no_floor ? g.target : 2;
        char value[40], recent[16], expected[64];
        snprintf(value, sizeof value, "%.17g", g.value);
        snprintf(recent, sizeof recent, "%d", g.recent);
        snprintf(expected, sizeof expected, "%s %d %d", decisions[i].reason, decisions[i].wanted, decisions[i].recommended);
        const char *got = sql_value(
            c, "SELECT reason || ' ' || wanted || ' ' || recommended FROM skylark.autoscaling_decide(p_now => now(), p_target => %d, "
            "p_minimum => %d, p_maximum => %d, p_upper => %.17g, p_lower => %.17g, p_increase => %d, p_decrease => %d, p_wait_up => %d, "
            "p_wait_down => %d, p_dry_run => %s, p_value => %s, p_running => %d, p_missing => %d, p_updating => %s, p_starting => %s, "
            "p_up_since => now() - interval '%d s', p_down_since => now() - interval '%d s', p_recent => %s)",
            target, g.minimum != 0 || g.no_floor ? g.minimum : 1, g.maximum != 0 ? g.maximum : 6, g.upper != 0 ? g.upper : 0.6,
            g.lower != 0 ? g.lower : 0.2, g.increase != 0 ? g.increase : 1, g.decrease != 0 ? g.decrease : 1,
            g.wait_up != 0 ? g.wait_up : 60, g.wait_down != 0 ? g.wait_down : 60, g.dry_run ? "true" : "false",
            g.value < 0 ? "NULL" : value, g.running != 0 ? g.running : target, g.missing, g.updating ? "true" : "false",
            g.starting ? "true" : "false", g.acted_ago != 0 ? g.acted_ago : NEVER, g.acted_ago != 0 ? g.acted_ago : NEVER, g.recent != 0 ? recent : "NULL");
        CHECK(strcmp(got, expected) == 0, "%s: %s, not %s", decisions[i].what, got, expected);
    }
    /* Never acted before is no reason to wait. */
    CHECK(strcmp(sql_value(c, "SELECT reason FROM skylark.autoscaling_decide(now(), 2, 1, 6, 0.6, 0.2, 1, 1, 60, 60, false, 0.9, 2, 0, "
                              "false, false, NULL, NULL, NULL)"), "scaled_up") == 0, "never acted");
}

/* Every service has its own place in the period, the same each time, and together they fill it evenly. */
static void test_due_times(void)
{
    PGconn *c = sql_migrated();
    CHECK(strcmp(sql_value(c, "WITH d AS (SELECT t.at, skylark.autoscaling_next_due(gen_random_uuid(), t.at, 15) AS due "
                              "FROM generate_series(1, 15000) g, (SELECT timestamptz '2026-11-23 12:00:07.3Z' AS at) t) "
                              "SELECT bool_and(due > at AND due <= at + interval '15 s') FROM d"), "t") == 0, "beyond the period");
    CHECK(strcmp(sql_value(c, "WITH d AS (SELECT skylark.autoscaling_next_due(gen_random_uuid(), now(), 15) AS due FROM generate_series(1, 15000)), "
                              "s AS (SELECT count(*) AS n FROM d GROUP BY floor(date_part('epoch', due))) "
                              "SELECT max(n) < 1300 AND count(*) BETWEEN 15 AND 16 FROM s"), "t") == 0, "they gather");
    CHECK(strcmp(sql_value(c, "WITH d AS (SELECT u, skylark.autoscaling_next_due(u, now(), 60) AS due FROM "
                              "(SELECT gen_random_uuid() AS u FROM generate_series(1, 1000)) x) "
                              "SELECT max(abs(date_part('epoch', skylark.autoscaling_next_due(u, due + interval '30 s', 60) - due) - 60)) < 0.001 "
                              "FROM d"), "t") == 0, "the place moves");
}

/* --- the statement --- */

#define SERVICE "11111111-0000-4000-8000-000000000001"

/* A service of n instances that have run for an hour, each with the value in 12 samples 5 s apart, the last one now. */
static PGconn *with_auto(const char *settings, int n, double value)
{
    PGconn *c = sql_migrated();
    static const char *const steps[] = {
        "DELETE FROM skylark.services", "DELETE FROM skylark.autoscaling_decisions", "DELETE FROM skylark.metric_samples",
        "DELETE FROM skylark.events",
    };
    for (size_t i = 0; i < COUNT(steps); i++)
        CHECK(sql_run(c, "%s", steps[i])[0] == '\0', "%s: %s", steps[i], PQerrorMessage(c));
    sql_run(c, "BEGIN");
    CHECK(sql_run(c, "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by, scaling_mode, "
                     "target_num_instances) SELECT '" SERVICE "', id, 's', 'x', 'XS', 'demo', 'AUTO', %d FROM skylark.namespaces "
                     "WHERE name = 'demo'", n)[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "INSERT INTO skylark.autoscaling_settings (service_id, metric_name, upper_threshold, lower_threshold, "
                     "minimum_num_instances, maximum_num_instances) VALUES ('" SERVICE "', 'CPU_UTILIZATION', 0.6, 0.2, 1, 6)")[0] == '\0',
          "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "COMMIT")[0] == '\0', "%s", PQerrorMessage(c));
    if (settings[0] != '\0')
        CHECK(sql_run(c, "UPDATE skylark.autoscaling_settings SET %s", settings)[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "UPDATE skylark.service_status SET observed_revision = (SELECT revision FROM skylark.services), "
                     "observed_generation = 1, condition = 'settled'")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state, started_at) "
                     "SELECT ('2222222' || g || '-0000-1000-8000-000000000000')::uuid, '" SERVICE "', g, 1, 'e', g::text, 'running', now() - interval '1 hour' "
                     "FROM generate_series(0, %d) g", n - 1)[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "INSERT INTO skylark.metric_samples SELECT i.id, now() - g * interval '5 s', %.17g, 0.5, 100, 10 "
                     "FROM skylark.instances i, generate_series(0, 11) g", value)[0] == '\0', "%s", PQerrorMessage(c));
    return c;
}

/* For evaluate: the time of the pass before. What that pass put off is never due then, however slow the machine is. */
#define SAME_TIME -1.0

/* One pass by a connection of the autoscaler's own role, at now plus so many seconds. Returns "reason n" of the first row. */
static const char *evaluate_by(PGconn *c, double after, const char *heartbeat_ms)
{
    static char out[80], at[64];
    if (after >= 0)
        snprintf(at, sizeof at, "%s", sql_value(c, "SELECT clock_timestamp() + interval '%f s'", after));
    const char *params[AUTOSCALER_SERVICES_EVALUATE_P__MAX] = {
        [AUTOSCALER_SERVICES_EVALUATE_P_NOW] = at,
        [AUTOSCALER_SERVICES_EVALUATE_P_INTERVAL_MS] = "15000",
        [AUTOSCALER_SERVICES_EVALUATE_P_STALE_MS] = "30000",
        [AUTOSCALER_SERVICES_EVALUATE_P_HEARTBEAT_MS] = heartbeat_ms,
        [AUTOSCALER_SERVICES_EVALUATE_P_LIMIT] = "2048",
    };
    PGresult *r = sql_statement(c, &autoscaler_statements[AUTOSCALER_SERVICES_EVALUATE], params);
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        snprintf(out, sizeof out, "%.70s", PQresultErrorMessage(r));
    else if (PQntuples(r) == 0)
        snprintf(out, sizeof out, "nothing");
    else
        snprintf(out, sizeof out, "%s %s", db_text(r, 0, AUTOSCALER_SERVICES_EVALUATE_C_REASON),
                 db_text(r, 0, AUTOSCALER_SERVICES_EVALUATE_C_EVALUATIONS));
    PQclear(r);
    return out;
}

static const char *evaluate(double after)
{
    static PGconn *c;
    if (c == NULL)
        c = sql_connect("skylark_shared", "skylark_autoscaler");
    return evaluate_by(c, after, "3600000");
}

static void due_now(PGconn *c)
{
    CHECK(sql_run(c, "UPDATE skylark.autoscaling_queue SET due_at = now()")[0] == '\0', "%s", PQerrorMessage(c));
}

static void expect(const char *got, const char *expected, const char *what)
{
    CHECK(strcmp(got, expected) == 0, "%s: %s, not %s", what, got, expected);
}

static void test_action(void)
{
    PGconn *c = with_auto("", 2, 0.9);
    expect(evaluate(0), "scaled_up 1", "above");
    expect(sql_value(c, "SELECT target_num_instances || ' ' || (last_autoscaled_at > now() - interval '1 minute') FROM skylark.services"), "3 true", "the service");
    expect(sql_value(c, "SELECT reason || ' ' || target_before || ' ' || target_after || ' ' || samples || ' ' || running || ' ' || counted || ' ' || missing "
                        "FROM skylark.autoscaling_decisions"), "scaled_up 2 3 24 2 2 0", "the decision");
    expect(sql_value(c, "SELECT actor || ' ' || action FROM skylark.events ORDER BY id DESC"), "autoscaler scaled_up", "the event");
    expect(sql_value(c, "SELECT revision > 1 AND EXISTS (SELECT FROM skylark.wakes w WHERE w.service_id = s.id AND w.changed) FROM skylark.services s"), "t", "the deployer is woken");
    expect(sql_value(c, "SELECT last_autoscaled_at = acted_at AND acted_at = evaluated_at FROM skylark.services, skylark.autoscaling_queue"), "t", "the times");
    expect(evaluate(SAME_TIME), "nothing", "it is not due");
    /* The deployer has not looked yet; then the instance is asked for but does not run. */
    due_now(c);
    expect(evaluate(0), "updating 1", "before the deployer has seen it");
    sql_run(c, "UPDATE skylark.service_status SET observed_revision = (SELECT revision FROM skylark.services), condition = 'progressing'");
    due_now(c);
    expect(evaluate(0), "starting 1", "while the third one starts");
    sql_run(c, "UPDATE skylark.service_status SET condition = 'settled'");
    due_now(c);
    expect(evaluate(0), "waiting 1", "within wait_period");
    expect(sql_value(c, "SELECT due_at <= acted_at + interval '60 s' FROM skylark.autoscaling_queue"), "t", "looked at when the wait ends");
    /* What the action added ran 30 s after it: the wait before adding more begins there, that before taking away did not. */
    sql_run(c, "UPDATE skylark.autoscaling_queue SET acted_at = now() - interval '70 s', due_at = now()");
    sql_run(c, "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state, started_at) "
               "VALUES (gen_random_uuid(), '" SERVICE "', 9, 1, 'e', 'c', 'running', now() - interval '40 s')");
    expect(evaluate(0), "waiting 1", "the new one has run for 40 s");
    expect(sql_value(c, "SELECT due_at <= now() + interval '21 s' FROM skylark.autoscaling_queue"), "t", "looked at when that ends");
    sql_run(c, "UPDATE skylark.instances SET started_at = now() - interval '5 s', restarts = 1 WHERE slot = 9");
    due_now(c);
    expect(evaluate(0), "scaled_up 1", "one that starts again and again holds nothing up");
    sql_run(c, "UPDATE skylark.service_status SET observed_revision = (SELECT revision FROM skylark.services)");
    /* A user's own change of the count begins a wait as well, and stays. */
    CHECK(sql_run(c, "UPDATE skylark.services SET target_num_instances = 5")[0] == '\0', "%s", PQerrorMessage(c));
    expect(sql_value(c, "SELECT acted_at > now() - interval '5 s' AND due_at <= now() FROM skylark.autoscaling_queue"), "t", "a count by hand");
    expect(sql_value(c, "SELECT count(*) FROM skylark.autoscaling_decisions"), "5", "rows of decisions");
}

/* As many as the namespace's quotas leave room for, and the decision says so. */
static void test_quota(void)
{
    PGconn *c = with_auto("increase_delta = 3", 2, 0.9), *other = sql_connect("skylark_shared", NULL);
    sql_run(c, "INSERT INTO skylark.quotas SELECT id, 'instances', 4 FROM skylark.namespaces WHERE name = 'demo'");
    sql_run(other, "BEGIN");
    sql_run(other, "SELECT pg_advisory_xact_lock(skylark.quota_key(id)) FROM skylark.namespaces WHERE name = 'demo'");
    expect(evaluate(0), "overtaken 1", "while another transaction takes of the quotas");
    sql_run(other, "ROLLBACK");
    due_now(c);
    expect(evaluate(0), "scaled_to_quota 1", "four of five");
    expect(sql_value(c, "SELECT target_num_instances FROM skylark.services"), "4", "the count");
    expect(sql_value(c, "SELECT reason || ' ' || target_before || ' ' || target_after FROM skylark.autoscaling_decisions ORDER BY id DESC"),
           "scaled_to_quota 2 4", "the decision");
    c = with_auto("", 4, 0.9);
    expect(evaluate(0), "at_quota 1", "no room");
    expect(sql_value(c, "SELECT target_num_instances FROM skylark.services"), "4", "the count at the quota");
    CHECK(strstr(sql_value(c, "SELECT skylark.autoscaling_message(reason, metric_name, metric_stat, metric_value, upper_threshold, lower_threshold, "
                              "samples, running, counted, missing, target_before, target_after, wanted) FROM skylark.autoscaling_decisions"),
                 "quotas of the namespace allow no more than 4") != NULL, "the words");
    c = with_auto("", 4, 0.01);
    expect(evaluate(0), "scaled_down 1", "less is always allowed");
    sql_run(c, "DELETE FROM skylark.quotas WHERE namespace_id IS NOT NULL");
    PQfinish(other);
}

static void test_what_counts(void)
{
    PGconn *c = with_auto("", 2, 0.9);
    sql_run(c, "UPDATE skylark.instances SET started_at = now() - interval '59 s'");
    expect(evaluate(0), "starting 1", "both are younger than wait_period");
    c = with_auto("", 2, 0.9);
    sql_run(c, "UPDATE skylark.instances SET started_at = now() - interval '100 s' WHERE slot = 0");
    sql_run(c, "UPDATE skylark.metric_samples SET cpu_utilization = 0.01 WHERE instance_id = (SELECT id FROM skylark.instances WHERE slot = 1)");
    expect(evaluate(0), "within_band 1", "what was sampled when it was younger does not count");
    expect(sql_value(c, "SELECT samples FROM skylark.autoscaling_queue"), "20", "8 of 100 s less 60, and 12");
    c = with_auto("", 2, 0.1);
    sql_run(c, "DELETE FROM skylark.metric_samples WHERE instance_id = (SELECT id FROM skylark.instances WHERE slot = 1)");
    expect(evaluate(0), "no_data 1", "one is silent");
    expect(sql_value(c, "SELECT missing || ' ' || counted FROM skylark.autoscaling_queue"), "1 1", "counts");
    c = with_auto("", 2, 0.1);
    expect(evaluate(40), "no_data 1", "all samples are stale");
    c = with_auto("", 2, 0.1);
    sql_run(c, "UPDATE skylark.metric_samples SET cpu_utilization = 0.99 WHERE instance_id = (SELECT id FROM skylark.instances WHERE slot = 1)");
    sql_run(c, "UPDATE skylark.instances SET stop_requested_at = now() WHERE slot = 1");
    expect(evaluate(0), "scaled_down 1", "what is told to stop does not count");
    expect(sql_value(c, "SELECT running FROM skylark.autoscaling_queue"), "1", "nor as running");
    c = with_auto("", 2, 0.1);
    sql_run(c, "UPDATE skylark.services SET image_tag = 'other'");
    expect(evaluate(0), "updating 1", "a new generation");
    c = with_auto("metric_stat = 'MAX'", 2, 0.1);
    sql_run(c, "UPDATE skylark.metric_samples SET cpu_utilization = 0.7 WHERE ctid = (SELECT ctid FROM skylark.metric_samples LIMIT 1)");
    expect(evaluate(0), "scaled_up 1", "MAX: one sample is enough");
    c = with_auto("metric_stat = 'MIN'", 2, 0.9);
    sql_run(c, "UPDATE skylark.metric_samples SET cpu_utilization = 0.3 WHERE sampled_at = (SELECT max(sampled_at) FROM skylark.metric_samples)");
    expect(evaluate(0), "within_band 1", "MIN: one sample is enough");
    with_auto("metric_name = 'NETWORK_IN', upper_threshold = 99, lower_threshold = 1", 2, 0);
    expect(evaluate(0), "scaled_up 1", "NETWORK_IN");
    with_auto("metric_name = 'NETWORK_OUT', upper_threshold = 99, lower_threshold = 1", 2, 0);
    expect(evaluate(0), "within_band 1", "NETWORK_OUT");
    with_auto("metric_name = 'MEMORY_UTILIZATION'", 2, 0);
    expect(evaluate(0), "within_band 1", "MEMORY_UTILIZATION");
}

static void test_dry_run_and_window(void)
{
    PGconn *c = with_auto("dry_run = true", 2, 0.9);
    expect(evaluate(0), "dry_run 1", "a dry run");
    expect(sql_value(c, "SELECT target_num_instances || ' ' || (last_autoscaled_at IS NULL) FROM skylark.services"), "2 true", "changes nothing");
    expect(sql_value(c, "SELECT target_after || ' ' || wanted FROM skylark.autoscaling_decisions"), "2 3", "and says what it would do");
    c = with_auto("stabilization_window = 60, wait_period = 30", 4, 0.05);
    expect(evaluate(0), "stabilizing 1", "with no history the count itself stands for the window");
    due_now(c);
    expect(evaluate(1), "stabilizing 1", "and goes on doing so");
    c = with_auto("stabilization_window = 60, wait_period = 30", 4, 0.4);
    expect(evaluate(0), "within_band 1", "as many as there are");
    sql_run(c, "UPDATE skylark.metric_samples SET cpu_utilization = 0.05");
    due_now(c);
    expect(evaluate(1), "stabilizing 1", "the window still asks for 4");
    sql_run(c, "UPDATE skylark.metric_samples SET sampled_at = sampled_at + interval '31 s'");
    due_now(c);
    expect(evaluate(31), "stabilizing 1", "half way through it");
    sql_run(c, "UPDATE skylark.metric_samples SET sampled_at = sampled_at + interval '31 s'");
    due_now(c);
    expect(evaluate(62), "scaled_down 1", "the window is over");
    expect(sql_value(c, "SELECT recommended::text FROM skylark.autoscaling_queue"), "{3}", "what is kept of the window");
}

/* A row when the reason changes, and a heartbeat: not one a look. */
static void test_steady_state(void)
{
    PGconn *c = with_auto("", 2, 0.4), *own = sql_connect("skylark_shared", "skylark_autoscaler");
    for (int i = 0; i < 20; i++) {
        expect(evaluate_by(own, 0, "3600000"), "within_band 1", "steady");
        due_now(c);
    }
    expect(sql_value(c, "SELECT count(*) FROM skylark.autoscaling_decisions"), "1", "one row for twenty looks");
    expect(evaluate_by(own, 0.1, "50"), "within_band 1", "a heartbeat");
    expect(sql_value(c, "SELECT count(*) FROM skylark.autoscaling_decisions"), "2", "which is a row");
    PQfinish(own);
}

/* Whatever happens at the same time: no service is evaluated twice, none is waited for, none is changed behind a user's back. */
static void test_at_once(void)
{
    PGconn *c = with_auto("", 2, 0.9), *one = sql_connect("skylark_shared", "skylark_autoscaler");
    PGconn *two = sql_connect("skylark_shared", "skylark_autoscaler");
    sql_run(one, "BEGIN");
    expect(evaluate_by(one, 0, "3600000"), "scaled_up 1", "the first");
    expect(evaluate_by(two, 0, "3600000"), "nothing", "a second one beside it");
    sql_run(one, "COMMIT");
    expect(evaluate_by(two, SAME_TIME, "3600000"), "nothing", "and after it");
    expect(sql_value(c, "SELECT target_num_instances FROM skylark.services"), "3", "the count");
    /* Dead in the middle: as if it had never been. */
    with_auto("", 2, 0.9);
    sql_run(one, "BEGIN");
    expect(evaluate_by(one, 0, "3600000"), "scaled_up 1", "the first");
    PQfinish(one);
    expect(evaluate_by(two, 0, "3600000"), "scaled_up 1", "another takes over");
    expect(sql_value(c, "SELECT target_num_instances FROM skylark.services"), "3", "the count, once");
    /* A user is changing the service at this moment. */
    with_auto("", 2, 0.9);
    PGconn *user = sql_connect("skylark_shared", NULL);
    sql_run(user, "BEGIN");
    sql_run(user, "SELECT FROM skylark.services FOR UPDATE");
    expect(evaluate_by(two, 0, "3600000"), "overtaken 1", "a locked service");
    expect(sql_value(c, "SELECT target_num_instances || ' ' || (last_autoscaled_at IS NULL) FROM skylark.services"), "2 true", "is left alone");
    expect(sql_value(c, "SELECT due_at < evaluated_at + interval '1.1 s' FROM skylark.autoscaling_queue"), "t", "and looked at again");
    sql_run(user, "ROLLBACK");
    PQfinish(user);
    PQfinish(two);
}

/* Who is in the queue follows from what users want. */
static void test_queue(void)
{
    static const struct {
        const char *change, *queued;
    } rows[] = {
        {"UPDATE skylark.services SET scaling_mode = 'MANUAL'", "0"}, {"UPDATE skylark.services SET scaling_mode = 'AUTO'", "1"},
        {"UPDATE skylark.services SET target_state = 'STOPPED'", "0"}, {"UPDATE skylark.services SET target_state = 'STARTED'", "1"},
        {"UPDATE skylark.services SET scaling_mode = 'MANUAL'", "0"}, {"DELETE FROM skylark.autoscaling_settings", "0"},
        {"BEGIN; UPDATE skylark.services SET scaling_mode = 'AUTO'; INSERT INTO skylark.autoscaling_settings (service_id, metric_name, upper_threshold, lower_threshold, minimum_num_instances, "
         "maximum_num_instances) VALUES ('" SERVICE "', 'CPU_UTILIZATION', 0.6, 0.2, 1, 6); COMMIT", "1"},
        {"UPDATE skylark.services SET deleted_at = now()", "0"},
    };
    PGconn *c = with_auto("", 2, 0.4);
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK(sql_run(c, "%s", rows[i].change)[0] == '\0', "%s: %s", rows[i].change, PQerrorMessage(c));
        expect(sql_value(c, "SELECT count(*) FROM skylark.autoscaling_queue WHERE due_at <= now()"), rows[i].queued, rows[i].change);
        expect(sql_value(c, "SELECT target_num_instances FROM skylark.services"), "2", "the count stays");
    }
    /* Over to MANUAL and back is no way around a waiting period. */
    with_auto("", 2, 0.9);
    expect(evaluate(0), "scaled_up 1", "above");
    sql_run(c, "UPDATE skylark.services SET scaling_mode = 'MANUAL'");
    expect(evaluate(0), "nothing", "in MANUAL nothing is due");
    sql_run(c, "UPDATE skylark.services SET scaling_mode = 'AUTO'");
    sql_run(c, "UPDATE skylark.service_status SET observed_revision = (SELECT revision FROM skylark.services)");
    expect(evaluate(0), "waiting 1", "the wait goes on");
    with_auto("", 2, 0.4);
    evaluate(0);
    expect(sql_value(c, "SELECT due_at > now() FROM skylark.autoscaling_queue"), "t", "evaluated");
    sql_run(c, "UPDATE skylark.autoscaling_settings SET maximum_num_instances = 1");
    expect(evaluate(0), "above_maximum 1", "a changed threshold is looked at at once");
    expect(sql_value(c, "SELECT target_num_instances FROM skylark.services"), "1", "the count");
}

/* NaN and infinities are no thresholds, however they come in. */
static void test_figures_refused(void)
{
    static const char *const values[] = {"NaN", "Infinity", "-Infinity", "-1", "1e16"};
    PGconn *c = with_auto("metric_name = 'NETWORK_IN'", 1, 0.4);
    for (size_t i = 0; i < COUNT(values); i++) {
        expect(sql_run(c, "UPDATE skylark.autoscaling_settings SET upper_threshold = '%s'", values[i]), "23514", values[i]);
        expect(sql_run(c, "UPDATE skylark.autoscaling_settings SET lower_threshold = '%s'", values[i]), "23514", values[i]);
    }
    expect(sql_run(c, "INSERT INTO skylark.metric_samples VALUES (gen_random_uuid(), now(), 'NaN', 0, 0, 0)"), "23514", "a sample");
    expect(sql_run(c, "INSERT INTO skylark.metric_samples VALUES (gen_random_uuid(), now(), 1.01, 0, 0, 0)"), "23514", "a sample");
    expect(sql_run(c, "INSERT INTO skylark.metric_samples VALUES (gen_random_uuid(), now(), 0, 0, -1, 0)"), "23514", "a sample");
}

const struct check_test tests_autoscaling[] = {
    {"every decision", test_decisions},
    {"due times are spread", test_due_times},
    {"an action", test_action},
    {"as many as the quotas allow", test_quota}, {"what counts", test_what_counts},
    {"dry run and stabilization", test_dry_run_and_window},
    {"steady state", test_steady_state},
    {"two at once", test_at_once},
    {"who is in the queue", test_queue},
    {"figures that are refused", test_figures_refused},
    {NULL, NULL},
};
