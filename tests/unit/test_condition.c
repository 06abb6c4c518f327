/* What SQLSTATEs mean: each that a loop or a client may meet has a name, a status and a wait. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/db_condition.h"
#include "tests/unit/suites.h"

static const struct {
    const char *sqlstate, *name;
    enum db_status status;
    bool waits, reconnects;
} rows[] = {
    {NULL, "no_answer", DB_AWAY, true, true},
    {"", "no_answer", DB_AWAY, true, true},
    {"08006", "connection_exception", DB_AWAY, true, true},
    {"0A000", "feature_not_supported", DB_AWAY, true, true},
    {"22P02", "data_exception", DB_REFUSED, false, false},
    {"23502", "integrity_constraint_violation", DB_REFUSED, false, false},
    {"23505", "unique_violation", DB_CONFLICT, false, false},
    {"23P01", "exclusion_violation", DB_CONFLICT, false, false},
    {"25006", "read_only_sql_transaction", DB_AWAY, true, true},
    {"25P02", "invalid_transaction_state", DB_FAILED, true, false},
    {"25P03", "idle_in_transaction_session_timeout", DB_AWAY, true, true},
    {"26000", "invalid_sql_statement_name", DB_AWAY, true, true},
    {"28P01", "invalid_authorization_specification", DB_AWAY, true, true},
    {"3D000", "invalid_catalog_name", DB_AWAY, true, true},
    {"40001", "serialization_failure", DB_RETRY, false, false},
    {"40003", "transaction_rollback", DB_RETRY, true, false},
    {"40P01", "deadlock_detected", DB_RETRY, false, false},
    {"42501", "insufficient_privilege", DB_FAILED, true, false},
    {"42P01", "syntax_error_or_access_rule_violation", DB_FAILED, true, false},
    {"53100", "disk_full", DB_AWAY, true, false},
    {"53200", "out_of_memory", DB_AWAY, true, false},
    {"53300", "too_many_connections", DB_AWAY, true, true},
    {"53400", "insufficient_resources", DB_AWAY, true, false},
    {"55000", "object_not_in_prerequisite_state", DB_AWAY, true, false},
    {"55P03", "lock_not_available", DB_AWAY, true, false},
    {"57014", "query_canceled", DB_AWAY, true, false},
    {"57P01", "admin_shutdown", DB_AWAY, true, true},
    {"57P02", "crash_shutdown", DB_AWAY, true, true},
    {"57P03", "cannot_connect_now", DB_AWAY, true, true},
    {"57000", "operator_intervention", DB_AWAY, true, false},
    {"57P04", "database_dropped", DB_AWAY, true, true},
    {"57P05", "idle_session_timeout", DB_AWAY, true, true},
    {"58030", "system_error", DB_AWAY, true, false},
    {"P0001", "raise_exception", DB_REFUSED, false, false},
    {"XX000", "unknown", DB_FAILED, true, false},
    {"XX001", "data_corrupted", DB_FAILED, true, false},
    {"XX002", "index_corrupted", DB_FAILED, true, false},
    /* Foreign ones: of an extension, of a pooler, of a later PostgreSQL. */
    {"ZZ123", "unknown", DB_FAILED, true, false},
    {"P0002", "unknown", DB_FAILED, true, false},
    {"4", "unknown", DB_FAILED, true, false},
};

static void test_found(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct db_condition *c = db_condition_find(rows[i].sqlstate);
        CU_ASSERT_STRING_EQUAL(c->name, rows[i].name);
        CU_ASSERT_EQUAL(c->status, rows[i].status);
        CU_ASSERT_EQUAL(c->backoff_ms > 0, rows[i].waits);
        CU_ASSERT_EQUAL(c->reconnect, rows[i].reconnects);
    }
}

static void test_rows(void)
{
    for (size_t i = 0; i < db_n_conditions; i++) {
        const struct db_condition *c = &db_conditions[i];
        size_t len = strlen(c->sqlstate);
        CU_ASSERT(len >= 2 && len <= 5 && c->name != NULL && c->name[0] != '\0' && c->status != DB_OK);
        for (size_t k = i + 1; k < db_n_conditions; k++)
            CU_ASSERT_STRING_NOT_EQUAL(c->sqlstate, db_conditions[k].sqlstate);
        /* Whatever a loop is told to try again later, it has to be told when. */
        CU_ASSERT((c->status != DB_AWAY && c->status != DB_FAILED) || c->backoff_ms > 0);
        CU_ASSERT(!c->reconnect || c->status == DB_AWAY);
        bool tested = false;
        for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
            tested = tested || (rows[k].sqlstate != NULL && strncmp(rows[k].sqlstate, c->sqlstate, len) == 0);
        CU_ASSERT(tested);
    }
}

void suite_condition(void)
{
    CU_pSuite s = CU_add_suite("condition", NULL, NULL);
    CU_add_test(s, "each SQLSTATE has a name, a status and a wait", test_found);
    CU_add_test(s, "no row is double or without a wait", test_rows);
}
