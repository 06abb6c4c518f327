/* The lease on the service that a pass is about. */
#include "deployer/lease.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"
#include "gen/deployer_statements.h"

void lease_taken(struct service *s)
{
    s->leased_ms = clock_monotonic_ms();
}

enum pass_status lease_judge(enum db_status status, long changed, long expected)
{
    if (status != DB_OK)
        return PASS_DATABASE_AWAY;
    if (changed == expected)
        return PASS_OK;
    log_warning("the lease was lost; the rest is left to its new holder");
    return PASS_LEASE_LOST;
}

enum pass_status lease_renew(const struct role *role, struct service *s)
{
    char lease[24];
    long held = 0;
    int64_t now = clock_monotonic_ms(); /* before it is sent: the lease is rather longer than we think than shorter */
    snprintf(lease, sizeof lease, "%" PRId64, role->settings->lease_ms);
    const char *params[DEPLOYER_LEASE_RENEW_P__MAX] = {
        [DEPLOYER_LEASE_RENEW_P_SERVICE_ID] = s->id,
        [DEPLOYER_LEASE_RENEW_P_DEPLOYER] = role->name,
        [DEPLOYER_LEASE_RENEW_P_LEASE_MS] = lease,
    };
    enum db_status renewed = db_execute(role->db, DEPLOYER_LEASE_RENEW, params, &held);
    enum pass_status status = lease_judge(renewed, held, 1);
    if (status == PASS_OK)
        s->leased_ms = now;
    return status;
}

enum pass_status lease_keep(const struct role *role, struct service *s)
{
    int64_t left = s->leased_ms + role->settings->lease_ms - clock_monotonic_ms();
    /* Renewed when half of the time beyond one call is over. */
    if (left > role->settings->engine_deadline_ms + (role->settings->lease_ms - role->settings->engine_deadline_ms) / 2)
        return PASS_OK;
    return lease_renew(role, s);
}
