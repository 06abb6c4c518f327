/* What clients of 2015 look up before they do anything: who they are, their organisations, regions and nodes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/http/suites.h"
#include "tests/lib/api.h"
#include "tests/lib/world.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void ctl(const char *words)
{
    int status;
    char *said = world_shell(&status, "\"$B/skylarkctl\" -c \"$TEST_VAR/etc/ctl.conf\" %s 2>&1", words);
    CHECK(status == 0, "skylarkctl %s: %s", words, said);
    free(said);
}

static bool is_true(struct json_object *json, const char *place)
{
    return json_object_get_boolean(doc_at(json, place));
}

/* The profile is flat, but for the names of namespaces: clients print it as a table of keys and values. */
static void test_profile(void)
{
    static const char *const paths[] = {"/v1/auth/profile/", "/v1/auth/madams/profile/"};
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct answer a = api("GET", NULL, "%s", paths[i]);
        CHECK(a.status == 200 && strcmp(doc_text(a.json, "username"), "madams") == 0, "%s: %ld %s", paths[i], a.status, a.raw.body);
        CHECK(is_true(a.json, "is_available") && is_true(a.json, "is_active") && doc_at(a.json, "api_revoked") != NULL &&
                  !is_true(a.json, "api_revoked"), "%s", a.raw.body);
        CHECK(json_object_is_type(doc_at(a.json, "email"), json_type_string) && doc_text(a.json, "email")[0] == '\0', "%s", a.raw.body);
        CHECK(strlen(doc_text(a.json, "joined_at")) == strlen("2015-02-17T07:35:06.300Z"), "%s", a.raw.body);
        CHECK(json_object_object_get_ex(a.json, "last_login", NULL), "%s", a.raw.body);
        json_object_object_foreach(a.json, key, value)
        {
            bool list = json_object_is_type(value, json_type_array);
            CHECK(list == (strcmp(key, "namespaces") == 0) && !json_object_is_type(value, json_type_object), "%s is no scalar: %s", key,
                  a.raw.body);
        }
        api_free(&a);
    }
    /* Somebody else's is nobody's business, whatever right there is in that namespace. */
    struct answer a = api_as(world.member_token, "GET", NULL, "/v1/auth/madams/profile/");
    check_problem(&a, 404, "another user's");
    api_free(&a);
    a = api_as(NULL, "GET", NULL, "/v1/auth/madams/profile/");
    check_problem(&a, 401, "nobody's");
    api_free(&a);
}

/* A login by password is noted; a token of skylarkctl is none. */
static void test_last_login(void)
{
    char *before = world_sql("SELECT COALESCE(max(t.created_at)::text, '') FROM skylark.api_tokens t "
                             "JOIN skylark.namespaces n ON n.id = t.user_id WHERE n.name = 'madams' AND t.by_login");
    char body[200];
    snprintf(body, sizeof body, "{\"username\":\"madams\",\"password\":\"%s\"}", world.password);
    struct answer a = api("POST", body, "/v1/generate-api-token/");
    CHECK(a.status == 200, "%ld %s", a.status, a.raw.body);
    api_free(&a);
    a = api("GET", NULL, "/v1/auth/profile/");
    char *later = world_sql("SELECT max(t.created_at) > '%s' AND skylark.iso_time(max(t.created_at)) = '%s' FROM skylark.api_tokens t "
                            "JOIN skylark.namespaces n ON n.id = t.user_id WHERE n.name = 'madams' AND t.by_login",
                            before[0] != '\0' ? before : "-infinity", doc_text(a.json, "last_login"));
    CHECK(strcmp(later, "t") == 0, "%s: %s", later, a.raw.body);
    free(later);
    free(before);
    api_free(&a);
}

static void test_orgs(void)
{
    ctl("namespace create lookups");
    ctl("namespace create strangers");
    ctl("member set lookups madams write");
    struct answer a = api("GET", NULL, "/v1/orgs/");
    CHECK(a.status == 200 && strstr(a.raw.body, "strangers") == NULL && strstr(a.raw.body, "\"madams\"") == NULL, "%ld %s", a.status,
          a.raw.body);
    size_t found = 0;
    CHECK(json_object_is_type(a.json, json_type_array), "%s", a.raw.body);
    for (size_t i = 0; json_object_is_type(a.json, json_type_array) && i < json_object_array_length(a.json); i++)
        found += strcmp(doc_text(json_object_array_get_idx(a.json, i), "name"), "lookups") == 0;
    CHECK(found == 1, "%s", a.raw.body);
    api_free(&a);
    a = api("GET", NULL, "/v1/orgs/lookups/");
    CHECK(a.status == 200 && strcmp(doc_text(a.json, "name"), "lookups") == 0 && strcmp(doc_text(a.json, "access"), "write") == 0 &&
              json_object_is_type(doc_at(a.json, "company"), json_type_string) && doc_text(a.json, "created_at")[0] != '\0',
          "%ld %s", a.status, a.raw.body);
    api_free(&a);
    a = api_as(world.read_token, "GET", NULL, "/v1/orgs/lookups/");
    CHECK(strcmp(doc_text(a.json, "access"), "read") == 0, "the token's scope caps it: %s", a.raw.body);
    api_free(&a);
    static const char *const none[] = {"strangers", "madams", "no-such"};
    for (size_t i = 0; i < COUNT(none); i++) {
        a = api("GET", NULL, "/v1/orgs/%s/", none[i]);
        check_problem(&a, 404, none[i]);
        api_free(&a);
    }
    a = api_as(world.other_token, "GET", NULL, "/v1/orgs/lookups/");
    check_problem(&a, 404, "of others");
    api_free(&a);
    a = api_as(world.other_token, "GET", NULL, "/v1/orgs/");
    CHECK(a.status == 200 && strcmp(a.raw.body, "[]") == 0, "%ld %s", a.status, a.raw.body);
    api_free(&a);
    ctl("member remove lookups madams");
}

static void test_regions(void)
{
    char *region = world_sql("SELECT region_name FROM skylark.installation"), *id = world_sql("SELECT id FROM skylark.installation");
    struct answer a = api("GET", NULL, "/v1/regions/madams/");
    CHECK(a.status == 200 && json_object_is_type(a.json, json_type_array) && json_object_array_length(a.json) == 1, "%ld %s", a.status,
          a.raw.body);
    struct json_object *first = json_object_array_get_idx(a.json, 0);
    CHECK(strcmp(doc_text(first, "id"), id) == 0 && strcmp(doc_text(first, "name"), region) == 0 &&
              doc_text(first, "display_name")[0] != '\0', "%s", a.raw.body);
    api_free(&a);
    a = api("GET", NULL, "/v1/regions/madams/%s/nodes/", region);
    CHECK(a.status == 200 && json_object_is_type(a.json, json_type_array) && json_object_array_length(a.json) == 1, "%ld %s", a.status,
          a.raw.body);
    first = json_object_array_get_idx(a.json, 0);
    char *engine = world_sql("SELECT e.cpus || ' ' || e.memory_bytes / 1048576 || ' ' || COALESCE(host(e.address), '') "
                             "FROM skylark.engines e JOIN skylark.installation i USING (engine_id)");
    char told[200];
    snprintf(told, sizeof told, "%lld %lld %s", (long long)doc_int(first, "resources.total_cpus"),
             (long long)doc_int(first, "resources.total_mem"), doc_text(first, "private_ip"));
    CHECK(strcmp(doc_text(first, "type"), "SLAVE") == 0 && strcmp(told, engine) == 0, "%s, not %s", a.raw.body, engine);
    CHECK(doc_int(first, "resources.total_cpus") > 0 && doc_int(first, "resources.total_mem") > 0, "%s", a.raw.body);
    api_free(&a);
    a = api("GET", NULL, "/v1/regions/madams/no-such/nodes/");
    check_problem(&a, 404, "another region");
    api_free(&a);
    a = api_as(world.other_token, "GET", NULL, "/v1/regions/madams/");
    check_problem(&a, 404, "another namespace");
    api_free(&a);
    free(engine);
    free(region);
    free(id);
}

const struct check_test tests_lookup[] = {
    {"the profile is flat", test_profile}, {"the last login", test_last_login}, {"organisations", test_orgs},
    {"regions and nodes", test_regions}, {0},
};
