/* Networks: one for each set of containers that may reach each other. */
#include <stdio.h>
#include <string.h>

#include "engine/docker_internal.h"

static void network_path(struct buf *path, const char *name)
{
    buf_adds(path, "/networks/");
    docker_add_encoded(path, name);
}

#define MEMBER_LABEL_SIZE 80

/* One label a member, since a filter finds a label whole only. */
static void member_label(char label[MEMBER_LABEL_SIZE], const char *service)
{
    snprintf(label, MEMBER_LABEL_SIZE, "skylark.member.%s", service);
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

enum engine_status engine_network_ensure(struct engine *e, const struct engine_network_spec *spec)
{
    enum engine_status status = network_find(e, spec->name);
    if (status != ENGINE_NOT_FOUND)
        return status;
    struct json_object *body = network_body(spec);
    status = docker_call(e, "POST", "/networks/create", body, NULL);
    json_object_put(body);
    /* Another deployer was quicker, by whatever words the engine says so. */
    if (status == ENGINE_CONFLICT || status == ENGINE_REFUSED || status == ENGINE_FAILED) {
        struct buf words = {0};
        buf_adds(&words, engine_error(e));
        if (network_find(e, spec->name) == ENGINE_OK)
            status = ENGINE_OK;
        buf_clear(&e->error);
        buf_adds(&e->error, buf_text(&words));
        buf_free(&words);
    }
    return status;
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
    return status != ENGINE_OK && strstr(engine_error(e), "marked for removal") != NULL ? ENGINE_CONFLICT : status;
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
        json_object_object_foreach(containers, container_id, unused)
        {
            struct json_object *body = json_object_new_object();
            (void)unused;
            json_object_object_add(body, "Container", json_object_new_string(container_id));
            json_object_object_add(body, "Force", json_object_new_boolean(true));
            if (status == ENGINE_OK && docker_call(e, "POST", buf_text(&path), body, NULL) == ENGINE_AWAY)
                status = ENGINE_AWAY;
            json_object_put(body);
        }
    }
    json_object_put(network);
    buf_free(&path);
    return status == ENGINE_NOT_FOUND ? ENGINE_OK : status;
}

static bool is_kept(const char *name, const char *const *keep)
{
    for (; *keep != NULL; keep++) {
        if (strcmp(name, *keep) == 0)
            return true;
    }
    return false;
}

enum engine_status engine_network_prune(struct engine *e, const char *installation, const char *member, const char *const *keep)
{
    struct buf path = {0};
    char label[MEMBER_LABEL_SIZE];
    struct json_object *found;
    member_label(label, member);
    buf_adds(&path, "/networks?filters=");
    docker_add_label_filter(&path, installation, label, NULL, "");
    enum engine_status status = docker_call(e, "GET", buf_text(&path), NULL, &found);
    buf_free(&path);
    size_t n = json_object_is_type(found, json_type_array) ? json_object_array_length(found) : 0;
    for (size_t i = 0; i < n && status == ENGINE_OK; i++) {
        struct json_object *network = json_object_array_get_idx(found, i);
        if (is_kept(docker_text(network, "Name"), keep))
            continue;
        status = network_empty(e, docker_text(network, "Id"));
        if (status == ENGINE_OK)
            status = engine_network_remove(e, docker_text(network, "Id"));
    }
    json_object_put(found);
    return status;
}
