/* Passwords and tokens are in no log, no process list, no environment, no plain column. Last, so that all that can
 * have written them has run. */
#include <dirent.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Whether the text is in a file below the folder; the first one goes to found. What is meant to hold it (passfiles) is passed over. */
static bool in_folder(const char *folder, const char *text, char *found, size_t size)
{
    char *const folders[] = {(char *)folder, NULL};
    bool there = false;
    FTS *tree = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *e; !there && tree != NULL && (e = fts_read(tree)) != NULL;) {
        size_t len, n = strlen(e->fts_path);
        if (e->fts_info != FTS_F || (n > 7 && strcmp(e->fts_path + n - 7, ".pgpass") == 0))
            continue;
        char *content = world_file(&len, "%s", e->fts_path);
        there = memmem(content, len, text, strlen(text)) != NULL;
        if (there)
            snprintf(found, size, "%s", e->fts_path);
        free(content);
    }
    if (tree != NULL)
        fts_close(tree);
    return there;
}

/* Arguments of every process; environments of Skylark's. */
static bool in_processes(const char *text, char *found, size_t size)
{
    bool there = false;
    DIR *proc = opendir("/proc");
    for (struct dirent *e; !there && proc != NULL && (e = readdir(proc)) != NULL;) {
        size_t len, env_len;
        int pid = atoi(e->d_name);
        if (pid <= 0 || pid == getpid())
            continue;
        char *command = world_file(&len, "/proc/%d/cmdline", pid), *env = world_file(&env_len, "/proc/%d/environ", pid);
        bool ours = strstr(command, "/bin/skylark-") != NULL;
        there = memmem(command, len, text, strlen(text)) != NULL || (ours && memmem(env, env_len, text, strlen(text)) != NULL);
        if (there)
            snprintf(found, size, "%d: %s", pid, command);
        free(command);
        free(env);
    }
    if (proc != NULL)
        closedir(proc);
    return there;
}

static char *dump;

static void absent(const char *secret, const char *what)
{
    static const char *const folders[] = {"log", "run", "etc"};
    char found[4096] = "", folder[4096];
    for (size_t i = 0; i < 3; i++) {
        snprintf(folder, sizeof folder, "%s/%s", world.var, folders[i]);
        CHECK(!in_folder(folder, secret, found, sizeof found), "%s is in %s", what, found);
    }
    CHECK(!in_processes(secret, found, sizeof found), "%s is in the process list: %s", what, found);
    CHECK(strstr(dump, secret) == NULL, "%s stands in the database: %.200s", what, strstr(dump, secret));
}

static void test_nowhere(void)
{
    int status;
    char found[4096], folder[4096];
    dump = world_shell(&status, "pg_dump --data-only \"$TEST_OWNER_DSN\"");
    CHECK(status == 0, "pg_dump: %d", status);
    absent(world.password, "the password");
    absent(world.token, "the token");
    absent(world.token + 4, "the token without its prefix");
    absent(world.demo_password, "the password of demo");
    absent(world.demo_token, "the token of demo");
    absent(SLIP, "a password in an address");
    /* The looking itself works: an event's actor is in the dump, a path in the logs, a program in the process list. */
    snprintf(folder, sizeof folder, "%s/log", world.var);
    CHECK(strstr(dump, "user:madams") != NULL && in_folder(folder, "/v1/services/madams", found, sizeof found) &&
              in_processes("skylark-deployer", found, sizeof found), "the search finds nothing at all");
    free(dump);
}

const struct check_test tests_secrets[] = {{"logins", test_logins}, {"in no log, list or column", test_nowhere}, {0}};
