/* Networks: one for each set of containers that may reach each other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/docker_internal.h"

/* A network that another deployer is making is found a moment after its bridge is taken: looked for so often. */
#define FIND_TRIES 10
#define FIND_WAIT_NS 100000000

static void network_path(struct buf *path, const char *name)
{
    buf_adds(path, "/networks/");
    docker_add_encoded(path, name);
}

#define MEMBER_LABEL_SIZE 80

/* One label a member, since a filter finds a label whole only. */
static const char member_prefix[] = "skylark.member.";

static void member_label(char label[MEMBER_LABEL_SIZE], const char *service)
{
    snprintf(label, MEMBER_LABEL_SIZE, "%s%s", member_prefix, service);
}

static struct json_object *network_body(const struct engine_network_spec *spec)
{
    struct json_object *body = json_object_new_object(), *labels = json_object_new_object(), *options = json_object_new_object();
    json_object_object_add(labels, "skylark.installation", json_object_new_string(spec->installation));
    json_object_object_add(labels, "skylark.namespace", json_object_new_string(spec->namespace_name));
    for (size_t i = 0; spec->members != NULL && spec->members[i] != NULL; i++) {
        char label[MEMBER_LABEL_SIZE];
        member_label(label, spec->members[i]);
        json_object_object_add(labels, label, json_object_new_string(""));
    }
    /* Names of networks may stand twice, names of bridges not: so two deployers never make two of it. */
    json_object_object_add(options, "com.docker.network.bridge.name", json_object_new_string(spec->name));
    json_object_object_add(body, "Name", json_object_new_string(spec->name));
    json_object_object_add(body, "Driver", json_object_new_string("bridge"));
    json_object_object_add(body, "CheckDuplicate", json_object_new_boolean(true));
    json_object_object_add(body, "Internal", json_object_new_boolean(spec->internal));
    json_object_object_add(body, "Labels", labels);
    json_object_object_add(body, "Options", options);
    return body;
}

static enum engine_status network_find(struct engine *e, const char *name)
{
    struct buf path = {0};
    network_path(&path, name);
    enum engine_status status = docker_call(e, "GET", buf_text(&path), NULL, NULL);
    buf_free(&path);
    return status;
}

/* After the engine refused to make it: whether another deployer was quicker, by whatever words the engine says so. Leaves
 * engine_error() as it was. */
static bool network_made_by_other(struct engine *e, const char *name)
{
    const struct timespec wait = {.tv_nsec = FIND_WAIT_NS};
    struct buf words = {0};
    buf_adds(&words, engine_error(e));
    bool taken = strstr(buf_text(&words), "same bridge name") != NULL || strstr(buf_text(&words), "already exists") != NULL;
    bool found = network_find(e, name) == ENGINE_OK;
    for (int i = 0; i < FIND_TRIES && taken && !found; i++) {
        nanosleep(&wait, NULL);
        found = network_find(e, name) == ENGINE_OK;
    }
    buf_clear(&e->error);
    buf_adds(&e->error, buf_text(&words));
    buf_free(&words);
    return found;
}

enum engine_status engine_network_ensure(struct engine *e, const struct engine_network_spec *spec)
{
    enum engine_status status = network_find(e, spec->name);
    if (status != ENGINE_NOT_FOUND)
        return status;
    struct json_object *body = network_body(spec);
    status = docker_call(e, "POST", "/networks/create", body, NULL);
    json_object_put(body);
    bool refused = status == ENGINE_CONFLICT || status == ENGINE_REFUSED || status == ENGINE_FAILED;
    return refused && network_made_by_other(e, spec->name) ? ENGINE_OK : status;
}

enum engine_status engine_network_join(struct engine *e, const char *network, const char *container_id,
                                       const char *const *aliases, const char *const *links)
{
    struct buf path = {0};
    struct json_object *body = json_object_new_object();
    network_path(&path, network);
    buf_adds(&path, "/connect");
    json_object_object_add(body, "Container", json_object_new_string(container_id));
    json_object_object_add(body, "EndpointConfig", docker_endpoint(aliases, links));
    enum engine_status status = docker_call(e, "POST", buf_text(&path), body, NULL);
    buf_free(&path);
    json_object_put(body);
    if (status != ENGINE_OK && strstr(engine_error(e), "already exists in network") != NULL)
        return ENGINE_OK;
    bool gone = status != ENGINE_OK &&
                (strstr(engine_error(e), "marked for removal") != NULL || strstr(engine_error(e), "No such container") != NULL);
    return gone ? ENGINE_CONFLICT : status;
}

enum engine_status engine_network_remove(struct engine *e, const char *name)
{
    struct buf path = {0};
    network_path(&path, name);
    enum engine_status status = docker_call(e, "DELETE", buf_text(&path), NULL, NULL);
    buf_free(&path);
    if (status == ENGINE_NOT_FOUND)
        return ENGINE_OK;
    /* Some engines say "forbidden", some "conflict". */
    return status != ENGINE_OK && strstr(engine_error(e), "active endpoints") != NULL ? ENGINE_CONFLICT : status;
}

/* key: of the list of containers in a network. That of an endpoint whose container is gone is found by its name only. */
static enum engine_status network_leave(struct engine *e, const char *path, const char *key, struct json_object *endpoint)
{
    const char *names[] = {key, docker_text(endpoint, "Name")};
    enum engine_status status = ENGINE_FAILED;
    for (int i = 0; i < 2 && status != ENGINE_OK && !engine_unusable(status); i++) {
        struct json_object *body = json_object_new_object();
        json_object_object_add(body, "Container", json_object_new_string(names[i]));
        json_object_object_add(body, "Force", json_object_new_boolean(true));
        status = docker_call(e, "POST", path, body, NULL);
        json_object_put(body);
    }
    return status;
}

/* Takes out what is in, whatever the engine says of each: whether all are out shows when the network is removed. */
static enum engine_status network_empty(struct engine *e, const char *id)
{
    struct buf path = {0};
    struct json_object *network, *containers = NULL;
    network_path(&path, id);
    enum engine_status status = docker_call(e, "GET", buf_text(&path), NULL, &network);
    if (status == ENGINE_OK)
        json_object_object_get_ex(network, "Containers", &containers);
    buf_adds(&path, "/disconnect");
    if (json_object_is_type(containers, json_type_object)) {
        json_object_object_foreach(containers, key, endpoint)
        {
            enum engine_status left = status == ENGINE_OK ? network_leave(e, buf_text(&path), key, endpoint) : ENGINE_OK;
            if (engine_unusable(left))
                status = left;
        }
    }
    json_object_put(network);
    buf_free(&path);
    return status == ENGINE_NOT_FOUND ? ENGINE_OK : status;
}

enum engine_status engine_network_discard(struct engine *e, const char *name)
{
    enum engine_status status = network_empty(e, name);
    return status == ENGINE_OK ? engine_network_remove(e, name) : status;
}

/* Returns -1 when memory ran out. */
static int network_read(struct engine_network *network, struct json_object *json)
{
    struct json_object *labels = NULL;
    json_object_object_get_ex(json, "Labels", &labels);
    bool any = json_object_is_type(labels, json_type_object);
    size_t used = 0;
    network->name = strdup(docker_text(json, "Name"));
    network->members = calloc((any ? (size_t)json_object_object_length(labels) : 0) + 1, sizeof *network->members);
    if (network->name == NULL || network->members == NULL)
        return -1;
    if (!any)
        return 0;
    json_object_object_foreach(labels, label, unused)
    {
        (void)unused;
        if (strncmp(label, member_prefix, strlen(member_prefix)) != 0)
            continue;
        network->members[used] = strdup(label + strlen(member_prefix));
        if (network->members[used++] == NULL)
            return -1;
    }
    return 0;
}

void engine_network_list_free(struct engine_network_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        docker_texts_free(list->items[i].members);
        free(list->items[i].name);
    }
    free(list->items);
    *list = (struct engine_network_list){0};
}

enum engine_status engine_network_find_member(struct engine *e, const char *installation, const char *member,
                                              struct engine_network_list *list)
{
    struct buf path = {0};
    char label[MEMBER_LABEL_SIZE];
    struct json_object *found;
    *list = (struct engine_network_list){0};
    member_label(label, member);
    buf_adds(&path, "/networks?filters=");
    docker_add_label_filter(&path, installation, label, NULL, "");
    enum engine_status status = docker_call(e, "GET", buf_text(&path), NULL, &found);
    buf_free(&path);
    size_t n = json_object_is_type(found, json_type_array) ? json_object_array_length(found) : 0;
    list->items = calloc(n + 1, sizeof *list->items);
    if (status == ENGINE_OK && list->items == NULL)
        status = ENGINE_FAILED;
    for (size_t i = 0; i < n && status == ENGINE_OK; i++) {
        if (network_read(&list->items[list->n++], json_object_array_get_idx(found, i)) != 0)
            status = ENGINE_FAILED;
    }
    if (status != ENGINE_OK)
        engine_network_list_free(list);
    json_object_put(found);
    return status;
}
