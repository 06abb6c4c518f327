/* What the end-to-end suites share: the engine as it sees itself, waiting for a service, sampling its counts. */
#ifndef SKYLARK_TESTS_E2E_H
#define SKYLARK_TESTS_E2E_H

#include <stdbool.h>

#include "tests/lib/api.h"
#include "tests/lib/check.h"
#include "tests/lib/world.h"

extern const struct check_test tests_demo[], tests_lifecycle[], tests_killed[], tests_trouble[], tests_secrets[],
    tests_autoscaling[], tests_endpoints[], tests_routes[], tests_links[], tests_volumes[], tests_idle[];

/* Containers of a service as the engine lists them: running ones, or all. -1: the engine does not answer. The list
 * goes to json unless that is NULL; the caller puts it. */
int engine_containers(const char *space, const char *service, bool all, struct json_object **json);

/* Creates a service of an image of the registry; more is further JSON fields, beginning with a comma, or "". */
bool service_create(const char *name, const char *tag, int instances, const char *more);
/* The same of another image of the registry, such as "team/web:v1". */
bool service_create_of(const char *image, const char *name, int instances, const char *more);

/* Waits until the document says Running with so many instances, and the engine runs and has exactly as many.
 * Fails the test with what it saw last. */
bool service_runs(const char *space, const char *name, int instances, double seconds);

/* Waits until the document has that status and a message that contains the text. */
bool service_says(const char *name, const char *status, const char *text, double seconds);

/* Deletes it and waits until the engine has nothing of it. */
void service_delete(const char *name);

/* The whole number at a place of its document; INT64_MIN when there is none. */
int64_t service_number(const char *name, const char *place);

/* Runs a shell command again and again, for so long, until its output contains the text. Fails the test with what it printed
 * last. In seconds 0 it runs once. */
bool shell_says(double seconds, const char *text, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Kills a process of local/run with its children, at once. Returns whether there was one. */
bool process_kill(const char *name);
/* Runs local/run again, which starts what is dead. */
bool local_run(void);

/* Polls document and engine side by side in a thread of its own until stopped. Then every count shown must have been
 * true within the delay before: no less than what ran all that time, no more than what ran at some time of it. And
 * the engine must have run at least so many at every look. */
struct sampler;
struct sampler *sampler_start(const char *service);
void sampler_stop(struct sampler *sampler, double delay, int least, const char *what);

#endif
