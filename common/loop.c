/* Counts the iterations of loops, by role. */
#include "common/loop.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

#include "common/log.h"
#include "common/metrics.h"
#include "common/signals.h"

static struct metric row = {
    .name = "skylark_loop_iterations_total", .type = METRIC_COUNTER, .label = "role",
    .help = "Iterations of the loops that wait for work, by role, of all its processes. A few a second at rest.",
};
static atomic_int_least64_t *counters;
static size_t own;

int loop_open(const char *const *names)
{
    size_t n = 0;
    while (names[n] != NULL)
        n++;
    void *map = mmap(NULL, n * sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) {
        log_error("memory for counters: %m");
        return -1;
    }
    counters = map;
    row.values = names;
    own = 0;
    return 0;
}

void loop_enter(size_t role)
{
    own = role;
}

void loop_count(void)
{
    if (counters != NULL)
        atomic_fetch_add_explicit(&counters[own], 1, memory_order_relaxed);
}

bool loop_next(void)
{
    loop_count();
    return !signals_stop();
}

void loop_render(struct buf *out)
{
    if (counters != NULL)
        metrics_render_row(out, &row, counters);
}
