/* What a service's spec makes of one of its instances: the container to be made. */
#ifndef SKYLARK_DEPLOYER_CONTAINER_H
#define SKYLARK_DEPLOYER_CONTAINER_H

#include "deployer/service.h"
#include "engine/engine.h"

#define CONTAINER_ALIAS_SIZE 80

/* What an instance is called in its networks besides its service's name: NAME.SLOT, with a period, which no service's name
 * and no alias of a link has. */
void container_alias(char alias[CONTAINER_ALIAS_SIZE], const char *service_name, int slot);

/* Holds what an engine_container_spec points to. */
struct container {
    char name[160], hostname[64], own_alias[CONTAINER_ALIAS_SIZE];
    const char **environment, **links;
    const char *aliases[3];
    char **command;
    struct engine_port *ports;
    struct engine_mount *mounts;
    struct container_volume *volumes;
    size_t n_volumes;
};

/* Fills spec for an instance, but for what the caller knows of the engine. What it points to lives in the service and in
 * made, which container_clear frees in any case. Returns -1 when memory ran out or the run_command can't be split. */
int container_of_service(const struct service *service, const struct plan_instance *instance, struct container *made,
                         struct engine_container_spec *spec) __attribute__((warn_unused_result));
void container_clear(struct container *made);

/* Puts values in the place of {names} in an option of a volume driver; names that it does not know stay. The caller frees
 * it; NULL when memory ran out. names and values end in NULL. */
char *container_fill_option(const char *option, const char *const *names, const char *const *values)
    __attribute__((warn_unused_result));

#endif
