/* Figures of a process in Prometheus' text format. */
#include "common/metrics.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "common/log.h"

#define ROWS_MAX 32
#define FIGURES_MAX 32

static const struct metric *table;
static size_t n_rows;
static atomic_int_least64_t (*figures)[FIGURES_MAX];

static size_t count_of(const struct metric *m)
{
    size_t n = 0;
    while (m->label != NULL && m->values[n] != NULL)
        n++;
    return m->label != NULL ? n : 1;
}

int metrics_open(const struct metric *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (n > ROWS_MAX || count_of(&rows[i]) > FIGURES_MAX) {
            log_error("more figures than common/metrics.c has room for");
            return -1;
        }
    }
    void *map = mmap(NULL, ROWS_MAX * sizeof *figures, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) {
        log_error("memory for figures: %m");
        return -1;
    }
    figures = map;
    table = rows;
    n_rows = n;
    return 0;
}

void metrics_add(size_t row, size_t figure, int64_t amount)
{
    if (figures != NULL)
        atomic_fetch_add_explicit(&figures[row][figure], amount, memory_order_relaxed);
}

void metrics_set(size_t row, size_t figure, int64_t amount)
{
    if (figures != NULL)
        atomic_store_explicit(&figures[row][figure], amount, memory_order_relaxed);
}

void metrics_raise(size_t row, size_t figure, int64_t amount)
{
    if (figures == NULL)
        return;
    int_least64_t seen = atomic_load_explicit(&figures[row][figure], memory_order_relaxed);
    while (seen < amount && !atomic_compare_exchange_weak_explicit(&figures[row][figure], &seen, amount, memory_order_relaxed,
                                                                   memory_order_relaxed))
        continue;
}

size_t metrics_figure(size_t row, const char *value)
{
    size_t i = 0;
    if (table == NULL)
        return 0;
    while (table[row].values[i + 1] != NULL && strcmp(table[row].values[i], value) != 0)
        i++;
    return i;
}

void metrics_render_row(struct buf *out, const struct metric *m, const atomic_int_least64_t *amounts)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name,
             m->type == METRIC_COUNTER ? "counter" : "gauge");
    for (size_t i = 0; i < count_of(m); i++) {
        int64_t value = atomic_load_explicit(&amounts[i], memory_order_relaxed);
        buf_adds(out, m->name);
        if (m->label != NULL)
            buf_addf(out, "{%s=\"%s\"}", m->label, m->values[i]);
        if (m->divisor > 1)
            buf_addf(out, " %.6f\n", (double)value / (double)m->divisor);
        else
            buf_addf(out, " %" PRId64 "\n", value);
    }
}

void metrics_render(struct buf *out)
{
    for (size_t r = 0; r < n_rows; r++)
        metrics_render_row(out, &table[r], figures[r]);
}
