/* The JSON that makes a container of a spec: what an instance may and may not do stands here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/docker_internal.h"

/* What images commonly need to set themselves up as root, and nothing that reaches beyond the container. Of the engine's
 * own defaults, NET_RAW (forging packets), MKNOD (device files), SETFCAP and AUDIT_WRITE are left out. */
static const char *const capabilities[] = {"CHOWN",   "DAC_OVERRIDE", "FOWNER", "FSETID",           "KILL",
                                           "SETGID",  "SETUID",       "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT"};

static struct json_object *text(const char *s)
{
    return json_object_new_string(s);
}

static struct json_object *texts(const char *const *list)
{
    struct json_object *array = json_object_new_array();
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        json_object_array_add(array, text(list[i]));
    return array;
}

static void add_number_text(struct json_object *o, const char *name, int64_t number)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", (long long)number);
    json_object_object_add(o, name, text(digits));
}

static struct json_object *labels_of(const struct engine_container_spec *spec)
{
    struct json_object *labels = json_object_new_object();
    json_object_object_add(labels, "skylark.installation", text(spec->installation));
    json_object_object_add(labels, "skylark.service", text(spec->service));
    json_object_object_add(labels, "skylark.instance", text(spec->instance));
    json_object_object_add(labels, "skylark.namespace", text(spec->namespace_name));
    json_object_object_add(labels, "skylark.name", text(spec->service_name));
    add_number_text(labels, "skylark.generation", spec->generation);
    add_number_text(labels, "skylark.slot", spec->slot);
    return labels;
}

static struct json_object *driver_options_of(const struct engine_mount *m)
{
    struct json_object *options = json_object_new_object();
    for (size_t i = 0; m->options != NULL && m->options[i] != NULL; i++) {
        const char *equals = strchr(m->options[i], '=');
        char *name = strndup(m->options[i], equals != NULL ? (size_t)(equals - m->options[i]) : strlen(m->options[i]));
        if (name != NULL)
            json_object_object_add(options, name, text(equals != NULL ? equals + 1 : ""));
        free(name);
    }
    return options;
}

static struct json_object *mounts_of(const struct engine_container_spec *spec)
{
    struct json_object *mounts = json_object_new_array();
    for (size_t i = 0; i < spec->n_mounts; i++) {
        const struct engine_mount *m = &spec->mounts[i];
        struct json_object *mount = json_object_new_object(), *options = json_object_new_object();
        struct json_object *driver = json_object_new_object(), *labels = json_object_new_object();
        json_object_object_add(labels, "skylark.installation", text(spec->installation));
        json_object_object_add(labels, "skylark.service", text(spec->service));
        json_object_object_add(labels, "skylark.namespace", text(spec->namespace_name));
        json_object_object_add(labels, "skylark.name", text(spec->service_name));
        json_object_object_add(labels, "skylark.path", text(m->path));
        json_object_object_add(driver, "Name", text(m->driver));
        json_object_object_add(driver, "Options", driver_options_of(m));
        json_object_object_add(options, "Labels", labels);
        json_object_object_add(options, "DriverConfig", driver);
        json_object_object_add(mount, "Type", text("volume"));
        json_object_object_add(mount, "Source", text(m->volume));
        json_object_object_add(mount, "Target", text(m->path));
        json_object_object_add(mount, "VolumeOptions", options);
        json_object_array_add(mounts, mount);
    }
    return mounts;
}

static struct json_object *log_config_of(const struct engine_container_spec *spec)
{
    struct json_object *log = json_object_new_object(), *options = json_object_new_object();
    add_number_text(options, "max-size", spec->log_max_bytes);
    add_number_text(options, "max-file", spec->log_max_files);
    json_object_object_add(log, "Type", text("json-file"));
    json_object_object_add(log, "Config", options);
    return log;
}

/* "22/tcp", as the engine names a port. */
static void port_name(const struct engine_port *port, char *out, size_t size)
{
    snprintf(out, size, "%d/%s", port->container_port, port->protocol);
}

static struct json_object *exposed_of(const struct engine_container_spec *spec)
{
    struct json_object *exposed = json_object_new_object();
    char name[24];
    for (size_t i = 0; i < spec->n_ports; i++) {
        port_name(&spec->ports[i], name, sizeof name);
        json_object_object_add(exposed, name, json_object_new_object());
    }
    return exposed;
}

/* Published to one address, at a port that the engine chooses. */
static struct json_object *bindings_of(const struct engine_container_spec *spec)
{
    struct json_object *bindings = json_object_new_object();
    char name[24];
    for (size_t i = 0; i < spec->n_ports; i++) {
        if (!spec->ports[i].publish)
            continue;
        struct json_object *list = json_object_new_array(), *binding = json_object_new_object();
        json_object_object_add(binding, "HostIp", text(spec->publish_address));
        json_object_object_add(binding, "HostPort", text(""));
        json_object_array_add(list, binding);
        port_name(&spec->ports[i], name, sizeof name);
        json_object_object_add(bindings, name, list);
    }
    return bindings;
}

struct json_object *docker_endpoint(const char *const *aliases, const char *const *links)
{
    struct json_object *endpoint = json_object_new_object();
    json_object_object_add(endpoint, "Aliases", texts(aliases));
    json_object_object_add(endpoint, "Links", texts(links));
    return endpoint;
}

static struct json_object *networking_of(const struct engine_container_spec *spec)
{
    struct json_object *networking = json_object_new_object(), *endpoints = json_object_new_object();
    json_object_object_add(endpoints, spec->network, docker_endpoint(spec->aliases, spec->links));
    json_object_object_add(networking, "EndpointsConfig", endpoints);
    return networking;
}

static struct json_object *host_config_of(const struct engine_container_spec *spec)
{
    struct json_object *host = json_object_new_object(), *restart = json_object_new_object();
    struct json_object *dropped = json_object_new_array(), *added = json_object_new_array();
    struct json_object *security = json_object_new_array();
    json_object_array_add(dropped, text("ALL"));
    for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++)
        json_object_array_add(added, text(capabilities[i]));
    json_object_array_add(security, text("no-new-privileges"));
    json_object_object_add(host, "CapDrop", dropped);
    json_object_object_add(host, "CapAdd", added);
    json_object_object_add(host, "SecurityOpt", security);
    json_object_object_add(host, "Memory", json_object_new_int64(spec->memory_bytes));
    json_object_object_add(host, "MemorySwap", json_object_new_int64(spec->memory_bytes)); /* no swap on top */
    json_object_object_add(host, "NanoCpus", json_object_new_int64(spec->cpu_millis * 1000000));
    json_object_object_add(host, "PidsLimit", json_object_new_int64(spec->pids_limit));
    json_object_object_add(host, "LogConfig", log_config_of(spec));
    json_object_object_add(host, "Mounts", mounts_of(spec));
    json_object_object_add(host, "PortBindings", bindings_of(spec));
    if (spec->network != NULL)
        json_object_object_add(host, "NetworkMode", text(spec->network));
    /* Starting again is the deployer's decision, since it counts. */
    json_object_object_add(restart, "Name", text("no"));
    json_object_object_add(host, "RestartPolicy", restart);
    return host;
}

struct json_object *docker_container_body(const struct engine_container_spec *spec)
{
    struct json_object *body = json_object_new_object();
    json_object_object_add(body, "Image", text(spec->image));
    json_object_object_add(body, "Hostname", text(spec->hostname));
    json_object_object_add(body, "Env", texts(spec->environment));
    if (spec->command != NULL)
        json_object_object_add(body, "Cmd", texts(spec->command));
    json_object_object_add(body, "Labels", labels_of(spec));
    json_object_object_add(body, "ExposedPorts", exposed_of(spec));
    json_object_object_add(body, "HostConfig", host_config_of(spec));
    if (spec->network != NULL)
        json_object_object_add(body, "NetworkingConfig", networking_of(spec));
    return body;
}
