/* From a request to its answer. Whatever a route's row says is enforced here, once, and nothing is let through
 * that no row allows. */
#include "fcgi/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "fcgi/route.h"
#include "gen/api_statements.h"

/* How often a transaction is tried when PostgreSQL finds a deadlock. */
#define CHANGE_ATTEMPTS 3
/* A change that finds no slot waits while those in its way are younger than this: then they are only many. An older one waits for a lock
 * itself, and a further one would wait for the same. */
#define CHANGE_HELD_UP_MS 400
#define CHANGE_NAP_MS 5

static int right_rank(const char *granted)
{
    return strcmp(granted, "admin") == 0 ? 3 : strcmp(granted, "write") == 0 ? 2 : strcmp(granted, "read") == 0 ? 1 : 0;
}

/* Judges the first columns of a result by the route's row. */
static void access_check(struct request *rq, const PGresult *result)
{
    if (PQntuples(result) == 0) {
        problem_set(&rq->problem, PROBLEM_UNAUTHORIZED, "The token is not valid.");
        return;
    }
    snprintf(rq->access.token_id, sizeof rq->access.token_id, "%s", db_text(result, 0, ROUTE_C_TOKEN_ID));
    snprintf(rq->access.user_name, sizeof rq->access.user_name, "%s", db_text(result, 0, ROUTE_C_USER_NAME));
    rq->access.token_unmarked = db_bool(result, 0, ROUTE_C_TOKEN_UNMARKED);
    if (rq->route->access == ROUTE_TOKEN)
        return;
    int granted = right_rank(db_text(result, 0, ROUTE_C_GRANTED));
    int needed = rq->route->access == ROUTE_READ ? 1 : rq->route->access == ROUTE_WRITE ? 2 : 4;
    if (granted == 0)
        problem_set(&rq->problem, PROBLEM_NOT_FOUND, "No such namespace, or none that this token may see.");
    else if (granted < needed)
        problem_set(&rq->problem, PROBLEM_FORBIDDEN, "This needs the right to write; the token may only read.");
}

/* Finds out who asks, in a statement of its own. */
static void authorise(struct request *rq)
{
    const char *params[API_AUTHORISE_P__MAX] = {
        [API_AUTHORISE_P_TOKEN_HASH] = rq->token_hash,
        [API_AUTHORISE_P_NAMESPACE] = rq->namespace_name,
        [API_AUTHORISE_P_REQUEST_ID] = rq->id,
    };
    PGresult *result;
    enum db_status status = db_read(rq->db, API_AUTHORISE, params, &result);
    if (status != DB_OK) {
        request_db_problem(rq, status);
        return;
    }
    access_check(rq, result);
    if (rq->problem.kind == PROBLEM_NONE && PQntuples(result) > 0)
        snprintf(rq->access.namespace_id, sizeof rq->access.namespace_id, "%s", db_text(result, 0, API_AUTHORISE_C_NAMESPACE_ID));
    PQclear(result);
}

/* Tells the faults that were found without asking PostgreSQL, but only to whom the row lets in: who may not ask learns nothing
 * of what is wrong with the question. */
static void report_faults(struct request *rq)
{
    struct problem faults = rq->problem;
    rq->problem = (struct problem){0};
    authorise(rq);
    if (rq->problem.kind == PROBLEM_NONE) {
        problem_free(&rq->problem);
        rq->problem = faults;
    } else {
        problem_free(&faults);
    }
}

/* Who may be at a long read now. Such reads get a share of the workers, so that the other requests always find one. */
static struct slots *long_reads;

/* Who changes something now, by namespace and by service. Changes of the same wait for each other, and for whoever holds a lock there,
 * with a worker each: so they get a share of the workers, too. */
static struct slots *changes, *changes_of_services;

int dispatch_open(void)
{
    long_reads = slots_open("the slots of long reads");
    changes = slots_open("the slots of changes");
    changes_of_services = slots_open("the slots of changes of services");
    return long_reads != NULL && changes != NULL && changes_of_services != NULL ? 0 : -1;
}

/* Takes a slot for the token, which authorise has found valid: guesses don't use up the share. */
static void long_read_begin(struct request *rq)
{
    char first[17]; /* 64 bits of it name the token well enough */
    snprintf(first, sizeof first, "%.16s", rq->token_hash + 2);
    uint64_t key = strtoull(first, NULL, 16);
    rq->long_read = slots_take(long_reads, api_long_reads(rq->settings), key > 0 ? key : 1, api_long_reads_of_token(rq->settings));
    if (rq->long_read == SLOTS_SHARE_FULL)
        problem_set(&rq->problem, PROBLEM_TOO_MANY,
                    "This token reads logs or metrics in %zu requests already, which is as many as it may at the same time.",
                    api_long_reads_of_token(rq->settings));
    else if (rq->long_read == SLOTS_FULL)
        problem_set(&rq->problem, PROBLEM_UNAVAILABLE, "All workers that may read logs and metrics are busy; nothing was changed.");
    if (rq->problem.kind != PROBLEM_NONE)
        rq->problem.retry_after = 1;
}

/* What names the service of the request among all of them; 0: the request is about none that there is. */
static uint64_t service_key(const struct request *rq)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    if (rq->service_name == NULL)
        return 0;
    for (const char *texts[] = {rq->access.namespace_id, "/", rq->service_name, NULL}, **text = texts; *text != NULL; text++) {
        for (const char *c = *text; *c != '\0'; c++)
            hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    }
    return hash > 0 ? hash : 1;
}

/* Takes a slot for the service and one for the namespace. Returns whether it has both; if not, it has neither, and *held_ms is for how
 * long the oldest of those that are in its way have had theirs. */
static bool change_slots_take(struct request *rq, uint64_t service, uint64_t namespace, int64_t *held_ms)
{
    size_t most = api_changes(rq->settings);
    rq->change_of_service = slots_take(changes_of_services, most, service, api_changes_of_service(rq->settings));
    if (rq->change_of_service < 0) {
        *held_ms = slots_oldest_ms(changes_of_services, rq->change_of_service == SLOTS_SHARE_FULL ? service : 0);
        return false;
    }
    rq->change = slots_take(changes, most, namespace, api_changes_of_namespace(rq->settings));
    if (rq->change < 0) {
        *held_ms = slots_oldest_ms(changes, rq->change == SLOTS_SHARE_FULL ? namespace : 0);
        slots_give(changes_of_services, rq->change_of_service);
        rq->change_of_service = SLOTS_FULL;
        return false;
    }
    return true;
}

/* Before the first lock, and after authorise: who has no right there takes no slot. A further attempt keeps those it has. */
static void change_begin(struct request *rq)
{
    uint64_t service = service_key(rq), namespace = strtoull(rq->access.namespace_id, NULL, 10);
    int64_t deadline_ms = clock_monotonic_ms() + CHANGE_HELD_UP_MS, held_ms;
    while (rq->change < 0 && !change_slots_take(rq, service, namespace, &held_ms)) {
        if (held_ms > CHANGE_HELD_UP_MS || clock_monotonic_ms() > deadline_ms) {
            problem_set(&rq->problem, PROBLEM_UNAVAILABLE,
                        "Other changes are held up, by a lock or by their number, and as many wait as may; nothing was changed.");
            rq->problem.retry_after = 1;
            return;
        }
        nanosleep(&(struct timespec){.tv_nsec = CHANGE_NAP_MS * 1000000}, NULL);
    }
}

static void change_end(struct request *rq)
{
    slots_give(changes, rq->change);
    slots_give(changes_of_services, rq->change_of_service);
    rq->change = rq->change_of_service = SLOTS_FULL;
}

static void run_query(struct request *rq)
{
    const char *params[ROUTE_PARAMETERS_MAX] = {
        [ROUTE_P_TOKEN_HASH] = rq->token_hash,
        [ROUTE_P_NAMESPACE] = rq->namespace_name,
        [ROUTE_P_SERVICE_NAME] = rq->service_name,
    };
    if (rq->route->bind != NULL)
        rq->route->bind(rq, params);
    if (rq->arena.failed)
        return; /* said by request_respond */
    if (rq->problem.kind != PROBLEM_NONE) {
        report_faults(rq);
        return;
    }
    if (rq->route->kind == ROUTE_LONG_QUERY) {
        authorise(rq);
        if (rq->problem.kind == PROBLEM_NONE)
            long_read_begin(rq);
        if (rq->problem.kind != PROBLEM_NONE)
            return;
    }
    PGresult *result;
    enum db_status status = db_read(rq->db, rq->route->statement, params, &result);
    if (status != DB_OK) {
        request_db_problem(rq, status);
        return;
    }
    access_check(rq, result);
    if (rq->problem.kind == PROBLEM_NONE)
        rq->route->handle(rq, result);
    PQclear(result);
}

static enum db_status run_change_once(struct request *rq)
{
    enum db_status status = db_begin(rq->db);
    if (status != DB_OK)
        return status;
    authorise(rq);
    if (rq->problem.kind == PROBLEM_NONE)
        change_begin(rq);
    if (rq->problem.kind == PROBLEM_NONE)
        rq->route->handle(rq, NULL);
    if (rq->problem.kind != PROBLEM_NONE) {
        db_rollback(rq->db);
        return DB_OK;
    }
    return db_commit(rq->db);
}

static void run_change(struct request *rq)
{
    if (rq->problem.kind != PROBLEM_NONE) {
        report_faults(rq);
        return;
    }
    for (int attempt = 1;; attempt++) {
        rq->deadlocked = false;
        enum db_status status = run_change_once(rq);
        bool again = status == DB_RETRY || rq->deadlocked;
        if (again && attempt < CHANGE_ATTEMPTS) {
            request_reset_response(rq);
            continue;
        }
        request_db_problem(rq, status);
        return;
    }
}

static void run_route(struct request *rq)
{
    const struct route *route = rq->route;
    switch (route->access) {
    case ROUTE_PUBLIC:
    case ROUTE_INTERNAL:
        break;
    case ROUTE_TOKEN:
    case ROUTE_READ:
    case ROUTE_WRITE:
        if (rq->token_hash[0] == '\0') {
            problem_set(&rq->problem, PROBLEM_UNAUTHORIZED,
                        "Send the header \"Authorization: Token …\"; /v1/generate-api-token/ gives one out.");
            return;
        }
        break;
    case ROUTE_DENIED:
    case ROUTE__MAX:
        problem_set(&rq->problem, PROBLEM_NOT_FOUND, "No such resource.");
        return;
    }
    if (route->bodies != 0) {
        size_t setting = (size_t)rq->settings->body_limit;
        request_read_body(rq, route->bodies, setting < route->body_limit ? setting : route->body_limit);
    }
    if (rq->problem.kind != PROBLEM_NONE)
        return;
    if (route->parse != NULL)
        route->parse(rq);
    if (rq->arena.failed)
        return; /* said by request_respond */
    switch (route->kind) {
    case ROUTE_PLAIN:
        if (rq->problem.kind == PROBLEM_NONE)
            route->handle(rq, NULL);
        break;
    case ROUTE_QUERY:
    case ROUTE_LONG_QUERY:
        run_query(rq);
        break;
    case ROUTE_CHANGE:
        run_change(rq);
        break;
    }
}

void dispatch_after(struct request *rq)
{
    const char *params[API_TOKEN_MARK_P__MAX] = {[API_TOKEN_MARK_P_TOKEN_ID] = rq->access.token_id};
    if (rq->access.token_unmarked && db_execute(rq->db, API_TOKEN_MARK, params, NULL) != DB_OK)
        log_warning("the use of token %s could not be noted: %s", rq->access.token_id, db_message(rq->db));
}

void dispatch(struct request *rq)
{
    if (rq->problem.kind == PROBLEM_NONE)
        rq->route = route_find(rq);
    if (rq->route != NULL)
        run_route(rq);
    change_end(rq); /* before the answer: its client may send the next one then */
    request_respond(rq);
    slots_give(long_reads, rq->long_read);
}
