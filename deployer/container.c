/* What a service's spec makes of one of its instances. */
#include "deployer/container.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/shellwords.h"

struct container_volume {
    char name[160];
    char **options; /* NULL-terminated */
};

/* A list of texts, which stay the spec's. NULL when memory ran out. */
static const char **texts_of(const struct service *s, const char *name)
{
    struct json_object *array;
    size_t n = service_list(s, name, &array);
    const char **texts = calloc(n + 1, sizeof *texts);
    for (size_t i = 0; i < n && texts != NULL; i++)
        texts[i] = json_object_get_string(json_object_array_get_idx(array, i));
    return texts;
}

char *container_fill_option(const char *option, const char *const *names, const char *const *values)
{
    struct buf filled = {0};
    while (*option != '\0') {
        size_t i = 0, len = 0;
        for (; names[i] != NULL; i++) {
            len = strlen(names[i]);
            if (option[0] == '{' && strncmp(option + 1, names[i], len) == 0 && option[1 + len] == '}')
                break;
        }
        if (names[i] != NULL) {
            buf_adds(&filled, values[i]);
            option += len + 2;
        } else {
            buf_addc(&filled, *option++);
        }
    }
    char *text = filled.failed ? NULL : strdup(buf_text(&filled));
    buf_free(&filled);
    return text;
}

static int fill_options(const struct service *s, struct json_object *volume, struct container_volume *v)
{
    static const char *const names[] = {"size_gb", "namespace", "service", "volume", NULL};
    const char *const values[] = {item_text(volume, "size_gb"), service_text(s, "namespace"), service_text(s, "name"), v->name};
    struct json_object *options = NULL;
    json_object_object_get_ex(volume, "options", &options);
    size_t n = json_object_is_type(options, json_type_object) ? (size_t)json_object_object_length(options) : 0, i = 0;
    v->options = calloc(n + 1, sizeof *v->options);
    if (n == 0 || v->options == NULL)
        return v->options != NULL ? 0 : -1;
    json_object_object_foreach(options, name, value)
    {
        struct buf option = {0};
        buf_addf(&option, "%s=%s", name, json_object_get_string(value));
        v->options[i] = option.failed ? NULL : container_fill_option(buf_text(&option), names, values);
        buf_free(&option);
        if (v->options[i++] == NULL)
            return -1;
    }
    return 0;
}

/* A slot's volume has the same name again and again: so an instance finds what the one before it left. */
static int fill_mounts(const struct service *s, int slot, struct container *made)
{
    struct json_object *array;
    made->n_volumes = service_list(s, "volumes", &array);
    made->mounts = calloc(made->n_volumes + 1, sizeof *made->mounts);
    made->volumes = calloc(made->n_volumes + 1, sizeof *made->volumes);
    if (made->mounts == NULL || made->volumes == NULL)
        return -1;
    for (size_t i = 0; i < made->n_volumes; i++) {
        struct json_object *volume = json_object_array_get_idx(array, i);
        struct container_volume *v = &made->volumes[i];
        snprintf(v->name, sizeof v->name, "%s.%d.%s.%.8s", service_text(s, "name"), slot, item_text(volume, "id"), s->id);
        if (fill_options(s, volume, v) != 0)
            return -1;
        made->mounts[i] = (struct engine_mount){v->name, item_text(volume, "driver"), (const char *const *)v->options,
                                                item_text(volume, "path")};
    }
    return 0;
}

/* Entries for one port that differ in their type are one port to the engine. */
static int fill_ports(const struct service *s, struct container *made, size_t *n_ports)
{
    struct json_object *array;
    size_t n = service_list(s, "ports", &array), used = 0;
    made->ports = calloc(n + 1, sizeof *made->ports);
    if (made->ports == NULL)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct json_object *port = json_object_array_get_idx(array, i);
        int number = (int)strtol(item_text(port, "container_port"), NULL, 10);
        size_t k = 0;
        while (k < used && !(made->ports[k].container_port == number && strcmp(made->ports[k].protocol, item_text(port, "protocol")) == 0))
            k++;
        if (k == used)
            made->ports[used++] = (struct engine_port){.container_port = number, .protocol = item_text(port, "protocol")};
        made->ports[k].publish |= strcmp(item_text(port, "endpoint_type"), "direct-endpoint") == 0;
    }
    *n_ports = used;
    return 0;
}

void container_alias(char alias[CONTAINER_ALIAS_SIZE], const char *service_name, int slot)
{
    snprintf(alias, CONTAINER_ALIAS_SIZE, "%s.%d", service_name, slot);
}

int container_of_service(const struct service *s, const struct plan_instance *instance, struct container *made,
                         struct engine_container_spec *spec)
{
    *made = (struct container){0};
    size_t n_words = 0, n_ports = 0;
    const char *fault;
    const char *namespace_name = service_text(s, "namespace"), *name = service_text(s, "name");
    made->environment = texts_of(s, "environment");
    made->links = texts_of(s, "links");
    if (made->environment == NULL || made->links == NULL || fill_mounts(s, instance->slot, made) != 0 ||
        fill_ports(s, made, &n_ports) != 0 ||
        shellwords_split(service_text(s, "run_command"), &made->command, &n_words, &fault) != 0)
        return -1;
    snprintf(made->name, sizeof made->name, "%s.%s.%d.%.8s", namespace_name, name, instance->slot, instance->id);
    /* The engine takes it for one more alias, and web-1 may be a service. It stays the same as long as the service does. */
    snprintf(made->hostname, sizeof made->hostname, "%.48s-%d-%.8s", name, instance->slot, s->id);
    made->aliases[0] = name;
    container_alias(made->own_alias, name, instance->slot);
    made->aliases[1] = made->own_alias;
    *spec = (struct engine_container_spec){
        .name = made->name,
        .image = service_text(s, "image_id"),
        .service = s->id,
        .instance = instance->id,
        .namespace_name = namespace_name,
        .service_name = name,
        .generation = instance->generation,
        .slot = instance->slot,
        .hostname = made->hostname,
        .environment = made->environment,
        .command = n_words > 0 ? (const char *const *)made->command : NULL,
        .memory_bytes = service_number(s, "memory_bytes"),
        .pids_limit = service_number(s, "pids_limit"),
        .mounts = made->mounts,
        .n_mounts = made->n_volumes,
        .network = service_text(s, "network"),
        .aliases = made->aliases,
        .links = made->links,
        .ports = made->ports,
        .n_ports = n_ports,
    };
    return 0;
}

void container_clear(struct container *made)
{
    free(made->environment);
    free(made->links);
    shellwords_free(made->command);
    free(made->ports);
    free(made->mounts);
    for (size_t i = 0; i < made->n_volumes && made->volumes != NULL; i++) {
        for (size_t k = 0; made->volumes[i].options != NULL && made->volumes[i].options[k] != NULL; k++)
            free(made->volumes[i].options[k]);
        free(made->volumes[i].options);
    }
    free(made->volumes);
    *made = (struct container){0};
}
