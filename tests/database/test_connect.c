/* Connecting ends in time, whatever hangs: the name server, the network, the server, a lock on what it asks for. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/aside.h"
#include "common/db_internal.h"
#include "tests/database/suites.h"

#define NAME "test-connect"
#define HANGING_HOST "hangs.skylark.test"

static const struct db_statement number = {.name = "number", .sql = "SELECT 1"};

/* In the place of the C library's, for libpq as well: one name hangs until it is let go. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t let_go = PTHREAD_COND_INITIALIZER;
static bool hangs = true;
static atomic_int looked_up;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (node != NULL && strcmp(node, HANGING_HOST) == 0) {
        pthread_mutex_lock(&mutex);
        looked_up++;
        while (hangs)
            pthread_cond_wait(&let_go, &mutex);
        pthread_mutex_unlock(&mutex);
        return EAI_AGAIN;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, result);
}

static struct db *open_db(const char *conninfo)
{
    struct db_options options = {
        .conninfo = conninfo, .application_name = NAME, .statements = &number, .n_statements = 1,
        .connect_deadline_ms = 1000, .query_deadline_ms = 2000,
    };
    return db_create(&options);
}

static bool lookup_given_up(void)
{
    struct db *db = open_db("host=" HANGING_HOST " user=owner dbname=skylark_shared");
    bool away = db_connect(db) == DB_AWAY;
    usleep(1100 * 1000); /* until it would be tried again */
    away = away && db_connect(db) == DB_AWAY;
    /* Still the first question: what hangs is not piled up. */
    return away && looked_up == 1;
}

static void test_names(void)
{
    CHECK(ends(lookup_given_up), "connecting waits for a name server that does not answer");
}

static char address[200];

static bool address_given_up(void)
{
    return db_connect(open_db(address)) == DB_AWAY;
}

/* A listener on loopback whose queue takes one connection: the next one's packets are dropped, as by a firewall. */
static int deaf_listener(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof any;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any) != 0 || listen(fd, 0) != 0 ||
        getsockname(fd, (struct sockaddr *)&any, &len) != 0)
        abort();
    snprintf(address, sizeof address, "host=127.0.0.1 port=%d user=owner dbname=skylark_shared", ntohs(any.sin_port));
    return fd;
}

static bool connection_ended(struct db *db)
{
    return db->connecting != NULL && aside_wait(db->connecting, 0);
}

static void test_silent_server(void)
{
    int fd = deaf_listener();
    CHECK(ends(address_given_up), "connecting waits for a server that says nothing");
    close(fd);
}

/* What was the matter when somebody tried says nothing of now: an attempt that failed behind everybody's back is made anew. */
static bool late_failure_forgotten(void)
{
    int fd = deaf_listener(), looks = 0;
    struct db *db = open_db(address);
    bool away = db_connect(db) == DB_AWAY; /* after a second, while the attempt goes on until libpq gives up */
    while (!connection_ended(db) && looks++ < 200)
        usleep(50 * 1000);
    close(fd);
    free((char *)db->options.conninfo);
    db->options.conninfo = strdup(database_of("owner"));
    return away && connection_ended(db) && db_connect(db) == DB_OK;
}

static void test_late_failure(void)
{
    sql_migrated();
    CHECK(ends(late_failure_forgotten), "the failure of an earlier attempt is taken for the state of now");
}

static void test_blackhole(void)
{
    int fd = deaf_listener();
    struct sockaddr_in to;
    socklen_t len = sizeof to;
    int full[4];
    getsockname(fd, (struct sockaddr *)&to, &len);
    for (int i = 0; i < 4; i++) {
        full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(full[i], (struct sockaddr *)&to, sizeof to);
    }
    CHECK(ends(address_given_up), "connecting waits for an address that nothing comes back from");
    for (int i = 0; i < 4; i++)
        close(full[i]);
    close(fd);
}

static bool locked_given_up(void)
{
    return db_connect(open_db(database_of("owner"))) == DB_AWAY;
}

static void test_schema_locked(void)
{
    PGconn *c = sql_migrated(), *holder = sql_connect("skylark_shared", NULL);
    sql_run(holder, "BEGIN");
    CHECK(sql_run(holder, "LOCK TABLE skylark.schema_migrations")[0] == '\0', "%s", PQerrorMessage(holder));
    CHECK(ends(locked_given_up), "connecting waits for a lock");
    CHECK(becomes(c, "0", "SELECT count(*) FROM pg_stat_activity WHERE application_name = '" NAME "'"), "its backend still waits");
    sql_run(holder, "ROLLBACK");
    PQfinish(holder);
}

static void test_bare(void)
{
    sql_migrated();
    PGconn *conn = db_bare_connection(database_of("owner"), NAME, 10000);
    CHECK(conn != NULL && PQstatus(conn) == CONNECTION_OK, "%s", conn != NULL ? PQerrorMessage(conn) : "none");
    PQfinish(conn);
}

const struct check_test tests_connect[] = {
    {"a name that is looked up for ever", test_names},
    {"a server that says nothing", test_silent_server},
    {"a failure that came after it was waited for", test_late_failure},
    {"an address that nothing comes back from", test_blackhole},
    {"a lock on the schema's table", test_schema_locked},
    {"a bare connection", test_bare},
    {NULL, NULL},
};
