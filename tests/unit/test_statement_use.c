/* C reads columns and passes parameters of statements by their names: looks through the sources for what does otherwise.
 *   - only common/db_result.c, and for the tests' own SQL tests/lib/sql.c, may read a result by libpq's functions;
 *   - what is passed as a statement's parameters is an array of {STATEMENT}_P__MAX entries, whose initialiser and uses name them. */
#include <CUnit/CUnit.h>
#include <ctype.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "tests/unit/suites.h"

struct token {
    const char *text;
    size_t len;
    int line;
};

struct source {
    const char *path;
    struct token *tokens;
    size_t n, cap;
    int faults, uses;
    bool quiet; /* faults are meant, and counted only */
};

static void add_token(struct source *s, const char *text, size_t len, int line)
{
    if (s->n == s->cap)
        s->tokens = realloc(s->tokens, sizeof *s->tokens * (s->cap = s->cap * 2 + 1024));
    CU_ASSERT_PTR_NOT_NULL_FATAL(s->tokens);
    s->tokens[s->n++] = (struct token){text, len, line};
}

/* Words, numbers and single characters; comments, strings and characters are passed over. */
static void tokens_read(struct source *s, const char *text)
{
    int line = 1;
    for (const char *p = text; *p != '\0';) {
        const char *begin = p;
        if (isalnum((unsigned char)*p) || *p == '_') {
            while (isalnum((unsigned char)*p) || *p == '_')
                p++;
            add_token(s, begin, (size_t)(p - begin), line);
        } else if (strncmp(p, "/*", 2) == 0) {
            p = strstr(p, "*/");
            p = p != NULL ? p + 2 : begin + strlen(begin);
        } else if (strncmp(p, "//", 2) == 0) {
            p += strcspn(p, "\n");
        } else if (*p == '"' || *p == '\'') {
            for (p++; *p != '\0' && *p != *begin; p++)
                p += *p == '\\' && p[1] != '\0';
            p += *p != '\0';
            add_token(s, "\"", 1, line);
        } else {
            if (!isspace((unsigned char)*p))
                add_token(s, p, 1, line);
            p++;
        }
        for (; begin < p; begin++)
            line += *begin == '\n';
    }
}

static bool is(const struct source *s, size_t i, const char *text)
{
    return i < s->n && strlen(text) == s->tokens[i].len && memcmp(s->tokens[i].text, text, s->tokens[i].len) == 0;
}

static bool same(const struct source *s, size_t i, size_t k)
{
    return s->tokens[i].len == s->tokens[k].len && memcmp(s->tokens[i].text, s->tokens[k].text, s->tokens[i].len) == 0;
}

static void fault(struct source *s, size_t i, const char *what)
{
    s->faults++;
    if (!s->quiet)
        fprintf(stderr, "%s:%d: %.*s %s\n", s->path, s->tokens[i].line, (int)s->tokens[i].len, s->tokens[i].text, what);
}

/* Whether it is a statement's constant, such as API_SERVICE_GET. */
static bool is_statement(const struct source *s, size_t i)
{
    static const char *const prefixes[] = {"API_", "AUTOSCALER_", "COLLECTOR_", "COMMON_", "CTL_", "DEPLOYER_", "ROUTER_"};
    const struct token *t = &s->tokens[i];
    for (size_t k = 0; k < sizeof prefixes / sizeof prefixes[0]; k++)
        if (t->len > strlen(prefixes[k]) && strncmp(t->text, prefixes[k], strlen(prefixes[k])) == 0)
            return memmem(t->text, t->len, "_P_", 3) == NULL && memmem(t->text, t->len, "_C_", 3) == NULL;
    return false;
}

/* The token of the array's size must be {STATEMENT}_P__MAX of a statement that is named in this C statement, which ends at i. */
static void check_size(struct source *s, size_t size, size_t i)
{
    static const char suffix[] = "_P__MAX";
    const struct token *t = &s->tokens[size];
    size_t base = t->len >= strlen(suffix) ? t->len - strlen(suffix) : 0;
    bool named = base > 0 && memcmp(t->text + base, suffix, strlen(suffix)) == 0, found = false, constant = false;
    named = named || is(s, size, "ROUTE_PARAMETERS_MAX"); /* the statement is the route's; test_route.c knows them all */
    for (size_t k = i; k > 0 && !is(s, k, ";") && !is(s, k, "{") && !is(s, k, "}"); k--) {
        if (!is_statement(s, k))
            continue;
        constant = true;
        found = found || (s->tokens[k].len == base && memcmp(s->tokens[k].text, t->text, base) == 0);
    }
    if (!named || (constant && !found))
        fault(s, i, "is no array with as many entries as this statement has parameters ({STATEMENT}_P__MAX)");
}

/* Looks at the declaration that is next before the use at i, and at what happens to the array in between. */
static void check_parameters(struct source *s, size_t i)
{
    for (size_t k = i; k-- > 1;) {
        if (!same(s, k, i))
            continue;
        bool declared = is(s, k - 1, "*") || is(s, k - 1, "const");
        if (is(s, k + 1, "[") && !declared && isdigit((unsigned char)s->tokens[k + 2].text[0]))
            fault(s, k, "has entries that are named by numbers");
        if (!declared)
            continue;
        if (!is(s, k + 1, "["))
            return; /* a pointer: whoever calls has the array */
        s->uses++;
        check_size(s, k + 2, i);
        size_t end = k + 2;
        while (end < i && !is(s, end, "]"))
            end++;
        if (is(s, end + 1, "=") && !is(s, end + 3, "[") && !(is(s, end + 3, "0") && is(s, end + 4, "}")))
            fault(s, k, "is initialised by the order of its entries");
        return;
    }
}

/* Whether the file of the statement that the column at i is of has the line "-- one row". */
static bool one_row(const struct source *s, size_t i)
{
    char path[160] = "sql/queries/", line[200];
    size_t n = strlen(path), len = s->tokens[i].len;
    const char *end = memmem(s->tokens[i].text, len, "_C_", 3);
    if (end == NULL || len > 100)
        return false;
    bool folder = true;
    for (const char *p = s->tokens[i].text; p < end; p++) {
        path[n++] = folder && *p == '_' ? '/' : (char)tolower((unsigned char)*p);
        folder = folder && *p != '_';
    }
    snprintf(path + n, sizeof path - n, ".sql");
    FILE *file = fopen(path, "r");
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
        found = strcmp(line, "-- one row\n") == 0;
    if (file != NULL)
        fclose(file);
    return found;
}

/* Row 0 is read where one row is sure: the statement is one of one row, or the function has counted, or was given the result by
 * one that has. from: where the function with its parameters begins. */
static void check_row(struct source *s, size_t from, size_t i)
{
    static const char *const values[] = {"db_text", "db_int", "db_bool", "db_null", "db_length"};
    bool reads = false;
    for (size_t k = 0; k < sizeof values / sizeof values[0]; k++)
        reads = reads || is(s, i, values[k]);
    if (!reads || i + 5 >= s->n || !is(s, i + 3, ",") || !is(s, i + 4, "0") || !is(s, i + 5, ",") || one_row(s, i + 6))
        return;
    for (size_t k = from; k < i; k++)
        if (is(s, k, "PQntuples") || (is(s, k, "const") && is(s, k + 1, "PGresult")))
            return;
    fault(s, i, "reads row 0 without knowing that there is one");
}

static void source_check(struct source *s, const char *text, bool may_read)
{
    static const char *const readers[] = {"PQgetvalue", "PQgetisnull", "PQgetlength"};
    size_t depth = 0, function = 0;
    tokens_read(s, text);
    for (size_t i = 0; i < s->n; i++) {
        if (depth == 0 && is(s, i, ";"))
            function = i;
        depth += is(s, i, "{");
        if (depth > 0 && is(s, i, "}") && --depth == 0)
            function = i;
        if (!may_read && strncmp(s->path, "tests/", 6) != 0)
            check_row(s, function, i);
    }
    for (size_t i = 0; i < s->n; i++) {
        for (size_t k = 0; k < sizeof readers / sizeof readers[0] && !may_read; k++)
            if (is(s, i, readers[k]))
                fault(s, i, "is for common/db_result.c; read by db_text() and its like");
        /* A statement (by its constant, by a variable of that name, or out of its table), then what is passed with it. */
        size_t next = is(s, i + 1, "]") ? i + 2 : i + 1;
        if ((is_statement(s, i) || is(s, i, "statement")) && is(s, next, ",") && next + 2 < s->n &&
            islower((unsigned char)s->tokens[next + 1].text[0]) && (is(s, next + 2, ",") || is(s, next + 2, ")")))
            check_parameters(s, next + 1);
    }
    free(s->tokens);
}

static int files, uses, faults;

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    size_t len = strlen(path);
    if (type != FTW_F || len < 3 || strcmp(path + len - 2, ".c") != 0)
        return 0;
    struct buf text = {0};
    char piece[4096];
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;)
        buf_add(&text, piece, n);
    fclose(file);
    struct source s = {.path = path};
    source_check(&s, buf_text(&text), strcmp(path, "common/db_result.c") == 0 || strcmp(path, "tests/lib/sql.c") == 0 ||
                                           strcmp(path, "tests/lib/world.c") == 0);
    buf_free(&text);
    files++;
    uses += s.uses;
    faults += s.faults;
    return 0;
}

static void test_sources(void)
{
    static const char *const folders[] = {"autoscaler", "bench", "collector", "common", "ctl",
                                          "deployer",   "engine", "fcgi",     "router", "tests"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        CU_ASSERT_EQUAL(nftw(folders[i], visit, 16, FTW_PHYS), 0);
    CU_ASSERT_TRUE(files > 100);
    CU_ASSERT_TRUE(uses > 60); /* else they are passed in a way that this does not see */
    CU_ASSERT_EQUAL(faults, 0);
}

/* What it must see, and what it must leave alone. */
static void test_sees(void)
{
    static const struct {
        const char *text;
        int faults;
    } rows[] = {
        {"x = PQgetvalue(r, 0, 3);", 1},
        {"/* PQgetvalue(r, 0, 3) */ s = \"PQgetisnull(\"; // PQgetlength(", 0},
        {"{ const char *p[CTL_X_P__MAX] = {[CTL_X_P_A] = a}; db_run(db, CTL_X, p, &r); }", 0},
        {"{ const char *p[CTL_X_P__MAX] = {0}; p[CTL_X_P_A] = a; db_run(db, CTL_X, p, &r); }", 0},
        {"{ const char *p[CTL_X_P__MAX]; p[0] = a; db_run(db, CTL_X, p, &r); }", 1},
        {"{ const char *p[] = {a, b}; db_run(db, CTL_X, p, &r); }", 2},
        {"{ const char *p[CTL_X_P__MAX] = {a, b}; db_run(db, CTL_X, p, &r); }", 1},
        {"{ const char *p[CTL_Y_P__MAX] = {[CTL_Y_P_A] = a}; db_run(db, CTL_X, p, &r); }", 1},
        {"{ const char *p[CTL_Y_P__MAX] = {[CTL_Y_P_A] = a}; db_run(db, y ? CTL_Y : CTL_X, p, &r); }", 0},
        {"{ const char *p[2] = {[CTL_X_P_A] = a}; sql_statement(c, &ctl_statements[CTL_X], p); }", 1},
        {"void f(void) { PGresult *r; a = db_text(r, 0, CTL_X_C_A); }", 1},
        {"void g(void) { n = PQntuples(r); } void f(void) { PGresult *r; a = db_text(r, 0, CTL_X_C_A); }", 1},
        {"void f(void) { if (PQntuples(r) > 0) { a = db_text(r, 0, CTL_X_C_A); } }", 0},
        {"void f(const PGresult *r) { a = db_text(r, 0, CTL_X_C_A); }", 0},
        {"void f(void) { a = db_text(r, 0, API_INSTALLATION_GET_C_REGION_NAME); }", 0},
        {"void f(const char *const *p) { db_run(db, CTL_X, p, &r); }", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct source s = {.path = rows[i].text, .quiet = true};
        source_check(&s, rows[i].text, false);
        CU_ASSERT_EQUAL(s.faults, rows[i].faults);
        if (s.faults != rows[i].faults)
            fprintf(stderr, "%s: %d\n", rows[i].text, s.faults);
    }
}

void suite_statement_use(void)
{
    CU_pSuite suite = CU_add_suite("use of statements", NULL, NULL);
    CU_add_test(suite, "what is not by name is seen", test_sees);
    CU_add_test(suite, "columns and parameters are named everywhere", test_sources);
}
