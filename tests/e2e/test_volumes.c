/* What a service keeps: a real PostgreSQL on volumes, through all that happens to it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/e2e.h"

#define PSQL "docker exec $(docker ps -q --filter label=skylark.name=keep --filter name='keep.%d.') psql -h /tmp -U postgres -XAtc "

/* Each instance has what was written to its own database, and nothing of the other's. */
static void check_rows(const char *when)
{
    shell_says(20, "of 0", ": %s; " PSQL "'SELECT string_agg(v, chr(44)) FROM kept'", when, 0);
    shell_says(20, "of 1", ": %s; " PSQL "'SELECT string_agg(v, chr(44)) FROM kept'", when, 1);
}

static void test_survives(void)
{
    if (!service_create_of("team/postgres:latest", "keep", 2,
                           ",\"instance_ports\":[{\"container_port\":5432,\"endpoint_type\":\"internal-endpoint\"}],"
                           "\"volumes\":[{\"app_volume_dir\":\"/data\",\"volume_type\":\"EBS\",\"size_gb\":1}]") ||
        !service_runs("madams", "keep", 2, 90))
        return;
    for (int slot = 0; slot < 2; slot++)
        shell_says(20, "INSERT 0 1", PSQL "'CREATE TABLE kept (v text)' -c \"INSERT INTO kept VALUES ('of %d')\"", slot, slot);
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
        char *text = world_shell(NULL, "docker ps --filter label=skylark.name=keep --format '{{.Names}}' | cut -d . -f 3 | sort | uniq -c | "
                                 "awk '{ if ($1 > m) m = $1 } END { print m + 0 }'");
        most = atoi(text) > most ? atoi(text) : most;
        free(text);
        text = world_shell(NULL, "docker ps -q --filter label=skylark.name=keep | xargs -r docker inspect --format '{{.Config.Env}}' | grep -c CHANGED=1");
        bool done = atoi(text) == 2;
        free(text);
        if (done)
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
    free(world_shell(NULL, "docker kill $(docker ps -q --filter label=skylark.name=keep)"));
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
    shell_says(0, "keep.0.", "docker volume ls -q --filter label=skylark.service");
    shell_says(0, "volumes: 2", "echo \"volumes: $(docker volume ls -q --filter label=skylark.service | wc -l)\"");
    service_delete("keep");
    shell_says(20, "volumes: 0", "echo \"volumes: $(docker volume ls -q --filter label=skylark.service | wc -l)\"");
}

/* Where the driver can, the size is enforced: by a file system of its own. */
static void test_size(void)
{
    int status;
    free(world_shell(&status, "\"$B/skylarkctl\" -c '%s/etc/ctl.conf' volume-type set MEMORY local type=tmpfs device=tmpfs 'o=size={size_gb}m'", world.var));
    CHECK(status == 0, "volume-type set: %d", status);
    shell_says(0, "MEMORY", "\"$B/skylarkctl\" -c '%s/etc/ctl.conf' volume-type list | grep ' t '", world.var);
    if (!service_create("sized", "v1", 1, ",\"volumes\":[{\"app_volume_dir\":\"/data\",\"volume_type\":\"MEMORY\",\"size_gb\":3}]") ||
        !service_runs("madams", "sized", 1, 60))
        return;
#define IN "docker exec $(docker ps -q --filter label=skylark.name=sized) "
    shell_says(0, "written", IN "sh -c 'dd if=/dev/zero of=/data/x bs=1024 count=2048 2>&1 && echo written'");
    shell_says(0, "No space left on device", IN "dd if=/dev/zero of=/data/y bs=1024 count=2048");
    service_delete("sized");
    /* A driver that can't says so, and it is not passed over. */
    free(world_shell(&status, "\"$B/skylarkctl\" -c '%s/etc/ctl.conf' volume-type set MEMORY local 'size={size_gb}G'", world.var));
    if (!service_create("sized", "v1", 1, ",\"volumes\":[{\"app_volume_dir\":\"/data\",\"volume_type\":\"MEMORY\",\"size_gb\":3}]"))
        return;
    service_says("sized", "Error", "quota", 30);
    service_delete("sized");
}

#define ENTRY(type, size) "\"volumes\":[{\"app_volume_dir\":\"/data\",\"volume_type\":\"" type "\",\"size_gb\":" size "}]"
#define KEPT "docker exec $(docker ps -q --filter label=skylark.name=stay) cat /data/x"

/* Taken out of the list, and put back: what was written is there again. And a volume that is there does not follow its type. */
static void test_put_back(void)
{
    int status;
    free(world_shell(&status, "\"$B/skylarkctl\" -c '%s/etc/ctl.conf' volume-type set MOVING local", world.var));
    if (!service_create("stay", "v1", 1, "," ENTRY("MOVING", "1")) || !service_runs("madams", "stay", 1, 60))
        return;
    shell_says(0, "written", "docker exec $(docker ps -q --filter label=skylark.name=stay) sh -c 'echo here >/data/x && echo written'");
    CHECK(api_status("PUT", "{\"volumes\":[]}", "/v1/services/madams/stay/") == 200, "take out");
    service_runs("madams", "stay", 1, 60);
    shell_says(20, "No such file", KEPT " 2>&1");
    struct answer a = api("PUT", "{" ENTRY("EBS", "1") "}", "/v1/services/madams/stay/");
    check_problem(&a, 400, "another type");
    CHECK(doc_names(a.json, "volumes[0].volume_type"), "%s", a.raw.body);
    api_free(&a);
    free(world_shell(&status, "\"$B/skylarkctl\" -c '%s/etc/ctl.conf' volume-type set MOVING nosuchdriver", world.var));
    CHECK(status == 0, "volume-type set: %d", status);
    CHECK(api_status("PUT", "{" ENTRY("MOVING", "1") "}", "/v1/services/madams/stay/") == 200, "put back");
    shell_says(30, "here", KEPT " 2>&1");
    service_runs("madams", "stay", 1, 30);
    service_delete("stay");
    shell_says(10, "volume type removed", "\"$B/skylarkctl\" -c '%s/etc/ctl.conf' volume-type remove MOVING 2>&1", world.var);
}

/* As the operator sets it, volumes stay when their service is deleted. */
static void test_keep_on_delete(void)
{
    free(world_shell(NULL, "f='%s/etc/deployer.conf'; cp \"$f\" \"$f.kept\"; echo 'volumes_on_delete = keep' >>\"$f\"; kill -HUP %d", world.var,
                     world_pid("deployer")));
    if (!service_create("left", "v1", 1, ",\"volumes\":[{\"app_volume_dir\":\"/data\",\"size_gb\":1}]") || !service_runs("madams", "left", 1, 60))
        return;
    service_delete("left");
    free(world_shell(NULL, "sleep 1"));
    shell_says(5, "left.0.", "docker volume ls -q --filter label=skylark.service");
    free(world_shell(NULL, "docker volume rm $(docker volume ls -q --filter label=skylark.service); f='%s/etc/deployer.conf'; mv \"$f.kept\" \"$f\"; kill -HUP %d",
                     world.var, world_pid("deployer")));
}

const struct check_test tests_volumes[] = {
    {"volume: stop and start", test_survives}, {"volume: an update, stop-first", test_update},
    {"volume: kill -9 of the engine, and scaling", test_engine_killed}, {"volume: goes with delete", test_deleted},
    {"volume: the size is enforced", test_size}, {"volume: taken out and put back", test_put_back}, {"volume: kept on delete", test_keep_on_delete}, {0},
};
