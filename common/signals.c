/* Signals as file descriptors. */
#include "common/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/log.h"

static int signal_fd = -1;
static bool stop_seen, reload_seen, child_seen;

int signals_open(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    if (signal_fd >= 0)
        close(signal_fd);
    stop_seen = reload_seen = child_seen = false;
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (signal_fd < 0)
        log_error("signalfd: %m");
    return signal_fd;
}

static void signals_take(void)
{
    struct signalfd_siginfo info;
    while (signal_fd >= 0 && read(signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        switch (info.ssi_signo) {
        case SIGTERM:
        case SIGINT:
            stop_seen = true;
            break;
        case SIGHUP:
            reload_seen = true;
            break;
        case SIGCHLD:
            child_seen = true;
            break;
        }
    }
}

bool signals_stop(void)
{
    signals_take();
    return stop_seen;
}

bool signals_reload(void)
{
    signals_take();
    bool seen = reload_seen;
    reload_seen = false;
    return seen;
}

bool signals_child(void)
{
    signals_take();
    bool seen = child_seen;
    child_seen = false;
    return seen;
}

bool signals_wait(int fd, int ms)
{
    signals_take();
    if (stop_seen || reload_seen || child_seen)
        ms = 0;
    struct pollfd fds[2] = {{.fd = signal_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    int n = poll(fds, 2, ms);
    if (n < 0 && errno != EINTR)
        log_error("poll: %m");
    return n > 0 && fds[1].revents != 0;
}
