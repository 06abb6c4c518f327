/* Passwords and tokens are in no log, no process list, no environment, no plain column. Last, so that all that can
 * have written them has run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/e2e.h"

#define SLIP "slipped-into-the-address-by-mistake"

static void test_logins(void)
{
    char body[512];
    snprintf(body, sizeof body, "{\"username\":\"madams\",\"password\":\"%s\"}", world.password);
    struct answer a = api_as(NULL, "POST", body, "/v1/generate-api-token/");
    CHECK(a.status == 200, "%ld %s", a.status, a.raw.body);
    api_free(&a);
    snprintf(body, sizeof body, "{\"username\":\"madams\",\"password\":\"%s\"", world.password); /* broken on purpose */
    a = api_as(NULL, "POST", body, "/v1/generate-api-token/");
    check_problem(&a, 400, "broken");
    CHECK(strstr(a.raw.body, world.password) == NULL, "the answer has the password: %s", a.raw.body);
    api_free(&a);
    a = api_as(NULL, "GET", NULL, "/v1/auth/profile/?password=" SLIP);
    check_problem(&a, 401, "in the address");
    api_free(&a);
}

static void absent(const char *secret, const char *what)
{
    setenv("WORLD_SECRET", secret, 1);
    char *found = world_shell(NULL, "grep -rlF -- \"$WORLD_SECRET\" '%s/log' '%s/run' '%s/etc' 2>/dev/null | grep -v '/etc/.*pgpass$' | head -n 5",
                              world.var, world.var, world.var);
    CHECK(found[0] == '\0', "%s is in %s", what, found);
    free(found);
    /* Arguments of every process; environments of Skylark's. */
    found = world_shell(NULL, "for p in /proc/[0-9]*; do cat $p/cmdline 2>/dev/null | tr '\\0' ' ' | grep -qF -- \"$WORLD_SECRET\" && echo $p; done; "
                        "for p in $(pgrep -f '^[^ ]*/bin/skylark-'); do grep -qaF -- \"$WORLD_SECRET\" /proc/$p/environ 2>/dev/null && echo environ of $p; done");
    CHECK(found[0] == '\0', "%s is in the process list: %s", what, found);
    free(found);
    int status;
    found = world_shell(&status, "pg_dump --data-only \"$TEST_OWNER_DSN\" | grep -cF -- \"$WORLD_SECRET\"");
    CHECK(strcmp(found, "0") == 0, "%s stands in %s lines of the database (status %d)", what, found, status);
    free(found);
    unsetenv("WORLD_SECRET");
}

static void test_nowhere(void)
{
    absent(world.password, "the password");
    absent(world.token, "the token");
    absent(world.token + 4, "the token without its prefix");
    absent(world.demo_password, "the password of demo");
    absent(world.demo_token, "the token of demo");
    absent(SLIP, "a password in an address");
    /* The looking itself works: an event's actor is in the dump, a path in the logs. */
    int status;
    free(world_shell(&status, "pg_dump --data-only \"$TEST_OWNER_DSN\" | grep -qF user:madams && grep -rqF /v1/services/madams '%s/log'", world.var));
    CHECK(status == 0, "the search finds nothing at all");
}

const struct check_test tests_secrets[] = {{"logins", test_logins}, {"in no log, list or column", test_nowhere}, {0}};
