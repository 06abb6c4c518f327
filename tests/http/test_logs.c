/* Asking for logs: times, limits, one instance, pages; an answer that is long. Lines are put into the table, as
 * the collector would. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/http/suites.h"
#include "common/buf.h"
#include "tests/lib/api.h"
#include "tests/lib/world.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define ONE "a9aff249-e34b-11e4-9fa4-0240eaf5c02d"
#define TWO "a9afcb38-e34b-11e4-9fa4-0240eaf5c02d"
#define LINES 50000
#define PATH_SIZE 8192

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
        {"start_time=2015-06-08T10:47:40%2B02:00&end_time=2015-06-08T08:47:40.9991Z", 1, "172.31"},
        {"start_time=2015-06-08T10:47:40%2B02:00&end_time=2015-06-08T08:47:40.999Z", 0, ""},
        {"start_time=1433753210&end_time=1433753256", 0, ""}, {"start_time=1433753256&end_time=1433753260", 1, "172.31"},
        {"start_time=1433753210&end_time=1433753280&page_size=1", 1, "172.31.14.54 - - [12/May/2015 08:47:36]"},
        {"start_time=1433753210&end_time=1433753280&limit=3&page_size=1", 1, "tab"},
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

/* Key by key and type by type as the seed's sample, and one key more: the exact time. */
static void test_sample(void)
{
    struct answer a = api("GET", NULL, "/v1/services/madams/logs/logs?start_time=1433753210&end_time=1433753270");
    struct json_object *expected = json_tokener_parse(
        "[{\"instance_id\":\"a9aff249\",\"message\":\"172.31.14.54 - - [12/May/2015 08:47:36] \\\"GET /alauda.jpg HTTP/1.1\\\" "
        "200 -\",\"time\":1433753256,\"logged_at\":\"2015-06-08T08:47:36.250000Z\"},{\"instance_id\":\"a9afcb38\",\"message\":\"172.31.14.54 - - [12/May/2015 08:47:40] "
        "\\\"GET / HTTP/1.1\\\" 200 -\",\"time\":1433753260,\"logged_at\":\"2015-06-08T08:47:40.999000Z\"}]");
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

/* The path and query that the answer's Link leads to, "" without one. It is absolute. */
static void next_of(const struct answer *a, char *path, size_t size)
{
    char link[8192];
    int count = http_header(&a->raw, "Link", link, sizeof link);
    size_t len = strlen(link), base = strlen(world.url);
    path[0] = '\0';
    if (count == 0)
        return;
    bool good = CHECK(count == 1 && link[0] == '<' && strncmp(link + 1, world.url, base) == 0 && link[1 + base] == '/' && len > 13 &&
                          strcmp(link + len - 13, ">; rel=\"next\"") == 0, "Link: %s", link);
    if (good)
        snprintf(path, size, "%.*s", (int)(len - 14 - base), link + 1 + base);
}

/* Reads pages from path on until one has no next, or, when following, until one is empty; goes on there with path. Adds each line's
 * message and a blank to *all, and counts. */
static int follow(char *path, size_t size, bool following, int page_size, struct buf *all)
{
    int n = 0;
    for (int pages = 0; path[0] != '\0' && pages < 2000; pages++) {
        struct answer a = api("GET", NULL, "%s", path);
        int here = (int)doc_len(a.json, "");
        CHECK(a.status == 200 && here <= page_size, "%s: %ld, %d lines", path, a.status, here);
        for (int i = 0; i < here; i++) {
            buf_adds(all, doc_text(json_object_array_get_idx(a.json, (size_t)i), "message"));
            buf_addc(all, ' ');
        }
        n += here;
        next_of(&a, path, size);
        CHECK(!following || path[0] != '\0', "the page after %d lines has no next", n);
        api_free(&a);
        if (following && here == 0)
            break;
    }
    return n;
}

/* By links, 50,000 lines of which a thousand each bear one time come whole, in order and once. */
static void test_pages(void)
{
    char path[8192] = "/v1/services/madams/logs/logs/?start_time=1433800000&end_time=1433900000&page_size=7013";
    struct buf all = {0}, expected = {0};
    for (int i = 1; i <= LINES; i++)
        buf_addf(&expected, "number %d ", i);
    int n = follow(path, sizeof path, false, 7013, &all);
    CHECK(n == LINES && strcmp(buf_text(&all), buf_text(&expected)) == 0, "%d lines", n);
    buf_free(&all);
    buf_free(&expected);
}

/* Ranges that adjoin neither overlap nor leave a gap, by whole seconds and by parts of them. */
static void test_adjoining(void)
{
    static const char *const ends[] = {"1433799999", "1433800000", "1433800001", "1433800001.5", "1433800002", "1433800003.000001",
                                       "2015-06-08T21:46:44Z", "1433800005"};
    int n = 0;
    for (size_t i = 0; i + 1 < COUNT(ends); i++) {
        struct answer a = api("GET", NULL, "/v1/services/madams/logs/logs/?start_time=%s&end_time=%s", ends[i], ends[i + 1]);
        n += (int)doc_len(a.json, "");
        api_free(&a);
    }
    struct answer whole = api("GET", NULL, "/v1/services/madams/logs/logs/?start_time=1433799999&end_time=1433800005");
    CHECK(n == 4999 && doc_len(whole.json, "") == n, "%d lines in pieces, %d in one", n, (int)doc_len(whole.json, ""));
    api_free(&whole);
}

/* Follows from path on, and finds so many lines. */
static void check_follow(char *path, int page_size, struct buf *all, int expected)
{
    int n = follow(path, PATH_SIZE, true, page_size, all);
    CHECK(n == expected, "%d lines, not %d: %s", n, expected, buf_text(all));
}

static void add_lines(const char *values)
{
    char *done = world_sql("WITH s AS (SELECT id FROM skylark.services WHERE name = 'polled' AND deleted_at IS NULL), added AS ("
                           "INSERT INTO skylark.log_rows (service_id, logged_at, instance_id, seq, stream, message) "
                           "SELECT s.id, %s FROM s, generate_series(0, 60) n RETURNING 1) SELECT count(*) FROM added", values);
    CHECK(atoi(done) == 61, "%s", done);
    free(done);
}

/* Who polls by cursor gets each line once: of many at one time, of several instances, and of an instance whose lines are stored later
 * than younger ones of another. */
static void test_polling(void)
{
    char path[PATH_SIZE], one[PATH_SIZE];
    struct buf all = {0};
    CHECK(api_status("POST", "{\"service_name\":\"polled\",\"image_name\":\"localhost/none\",\"target_state\":\"STOPPED\"}",
                     "/v1/services/madams/") == 201, "create");
    snprintf(path, sizeof path, "/v1/services/madams/polled/logs/?page_size=7");
    buf_addc(&all, ' ');
    check_follow(path, 7, &all, 0);
    snprintf(one, sizeof one, "/v1/services/madams/polled/logs/?page_size=50&instance_id=a9aff249");
    /* All at one time, on both instances. */
    add_lines("date_trunc('second', now()), CASE WHEN n % 2 = 0 THEN '" ONE "'::uuid ELSE '" TWO "'::uuid END, n, 1, 'a' || n");
    check_follow(path, 7, &all, 61);
    /* Earlier and later ones of the instance that comes last in the order, and once more with a time that was there. */
    add_lines("date_trunc('second', now()) + (n - 30) * interval '1 ms', '" ONE "'::uuid, 100 + n, 1, 'b' || n");
    check_follow(path, 7, &all, 61);
    add_lines("date_trunc('second', now()) - interval '2 s', '" TWO "'::uuid, 100 + n, 1, 'c' || n");
    check_follow(path, 7, &all, 61);
    check_follow(path, 7, &all, 0);
    for (int i = 0; i < 3 * 61; i++) {
        char word[16];
        snprintf(word, sizeof word, " %c%d ", 'a' + i / 61, i % 61);
        const char *found = strstr(buf_text(&all), word);
        CHECK(found != NULL && strstr(found + 1, word) == NULL, "%s is not there once", word);
    }
    /* Of one instance alone. */
    buf_clear(&all);
    check_follow(one, 50, &all, 31 + 61);
    /* The last lines, and then only what is newer. */
    buf_clear(&all);
    snprintf(path, sizeof path, "/v1/services/madams/polled/logs/?limit=2");
    struct answer tail = api("GET", NULL, "%s", path);
    CHECK(doc_len(tail.json, "") == 2, "%s", tail.raw.body);
    next_of(&tail, path, sizeof path);
    check_follow(path, 1000000, &all, 0);
    add_lines("clock_timestamp() + interval '3 s', '" ONE "'::uuid, 300 + n, 1, 'd' || n");
    check_follow(path, 1000000, &all, 61);
    api_free(&tail);
    buf_free(&all);
    CHECK(api_status("DELETE", NULL, "/v1/services/madams/polled/") == 204, "delete");
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
        {"page_size=0", "page_size"}, {"page_size=100001", "page_size"}, {"cursor=x", "cursor"}, {"cursor=", "cursor"},
        {"cursor=AQAA&start_time=1&limit=1", "cursor start_time limit"},
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
    {"50,000 lines, whole and in order", test_long},
    {"the same by links", test_pages}, {"adjoining ranges", test_adjoining}, {"polling by cursor", test_polling}, {"bad times, reversed ranges", test_bad},
    {"(it goes)", test_cleanup}, {0},
};
