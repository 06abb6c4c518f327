/* The right to write what one engine's instances print or use. */
#include "collector/right.h"

#include <stdio.h>

#include "common/log.h"
#include "gen/collector_statements.h"

enum right_status right_take(struct right *right)
{
    struct engine_description d;
    PGresult *r;
    if (db_connect(right->db) != DB_OK)
        return RIGHT_AWAY;
    if (right->connection != 0 && right->connection == db_connections(right->db))
        return RIGHT_HELD;
    right->connection = 0;
    if (engine_describe(right->engine, &d) != ENGINE_OK) {
        log_warning("the container engine is away: %s", engine_error(right->engine));
        return RIGHT_AWAY;
    }
    snprintf(right->engine_id, sizeof right->engine_id, "%s", d.id);
    const char *params[] = {right->engine_id, right->what};
    unsigned connection = db_connections(right->db);
    if (db_run(right->db, COLLECTOR_ENGINE_LOCK, params, &r) != DB_OK)
        return RIGHT_AWAY;
    bool taken = PQgetvalue(r, 0, 0)[0] == 't';
    snprintf(right->installation, sizeof right->installation, "%s", PQgetvalue(r, 0, 1));
    PQclear(r);
    if (!taken || connection != db_connections(right->db))
        return RIGHT_STANDBY;
    right->connection = connection;
    log_info("taking in the %s of engine %s", right->what, right->engine_id);
    return RIGHT_TAKEN;
}
