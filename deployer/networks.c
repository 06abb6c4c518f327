/* Which networks instances are in. */
#include "deployer/networks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "deployer/container.h"
#include "deployer/observe.h"
#include "gen/deployer_statements.h"

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
    *refused = status != ENGINE_OK && !engine_unusable(status);
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

static bool is_source(const struct service *s, struct json_object *link)
{
    return strcmp(item_text(link, "source"), s->id) == 0;
}

/* Puts a container into a network as its service's instance in that slot; link: NAME:ALIAS, or NULL. ENGINE_NOT_FOUND: there is no
 * such network; ENGINE_CONFLICT: the container is gone, or going. */
static enum engine_status instance_join(struct role *role, const char *network, const char *service_name, int slot,
                                        const char *container_id, const char *link)
{
    char own_alias[CONTAINER_ALIAS_SIZE];
    const char *aliases[] = {service_name, own_alias, NULL}, *links[] = {link, NULL};
    container_alias(own_alias, service_name, slot);
    return engine_network_join(role->engine, network, container_id, aliases, links);
}

/* The same for a container of the link's source or target and the link's network. */
static enum engine_status link_join(struct role *role, struct json_object *link, bool is_source, int slot, const char *container_id)
{
    char called[2 * CONTAINER_ALIAS_SIZE];
    snprintf(called, sizeof called, "%s:%s", item_text(link, "target_name"), item_text(link, "alias"));
    return instance_join(role, item_text(link, "network"), item_text(link, is_source ? "source_name" : "target_name"), slot,
                         container_id, is_source ? called : NULL);
}

/* The same for one of ours, and makes sure that there is the network: one that does not run yet would be let in without.
 * *status: what the engine said, when the pass can go on; ENGINE_CONFLICT is about the container then. */
static enum pass_status link_put(struct role *role, struct service *s, struct json_object *link, int slot,
                                 const char *container_id, enum engine_status *status)
{
    enum pass_status pass = lease_keep(role, s);
    if (pass != PASS_OK)
        return pass;
    *status = link_ensure(role, s, link);
    if (*status == ENGINE_CONFLICT)
        *status = ENGINE_REFUSED;
    if (*status == ENGINE_OK)
        *status = link_join(role, link, is_source(s, link), slot, container_id);
    return engine_unusable(*status) ? pass_of_engine(role, *status) : PASS_OK;
}

/* For the service's status. The first fault stands. */
static void link_fault(const struct role *role, struct service *s, struct json_object *link)
{
    if (s->fault[0] == '\0')
        snprintf(s->fault, sizeof s->fault,
                 "Instances can't be put into the network of the link from %s to %s: %s.", item_text(link, "source_name"),
                 item_text(link, "target_name"), engine_error(role->engine));
}

/* Those at the other end that are not in yet, as it is when the link is new to them. What could not be done is for that service's
 * own passes to do, and to say. */
static enum pass_status others_join(struct role *role, struct service *s, struct json_object *link)
{
    bool from_us = is_source(s, link), left = false;
    const char *other = item_text(link, from_us ? "target" : "source");
    struct engine_container_list list = {0};
    enum pass_status pass = lease_keep(role, s);
    if (pass == PASS_OK)
        pass = pass_of_engine(role, engine_container_find(role->engine, role->installation, other, &list));
    for (size_t n = 0; n < list.n && pass == PASS_OK; n++) {
        const struct engine_container *c = &list.items[n];
        if (c->state != ENGINE_RUNNING || engine_container_in(c, item_text(link, "network")))
            continue;
        pass = lease_keep(role, s);
        if (pass != PASS_OK)
            break;
        enum engine_status status = link_join(role, link, !from_us, c->slot, c->id);
        if (engine_unusable(status)) {
            pass = pass_of_engine(role, status);
        } else if (status != ENGINE_OK && status != ENGINE_CONFLICT) {
            left = true;
            log_warning("%s is not in the network of its link yet: %s", c->name, engine_error(role->engine));
        }
    }
    engine_container_list_free(&list);
    const char *params[DEPLOYER_SERVICE_DUE_P__MAX] = {[DEPLOYER_SERVICE_DUE_P_SERVICE_ID] = other};
    return pass == PASS_OK && left ? pass_of_db(db_execute(role->db, DEPLOYER_SERVICE_DUE, params, NULL)) : pass;
}

/* One new instance, one link. *refused: it can't be started without; that a link which leads to it does not, yet, is said and
 * keeps nobody from it. */
static enum pass_status new_join(struct role *role, struct service *s, const struct plan_instance *i, struct json_object *link,
                                 bool *refused)
{
    enum engine_status status;
    enum pass_status pass = link_put(role, s, link, i->slot, i->container_id, &status);
    if (pass != PASS_OK)
        return pass;
    if (status == ENGINE_OK)
        return others_join(role, s, link);
    *refused = status == ENGINE_CONFLICT || is_source(s, link);
    if (!*refused)
        link_fault(role, s, link);
    return PASS_OK;
}

enum pass_status networks_join(struct role *role, struct service *s, const struct plan_instance *i, bool *refused)
{
    struct json_object *spec, *links;
    *refused = false;
    /* As they are now: a pass that starts many instances takes its time. */
    enum pass_status pass = pass_of_db(service_load_spec(s->id, role->db, &spec));
    size_t n = pass == PASS_OK && spec != NULL ? spec_list(spec, "link_networks", &links) : 0;
    for (size_t k = 0; k < n && pass == PASS_OK && !*refused; k++)
        pass = new_join(role, s, i, json_object_array_get_idx(links, k), refused);
    json_object_put(spec);
    return pass;
}

/* Puts those of ours that run into the network of a link. The others are looked at where one of ours was not in, as the network
 * may be new then, and until a change of ours is through. */
static enum pass_status link_keep(struct role *role, struct service *s, const struct engine_container_list *list,
                                  struct json_object *link)
{
    bool others = !service_flag(s, "settled");
    for (size_t n = 0; n < list->n; n++) {
        const struct engine_container *c = &list->items[n];
        if (c->state != ENGINE_RUNNING || engine_container_in(c, item_text(link, "network")))
            continue;
        enum engine_status status;
        enum pass_status pass = link_put(role, s, link, c->slot, c->id, &status);
        if (pass != PASS_OK)
            return pass;
        if (status != ENGINE_OK && status != ENGINE_CONFLICT)
            link_fault(role, s, link);
        others = others || status == ENGINE_OK;
    }
    return others ? others_join(role, s, link) : PASS_OK;
}

/* One that is still in a network of the service's own, while new ones are made in the namespace's: names are looked up there
 * first, and so lead to both. One whose ports are published would get new ones. */
static enum pass_status home_join(struct role *role, struct service *s, const struct engine_container *c)
{
    struct engine_container now;
    bool refused = false;
    enum pass_status pass = lease_keep(role, s);
    if (pass != PASS_OK)
        return pass;
    enum engine_status status = engine_container_inspect(role->engine, c->id, &now);
    bool movable = status == ENGINE_OK && now.n_published == 0;
    if (status == ENGINE_OK)
        engine_container_clear(&now);
    if (engine_unusable(status))
        return pass_of_engine(role, status);
    if (!movable)
        return PASS_OK;
    pass = networks_prepare(role, s, &refused);
    if (pass != PASS_OK || refused)
        return pass; /* a new instance is refused likewise, and says so */
    status = instance_join(role, service_text(s, "network"), service_text(s, "name"), c->slot, c->id, NULL);
    if (engine_unusable(status))
        return pass_of_engine(role, status);
    if (status != ENGINE_OK && status != ENGINE_CONFLICT)
        log_warning("%s is not in the network of its namespace yet: %s", c->name, engine_error(role->engine));
    return PASS_OK;
}

enum pass_status networks_keep(struct role *role, struct service *s, const struct engine_container_list *list)
{
    struct json_object *links;
    size_t n = service_list(s, "link_networks", &links);
    enum pass_status pass = PASS_OK;
    for (size_t i = 0; i < list->n && pass == PASS_OK && !service_flag(s, "apart"); i++) {
        const struct engine_container *c = &list->items[i];
        if (c->state == ENGINE_RUNNING && !engine_container_in(c, service_text(s, "network")))
            pass = home_join(role, s, c);
    }
    for (size_t k = 0; k < n && pass == PASS_OK; k++)
        pass = link_keep(role, s, list, json_object_array_get_idx(links, k));
    return pass;
}

/* --- networks that are not needed any more --- */

static bool is_linked(struct json_object *spec, const char *network)
{
    struct json_object *links;
    size_t n = spec_list(spec, "link_networks", &links);
    bool found = false;
    for (size_t k = 0; k < n && !found; k++)
        found = strcmp(item_text(json_object_array_get_idx(links, k), "network"), network) == 0;
    return found;
}

/* Whether the network's other member may have instances that still go by it. */
static enum pass_status is_others(struct role *role, const struct service *s, const struct engine_network *network, bool *others)
{
    enum pass_status pass = PASS_OK;
    *others = false;
    for (size_t k = 0; network->members[k] != NULL && pass == PASS_OK && !*others; k++) {
        const char *params[DEPLOYER_SERVICE_TURNING_P__MAX] = {[DEPLOYER_SERVICE_TURNING_P_SERVICE_ID] = network->members[k]};
        PGresult *r;
        if (strcmp(network->members[k], s->id) == 0)
            continue;
        pass = pass_of_db(db_run(role->db, DEPLOYER_SERVICE_TURNING, params, &r));
        if (pass != PASS_OK)
            return pass;
        *others = PQntuples(r) > 0 && db_bool(r, 0, DEPLOYER_SERVICE_TURNING_C_TURNING);
        PQclear(r);
    }
    return pass;
}

/* *refused: the engine says no, engine_error() why. */
static enum pass_status discard(struct role *role, struct service *s, const char *network, bool *refused)
{
    enum pass_status kept = lease_keep(role, s);
    if (kept != PASS_OK)
        return kept;
    enum engine_status status = engine_network_discard(role->engine, network);
    if (engine_unusable(status))
        return pass_of_engine(role, status);
    *refused = status != ENGINE_OK;
    if (*refused)
        log_warning("the network %s, which is not needed any more, is left: %s", network, engine_error(role->engine));
    return PASS_OK;
}

/* The service's networks but those of the spec; NULL: all of them. *left: one that is for another time, as someone uses it or the
 * engine refuses. */
static enum pass_status prune(struct role *role, struct service *s, const struct engine_network_list *list,
                              struct json_object *spec, const char **left)
{
    enum pass_status pass = PASS_OK;
    *left = NULL;
    for (size_t n = 0; n < list->n && pass == PASS_OK; n++) {
        const char *name = list->items[n].name;
        bool others = false, refused = false;
        if (spec != NULL && (strcmp(name, item_text(spec, "network")) == 0 || is_linked(spec, name)))
            continue;
        if (spec != NULL)
            pass = is_others(role, s, &list->items[n], &others);
        if (pass == PASS_OK && !others)
            pass = discard(role, s, name, &refused);
        if (others || refused)
            *left = name;
    }
    return pass;
}

static enum pass_status networks_find(struct role *role, struct service *s, struct engine_network_list *list)
{
    *list = (struct engine_network_list){0};
    enum pass_status pass = lease_keep(role, s);
    if (pass != PASS_OK)
        return pass;
    return pass_of_engine(role, engine_network_find_member(role->engine, role->installation, s->id, list));
}

enum pass_status networks_prune(struct role *role, struct service *s, bool *left)
{
    struct engine_network_list list;
    struct json_object *spec = NULL;
    const char *name = NULL;
    enum pass_status pass = networks_find(role, s, &list);
    /* Only then: a link is a row before it is a network. */
    if (pass == PASS_OK && list.n > 0)
        pass = pass_of_db(service_load_spec(s->id, role->db, &spec));
    /* Changed meanwhile: instances are not of this spec yet, and another pass is due. */
    if (spec != NULL && spec_number(spec, "generation") == service_number(s, "generation"))
        pass = prune(role, s, &list, spec, &name);
    *left = name != NULL;
    json_object_put(spec);
    engine_network_list_free(&list);
    return pass;
}

enum pass_status networks_remove(struct role *role, struct service *s)
{
    struct engine_network_list list;
    const char *left = NULL;
    enum pass_status pass = networks_find(role, s, &list);
    if (pass == PASS_OK)
        pass = prune(role, s, &list, NULL, &left);
    if (pass == PASS_OK && left != NULL) /* once more: engine_error() says of the last call only */
        pass = pass_of_engine(role, engine_network_discard(role->engine, left));
    engine_network_list_free(&list);
    if (pass != PASS_OK || !service_flag(s, "alone"))
        return pass;
    /* A service that is made meanwhile makes a new one. */
    enum engine_status removed = engine_network_remove(role->engine, service_text(s, "namespace_network"));
    return removed == ENGINE_CONFLICT ? PASS_OK : pass_of_engine(role, removed);
}
