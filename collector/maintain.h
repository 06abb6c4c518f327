/* Keeps the tables of logs, samples and events in shape: partitions ahead, what is past its retention gone. */
#ifndef SKYLARK_COLLECTOR_MAINTAIN_H
#define SKYLARK_COLLECTOR_MAINTAIN_H

#include "collector/settings.h"
#include "common/db.h"

struct maintain {
    const struct collector_settings *settings;
    int64_t next_ms; /* monotonic; 0: at once */
};

/* Does what is due, if it is. A failure is logged and tried again a minute later. */
void maintain_when_due(struct maintain *m, struct db *db);

#endif
