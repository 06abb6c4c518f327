/* Connections to PostgreSQL, and skylark-api over them, while PostgreSQL is locked, slow, stopped or restarted. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "tests/database/suites.h"

#define POLL_US 20000
#define PATIENCE_MS 60000

const char *database_of(const char *role)
{
    static char text[500];
    const char *pg = getenv("SKYLARK_TEST_PG"), *user = strstr(pg, " user=");
    snprintf(text, sizeof text, "%.*s user=%s dbname=skylark_shared", (int)(user - pg), pg, role);
    return text;
}

bool becomes(PGconn *c, const char *value, const char *query)
{
    for (int64_t end = clock_monotonic_ms() + PATIENCE_MS; clock_monotonic_ms() < end; usleep(POLL_US)) {
        if (strcmp(sql_value(c, "%s", query), value) == 0)
            return true;
    }
    return false;
}

bool ends(bool (*body)(void))
{
    int status = -1;
    fflush(stdout);
    pid_t pid = fork(), ended = 0;
    if (pid == 0)
        _exit(body() ? 0 : 1);
    for (int64_t end = clock_monotonic_ms() + PATIENCE_MS; ended == 0 && clock_monotonic_ms() < end; usleep(POLL_US))
        ended = waitpid(pid, &status, WNOHANG);
    if (ended == 0) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    return ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void postgres_signal(PGconn *owner, int signal_number)
{
    static char children[4096]; /* as they were when PostgreSQL was stopped: it can't be asked then */
    static pid_t postmaster;
    if (signal_number != SIGCONT) {
        char path[600];
        snprintf(path, sizeof path, "%s/postmaster.pid", sql_value(owner, "SHOW data_directory"));
        FILE *file = fopen(path, "r");
        if (file == NULL || fscanf(file, "%d", &postmaster) != 1)
            abort();
        fclose(file);
        snprintf(path, sizeof path, "/proc/%d/task/%d/children", postmaster, postmaster);
        file = fopen(path, "r");
        if (file == NULL || fgets(children, sizeof children, file) == NULL)
            abort();
        fclose(file);
    }
    kill(postmaster, signal_number);
    for (char *p = children, *end; *p != '\0'; p = end) {
        pid_t pid = (pid_t)strtol(p, &end, 10);
        if (end == p)
            break;
        kill(pid, signal_number);
    }
}

int main(int argc, char **argv)
{
    static const struct check_suite suites[] = {
        {"bounds", tests_bounds},
        {"connect", tests_connect},
        {"api", tests_api},
    };
    log_open("test", LOG_LEVEL__MAX);
    signal(SIGPIPE, SIG_IGN);
    return check_main(suites, sizeof suites / sizeof suites[0], argc, argv);
}
