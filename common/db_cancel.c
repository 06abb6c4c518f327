/* Cancelling what is given up. libpq's cancel blocks for as long as the server, or the way to it, likes; so it is made aside,
 * and waited for only as long as a server that is well takes. */
#include <stdlib.h>

#include "common/clock.h"
#include "common/db_internal.h"
#include "common/log.h"

/* One that hangs, of whichever connection of the process: as long as it does, another one would do no better. */
static struct aside *hanging;

static void cancel_run(void *context)
{
    char error[256];
    /* What it says does not matter: the connection is closed next, and the statement has its bounds at the server. */
    (void)PQcancel(context, error, sizeof error);
}

static void cancel_free(void *context)
{
    PQfreeCancel(context);
}

void db_cancel(PGconn *conn)
{
    static const struct aside_call call = {.run = cancel_run, .free = cancel_free};
    if (hanging != NULL && !aside_wait(hanging, 0))
        return;
    aside_release(hanging);
    hanging = NULL;
    PGcancel *cancel = conn != NULL ? PQgetCancel(conn) : NULL;
    struct aside *a = cancel != NULL ? aside_start(&call, cancel) : NULL;
    if (a == NULL)
        return;
    if (aside_wait(a, clock_monotonic_ms() + DB_CANCEL_MS)) {
        aside_release(a);
        return;
    }
    log_warning("PostgreSQL took no cancel in time");
    hanging = a;
}
