/* The right to write what one engine's instances print or use. */
#include "collector/right.h"

#include <stdio.h>

#include "common/log.h"
#include "gen/collector_statements.h"

int right_open(struct right *right, const struct collector_settings *settings, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "skylark-collector %s", what);
    struct db_options database = {
        .conninfo = settings->database, .application_name = name, .statements = collector_statements,
        .n_statements = COLLECTOR__MAX, .connect_deadline_ms = settings->connect_deadline_ms,
        .query_deadline_ms = settings->query_deadline_ms, .lock_deadline_ms = DB_LOCK_MS, .channel = "skylark_instances",
    };
    struct engine_options engine = {.endpoint = settings->engine, .call_deadline_ms = settings->engine_deadline_ms};
    *right = (struct right){.what = what, .db = db_create(&database), .engine = engine_create(&engine)};
    return right->db != NULL && right->engine != NULL ? 0 : -1;
}

void right_close(struct right *right)
{
    engine_free(right->engine);
    db_free(right->db);
}

bool right_announced(struct right *right)
{
    char payload[64];
    bool announced = false;
    while (db_notified(right->db, payload, sizeof payload))
        announced = true;
    return announced;
}

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
    const char *params[COLLECTOR_ENGINE_LOCK_P__MAX] = {
        [COLLECTOR_ENGINE_LOCK_P_ENGINE_ID] = right->engine_id,
        [COLLECTOR_ENGINE_LOCK_P_WHAT] = right->what,
    };
    unsigned connection = db_connections(right->db);
    if (db_run(right->db, COLLECTOR_ENGINE_LOCK, params, &r) != DB_OK)
        return RIGHT_AWAY;
    bool taken = db_bool(r, 0, COLLECTOR_ENGINE_LOCK_C_LOCKED);
    snprintf(right->installation, sizeof right->installation, "%s", db_text(r, 0, COLLECTOR_ENGINE_LOCK_C_INSTALLATION_ID));
    PQclear(r);
    if (!taken || connection != db_connections(right->db))
        return RIGHT_STANDBY;
    right->connection = connection;
    log_info("taking in the %s of engine %s", right->what, right->engine_id);
    return RIGHT_TAKEN;
}
