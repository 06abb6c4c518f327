/* The role that pulls images: one pull at a time, so that a slow registry holds up nothing but other pulls. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/signals.h"
#include "common/supervisor.h"
#include "deployer/figures.h"
#include "deployer/role.h"
#include "gen/deployer_statements.h"

#define WAIT_AWAY_MS 500
#define WAIT_MOST_MS 10000
/* Progress is written so often at the most. */
#define PROGRESS_EVERY_MS 1000

struct pull {
    struct role *role;
    char ref[512];
    int64_t written_ms;
};

static bool claim(struct role *role, char *ref, size_t size)
{
    char lease[24];
    PGresult *r;
    /* A pull that is silent for its idle deadline is given up, so its lease never runs out before. */
    snprintf(lease, sizeof lease, "%" PRId64, role->settings->pull_idle_ms + role->settings->lease_ms);
    const char *params[DEPLOYER_PULL_CLAIM_P__MAX] = {
        [DEPLOYER_PULL_CLAIM_P_DEPLOYER] = role->name,
        [DEPLOYER_PULL_CLAIM_P_LEASE_MS] = lease,
    };
    if (db_run(role->db, DEPLOYER_PULL_CLAIM, params, &r) != DB_OK)
        return false;
    bool found = PQntuples(r) > 0;
    if (found)
        snprintf(ref, size, "%s", db_text(r, 0, DEPLOYER_PULL_CLAIM_C_IMAGE_REF));
    PQclear(r);
    return found;
}

static void write_progress(void *context, const char *sentence)
{
    struct pull *p = context;
    char lease[24];
    int64_t now = clock_monotonic_ms();
    if (now - p->written_ms < PROGRESS_EVERY_MS)
        return;
    p->written_ms = now;
    snprintf(lease, sizeof lease, "%" PRId64, p->role->settings->pull_idle_ms + p->role->settings->lease_ms);
    const char *params[DEPLOYER_PULL_PROGRESS_P__MAX] = {
        [DEPLOYER_PULL_PROGRESS_P_IMAGE_REF] = p->ref,
        [DEPLOYER_PULL_PROGRESS_P_DEPLOYER] = p->role->name,
        [DEPLOYER_PULL_PROGRESS_P_PROGRESS] = sentence,
        [DEPLOYER_PULL_PROGRESS_P_LEASE_MS] = lease,
    };
    if (db_execute(p->role->db, DEPLOYER_PULL_PROGRESS, params, NULL) != DB_OK)
        log_warning("progress of the pull of %s could not be written: %s", p->ref, db_message(p->role->db));
}

/* Undone, for another puller, or for this one when the engine is back. */
static void give_back(struct pull *p)
{
    const char *params[DEPLOYER_PULL_RELEASE_P__MAX] = {
        [DEPLOYER_PULL_RELEASE_P_IMAGE_REF] = p->ref,
        [DEPLOYER_PULL_RELEASE_P_DEPLOYER] = p->role->name,
    };
    if (db_execute(p->role->db, DEPLOYER_PULL_RELEASE, params, NULL) != DB_OK)
        log_warning("the pull of %s could not be given back and its lease will run out: %s", p->ref, db_message(p->role->db));
}

/* Whatever came of the pull, what counts is whether the image is there now. */
static void finish(struct pull *p, enum engine_status pulled, const char *error)
{
    char *image_id;
    enum engine_status found = engine_image_find(p->role->engine, p->ref, &image_id);
    if (found == ENGINE_AWAY)
        role_engine_away(p->role);
    if (found != ENGINE_OK && found != ENGINE_NOT_FOUND) {
        give_back(p);
        signals_wait(-1, WAIT_AWAY_MS); /* giving back wakes pullers, this one as well */
        return;
    }
    if (pulled != ENGINE_OK)
        log_warning("pulling %s: %s%s", p->ref, error, image_id != NULL ? "; the image on the engine is used" : "");
    else
        log_info("pulled %s", p->ref);
    metrics_add(FIGURE_PULLS, pulled == ENGINE_OK ? PULL_DONE : PULL_FAILED, 1);
    if (pulled == ENGINE_OK && image_id == NULL)
        error = "the engine says that it pulled the image, but does not have it";
    const char *params[DEPLOYER_PULL_FINISH_P__MAX] = {
        [DEPLOYER_PULL_FINISH_P_IMAGE_REF] = p->ref,
        [DEPLOYER_PULL_FINISH_P_DEPLOYER] = p->role->name,
        [DEPLOYER_PULL_FINISH_P_IMAGE_ID] = image_id,
        [DEPLOYER_PULL_FINISH_P_ERROR] = error,
    };
    if (db_execute(p->role->db, DEPLOYER_PULL_FINISH, params, NULL) != DB_OK)
        log_warning("the end of the pull of %s could not be written: %s", p->ref, db_message(p->role->db));
    free(image_id);
}

static void pull_image(struct role *role, const char *ref)
{
    struct pull p = {.role = role};
    char name[512];
    snprintf(p.ref, sizeof p.ref, "%s", ref);
    snprintf(name, sizeof name, "%s", ref);
    char *tag = strrchr(name, ':'); /* always there: references are made as {name}:{tag} */
    if (tag == NULL)
        return;
    *tag++ = '\0';
    bool away = false;
    enum engine_status status =
        engine_image_pull(role->engine, name, tag, role->settings->pull_idle_ms, write_progress, &p, &away);
    if (status == ENGINE_STOPPED) {
        give_back(&p);
        return;
    }
    struct buf error = {0};
    if (status != ENGINE_OK)
        buf_addf(&error, "%s%s", away ? "the registry can't be reached: " : "", engine_error(role->engine));
    finish(&p, status, buf_text(&error));
    buf_free(&error);
}

int puller_run(void *context, int index)
{
    struct role role;
    char name[32], payload[600], ref[512];
    int status = 0;
    snprintf(name, sizeof name, "puller-%d", index);
    if (role_open(&role, context, name, "skylark_pulls") != 0)
        return 1;
    while (loop_next()) {
        enum role_readiness ready = role_ready(&role);
        if (ready == ROLE_REFUSE) {
            status = SUPERVISOR_EXIT_REFUSED;
            break;
        }
        if (ready == ROLE_WAIT) {
            signals_wait(-1, WAIT_AWAY_MS);
        } else if (claim(&role, ref, sizeof ref)) {
            pull_image(&role, ref);
        } else {
            bool heard = false;
            int failed = db_backoff_ms(role.db);
            while (db_notified(role.db, payload, sizeof payload))
                heard = true;
            if (failed)
                signals_wait(-1, failed);
            else if (!heard) /* or it may have come after the claim had looked */
                signals_wait(db_socket(role.db), WAIT_MOST_MS);
        }
    }
    role_close(&role);
    return status;
}
