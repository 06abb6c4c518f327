/* Keeps tables in shape: partitions made ahead, what is past its retention gone. One small statement after the other, each a transaction of
 * its own; what can't be done now is logged, holds up none of the others, and is tried again a minute later. */
#ifndef SKYLARK_COLLECTOR_MAINTAIN_H
#define SKYLARK_COLLECTOR_MAINTAIN_H

#include <stdbool.h>

#include "collector/settings.h"
#include "common/db.h"

struct maintain {
    const struct collector_settings *settings;
    int64_t next_ms; /* monotonic; 0: at once. In the past while a pass is under way */
    size_t task;     /* of the pass under way */
    int batches;     /* of that task */
    bool missed;     /* something of the pass has to be tried again */
};

/* Goes on with what is due, if anything is, for a few tenths of a second at most. */
void maintain_when_due(struct maintain *m, struct db *db);

#endif
