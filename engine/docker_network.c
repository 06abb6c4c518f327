/* Networks: one for the containers that may reach each other. */
#include <string.h>

#include "engine/docker_internal.h"

static void network_path(struct buf *path, const char *name)
{
    buf_adds(path, "/networks/");
    docker_add_encoded(path, name);
}

static struct json_object *network_body(const struct engine_network_spec *spec)
{
    struct json_object *body = json_object_new_object(), *labels = json_object_new_object(), *options = json_object_new_object();
    json_object_object_add(labels, "skylark.installation", json_object_new_string(spec->installation));
    json_object_object_add(labels, "skylark.namespace", json_object_new_string(spec->namespace_name));
    /* Names of networks may stand twice, names of bridges not: so two deployers never make two of it. */
    json_object_object_add(options, "com.docker.network.bridge.name", json_object_new_string(spec->name));
    json_object_object_add(body, "Name", json_object_new_string(spec->name));
    json_object_object_add(body, "Driver", json_object_new_string("bridge"));
    json_object_object_add(body, "CheckDuplicate", json_object_new_boolean(true));
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
