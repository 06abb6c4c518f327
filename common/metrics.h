/* Figures of a process in Prometheus' text format: one table of rows a process, counted in memory that the master maps before it
 * forks, so that any child can show the sums and none is lost when a child dies. */
#ifndef SKYLARK_COMMON_METRICS_H
#define SKYLARK_COMMON_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

struct metric {
    const char *name; /* skylark_…, with its unit; of a counter ending in _total */
    enum metric_type type;
    const char *help;
    const char *label;         /* NULL: none, and the row has one figure, number 0 */
    const char *const *values; /* of the label, NULL-terminated; the figures are numbered in their order */
    int64_t divisor;           /* what is counted is divided by it when shown: 1000 for milliseconds shown as seconds; 0: 1 */
};

/* Maps the figures of a table (which stays valid). Call once, before anything is forked. Returns 0, or -1 (logged). */
int metrics_open(const struct metric *rows, size_t n) __attribute__((warn_unused_result));

/* Adds to a figure, or sets it. Never blocks; does nothing before metrics_open. */
void metrics_add(size_t row, size_t figure, int64_t amount);
void metrics_set(size_t row, size_t figure, int64_t amount);

/* Sets a figure to the larger of what it is and this. */
void metrics_raise(size_t row, size_t figure, int64_t amount);

/* Number of a label's value; the last one when it is not among them. */
size_t metrics_figure(size_t row, const char *value);

/* Adds all figures, counters that are still 0 as well, so that a rate can be taken from the start. */
void metrics_render(struct buf *out);

/* Adds one row whose figures are kept elsewhere, in the order of its values. */
void metrics_render_row(struct buf *out, const struct metric *m, const atomic_int_least64_t *amounts);

#endif
