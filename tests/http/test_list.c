/* Pages of the list and its filters. */
#include <stdio.h>
#include <string.h>

#include "tests/http/suites.h"
#include "tests/lib/api.h"
#include "tests/lib/world.h"

#define SERVICES 7
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static bool create(const char *name, const char *state)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"service_name\":\"%s\",\"image_name\":\"localhost/none\",\"target_state\":\"%s\",\"target_num_instances\":0}",
             name, state);
    return api_status("POST", body, "/v1/services/madams/") == 201;
}

static void test_create(void)
{
    char name[16];
    for (int i = 0; i < SERVICES; i++) {
        snprintf(name, sizeof name, "list-%c", 'a' + i);
        CHECK(create(name, i % 2 == 0 ? "STARTED" : "STOPPED"), "%s", name);
    }
}

static const char *path_of(const char *url)
{
    return strncmp(url, world.url, strlen(world.url)) == 0 ? url + strlen(world.url) : "";
}

/* Walks from the first page to the last and back, while services are added and one page is asked for again. */
static void test_walk(void)
{
    char seen[SERVICES + 8][16] = {0}, path[512] = "/v1/services/madams/?page_size=2", name[16], back[512] = "";
    int n = 0, pages = 0;
    for (; path[0] != '\0' && pages < 10; pages++) {
        struct answer a = api("GET", NULL, "%s", path);
        REQUIRE(a.status == 200, "%s: %ld %s", path, a.status, a.raw.body);
        CHECK(doc_int(a.json, "count") == SERVICES, "count on page %d: %.100s", pages + 1, a.raw.body);
        CHECK((doc_at(a.json, "previous") == NULL) == (pages == 0), "previous on page %d: %.300s", pages + 1, a.raw.body);
        for (int64_t i = 0; i < doc_len(a.json, "results") && n < SERVICES; i++)
            snprintf(seen[n++], 16, "%s", doc_text(json_object_array_get_idx(doc_at(a.json, "results"), (size_t)i), "service_name"));
        const char *next = doc_text(a.json, "next");
        CHECK(next[0] == '\0' || (path_of(next)[0] == '/' && strstr(next, "as_of=") != NULL), "next is absolute, with an anchor: %s", next);
        snprintf(back, sizeof back, "%s", path_of(doc_text(a.json, "previous")));
        snprintf(path, sizeof path, "%s", path_of(next));
        api_free(&a);
        snprintf(name, sizeof name, "later-%d", pages);
        CHECK(create(name, "STOPPED"), "%s", name);
    }
    CHECK(n == SERVICES && pages == 4, "%d services on %d pages", n, pages);
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "list-%c", 'a' + SERVICES - 1 - i);
        CHECK(strcmp(seen[i], name) == 0, "newest first: %s at %d", seen[i], i);
    }
    int steps = 0;
    while (back[0] != '\0' && steps < 10) {
        struct answer a = api("GET", NULL, "%s", back);
        CHECK(a.status == 200 && doc_len(a.json, "results") == 2, "%s: %ld", back, a.status);
        snprintf(name, sizeof name, "list-%c", 'a' + SERVICES - 1 - 2 * (2 - steps));
        CHECK(strcmp(doc_text(a.json, "results[0].service_name"), name) == 0, "back: %s", doc_text(a.json, "results[0].service_name"));
        snprintf(back, sizeof back, "%s", path_of(doc_text(a.json, "previous")));
        steps++;
        api_free(&a);
    }
    CHECK(steps == 3, "%d steps back", steps);
}

static void test_filters(void)
{
    static const struct {
        const char *query;
        int64_t count;
    } rows[] = {
        {"name=list-", 7}, {"name=list-c", 1}, {"name=later", 4}, {"name=ist", 0}, {"name=list-%25", 0}, {"name=list_", 0},
        {"name=%5c", 0}, {"name=", 11}, {"target_state=STARTED", 4}, {"target_state=STOPPED", 7},
        {"target_state=STOPPED&name=list", 3}, {"page_size=100", 11}, {"page_size=1&page=11", 11},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a = api("GET", NULL, "/v1/services/madams/?%s", rows[i].query);
        CHECK(a.status == 200 && doc_int(a.json, "count") == rows[i].count, "%s: %ld, count %d", rows[i].query, a.status,
              (int)doc_int(a.json, "count"));
        api_free(&a);
    }
    /* Filters go along to the next page. */
    struct answer a = api("GET", NULL, "/v1/services/madams?name=list-&target_state=STARTED&page_size=3");
    const char *next = doc_text(a.json, "next");
    CHECK(strstr(next, "name=list-") != NULL && strstr(next, "target_state=STARTED") != NULL, "%s", next);
    struct answer second = api("GET", NULL, "%s", path_of(next));
    CHECK(doc_len(second.json, "results") == 1 && strcmp(doc_text(second.json, "results[0].service_name"), "list-a") == 0, "%.300s",
          second.raw.body);
    api_free(&second);
    api_free(&a);
}

static void test_bad_pages(void)
{
    static const struct {
        const char *query;
        long status;
        const char *fields;
    } rows[] = {
        {"page=0", 400, "page"}, {"page=-1", 400, "page"}, {"page=x", 400, "page"}, {"page=", 400, "page"},
        {"page=1.5", 400, "page"}, {"page=99999999999999999999", 400, "page"}, {"page=1000000000", 404, ""},
        {"page=2", 404, ""}, {"page_size=0", 400, "page_size"}, {"page_size=101", 400, "page_size"},
        {"page_size=-5", 400, "page_size"}, {"page_size=1e1", 400, "page_size"}, {"target_state=started", 400, "target_state"},
        {"target_state=", 400, "target_state"}, {"as_of=-1", 400, "as_of"}, {"as_of=x", 400, "as_of"},
        {"pages=1", 400, "pages"}, {"page=0&page_size=0&state=x", 400, "page page_size state"},
        {"page=1&page=2", 400, "*"}, {"name=%ff", 400, "*"}, {"name=%00", 400, "*"}, {"name=%zz", 400, "*"}, {"%00=1", 400, "*"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a = api("GET", NULL, "/v1/services/madams/?%s", rows[i].query);
        check_problem(&a, rows[i].status, rows[i].query);
        CHECK(doc_names(a.json, rows[i].fields), "%s: fields are not \"%s\": %s", rows[i].query, rows[i].fields, a.raw.body);
        api_free(&a);
    }
}

static void test_cleanup(void)
{
    struct answer a = api("GET", NULL, "/v1/services/madams/?page_size=100");
    for (int64_t i = 0; i < doc_len(a.json, "results"); i++) {
        const char *name = doc_text(json_object_array_get_idx(doc_at(a.json, "results"), (size_t)i), "service_name");
        CHECK(api_status("DELETE", NULL, "/v1/services/madams/%s/", name) == 204, "%s", name);
    }
    api_free(&a);
}

const struct check_test tests_list[] = {
    {"(services to list)", test_create}, {"pages stay while services are added", test_walk}, {"filters", test_filters},
    {"bad pages", test_bad_pages}, {"(they go)", test_cleanup}, {0},
};
