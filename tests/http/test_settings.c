/* Settings for clients of old, and what takes their place for one request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/http/suites.h"
#include "tests/lib/api.h"
#include "tests/lib/world.h"

#define SPACE "/v1/services/madams/"
#define STOPPED "\"image_name\":\"localhost/none\",\"target_state\":\"STOPPED\""

/* The file of the API's settings as local/run wrote it. */
static char *settings_file(char *path, size_t size)
{
    snprintf(path, size, "%s/etc/api.conf", world.var);
    return world_shell(NULL, "cat '%s'", path);
}

/* Has the API take its file up anew, and waits until no worker of before is left. */
static void reload(void)
{
    int master = world_pid("api");
    char *old = world_shell(NULL, "ps -o pid= --ppid %d | tr '\\n' ' '", master), *left = NULL;
    bool gone = false;
    free(world_shell(NULL, "kill -HUP %d", master));
    for (double end = 0; !gone && world_waiting(&end, 60);) {
        free(left);
        left = world_shell(NULL, "for p in %s; do kill -0 $p 2>/dev/null && echo $p; done", old);
        gone = left[0] == '\0';
    }
    CHECK(gone, "workers of before are left: %s", left);
    free(left);
    free(old);
}

static void with_settings(const char *lines, void (*test)(void))
{
    char path[256], *before = settings_file(path, sizeof path);
    FILE *f = fopen(path, "a");
    REQUIRE(f != NULL, "%s", path);
    fprintf(f, "\n%s", lines);
    fclose(f);
    reload();
    test();
    f = fopen(path, "w");
    REQUIRE(f != NULL, "%s", path);
    fprintf(f, "%s\n", before);
    fclose(f);
    reload();
    free(before);
}

static long create(const char *name, const char *more)
{
    char body[512];
    snprintf(body, sizeof body, "{\"service_name\":\"%s\"," STOPPED "%s}", name, more);
    return api_status("POST", body, SPACE);
}

/* Two services, the second linked to the first. */
static void create_linked(void)
{
    long first = create("target", ""), second = create("linking", ",\"linked_to_apps\":{\"target\":\"db\"}");
    CHECK(first / 100 == 2 && second / 100 == 2, "create: %ld, %ld", first, second);
}

static int64_t generation(const char *name)
{
    char sql[256];
    snprintf(sql, sizeof sql, "SELECT generation FROM skylark.services WHERE name = '%s' AND deleted_at IS NULL", name);
    return world_sql_number(sql);
}

static void check_unlinked(int64_t generation_before)
{
    struct answer a = api("GET", NULL, SPACE "linking/");
    CHECK(a.status == 200 && strcmp(doc_text(a.json, "linked_to_apps"), "{}") == 0, "%s", a.raw.body);
    api_free(&a);
    CHECK(generation("linking") > generation_before, "the deployer is not told: generation %d", (int)generation_before);
    CHECK(api_status("GET", NULL, SPACE "target/") == 404, "target is there");
}

static void test_force(void)
{
    create_linked();
    int64_t before = generation("linking");
    struct answer a = api("DELETE", NULL, SPACE "target/");
    check_problem(&a, 409, "others link to it");
    CHECK(strstr(doc_text(a.json, "detail"), "linking") != NULL && strstr(doc_text(a.json, "detail"), "?force=true") != NULL, "%s", a.raw.body);
    api_free(&a);
    a = api("DELETE", NULL, SPACE "target/?force=1");
    check_problem(&a, 400, "neither true nor false");
    CHECK(doc_names(a.json, "force"), "%s", a.raw.body);
    api_free(&a);
    a = api_as(world.read_token, "DELETE", NULL, SPACE "target/?force=true");
    check_problem(&a, 403, "a token that may only read");
    api_free(&a);
    CHECK(api_status("DELETE", NULL, SPACE "target/?force=true") == 204, "by force");
    check_unlinked(before);
    CHECK(world_sql_number("SELECT count(*) FROM skylark.events WHERE service_name = 'target' AND action = 'service_delete_requested' "
                           "AND reason LIKE '%linking%'") > 0, "the event does not say it");
    CHECK(api_status("DELETE", NULL, SPACE "linking/") == 204, "delete");
}

static void allowed(void)
{
    create_linked();
    int64_t before = generation("linking");
    CHECK(api_status("DELETE", NULL, SPACE "target/?force=false") == 409, "the request says otherwise");
    CHECK(api_status("DELETE", NULL, SPACE "target/") == 204, "by the setting");
    check_unlinked(before);
    CHECK(api_status("DELETE", NULL, SPACE "linking/") == 204, "delete");
}

static void test_delete_linked(void)
{
    with_settings("delete_linked = allow\n", allowed);
    create_linked();
    CHECK(api_status("DELETE", NULL, SPACE "target/") == 409, "the setting is as before");
    CHECK(api_status("DELETE", NULL, SPACE "target/?force=true") == 204 && api_status("DELETE", NULL, SPACE "linking/") == 204, "delete");
}

static void no_content(void)
{
    static const struct {
        const char *method, *path, *body;
    } rows[] = {
        {"POST", SPACE, "{\"service_name\":\"silent\"," STOPPED "}"}, {"PUT", SPACE "silent/", "{\"target_num_instances\":2}"},
        {"PUT", SPACE "silent/start/", NULL}, {"PUT", SPACE "silent/stop/", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char location[256];
        struct answer a = api(rows[i].method, rows[i].body, "%s", rows[i].path);
        CHECK(a.status == 204 && a.raw.body_len == 0, "%s %s: %ld %s", rows[i].method, rows[i].path, a.status, a.raw.body);
        CHECK(http_header(&a.raw, "Content-Type", location, sizeof location) == 0, "Content-Type: %s", location);
        CHECK(http_header(&a.raw, "Location", location, sizeof location) == (i == 0), "Location: %s", location);
        api_free(&a);
    }
    struct answer a = api("GET", NULL, SPACE "silent/");
    CHECK(a.status == 200 && doc_int(a.json, "target_num_instances") == 2 && strcmp(doc_text(a.json, "target_state"), "STOPPED") == 0, "%s",
          a.raw.body);
    api_free(&a);
    a = api("PUT", "{\"target_num_instances\":-1}", SPACE "silent/");
    check_problem(&a, 400, "a fault is told all the same");
    api_free(&a);
}

static void test_no_content(void)
{
    with_settings("no_content_on_write = yes\n", no_content);
    struct answer a = api("PUT", "{\"target_num_instances\":3}", SPACE "silent/");
    CHECK(a.status == 200 && doc_int(a.json, "target_num_instances") == 3, "as before: %ld %s", a.status, a.raw.body);
    api_free(&a);
    CHECK(api_status("DELETE", NULL, SPACE "silent/") == 204, "delete");
}

static void strict(void)
{
    struct answer a = api("POST", "{\"service_name\":\"placed\"," STOPPED ",\"region_name\":\"mars\"}", SPACE);
    check_problem(&a, 400, "a service in another region");
    CHECK(doc_names(a.json, "region_name"), "%s", a.raw.body);
    api_free(&a);
    a = api("GET", NULL, SPACE "?region_name=mars");
    check_problem(&a, 400, "the services of another region");
    CHECK(doc_names(a.json, "region_name"), "%s", a.raw.body);
    api_free(&a);
    CHECK(api_status("GET", NULL, SPACE "?region_name=local") == 200, "this region");
    CHECK(create("placed", ",\"region_name\":\"local\"") == 201, "this region");
    CHECK(api_status("PUT", "{\"region_name\":\"mars\"}", SPACE "placed/") == 400, "into another region");
}

static void test_region(void)
{
    with_settings("strict_region = yes\n", strict);
    CHECK(api_status("PUT", "{\"region_name\":\"mars\"}", SPACE "placed/") == 200, "passed over, as before");
    CHECK(api_status("DELETE", NULL, SPACE "placed/") == 204, "delete");
    CHECK(api_status("GET", NULL, SPACE "?region_name=mars&application=shop&project_name=p") == 200, "filters that mean nothing here");
}

const struct check_test tests_settings[] = {
    {"delete by force", test_force}, {"delete_linked", test_delete_linked}, {"no_content_on_write", test_no_content},
    {"strict_region, and regions of others", test_region}, {0},
};
