/* skylark-api over a PostgreSQL in which somebody holds a lock, or which is started anew. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgi/route.h"
#include "gen/api_statements.h"
#include "tests/database/suites.h"
#include "tests/lib/fastcgi.h"

#define WORKERS 8
#define BLOCKED 6
#define FLOOD 40
#define TOKEN "sky_0123456789012345678901234567890123456789012"
#define OTHER "22222222-2222-4222-8222-222222222222"
#define WAITING "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'skylark-api' AND wait_event_type = 'Lock'"

static pid_t api;
static char socket_path[100];
static struct fastcgi_answer answer;

static PGconn *rows(void)
{
    PGconn *c = sql_with_service();
    sql_run(c, "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
               "SELECT '" OTHER "', id, 'other', 'nginx', 'XS', 'demo' FROM skylark.namespaces WHERE name = 'demo'");
    sql_run(c, "DELETE FROM skylark.api_tokens");
    CHECK(sql_run(c, "INSERT INTO skylark.api_tokens (user_id, token_hash, token_prefix) SELECT id, sha256('" TOKEN "'), "
                     "'sky_0123' FROM skylark.namespaces WHERE name = 'demo'")[0] == '\0', "%s", PQerrorMessage(c));
    return c;
}

static void api_start(void)
{
    char program[300], database[600], listen[120];
    snprintf(program, sizeof program, "%s/skylark-api", getenv("SKYLARK_TEST_BIN"));
    snprintf(database, sizeof database, "database=%s", database_of("skylark_api"));
    snprintf(socket_path, sizeof socket_path, "/tmp/skylark-test-api.%d", (int)getpid());
    snprintf(listen, sizeof listen, "listen=unix:%s", socket_path);
    api = fork();
    if (api == 0) {
        int out = open("/dev/null", O_WRONLY);
        dup2(out, STDERR_FILENO);
        execl(program, program, "-o", database, "-o", listen, "-o", "workers=8", "-o", "query_deadline=3s", (char *)NULL);
        _exit(127);
    }
    PGconn *c = sql_migrated();
    CHECK(becomes(c, "8", "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'skylark-api'"), "no workers");
}

static void api_end(void)
{
    int status;
    kill(api, SIGTERM);
    waitpid(api, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "told to end, it ends with %x", (unsigned)status);
    unlink(socket_path);
}

/* One request over a connection of its own. */
static int call(const char *method, const char *uri, const char *body)
{
    int fd = fastcgi_connect(socket_path);
    answer.status = 0;
    if (fd >= 0 && fastcgi_send(fd, method, uri, TOKEN, body))
        fastcgi_receive(fd, &answer);
    if (fd >= 0)
        close(fd);
    return answer.status;
}

static PGconn *lock(const char *statement)
{
    PGconn *holder = sql_connect("skylark_shared", NULL);
    sql_run(holder, "BEGIN");
    CHECK(sql_run(holder, "%s", statement)[0] == '\0', "%s: %s", statement, PQerrorMessage(holder));
    return holder;
}

static void unlock(PGconn *holder)
{
    sql_run(holder, "ROLLBACK");
    PQfinish(holder);
}

static void test_locked_service(void)
{
    PGconn *c = rows();
    api_start();
    PGconn *holder = lock("UPDATE skylark.services SET updated_at = now() WHERE id = '" SQL_SERVICE "'");
    int fds[BLOCKED];
    for (int i = 0; i < BLOCKED; i++) {
        fds[i] = fastcgi_connect(socket_path);
        CHECK(fastcgi_send(fds[i], "PUT", "/v1/services/demo/web/", TOKEN, "{\"target_num_instances\":2}"), "not sent");
    }
    CHECK(call("GET", "/v1/services/demo/web/", NULL) == 200, "%s", answer.text);
    CHECK(call("PUT", "/v1/services/demo/other/", "{\"target_num_instances\":2}") == 200, "%s", answer.text);
    for (int i = 0; i < BLOCKED; i++) {
        fastcgi_receive(fds[i], &answer);
        CHECK(answer.status == 503 && strstr(answer.text, "Retry-After: ") != NULL &&
                  (strstr(answer.text, "holds a lock") != NULL || strstr(answer.text, "held up") != NULL), "%s", answer.text);
        close(fds[i]);
    }
    CHECK(strcmp(sql_value(c, WAITING), "0") == 0, "%s backends wait for what nobody waits for", sql_value(c, WAITING));
    unlock(holder);
    CHECK(call("PUT", "/v1/services/demo/web/", "{\"target_num_instances\":2}") == 200, "%s", answer.text);
    api_end();
}

/* Many more changes of a locked service than there are workers. */
static void test_flood(void)
{
    PGconn *c = rows();
    api_start();
    PGconn *holder = lock("UPDATE skylark.services SET updated_at = now() WHERE id = '" SQL_SERVICE "'");
    int fds[FLOOD], most = 0, waiting;
    for (int i = 0; i < FLOOD; i++) {
        fds[i] = fastcgi_connect(socket_path);
        CHECK(fastcgi_send(fds[i], "PUT", "/v1/services/demo/web/", TOKEN, "{\"target_num_instances\":2}"), "not sent");
    }
    CHECK(becomes(c, "2", WAITING), "%s changes wait for the lock", sql_value(c, WAITING));
    CHECK(call("PUT", "/v1/services/demo/other/", "{\"target_num_instances\":2}") == 200, "%s", answer.text);
    for (int i = 0; i < FLOOD; i++) {
        waiting = atoi(sql_value(c, WAITING));
        most = waiting > most ? waiting : most;
        fastcgi_receive(fds[i], &answer);
        CHECK(answer.status == 503 && strstr(answer.text, "Retry-After: ") != NULL, "%s", answer.text);
        close(fds[i]);
    }
    CHECK(most <= WORKERS / 4, "%d workers waited for one lock", most);
    unlock(holder);
    CHECK(call("PUT", "/v1/services/demo/web/", "{\"target_num_instances\":2}") == 200, "%s", answer.text);
    api_end();
}

static void test_locked_token(void)
{
    PGconn *c = rows();
    api_start();
    PGconn *holder = lock("UPDATE skylark.api_tokens SET description = 'held'");
    for (int i = 0; i < 2 * WORKERS; i++)
        CHECK(call("GET", "/v1/services/demo/web/", NULL) == 200, "%s", answer.text);
    CHECK(strcmp(sql_value(c, WAITING), "0") == 0, "%s backends wait for the token's row", sql_value(c, WAITING));
    unlock(holder);
    CHECK(call("GET", "/v1/services/demo/web/", NULL) == 200, "%s", answer.text);
    CHECK(becomes(c, "1", "SELECT count(*) FROM skylark.api_tokens WHERE last_used_at > now() - interval '1 minute'"), "not noted");
    api_end();
}

/* What notes the use of a token has to wait here, whatever it does; so the answer has to be out before. */
static void test_locked_tokens(void)
{
    PGconn *c = rows();
    api_start();
    PGconn *holder = lock("LOCK TABLE skylark.api_tokens IN SHARE MODE");
    CHECK(call("GET", "/v1/services/demo/web/", NULL) == 200, "%s", answer.text);
    CHECK(becomes(c, "1", WAITING " AND query LIKE '%last_used_at = now()%'"), "nothing waits, so this shows nothing");
    unlock(holder);
    api_end();
}

static void restart(PGconn **c, const char *mode)
{
    char command[1500], data[600];
    snprintf(data, sizeof data, "%s", sql_value(*c, "SHOW data_directory"));
    snprintf(command, sizeof command,
             "cd / && exec setpriv --reuid=postgres --regid=postgres --clear-groups "
             "$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)/pg_ctl -D %s -l %s/../log -m %s -w restart "
             "</dev/null >/dev/null 2>&1", data, data, mode);
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        closefrom(STDERR_FILENO + 1); /* the server outlives the test, and must not hold what the test's end is told by */
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    CHECK(status == 0, "%s: %x", command, (unsigned)status);
    PQreset(*c);
}

static void test_restart(void)
{
    static const char *const modes[] = {"fast", "immediate"};
    PGconn *c = rows();
    int fds[WORKERS * 4];
    api_start();
    /* Connections that are kept stay with the worker that took them; so many reach every one. */
    for (int i = 0; i < WORKERS * 4; i++)
        fds[i] = fastcgi_connect(socket_path);
    for (int round = 0; round < 3; round++) {
        if (round > 0)
            restart(&c, modes[round - 1]);
        for (int i = 0; i < WORKERS * 4; i++)
            CHECK(fastcgi_send(fds[i], "GET", "/v1/services/demo/web/", TOKEN, NULL), "%d not sent", i);
        for (int i = 0; i < WORKERS * 4; i++) {
            fastcgi_receive(fds[i], &answer);
            CHECK(answer.status == 200, "round %d, connection %d: %s", round, i, answer.text);
        }
    }
    for (int i = 0; i < WORKERS * 4; i++)
        close(fds[i]);
    api_end();
}

/* The dispatcher sends the statement of a ROUTE_QUERY or ROUTE_LONG_QUERY, and authorise, again when the connection breaks. */
static void test_reads(void)
{
    sql_migrated();
    PGconn *c = sql_connect("skylark_shared", "skylark_api");
    int n = 0;
    for (size_t i = 0; i <= n_routes; i++) {
        if (i < n_routes && routes[i].kind != ROUTE_QUERY && routes[i].kind != ROUTE_LONG_QUERY)
            continue;
        const struct db_statement *s = &api_statements[i < n_routes ? routes[i].statement : API_AUTHORISE];
        const char *none[ROUTE_PARAMETERS_MAX] = {0};
        n++;
        sql_run(c, "BEGIN READ ONLY");
        PGresult *r = PQexecParams(c, s->sql, s->n_params, NULL, none, NULL, NULL, 0);
        CHECK(PQresultStatus(r) == PGRES_TUPLES_OK, "%s: %s", s->name, PQresultErrorMessage(r));
        PQclear(r);
        sql_run(c, "ROLLBACK");
    }
    CHECK(n > 5, "%d statements", n);
    PQfinish(c);
}

const struct check_test tests_api[] = {
    {"what is sent again changes nothing", test_reads},
    {"six PUTs on a locked service leave nobody waiting", test_locked_service},
    {"forty PUTs on a locked service wait with a quarter of the workers", test_flood},
    {"a locked token holds up no answer", test_locked_token},
    {"a token's use is noted after the answer", test_locked_tokens},
    {"after a restart every worker's first read is answered", test_restart},
    {NULL, NULL},
};
