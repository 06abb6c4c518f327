/* Which networks instances are in. */
#include "deployer/networks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "deployer/container.h"
#include "deployer/observe.h"

/* A call failed so that nothing of the pass can go on. What the engine merely refused is for the caller to judge. */
static bool is_over(enum engine_status status)
{
    return status == ENGINE_AWAY || status == ENGINE_STOPPED;
}

enum pass_status networks_prepare(struct role *role, struct service *s, bool *refused)
{
    const char *members[] = {s->id, NULL};
    struct engine_network_spec spec = {.name = service_text(s, "network"),
                                       .installation = role->installation,
                                       .namespace_name = service_text(s, "namespace"),
                                       .members = service_flag(s, "apart") ? members : NULL};
    enum pass_status kept = lease_keep(role, s);
    if (kept != PASS_OK)
        return kept;
    enum engine_status status = engine_network_ensure(role->engine, &spec);
    *refused = status != ENGINE_OK && !is_over(status);
    return *refused ? PASS_OK : pass_of_engine(role, status);
}

/* link: of the spec's link_networks. */
static enum engine_status link_ensure(struct role *role, const struct service *s, struct json_object *link)
{
    const char *members[] = {item_text(link, "source"), item_text(link, "target"), NULL};
    struct engine_network_spec spec = {.name = item_text(link, "network"),
                                       .installation = role->installation,
                                       .namespace_name = service_text(s, "namespace"),
                                       .members = members,
                                       .internal = true};
    return engine_network_ensure(role->engine, &spec);
}

/* Puts a container of the link's source or target into its network. */
static enum engine_status link_join(struct role *role, struct json_object *link, bool is_source, int slot, const char *container_id)
{
    const char *name = item_text(link, is_source ? "source_name" : "target_name");
    char own_alias[CONTAINER_ALIAS_SIZE], called[2 * CONTAINER_ALIAS_SIZE];
    const char *aliases[] = {name, own_alias, NULL}, *links[] = {is_source ? called : NULL, NULL};
    container_alias(own_alias, name, slot);
    snprintf(called, sizeof called, "%s:%s", item_text(link, "target_name"), item_text(link, "alias"));
    return engine_network_join(role->engine, item_text(link, "network"), container_id, aliases, links);
}

static bool is_source(const struct service *s, struct json_object *link)
{
    return strcmp(item_text(link, "source"), s->id) == 0;
}

/* Those at the other end that are not in yet, as it is when the link is new to them. */
static enum engine_status others_join(struct role *role, const struct service *s, struct json_object *link)
{
    bool from_us = is_source(s, link);
    struct engine_container_list list;
    enum engine_status status =
        engine_container_find(role->engine, role->installation, item_text(link, from_us ? "target" : "source"), &list);
    for (size_t n = 0; n < list.n && !is_over(status); n++) {
        const struct engine_container *c = &list.items[n];
        if (c->state != ENGINE_RUNNING || engine_container_in(c, item_text(link, "network")))
            continue;
        status = link_join(role, link, !from_us, c->slot, c->id);
        /* Its own service's passes see to it, and say so. */
        if (status != ENGINE_OK && !is_over(status))
            log_warning("%s is not in the network of its link yet: %s", c->name, engine_error(role->engine));
    }
    engine_container_list_free(&list);
    return is_over(status) ? status : ENGINE_OK;
}

enum pass_status networks_join(struct role *role, struct service *s, const struct plan_instance *i, bool *refused)
{
    struct json_object *links;
    size_t n = service_list(s, "link_networks", &links);
    enum engine_status status = ENGINE_OK;
    *refused = false;
    for (size_t k = 0; k < n && status == ENGINE_OK; k++) {
        struct json_object *link = json_object_array_get_idx(links, k);
        enum pass_status kept = lease_keep(role, s);
        if (kept != PASS_OK)
            return kept;
        status = link_ensure(role, s, link);
        if (status == ENGINE_OK)
            status = link_join(role, link, is_source(s, link), i->slot, i->container_id);
        if (status == ENGINE_OK)
            status = others_join(role, s, link);
    }
    *refused = status != ENGINE_OK && !is_over(status);
    return *refused ? PASS_OK : pass_of_engine(role, status);
}

/* Puts those of ours that run into the network of a link. Where one was not in, the network may be new, and the others not in
 * either. */
static enum engine_status link_keep(struct role *role, struct service *s, const struct engine_container_list *list,
                                    struct json_object *link)
{
    enum engine_status status = ENGINE_OK;
    bool joined = false;
    for (size_t n = 0; n < list->n && status == ENGINE_OK; n++) {
        const struct engine_container *c = &list->items[n];
        if (c->state != ENGINE_RUNNING || engine_container_in(c, item_text(link, "network")))
            continue;
        status = joined ? ENGINE_OK : link_ensure(role, s, link);
        if (status == ENGINE_OK)
            status = link_join(role, link, is_source(s, link), c->slot, c->id);
        if (status == ENGINE_NOT_FOUND || status == ENGINE_CONFLICT)
            status = ENGINE_OK; /* the container has gone meanwhile, as the next pass sees */
        joined = joined || status == ENGINE_OK;
    }
    return joined && status == ENGINE_OK ? others_join(role, s, link) : status;
}

enum pass_status networks_keep(struct role *role, struct service *s, const struct engine_container_list *list)
{
    struct json_object *links;
    size_t n = service_list(s, "link_networks", &links);
    for (size_t k = 0; k < n; k++) {
        struct json_object *link = json_object_array_get_idx(links, k);
        enum pass_status kept = lease_keep(role, s);
        if (kept != PASS_OK)
            return kept;
        enum engine_status status = link_keep(role, s, list, link);
        if (is_over(status))
            return pass_of_engine(role, status);
        if (status != ENGINE_OK)
            snprintf(s->network_fault, sizeof s->network_fault,
                     "Instances can't be put into the network of the link from %s to %s: %s.", item_text(link, "source_name"),
                     item_text(link, "target_name"), engine_error(role->engine));
    }
    return PASS_OK;
}

/* What is still in use, or refused, is left for another time. */
static enum pass_status prune(struct role *role, struct service *s, const char *const *keep)
{
    enum pass_status kept = lease_keep(role, s);
    if (kept != PASS_OK)
        return kept;
    enum engine_status status = engine_network_prune(role->engine, role->installation, s->id, keep);
    if (status == ENGINE_OK || is_over(status))
        return pass_of_engine(role, status);
    log_warning("networks that are not needed any more are left: %s", engine_error(role->engine));
    return PASS_OK;
}

enum pass_status networks_prune(struct role *role, struct service *s)
{
    struct json_object *links, *spec;
    if (service_flag(s, "settled") && !service_flag(s, "apart") && service_list(s, "link_networks", &links) == 0)
        return PASS_OK; /* it was looked at when it became so */
    /* Instances that the pass began with may be the last that a network was for. */
    enum pass_status status = pass_of_db(service_load_spec(s->id, role->db, &spec));
    if (status != PASS_OK || spec == NULL)
        return status;
    size_t n = spec_list(spec, "link_networks", &links);
    const char **keep = calloc(n + 2, sizeof *keep);
    if (keep != NULL) {
        keep[0] = item_text(spec, "network");
        for (size_t k = 0; k < n; k++)
            keep[k + 1] = item_text(json_object_array_get_idx(links, k), "network");
        status = prune(role, s, keep);
    }
    free(keep);
    json_object_put(spec);
    return status;
}

enum pass_status networks_remove(struct role *role, struct service *s)
{
    const char *none[] = {NULL};
    enum pass_status status = prune(role, s, none);
    if (status != PASS_OK || !service_flag(s, "alone"))
        return status;
    /* A service that is made meanwhile makes a new one. */
    enum engine_status removed = engine_network_remove(role->engine, service_text(s, "namespace_network"));
    return removed == ENGINE_CONFLICT ? PASS_OK : pass_of_engine(role, removed);
}
