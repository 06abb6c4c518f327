/* The Skylark under test, as tests/check.sh and tests/lib/fixture.sh made it. */
#ifndef SKYLARK_TESTS_LIB_WORLD_H
#define SKYLARK_TESTS_LIB_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world {
    const char *url, *internal_url, *plain_url, *ca; /* addresses without a trailing slash */
    const char *dsn;           /* read-only, of the DBA */
    const char *owner_dsn;     /* of the schema's owner */
    const char *var;           /* state folder of local/run */
    const char *engine_socket; /* path */
    const char *registry;      /* host:port */
    const char *space;         /* namespace of user madams */
    const char *password;      /* of madams */
    const char *token;         /* of madams: everything */
    const char *read_token;    /* of madams: scope read */
    const char *member_token;  /* of reader, who may read in madams */
    const char *other_token;   /* of other, who has no right there */
    const char *demo_token, *demo_password;
    const char *orders;        /* address and port, as "ADDRESS PORT", that instances reach: tests/lib/orders.h */
};
extern struct world world;

/* Fills world in from the environment; exits with 2 and says what is missing. */
void world_open(void);

/* Runs a shell command: for single actions, such as local/run. Whoever looks again and again looks from C: a shell and what it
 * starts cost more than what they look at. Returns its standard output, which the caller frees; its exit status (-1: did not
 * end well) goes to status unless that is NULL. */
char *world_shell(int *status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Runs skylarkctl with these words of a shell's, as world_shell(); the output has its errors as well. */
char *world_ctl(int *status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The first value of a statement as the owner of the schema; "" for none, and when it fails (which is said on standard error). The
 * caller frees it. A connection for each thread stays open, and is made anew after PostgreSQL was away. */
char *world_sql(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int64_t world_sql_number(const char *sql); /* INT64_MIN when it is no number */

/* The same on a connection of its own to another PostgreSQL. good tells whether it went well; if not, what it returns says why. */
char *world_sql_of(const char *conninfo, bool *good, const char *sql);

/* The whole of a file, which the caller frees; "" when there is none. Its size, without the final NUL, goes to len unless that is NULL. */
char *world_file(size_t *len, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Whether var/log/NAME contains the text. */
bool world_log_has(const char *name, const char *text);

/* The pid that local/run recorded for a process; 0 when there is none. */
int world_pid(const char *process);
/* The children of a process, and the members of a process group that are no zombies. Return how many there are; up to max of them go to
 * pids, in rising order. */
int world_children(int pid, int *pids, int max);
int world_group(int group, int *pids, int max);

double world_now(void);         /* seconds, monotonic */
void world_nap(void);           /* between two looks */
/* while (world_waiting(&end, 20)) …: true, after a nap, until 20 s times check_patience() passed. end starts as 0. For what has to come. */
bool world_waiting(double *end, double seconds);
/* The same for so many seconds, neither more nor less: for what must not come. */
bool world_watching(double *end, double seconds);

#endif
