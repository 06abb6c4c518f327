/* Two skylark-autoscalers as processes beside one database, of which one is killed by SIGKILL again and again while the load of
 * all services goes up and down: no action is doubled, none is lost, and no evaluation is later than two periods (of a machine that has
 * nothing else to do). The load, and a deployer that carries everything out at once, are played by statements. AUTOSCALER_SECONDS says for
 * how long at least. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/sql.h"

#define SERVICES 300
#define MAXIMUM 6
#define WAIT_PERIOD 2
/* Up or down by MAXIMUM - 1 steps, a wait_period and a look apart: 12 s, if nothing is late. */
#define PHASE_SECONDS 30
#define KILL_EVERY_SECONDS 1.3

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static pid_t autoscaler_start(const char *query_deadline)
{
    char program[300], database[400], deadline[40];
    snprintf(deadline, sizeof deadline, "query_deadline=%s", query_deadline);
    snprintf(program, sizeof program, "%s/skylark-autoscaler", getenv("SKYLARK_TEST_BIN"));
    const char *pg = getenv("SKYLARK_TEST_PG"), *user = strstr(pg, " user=");
    snprintf(database, sizeof database, "database=%.*s user=skylark_autoscaler dbname=autoscaled", (int)(user - pg), pg);
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that hangs is killed */
        int out = open("/dev/null", O_WRONLY);
        dup2(out, STDERR_FILENO);
        execl(program, program, "-o", database, "-o", "metrics_listen=", "-o", "evaluators=1", "-o", deadline,
              (char *)NULL);
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
        "BEGIN",
        "INSERT INTO skylark.namespaces (name, kind) VALUES ('n', 'organisation')",
        "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by, scaling_mode, target_num_instances) "
        "SELECT gen_random_uuid(), n.id, 's' || g, 'x', 'XS', 'n', 'AUTO', 1 FROM skylark.namespaces n, generate_series(1, %d) g",
        "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state, started_at) "
        "SELECT gen_random_uuid(), id, 0, 1, 'e', gen_random_uuid()::text, 'running', now() - interval '1 hour' FROM skylark.services",
        "UPDATE skylark.service_status st SET observed_generation = 1, observed_revision = q.revision, condition = 'settled' "
        "FROM skylark.services q WHERE q.id = st.service_id",
        "INSERT INTO skylark.autoscaling_settings (service_id, metric_name, upper_threshold, lower_threshold, minimum_num_instances, "
        "maximum_num_instances, wait_period) SELECT id, 'CPU_UTILIZATION', 0.6, 0.2, 1, 6, 2 FROM skylark.services",
        "COMMIT",
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        CHECK(sql_run(c, steps[i], SERVICES)[0] == '\0', "%s: %s", steps[i], PQerrorMessage(c));
}

/* What deployer and collector do in half a second. */
static void play(PGconn *c, double load)
{
    CHECK(sql_run(c, "UPDATE skylark.service_status st SET observed_revision = q.revision FROM skylark.services q "
                     "WHERE q.id = st.service_id AND st.observed_revision <> q.revision")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "DELETE FROM skylark.metric_samples WHERE sampled_at < now() - interval '10 s'")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "INSERT INTO skylark.metric_samples SELECT id, clock_timestamp(), %g, 0, 0, 0 FROM skylark.instances", load)[0] == '\0',
          "%s", PQerrorMessage(c));
}

static bool phase_done(PGconn *c, int phases)
{
    return strcmp(sql_value(c, "SELECT count(*) FROM skylark.services WHERE target_num_instances <> %d", phases % 2 == 1 ? MAXIMUM : 1), "0") == 0;
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
    double seconds = getenv("AUTOSCALER_SECONDS") != NULL ? atof(getenv("AUTOSCALER_SECONDS")) : 0;
    char *output;
    sql_database("autoscaled");
    REQUIRE(sql_ctl("autoscaled", "migrate", &output) == 0, "%s", output);
    free(output);
    PGconn *c = sql_connect("autoscaled", NULL);
    CHECK(sql_run(c, "UPDATE skylark.quotas SET maximum = NULL")[0] == '\0', "quotas");
    fill(c);
    pid_t pids[2] = {autoscaler_start("30s"), autoscaler_start("30s")};
    double begun = now(), next_kill = begun + KILL_EVERY_SECONDS, latest = 0, phase_begun = begun, settled = 0;
    int phases = 0, kills = 0;
    /* Up and down once, at least; and a wait_period of each phase in which nothing more must happen. */
    for (double at; (at = now()) < begun + seconds || phases < 2;) {
        bool high = phases % 2 == 0;
        play(c, high ? 0.9 : 0.01);
        double late = atof(sql_value(c, "SELECT GREATEST(max(date_part('epoch', clock_timestamp() - due_at)), 0) FROM skylark.autoscaling_queue"));
        latest = late > latest ? late : latest;
        if (at >= next_kill) {
            pid_t *victim = &pids[kills++ % 2];
            autoscaler_end(*victim, SIGKILL);
            *victim = autoscaler_start("30s");
            next_kill = at + KILL_EVERY_SECONDS;
        }
        if (settled == 0 && phase_done(c, phases + 1))
            settled = at;
        if ((settled > 0 && at >= settled + WAIT_PERIOD + 1) || at >= phase_begun + PHASE_SECONDS * check_patience()) {
            check_phase(c, ++phases);
            phase_begun = at;
            settled = 0;
            continue;
        }
        usleep(500000);
    }
    autoscaler_end(pids[0], SIGTERM);
    autoscaler_end(pids[1], SIGTERM);
    CHECK(latest <= 2 * WAIT_PERIOD * check_patience(), "an evaluation was %.2f s late", latest);
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

/* A service whose window alone takes longer to read than a statement may: it is put off, the others are evaluated, and nothing
 * of the passes that were given up is left behind. */
static void test_dear_service(void)
{
    static const char *const steps[] = {
        "DELETE FROM skylark.services WHERE name NOT IN ('s1', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9')",
        "DELETE FROM skylark.autoscaling_decisions", "DELETE FROM skylark.metric_samples",
        "UPDATE skylark.autoscaling_settings SET wait_period = 86400 WHERE service_id = (SELECT id FROM skylark.services WHERE name = 's5')",
        "UPDATE skylark.instances SET started_at = now() - interval '3 days'",
        "INSERT INTO skylark.metric_samples SELECT i.id, now() - g * interval '0.08 s', 0.4, 0, 0, 0 FROM skylark.instances i "
        "JOIN skylark.services s ON s.id = i.service_id AND s.name = 's5', generate_series(1, 1000000) g",
        "INSERT INTO skylark.metric_samples SELECT i.id, now() + g * interval '1 s', 0.4, 0, 0, 0 FROM skylark.instances i "
        "JOIN skylark.services s ON s.id = i.service_id AND s.name <> 's5', generate_series(0, 30) g",
        "UPDATE skylark.autoscaling_queue SET due_at = now() - interval '1 s', evaluated_at = NULL, reason = NULL",
        "ANALYZE",
    };
    PGconn *c = sql_connect("autoscaled", NULL);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        CHECK(sql_run(c, "%s", steps[i])[0] == '\0', "%s: %s", steps[i], PQerrorMessage(c));
    /* A third of what this machine takes for that window alone, as it is now. */
    double begun = now();
    sql_value(c, "SELECT avg(m.cpu_utilization) FROM skylark.metric_samples m JOIN skylark.instances i ON i.id = m.instance_id "
                 "JOIN skylark.services s ON s.id = i.service_id WHERE s.name = 's5'");
    char deadline[40];
    int ms = (int)((now() - begun) * 1000 / 3);
    snprintf(deadline, sizeof deadline, "%dms", ms > 50 ? ms : 50);
    pid_t pid = autoscaler_start(deadline);
    bool done = false;
    for (double end = now() + 40 * check_patience(); !done && now() < end; usleep(200000))
        done = strcmp(sql_value(c, "SELECT count(*) FILTER (WHERE s.name <> 's5' AND q.evaluated_at IS NOT NULL) = 8 AND "
                                   "bool_or(s.name = 's5' AND q.evaluated_at IS NULL AND q.due_at > now() + interval '20 s') "
                                   "FROM skylark.autoscaling_queue q JOIN skylark.services s ON s.id = q.service_id"), "t") == 0;
    CHECK(done, "%s", sql_value(c, "SELECT string_agg(s.name || ' ' || COALESCE(q.reason, '-') || ' ' || q.due_at, ', ') "
                                   "FROM skylark.autoscaling_queue q JOIN skylark.services s ON s.id = q.service_id"));
    autoscaler_end(pid, SIGTERM);
    CHECK(strcmp(sql_value(c, "SELECT count(*) FROM skylark.autoscaling_decisions d JOIN skylark.services s ON s.id = d.service_id "
                              "WHERE s.name = 's5'"), "0") == 0, "a pass that was given up has left a decision");
    PQfinish(c);
}

static const struct check_test tests[] = {
    {"two, one of them killed again and again", test_killed},
    {"one service that is too dear", test_dear_service},
    {0},
};

int main(int argc, char **argv)
{
    static const struct check_suite suites[] = {{"autoscaler", tests}};
    check_deadline(NULL, 200);
    return check_main(suites, 1, argc, argv);
}
