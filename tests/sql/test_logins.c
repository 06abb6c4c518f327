/* Guessing passwords: counted before a password is looked at, by address, by user and of everybody; and the tokens that come of
 * logins. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/api_statements.h"
#include "tests/sql/suites.h"

#define PARALLEL 12

/* Seconds that an attempt is refused for; -1: it failed. */
static int attempt(PGconn *c, const char *user, const char *address, int per_minute)
{
    const char *value = sql_value(c, "SELECT refused_seconds FROM skylark.login_attempt('%s', '%s', %d)", user, address, per_minute);
    return value[0] >= '0' && value[0] <= '9' ? atoi(value) : -1;
}

static PGconn *fresh(void)
{
    PGconn *c = sql_migrated();
    sql_run(c, "DELETE FROM skylark.login_failures");
    sql_run(c, "DELETE FROM skylark.login_addresses");
    sql_run(c, "DELETE FROM skylark.api_tokens");
    sql_run(c, "UPDATE skylark.login_totals SET failures = 0");
    return c;
}

static void test_by_address_and_user(void)
{
    PGconn *c = fresh();
    for (int i = 0; i < 5; i++)
        CHECK(attempt(c, "demo", "192.0.2.1", 1000) == 0, "attempt %d: %s", i, PQerrorMessage(c));
    int wait = attempt(c, "demo", "192.0.2.1", 1000);
    CHECK(wait > 0 && wait <= 2, "the sixth of one user at one address waits %d s", wait);
    CHECK(attempt(c, "other", "192.0.2.1", 1000) == 0 && attempt(c, "demo", "192.0.2.2", 1000) == 0, "others are refused as well");
    CHECK(strcmp(sql_value(c, "SELECT failures FROM skylark.login_failures WHERE subject = 'user:demo@192.0.2.1'"), "5") == 0,
          "what is refused counts");
    /* One address guesses at many names. */
    for (int i = 0; i < 14; i++) {
        char name[16];
        snprintf(name, sizeof name, "name%d", i);
        CHECK(attempt(c, name, "192.0.2.1", 1000) == 0, "%s", name);
    }
    CHECK(attempt(c, "one-more", "192.0.2.1", 1000) > 0, "20 of one address, and no end");
    /* What can't be a user's name is counted by its address only. */
    CHECK(attempt(c, "demo@192.0.2.9", "192.0.2.3", 1000) == 0, "refused");
    CHECK(strcmp(sql_value(c, "SELECT count(*) FROM skylark.login_failures WHERE subject = 'user:demo@192.0.2.9'"), "0") == 0,
          "a name spells another subject");
}

/* Many addresses guess at one user: slowed down, wherever the user has not been yet, and never for long. */
static void test_by_user(void)
{
    PGconn *c = fresh();
    char address[32];
    sql_run(c, "INSERT INTO skylark.login_addresses SELECT id, '198.51.100.7', now() FROM skylark.users");
    int wait = 0;
    for (int i = 0; i < 40 && wait == 0; i++) {
        snprintf(address, sizeof address, "203.0.113.%d", i);
        wait = attempt(c, "demo", address, 1000);
    }
    CHECK(wait > 0, "40 addresses guess at one user");
    CHECK(attempt(c, "demo", "198.51.100.7", 1000) == 0, "the user is locked out at home");
    CHECK(attempt(c, "no-such-user", "203.0.113.1", 1000) == 0, "another name is refused");
    sql_run(c, "UPDATE skylark.login_failures SET failures = 100000 WHERE subject = 'user:demo'");
    wait = attempt(c, "demo", "203.0.113.200", 1000);
    CHECK(wait > 30 && wait <= 60, "%d s", wait);
    sql_run(c, "UPDATE skylark.login_failures SET last_at = now() - interval '61 seconds' WHERE subject = 'user:demo'");
    CHECK(attempt(c, "demo", "203.0.113.201", 1000) == 0, "for longer than a minute");
    /* A name that is not there is treated the same. */
    wait = 0;
    for (int i = 0; i < 40 && wait == 0; i++) {
        snprintf(address, sizeof address, "203.0.113.%d", 100 + i);
        wait = attempt(c, "no-such-user", address, 1000);
    }
    CHECK(wait > 0, "an unknown user is not limited, which tells that it is unknown");
    CHECK(sql_ctl("skylark_shared", "user unlock demo", NULL) == 0 && sql_ctl("skylark_shared", "user unlock nobody", NULL) != 0,
          "user unlock");
    CHECK(strcmp(sql_value(c, "SELECT count(*) FROM skylark.login_failures WHERE subject LIKE 'user:demo%%'"), "0") == 0, "unlock left some");
}

static void test_of_everybody(void)
{
    PGconn *c = fresh();
    char name[16], address[32];
    sql_run(c, "INSERT INTO skylark.login_addresses SELECT id, '198.51.100.7', now() FROM skylark.users");
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "name%d", i);
        snprintf(address, sizeof address, "203.0.113.%d", i);
        CHECK(attempt(c, name, address, 10) == 0, "%d", i);
    }
    int wait = attempt(c, "demo", "203.0.113.99", 10);
    CHECK(wait > 0 && wait <= 60, "%d", wait);
    CHECK(attempt(c, "demo", "198.51.100.7", 10) == 0, "where the user was before");
    sql_run(c, "UPDATE skylark.login_totals SET first_at = now() - interval '1 minute'");
    CHECK(attempt(c, "demo", "203.0.113.99", 10) == 0, "a minute later");
}

static void test_succeeded(void)
{
    PGconn *c = fresh();
    for (int i = 0; i < 3; i++)
        attempt(c, "demo", "192.0.2.1", 1000);
    sql_run(c, "SELECT skylark.login_succeeded(id, 'demo', '192.0.2.1') FROM skylark.users");
    CHECK(strcmp(sql_value(c, "SELECT string_agg(subject || '=' || failures, ' ' ORDER BY subject) FROM skylark.login_failures"),
                 "address:192.0.2.1=2 user:demo=2 user:demo@192.0.2.1=0") == 0,
          "%s", sql_value(c, "SELECT string_agg(subject || '=' || failures, ' ' ORDER BY subject) FROM skylark.login_failures"));
    CHECK(strcmp(sql_value(c, "SELECT sum(failures) FROM skylark.login_totals"), "2") == 0, "totals");
    CHECK(strcmp(sql_value(c, "SELECT string_agg(address, ' ') FROM skylark.login_addresses"), "192.0.2.1") == 0, "known");
    /* From there on it counts for itself. */
    attempt(c, "demo", "192.0.2.1", 1000);
    CHECK(strcmp(sql_value(c, "SELECT failures FROM skylark.login_failures WHERE subject = 'user:demo'"), "2") == 0, "a known address");
    for (int i = 0; i < 60; i++)
        sql_run(c, "SELECT skylark.login_succeeded(id, 'demo', '192.0.2.%d') FROM skylark.users", i);
    CHECK(strcmp(sql_value(c, "SELECT count(*) FROM skylark.login_addresses"), "50") == 0, "addresses without end");
}

/* Guesses that have all begun before one of them is counted: each sees those before it nevertheless. */
static void test_parallel(void)
{
    PGconn *c = fresh(), *conns[PARALLEL], *holder = sql_connect("skylark_shared", NULL);
    const char *params[API_LOGIN_ATTEMPT_P__MAX] = {
        [API_LOGIN_ATTEMPT_P_USER_NAME] = "demo",
        [API_LOGIN_ATTEMPT_P_ADDRESS] = "192.0.2.1",
        [API_LOGIN_ATTEMPT_P_PER_MINUTE] = "1000",
    };
    int let_in = 0, refused = 0, waiting = 0;
    attempt(c, "demo", "192.0.2.1", 1000);
    sql_run(c, "UPDATE skylark.login_failures SET failures = 0");
    sql_run(holder, "BEGIN");
    sql_run(holder, "SELECT FROM skylark.login_failures FOR UPDATE");
    for (int i = 0; i < PARALLEL; i++)
        conns[i] = sql_connect("skylark_shared", "skylark_api");
    for (int i = 0; i < PARALLEL; i++)
        CHECK(PQsendQueryParams(conns[i], api_statements[API_LOGIN_ATTEMPT].sql, API_LOGIN_ATTEMPT_P__MAX, NULL, params, NULL, NULL, 0),
              "%s", PQerrorMessage(conns[i]));
    /* One that waits for longer than it may is not let in either. */
    for (int looks = 0; looks < 1000 && waiting < PARALLEL; looks++)
        waiting = atoi(sql_value(c, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'skylark_api' AND "
                                    "(wait_event_type = 'Lock' OR state = 'idle' AND query LIKE '%%login_attempt%%')"));
    sql_run(holder, "COMMIT");
    for (int i = 0; i < PARALLEL; i++) {
        PGresult *r = PQgetResult(conns[i]);
        bool there = PQresultStatus(r) == PGRES_TUPLES_OK;
        CHECK(there || strcmp(PQresultErrorField(r, PG_DIAG_SQLSTATE), "55P03") == 0, "%s", PQerrorMessage(conns[i]));
        let_in += there && db_int(r, 0, API_LOGIN_ATTEMPT_C_REFUSED_SECONDS) == 0;
        refused += there && db_int(r, 0, API_LOGIN_ATTEMPT_C_REFUSED_SECONDS) > 0;
        PQclear(r);
        PQfinish(conns[i]);
    }
    CHECK(let_in <= 5, "%d went on, %d were refused", let_in, refused);
    PQfinish(holder);
}

/* A lock that somebody holds on what one user is counted by is waited for a moment, and holds nobody else up. */
static void test_locked(void)
{
    PGconn *c = fresh(), *holder = sql_connect("skylark_shared", NULL);
    attempt(c, "demo", "192.0.2.1", 1000);
    sql_run(holder, "BEGIN");
    sql_run(holder, "SELECT FROM skylark.login_failures WHERE subject = 'user:demo' FOR UPDATE");
    sql_run(holder, "SELECT FROM skylark.login_totals WHERE part = 1 FOR UPDATE");
    CHECK(strcmp(sql_run(c, "SELECT skylark.login_attempt('demo', '192.0.2.1', 1000)"), "55P03") == 0, "%s", PQerrorMessage(c));
    CHECK(attempt(c, "other", "192.0.2.1", 1000) == 0, "another user waits: %s", PQerrorMessage(c));
    PQfinish(holder);
}

static const char *issue(PGconn *c, const char *changed_at, int n)
{
    static char issued[8];
    snprintf(issued, sizeof issued, "%s", sql_value(c, "SELECT skylark.token_issue(id, %s, sha256('%d'), 'abcdefgh', interval '90 days') "
                                                       "FROM skylark.users", changed_at, n));
    return issued;
}
static bool valid(PGconn *c, int n)
{
    return strcmp(sql_value(c, "SELECT count(*) FROM skylark.access(sha256('%d'), NULL)", n), "1") == 0;
}

static void test_tokens(void)
{
    PGconn *c = fresh();
    CHECK(strcmp(issue(c, "password_changed_at", 1), "t") == 0 && valid(c, 1), "%s", PQerrorMessage(c));
    CHECK(strcmp(issue(c, "password_changed_at - interval '1 microsecond'", 2), "f") == 0 && !valid(c, 2),
          "a token for a password that was changed meanwhile");
    /* As long as it is used, and 90 days more. */
    sql_run(c, "UPDATE skylark.api_tokens SET created_at = now() - interval '300 days', last_used_at = now() - interval '89 days'");
    CHECK(valid(c, 1), "used 89 days ago");
    sql_run(c, "UPDATE skylark.api_tokens SET last_used_at = now() - interval '91 days'");
    CHECK(!valid(c, 1), "not used for 91 days");
    sql_run(c, "UPDATE skylark.api_tokens SET last_used_at = NULL");
    CHECK(!valid(c, 1), "never used in 300 days");
    sql_run(c, "UPDATE skylark.api_tokens SET last_used_at = now()");
    sql_run(c, "UPDATE skylark.users SET disabled_at = now()");
    CHECK(!valid(c, 1) && strcmp(issue(c, "password_changed_at", 3), "f") == 0, "a disabled user");
    sql_run(c, "UPDATE skylark.users SET disabled_at = NULL");
    /* A new password ends what the old one gave out, whoever sets it. */
    sql_run(c, "BEGIN; SET LOCAL skylark.keep_tokens = 'yes'; UPDATE skylark.users SET password_hash = '$argon2id$y'; COMMIT");
    CHECK(valid(c, 1), "kept on demand");
    sql_run(c, "UPDATE skylark.users SET password_hash = '$argon2id$x'");
    CHECK(!valid(c, 1), "a token survives the password");
    /* Cleared away in batches, once they have been shown for long enough. */
    sql_run(c, "INSERT INTO skylark.api_tokens (user_id, token_hash, token_prefix, created_at, revoked_at) "
               "SELECT id, sha256(n::text::bytea), 'abcdefgh', now() - interval '80 days', now() - interval '40 days' "
               "FROM skylark.users, generate_series(100, 104) n");
    sql_run(c, "INSERT INTO skylark.api_tokens (user_id, token_hash, token_prefix, created_at, expires_at) "
               "SELECT id, sha256('200'), 'abcdefgh', now() - interval '80 days', now() - interval '40 days' FROM skylark.users");
    sql_run(c, "INSERT INTO skylark.api_tokens (user_id, token_hash, token_prefix) SELECT id, sha256('300'), 'abcdefgh' FROM skylark.users");
    CHECK(strcmp(sql_value(c, "SELECT skylark.tokens_prune('30 days', 4)"), "4") == 0, "%s", PQerrorMessage(c));
    CHECK(strcmp(sql_value(c, "SELECT skylark.tokens_prune('30 days', 4)"), "2") == 0, "%s", PQerrorMessage(c));
    CHECK(strcmp(sql_value(c, "SELECT count(*) FROM skylark.api_tokens"), "2") == 0 && valid(c, 300), "too many pruned");
    attempt(c, "demo", "192.0.2.1", 1000);
    sql_run(c, "UPDATE skylark.login_failures SET last_at = now() - interval '2 hours' WHERE subject <> 'user:demo'");
    CHECK(strcmp(sql_value(c, "SELECT skylark.logins_prune(10)"), "2") == 0, "%s", PQerrorMessage(c));
    sql_run(c, "DELETE FROM skylark.api_tokens");
}

/* After the clock was set back, or somebody wrote by hand: counts that bear a time to come lock nobody out, and end no attempt. */
static void test_to_come(void)
{
    static const char *const steps[] = {
        "UPDATE skylark.login_failures SET failures = 100, last_at = now() + interval '1 hour'",
        "UPDATE skylark.login_failures SET failures = 100, last_at = 'infinity'",
        "UPDATE skylark.login_failures SET failures = 2147483647, last_at = now() - interval '2 minutes' WHERE subject = 'user:demo'",
        "UPDATE skylark.login_totals SET failures = 2147483647, first_at = now() + interval '1 hour'",
        "UPDATE skylark.login_totals SET failures = 2147483647, first_at = 'infinity'",
    };
    PGconn *c = fresh();
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        CHECK(attempt(c, "demo", "192.0.2.1", 1000) == 0, "before: %s", PQerrorMessage(c));
        CHECK(sql_run(c, "%s", steps[i])[0] == '\0', "%s: %s", steps[i], PQerrorMessage(c));
        int wait = attempt(c, "demo", "192.0.2.1", 1000);
        CHECK(wait == 0, "%s: %d s; %s", steps[i], wait, PQerrorMessage(c));
        CHECK(attempt(c, "demo", "192.0.2.1", 1000) >= 0, "%s: nor the next: %s", steps[i], PQerrorMessage(c));
        sql_run(c, "DELETE FROM skylark.login_failures");
        sql_run(c, "UPDATE skylark.login_totals SET failures = 0, first_at = now()");
    }
}

const struct check_test tests_logins[] = {
    {"guesses are counted by address, and by user and address", test_by_address_and_user},
    {"guesses at a user from many addresses: slowed down, and not where the user was before", test_by_user},
    {"guesses of everybody together", test_of_everybody},
    {"a good login is taken back and remembered", test_succeeded},
    {"guesses at the same time see each other", test_parallel},
    {"a lock on one user's count holds up nobody else", test_locked},
    {"counts of a time to come lock nobody out", test_to_come},
    {"tokens end with disuse, with the password and with the user, and are cleared away", test_tokens},
    {0},
};
