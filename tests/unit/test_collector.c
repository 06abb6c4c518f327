/* The collector's pure parts: rows of pieces, and which of them are new. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/assemble.h"
#include "collector/batch.h"
#include "collector/rate.h"
#include "collector/resume.h"
#include "tests/unit/suites.h"

static void note_row(void *context, int64_t at_ns, const char *data, size_t len, bool continues)
{
    if (len > 40)
        buf_addf(context, "%lld <%zu>%s\n", (long long)at_ns, len, continues ? "+" : "");
    else
        buf_addf(context, "%lld [%.*s]%s\n", (long long)at_ns, (int)len, data, continues ? "+" : "");
}

static void feed(struct assemble *a, struct buf *seen, int64_t at, const char *data, size_t len, bool ends)
{
    struct engine_log_piece piece = {.stream = 1, .at_ns = at, .data = data, .len = len, .ends_line = ends};
    assemble_feed(a, &piece, note_row, seen);
}

static void test_assemble_lines(void)
{
    struct assemble a = {0};
    struct buf seen = {0};
    feed(&a, &seen, 1, "whole", 5, true);
    feed(&a, &seen, 2, "be", 2, false);
    feed(&a, &seen, 3, "gun", 3, true);
    feed(&a, &seen, 4, "", 0, true);
    feed(&a, &seen, 5, "open", 4, false);
    assemble_finish(&a, note_row, &seen);
    assemble_finish(&a, note_row, &seen);
    CU_ASSERT_STRING_EQUAL(buf_text(&seen), "1 [whole]\n2 [begun]\n4 []\n5 [open]\n");
    assemble_clear(&a);
    buf_free(&seen);
}

static void test_assemble_long(void)
{
    size_t n = 3 * ASSEMBLE_ROW_MAX + 10;
    char *text = malloc(n), expected[200];
    memset(text, 'x', n);
    /* A sequence of two bytes across the first limit stays whole. */
    memcpy(text + ASSEMBLE_ROW_MAX - 1, "\xc3\xa9", 2);
    snprintf(expected, sizeof expected, "7 <%d>+\n7 <%d>+\n7 <%d>+\n7 [xxxxxxxxxxx]\n", ASSEMBLE_ROW_MAX - 1, ASSEMBLE_ROW_MAX,
             ASSEMBLE_ROW_MAX);
    /* Whether it comes whole or in pieces, the rows are the same. */
    for (size_t step = 1000; step <= n; step += 7919) {
        struct assemble a = {0};
        struct buf seen = {0};
        for (size_t at = 0; at < n; at += step)
            feed(&a, &seen, 7 + (int64_t)at, text + at, n - at < step ? n - at : step, at + step >= n);
        CU_ASSERT_STRING_EQUAL(buf_text(&seen), expected);
        assemble_clear(&a);
        buf_free(&seen);
    }
    /* Exactly the limit is one row. */
    struct assemble a = {0};
    struct buf seen = {0};
    feed(&a, &seen, 9, text, ASSEMBLE_ROW_MAX, true);
    snprintf(expected, sizeof expected, "9 <%d>\n", ASSEMBLE_ROW_MAX);
    CU_ASSERT_STRING_EQUAL(buf_text(&seen), expected);
    buf_clear(&seen);
    feed(&a, &seen, 9, text, ASSEMBLE_ROW_MAX - 1, false);
    feed(&a, &seen, 9, text, 1, true);
    CU_ASSERT_STRING_EQUAL(buf_text(&seen), expected);
    assemble_clear(&a);
    buf_free(&seen);
    free(text);
}

struct line {
    int stream;
    int64_t at;
};

/* Reads a log, stops after any number of rows, and reads it again from the stored position: each row counts once. */
static void test_resume_everywhere(void)
{
    static const struct line log[] = {
        {1, 5000000000}, {2, 5000000010}, {1, 5000000005}, {1, 5000000005}, {1, 5000000005}, {2, 5000000010},
        {2, 5000000020}, {1, 5000000020}, {1, 9000000000}, {1, 9000000000}, {2, 8999999990}, {1, 9000000001},
    };
    enum { N = sizeof log / sizeof log[0] };
    for (int first = 0; first <= N; first++) {
        for (int second = first; second <= N; second++) {
            struct resume r = {0};
            int taken[N] = {0};
            const int stops[] = {first, second, N};
            for (int run = 0; run < 3; run++) {
                resume_start(&r);
                int64_t since = resume_since(&r);
                int rows = 0;
                for (int i = 0; i < run; i++)
                    rows = stops[i];
                for (int i = 0; i < N && rows < stops[run]; i++) {
                    if (log[i].at < since || !resume_take(&r, log[i].stream, log[i].at))
                        continue;
                    taken[i]++;
                    rows++;
                }
            }
            for (int i = 0; i < N; i++)
                CU_ASSERT_EQUAL(taken[i], 1);
        }
    }
}

/* A clock that is set back while the log is followed loses nothing. */
static void test_resume_clock_back(void)
{
    struct resume r = {0};
    resume_start(&r);
    CU_ASSERT_EQUAL(resume_since(&r), 0);
    CU_ASSERT_TRUE(resume_take(&r, 1, 9000000000));
    CU_ASSERT_TRUE(resume_take(&r, 1, 7000000000));
    CU_ASSERT_TRUE(resume_take(&r, 1, 7000000000));
    resume_start(&r);
    CU_ASSERT_EQUAL(resume_since(&r), 5000000000);
    CU_ASSERT_FALSE(resume_take(&r, 1, 6999999999));
    CU_ASSERT_FALSE(resume_take(&r, 1, 7000000000));
    CU_ASSERT_FALSE(resume_take(&r, 1, 7000000000));
    CU_ASSERT_TRUE(resume_take(&r, 1, 7000000000));
    CU_ASSERT_TRUE(resume_take(&r, 1, 6000000000));
}

/* A line that began long ago and has not ended is read again from its start, whatever the other stream printed since. */
static void test_resume_open_line(void)
{
    struct resume r = {.streams = {{.at_ns = 5000000000, .rows_at = 1}, {.at_ns = 90000000000, .rows_at = 1}}};
    CU_ASSERT_EQUAL(resume_since(&r), 88000000000);
    r.open_ns = 6000000000;
    CU_ASSERT_EQUAL(resume_since(&r), 6000000000);
    resume_start(&r);
    CU_ASSERT_TRUE(resume_take(&r, 1, 6000000000));
    CU_ASSERT_FALSE(resume_take(&r, 2, 89000000000));
    CU_ASSERT_FALSE(resume_take(&r, 2, 90000000000));
    CU_ASSERT_TRUE(resume_take(&r, 2, 90000000001));
    r.open_ns = 90000000000; /* a young one changes nothing */
    CU_ASSERT_EQUAL(resume_since(&r), 88000000001);
}

static void test_batch_row(void)
{
    struct batch b = {0};
    size_t n = batch_add_row(&b, &b.rows, "S", "I", 7, 2, INT64_C(1795442400123456789), "a\tb\\c\0d\xff", 8, false);
    CU_ASSERT_EQUAL(n, strlen("a\tb\\c\xe2\x90\x80" "d\xef\xbf\xbd"));
    CU_ASSERT_STRING_EQUAL(buf_text(&b.rows),
                           "S\t2026-11-23 14:00:00.123456+00\tI\t7\t2\ta\\tb\\\\c\xe2\x90\x80" "d\xef\xbf\xbd\n");
    buf_clear(&b.rows);
    batch_add_row(&b, &b.rows, "S", "I", 8, 1, INT64_C(1795442401000000000), "x\r", 2, true);
    CU_ASSERT_STRING_EQUAL(buf_text(&b.rows), "S\t2026-11-23 14:00:01.000000+00\tI\t8\t1\tx\\r" ASSEMBLE_CONTINUES "\n");
    struct resume r = {.streams = {{.at_ns = 5, .rows_at = 2}, {.at_ns = 6, .rows_at = 1}}, .open_ns = 4};
    batch_add_position(&b, "I", 9, &r, 11, true);
    CU_ASSERT_STRING_EQUAL(buf_text(&b.positions),
                           "[{\"instance_id\":\"I\",\"next_seq\":9,\"stdout_at_ns\":5,\"stdout_lines_at\":2,\"stderr_at_ns\":6,"
                           "\"stderr_lines_at\":1,\"open_at_ns\":4,\"bytes\":11,\"completed\":true}");
    batch_free(&b);
}

/* Two looks make a sample of fractions and rates; a counter that began anew makes none. */
static void test_rates(void)
{
    static const struct {
        const char *what;
        struct engine_usage before, now; /* one second apart unless said otherwise */
        int64_t cpu_millis;
        bool good;
        double cpu, memory, in, out;
    } rows[] = {
        {"a quarter of a CPU of half a one", {.at_ns = 1}, {.at_ns = 1000000001, .cpu_ns = 250000000, .memory_limit_bytes = 64, .memory_bytes = 16},
         500, true, 0.5, 0.25, 0, 0},
        {"without a limit: of all CPUs", {.at_ns = 1}, {.at_ns = 1000000001, .cpu_ns = 1000000000, .cpus = 4, .memory_limit_bytes = 1}, 0, true, 0.25,
         0, 0, 0},
        {"a little over the limit is the limit", {.at_ns = 1}, {.at_ns = 1000000001, .cpu_ns = 260000000, .memory_limit_bytes = 8, .memory_bytes = 9},
         250, true, 1, 1, 0, 0},
        {"bytes per second over two seconds", {.at_ns = 1, .received_bytes = 100, .sent_bytes = 50},
         {.at_ns = 2000000001, .received_bytes = 1100, .sent_bytes = 51, .memory_limit_bytes = 1}, 1000, true, 0, 0, 500, 0.5},
        {"CPU time went back", {.at_ns = 1, .cpu_ns = 9}, {.at_ns = 1000000001, .cpu_ns = 8, .memory_limit_bytes = 1}, 1000, false, 0, 0, 0, 0},
        {"received bytes went back", {.at_ns = 1, .received_bytes = 9}, {.at_ns = 1000000001, .received_bytes = 8}, 1000, false, 0, 0, 0, 0},
        {"sent bytes went back", {.at_ns = 1, .sent_bytes = 9}, {.at_ns = 1000000001, .sent_bytes = 8}, 1000, false, 0, 0, 0, 0},
        {"no time has passed", {.at_ns = 1}, {.at_ns = 1, .cpu_ns = 5}, 1000, false, 0, 0, 0, 0},
        {"hardly any", {.at_ns = 1}, {.at_ns = 49000000, .cpu_ns = 5}, 1000, false, 0, 0, 0, 0},
        {"time went back", {.at_ns = 1000000001}, {.at_ns = 1, .cpu_ns = 5}, 1000, false, 0, 0, 0, 0},
        {"a limit that is not known", {.at_ns = 1}, {.at_ns = 1000000001, .memory_bytes = 5}, 1000, true, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sample s = {0};
        bool good = rate_between(&rows[i].before, &rows[i].now, rows[i].cpu_millis, &s);
        bool same = s.cpu_utilization == rows[i].cpu && s.memory_utilization == rows[i].memory && s.network_in == rows[i].in &&
                    s.network_out == rows[i].out && s.counters.cpu_ns == rows[i].now.cpu_ns &&
                    s.counters.received_bytes == rows[i].now.received_bytes;
        if (good != rows[i].good || (good && !same)) {
            fprintf(stderr, "%s: %d %g %g %g %g\n", rows[i].what, good, s.cpu_utilization, s.memory_utilization, s.network_in, s.network_out);
            CU_FAIL("a rate");
        }
    }
}

void suite_collector(void)
{
    CU_pSuite suite = CU_add_suite("collector", NULL, NULL);
    CU_add_test(suite, "pieces become lines", test_assemble_lines);
    CU_add_test(suite, "long lines are split", test_assemble_long);
    CU_add_test(suite, "resumed anywhere, every row once", test_resume_everywhere);
    CU_add_test(suite, "a clock that is set back", test_resume_clock_back);
    CU_add_test(suite, "a line that has not ended", test_resume_open_line);
    CU_add_test(suite, "rows and positions", test_batch_row);
    CU_add_test(suite, "rates of counters", test_rates);
}
