/* Containers that no live row stands for: removed, again and again if need be, ever more slowly. */
#ifndef SKYLARK_DEPLOYER_STRAYS_H
#define SKYLARK_DEPLOYER_STRAYS_H

#include <libpq-fe.h>

#include "deployer/role.h"

/* Those that were there when the engine was last asked. Zero-initialised: none. */
struct strays {
    struct stray *items;
    size_t n;
};

/* Tries to remove those of a result of containers_compare that are not waiting for a later try. Strays that were tried and are not
 * listed any more count as removed. Blocks for one call of the engine each, but gives up after the first that is not answered in time. */
void strays_remove(struct role *role, struct strays *strays, const PGresult *listed);
void strays_free(struct strays *strays);

#endif
