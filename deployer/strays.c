/* Containers that no live row stands for. Nobody else removes them, and no row could remember a failed try: it is kept here. */
#include "deployer/strays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "deployer/figures.h"
#include "gen/deployer_statements.h"

struct stray {
    char container_id[72];
    int tries;
    int64_t next_ms; /* monotonic */
    bool listed;
};

static struct stray *stray_find(struct strays *strays, const char *container_id)
{
    for (size_t i = 0; i < strays->n; i++) {
        if (strcmp(strays->items[i].container_id, container_id) == 0)
            return &strays->items[i];
    }
    return NULL;
}

/* Adds those that are new, and drops those that are gone. */
static void take_list(struct strays *strays, const PGresult *listed)
{
    size_t kept = 0;
    int n = PQntuples(listed);
    struct stray *grown = realloc(strays->items, (strays->n + (size_t)n + 1) * sizeof *grown);
    if (grown == NULL)
        return; /* those that are known are tried all the same */
    strays->items = grown;
    for (size_t i = 0; i < strays->n; i++)
        strays->items[i].listed = false;
    for (int i = 0; i < n; i++) {
        const char *id = db_text(listed, i, DEPLOYER_CONTAINERS_COMPARE_C_CONTAINER_ID);
        struct stray *s = stray_find(strays, id);
        if (s == NULL) {
            s = &strays->items[strays->n++];
            *s = (struct stray){0};
            snprintf(s->container_id, sizeof s->container_id, "%s", id);
        }
        s->listed = true;
    }
    for (size_t i = 0; i < strays->n; i++) {
        if (strays->items[i].listed)
            strays->items[kept++] = strays->items[i];
        else
            metrics_add(FIGURE_STRAYS, STRAY_REMOVED, strays->items[i].tries > 0);
    }
    strays->n = kept;
}

void strays_remove(struct role *role, struct strays *strays, const PGresult *listed)
{
    take_list(strays, listed);
    for (size_t i = 0; i < strays->n; i++) {
        struct stray *s = &strays->items[i];
        if (s->next_ms > clock_monotonic_ms())
            continue;
        log_warning("removing container %.12s, which no live instance stands for", s->container_id);
        /* The engine may say that it is removed, or about to be, and list it again. */
        if (s->tries > 0)
            metrics_add(FIGURE_STRAYS, STRAY_FAILED, 1);
        enum engine_status status = engine_container_remove(role->engine, s->container_id);
        s->next_ms = clock_monotonic_ms() + plan_back_off(&role->settings->limits, ++s->tries);
        if (status != ENGINE_OK)
            log_warning("container %.12s: %s", s->container_id, engine_error(role->engine));
        if (engine_unusable(status))
            return; /* the counts are not vouched for while a removal hangs */
    }
}

void strays_free(struct strays *strays)
{
    free(strays->items);
    *strays = (struct strays){0};
}
