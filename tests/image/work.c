/* work: says its tag, then a line a second, until it is told to end. Environment: TAG; SERVE, what else it serves, as arguments of
 * serve. Asleep between the lines. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control.h"

static void do_nothing(int signal_number)
{
    (void)signal_number;
}

/* The words of SERVE, and ours are no longer ours: it answers the control page no second time. */
static void serve_start(const char *words, const sigset_t *before)
{
    static char *arguments[8] = {"serve"}, copy[256];
    if (fork() != 0)
        return;
    sigprocmask(SIG_SETMASK, before, NULL);
    setenv("CONTROL", "off", 1);
    snprintf(copy, sizeof copy, "%s", words);
    char *rest = copy;
    for (int n = 1; n < 7 && (arguments[n] = strsep(&rest, " ")) != NULL; n++)
        ;
    execv("/bin/serve", arguments);
    _exit(127);
}

int main(void)
{
    const char *tag = getenv("TAG"), *serve = getenv("SERVE");
    sigset_t term, before;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &before);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = do_nothing}, NULL); /* process 1 gets none that it does not handle */
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("tag %s\n", tag != NULL ? tag : "");
    if (serve != NULL && serve[0] != '\0')
        serve_start(serve, &before);
    control_start();
    for (int n = 1;; n++) {
        printf("line %d\n", n);
        if (sigtimedwait(&term, NULL, &(struct timespec){.tv_sec = 1}) == SIGTERM)
            break;
    }
    printf("told to end\n");
    return 0;
}
