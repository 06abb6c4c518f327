/* What can't work says so, and what comes back works again without anybody's help. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/e2e.h"

static void test_no_image(void)
{
    if (!service_create("no-image", "never-pushed", 1, ""))
        return;
    service_says("no-image", "Error", "never-pushed", 30);
    struct answer a = api("GET", NULL, "/v1/services/madams/no-image/");
    CHECK(doc_int(a.json, "current_num_instances") == 0 && doc_int(a.json, "started_num_instances") == 0 &&
              doc_len(a.json, "instances") == 0, "%s", a.raw.body);
    api_free(&a);
    service_delete("no-image");
    /* A registry that does not answer at all. */
    a = api("POST", "{\"service_name\":\"no-registry\",\"image_name\":\"127.0.0.1:1/none\"}", "/v1/services/madams/");
    CHECK(a.status == 201, "%ld %s", a.status, a.raw.body);
    api_free(&a);
    service_says("no-registry", "Error", "127.0.0.1:1/none", 30);
    service_delete("no-registry");
}

static void test_crash_loop(void)
{
    if (!service_create("crash", "v1", 1, ",\"run_command\":\"sh -c 'echo I fail; exit 3'\""))
        return;
    struct sampler *sampler = sampler_start("crash");
    service_says("crash", "Error", "3", 30);
    /* It is tried again, ever more slowly; what it printed is kept. */
    int64_t tries = 0;
    for (double end = 0; tries < 3 && world_waiting(&end, 30);)
        tries = world_sql_number("SELECT count(*) FROM skylark.instances i JOIN skylark.services s ON s.id = i.service_id "
                                 "WHERE s.name = 'crash' AND s.deleted_at IS NULL AND i.started_at IS NOT NULL");
    CHECK(tries >= 3, "%d tries", (int)tries);
    sampler_stop(sampler, 2.5, 0, "crash loop");
    int64_t lines = 0;
    for (double end = 0; lines < 3 && world_waiting(&end, 20);) {
        struct answer a = api("GET", NULL, "/v1/services/madams/crash/logs/");
        lines = 0;
        for (int64_t i = 0; i < doc_len(a.json, ""); i++)
            lines += strcmp(doc_text(json_object_array_get_idx(a.json, (size_t)i), "message"), "I fail") == 0;
        api_free(&a);
    }
    CHECK(lines >= 3, "%d lines of instances that died at once", (int)lines);
    service_delete("crash");
    /* A command that does not exist. */
    if (!service_create("no-command", "v1", 1, ",\"run_command\":\"/no/such/command\""))
        return;
    service_says("no-command", "Error", "/no/such/command", 30);
    service_delete("no-command");
}

static void test_postgres(void)
{
    int pids[3] = {world_pid("api"), world_pid("deployer"), world_pid("collector")};
    int workers[64], now[64], n = world_children(pids[0], workers, 64);
    if (!service_create("db", "v1", 1, "") || !service_runs("madams", "db", 1, 60))
        return;
    int pid = world_pid("postgres");
    CHECK(pid > 1 && kill(pid, SIGINT) == 0, "postgres, pid %d", pid);
    int gone = 0;
    for (double end = 0; !gone && world_waiting(&end, 30);)
        gone = world_group(pid, NULL, 0) == 0;
    CHECK(gone, "postgres lives");
    char retry[16];
    for (int i = 0; i < 20; i++) {
        struct answer a = api(i % 2 == 0 ? "GET" : "PUT", NULL, "/v1/services/madams/db/%s", i % 2 == 0 ? "" : "stop/");
        check_problem(&a, 503, "PostgreSQL is away");
        CHECK(http_header(&a.raw, "Retry-After", retry, sizeof retry) == 1 && atoi(retry) > 0, "Retry-After: %s", retry);
        CHECK(a.raw.seconds < 9, "answered after %.1f s: as late as when a statement takes too long", a.raw.seconds);
        api_free(&a);
    }
    struct answer ready = api_call(&(struct http_call){.base = world.internal_url, .path = "/readyz"});
    check_problem(&ready, 503, "readyz");
    api_free(&ready);
    CHECK(api_status("GET", NULL, "/healthz") == 200, "healthz");
    local_run();
    CHECK(world_pid("api") == pids[0] && world_pid("deployer") == pids[1] && world_pid("collector") == pids[2], "restarted");
    CHECK(n > 0 && n <= 64 && world_children(pids[0], now, 64) == n && memcmp(workers, now, (size_t)n * sizeof now[0]) == 0,
          "the workers are others");
    CHECK(api_status("PUT", "{\"target_num_instances\":2}", "/v1/services/madams/db/") == 200, "update");
    service_runs("madams", "db", 2, 40);
}

static void test_engine(void)
{
    if (!service_runs("madams", "db", 2, 30))
        return;
    int pid = world_pid("engine");
    CHECK(pid > 1 && kill(pid, SIGKILL) == 0, "engine, pid %d", pid);
    service_says("db", "Error", "engine", 45);
    struct answer a = api("GET", NULL, "/v1/services/madams/db/");
    CHECK(a.status == 200, "%ld", a.status);
    api_free(&a);
    local_run();
    service_runs("madams", "db", 2, 60);
    service_runs("demo", "demo", 2, 60);
    service_delete("db");
}

const struct check_test tests_trouble[] = {
    {"an image that can't be pulled", test_no_image}, {"a command that ends at once", test_crash_loop},
    {"PostgreSQL goes and comes back", test_postgres}, {"the engine is killed and comes back", test_engine}, {0},
};
