/* Every statement of sql/queries/: it prepares under its own role, has the parameters and columns that its file names, and the hot
 * ones find their rows by an index. */
#include <stdio.h>
#include <string.h>

#include "gen/api_statements.h"
#include "gen/autoscaler_statements.h"
#include "gen/collector_statements.h"
#include "gen/common_statements.h"
#include "gen/ctl_statements.h"
#include "gen/deployer_statements.h"
#include "gen/router_statements.h"
#include "tests/sql/suites.h"

static const struct {
    const char *role; /* NULL: the owner */
    const struct db_statement *statements;
    size_t n;
} sets[] = {
    {"skylark_api", api_statements, API__MAX},
    {"skylark_autoscaler", autoscaler_statements, AUTOSCALER__MAX},
    {"skylark_deployer", deployer_statements, DEPLOYER__MAX},
    {"skylark_collector", collector_statements, COLLECTOR__MAX},
    {"skylark_router", router_statements, ROUTER__MAX},
    {NULL, ctl_statements, CTL__MAX},
    {"skylark_api", common_statements, COMMON__MAX},
};
#define N_SETS (sizeof sets / sizeof sets[0])

static bool is_copy(const struct db_statement *s)
{
    return strstr(s->sql, "\nCOPY ") != NULL;
}

/* What PostgreSQL says of a prepared statement is what the comments of its file say, from which C has its enums. */
static void check_described(const struct db_statement *s, const PGresult *described)
{
    CHECK(PQresultStatus(described) == PGRES_COMMAND_OK, "%s: %s", s->name, PQresultErrorMessage(described));
    CHECK(PQnparams(described) == s->n_params, "%s has %d parameters, and names %d", s->name, PQnparams(described), s->n_params);
    CHECK(PQnfields(described) == s->n_columns, "%s has %d columns, and names %d", s->name, PQnfields(described), s->n_columns);
    for (int i = 0; i < s->n_columns && i < PQnfields(described); i++)
        CHECK(strcmp(PQfname(described, i), s->columns[i]) == 0, "%s: column %d is %s, not %s", s->name, i + 1,
              PQfname(described, i), s->columns[i]);
}

static void test_prepare(void)
{
    sql_migrated();
    for (size_t i = 0; i < N_SETS; i++) {
        PGconn *c = sql_connect("skylark_shared", sets[i].role);
        CHECK(sets[i].n > 0, "set %zu is empty", i);
        for (size_t k = 0; k < sets[i].n; k++) {
            const struct db_statement *s = &sets[i].statements[k];
            PGresult *r = PQprepare(c, s->name, s->sql, 0, NULL);
            CHECK(PQresultStatus(r) == PGRES_COMMAND_OK, "%s: %s", s->name, PQresultErrorMessage(r));
            PQclear(r);
            r = PQdescribePrepared(c, s->name);
            check_described(s, r);
            PQclear(r);
            CHECK(strstr(s->sql, "-- ") != NULL, "%s does not say what it is for", s->name);
        }
        PQfinish(c);
    }
}

/* Under its role, each statement's plan is one that it may carry out: no right is missing. */
static void test_rights_suffice(void)
{
    sql_migrated();
    for (size_t i = 0; i < N_SETS; i++) {
        PGconn *c = sql_connect("skylark_shared", sets[i].role);
        for (size_t k = 0; k < sets[i].n; k++) {
            const struct db_statement *s = &sets[i].statements[k];
            const char *none[16] = {0};
            if (is_copy(s))
                continue; /* COPY can't be tried without rows; the collector's tests do */
            sql_run(c, "BEGIN");
            PGresult *r = sql_statement(c, s, none);
            const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
            CHECK(state == NULL || strcmp(state, "42501") != 0, "%s: %s", s->name, PQresultErrorMessage(r));
            PQclear(r);
            sql_run(c, "ROLLBACK");
        }
        PQfinish(c);
    }
}

/* As much as an installation of some size has, in every partition. */
static void fill(PGconn *c)
{
    static const char *const steps[] = {
        "UPDATE skylark.quotas SET maximum = NULL",
        "INSERT INTO skylark.namespaces (name, kind) SELECT 'n' || g, 'user' FROM generate_series(1, 2000) g",
        "INSERT INTO skylark.quotas SELECT id, q, 1000 FROM skylark.namespaces, unnest('{services,domains,tokens}'::text[]) q WHERE id > 1",
        "INSERT INTO skylark.users (id, password_hash) SELECT id, '$argon2id$x' FROM skylark.namespaces",
        "INSERT INTO skylark.api_tokens (user_id, token_hash, token_prefix) SELECT id, sha256(name::bytea), 'abcdefgh' FROM skylark.namespaces",
        "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
        "SELECT gen_random_uuid(), n.id, 's' || g, 'x', 'XS', 'n' FROM skylark.namespaces n, generate_series(1, 4) g",
        "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
        "SELECT gen_random_uuid(), (SELECT min(id) FROM skylark.namespaces), 'big' || g, 'x', 'XS', 'n' FROM generate_series(1, 500) g",
        "INSERT INTO skylark.envvars SELECT id, 'V' || g, 'x' FROM skylark.services, generate_series(1, 3) g",
        "INSERT INTO skylark.ports (service_id, container_port) SELECT id, 80 FROM skylark.services",
        "INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) SELECT id, '/data', 1 FROM skylark.services",
        "INSERT INTO skylark.kept_volumes SELECT service_id, app_volume_dir, id, 'EBS', 1, 'local', '{}' FROM skylark.volumes",
        "INSERT INTO skylark.links SELECT a.namespace_id, a.id, b.id, 'l' FROM skylark.services a JOIN skylark.services b "
        "ON b.namespace_id = a.namespace_id AND a.name = 's1' AND b.name = 's2'",
        "INSERT INTO skylark.autoscaling_settings (service_id, metric_name, upper_threshold, lower_threshold, minimum_num_instances, "
        "maximum_num_instances) SELECT id, 'CPU_UTILIZATION', 0.6, 0.1, 1, 6 FROM skylark.services",
        "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state) "
        "SELECT gen_random_uuid(), s.id, g, 1, 'e', gen_random_uuid()::text, 'running' FROM skylark.services s, generate_series(0, 1) g",
        "INSERT INTO skylark.instance_ports (instance_id, position, container_port, protocol, endpoint_type) "
        "SELECT id, 1, 80, 'tcp', 'tcp-endpoint' FROM skylark.instances",
        "INSERT INTO skylark.custom_domains SELECT name || '.' || namespace_id || '.example.com', id, 1 FROM skylark.services",
        "INSERT INTO skylark.fronts (name) VALUES ('h')",
        "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state, removed_at) "
        "SELECT gen_random_uuid(), s.id, 0, 1, 'e', gen_random_uuid()::text, 'removed', now() FROM skylark.services s, generate_series(1, 3) g",
        "INSERT INTO skylark.log_positions (instance_id, service_id) SELECT id, service_id FROM skylark.instances",
        "INSERT INTO skylark.log_rows SELECT service_id, now() - g * interval '1 second', id, g, 1, 'line ' || g "
        "FROM (SELECT * FROM skylark.instances WHERE state = 'running' LIMIT 500) i, generate_series(1, 300) g",
        "INSERT INTO skylark.image_pulls (image_ref, state, finished_at) SELECT 'x:' || g, 'done', now() FROM generate_series(1, 5000) g",
        "UPDATE skylark.services SET scaling_mode = 'AUTO'",
        "INSERT INTO skylark.events (namespace_name, service_name, service_id, actor, action) SELECT 'n', name, id, 'deployer', 'x' "
        "FROM skylark.services, generate_series(1, 3)",
        "INSERT INTO skylark.metric_samples SELECT id, now() - d * interval '1 day' - g * interval '5 seconds', 0.5, 0.5, 1, 1 "
        "FROM (SELECT * FROM skylark.instances WHERE state = 'running' LIMIT 500) i, unnest(ARRAY[-800, -3, -2, -1, 0, 1, 2, 3]) d, generate_series(1, 10) g",
        "INSERT INTO skylark.autoscaling_decisions (service_id, decided_at, reason, metric_name, metric_stat, upper_threshold, "
        "lower_threshold, samples, running, counted, missing, target_before, target_after, wanted) SELECT id, now(), 'within_band', "
        "'CPU_UTILIZATION', 'MEAN', 1, 0, 1, 1, 1, 1, 1, 1, 1 FROM skylark.services, generate_series(1, 3)",
        "UPDATE skylark.reconcile_queue SET due_at = 'infinity'",
        "INSERT INTO skylark.engines (engine_id, state) VALUES ('e', 'reachable')",
        "UPDATE skylark.installation SET engine_id = 'e', engine_recorded_at = now()",
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        CHECK(sql_run(c, "%s", steps[i])[0] == '\0', "%s: %s", steps[i], PQerrorMessage(c));
    CHECK(sql_run(c, "VACUUM ANALYZE")[0] == '\0', "%s", PQerrorMessage(c));
}

/* Tables that stay small whatever happens may be read whole. */
static bool table_grows(const char *plan_line)
{
    static const char *const small[] = {" on installation", " on engines", " on instance_sizes", " on volume_types", " on fronts"};
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) {
        if (strstr(plan_line, small[i]) != NULL)
            return false;
    }
    return true;
}

static void check_plan(PGconn *c, const struct db_statement *s)
{
    char call[400];
    int n = snprintf(call, sizeof call, "EXPLAIN (COSTS OFF) EXECUTE statement");
    for (int p = 0; p < s->n_params; p++)
        n += snprintf(call + n, sizeof call - (size_t)n, "%sNULL", p == 0 ? " (" : ", ");
    if (s->n_params > 0)
        snprintf(call + n, sizeof call - (size_t)n, ")");
    CHECK(sql_run(c, "PREPARE statement AS %s", s->sql)[0] == '\0', "%s: %s", s->name, PQerrorMessage(c));
    PGresult *r = PQexec(c, call);
    CHECK(PQresultStatus(r) == PGRES_TUPLES_OK, "%s: %s", s->name, PQresultErrorMessage(r));
    for (int i = 0; i < PQntuples(r); i++) {
        const char *line = sql_column(r, i, "QUERY PLAN");
        CHECK(strstr(line, "Seq Scan on") == NULL || !table_grows(line), "%s: %s", s->name, line);
    }
    PQclear(r);
    sql_run(c, "DEALLOCATE statement");
}

static void test_hot_by_index(void)
{
    sql_database("filled");
    REQUIRE(sql_ctl("filled", "migrate", NULL) == 0, "migrate");
    PGconn *owner = sql_connect("filled", NULL);
    fill(owner);
    int hot = 0;
    for (size_t i = 0; i < N_SETS; i++) {
        PGconn *c = sql_connect("filled", sets[i].role);
        sql_run(c, "SET plan_cache_mode = force_generic_plan");
        for (size_t k = 0; k < sets[i].n; k++) {
            if (!sets[i].statements[k].hot)
                continue;
            hot++;
            check_plan(c, &sets[i].statements[k]);
        }
        PQfinish(c);
    }
    CHECK(hot >= 10, "only %d statements are marked hot", hot);
    PQfinish(owner);
}

const struct check_test tests_statements[] = {
    {"every one prepares under its role, with the parameters and columns that it names", test_prepare},
    {"every one may do what it does", test_rights_suffice},
    {"the hot ones use an index", test_hot_by_index},
    {NULL, NULL},
};
