/* What the API says of scaling: settings beyond the seed, the autoscaling document, series, and counts set by hand. The rows that it
 * reads are put there by the schema's owner, so that every figure is known. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/http/suites.h"
#include "tests/lib/api.h"
#include "tests/lib/world.h"

#define CONFIG "\"metric_name\":\"CPU_UTILIZATION\",\"upper_threshold\":\"0.6\",\"lower_threshold\":0.2,\"minimum_num_instances\":\"1\"," \
               "\"maximum_num_instances\":4,\"wait_period\":\"3600\""
#define PLACE "/v1/services/madams/scaled"
#define SERVICE_ID "(SELECT s.id FROM skylark.services s WHERE s.name = 'scaled' AND s.deleted_at IS NULL)"
#define INSTANCE "33333333-0000-1000-8000-000000000000"
#define START 1700000040L /* a multiple of 60 */

static void create(const char *mode, const char *config)
{
    char body[1024];
    snprintf(body, sizeof body,
             "{\"service_name\":\"scaled\",\"image_name\":\"localhost/none\",\"target_state\":\"STOPPED\",\"target_num_instances\":2,"
             "\"scaling_mode\":\"%s\",\"autoscaling_config\":{%s}}", mode, config);
    struct answer a = api("POST", body, "/v1/services/madams/");
    CHECK(a.status == 201, "%ld %s", a.status, a.raw.body);
    api_free(&a);
}

static void remove_it(void)
{
    CHECK(api_status("DELETE", NULL, PLACE "/") == 204, "delete");
    for (double end = 0; world_waiting(&end, 20);) {
        if (world_sql_number("SELECT count(*) FROM skylark.services WHERE name = 'scaled'") == 0)
            return;
    }
    CHECK(false, "it stays");
}

/* The later keys come back when they were set, in their types, and only then. */
static void test_settings(void)
{
    create("MANUAL", CONFIG);
    struct answer a = api("GET", NULL, PLACE "/");
    struct json_object *config = json_tokener_parse(doc_text(a.json, "autoscaling_config"));
    CHECK(json_object_object_length(config) == 9, "the seed's nine keys: %s", doc_text(a.json, "autoscaling_config"));
    json_object_put(config);
    api_free(&a);
    a = api("PUT", "{\"autoscaling_config\":{" CONFIG ",\"scale_up_wait_period\":\"30\",\"scale_down_wait_period\":600,"
                   "\"stabilization_window\":\"900\",\"dry_run\":\"true\"}}", PLACE "/");
    config = json_tokener_parse(doc_text(a.json, "autoscaling_config"));
    CHECK(a.status == 200 && doc_int(config, "scale_up_wait_period") == 30 && doc_int(config, "scale_down_wait_period") == 600 &&
              doc_int(config, "stabilization_window") == 900 && json_object_get_boolean(doc_at(config, "dry_run")),
          "%ld %s", a.status, doc_text(a.json, "autoscaling_config"));
    json_object_put(config);
    api_free(&a);
    a = api("PUT", "{\"autoscaling_config\":{" CONFIG ",\"scale_up_wait_period\":0,\"scale_down_wait_period\":86401,"
                   "\"stabilization_window\":-1,\"dry_run\":1}}", PLACE "/");
    CHECK(a.status == 400 && doc_names(a.json, "autoscaling_config.scale_up_wait_period autoscaling_config.scale_down_wait_period "
                                               "autoscaling_config.stabilization_window autoscaling_config.dry_run"),
          "%ld %s", a.status, a.raw.body);
    api_free(&a);
    remove_it();
}

/* A count by hand: within the range it is taken, beyond it is a conflict that says what to do; and modes keep the count. */
static void test_count_by_hand(void)
{
    static const struct {
        const char *body;
        long status;
        int64_t count;
    } rows[] = {
        {"{\"target_num_instances\":4}", 200, 4}, {"{\"target_num_instances\":5}", 409, 4}, {"{\"target_num_instances\":0}", 409, 4},
        {"{\"target_num_instances\":\"1\"}", 200, 1},
        {"{\"target_num_instances\":6,\"scaling_mode\":\"MANUAL\"}", 200, 6}, {"{\"scaling_mode\":\"AUTO\"}", 200, 6},
        {"{\"scaling_mode\":\"MANUAL\"}", 200, 6},
        {"{\"scaling_mode\":\"AUTO\",\"target_num_instances\":0}", 409, 6},
        {"{\"scaling_mode\":\"AUTO\",\"target_num_instances\":0,\"autoscaling_config\":{\"metric_name\":\"CPU_UTILIZATION\","
         "\"upper_threshold\":0.6,\"lower_threshold\":0.2,\"minimum_num_instances\":0,\"maximum_num_instances\":4}}", 200, 0},
        {"{\"target_num_instances\":2}", 200, 2},
    };
    create("AUTO", CONFIG);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer a = api("PUT", rows[i].body, PLACE "/");
        CHECK(a.status == rows[i].status, "%s: %ld %s", rows[i].body, a.status, a.raw.body);
        if (a.status == 409) {
            check_problem(&a, 409, rows[i].body);
            CHECK(strstr(doc_text(a.json, "detail"), "between 1 and 4") != NULL && strstr(doc_text(a.json, "detail"), "MANUAL") != NULL,
                  "%s", a.raw.body);
        }
        api_free(&a);
        a = api("GET", NULL, PLACE "/");
        CHECK(doc_int(a.json, "target_num_instances") == rows[i].count, "%s: %s", rows[i].body, a.raw.body);
        api_free(&a);
    }
    remove_it();
}

static void test_document(void)
{
    create("AUTO", CONFIG ",\"scale_down_wait_period\":7200");
    struct answer a = api("GET", NULL, PLACE "/autoscaling/");
    CHECK(a.status == 200 && strcmp(doc_text(a.json, "scaling_mode"), "AUTO") == 0 && doc_at(a.json, "current") == NULL &&
              doc_len(a.json, "decisions") == 0 && doc_at(a.json, "next_evaluation_at") == NULL,
          "a stopped service is not looked at: %ld %s", a.status, a.raw.body);
    CHECK(doc_int(a.json, "settings.scale_up_wait_period") == 3600 && doc_int(a.json, "settings.scale_down_wait_period") == 7200 &&
              !json_object_get_boolean(doc_at(a.json, "settings.dry_run")), "settings in force: %s", a.raw.body);
    api_free(&a);
    /* Started, it is looked at within moments. */
    CHECK(api_status("PUT", NULL, PLACE "/start/") == 200, "start");
    bool seen = false;
    for (double end = 0; !seen && world_waiting(&end, 15);) {
        a = api("GET", NULL, PLACE "/autoscaling");
        const char *reason = doc_text(a.json, "current.reason");
        seen = strcmp(reason, "updating") == 0 || strcmp(reason, "starting") == 0;
        if (seen)
            CHECK(doc_text(a.json, "current.message")[0] != '\0' && doc_text(a.json, "next_evaluation_at")[0] != '\0' &&
                      doc_len(a.json, "decisions") >= 1 && strcmp(doc_text(a.json, "decisions[0].reason"), reason) == 0 &&
                      doc_int(a.json, "decisions[0].num_instances_after") == 2, "%s", a.raw.body);
        api_free(&a);
    }
    CHECK(seen, "not looked at within 15 s");
    free(world_sql("INSERT INTO skylark.autoscaling_decisions (service_id, decided_at, reason, metric_name, metric_stat, metric_value, upper_threshold, "
                   "lower_threshold, samples, running, counted, missing, target_before, target_after, wanted) SELECT " SERVICE_ID ", now(), "
                   "'scaled_up', 'CPU_UTILIZATION', 'MEAN', 0.75, 0.6, 0.2, 24, 2, 2, 0, 2, 3, 3 FROM generate_series(1, 30)"));
    a = api("GET", NULL, PLACE "/autoscaling/");
    CHECK(doc_len(a.json, "decisions") == 20 && doc_int(a.json, "decisions[0].num_instances_before") == 2 &&
              doc_int(a.json, "decisions[0].num_instances_after") == 3 && doc_int(a.json, "decisions[0].samples") == 24 &&
              strcmp(doc_text(a.json, "decisions[0].message"), "MEAN of CPU_UTILIZATION was 0.75 (24 samples of 2 of 2 instances; band 0.2 "
                     "to 0.6). Above the band: from 2 to 3 instances.") == 0, "%s", a.raw.body);
    api_free(&a);
    a = api("GET", NULL, PLACE "/autoscaling/?limit=25");
    CHECK(doc_len(a.json, "decisions") == 25, "%s", a.raw.body);
    api_free(&a);
    a = api("GET", NULL, PLACE "/autoscaling/?limit=0&since=1");
    CHECK(a.status == 400 && doc_names(a.json, "limit since"), "%ld %s", a.status, a.raw.body);
    api_free(&a);
    CHECK(api_status("GET", NULL, "/v1/services/madams/no-such/autoscaling/") == 404, "no such service");
    remove_it();
}

static void check_points(const char *query, const char *expected)
{
    struct answer a = api("GET", NULL, PLACE "/metrics/?start_time=%ld&end_time=%ld%s", START, START + 60, query);
    char got[512] = "";
    size_t n = 0;
    for (int64_t i = 0; i < doc_len(a.json, "points"); i++) {
        struct json_object *p = json_object_array_get_idx(doc_at(a.json, "points"), (size_t)i), *value = doc_at(p, "value");
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%lld:%s/%lld", i > 0 ? " " : "", (long long)(doc_int(p, "time") - START),
                              value != NULL ? json_object_to_json_string(value) : "-", (long long)doc_int(p, "samples"));
    }
    CHECK(a.status == 200 && strcmp(got, expected) == 0, "%s: %ld %s, not %s: %s", query, a.status, got, expected, a.raw.body);
    api_free(&a);
}

static void test_series(void)
{
    create("MANUAL", CONFIG);
    free(world_sql("INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, state, removed_at) "
                   "SELECT ('3333333' || g || '-0000-1000-8000-000000000000')::uuid, " SERVICE_ID ", g, 1, 'e', 'removed', now() "
                   "FROM generate_series(3, 4) g"));
    free(world_sql("INSERT INTO skylark.metric_samples SELECT i.id, to_timestamp(%ld + t), 0.125 * i.slot + t / 128, 0.5, 1000 * t, 7 "
                   "FROM skylark.instances i, (VALUES (0), (10), (19.5), (40)) AS x (t) WHERE i.service_id = " SERVICE_ID, START));
    check_points("&period=20&metric_stat=MAX&metric_name=NETWORK_IN", "0:19500/6 20:-/0 40:40000/2");
    check_points("&period=20&metric_stat=MIN", "0:0.375/6 20:-/0 40:0.6875/2");
    check_points("&period=20&metric_name=MEMORY_UTILIZATION", "0:0.5/6 20:-/0 40:0.5/2");
    check_points("&period=60&metric_name=NETWORK_OUT", "0:7/8");
    check_points("&period=7", "-4:0.4375/2 3:-/0 10:0.515625/2 17:0.58984375/2 24:-/0 31:-/0 38:0.75/2 45:-/0 52:-/0 59:-/0");
    struct answer a = api("GET", NULL, PLACE "/instances/" INSTANCE "/metrics/?start_time=%ld&end_time=%ld&period=60", START, START + 60);
    CHECK(a.status == 200 && doc_len(a.json, "points") == 1 && doc_int(a.json, "points[0].samples") == 4, "%ld %s", a.status, a.raw.body);
    CHECK(strcmp(doc_text(a.json, "metric_name"), "CPU_UTILIZATION") == 0 && strcmp(doc_text(a.json, "metric_stat"), "MEAN") == 0 &&
              strcmp(doc_text(a.json, "unit"), "fraction of the limit") == 0 && doc_int(a.json, "period") == 60 &&
              doc_int(a.json, "start_time") == START && doc_int(a.json, "end_time") == START + 60, "%s", a.raw.body);
    api_free(&a);
    a = api("GET", NULL, PLACE "/metrics");
    CHECK(a.status == 200 && doc_int(a.json, "period") == 15 && doc_len(a.json, "points") >= 240, "the last hour: %ld %.300s", a.status, a.raw.body);
    api_free(&a);
    CHECK(api_status("GET", NULL, PLACE "/instances/44444444-0000-1000-8000-000000000000/metrics/") == 404, "no such instance");
    CHECK(api_status("GET", NULL, PLACE "/instances/x/metrics/") == 404, "no instance");
    CHECK(api_status("GET", NULL, "/v1/services/madams/no-such/metrics/") == 404, "no such service");
    remove_it();
}

/* The form of 2015: a table, newest first, a point for each period in which there are samples. */
#define SAMPLED "36333333-0000-1000-8000-000000000000"
static void test_points(void)
{
    static const struct {
        const char *query, *points;
    } rows[] = {
        {"start_time=1700000040&end_time=1700000099&point_per_period=1m", "[59,0,4000,37.5,350,50,40,4,400,44]"},
        {"start_time=1700000040&end_time=1700000100&point_per_period=1m",
         "[60,0,5000,100,500,50,50,5,500,55] [59,0,4000,37.5,350,50,40,4,400,44]"},
        {"start_time=1700000040&end_time=1700000050&point_per_period=1s", "[10,0,3000,25,300,50,30,3,300,33] "
         "[0,0,2000,25,200,50,20,2,200,22]"},
        {"start_time=2023-11-14T22:14:01Z&end_time=2023-11-14T22:14:02Z&point_per_period=5m", ""},
        {"start_time=1700000000&end_time=1700003600&point_per_period=30d",
         "[60,0,5000,53.125,388,50,50,5,500,55]"},
    };
    static const char columns[] = "[\"time\",\"sequence_number\",\"cpu_cumulative_usage\",\"cpu_utilization\",\"memory_usage\","
                                  "\"memory_utilization\",\"rx_bytes\",\"rx_errors\",\"tx_bytes\",\"tx_errors\"]";
    create("MANUAL", CONFIG);
    free(world_sql("INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, state, removed_at) "
                   "VALUES ('" SAMPLED "', " SERVICE_ID ", 0, 1, 'e', 'removed', now())"));
    free(world_sql("INSERT INTO skylark.metric_samples (instance_id, sampled_at, cpu_utilization, memory_utilization, network_in, network_out, "
                   "cpu_ns, memory_bytes, received_bytes, received_errors, sent_bytes, sent_errors) "
                   "SELECT '" SAMPLED "', to_timestamp(%ld + x.t), x.cpu, 0.5, 0, 0, 1000 * n, 100 * n, 10 * n, n, 100 * n, 11 * n "
                   "FROM (VALUES (2, 0.3, 0.25), (3, 10.9, 0.25), (4, 59.999, 0.625), (5, 60, 1)) AS x (n, t, cpu)", START));
    free(world_sql("UPDATE skylark.metric_samples SET memory_bytes = 550 WHERE instance_id = '" SAMPLED "' AND cpu_ns = 4000"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer a = api("GET", NULL, PLACE "/instances/" SAMPLED "/metrics?%s", rows[i].query);
        char got[512] = "";
        size_t n = 0;
        for (int64_t k = 0; k < doc_len(a.json, "points"); k++) {
            struct json_object *p = json_object_array_get_idx(doc_at(a.json, "points"), (size_t)k);
            json_object_array_put_idx(p, 0, json_object_new_int64(json_object_get_int64(json_object_array_get_idx(p, 0)) - START));
            n += (size_t)snprintf(got + n, sizeof got - n, "%s%s", k > 0 ? " " : "", json_object_to_json_string_ext(p, JSON_C_TO_STRING_PLAIN));
        }
        CHECK(a.status == 200 && strcmp(got, rows[i].points) == 0, "%s: %ld %s, not %s", rows[i].query, a.status, got, rows[i].points);
        CHECK(strcmp(json_object_to_json_string_ext(doc_at(a.json, "columns"), JSON_C_TO_STRING_PLAIN), columns) == 0, "%s", a.raw.body);
        CHECK(strncmp(doc_text(a.json, "name"), "stats.", 6) == 0 &&
                  strcmp(doc_text(a.json, "name") + 6 + 36 + 1, "36333333_0000_1000_8000_000000000000") == 0, "%s", a.raw.body);
        api_free(&a);
    }
    /* What is not known is not made up. */
    free(world_sql("UPDATE skylark.metric_samples SET cpu_ns = NULL, memory_bytes = NULL WHERE instance_id = '" SAMPLED "'"));
    struct answer a = api("GET", NULL, PLACE "/instances/" SAMPLED "/metrics?start_time=%ld&end_time=%ld&point_per_period=1h", START, START + 60);
    CHECK(doc_len(a.json, "points") == 1 && doc_at(a.json, "points[0][2]") == NULL && doc_at(a.json, "points[0][4]") == NULL, "%s", a.raw.body);
    api_free(&a);
    static const struct {
        const char *query, *names;
    } refused[] = {
        {"point_per_period=2m", "point_per_period"}, {"point_per_period=", "point_per_period"},
        {"point_per_period=1m&period=60&metric_name=NETWORK_IN", "period metric_name"},
        {"point_per_period=1m&start_time=1700000001&end_time=1700000000", "start_time"},
        {"point_per_period=1s&start_time=1700000000&end_time=1700100000", "point_per_period"},
        {"point_per_period=1m&start_time=x&end_time=-1", "start_time end_time"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        a = api("GET", NULL, PLACE "/instances/" SAMPLED "/metrics/?%s", refused[i].query);
        check_problem(&a, 400, refused[i].query);
        CHECK(doc_names(a.json, refused[i].names), "%s: %s", refused[i].query, a.raw.body);
        api_free(&a);
    }
    CHECK(api_status("GET", NULL, PLACE "/instances/44444444-0000-1000-8000-000000000000/metrics?point_per_period=1m") == 404, "no such instance");
    CHECK(api_status("GET", NULL, PLACE "/instances/x/metrics?point_per_period=1m") == 404, "no instance");
    remove_it();
}

static void test_series_refused(void)
{
    static const struct {
        const char *query, *names;
    } rows[] = {
        {"metric_name=LOAD&metric_stat=MEDIAN&period=0&start_time=x&end_time=y&color=red",
         "metric_name metric_stat period start_time end_time color"},
        {"metric_name=&metric_stat=mean", "metric_name metric_stat"}, {"start_time=1700000000&end_time=1700000000", "start_time"},
        {"start_time=1700000001&end_time=1700000000", "start_time"}, {"start_time=1700000000&end_time=1700100000&period=1", "period"},
        {"period=86401", "period"}, {"period=1.5", "period"}, {"period=NaN", "period"},
    };
    create("MANUAL", CONFIG);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer a = api("GET", NULL, PLACE "/metrics/?%s", rows[i].query);
        check_problem(&a, 400, rows[i].query);
        CHECK(doc_names(a.json, rows[i].names), "%s: %s", rows[i].query, a.raw.body);
        api_free(&a);
    }
    remove_it();
}

/* Every process shows its figures, in Prometheus' format. */
static void test_figures(void)
{
    static const struct {
        int port;
        const char *figures[4];
    } rows[] = {
        {9180, {"skylark_http_requests_total{", "skylark_http_request_duration_seconds_bucket{", NULL}},
        {9181, {"skylark_deployer_passes_total", "skylark_deployer_pass_failures_total", "skylark_deployer_instances{state=\"running\"}", NULL}},
        {9182, {"skylark_collector_log_lines_total", "skylark_collector_log_lag_seconds", "skylark_collector_samples_total", NULL}},
        {9183, {"skylark_autoscaler_evaluations_total{reason=\"within_band\"}", "skylark_autoscaler_lag_seconds", NULL}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char base[40];
        snprintf(base, sizeof base, "http://127.0.0.1:%d", rows[i].port);
        struct answer a = api_call(&(struct http_call){.base = base, .path = "/metrics"});
        CHECK(a.status == 200, "%d: %ld %s", rows[i].port, a.status, a.raw.error);
        for (int k = 0; rows[i].figures[k] != NULL; k++) {
            const char *at = strstr(a.raw.body, rows[i].figures[k]);
            CHECK(at != NULL && (at == a.raw.body || at[-1] == '\n' || at[-1] == ' '), "%d has no %s", rows[i].port, rows[i].figures[k]);
        }
        api_free(&a);
        if (rows[i].port == 9180)
            continue;
        a = api_call(&(struct http_call){.base = base, .path = "/"});
        CHECK(a.status == 404, "%d: / answers %ld", rows[i].port, a.status);
        api_free(&a);
        a = api_call(&(struct http_call){.base = base, .path = "/metrics", .method = "POST", .body = "x"});
        CHECK(a.status == 405, "%d: POST answers %ld", rows[i].port, a.status);
        api_free(&a);
    }
}

const struct check_test tests_scaling[] = {
    {"settings beyond the seed", test_settings}, {"a count by hand", test_count_by_hand}, {"the autoscaling document", test_document},
    {"series", test_series}, {"points in the form of 2015", test_points},
    {"series that are refused", test_series_refused}, {"figures of every process", test_figures}, {0},
};
