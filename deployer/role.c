/* What every child of the deployer has. */
#include "deployer/role.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/log.h"
#include "gen/deployer_statements.h"

int role_open(struct role *r, const struct deployer_settings *settings, const char *name, const char *channel)
{
    char host[40] = "";
    uint32_t tag;
    *r = (struct role){.settings = settings};
    gethostname(host, sizeof host - 1);
    /* Names and numbers of processes come again, in another container or after a reboot; a lease's owner must not. */
    if (getrandom(&tag, sizeof tag, 0) != sizeof tag)
        return -1;
    snprintf(r->name, sizeof r->name, "%s:%d:%s:%08x", host, (int)getpid(), name, (unsigned)tag);
    struct db_options database = {
        .conninfo = settings->database, .application_name = "skylark-deployer", .statements = deployer_statements,
        .n_statements = DEPLOYER__MAX, .connect_deadline_ms = settings->connect_deadline_ms,
        .query_deadline_ms = settings->query_deadline_ms, .lock_deadline_ms = DB_LOCK_MS, .channel = channel,
    };
    struct engine_options engine = {.endpoint = settings->engine, .call_deadline_ms = settings->engine_deadline_ms};
    r->db = db_create(&database);
    r->engine = engine_create(&engine);
    if (r->db != NULL && r->engine != NULL)
        return 0;
    role_close(r);
    return -1;
}

void role_close(struct role *r)
{
    db_free(r->db);
    engine_free(r->engine);
    r->db = NULL;
    r->engine = NULL;
}

void role_engine_away(struct role *r)
{
    if (r->engine_known)
        log_warning("the container engine is away: %s", engine_error(r->engine));
    r->engine_known = false;
}

bool role_engine_answers(struct role *r)
{
    struct engine_description d;
    return engine_describe(r->engine, &d) == ENGINE_OK && strcmp(d.id, r->engine_id) == 0;
}

static bool installation_load(struct role *r)
{
    PGresult *result;
    if (db_run(r->db, DEPLOYER_INSTALLATION_LOAD, NULL, &result) != DB_OK)
        return false;
    snprintf(r->installation, sizeof r->installation, "%s", db_text(result, 0, DEPLOYER_INSTALLATION_LOAD_C_INSTALLATION_ID));
    snprintf(r->engine_id, sizeof r->engine_id, "%s", db_text(result, 0, DEPLOYER_INSTALLATION_LOAD_C_ENGINE_ID));
    PQclear(result);
    return true;
}

/* Records the engine when none is, then compares. */
static enum role_readiness engine_identify(struct role *r)
{
    struct engine_description d;
    if (!installation_load(r))
        return ROLE_WAIT;
    if (engine_describe(r->engine, &d) != ENGINE_OK) {
        role_engine_away(r);
        return ROLE_WAIT;
    }
    if (r->engine_id[0] == '\0') {
        const char *params[DEPLOYER_ENGINE_RECORD_P__MAX] = {[DEPLOYER_ENGINE_RECORD_P_ENGINE_ID] = d.id};
        long recorded;
        if (db_execute(r->db, DEPLOYER_ENGINE_RECORD, params, &recorded) != DB_OK || !installation_load(r))
            return ROLE_WAIT;
        if (recorded > 0)
            log_info("engine %s (%s, version %s, API %s) is this installation's", d.id, d.name, d.version, d.api_version);
    }
    if (strcmp(r->engine_id, d.id) != 0) {
        log_error("the engine at %s is %s, but this installation's instances are on %s; give back that engine, or run "
                  "skylarkctl engine forget to start over on this one",
                  r->settings->engine, d.id, r->engine_id);
        return ROLE_REFUSE;
    }
    r->engine_cpus = d.cpus;
    r->engine_known = true;
    return ROLE_READY;
}

enum role_readiness role_ready(struct role *r)
{
    if (db_connect(r->db) != DB_OK)
        return ROLE_WAIT;
    return r->engine_known ? ROLE_READY : engine_identify(r);
}
