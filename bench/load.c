/* load http URL CA CONNECTIONS REQUESTS, load tcp PORT - CONNECTIONS REQUESTS: asks an instance of tests/image/serve.c until it has
 * asked so often and is told to end (SIGTERM), then prints "DONE FAILED SLOWEST_MS HOSTS FIRST_FAILURE". */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/load.h"

static volatile sig_atomic_t told;

static void tell(int number)
{
    (void)number;
    told = 1;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fputs("usage: load http|tcp URL|PORT CA|- CONNECTIONS REQUESTS\n", stderr);
        return 2;
    }
    struct sigaction action = {.sa_handler = tell};
    sigaction(SIGTERM, &action, NULL);
    int connections = atoi(argv[4]), requests = atoi(argv[5]);
    struct load *load = strcmp(argv[1], "http") == 0 ? load_http_start(argv[2], NULL, argv[3], connections, 0, false)
                                                     : load_tcp_start("127.0.0.1", atoi(argv[2]), connections, 0);
    while (!told || load_done(load) < requests)
        usleep(20000);
    load_stop(load);
    struct load_result r = load_finish(load);
    printf("%d %d %.0f %d %s\n", r.done, r.failed, r.slowest_seconds * 1000, r.hosts, r.failed > 0 ? r.first_failure : "-");
    return 0;
}
