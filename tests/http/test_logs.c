/* Asking for logs: times, limits, one instance; a long answer is streamed whole. Lines are put into the table, as
 * the collector would. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/http/suites.h"
#include "tests/lib/api.h"
#include "tests/lib/world.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define ONE "a9aff249-e34b-11e4-9fa4-0240eaf5c02d"
#define TWO "a9afcb38-e34b-11e4-9fa4-0240eaf5c02d"
#define LINES 50000

static void test_setup(void)
{
    CHECK(api_status("POST", "{\"service_name\":\"logs\",\"image_name\":\"localhost/none\",\"target_state\":\"STOPPED\"}",
                     "/v1/services/madams/") == 201, "create");
    /* The seed's two lines, many at one instant, and one just now. */
    char *done = world_sql(
        "WITH s AS (SELECT id FROM skylark.services WHERE name = 'logs' AND deleted_at IS NULL), added AS ("
        "INSERT INTO skylark.log_rows (service_id, logged_at, instance_id, seq, stream, message) "
        "SELECT s.id, to_timestamp(v.t), v.i::uuid, v.seq, 1, v.m FROM s, (VALUES "
        "(1433753256.25, '" ONE "', 0, '172.31.14.54 - - [12/May/2015 08:47:36] \"GET /alauda.jpg HTTP/1.1\" 200 -'),"
        "(1433753260.999, '" TWO "', 0, '172.31.14.54 - - [12/May/2015 08:47:40] \"GET / HTTP/1.1\" 200 -'),"
        "(1433753271, '" ONE "', 1, E'tab\\tand \\x01 and \\\\ and \xc3\xa4')) v (t, i, seq, m) "
        "UNION ALL SELECT s.id, to_timestamp(1433800000 + n / 1000), '" ONE "', 100 + n, 2, 'number ' || n FROM s, generate_series(1, %d) n "
        "UNION ALL SELECT s.id, now() - interval '14 minutes', '" TWO "', 1, 1, 'recent' FROM s "
        "UNION ALL SELECT s.id, now() - interval '16 minutes', '" TWO "', 2, 1, 'older' FROM s RETURNING 1) SELECT count(*) FROM added",
        LINES);
    CHECK(atoi(done) == LINES + 5, "%s", done);
    free(done);
}

static void test_ranges(void)
{
    static const struct {
        const char *query;
        int64_t count;
        const char *first;
    } rows[] = {
        {"start_time=1433753210&end_time=1433753270", 2, "172.31"},
        {"start_time=1433753256&end_time=1433753256", 1, "172.31"},
        {"start_time=1433753256&end_time=2015-06-08T08:47:36Z", 1, "172.31"},
        {"start_time=2015-06-08T08:47:36Z&end_time=1433753256", 1, "172.31"},
        {"start_time=1433753256.2&end_time=2015-06-08T08:47:36Z", 1, "172.31"},
        {"start_time=1433800000&end_time=2262-04-10T00:00:00Z&limit=1", 1, "recent"},
        {"start_time=1433753257&end_time=1433753259", 0, ""},
        {"start_time=1433753256.25&end_time=1433753256.25", 1, "172.31"},
        {"start_time=1433753256.26&end_time=1433753259", 0, ""},
        {"start_time=2015-06-08T08:47:40Z&end_time=2015-06-08T08:47:41Z", 1, "172.31"},
        {"start_time=2015-06-08T10:47:40%2B02:00&end_time=2015-06-08T08:47:40.999Z", 1, "172.31"},
        {"end_time=1433753300", 3, "172.31"},
        {"start_time=1433753210&end_time=1433753280&limit=1", 1, "tab\tand \x01 and \\ and \xc3\xa4"},
        {"start_time=1433753210&end_time=1433753280&limit=2", 2, "172.31.14.54 - - [12/May/2015 08:47:40]"},
        {"start_time=1433753210&end_time=1433753280&instance_id=a9afcb38", 1, "172.31.14.54 - - [12/May/2015 08:47:40]"},
        {"start_time=1433753210&end_time=1433753280&instance_id=" ONE, 2, "172.31"},
        {"start_time=1433753210&end_time=1433753280&instance_id=A9AFF249", 2, "172.31"},
        {"start_time=1433753210&end_time=1433753280&instance_id=00000000", 0, ""},
        {"start_time=1433800000&end_time=1433900000&limit=3", 3, "number 49998"},
        {"", 1, "recent"}, {"limit=5", 1, "recent"}, {"start_time=0&end_time=1", 0, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a = api("GET", NULL, "/v1/services/madams/logs/logs/?%s", rows[i].query);
        CHECK(a.status == 200 && doc_len(a.json, "") == rows[i].count, "%s: %ld %.300s", rows[i].query, a.status, a.raw.body);
        if (rows[i].count > 0) {
            const char *first = doc_text(a.json, "[0].message");
            CHECK(strncmp(first, rows[i].first, strlen(rows[i].first)) == 0, "%s: %s", rows[i].query, first);
        }
        api_free(&a);
    }
}

/* Key by key and type by type as the seed's sample. */
static void test_sample(void)
{
    struct answer a = api("GET", NULL, "/v1/services/madams/logs/logs?start_time=1433753210&end_time=1433753270");
    struct json_object *expected = json_tokener_parse(
        "[{\"instance_id\":\"a9aff249\",\"message\":\"172.31.14.54 - - [12/May/2015 08:47:36] \\\"GET /alauda.jpg HTTP/1.1\\\" "
        "200 -\",\"time\":1433753256},{\"instance_id\":\"a9afcb38\",\"message\":\"172.31.14.54 - - [12/May/2015 08:47:40] "
        "\\\"GET / HTTP/1.1\\\" 200 -\",\"time\":1433753260}]");
    CHECK(expected != NULL && json_object_equal(a.json, expected), "%s", a.raw.body);
    json_object_put(expected);
    api_free(&a);
}

static void test_long(void)
{
    struct answer a = api("GET", NULL, "/v1/services/madams/logs/logs/?start_time=1433800000&end_time=1433900000");
    char expected[32];
    CHECK(a.status == 200 && doc_len(a.json, "") == LINES, "%ld, %d lines", a.status, (int)doc_len(a.json, ""));
    int wrong = 0;
    for (int i = 0; i < doc_len(a.json, ""); i++) {
        snprintf(expected, sizeof expected, "number %d", i + 1);
        wrong += strcmp(doc_text(json_object_array_get_idx(a.json, (size_t)i), "message"), expected) != 0;
    }
    CHECK(wrong == 0, "%d lines out of order", wrong);
    api_free(&a);
}

static void test_bad(void)
{
    static const struct {
        const char *query, *fields;
    } rows[] = {
        {"start_time=yesterday", "start_time"}, {"end_time=2262-04-11T23:47:16Z", "end_time"},
        {"end_time=9223372036", "end_time"}, {"start_time=1969-12-31T23:59:59Z", "start_time"}, {"end_time=2015-13-01T00:00:00Z", "end_time"}, {"start_time=-1", "start_time"},
        {"start_time=2015-02-30T00:00:00Z", "start_time"}, {"start_time=99999999999999999999", "start_time"},
        {"start_time=1e9", "start_time"}, {"start_time=", "start_time"}, {"start_time=NaN", "start_time"},
        {"start_time=1433753270&end_time=1433753210", "start_time"}, {"start_time=2015-06-08", "start_time"},
        {"start_time=x&end_time=y&limit=z&instance_id=q&w=1", "start_time end_time limit instance_id w"},
        {"limit=0", "limit"}, {"limit=-1", "limit"}, {"limit=1000001", "limit"}, {"limit=1.5", "limit"},
        {"instance_id=a9aff24", "instance_id"}, {"instance_id=a9aff249-", "instance_id"}, {"instance_id=%25", "instance_id"},
        {"instance_id=a9aff249-e34b-11e4-9fa4-0240eaf5c02d0", "instance_id"}, {"page=1", "page"},
        {"start_time=9223372037", "start_time"}, {"start_time=1433753210.1234567890", "start_time"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a = api("GET", NULL, "/v1/services/madams/logs/logs/?%s", rows[i].query);
        check_problem(&a, 400, rows[i].query);
        CHECK(doc_names(a.json, rows[i].fields), "%s: not \"%s\": %s", rows[i].query, rows[i].fields, a.raw.body);
        api_free(&a);
    }
}

static void test_cleanup(void)
{
    CHECK(api_status("DELETE", NULL, "/v1/services/madams/logs/") == 204, "delete");
}

const struct check_test tests_logs[] = {
    {"(a service with lines)", test_setup}, {"times, limits, instances", test_ranges}, {"the seed's sample", test_sample},
    {"50,000 lines, streamed whole and in order", test_long}, {"bad times, reversed ranges", test_bad},
    {"(it goes)", test_cleanup}, {0},
};
