/* The Skylark under test. */
#include "tests/lib/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

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
        {"SKYLARK_PASSWORD", &world.demo_password}, {"TEST_LOAD", &world.load}, {"TEST_LOAD_SERVER", &world.load_server},
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

char *world_sql(const char *fmt, ...)
{
    char *sql;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&sql, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    setenv("WORLD_SQL", sql, 1);
    free(sql);
    return run(NULL, "psql -XqAt -v ON_ERROR_STOP=1 \"$TEST_OWNER_DSN\" -c \"$WORLD_SQL\"");
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

bool world_waiting(double *end, double seconds)
{
    if (*end == 0)
        *end = world_now() + seconds;
    else
        world_nap();
    return world_now() < *end;
}
