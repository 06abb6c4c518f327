/* Services whose instances burn CPU or fill memory when told: up to the maximum and back, each step seen on the engine and in the
 * decisions. With short periods: two samples a second, a wait_period of 3 s. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/e2e.h"
#include "tests/lib/orders.h"

#define WAIT_PERIOD 3
/* The band is 0.1 to 0.3. Told to do nothing, an instance sleeps (0.00 of its CPU, 0.02 of its memory); told to, it fills 0.69 of its
 * memory and uses all the CPU that it gets: a third of its limit is enough. */
#define LOWER 0.1
#define UPPER 0.3

static bool loaded_create(const char *name, const char *metric, const char *more)
{
    char fields[1024];
    snprintf(fields, sizeof fields,
             ",\"run_command\":\"/bin/obey\",\"instance_envvars\":{\"LOAD\":\"%s %s\"},\"scaling_mode\":\"AUTO\","
             "\"autoscaling_config\":{\"metric_name\":\"%s\",\"metric_stat\":\"MEAN\",\"upper_threshold\":\"0.3\",\"lower_threshold\":\"0.1\","
             "\"increase_delta\":\"1\",\"decrease_delta\":\"1\",\"minimum_num_instances\":\"1\",\"maximum_num_instances\":\"4\","
             "\"wait_period\":\"%d\"%s}",
             world.orders, name, metric, WAIT_PERIOD, more);
    orders_tell(name, "nothing");
    return service_create(name, "v1", 1, fields);
}

/* Waits until the autoscaling document's latest reason is that. */
static bool decides(const char *name, const char *reason, double seconds)
{
    char last[1024] = "";
    for (double end = 0; world_waiting(&end, seconds);) {
        struct answer a = api("GET", NULL, "/v1/services/madams/%s/autoscaling/", name);
        bool says = strcmp(doc_text(a.json, "current.reason"), reason) == 0;
        snprintf(last, sizeof last, "%.1000s", a.raw.body);
        api_free(&a);
        if (says)
            return true;
    }
    return CHECK(false, "%s does not say %s within %.0f s: %s", name, reason, seconds, last);
}

/* The actions, newest first: each goes on from where the one before it ended, one instance at a time, wait_period apart. */
static void check_steps(const char *name, int up, int down)
{
    struct answer a = api("GET", NULL, "/v1/services/madams/%s/autoscaling/?limit=1000", name);
    int seen_up = 0, seen_down = 0;
    int64_t after = -1;
    char all[4096] = "";
    size_t n = 0;
    for (int64_t i = 0; i < doc_len(a.json, "decisions"); i++) {
        struct json_object *d = json_object_array_get_idx(doc_at(a.json, "decisions"), (size_t)i);
        int64_t from = doc_int(d, "num_instances_before"), to = doc_int(d, "num_instances_after");
        if (n < sizeof all - 200)
            n += (size_t)snprintf(all + n, sizeof all - n, "%s %s %lld>%lld: %.100s\n", doc_text(d, "time"), doc_text(d, "reason"),
                                  (long long)from, (long long)to, doc_text(d, "message"));
        if (from == to)
            continue;
        bool rises = to == from + 1;
        CHECK((rises && strcmp(doc_text(d, "reason"), "scaled_up") == 0 && json_object_get_double(doc_at(d, "metric_value")) > UPPER) ||
                  (to == from - 1 && strcmp(doc_text(d, "reason"), "scaled_down") == 0 &&
                   json_object_get_double(doc_at(d, "metric_value")) < LOWER),
              "%s", json_object_to_json_string(d));
        CHECK(after < 0 || to == after, "a step is missing before %s", json_object_to_json_string(d));
        after = from;
        seen_up += rises;
        seen_down += !rises;
    }
    CHECK(seen_up == up && seen_down == down, "%s: %d up, %d down:\n%s", name, seen_up, seen_down, all);
    api_free(&a);
    char *closest = world_sql("SELECT COALESCE(min(date_part('epoch', d.decided_at - d.previous)), 1e9) FROM (SELECT decided_at, lag(decided_at) "
                              "OVER (ORDER BY d.id) AS previous FROM skylark.autoscaling_decisions d JOIN skylark.services s ON s.id = d.service_id "
                              "WHERE s.name = '%s' AND s.deleted_at IS NULL AND target_before <> target_after) d", name);
    CHECK(atof(closest) >= WAIT_PERIOD, "%s: actions %s s apart", name, closest);
    free(closest);
}

/* The largest value of a series of the last minutes, and whether every value is a fraction. */
static double series_most(const char *name, const char *metric)
{
    struct answer a = api("GET", NULL, "/v1/services/madams/%s/metrics/?metric_name=%s&metric_stat=MAX&period=5", name, metric);
    double most = -1;
    for (int64_t i = 0; i < doc_len(a.json, "points"); i++) {
        struct json_object *value = doc_at(json_object_array_get_idx(doc_at(a.json, "points"), (size_t)i), "value");
        if (value == NULL)
            continue;
        double v = json_object_get_double(value);
        CHECK(v >= 0 && (strncmp(metric, "NETWORK", 7) == 0 || v <= 1), "%s: %f", metric, v);
        most = v > most ? v : most;
    }
    CHECK(a.status == 200, "%ld %.300s", a.status, a.raw.body);
    api_free(&a);
    return most;
}

/* Waits until there are so many more samples of the service's instances. */
static void samples_go_on(const char *name, int samples)
{
    char sql[500];
    int64_t now = 0;
    snprintf(sql, sizeof sql, "SELECT count(*) FROM skylark.metric_samples m JOIN skylark.instances i ON i.id = m.instance_id "
             "JOIN skylark.services s ON s.id = i.service_id WHERE s.name = '%s' AND s.deleted_at IS NULL", name);
    int64_t before = world_sql_number(sql);
    for (double end = 0; (now = world_sql_number(sql)) < before + samples && world_waiting(&end, 40);)
        ;
    CHECK(now >= before + samples, "%s: %lld samples, then %lld", name, (long long)before, (long long)now);
}

/* Both at the same time, to save time. */
static void test_up_and_down(void)
{
    if (!loaded_create("burn", "CPU_UTILIZATION", "") || !loaded_create("fill", "MEMORY_UTILIZATION", ""))
        return;
    service_runs("madams", "burn", 1, 60);
    service_runs("madams", "fill", 1, 60);
    decides("burn", "at_minimum", 40);
    decides("fill", "at_minimum", 40);
    orders_tell("burn", "cpu");
    orders_tell("fill", "memory");
    service_runs("madams", "burn", 4, 120);
    service_runs("madams", "fill", 4, 120);
    decides("burn", "at_maximum", 60);
    decides("fill", "at_maximum", 60);
    check_steps("burn", 3, 0);
    check_steps("fill", 3, 0);
    orders_tell("burn", "nothing");
    orders_tell("fill", "nothing");
    service_runs("madams", "burn", 1, 150);
    service_runs("madams", "fill", 1, 150);
    decides("burn", "at_minimum", 40);
    decides("fill", "at_minimum", 40);
    check_steps("burn", 3, 3);
    check_steps("fill", 3, 3);
    CHECK(series_most("burn", "CPU_UTILIZATION") > UPPER, "the load is in the series");
    CHECK(series_most("fill", "MEMORY_UTILIZATION") > 0.6, "the load is in the series");
    CHECK(series_most("burn", "NETWORK_IN") > 0, "asking for what to do is traffic");
    struct answer a = api("GET", NULL, "/v1/services/madams/burn/");
    CHECK(doc_text(a.json, "last_autoscaled_at")[0] != '\0', "%s", a.raw.body);
    api_free(&a);
    int64_t events = world_sql_number("SELECT count(*) FROM skylark.events WHERE service_name IN ('burn', 'fill') AND actor = 'autoscaler'");
    CHECK(events == 12, "%lld events of the autoscaler", (long long)events);
}

/* Page cache is not memory in use; and a dry run changes nothing. */
static void test_page_cache_and_dry_run(void)
{
    orders_tell("fill", "file");
    /* 44 of 64 MiB: with the cache counted it would be well above the band. The engine counts it. */
    int64_t used = 0;
    for (double end = 0; used < 40 << 20 && world_waiting(&end, 30);) {
        struct engine_container c;
        struct json_object *stats = NULL;
        if (engine_find("fill", -1, &c))
            engine_call("GET", NULL, &stats, "/containers/%s/stats?stream=false&one-shot=true", c.id);
        used = doc_int(stats, "memory_stats.usage");
        json_object_put(stats);
    }
    CHECK(used > 40 << 20, "the page cache does not grow: %lld", (long long)used);
    samples_go_on("fill", 4);
    char *memory = world_sql("SELECT m.memory_utilization FROM skylark.metrics_overview m WHERE m.instance LIKE 'fill.%%'");
    CHECK(atof(memory) > 0 && atof(memory) < LOWER, "memory in use: %s", memory);
    free(memory);
    CHECK(api_status("PUT", "{\"autoscaling_config\":{\"metric_name\":\"CPU_UTILIZATION\",\"upper_threshold\":0.25,\"lower_threshold\":0.1,"
                            "\"minimum_num_instances\":1,\"maximum_num_instances\":4,\"wait_period\":3,\"dry_run\":true}}",
                     "/v1/services/madams/burn/") == 200, "a dry run");
    orders_tell("burn", "cpu");
    decides("burn", "dry_run", 40);
    CHECK(engine_containers("madams", "burn", false, NULL) == 1, "a dry run has changed the count");
    /* Over to MANUAL and back: the count stays. */
    CHECK(api_status("PUT", "{\"scaling_mode\":\"MANUAL\",\"target_num_instances\":2}", "/v1/services/madams/burn/") == 200, "to MANUAL");
    service_runs("madams", "burn", 2, 30);
    CHECK(api_status("PUT", "{\"scaling_mode\":\"AUTO\"}", "/v1/services/madams/burn/") == 200, "to AUTO");
    service_runs("madams", "burn", 2, 30);
}

/* Restarted by hand, counters begin anew: no rate is negative, and none absurd. */
static void test_restarted_counters(void)
{
    CHECK(api_status("PUT", "{\"scaling_mode\":\"MANUAL\",\"target_num_instances\":1}", "/v1/services/madams/burn/") == 200, "to MANUAL");
    service_runs("madams", "burn", 1, 30);
    struct engine_container c;
    REQUIRE(engine_find("burn", -1, &c), "burn does not run");
    CHECK(engine_call("POST", NULL, NULL, "/containers/%s/restart?t=1", c.id) == 204, "not restarted");
    samples_go_on("burn", 5);
    CHECK(world_sql_number("SELECT count(*) FROM skylark.metric_samples WHERE cpu_utilization NOT BETWEEN 0 AND 1 OR network_in < 0 "
                           "OR network_in > 1e8 OR network_out NOT BETWEEN 0 AND 1e8") == 0, "absurd rates");
    service_delete("burn");
    service_delete("fill");
}

const struct check_test tests_autoscaling[] = {
    {"CPU and memory: to 4 under load, back to 1 after it", test_up_and_down},
    {"page cache, a dry run, and modes", test_page_cache_and_dry_run},
    {"counters that begin anew", test_restarted_counters},
    {0},
};
