/* fields and service_fields: what a body may say, and how its faults are named. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "fcgi/json_read.h"
#include "fcgi/service_fields.h"
#include "tests/unit/suites.h"

static bool no_fault(void *context, const char *path, const char *detail)
{
    (void)context;
    printf("%s: %s\n", path, detail);
    return false;
}

/* Checks a body and returns its faults as "field: detail" JSON, and what would be stored. */
static struct json_object *check(const char *body, enum fields_mode mode, struct problem *problem)
{
    struct json_object *input;
    CU_ASSERT_EQUAL_FATAL(json_read(body, strlen(body), 10000, no_fault, NULL, &input), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(input);
    struct json_object *out = fields_check(service_fields, service_n_fields, input, mode, problem);
    struct service_place place = {"local", "apps.example.org", "localhost,sky.example.org", "console.example.net"};
    service_fields_check_rules(out, "demo", mode == FIELDS_UPDATE ? "web" : NULL, problem);
    service_fields_check_place(out, &place, problem);
    json_object_put(input);
    return out;
}

#define OK "\"service_name\":\"web\",\"image_name\":\"nginx\""
#define SCALE(more)                                                                                                     \
    "\"autoscaling_config\":{\"metric_name\":\"CPU_UTILIZATION\",\"upper_threshold\":\"0.6\","                           \
    "\"lower_threshold\":0.1,\"minimum_num_instances\":\"1\",\"maximum_num_instances\":6" more "}"

struct row {
    const char *body;
    enum fields_mode mode;
    int faults;
    const char *says; /* part of errors */
};

static const struct row rows[] = {
    {"{" OK "}", FIELDS_CREATE, 0, ""},
    {"{\"app_name\":\"web\",\"image_name\":\"nginx\"}", FIELDS_CREATE, 0, ""},
    {"{\"app_name\":\"other\"," OK "}", FIELDS_CREATE, 1, "another name of the same field"},
    {"{}", FIELDS_CREATE, 2, "{\"field\":\"image_name\",\"detail\":\"must be given\"}"},
    {"{}", FIELDS_UPDATE, 0, ""},
    {"{" OK ",\"x\":1,\"uuid\":\"a\"}", FIELDS_CREATE, 2, "{\"field\":\"x\",\"detail\":\"is not a field that can be set\"}"},
    {"{\"service_name\":\"Web\",\"image_name\":\"a b\",\"image_tag\":\"-x\",\"target_num_instances\":-1}", FIELDS_CREATE, 4,
     "\"field\":\"target_num_instances\",\"detail\":\"must be from 0 to 1000\""},
    {"{\"service_name\":7,\"image_name\":null}", FIELDS_CREATE, 2, "must be a string"},
    {"{" OK ",\"target_num_instances\":\"3\"}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"target_num_instances\":\"3x\"}", FIELDS_CREATE, 1, "must be a whole number"},
    {"{" OK ",\"target_num_instances\":\"0x3\"}", FIELDS_CREATE, 1, "must be a whole number"},
    {"{" OK ",\"target_num_instances\":\" 3\"}", FIELDS_CREATE, 1, "must be a whole number"},
    {"{" OK ",\"target_num_instances\":1.5}", FIELDS_CREATE, 1, "must be a whole number"},
    {"{" OK ",\"target_num_instances\":3.0}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"target_num_instances\":true}", FIELDS_CREATE, 1, "must be a whole number"},
    {"{" OK ",\"target_num_instances\":99999999999999999999}", FIELDS_CREATE, 1, "from 0 to 1000"},
    {"{" OK ",\"instance_size\":\"XXL\"}", FIELDS_CREATE, 1, "must be one of XXS, XS, S, M, L, XL"},
    {"{" OK ",\"scaling_mode\":\"auto\"}", FIELDS_CREATE, 1, "must be one of MANUAL, AUTO"},
    {"{" OK ",\"target_state\":1}", FIELDS_CREATE, 1, "must be one of STARTED, STOPPED"},
    {"{" OK ",\"run_command\":\"sh -c 'a b\"}", FIELDS_CREATE, 1, "single quote"},
    {"{" OK ",\"namespace\":\"other\"}", FIELDS_CREATE, 1, "must be \\\"demo\\\" here"},
    {"{" OK ",\"region_name\":\"local\"}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"application\":null,\"current_state\":[1],\"linked_from_apps\":{}}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"volumes\":[{\"app_volume_dir\":\"/a\",\"size_gb\":1,\"backup_id\":null}]}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"volumes\":[{\"app_volume_dir\":\"/a\",\"size_gb\":1,\"backup_id\":\"\"}]}", FIELDS_CREATE, 1, "there are no backups"},
    {"{" OK ",\"region_name\":\"mars\"}", FIELDS_CREATE, 1, "must be \\\"local\\\" here"},
    {"{\"service_name\":\"other\"}", FIELDS_UPDATE, 1, "must be \\\"web\\\" here"},
    {"{\"service_name\":\"web\"}", FIELDS_UPDATE, 0, ""},
    {"{" OK ",\"instance_envvars\":{\"A\":\"1\",\"B\":2,\"C\":true}}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"instance_envvars\":\"{\\\"A\\\":\\\"1\\\"}\"}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"instance_envvars\":\"{\\\"A\\\":1,\\\"A\\\":2}\"}", FIELDS_CREATE, 1, "instance_envvars.A"},
    {"{" OK ",\"instance_envvars\":{\"1A\":\"x\",\"B=\":\"x\",\"C\":null,\"D\":{}}}", FIELDS_CREATE, 3, "instance_envvars.D"},
    {"{" OK ",\"instance_envvars\":[]}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"instance_envvars\":\"[]\"}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"instance_envvars\":[1]}", FIELDS_CREATE, 1, "must be an object"},
    {"{" OK ",\"instance_envvars\":\"{\\\"A\\\":1e400,\\\"B\\\":-0}\"}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"target_num_instances\":3.00000000000000000000000000001}", FIELDS_CREATE, 1, "must be a whole number"},
    {"{" OK ",\"target_num_instances\":\"0.3e1\"}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"target_num_instances\":0.3e0}", FIELDS_CREATE, 1, "must be a whole number"},
    {"{" OK ",\"target_num_instances\":1e400}", FIELDS_CREATE, 1, "must be a whole number"},
    {"{" OK ",\"target_num_instances\":1e-400}", FIELDS_CREATE, 1, "must be a whole number"},
    {"{" OK ",\"target_num_instances\":1e99999999999999999999}", FIELDS_CREATE, 1, "must be a whole number"},
    {"{" OK ",\"scaling_mode\":\"AUTO\"}", FIELDS_CREATE, 1, "autoscaling_config"},
    {"{" OK ",\"instance_ports\":{}}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"instance_ports\":[{\"container_port\":\"80\"}]}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"instance_ports\":[{\"container_port\":0},{\"container_port\":65536},{\"container_port\":1,\"x\":1},5,{}]}",
     FIELDS_CREATE, 5, "instance_ports[3]\",\"detail\":\"must be an object"},
    {"{" OK ",\"instance_ports\":[{\"container_port\":22},{\"container_port\":22,\"protocol\":\"tcp\"}]}", FIELDS_CREATE, 1,
     "instance_ports[1]\",\"detail\":\"says the same as entry 0"},
    {"{" OK ",\"instance_ports\":[{\"container_port\":22},{\"container_port\":22,\"endpoint_type\":\"direct-endpoint\"}]}",
     FIELDS_CREATE, 0, ""},
    {"{" OK ",\"instance_ports\":[{\"container_port\":22,\"protocol\":\"udp\",\"endpoint_type\":\"http-endpoint\"}]}",
     FIELDS_CREATE, 1, "must be tcp for an http-endpoint"},
    {"{" OK ",\"volumes\":[{\"app_volume_dir\":\"/a\",\"size_gb\":1},{\"app_volume_dir\":\"/a\",\"size_gb\":2}]}",
     FIELDS_CREATE, 1, "volumes[1]"},
    {"{" OK ",\"volumes\":[{\"app_volume_dir\":\"/\",\"size_gb\":0}]}", FIELDS_CREATE, 2, "volumes[0].size_gb"},
    {"{" OK ",\"volumes\":[{\"app_volume_dir\":\"a\",\"size_gb\":1},{\"app_volume_dir\":\"/a/../b\",\"size_gb\":1},"
     "{\"app_volume_dir\":\"/proc/x\",\"size_gb\":1},{\"app_volume_dir\":\"/a//b\",\"size_gb\":1}]}", FIELDS_CREATE, 4, "volumes[3]"},
    {"{" OK "," SCALE("") "}", FIELDS_CREATE, 0, ""},
    {"{" OK "," SCALE(",\"wait_period\":\"30\"") "}", FIELDS_CREATE, 0, ""},
    {"{" OK "," SCALE(",\"wait_period\":0,\"bogus\":1") "}", FIELDS_CREATE, 2, "autoscaling_config.bogus"},
    {"{" OK ",\"autoscaling_config\":{\"metric_name\":\"CPU_UTILIZATION\",\"upper_threshold\":0.1,\"lower_threshold\":0.6,"
     "\"minimum_num_instances\":5,\"maximum_num_instances\":2}}", FIELDS_CREATE, 2, "must be less than upper_threshold"},
    {"{" OK ",\"autoscaling_config\":{\"metric_name\":\"CPU_UTILIZATION\",\"upper_threshold\":\"NaN\",\"lower_threshold\":\"inf\","
     "\"minimum_num_instances\":1,\"maximum_num_instances\":2}}", FIELDS_CREATE, 2, "must be a number"},
    {"{" OK ",\"autoscaling_config\":{\"metric_name\":\"CPU_UTILIZATION\",\"upper_threshold\":60,\"lower_threshold\":10,"
     "\"minimum_num_instances\":1,\"maximum_num_instances\":2}}", FIELDS_CREATE, 1, "must be from 0 to 1 for CPU_UTILIZATION"},
    {"{" OK ",\"autoscaling_config\":{}}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"linked_to_apps\":{\"db\":\"mysql\"}}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"linked_to_apps\":{\"web\":\"self\",\"db\":\"a\",\"db2\":\"a\"}}", FIELDS_CREATE, 2, "linked_to_apps.web"},
    {"{" OK ",\"custom_domain_name\":\"My-Own.Domain.cn\"}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"custom_domain_name\":\"*.x.cn\"}", FIELDS_CREATE, 1, "must be a host name"},
    {"{" OK ",\"custom_domain_name\":\"a\\nb\"}", FIELDS_CREATE, 1, "must be a host name"},
    {"{" OK ",\"custom_domain_name\":\"apps.example.org\"}", FIELDS_CREATE, 1, "Skylark's own"},
    {"{" OK ",\"custom_domain_name\":\"web-other.Apps.example.org\"}", FIELDS_CREATE, 1, "Skylark's own"},
    {"{" OK ",\"custom_domain_name\":\"myapps.example.org\"}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"custom_domain_name\":\"example.org\"}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"custom_domain_name\":\"a.com, b.com,c.com\"}", FIELDS_CREATE, 0, ""},
    {"{" OK ",\"custom_domain_name\":\"a.com,,b.com\"}", FIELDS_CREATE, 1, "must be a host name"},
    {"{" OK ",\"custom_domain_name\":\"a.com,include\"}", FIELDS_CREATE, 1, "must be a host name with a dot"},
    {"{" OK ",\"custom_domain_name\":\"a.com,\"}", FIELDS_CREATE, 1, "must be a host name"},
    {"{" OK ",\"custom_domain_name\":\"a.com,b.com,A.com\"}", FIELDS_CREATE, 1, "names a.com twice"},
    {"{" OK ",\"custom_domain_name\":\"a.com,Sky.example.org\"}", FIELDS_CREATE, 1, "must not be sky.example.org"},
    {"{" OK ",\"custom_domain_name\":\"localhost\"}", FIELDS_CREATE, 1, "must be a host name with a dot"},
    {"{" OK ",\"custom_domain_name\":\"console.example.net\"}", FIELDS_CREATE, 1, "where Skylark itself is reached"},
    {"{" OK ",\"custom_domain_name\":\"127.0.0.1\"}", FIELDS_CREATE, 1, "IP addresses are not taken"},
    {"{" OK ",\"custom_domain_name\":\"a.com;b.com\"}", FIELDS_CREATE, 1, "must be a host name"},
    {"{" OK ",\"custom_domain_name\":\"münchen.de\"}", FIELDS_CREATE, 1, "xn--"},
    {"{" OK ",\"custom_domain_name\":\"xn--mnchen-3ya.de\"}", FIELDS_CREATE, 0, ""},
};

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct problem problem = {0};
        struct json_object *out = check(rows[i].body, rows[i].mode, &problem);
        bool right = problem.n_errors == rows[i].faults && strstr(buf_text(&problem.errors), rows[i].says) != NULL;
        CU_ASSERT_TRUE(right);
        if (!right)
            printf("\n  row %zu: %s: %d faults: %s", i, rows[i].body, problem.n_errors, buf_text(&problem.errors));
        json_object_put(out);
        problem_free(&problem);
    }
}

static void test_stored(void)
{
    struct problem problem = {0};
    struct json_object *out = check("{\"app_name\":\"web\",\"image_name\":\"nginx\",\"target_num_instances\":\"2\","
                                    "\"custom_domain_name\":\"WWW.Example.com\",\"instance_envvars\":{\"P\":5432,\"T\":true,\"N\":null,"
                                    "\"I\":123456789012345678901234567890,\"Z\":-0,\"D\":1.10,\"E\":1E400},"
                                    "\"instance_ports\":[{\"container_port\":\"80\"}]}", FIELDS_CREATE, &problem);
    CU_ASSERT_EQUAL(problem.n_errors, 0);
    CU_ASSERT_STRING_EQUAL(service_fields_text(out, "service_name"), "web");
    CU_ASSERT_STRING_EQUAL(service_fields_text(out, "target_num_instances"), "2");
    CU_ASSERT_STRING_EQUAL(service_fields_text(out, "custom_domain_name"), "www.example.com");
    CU_ASSERT_STRING_EQUAL(service_fields_text(out, "instance_size"), "XS");
    CU_ASSERT_STRING_EQUAL(service_fields_text(out, "instance_envvars"), "{ \"P\": \"5432\", \"T\": \"true\", \"N\": \"\", \"I\": "
                           "\"123456789012345678901234567890\", \"Z\": \"-0\", \"D\": \"1.10\", \"E\": \"1E400\" }");
    CU_ASSERT_PTR_NOT_NULL(strstr(service_fields_text(out, "instance_ports"), "\"endpoint_type\": \"tcp-endpoint\""));
    json_object_put(out);
    out = check("{\"image_tag\":\"2\"}", FIELDS_UPDATE, &problem);
    CU_ASSERT_EQUAL(json_object_object_length(out), 1);
    json_object_put(out);
    problem_free(&problem);
}

/* Of what has too many entries only that is said: no entry is checked, and none is compared with another. */
static void test_too_long(void)
{
    for (size_t i = 0; i < service_n_fields; i++) {
        const struct field *f = &service_fields[i];
        if (f->type != FIELD_ARRAY && f->type != FIELD_MAP)
            continue;
        CU_ASSERT_TRUE(f->max > 0);
        struct buf body = {0};
        struct problem problem = {0};
        buf_addf(&body, "{" OK ",\"%s\":%c", f->name, f->type == FIELD_ARRAY ? '[' : '{');
        for (int n = 0; n < (int)f->max + 1; n++) {
            buf_adds(&body, n > 0 ? "," : "");
            if (f->type == FIELD_ARRAY)
                buf_adds(&body, "{\"container_port\":1,\"app_volume_dir\":\"/a\"}");
            else
                buf_addf(&body, "\"%d\":{}", n);
        }
        buf_adds(&body, f->type == FIELD_ARRAY ? "]}" : "}}");
        struct json_object *out = check(buf_text(&body), FIELDS_CREATE, &problem);
        CU_ASSERT_EQUAL(problem.n_errors, 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&problem.errors), "must have at most"));
        json_object_put(out);
        problem_free(&problem);
        buf_free(&body);
    }
}

/* A whole number has a range in which a double holds it exactly, and every text a length. */
static void check_bounded(const struct field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct field *f = &fields[i];
        if (f->type == FIELD_INTEGER || f->type == FIELD_NUMBER)
            CU_ASSERT_TRUE(f->max > 0 && f->max <= 1e15 && f->min > -1e15);
        if (f->type == FIELD_TEXT)
            CU_ASSERT_TRUE(f->max > 0 || f->check != NULL);
        check_bounded(f->fields, f->n_fields);
    }
}

static void test_bounded(void)
{
    check_bounded(service_fields, service_n_fields);
}

static void test_domain_label(void)
{
    char body[200], name[80];
    memset(name, 'a', sizeof name);
    for (int len = 57; len <= 63; len++) {
        struct problem problem = {0};
        snprintf(body, sizeof body, "{\"service_name\":\"%.*s\",\"image_name\":\"x\"}", len, name);
        struct json_object *out = check(body, FIELDS_CREATE, &problem);
        CU_ASSERT_EQUAL(problem.n_errors > 0, len + 5 > 63); /* {name}-demo */
        json_object_put(out);
        problem_free(&problem);
    }
}

void suite_fields(void)
{
    CU_pSuite suite = CU_add_suite("fields", NULL, NULL);
    CU_add_test(suite, "bodies and their faults", test_rows);
    CU_add_test(suite, "what is stored", test_stored);
    CU_add_test(suite, "too many entries", test_too_long);
    CU_add_test(suite, "every row is bounded", test_bounded);
    CU_add_test(suite, "length of the domain label", test_domain_label);
}
