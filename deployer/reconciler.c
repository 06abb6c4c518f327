/* The role that makes services right: takes one that is due, passes over it once, and waits for the next. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/pace.h"
#include "common/signals.h"
#include "common/supervisor.h"
#include "deployer/figures.h"
#include "deployer/lease.h"
#include "deployer/reconcile.h"
#include "gen/deployer_statements.h"

#define WAIT_AWAY_MS 500
/* Everything that is due is announced; this is for what was missed all the same. */
#define WAIT_MOST_MS 10000

/* Returns whether there was one. */
static bool claim(struct role *role, struct service *s)
{
    char lease[24];
    PGresult *r;
    snprintf(lease, sizeof lease, "%" PRId64, role->settings->lease_ms);
    const char *params[DEPLOYER_SERVICE_CLAIM_P__MAX] = {
        [DEPLOYER_SERVICE_CLAIM_P_DEPLOYER] = role->name,
        [DEPLOYER_SERVICE_CLAIM_P_LEASE_MS] = lease,
    };
    if (db_run(role->db, DEPLOYER_SERVICE_CLAIM, params, &r) != DB_OK)
        return false;
    bool found = PQntuples(r) > 0;
    if (found) {
        snprintf(s->id, sizeof s->id, "%s", db_text(r, 0, DEPLOYER_SERVICE_CLAIM_C_SERVICE_ID));
        snprintf(s->revision, sizeof s->revision, "%s", db_text(r, 0, DEPLOYER_SERVICE_CLAIM_C_REVISION));
        snprintf(s->wakes, sizeof s->wakes, "%s", db_text(r, 0, DEPLOYER_SERVICE_CLAIM_C_WAKES));
        snprintf(s->request_id, sizeof s->request_id, "%s", db_text(r, 0, DEPLOYER_SERVICE_CLAIM_C_REQUEST_ID));
        s->failures = (int)db_int(r, 0, DEPLOYER_SERVICE_CLAIM_C_FAILURES);
        lease_taken(s);
    }
    PQclear(r);
    return found;
}

/* Milliseconds to wait before there is something to take. */
static int wait_ms(struct role *role, struct pace *pace)
{
    PGresult *r;
    if (db_run(role->db, DEPLOYER_SERVICE_NEXT_DUE, NULL, &r) != DB_OK)
        return db_backoff_ms(role->db) > WAIT_AWAY_MS ? db_backoff_ms(role->db) : WAIT_AWAY_MS;
    bool none = db_null(r, 0, DEPLOYER_SERVICE_NEXT_DUE_C_DUE_IN_MS);
    int64_t due = none ? -1 : db_int(r, 0, DEPLOYER_SERVICE_NEXT_DUE_C_DUE_IN_MS);
    bool overdue = db_bool(r, 0, DEPLOYER_SERVICE_NEXT_DUE_C_OVERDUE);
    PQclear(r);
    return pace_wait(pace, due, overdue, WAIT_MOST_MS);
}

/* Makes due what anybody has woken us for. What can't be taken over now is overdue until it can. */
static void take_wakes(struct role *role)
{
    if (db_execute(role->db, DEPLOYER_WAKES_TAKE, NULL, NULL) != DB_OK)
        log_warning("wakes could not be taken over: %s", db_message(role->db));
}

int reconciler_run(void *context, int index)
{
    struct role role;
    struct pace pace = {0};
    char name[32], payload[64];
    int status = 0;
    snprintf(name, sizeof name, "reconciler-%d", index);
    if (role_open(&role, context, name, "skylark_services") != 0)
        return 1;
    while (loop_next()) {
        enum role_readiness ready = role_ready(&role);
        if (ready == ROLE_REFUSE) {
            status = SUPERVISOR_EXIT_REFUSED;
            break;
        }
        if (ready == ROLE_WAIT) {
            signals_wait(-1, WAIT_AWAY_MS);
            continue;
        }
        struct service s = {0};
        take_wakes(&role);
        if (claim(&role, &s)) {
            pace_progress(&pace);
            int64_t begun = clock_monotonic_ms();
            reconcile_service(&role, &s);
            metrics_add(FIGURE_PASSES, 0, 1);
            metrics_add(FIGURE_PASS_TIME, 0, clock_monotonic_ms() - begun);
            continue;
        }
        while (db_notified(role.db, payload, sizeof payload))
            ;
        int wait = wait_ms(&role, &pace);
        /* What arrived along with that answer does not make the socket readable any more. */
        if (!db_notified(role.db, payload, sizeof payload))
            signals_wait(db_socket(role.db), wait);
    }
    role_close(&role);
    return status;
}
