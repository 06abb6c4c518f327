/* What a service keeps: a real PostgreSQL on volumes, through all that happens to it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/e2e.h"

/* Asks the PostgreSQL in an instance until it answers; the first value, which the caller frees. */
static char *keep_sql(int slot, const char *sql)
{
    char *text = strdup("no instance runs");
    bool answered = false;
    for (double end = 0; !answered && world_waiting(&end, 40);) {
        struct engine_container c;
        char dsn[200];
        if (!engine_find("keep", slot, &c) || c.address[0] == '\0')
            continue;
        snprintf(dsn, sizeof dsn, "host=%s user=postgres dbname=postgres connect_timeout=10", c.address);
        free(text);
        text = world_sql_of(dsn, &answered, sql);
    }
    CHECK(answered, "keep.%d: %s: %s", slot, sql, text);
    return text;
}

/* Each instance has what was written to its own database, and nothing of the other's. */
static void check_rows(const char *when)
{
    for (int slot = 0; slot < 2; slot++) {
        char *rows = keep_sql(slot, "SELECT string_agg(v, ',') FROM kept");
        CHECK(strcmp(rows, slot == 0 ? "of 0" : "of 1") == 0, "%s: keep.%d has %s", when, slot, rows);
        free(rows);
    }
}

static void test_survives(void)
{
    if (!service_create_of("team/postgres:latest", "keep", 2,
                           ",\"instance_ports\":[{\"container_port\":5432,\"endpoint_type\":\"internal-endpoint\"}],"
                           "\"volumes\":[{\"app_volume_dir\":\"/data\",\"volume_type\":\"EBS\",\"size_gb\":1}]") ||
        !service_runs("madams", "keep", 2, 90))
        return;
    free(keep_sql(0, "CREATE TABLE IF NOT EXISTS kept (v text); INSERT INTO kept VALUES ('of 0')"));
    free(keep_sql(1, "CREATE TABLE IF NOT EXISTS kept (v text); INSERT INTO kept VALUES ('of 1')"));
    check_rows("at first");
    CHECK(api_status("PUT", NULL, "/v1/services/madams/keep/stop/") == 200, "stop");
    service_says("keep", "Stopped", "", 60);
    CHECK(api_status("PUT", NULL, "/v1/services/madams/keep/start/") == 200, "start");
    service_runs("madams", "keep", 2, 60);
    check_rows("after stop and start");
    struct answer a = api("GET", NULL, "/v1/services/madams/keep/");
    CHECK(strcmp(doc_text(a.json, "volumes[0].volume_type"), "EBS") == 0 && doc_int(a.json, "volumes[0].size_gb") == 1, "%s", a.raw.body);
    api_free(&a);
}

/* Stop-first: at no moment two instances of one slot, which would write one volume. */
static void test_update(void)
{
    if (!service_runs("madams", "keep", 2, 30))
        return;
    CHECK(api_status("PUT", "{\"instance_envvars\":{\"CHANGED\":\"1\"}}", "/v1/services/madams/keep/") == 200, "update");
    int most = 0;
    for (double end = 0; world_waiting(&end, 60);) {
        struct json_object *all;
        int changed = 0, of_slot[2] = {0, 0};
        for (int i = engine_containers("madams", "keep", false, &all) - 1; i >= 0; i--) {
            struct json_object *container = json_object_array_get_idx(all, (size_t)i), *slot = NULL, *one = NULL;
            json_object_object_get_ex(doc_at(container, "Labels"), "skylark.slot", &slot);
            of_slot[slot != NULL && json_object_get_int(slot) == 1]++;
            engine_call("GET", NULL, &one, "/containers/%s/json", doc_text(container, "Id"));
            changed += strstr(json_object_to_json_string(doc_at(one, "Config.Env")), "\"CHANGED=1\"") != NULL;
            json_object_put(one);
        }
        json_object_put(all);
        for (int slot = 0; slot < 2; slot++)
            most = of_slot[slot] > most ? of_slot[slot] : most;
        if (changed == 2)
            break;
    }
    CHECK(most == 1, "%d instances of one slot at a time", most);
    service_runs("madams", "keep", 2, 60);
    check_rows("after an update");
}

static void test_engine_killed(void)
{
    if (!service_runs("madams", "keep", 2, 30))
        return;
    process_kill("engine");
    local_run();
    service_runs("madams", "keep", 2, 90);
    check_rows("after kill -9 of the engine");
    CHECK(engine_kill_one("keep", 0, NULL) && engine_kill_one("keep", 1, NULL), "not killed");
    service_runs("madams", "keep", 2, 60);
    check_rows("after docker kill of both");
    CHECK(api_status("PUT", "{\"target_num_instances\":1}", "/v1/services/madams/keep/") == 200, "scale down");
    service_runs("madams", "keep", 1, 60);
    CHECK(api_status("PUT", "{\"target_num_instances\":2}", "/v1/services/madams/keep/") == 200, "and up again");
    service_runs("madams", "keep", 2, 60);
    check_rows("after it was scaled down and up again");
}

static void test_deleted(void)
{
    struct json_object *all;
    int n = engine_volumes("skylark.service", &all);
    CHECK(n == 2 && strstr(json_object_to_json_string(all), "keep.0.") != NULL, "%s",
          json_object_to_json_string(all));
    json_object_put(all);
    service_delete("keep");
    volumes_are(20, "skylark.service", 0);
}

/* Where the driver can, the size is enforced: by a file system of its own. */
static void test_size(void)
{
    int status;
    free(world_ctl(&status, "volume-type set MEMORY local type=tmpfs device=tmpfs 'o=size={size_gb}m'"));
    CHECK(status == 0, "volume-type set: %d", status);
    char *types = world_ctl(&status, "volume-type list | grep ' t '");
    CHECK(strstr(types, "MEMORY") != NULL, "%s", types);
    free(types);
    if (!service_create("sized", "v1", 1, ",\"volumes\":[{\"app_volume_dir\":\"/data\",\"volume_type\":\"MEMORY\",\"size_gb\":3}]") ||
        !service_runs("madams", "sized", 1, 60))
        return;
    exec_done("sized", -1, TEXTS("dd", "if=/dev/zero", "of=/data/x", "bs=1024", "count=2048"));
    exec_says(0, "sized", -1, "No space left on device", TEXTS("dd", "if=/dev/zero", "of=/data/y", "bs=1024", "count=2048"));
    service_delete("sized");
    /* A driver that can't says so, and it is not passed over. */
    free(world_ctl(&status, "volume-type set MEMORY local 'size={size_gb}G'"));
    if (!service_create("sized", "v1", 1, ",\"volumes\":[{\"app_volume_dir\":\"/data\",\"volume_type\":\"MEMORY\",\"size_gb\":3}]"))
        return;
    service_says("sized", "Error", "quota", 30);
    service_delete("sized");
}

#define ENTRY(type, size) "\"volumes\":[{\"app_volume_dir\":\"/data\",\"volume_type\":\"" type "\",\"size_gb\":" size "}]"
#define KEPT TEXTS("cat", "/data/x")

/* Taken out of the list, and put back: what was written is there again. And a volume that is there does not follow its type. */
static void test_put_back(void)
{
    int status;
    free(world_ctl(&status, "volume-type set MOVING local"));
    if (!service_create("stay", "v1", 1, "," ENTRY("MOVING", "1")) || !service_runs("madams", "stay", 1, 60))
        return;
    exec_done("stay", -1, TEXTS("sh", "-c", "echo here >/data/x"));
    CHECK(api_status("PUT", "{\"volumes\":[]}", "/v1/services/madams/stay/") == 200, "take out");
    service_runs("madams", "stay", 1, 60);
    exec_says(20, "stay", -1, "No such file", KEPT);
    struct answer a = api("PUT", "{" ENTRY("EBS", "1") "}", "/v1/services/madams/stay/");
    check_problem(&a, 400, "another type");
    CHECK(doc_names(a.json, "volumes[0].volume_type"), "%s", a.raw.body);
    api_free(&a);
    free(world_ctl(&status, "volume-type set MOVING nosuchdriver"));
    CHECK(status == 0, "volume-type set: %d", status);
    CHECK(api_status("PUT", "{" ENTRY("MOVING", "1") "}", "/v1/services/madams/stay/") == 200, "put back");
    exec_says(30, "stay", -1, "here", KEPT);
    service_runs("madams", "stay", 1, 30);
    service_delete("stay");
    for (double end = 0; world_sql_number("SELECT count(*) FROM skylark.volumes WHERE volume_type = 'MOVING'") > 0 && world_waiting(&end, 20);)
        ;
    char *said = world_ctl(&status, "volume-type remove MOVING");
    CHECK(strstr(said, "volume type removed") != NULL, "%s", said);
    free(said);
}

/* As the operator sets it, volumes stay when their service is deleted. */
static void test_keep_on_delete(void)
{
    setting_add("deployer", "volumes_on_delete = keep");
    if (!service_create("left", "v1", 1, ",\"volumes\":[{\"app_volume_dir\":\"/data\",\"size_gb\":1}]") || !service_runs("madams", "left", 1, 60))
        return;
    service_delete("left");
    /* With its row, all is over. */
    for (double end = 0; world_sql_number("SELECT count(*) FROM skylark.services WHERE name = 'left'") > 0 && world_waiting(&end, 20);)
        ;
    struct json_object *all;
    int n = engine_volumes("skylark.service", &all);
    CHECK(n == 1 && strstr(doc_text(all, "[0].Name"), "left.0.") != NULL, "%s", json_object_to_json_string(all));
    CHECK(engine_call("DELETE", NULL, NULL, "/volumes/%s", doc_text(all, "[0].Name")) == 204, "it can't be removed");
    json_object_put(all);
    setting_remove("deployer");
}

const struct check_test tests_volumes[] = {
    {"volume: stop and start", test_survives}, {"volume: an update, stop-first", test_update},
    {"volume: kill -9 of the engine, and scaling", test_engine_killed}, {"volume: goes with delete", test_deleted},
    {"volume: the size is enforced", test_size}, {"volume: taken out and put back", test_put_back}, {"volume: kept on delete", test_keep_on_delete}, {0},
};
