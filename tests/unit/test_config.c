/* config: files, faults, dump and sample all follow the table. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"
#include "fcgi/settings.h"
#include "tests/unit/suites.h"

struct target {
    char *text, *secret, *database;
    int64_t number, wait, size, choice;
    bool flag;
};
#define AT(field) offsetof(struct target, field)

static const char *const choices[] = {"red", "green", NULL};
static const struct config_setting rows[] = {
    {.name = "text", .type = CONFIG_STRING, .offset = AT(text), .fallback = "abc", .max = 10, .help = "t"},
    {.name = "secret", .type = CONFIG_STRING, .offset = AT(secret), .fallback = "", .secret = true, .help = "s"},
    {.name = "database", .type = CONFIG_CONNECTION, .offset = AT(database), .fallback = "", .help = "d"},
    {.name = "number", .type = CONFIG_INTEGER, .offset = AT(number), .fallback = "5", .min = 1, .max = 9, .reloadable = true,
     .help = "n"},
    {.name = "wait", .type = CONFIG_DURATION, .offset = AT(wait), .fallback = "90s", .help = "w"},
    {.name = "size", .type = CONFIG_SIZE, .offset = AT(size), .fallback = "2m", .help = "z"},
    {.name = "choice", .type = CONFIG_CHOICE, .offset = AT(choice), .fallback = "green", .choices = choices, .help = "c"},
    {.name = "flag", .type = CONFIG_BOOLEAN, .offset = AT(flag), .fallback = "yes", .help = "f"},
};
#define N (sizeof rows / sizeof rows[0])

/* Writes a file of that text and loads it. */
static int load(const char *text, struct target *t, struct buf *errors)
{
    char path[] = "/tmp/skylark-config-XXXXXX";
    int fd = mkstemp(path);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    int result = config_load(rows, N, t, path, NULL, errors);
    unlink(path);
    return result;
}

static void test_defaults_and_values(void)
{
    struct target t = {0};
    struct buf errors = {0};
    CU_ASSERT_EQUAL(config_load(rows, N, &t, NULL, NULL, &errors), 0);
    CU_ASSERT_STRING_EQUAL(t.text, "abc");
    CU_ASSERT_EQUAL(t.wait, 90000);
    CU_ASSERT_EQUAL(t.size, 2 << 20);
    CU_ASSERT_EQUAL(t.choice, 1);
    CU_ASSERT_TRUE(t.flag);
    config_free(rows, N, &t);
    CU_ASSERT_EQUAL(load("# c\n\n text = x y \nnumber=9\nwait = 2h\nsize = 1g\nchoice = red\nflag = no\n", &t, &errors), 0);
    CU_ASSERT_STRING_EQUAL(t.text, "x y");
    CU_ASSERT_EQUAL(t.number, 9);
    CU_ASSERT_EQUAL(t.wait, 7200000);
    CU_ASSERT_EQUAL(t.size, 1 << 30);
    CU_ASSERT_EQUAL(t.choice, 0);
    CU_ASSERT_FALSE(t.flag);
    config_free(rows, N, &t);
    buf_free(&errors);
}

static void test_faults(void)
{
    static const struct {
        const char *text, *says;
    } faults[] = {
        {"nonsense\n", ":1: not a line of the form"},
        {"\nmissing = 1\n", ":2: there is no setting named \"missing\""},
        {"number = 10\n", "number must be from 1 to 9"},
        {"number = 5x\n", "number must be a whole number"},
        {"number =\n", "number must be a whole number"},
        {"number = 99999999999999999999\n", "number must be a whole number"},
        {"wait = 5\n", "wait must be a duration"},
        {"wait = 9223372036854775807d\n", "wait must be a duration"},
        {"size = 5q\n", "size must be a size"},
        {"choice = blue\n", "choice must be one of red, green"},
        {"flag = true\n", "flag must be yes or no"},
        {"text = 12345678901\n", "text must have 0 to 10 characters"},
        {"text = a\ntext = b\n", ":2: text is set twice"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct target t = {0};
        struct buf errors = {0};
        CU_ASSERT_EQUAL(load(faults[i].text, &t, &errors), -1);
        CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&errors), faults[i].says));
        if (strstr(buf_text(&errors), faults[i].says) == NULL)
            printf("\n  %s", buf_text(&errors));
        config_free(rows, N, &t);
        buf_free(&errors);
    }
}

/* Loads a file, dumps, and compares. */
static void test_dump_masks(void)
{
    static const struct {
        const char *given, *shown; /* shown: NULL when it is refused */
    } secrets[] = {
        {"secret=geheim", "secret = ********\n"},
        {"secret=", "secret = \n"},
        {"database=", "database = \n"},
        {"database=host=/x passfile=/p", "database = passfile=/p host=/x\n"},
        {"database=host=/x password=geheim user=u", "database = user=u password=******** host=/x\n"},
        {"database=password = geheim host=/x", "database = password=******** host=/x\n"},
        {"database=password  =  'ge geheim\\'im' user=u", "database = user=u password=********\n"},
        {"database=password=geheim user=u password=geheim", "database = user=u password=********\n"},
        {"database=password=ge\\ geheim user=u", "database = user=u password=********\n"},
        {"database=host=h sslpassword=geheim sslkey=/k", "database = host=h sslkey=/k sslpassword=********\n"},
        {"database=postgresql://u:geheim@h/db", "database = user=u password=******** dbname=db host=h\n"},
        {"database=postgres://u:geheim@h/db", "database = user=u password=******** dbname=db host=h\n"},
        {"database=postgresql://u:ge%40geheim@h/db", "database = user=u password=******** dbname=db host=h\n"},
        {"database=postgresql://u@h/db?password=geheim", "database = user=u password=******** dbname=db host=h\n"},
        {"database=postgresql://u@h:1,[::1]:2/db?p%61ssword=geheim&sslpassword=geheim",
         "database = user=u password=******** dbname=db host=h,::1 port=1,2 sslpassword=********\n"},
        {"database=host=h application_name='a b'", "database = host=h application_name='a b'\n"},
        {"database=host=h application_name='a\\'b\\\\'", "database = host=h application_name='a\\'b\\\\'\n"},
        /* libpq takes none of these; what it says of them quotes a part of the password */
        {"database=host=h password=ge geheim", NULL},
        {"database=host=h passwort=geheim", NULL},
        {"database=host=h password='geheim", NULL},
        {"database=geheim", NULL},
        /* the server would quote it: there is no database of that name */
        {"database=host=h dbname='postgresql://u:geheim@h/db'", NULL},
        {"database=host=h dbname='password=geheim'", NULL},
    };
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        struct target t = {0};
        struct buf errors = {0};
        char file[256], *text = NULL;
        size_t len = 0;
        snprintf(file, sizeof file, "wait=1m\n%s\n", secrets[i].given);
        bool loaded = load(file, &t, &errors) == 0;
        FILE *out = open_memstream(&text, &len);
        config_dump(rows, N, &t, out);
        fclose(out);
        bool right = loaded == (secrets[i].shown != NULL) && (!loaded || strstr(text, secrets[i].shown) != NULL) &&
                     strstr(text, "wait = 1m\n") != NULL && strstr(text, "geheim") == NULL && strstr(buf_text(&errors), "geheim") == NULL;
        if (!right)
            printf("\n  %s: %s%s", secrets[i].given, text, buf_text(&errors));
        CU_ASSERT_TRUE(right);
        free(text);
        config_free(rows, N, &t);
        buf_free(&errors);
    }
}

/* The list of processes shows what follows -o. */
static void test_command_line(void)
{
    static const struct {
        const char *given;
        bool taken;
    } overrides[] = {
        {"database=host=/x user=u passfile=/p", true},
        {"database=postgresql://u@h/db", true},
        {"database=host=h password=geheim", false},
        {"database=postgresql://u:geheim@h/db", false},
        {"database=postgresql://u@h/db?password=geheim", false},
        {"database=host=h sslpassword=geheim", false},
    };
    for (size_t i = 0; i < sizeof overrides / sizeof overrides[0]; i++) {
        struct target t = {0};
        struct buf errors = {0};
        const char *given[] = {overrides[i].given, NULL};
        CU_ASSERT_EQUAL(config_load(rows, N, &t, NULL, given, &errors) == 0, overrides[i].taken);
        CU_ASSERT_PTR_NULL(strstr(buf_text(&errors), "geheim"));
        config_free(rows, N, &t);
        buf_free(&errors);
    }
}

/* A connection string that needs a restart is kept as it was, not as it is shown. */
static void test_keep_connection(void)
{
    struct target old = {0}, fresh = {0};
    struct buf errors = {0};
    CU_ASSERT_EQUAL(load("database=host=h password=geheim\n", &old, &errors), 0);
    CU_ASSERT_EQUAL(load("database=host=other password=neu\n", &fresh, &errors), 0);
    config_keep(rows, N, &fresh, &old);
    CU_ASSERT_STRING_EQUAL(fresh.database, "host=h password=geheim");
    config_free(rows, N, &fresh);
    buf_free(&errors);
}

static void test_keep(void)
{
    struct target old = {0}, fresh = {0};
    struct buf errors = {0};
    const char *first[] = {"text=old", "number=1", NULL}, *second[] = {"text=new", "number=2", NULL};
    CU_ASSERT_EQUAL(config_load(rows, N, &old, NULL, first, &errors), 0);
    CU_ASSERT_EQUAL(config_load(rows, N, &fresh, NULL, second, &errors), 0);
    config_keep(rows, N, &fresh, &old);
    CU_ASSERT_STRING_EQUAL(fresh.text, "old");
    CU_ASSERT_EQUAL(fresh.number, 2);
    config_free(rows, N, &fresh);
    buf_free(&errors);
}

/* The sample of a real table, with its comment signs taken away, loads as it stands. */
static void test_sample_loads(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    config_sample(api_setting_rows, api_n_settings, "skylark-api", out);
    fclose(out);
    for (char *p = text; p != NULL && *p != '\0'; p = strchr(p, '\n') != NULL ? strchr(p, '\n') + 1 : NULL) {
        if (p[0] == '#' && p[1] != ' ')
            p[0] = ' ';
    }
    char path[] = "/tmp/skylark-config-XXXXXX";
    int fd = mkstemp(path);
    CU_ASSERT_EQUAL(write(fd, text, len), (ssize_t)len);
    close(fd);
    struct api_settings settings = {0};
    struct buf errors = {0};
    CU_ASSERT_EQUAL(config_load(api_setting_rows, api_n_settings, &settings, path, NULL, &errors), 0);
    CU_ASSERT_STRING_EQUAL(buf_text(&errors), "");
    for (size_t i = 0; i < api_n_settings; i++)
        CU_ASSERT_TRUE(strlen(api_setting_rows[i].help) > 10);
    config_free(api_setting_rows, api_n_settings, &settings);
    unlink(path);
    free(text);
    buf_free(&errors);
}

void suite_config(void)
{
    CU_pSuite suite = CU_add_suite("config", NULL, NULL);
    CU_add_test(suite, "defaults and values", test_defaults_and_values);
    CU_add_test(suite, "faults name file and line", test_faults);
    CU_add_test(suite, "a dump shows no secret", test_dump_masks);
    CU_add_test(suite, "no password on the command line", test_command_line);
    CU_add_test(suite, "a connection string that needs a restart", test_keep_connection);
    CU_add_test(suite, "a reload keeps what needs a restart", test_keep);
    CU_add_test(suite, "the sample file is a valid one", test_sample_loads);
}
