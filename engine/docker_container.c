/* Containers: finding, making, starting, signalling, removing them; and their volumes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "engine/docker_internal.h"

static char *copy(const char *text)
{
    return strdup(text);
}

static enum engine_container_state state_of(const char *text)
{
    if (strcmp(text, "created") == 0)
        return ENGINE_CREATED;
    /* paused and restarting are done by hand; the process is there */
    if (strcmp(text, "running") == 0 || strcmp(text, "paused") == 0 || strcmp(text, "restarting") == 0)
        return ENGINE_RUNNING;
    return ENGINE_EXITED;
}

/* The names and labels, which list and inspect have in different places. */
static void read_identity(struct engine_container *c, const char *id, const char *name, struct json_object *labels)
{
    c->id = copy(id);
    c->name = copy(name[0] == '/' ? name + 1 : name);
    c->installation = copy(docker_text(labels, "skylark.installation"));
    c->service = copy(docker_text(labels, "skylark.service"));
    c->instance = copy(docker_text(labels, "skylark.instance"));
    c->generation = strtoll(docker_text(labels, "skylark.generation"), NULL, 10);
    c->slot = (int)strtol(docker_text(labels, "skylark.slot"), NULL, 10);
}

void engine_container_clear(struct engine_container *c)
{
    free(c->id);
    free(c->name);
    free(c->installation);
    free(c->service);
    free(c->instance);
    free(c->error);
    free(c->published);
    docker_texts_free(c->networks);
    *c = (struct engine_container){0};
}

void engine_container_list_free(struct engine_container_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        engine_container_clear(&list->items[i]);
    free(list->items);
    *list = (struct engine_container_list){0};
}

bool engine_container_in(const struct engine_container *c, const char *network)
{
    for (size_t i = 0; c->networks != NULL && c->networks[i] != NULL; i++) {
        if (strcmp(c->networks[i], network) == 0)
            return true;
    }
    return false;
}

/* settings: its NetworkSettings. The address is the one in the network called home. */
static void read_networks(struct engine_container *c, struct json_object *settings, const char *home)
{
    struct json_object *networks = NULL;
    json_object_object_get_ex(settings, "Networks", &networks);
    bool any = json_object_is_type(networks, json_type_object);
    size_t used = 0;
    c->networks = calloc((any ? (size_t)json_object_object_length(networks) : 0) + 1, sizeof *c->networks);
    if (!any || c->networks == NULL)
        return;
    json_object_object_foreach(networks, name, network)
    {
        c->networks[used] = copy(name);
        used += c->networks[used] != NULL;
        if (strcmp(name, home) == 0)
            snprintf(c->address, sizeof c->address, "%s", docker_text(network, "IPAddress"));
    }
}

/* A list has it in words for people only: "Up 2 hours (unhealthy)". */
static enum engine_health listed_health(const char *status)
{
    return strstr(status, "(unhealthy)") != NULL           ? ENGINE_HEALTH_BAD
           : strstr(status, "(healthy)") != NULL           ? ENGINE_HEALTH_GOOD
           : strstr(status, "(health: starting)") != NULL ? ENGINE_HEALTH_STARTING
                                                           : ENGINE_HEALTH_NONE;
}

enum engine_status engine_container_find(struct engine *e, const char *installation, const char *service,
                                         struct engine_container_list *list)
{
    struct buf path = {0};
    struct json_object *found, *labels;
    *list = (struct engine_container_list){0};
    buf_adds(&path, "/containers/json?all=1&filters=");
    docker_add_label_filter(&path, installation, service != NULL ? "skylark.service" : NULL, service, "");
    enum engine_status status = docker_call(e, "GET", buf_text(&path), NULL, &found);
    buf_free(&path);
    if (status != ENGINE_OK)
        return status; /* and no list to free */
    size_t n = json_object_is_type(found, json_type_array) ? json_object_array_length(found) : 0;
    list->items = calloc(n + 1, sizeof *list->items);
    for (size_t i = 0; i < n && list->items != NULL; i++) {
        struct json_object *one = json_object_array_get_idx(found, i), *names = NULL;
        struct engine_container *c = &list->items[list->n++];
        labels = NULL;
        json_object_object_get_ex(one, "Labels", &labels);
        json_object_object_get_ex(one, "Names", &names);
        const char *name = names != NULL ? json_object_get_string(json_object_array_get_idx(names, 0)) : NULL;
        read_identity(c, docker_text(one, "Id"), name != NULL ? name : "", labels);
        c->state = state_of(docker_text(one, "State"));
        c->health = listed_health(docker_text(one, "Status"));
        read_networks(c, json_object_object_get(one, "NetworkSettings"), "");
        c->error = copy("");
    }
    json_object_put(found);
    return list->items == NULL ? ENGINE_FAILED : ENGINE_OK;
}

/* The engine writes 0001-01-01 for what never happened. */
static int64_t time_of(struct json_object *state, const char *name)
{
    const char *text = docker_text(state, name);
    int64_t ns;
    if (strncmp(text, "0001-", 5) == 0 || clock_parse_rfc3339(text, strlen(text), &ns) != 0)
        return 0;
    return ns;
}

/* Thousandths of a CPU, whichever way the limit was set. */
static int64_t cpu_limit_of(struct json_object *host)
{
    struct json_object *value;
    int64_t nano = json_object_object_get_ex(host, "NanoCpus", &value) ? json_object_get_int64(value) : 0;
    int64_t quota = json_object_object_get_ex(host, "CpuQuota", &value) ? json_object_get_int64(value) : 0;
    int64_t period = json_object_object_get_ex(host, "CpuPeriod", &value) ? json_object_get_int64(value) : 0;
    if (nano > 0)
        return nano / 1000000;
    return quota > 0 && period > 0 ? quota * 1000 / period : 0;
}

static enum engine_health health_of(struct json_object *state)
{
    struct json_object *health;
    if (!json_object_object_get_ex(state, "Health", &health) || health == NULL)
        return ENGINE_HEALTH_NONE;
    const char *status = docker_text(health, "Status");
    return strcmp(status, "healthy") == 0     ? ENGINE_HEALTH_GOOD
           : strcmp(status, "unhealthy") == 0 ? ENGINE_HEALTH_BAD
           : strcmp(status, "starting") == 0  ? ENGINE_HEALTH_STARTING
                                              : ENGINE_HEALTH_NONE;
}

/* "22/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"}, …]; null where it is only exposed. */
static void read_published(struct engine_container *c, struct json_object *ports)
{
    size_t n = json_object_is_type(ports, json_type_object) ? (size_t)json_object_object_length(ports) : 0;
    c->published = calloc(n + 1, sizeof *c->published);
    if (n == 0 || c->published == NULL)
        return;
    json_object_object_foreach(ports, name, bindings)
    {
        const char *slash = strchr(name, '/');
        struct json_object *first = json_object_is_type(bindings, json_type_array) ? json_object_array_get_idx(bindings, 0) : NULL;
        if (first == NULL || slash == NULL)
            continue;
        struct engine_published *p = &c->published[c->n_published++];
        p->container_port = (int)strtol(name, NULL, 10);
        p->port = (int)strtol(docker_text(first, "HostPort"), NULL, 10);
        snprintf(p->protocol, sizeof p->protocol, "%s", slash + 1);
        snprintf(p->address, sizeof p->address, "%s", docker_text(first, "HostIp"));
    }
}

enum engine_status engine_container_inspect(struct engine *e, const char *container_id, struct engine_container *c)
{
    struct buf path = {0};
    struct json_object *one, *state = NULL, *config = NULL, *labels = NULL, *host = NULL, *settings = NULL, *value;
    *c = (struct engine_container){0};
    buf_addf(&path, "/containers/%s/json", container_id);
    enum engine_status status = docker_call(e, "GET", buf_text(&path), NULL, &one);
    buf_free(&path);
    if (status != ENGINE_OK)
        return status;
    json_object_object_get_ex(one, "State", &state);
    if (json_object_object_get_ex(one, "Config", &config))
        json_object_object_get_ex(config, "Labels", &labels);
    read_identity(c, docker_text(one, "Id"), docker_text(one, "Name"), labels);
    c->state = state_of(docker_text(state, "Status"));
    c->started_ns = time_of(state, "StartedAt");
    c->finished_ns = time_of(state, "FinishedAt");
    c->error = copy(docker_text(state, "Error"));
    c->health = health_of(state);
    if (json_object_object_get_ex(one, "HostConfig", &host))
        c->cpu_millis = cpu_limit_of(host);
    if (json_object_object_get_ex(one, "NetworkSettings", &settings)) {
        read_networks(c, settings, docker_text(host, "NetworkMode"));
        read_published(c, json_object_object_get(settings, "Ports"));
    }
    if (json_object_object_get_ex(state, "ExitCode", &value))
        c->exit_code = json_object_get_int(value);
    if (json_object_object_get_ex(state, "OOMKilled", &value))
        c->oom_killed = json_object_get_boolean(value);
    json_object_put(one);
    return ENGINE_OK;
}

/* After a name conflict: the container of that name, if it is the very same instance. The name is taken before there is a container:
 * after a call that was given up, nothing is known yet of what comes of it. */
static enum engine_status take_existing(struct engine *e, const struct engine_container_spec *spec, char **container_id)
{
    struct engine_container c;
    enum engine_status status = engine_container_inspect(e, spec->name, &c);
    if (status == ENGINE_NOT_FOUND) {
        buf_clear(&e->error);
        buf_addf(&e->error, "a container named %s is being made or removed", spec->name);
        return ENGINE_AWAY;
    }
    if (status != ENGINE_OK)
        return status;
    if (strcmp(c.instance, spec->instance) == 0 && strcmp(c.installation, spec->installation) == 0) {
        *container_id = copy(c.id);
        status = *container_id != NULL ? ENGINE_OK : ENGINE_FAILED;
    } else {
        buf_clear(&e->error);
        buf_addf(&e->error, "a container named %s is there already and is not this instance", spec->name);
        status = ENGINE_CONFLICT;
    }
    engine_container_clear(&c);
    return status;
}

enum engine_status engine_container_create(struct engine *e, const struct engine_container_spec *spec, char **container_id)
{
    struct buf path = {0};
    struct json_object *body = docker_container_body(spec), *reply;
    *container_id = NULL;
    buf_adds(&path, "/containers/create?name=");
    docker_add_encoded(&path, spec->name);
    enum engine_status status = docker_call(e, "POST", buf_text(&path), body, &reply);
    buf_free(&path);
    json_object_put(body);
    if (status == ENGINE_OK) {
        *container_id = copy(docker_text(reply, "Id"));
        if (*container_id == NULL)
            status = ENGINE_FAILED;
    } else if (status == ENGINE_CONFLICT) {
        status = take_existing(e, spec, container_id);
    }
    json_object_put(reply);
    return status;
}

static enum engine_status container_post(struct engine *e, const char *container_id, const char *action)
{
    struct buf path = {0};
    buf_addf(&path, "/containers/%s/%s", container_id, action);
    enum engine_status status = docker_call(e, "POST", buf_text(&path), NULL, NULL);
    buf_free(&path);
    return status;
}

enum engine_status engine_container_start(struct engine *e, const char *container_id)
{
    enum engine_status status = container_post(e, container_id, "start");
    /* 404 is also how some engines say that the image has no such command. */
    if (status == ENGINE_NOT_FOUND && strstr(engine_error(e), "No such container") == NULL)
        status = ENGINE_REFUSED;
    return status;
}

enum engine_status engine_container_signal(struct engine *e, const char *container_id, const char *signal_name)
{
    struct buf action = {0};
    buf_adds(&action, "kill?signal=");
    docker_add_encoded(&action, signal_name);
    enum engine_status status = container_post(e, container_id, buf_text(&action));
    buf_free(&action);
    /* A container that is gone or stands still has no need of a signal. */
    return status == ENGINE_NOT_FOUND || status == ENGINE_CONFLICT ? ENGINE_OK : status;
}

enum engine_status engine_container_remove(struct engine *e, const char *container_id)
{
    struct buf path = {0};
    buf_addf(&path, "/containers/%s?force=1&v=1", container_id);
    enum engine_status status = docker_call(e, "DELETE", buf_text(&path), NULL, NULL);
    buf_free(&path);
    /* A conflict means that its removal is under way. */
    return status == ENGINE_NOT_FOUND || status == ENGINE_CONFLICT ? ENGINE_OK : status;
}

enum engine_status engine_volume_remove_all(struct engine *e, const char *installation, const char *service)
{
    struct buf path = {0};
    struct json_object *found, *volumes = NULL;
    buf_adds(&path, "/volumes?filters=");
    docker_add_label_filter(&path, installation, "skylark.service", service, "");
    enum engine_status status = docker_call(e, "GET", buf_text(&path), NULL, &found);
    if (status == ENGINE_OK)
        json_object_object_get_ex(found, "Volumes", &volumes);
    size_t n = json_object_is_type(volumes, json_type_array) ? json_object_array_length(volumes) : 0;
    for (size_t i = 0; i < n && status == ENGINE_OK; i++) {
        buf_clear(&path);
        buf_adds(&path, "/volumes/");
        docker_add_encoded(&path, docker_text(json_object_array_get_idx(volumes, i), "Name"));
        status = docker_call(e, "DELETE", buf_text(&path), NULL, NULL);
        if (status == ENGINE_NOT_FOUND)
            status = ENGINE_OK;
    }
    buf_free(&path);
    json_object_put(found);
    return status;
}
