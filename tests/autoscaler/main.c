/* Two skylark-autoscalers as processes beside one database, of which one is killed by SIGKILL again and again while the load of
 * all services goes up and down: no action is doubled, none is lost, and no evaluation is later than two periods. The load, and a
 * deployer that carries everything out at once, are played by statements. AUTOSCALER_SECONDS says for how long. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/sql.h"

#define SERVICES 300
#define MAXIMUM 6
#define WAIT_PERIOD 2
/* Up or down by MAXIMUM - 1 steps, a wait_period and a look apart, and time for one that is late. */
#define PHASE_SECONDS 20
#define KILL_EVERY_SECONDS 1.3

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static pid_t autoscaler_start(void)
{
    char program[300], database[400];
    snprintf(program, sizeof program, "%s/skylark-autoscaler", getenv("SKYLARK_TEST_BIN"));
    const char *pg = getenv("SKYLARK_TEST_PG"), *user = strstr(pg, " user=");
    snprintf(database, sizeof database, "database=%.*s user=skylark_autoscaler dbname=autoscaled", (int)(user - pg), pg);
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        int out = open("/dev/null", O_WRONLY);
        dup2(out, STDERR_FILENO);
        execl(program, program, "-o", database, "-o", "metrics_listen=", "-o", "evaluators=1", (char *)NULL);
        _exit(127);
    }
    setpgid(pid, pid);
    return pid;
}

static void autoscaler_end(pid_t pid, int signal_number)
{
    int status;
    kill(signal_number == SIGKILL ? -pid : pid, signal_number);
    waitpid(pid, &status, 0);
    if (signal_number == SIGTERM)
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "told to end, it ends with %x", (unsigned)status);
}

static void fill(PGconn *c)
{
    static const char *const steps[] = {
        "INSERT INTO skylark.namespaces (name, kind) VALUES ('n', 'organisation')",
        "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by, scaling_mode, target_num_instances) "
        "SELECT gen_random_uuid(), n.id, 's' || g, 'x', 'XS', 'n', 'AUTO', 1 FROM skylark.namespaces n, generate_series(1, %d) g",
        "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state, started_at) "
        "SELECT gen_random_uuid(), id, 0, 1, 'e', gen_random_uuid()::text, 'running', now() - interval '1 hour' FROM skylark.services",
        "UPDATE skylark.service_status st SET observed_generation = 1, observed_revision = q.revision, condition = 'settled' "
        "FROM skylark.reconcile_queue q WHERE q.service_id = st.service_id",
        "INSERT INTO skylark.autoscaling_settings (service_id, metric_name, upper_threshold, lower_threshold, minimum_num_instances, "
        "maximum_num_instances, wait_period) SELECT id, 'CPU_UTILIZATION', 0.6, 0.2, 1, 6, 2 FROM skylark.services",
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        CHECK(sql_run(c, steps[i], SERVICES)[0] == '\0', "%s: %s", steps[i], PQerrorMessage(c));
}

/* What deployer and collector do in half a second. */
static void play(PGconn *c, double load)
{
    CHECK(sql_run(c, "UPDATE skylark.service_status st SET observed_revision = q.revision FROM skylark.reconcile_queue q "
                     "WHERE q.service_id = st.service_id AND st.observed_revision <> q.revision")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "DELETE FROM skylark.metric_samples WHERE sampled_at < now() - interval '10 s'")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "INSERT INTO skylark.metric_samples SELECT id, clock_timestamp(), %g, 0, 0, 0 FROM skylark.instances", load)[0] == '\0',
          "%s", PQerrorMessage(c));
}

static void check_phase(PGconn *c, int phases)
{
    long wrong = atol(sql_value(c, "SELECT count(*) FROM skylark.services s WHERE s.target_num_instances <> %d OR (SELECT count(*) FROM "
                                   "skylark.autoscaling_decisions d WHERE d.service_id = s.id AND d.target_before <> d.target_after) <> %d",
                                phases % 2 == 1 ? MAXIMUM : 1, phases * (MAXIMUM - 1)));
    CHECK(wrong == 0, "after %d phases, %ld of %d services have another count, or another number of actions", phases, wrong, SERVICES);
}

static void test_killed(void)
{
    double seconds = getenv("AUTOSCALER_SECONDS") != NULL ? atof(getenv("AUTOSCALER_SECONDS")) : 2 * PHASE_SECONDS;
    char *output;
    sql_database("autoscaled");
    REQUIRE(sql_ctl("autoscaled", "migrate", &output) == 0, "%s", output);
    free(output);
    PGconn *c = sql_connect("autoscaled", NULL);
    fill(c);
    pid_t pids[2] = {autoscaler_start(), autoscaler_start()};
    double begun = now(), next_kill = begun + KILL_EVERY_SECONDS, latest = 0;
    int phases = 0, kills = 0;
    for (double at; (at = now()) < begun + seconds;) {
        bool high = phases % 2 == 0;
        play(c, high ? 0.9 : 0.01);
        double late = atof(sql_value(c, "SELECT GREATEST(max(date_part('epoch', clock_timestamp() - due_at)), 0) FROM skylark.autoscaling_queue"));
        latest = late > latest ? late : latest;
        if (at >= next_kill) {
            pid_t *victim = &pids[kills++ % 2];
            autoscaler_end(*victim, SIGKILL);
            *victim = autoscaler_start();
            next_kill = at + KILL_EVERY_SECONDS;
        }
        if (at >= begun + (phases + 1) * PHASE_SECONDS) {
            check_phase(c, ++phases);
            continue;
        }
        usleep(500000);
    }
    check_phase(c, ++phases);
    autoscaler_end(pids[0], SIGTERM);
    autoscaler_end(pids[1], SIGTERM);
    CHECK(latest <= 2 * WAIT_PERIOD, "an evaluation was %.2f s late", latest);
    /* Each action goes on from where the one before it ended, wait_period after it; and each is an event. */
    CHECK(strcmp(sql_value(c, "SELECT count(*) FROM (SELECT target_before, lag(target_after) OVER w AS ended, decided_at - lag(decided_at) OVER w AS apart "
                              "FROM skylark.autoscaling_decisions WHERE target_before <> target_after WINDOW w AS (PARTITION BY service_id ORDER BY id)) d "
                              "WHERE ended <> target_before OR apart < interval '2 s'"), "0") == 0, "actions that are no chain");
    CHECK(strcmp(sql_value(c, "SELECT (SELECT count(*) FROM skylark.events WHERE actor = 'autoscaler') - "
                              "(SELECT count(*) FROM skylark.autoscaling_decisions WHERE target_before <> target_after)"), "0") == 0, "events");
    printf("\n    %d kills in %.0f s, %s actions, latest evaluation %.2f s late\n    ", kills, now() - begun,
           sql_value(c, "SELECT count(*) FROM skylark.autoscaling_decisions WHERE target_before <> target_after"), latest);
    PQfinish(c);
}

static const struct check_test tests[] = {{"two, one of them killed again and again", test_killed}, {0}};

int main(int argc, char **argv)
{
    static const struct check_suite suites[] = {{"autoscaler", tests}};
    return check_main(suites, 1, argc, argv);
}
