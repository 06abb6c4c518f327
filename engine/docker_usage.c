/* Reads the engine's answer about what a container has used. */
#include "engine/docker_usage.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

#include "common/clock.h"
#include "engine/docker_internal.h"

static struct json_object *member(struct json_object *object, const char *name)
{
    struct json_object *value;
    return json_object_object_get_ex(object, name, &value) ? value : NULL;
}

/* More than any counter will ever reach, and little enough that sums of it don't overflow. */
#define NUMBER_MAX (INT64_C(1) << 56)

/* 0 for what is absent, and for what no counter can be. */
static int64_t number(struct json_object *object, const char *name)
{
    int64_t value = json_object_get_int64(member(object, name));
    return value < 0 ? 0 : value < NUMBER_MAX ? value : NUMBER_MAX;
}

/* Memory in use without page cache: the kernel gives that back before it lets a container run into its limit. Its pages are
 * the file pages of both lists, named one way by cgroup v1 and another by v2. Shared memory is in neither, and stays. */
static int64_t memory_used(struct json_object *memory)
{
    struct json_object *stats = member(memory, "stats");
    bool v1 = member(stats, "total_inactive_file") != NULL;
    int64_t cache = v1 ? number(stats, "total_inactive_file") + number(stats, "total_active_file")
                       : number(stats, "inactive_file") + number(stats, "active_file");
    int64_t used = number(memory, "usage");
    return used > cache ? used - cache : 0;
}

enum engine_status docker_usage_read(const char *text, struct engine_usage *usage)
{
    *usage = (struct engine_usage){0};
    struct json_object *all = json_tokener_parse(text);
    struct json_object *cpu = member(all, "cpu_stats"), *memory = member(all, "memory_stats"), *networks = member(all, "networks");
    const char *read = docker_text(all, "read");
    enum engine_status status = ENGINE_FAILED;
    if (cpu == NULL || memory == NULL)
        goto out;
    status = ENGINE_NOT_FOUND;
    if (strncmp(read, "0001-", 5) == 0)
        goto out;
    status = ENGINE_FAILED;
    if (clock_parse_rfc3339(read, strlen(read), &usage->at_ns) != 0)
        goto out;
    status = ENGINE_NOT_FOUND;
    usage->memory_limit_bytes = number(memory, "limit");
    if (usage->memory_limit_bytes == 0)
        goto out;
    usage->cpu_ns = number(member(cpu, "cpu_usage"), "total_usage");
    usage->cpus = number(cpu, "online_cpus");
    usage->memory_bytes = memory_used(memory);
    if (json_object_is_type(networks, json_type_object)) {
        json_object_object_foreach(networks, name, network)
        {
            (void)name;
            if (usage->received_bytes > NUMBER_MAX || usage->sent_bytes > NUMBER_MAX || usage->received_errors > NUMBER_MAX ||
                usage->sent_errors > NUMBER_MAX)
                break;
            usage->received_bytes += number(network, "rx_bytes");
            usage->received_errors += number(network, "rx_errors");
            usage->sent_bytes += number(network, "tx_bytes");
            usage->sent_errors += number(network, "tx_errors");
        }
    }
    status = ENGINE_OK;
out:
    json_object_put(all);
    return status;
}
