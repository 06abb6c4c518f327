/* The Skylark under test. */
#include "tests/lib/world.h"

#include <dirent.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/lib/check.h"

struct world world;

void world_open(void)
{
    static const struct {
        const char *name;
        const char **value;
    } rows[] = {
        {"SKYLARK_URL", &world.url}, {"SKYLARK_INTERNAL_URL", &world.internal_url}, {"TEST_PLAIN_URL", &world.plain_url},
        {"SKYLARK_CA", &world.ca}, {"SKYLARK_DSN", &world.dsn}, {"TEST_OWNER_DSN", &world.owner_dsn},
        {"TEST_VAR", &world.var}, {"DOCKER_HOST", &world.engine_socket}, {"TEST_REGISTRY", &world.registry},
        {"TEST_NAMESPACE", &world.space}, {"TEST_PASSWORD", &world.password}, {"TEST_TOKEN", &world.token},
        {"TEST_READ_TOKEN", &world.read_token}, {"TEST_MEMBER_TOKEN", &world.member_token},
        {"TEST_OTHER_TOKEN", &world.other_token}, {"SKYLARK_TOKEN", &world.demo_token},
        {"SKYLARK_PASSWORD", &world.demo_password}, {"TEST_ORDERS", &world.orders},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        *rows[i].value = getenv(rows[i].name);
        if (*rows[i].value == NULL || **rows[i].value == '\0') {
            fprintf(stderr, "%s is not set: these tests are run by tests/check.sh\n", rows[i].name);
            exit(2);
        }
    }
    if (strncmp(world.engine_socket, "unix://", 7) == 0)
        world.engine_socket += 7;
}

static char *run(int *status, const char *command)
{
    size_t size = 65536, len = 0, n;
    char *text = malloc(size);
    FILE *pipe = popen(command, "r");
    while (pipe != NULL && (n = fread(text + len, 1, size - len - 1, pipe)) > 0) {
        len += n;
        if (size - len < 4096)
            text = realloc(text, size *= 2);
    }
    text[len] = '\0';
    int ended = pipe != NULL ? pclose(pipe) : -1;
    if (status != NULL)
        *status = ended >= 0 && WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
    while (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    return text;
}

char *world_shell(int *status, const char *fmt, ...)
{
    char *command;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&command, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    char *text = run(status, command);
    free(command);
    return text;
}

char *world_ctl(int *status, const char *fmt, ...)
{
    char *words;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&words, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    char *text = world_shell(status, "\"$B/skylarkctl\" -c '%s/etc/ctl.conf' %s 2>&1", world.var, words);
    free(words);
    return text;
}

static _Thread_local PGconn *sql_conn;

char *world_sql(const char *fmt, ...)
{
    char *sql;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&sql, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    PGresult *r = NULL;
    for (int try = 0; try < 2; try++) {
        bool made = sql_conn == NULL;
        if (made)
            sql_conn = PQconnectdb(world.owner_dsn);
        PQclear(r);
        r = PQexec(sql_conn, sql);
        if (PQstatus(sql_conn) == CONNECTION_OK)
            break;
        /* Lost since it was made, with a restart in between: once more. */
        PQfinish(sql_conn);
        sql_conn = NULL;
        if (made)
            break;
    }
    free(sql);
    if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
        fprintf(stderr, "world_sql: %s", r != NULL ? PQresultErrorMessage(r) : "no connection\n");
    char *text = strdup(PQntuples(r) > 0 && PQnfields(r) > 0 ? PQgetvalue(r, 0, 0) : "");
    PQclear(r);
    return text;
}

char *world_sql_of(const char *conninfo, bool *good, const char *sql)
{
    PGconn *conn = PQconnectdb(conninfo);
    PGresult *r = PQexec(conn, sql);
    *good = PQresultStatus(r) == PGRES_TUPLES_OK || PQresultStatus(r) == PGRES_COMMAND_OK;
    char *text = strdup(!*good ? PQerrorMessage(conn) : PQntuples(r) > 0 && PQnfields(r) > 0 ? PQgetvalue(r, 0, 0) : "");
    PQclear(r);
    PQfinish(conn);
    return text;
}

int64_t world_sql_number(const char *sql)
{
    char *text = world_sql("%s", sql), *end;
    int64_t value = strtoll(text, &end, 10);
    if (end == text)
        value = INT64_MIN;
    free(text);
    return value;
}

char *world_file(size_t *len, const char *fmt, ...)
{
    char path[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(path, sizeof path, fmt, ap);
    va_end(ap);
    size_t size = 65536, n = 0, got;
    char *text = malloc(size);
    FILE *f = fopen(path, "r");
    while (f != NULL && (got = fread(text + n, 1, size - n - 1, f)) > 0) {
        n += got;
        if (size - n < 4096)
            text = realloc(text, size *= 2);
    }
    if (f != NULL)
        fclose(f);
    text[n] = '\0';
    if (len != NULL)
        *len = n;
    return text;
}

bool world_log_has(const char *name, const char *text)
{
    size_t len;
    char *log = world_file(&len, "%s/log/%s", world.var, name);
    bool has = memmem(log, len, text, strlen(text)) != NULL;
    free(log);
    return has;
}

int world_pid(const char *process)
{
    char path[256];
    int pid = 0;
    snprintf(path, sizeof path, "%s/run/%s.pid", world.var, process);
    FILE *f = fopen(path, "r");
    if (f != NULL) {
        if (fscanf(f, "%d", &pid) != 1)
            pid = 0;
        fclose(f);
    }
    return pid;
}

/* Parent, group and state of a process; false when it is gone. */
static bool process_stat(int pid, int *parent, int *group, char *state)
{
    char *text = world_file(NULL, "/proc/%d/stat", pid), *end = strrchr(text, ')'); /* a command may hold anything */
    bool there = end != NULL && sscanf(end + 1, " %c %d %d", state, parent, group) == 3;
    free(text);
    return there;
}

static int compare_pids(const void *a, const void *b)
{
    const int *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static int processes(int parent, int group, int *pids, int max)
{
    int n = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *e; proc != NULL && (e = readdir(proc)) != NULL;) {
        int pid = atoi(e->d_name), its_parent, its_group;
        char state;
        if (pid <= 0 || !process_stat(pid, &its_parent, &its_group, &state) || state == 'Z' || (parent > 0 && its_parent != parent) ||
            (group > 0 && its_group != group))
            continue;
        if (n < max)
            pids[n] = pid;
        n++;
    }
    if (proc != NULL)
        closedir(proc);
    if (n > 0 && max > 0) /* whoever only counts has no array */
        qsort(pids, (size_t)(n < max ? n : max), sizeof *pids, compare_pids);
    return n;
}

int world_children(int pid, int *pids, int max)
{
    return processes(pid, 0, pids, max);
}

int world_group(int group, int *pids, int max)
{
    return processes(0, group, pids, max);
}

double world_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void world_nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
}

bool world_watching(double *end, double seconds)
{
    if (*end == 0)
        *end = world_now() + seconds;
    else
        world_nap();
    return world_now() < *end;
}

bool world_waiting(double *end, double seconds)
{
    return world_watching(end, seconds * check_patience());
}
