/* log_cursor, log_page: whoever follows the links gets each line once, however lines are stored meanwhile. */
#include <CUnit/CUnit.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/log_cursor.h"
#include "fcgi/log_page.h"
#include "tests/unit/suites.h"

#define LINES_MAX 600
#define ROUNDS 20

/* A line that its instance printed; it is stored some time later. */
struct line {
    struct log_position at;
    bool stored;
    int read; /* how often it came in a page */
};

static struct line lines[LINES_MAX];
static size_t n_lines;

static int compare(const void *x, const void *y)
{
    const struct log_position *a = &((const struct line *)x)->at, *b = &((const struct line *)y)->at;
    if (a->us != b->us)
        return a->us < b->us ? -1 : 1;
    int order = memcmp(a->instance, b->instance, sizeof a->instance);
    return order != 0 ? order : (a->seq > b->seq) - (a->seq < b->seq);
}

/* What sql/queries/api/logs_page.sql selects. */
static bool wanted(const struct log_cursor *c, const struct line *l)
{
    int64_t next = 0, from = c->floor_us < c->last.us ? c->floor_us : c->last.us;
    struct line last = {.at = c->last};
    for (size_t i = 0; i < c->n_seen; i++) {
        if (uuid_compare(c->seen[i].instance, l->at.instance) == 0)
            next = c->seen[i].next_seq;
    }
    return l->stored && l->at.us >= from && (compare(l, &last) > 0 || (l->at.us >= c->floor_us && l->at.seq >= next));
}

/* Reads one page, and goes on with what is left of the cursor when it was text. Returns whether there was more. */
static bool read_page(struct log_cursor *c, int64_t now_us, int64_t size)
{
    struct buf out = {0}, text = {0};
    struct log_cursor before = *c;
    struct log_page page = {.out = &out, .cursor = c, .lines_max = size};
    for (size_t i = 0; i < n_lines; i++) {
        if (!wanted(&before, &lines[i]))
            continue;
        if (!log_page_add(&page, &lines[i].at, "x", 1))
            break;
        lines[i].read++;
    }
    log_page_finish(&page);
    log_cursor_settle(c, now_us, page.more);
    log_cursor_encode(c, &text);
    CU_ASSERT_TRUE(log_cursor_decode(c, buf_text(&text)));
    buf_free(&out);
    buf_free(&text);
    return page.more;
}

/* A service of several instances prints for some minutes, many lines in the same microsecond. Each instance's lines are stored in their
 * order, up to `late` after they were printed, while somebody follows in pages of any size. */
static void follow(unsigned seed, int n_instances, int64_t late_us, int64_t size_max)
{
    int64_t now = INT64_C(1433753256000000), begin = now, behind[100], next_seq[100] = {0}, printed_us[100];
    struct log_cursor c;
    srand(seed);
    n_lines = 0;
    for (int i = 0; i < n_instances; i++) {
        behind[i] = late_us > 0 ? rand() % late_us : 0;
        printed_us[i] = now;
    }
    while (n_lines + 8 < LINES_MAX) {
        int i = rand() % n_instances;
        printed_us[i] += rand() % 3 == 0 ? rand() % 2000000 : 0;
        if (printed_us[i] > now)
            now = printed_us[i];
        struct line *l = &lines[n_lines++];
        *l = (struct line){.at = {.us = printed_us[i], .seq = next_seq[i]++}};
        memset(l->at.instance, 0, sizeof l->at.instance);
        l->at.instance[0] = (unsigned char)(i * 37);
        l->at.instance[15] = (unsigned char)i;
        /* An instance whose clock stood still for a while goes on from now. */
        if (now - printed_us[i] > 1000000)
            printed_us[i] = now;
    }
    qsort(lines, n_lines, sizeof lines[0], compare);
    log_cursor_start(&c, begin);
    int64_t end = now + late_us + 1;
    for (now = begin; now < end; now += rand() % 700000) {
        for (size_t i = 0; i < n_lines; i++)
            lines[i].stored = lines[i].stored || lines[i].at.us + behind[lines[i].at.instance[15]] <= now;
        read_page(&c, now, 1 + rand() % size_max);
    }
    for (size_t i = 0; i < n_lines; i++)
        lines[i].stored = true;
    for (size_t pages = 0; pages <= n_lines && read_page(&c, end, 1 + rand() % size_max);)
        pages++;
    int wrong = 0;
    for (size_t i = 0; i < n_lines; i++)
        wrong += lines[i].read != 1;
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_follow(void)
{
    static const struct {
        int instances;
        int64_t late_us, size;
    } rows[] = {{1, 0, 1}, {1, 5000000, 50}, {3, 0, 7}, {3, 20000000, 3}, {20, 29000000, 400}, {60, 29000000, 100}, {60, 100000, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (unsigned seed = 1; seed <= ROUNDS; seed++)
            follow(seed, rows[i].instances, rows[i].late_us, rows[i].size);
    }
}

/* Of more instances than a cursor remembers, all in one microsecond. */
static void test_same_time(void)
{
    struct log_cursor c;
    n_lines = 0;
    for (int i = 0; i < 200; i++) {
        lines[n_lines] = (struct line){.at = {.us = 1000000, .seq = 5}, .stored = true};
        memset(lines[n_lines].at.instance, 0, 16);
        lines[n_lines++].at.instance[3] = (unsigned char)i;
    }
    log_cursor_start(&c, 1000000);
    for (size_t pages = 0; pages <= n_lines && read_page(&c, INT64_C(1433753256000000), 9);)
        pages++;
    read_page(&c, INT64_C(1433753256000000), 9);
    int wrong = 0;
    for (size_t i = 0; i < n_lines; i++)
        wrong += lines[i].read != 1;
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_text(void)
{
    static const char *const bad[] = {"", "x", "AQ", "AQAA", "====", "%", "AQAFGI", "-1"};
    struct log_cursor c, again;
    struct buf text = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_FALSE(log_cursor_decode(&c, bad[i]));
    log_cursor_start(&c, 0);
    for (int i = 0; i < LOG_CURSOR_SEEN_MAX; i++) {
        struct log_position at = {.us = 5, .seq = i};
        memset(at.instance, i, sizeof at.instance);
        log_cursor_pass(&c, &at);
    }
    log_cursor_settle(&c, 10, false);
    CU_ASSERT_EQUAL(c.n_seen, LOG_CURSOR_SEEN_MAX);
    log_cursor_encode(&c, &text);
    CU_ASSERT_TRUE(text.len <= 2804 && strspn(buf_text(&text), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == text.len);
    CU_ASSERT_TRUE(log_cursor_decode(&again, buf_text(&text)));
    CU_ASSERT_EQUAL(memcmp(&c, &again, sizeof c), 0);
    /* A byte less, a byte more, another version. */
    text.data[text.len - 1] = '\0';
    CU_ASSERT_FALSE(log_cursor_decode(&again, buf_text(&text)));
    text.data[0] = 'B';
    CU_ASSERT_FALSE(log_cursor_decode(&again, buf_text(&text)));
    buf_free(&text);
}

/* Any text is refused or read, and what is read is written as it was. */
static void test_random_text(void)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char text[80] = "AQ";
    srand(7);
    for (int round = 0; round < 20000; round++) {
        size_t len = rand() % 4 == 0 ? (size_t)(rand() % 60) : 55; /* 41 bytes */
        for (size_t i = 2; i < len; i++)
            text[i] = rand() % 3 == 0 ? letters[rand() % 64] : 'A';
        text[len < 2 ? 2 : len] = '\0';
        struct log_cursor c;
        struct buf again = {0};
        if (log_cursor_decode(&c, text)) {
            log_cursor_encode(&c, &again);
            CU_ASSERT_STRING_EQUAL(buf_text(&again), text);
        }
        buf_free(&again);
    }
}

static void test_page(void)
{
    struct buf out = {0};
    struct log_cursor c;
    struct log_position at = {.us = 1433753256250000};
    uuid_parse("a9aff249-e34b-11e4-9fa4-0240eaf5c02d", at.instance);
    log_cursor_start(&c, 0);
    struct log_page page = {.out = &out, .cursor = &c, .lines_max = 2};
    log_page_finish(&page);
    CU_ASSERT_STRING_EQUAL(buf_text(&out), "[]");
    buf_clear(&out);
    /* Oldest first as well when they come newest first; a full page says so. */
    for (int backwards = 0; backwards < 2; backwards++) {
        page = (struct log_page){.out = &out, .cursor = &c, .lines_max = 2, .newest_first = backwards};
        CU_ASSERT_TRUE(log_page_add(&page, &at, backwards ? "second \"\xc3\xa4\"" : "first", backwards ? 11 : 5));
        CU_ASSERT_TRUE(log_page_add(&page, &at, backwards ? "first" : "second \"\xc3\xa4\"", backwards ? 5 : 11));
        CU_ASSERT_FALSE(page.more);
        CU_ASSERT_FALSE(log_page_add(&page, &at, "third", 5));
        CU_ASSERT_TRUE(page.more);
        log_page_finish(&page);
        CU_ASSERT_STRING_EQUAL(buf_text(&out),
                               "[\n{\"instance_id\": \"a9aff249\", \"message\": \"first\", \"time\": 1433753256, "
                               "\"logged_at\": \"2015-06-08T08:47:36.250000Z\"},\n"
                               "{\"instance_id\": \"a9aff249\", \"message\": \"second \\\"\xc3\xa4\\\"\", \"time\": 1433753256, "
                               "\"logged_at\": \"2015-06-08T08:47:36.250000Z\"}]");
        buf_clear(&out);
    }
    buf_free(&out);
}

/* However long lines are, a page stays within its bytes; but a line is never left out for its length. */
static void test_page_bytes(void)
{
    static char message[65536];
    struct buf out = {0};
    struct log_cursor c;
    struct log_position at = {.us = 1};
    memset(message, 1, sizeof message); /* six bytes each as JSON */
    log_cursor_start(&c, 0);
    struct log_page page = {.out = &out, .cursor = &c, .lines_max = LOG_PAGE_LINES, .newest_first = true};
    while (log_page_add(&page, &at, message, sizeof message))
        at.seq++;
    CU_ASSERT_TRUE(page.more && page.n > 10 && c.last.seq == at.seq - 1);
    log_page_finish(&page);
    CU_ASSERT_TRUE(out.len <= LOG_PAGE_BYTES + 1);
    struct json_object *json = json_tokener_parse(buf_text(&out));
    CU_ASSERT_EQUAL(json_object_array_length(json), (size_t)page.n);
    json_object_put(json);
    /* The shortest lines: the bytes bound the page, not the count. */
    buf_clear(&out);
    page = (struct log_page){.out = &out, .cursor = &c, .lines_max = LOG_PAGE_LINES};
    while (log_page_add(&page, &at, "", 0))
        ;
    CU_ASSERT_TRUE(page.n < LOG_PAGE_LINES);
    log_page_finish(&page);
    buf_free(&out);
}

void suite_log_cursor(void)
{
    CU_pSuite suite = CU_add_suite("log_cursor", NULL, NULL);
    CU_add_test(suite, "who follows gets each line once", test_follow);
    CU_add_test(suite, "more instances in a microsecond than are remembered", test_same_time);
    CU_add_test(suite, "its text", test_text);
    CU_add_test(suite, "any text", test_random_text);
    CU_add_test(suite, "a page", test_page);
    CU_add_test(suite, "a page's bytes", test_page_bytes);
}
