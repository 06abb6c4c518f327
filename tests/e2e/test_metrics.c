/* The metrics of an instance, in the form of 2015, beside what the engine itself says of its container. */
#include <stdio.h>
#include <string.h>

#include "tests/e2e/e2e.h"

/* Columns of a point. */
enum { TIME, SEQUENCE_NUMBER, CPU_CUMULATIVE, CPU_UTILIZATION, MEMORY, MEMORY_UTILIZATION, RX_BYTES, RX_ERRORS, TX_BYTES, TX_ERRORS, N };

static double at(struct json_object *point, size_t column)
{
    struct json_object *value = json_object_array_get_idx(point, column);
    return value != NULL ? json_object_get_double(value) : -1;
}

static struct answer engine_stats(const char *service)
{
    char path[160];
    struct json_object *list;
    engine_containers("madams", service, false, &list);
    snprintf(path, sizeof path, "/containers/%s/stats?stream=0", doc_text(list, "[0].Id"));
    json_object_put(list);
    return api_call(&(struct http_call){.base = "http://engine", .path = path, .unix_socket = world.engine_socket, .timeout_ms = 30000});
}

/* Every figure is one that the engine counted, and they go on from point to point. */
static void check_points(struct json_object *points, const struct answer *before, const struct answer *after, const char *text)
{
    size_t n = json_object_array_length(points);
    double limit = (double)doc_int(after->json, "memory_stats.limit");
    for (size_t i = 0; i < n; i++) {
        struct json_object *p = json_object_array_get_idx(points, i), *older = i + 1 < n ? json_object_array_get_idx(points, i + 1) : NULL;
        CHECK(json_object_array_length(p) == N && at(p, SEQUENCE_NUMBER) == 0, "%s", text);
        for (size_t c = 0; c < N; c++)
            CHECK(at(p, c) >= 0, "column %zu of point %zu: %s", c, i, text);
        CHECK(at(p, CPU_UTILIZATION) <= 100 && at(p, MEMORY_UTILIZATION) <= 100, "%s", text);
        double percent = 100 * at(p, MEMORY) / limit - at(p, MEMORY_UTILIZATION);
        CHECK(percent < 0.01 && percent > -0.01, "%g of %g: %s", at(p, MEMORY), limit, text);
        if (older != NULL)
            CHECK(at(p, TIME) > at(older, TIME) && at(p, CPU_CUMULATIVE) >= at(older, CPU_CUMULATIVE) &&
                      at(p, RX_BYTES) >= at(older, RX_BYTES) && at(p, TX_BYTES) >= at(older, TX_BYTES), "newest first: %s", text);
    }
    struct json_object *newest = json_object_array_get_idx(points, 0);
    CHECK(at(newest, CPU_CUMULATIVE) >= (double)doc_int(before->json, "cpu_stats.cpu_usage.total_usage") &&
              at(newest, CPU_CUMULATIVE) <= (double)doc_int(after->json, "cpu_stats.cpu_usage.total_usage"),
          "CPU time: %s, %s before and %s after", text, before->raw.body, after->raw.body);
    CHECK(at(newest, RX_BYTES) <= (double)doc_int(after->json, "networks.eth0.rx_bytes"), "received: %s, %s",
          text, after->raw.body);
    CHECK(at(newest, RX_ERRORS) == (double)doc_int(after->json, "networks.eth0.rx_errors") &&
              at(newest, TX_ERRORS) == (double)doc_int(after->json, "networks.eth0.tx_errors"), "errors: %s, %s", text, after->raw.body);
}

static void test_points(void)
{
    if (!service_create("metered", "v1", 1, "") || !service_runs("madams", "metered", 1, 60))
        return;
    struct answer document = api("GET", NULL, "/v1/services/madams/metered/instances/");
    char uuid[40];
    snprintf(uuid, sizeof uuid, "%s", doc_text(document.json, "[0].uuid"));
    api_free(&document);
    struct answer before = engine_stats("metered"), after = {0};
    int64_t since = world_sql_number("SELECT ceil(date_part('epoch', now()))::bigint");
    bool seen = false;
    for (double end = 0; !seen && world_waiting(&end, 60);) {
        struct answer a = api("GET", NULL, "/v1/services/madams/metered/instances/%s/metrics?start_time=%lld&point_per_period=1s", uuid,
                              (long long)since);
        seen = doc_len(a.json, "points") >= 3;
        if (seen) {
            after = engine_stats("metered");
            check_points(doc_at(a.json, "points"), &before, &after, a.raw.body);
        }
        api_free(&a);
    }
    CHECK(seen, "no three points within 60 s");
    api_free(&before);
    api_free(&after);
    service_delete("metered");
}

const struct check_test tests_metrics[] = {{"points are what the engine counted", test_points}, {0}};
