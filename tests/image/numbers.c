/* numbers N: prints that many numbered lines, and stays. In front of the second half and of the last tenth it waits for a GET /go of the
 * control page, so that a test can be in the middle of it for as long as it likes. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control.h"

static void end(int signal_number)
{
    (void)signal_number;
    _exit(0);
}

int main(int argc, char **argv)
{
    int lines = argc > 1 ? atoi(argv[1]) : 0;
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = end}, NULL);
    control_start();
    for (int i = 1; i <= lines; i++) {
        printf("number %d\n", i);
        if (i == lines / 2 || i == lines / 10 * 9) {
            fflush(stdout);
            control_wait();
        }
    }
    fflush(stdout);
    for (;;)
        pause();
}
