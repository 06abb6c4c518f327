/* The Skylark under test, as tests/check.sh and tests/lib/fixture.sh made it. */
#ifndef SKYLARK_TESTS_LIB_WORLD_H
#define SKYLARK_TESTS_LIB_WORLD_H

#include <stdbool.h>
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
    const char *load, *load_server; /* a folder, and host and port where instances find its files: what bin/load is to do */
};
extern struct world world;

/* Fills world in from the environment; exits with 2 and says what is missing. */
void world_open(void);

/* Runs a shell command. Returns its standard output, which the caller frees; its exit status (-1: did not
 * end well) goes to status unless that is NULL. */
char *world_shell(int *status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One value by psql as the owner of the schema; "" for none. The caller frees it. */
char *world_sql(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int64_t world_sql_number(const char *sql);

/* The pid that local/run recorded for a process; 0 when there is none. */
int world_pid(const char *process);

double world_now(void);         /* seconds, monotonic */
void world_nap(void);           /* between two looks */
/* while (world_waiting(&end, 20)) …: true, after a nap, until 20 s passed. end starts as 0. */
bool world_waiting(double *end, double seconds);

#endif
