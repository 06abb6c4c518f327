/* Figures of a process: what a scrape sees. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/metrics.h"
#include "common/metrics_http.h"
#include "tests/unit/suites.h"

static const char *const colours[] = {"red", "blue", NULL};
static const struct metric rows[] = {
    {.name = "t_seen_total", .type = METRIC_COUNTER, .help = "Seen.", .label = "colour", .values = colours},
    {.name = "t_late_seconds", .type = METRIC_GAUGE, .help = "Late.", .divisor = 1000},
};

static void test_render(void)
{
    struct buf out = {0};
    metrics_add(0, 0, 1); /* nothing is mapped yet: no harm */
    CU_ASSERT_EQUAL_FATAL(metrics_open(rows, 2), 0);
    metrics_add(0, metrics_figure(0, "blue"), 2);
    metrics_add(0, metrics_figure(0, "blue"), 3);
    metrics_set(1, 0, 1500);
    metrics_set(1, 0, 250);
    metrics_render(&out);
    CU_ASSERT_STRING_EQUAL(buf_text(&out), "# HELP t_seen_total Seen.\n# TYPE t_seen_total counter\nt_seen_total{colour=\"red\"} 0\n"
                                           "t_seen_total{colour=\"blue\"} 5\n# HELP t_late_seconds Late.\n"
                                           "# TYPE t_late_seconds gauge\nt_late_seconds 0.250000\n");
    buf_free(&out);
    CU_ASSERT_EQUAL(metrics_figure(0, "red"), 0);
    CU_ASSERT_EQUAL(metrics_figure(0, "green"), 1); /* the last one takes what is not known */
}

static void test_listen(void)
{
    static const char *const good[] = {"", "127.0.0.1:9181", "0.0.0.0:1", "[::1]:65535", "[::]:80"};
    static const char *const bad[] = {"9181", ":9181", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "localhost:80",
                                      "127.0.0.1:80x", "::1:80", "[::1]", "127.0.0.1: 80", "127.0.0.1:-1"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CU_ASSERT_EQUAL(metrics_listen_check(good[i]), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_EQUAL(metrics_listen_check(bad[i]), -1);
}

void suite_metrics(void)
{
    CU_pSuite suite = CU_add_suite("metrics", NULL, NULL);
    CU_add_test(suite, "figures as text", test_render);
    CU_add_test(suite, "where to listen", test_listen);
}
