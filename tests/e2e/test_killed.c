/* kill -9 of an instance, the deployer, an API worker, the collector: each in the middle of its work. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/e2e.h"

#define LINES 100000
#define LOADERS 4
#define REQUESTS 400

static void test_container(void)
{
    if (!service_create("killed", "v1", 2, "") || !service_runs("madams", "killed", 2, 60))
        return;
    struct sampler *sampler = sampler_start("killed");
    for (int round = 0; round < 3; round++) {
        char id[80];
        CHECK(engine_kill_one("killed", -1, id), "%s is not killed", id);
        bool replaced = false;
        for (double end = 0; !replaced && world_waiting(&end, 30);) {
            struct json_object *list;
            replaced = engine_containers("madams", "killed", false, &list) == 2 && strstr(json_object_to_json_string(list), id) == NULL;
            json_object_put(list);
        }
        CHECK(replaced, "%s is not replaced", id);
        service_runs("madams", "killed", 2, 30);
    }
    sampler_stop(sampler, 2.5, 1, "docker kill");
}

static void test_deployer(void)
{
    if (!service_runs("madams", "killed", 2, 30))
        return;
    CHECK(api_status("PUT", "{\"target_num_instances\":10}", "/v1/services/madams/killed/") == 200, "scale");
    int n = 0;
    for (double end = 0; n < 4 && world_waiting(&end, 30);)
        n = engine_containers("madams", "killed", true, NULL);
    process_kill("deployer");
    /* As if the time of its leases had passed. */
    free(world_sql("UPDATE skylark.reconcile_queue SET lease_until = now() WHERE lease_until > now()"));
    n = engine_containers("madams", "killed", true, NULL);
    CHECK(n >= 3 && n < 10, "killed with %d of 10: not in the middle", n);
    local_run();
    service_runs("madams", "killed", 10, 60);
    int most = 0;
    for (double end = 0; world_watching(&end, 3);) {
        n = engine_containers("madams", "killed", true, NULL);
        most = n > most ? n : most;
    }
    CHECK(most == 10 && n == 10, "%d, at most %d", n, most);
    /* No orphan: every container with our label is an instance that has a row, and the other way round. */
    char *rows = world_sql("SELECT string_agg(i.id::text, ' ' ORDER BY i.id::text) FROM skylark.instances i WHERE i.state = 'running'");
    struct json_object *all;
    n = engine_list_containers("skylark.installation", true, &all);
    CHECK((size_t)n * 37 == strlen(rows) + 1, "%d containers, rows: %s", n, rows);
    for (int i = 0; i < n; i++) {
        struct json_object *labels = doc_at(json_object_array_get_idx(all, (size_t)i), "Labels"), *instance = NULL;
        json_object_object_get_ex(labels, "skylark.instance", &instance);
        CHECK(instance != NULL && strstr(rows, json_object_get_string(instance)) != NULL, "%s; rows: %s", json_object_to_json_string(labels), rows);
    }
    json_object_put(all);
    free(rows);
}

struct load {
    pthread_t thread;
    int failed;
    char first[256];
};
static atomic_int answered;

static void *load_run(void *context)
{
    struct load *l = context;
    for (int i = 0; i < REQUESTS; i++) {
        struct answer a = api("GET", NULL, "/v1/services/madams/killed/");
        if (a.status != 200 && l->failed++ == 0)
            snprintf(l->first, sizeof l->first, "%ld %.100s %.100s", a.status, a.raw.body, a.raw.error);
        answered++;
        api_free(&a);
    }
    http_end();
    return NULL;
}

static void test_api_worker(void)
{
    struct load loads[LOADERS] = {0};
    int kills = 3, failed = 0;
    answered = 0;
    for (int i = 0; i < LOADERS; i++)
        pthread_create(&loads[i].thread, NULL, load_run, &loads[i]);
    for (int k = 0; k < kills; k++) {
        for (double end = 0; answered < (k + 1) * LOADERS * REQUESTS / 5 && world_waiting(&end, 30);)
            ;
        int pids[64], n = world_children(world_pid("api"), pids, 64);
        CHECK(n > 0 && kill(pids[k * 7 % n], SIGKILL) == 0, "worker %d of %d", k * 7 % (n > 0 ? n : 1), n);
    }
    for (int i = 0; i < LOADERS; i++) {
        pthread_join(loads[i].thread, NULL);
        failed += loads[i].failed;
    }
    CHECK(failed <= kills, "%d workers killed, %d of %d requests failed: %s %s %s %s", kills, failed, LOADERS * REQUESTS,
          loads[0].first, loads[1].first, loads[2].first, loads[3].first);
    int workers = 0;
    for (double end = 0; workers < 8 && world_waiting(&end, 20);)
        workers = world_children(world_pid("api"), NULL, 0);
    CHECK(workers >= 8, "%d workers", workers);
    service_delete("killed");
}

static int64_t lines_stored(void)
{
    return world_sql_number("SELECT COALESCE(max(p.next_seq), 0) FROM skylark.log_positions p JOIN skylark.services s ON s.id = p.service_id "
                            "WHERE s.name = 'numbers' AND s.deleted_at IS NULL");
}

/* Lets bin/numbers print what comes next. */
static void go_on(void)
{
    struct engine_container c;
    char url[100];
    REQUIRE(engine_find("numbers", -1, &c), "it does not run");
    snprintf(url, sizeof url, "http://%s:8901/go", c.address);
    struct http_response r = http_do(&(struct http_call){.base = url, .path = ""});
    CHECK(r.status == 200, "%ld %s", r.status, r.error);
    http_free(&r);
}

/* All lines are there, once and in order, page after page. */
static void check_numbers(void)
{
    char path[8192] = "/v1/services/madams/numbers/logs/", link[8192], expected[32];
    int n = 0, wrong = 0, first = -1;
    for (int here = 1; here > 0 && path[0] != '\0' && n < LINES;) {
        struct answer a = api("GET", NULL, "%s", path);
        here = (int)doc_len(a.json, "");
        CHECK(a.status == 200, "%ld %.300s", a.status, a.raw.body);
        for (int i = 0; i < here; i++) {
            snprintf(expected, sizeof expected, "number %d", ++n);
            if (strcmp(doc_text(json_object_array_get_idx(a.json, (size_t)i), "message"), expected) != 0 && wrong++ == 0)
                first = n;
        }
        path[0] = '\0';
        if (http_header(&a.raw, "Link", link, sizeof link) == 1 && strlen(link) > strlen(world.url))
            snprintf(path, sizeof path, "%.*s", (int)strcspn(link + 1 + strlen(world.url), ">"), link + 1 + strlen(world.url));
        api_free(&a);
    }
    CHECK(n == LINES && wrong == 0, "%d lines of %d; %d are not in order, the first is %d", n, LINES, wrong, first);
}

static void test_collector(void)
{
    char command[64];
    snprintf(command, sizeof command, ",\"run_command\":\"numbers %d\"", LINES);
    if (!service_create("numbers", "v1", 1, command))
        return;
    /* Twice, with some stored and some not: the second half and the last tenth are printed when they are asked for. */
    static const int64_t at[] = {LINES / 10, LINES / 2 + 1};
    for (size_t i = 0; i < 2; i++) {
        int64_t n = 0;
        for (double end = 0; n < at[i] && world_waiting(&end, 60);)
            n = lines_stored();
        process_kill("collector");
        n = lines_stored();
        CHECK(n >= at[i] && n < LINES, "killed with %d of %d stored: not in the middle", (int)n, LINES);
        go_on();
        local_run();
    }
    int64_t stored = 0;
    for (double end = 0; stored < LINES && world_waiting(&end, 120);)
        stored = lines_stored();
    CHECK(stored == LINES, "%lld of %d are stored", (long long)stored, LINES);
    check_numbers();
    service_delete("numbers");
}

const struct check_test tests_killed[] = {
    {"docker kill, three times; the counts never lie", test_container}, {"deployer, while it scales to 10", test_deployer},
    {"API workers, under load", test_api_worker}, {"collector, while 100,000 lines are printed", test_collector}, {0},
};
