/* The tests' own runner: a test that hangs or crashes is one failed test, is named, and takes no other's result with it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/unit/suites.h"

static int state;

static void passes(void)
{
    state++;
}

static void fails(void)
{
    CHECK(state == 0, "the state is %d", state);
}

static void hangs(void)
{
    for (;;)
        pause();
}

static void crashes(void)
{
    signal(SIGABRT, SIG_DFL);
    abort();
}

static void leaves(void)
{
    exit(0);
}

int check_watched(void)
{
    static const struct check_test tests[] = {
        {"good one", passes}, {"bad one", fails},  {"sleepy one", hangs}, {"good again", passes},
        {"dead one", crashes}, {"gone one", leaves}, {"good at last", passes}, {0},
    };
    static const struct check_suite suites[] = {{"watched", tests}};
    check_deadline("sleepy one", 1);
    return check_main(suites, 1, 1, NULL);
}

/* What it prints; its exit status goes to status. */
static char *watched(int *status)
{
    enum { MOST = 16384 };
    char self[4096], *text = calloc(1, MOST + 1);
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    int fds[2];
    if (text == NULL || n < 0 || pipe(fds) != 0)
        abort();
    self[n] = '\0';
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        setenv("CHECK_PATIENCE", "1", 1);
        execl(self, self, "--watched", (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    for (size_t len = 0; len < MOST && (n = read(fds[0], text + len, MOST - len)) > 0;)
        len += (size_t)n;
    close(fds[0]);
    waitpid(pid, status, 0);
    return text;
}

static void test_watched(void)
{
    static const char *const said[] = {
        "watched: good one ... ", " FAILED: bad one, ", "the state is 1", " FAILED: sleepy one hangs: killed after 1 s", "watched: good again ... ",
        " FAILED: dead one crashed: signal 6", " FAILED: gone one ended the process with status 0", "watched: good at last ... ",
        "\n3 passed, 4 failed\n",
    };
    int status = -1;
    char *text = watched(&status), *at = text;
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1, "status %x", (unsigned)status);
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        char *found = strstr(at, said[i]);
        if (!CHECK(found != NULL, "no \"%s\" in its place: %s", said[i], text))
            break;
        at = found + strlen(said[i]);
    }
    free(text);
}

void suite_check(void)
{
    CU_pSuite suite = CU_add_suite("check", NULL, NULL);
    CU_add_test(suite, "what hangs or crashes takes no result with it", test_watched);
}
