/* What the end-to-end suites share: waiting for a service and for what is seen of it, sampling its counts. */
#ifndef SKYLARK_TESTS_E2E_H
#define SKYLARK_TESTS_E2E_H

#include <stdbool.h>

#include "tests/lib/api.h"
#include "tests/lib/check.h"
#include "tests/lib/engine.h"
#include "tests/lib/net.h"
#include "tests/lib/world.h"

extern const struct check_test tests_demo[], tests_lifecycle[], tests_killed[], tests_trouble[], tests_secrets[],
    tests_autoscaling[], tests_endpoints[], tests_routes[], tests_links[], tests_volumes[], tests_idle[], tests_metrics[],
    tests_locks[], tests_strays[];

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

/* --- looks. Each looks again and again, for so many seconds (0: once), until it sees what is asked for, and fails the test with what
 * it saw last. Texts are contained in what is seen. --- */

/* A page, by whatever name: all names lead to 127.0.0.1. */
bool page_says(double seconds, const char *url, const char *text);
/* Its status, its Content-Type (NULL: any), its body (NULL: any). The call has base (and path, else ""). */
bool page_answers(double seconds, struct http_call call, long status, const char *type, const char *text);

/* A line from a port: that of a tcp-endpoint, say; "refused" when nobody listens. */
bool tcp_says(double seconds, const char *address, int port, const char *text);

/* From inside an instance of a service (its first): the line from a port of a host. "no address of", "no answer of" when none comes. */
bool reach_says(double seconds, const char *from, const char *host, int port, const char *text);

/* One look, which the caller frees. */
char *reach_once(const char *from, const char *host, int port);

/* The distinct answers of many questions are exactly these texts (up to a NULL): instances that share something. */
bool pages_are(double seconds, const char *url, const char *const *texts);
bool tcp_are(double seconds, const char *address, int port, const char *const *texts);
bool reach_are(double seconds, const char *from, const char *host, int port, const char *const *texts);
#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Of all addresses of the first instance of `to`, and its names `to`, `to`.0 and the-store: at how many an instance of `from` gets an
 * answer of `to` from port 22. */
bool reached(double seconds, const char *from, const char *to, int expected);

/* How many volumes and networks with these labels the engine has. */
bool volumes_are(double seconds, const char *labels, int expected);
bool networks_are(double seconds, const char *labels, int expected);

/* What a command in an instance of the service (any slot: -1) prints. Each look is an exec. */
bool exec_says(double seconds, const char *service, int slot, const char *text, const char *const *command);
/* Runs it once. Returns whether it ended with 0. */
bool exec_done(const char *service, int slot, const char *const *command);

/* skylarkctl doctor. Each look is a process: wait for the condition in another way first, where there is one. */
bool doctor_says(double seconds, const char *text);

/* Kills a process of local/run with its children, at once. Returns whether there was one. */
bool process_kill(const char *name);
/* Runs the processes with the settings that people have (tests have short intervals), or with the tests' again. */
bool settings_usual(bool usual);

/* Tells a process of local/run to load its configuration anew, and waits until its children are others. */
bool process_reload(const char *name);
/* Adds a line to var/etc/NAME.conf and reloads, or takes that back. */
bool setting_add(const char *name, const char *line);
bool setting_remove(const char *name);

/* Runs local/run again, which starts what is dead. */
bool local_run(void);

/* Polls document and engine side by side in a thread of its own until stopped. Then every count shown must have been
 * true within the delay before: no less than what ran all that time, no more than what ran at some time of it. And
 * the engine must have run at least so many at every look. */
struct sampler;
struct sampler *sampler_start(const char *service);
void sampler_stop(struct sampler *sampler, double delay, int least, const char *what);

#endif
