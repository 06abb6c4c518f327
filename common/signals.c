/* Signals as file descriptors. */
#include "common/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

/* How long a wait may be after to stop was reported: what is on its way out neither spins nor sleeps long. */
#define STOPPING_MS 50
/* A wait that the kernel refuses must not turn into none. */
#define POLL_FAILED_MS 500

static int signal_fd = -1;
static bool stop_seen, reload_seen, child_seen;
static bool unreported; /* something has arrived that has ended no wait yet */

static const struct {
    int number;
    unsigned kind;
} rows[] = {
    {.number = SIGTERM, .kind = SIGNALS_STOP},
    {.number = SIGINT, .kind = SIGNALS_STOP},
    {.number = SIGHUP, .kind = SIGNALS_RELOAD},
    {.number = SIGCHLD, .kind = SIGNALS_CHILD},
};

int signals_open(unsigned takes)
{
    sigset_t blocked, taken;
    sigemptyset(&blocked);
    sigemptyset(&taken);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sigaddset(&blocked, rows[i].number);
        if (takes & rows[i].kind)
            sigaddset(&taken, rows[i].number);
    }
    if (signal_fd >= 0)
        close(signal_fd);
    stop_seen = reload_seen = child_seen = unreported = false;
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &blocked, NULL) != 0)
        return -1;
    signal_fd = signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC);
    if (signal_fd < 0)
        log_error("signalfd: %m");
    return signal_fd;
}

int signals_descriptor(void)
{
    return signal_fd;
}

static void signals_take(void)
{
    struct signalfd_siginfo info;
    while (signal_fd >= 0 && read(signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        unreported = true;
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
    struct pollfd fds[2] = {{.fd = signal_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    signals_take();
    if (unreported)
        ms = 0;
    else if (stop_seen && (ms < 0 || ms > STOPPING_MS))
        ms = STOPPING_MS;
    int n = poll(fds, 2, ms);
    if (n < 0 && errno != EINTR) {
        log_error("poll: %m");
        nanosleep(&(struct timespec){.tv_nsec = POLL_FAILED_MS * 1000000}, NULL);
    }
    /* The descriptor is emptied here, so that it ends no second wait; the caller learns of all that came by asking. */
    signals_take();
    unreported = false;
    return n > 0 && fds[1].revents != 0;
}
