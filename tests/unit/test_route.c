/* route: every row says who may use it, and a path finds its row. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/handlers.h"
#include "fcgi/route.h"
#include "gen/api_statements.h"
#include "tests/unit/suites.h"

static void check_names(const char *const *names, int n, const char *const *wanted, int n_wanted)
{
    CU_ASSERT_TRUE_FATAL(n >= n_wanted);
    for (int i = 0; i < n_wanted; i++)
        CU_ASSERT_STRING_EQUAL(names[i], wanted[i]);
}

/* What dispatcher and handlers take for granted of the statements that they know by a route only. */
static const char *const access_columns[] = {
    [ROUTE_C_TOKEN_ID] = "token_id",
    [ROUTE_C_USER_NAME] = "user_name",
    [ROUTE_C_GRANTED] = "granted",
    [ROUTE_C_TOKEN_UNMARKED] = "token_unmarked",
    [ROUTE_C_DOCUMENT] = "document",
};
static const char *const path_parameters[] = {
    [ROUTE_P_TOKEN_HASH] = "token_hash",
    [ROUTE_P_NAMESPACE] = "namespace",
    [ROUTE_P_SERVICE_NAME] = "service_name",
    [ROUTE_P_INSTANCE_ID] = "instance_id",
};

static void check_query(const struct route *r)
{
    const struct db_statement *s = &api_statements[r->statement];
    int n_columns = r->handle == handle_document ? ROUTE_C_DOCUMENT + 1 : ROUTE_ACCESS_COLUMNS;
    int n_params = strstr(r->pattern, "{uuid}") != NULL   ? ROUTE_P_INSTANCE_ID + 1
                   : strstr(r->pattern, "{name}") != NULL ? ROUTE_P_SERVICE_NAME + 1
                                                          : ROUTE_P_NAMESPACE + 1;
    check_names(s->columns, s->n_columns, access_columns, n_columns);
    check_names(s->parameters, s->n_params, path_parameters, n_params);
    CU_ASSERT_TRUE(s->n_params <= ROUTE_PARAMETERS_MAX);
    CU_ASSERT_PTR_NOT_NULL(strstr(s->sql, "skylark.access($1::bytea, $2::text)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(s->sql, "SELECT a.token_id, a.user_name, a.granted, a.token_unmarked"));
}

static void test_rows_complete(void)
{
    for (size_t i = 0; i < n_routes; i++) {
        const struct route *r = &routes[i];
        CU_ASSERT_TRUE(r->access > ROUTE_DENIED && r->access < ROUTE__MAX);
        CU_ASSERT_PTR_NOT_NULL(r->handle);
        CU_ASSERT_PTR_NOT_NULL(r->help);
        /* Whatever reads a body says how much of it, and judges it before it asks PostgreSQL. */
        CU_ASSERT_EQUAL(r->bodies != 0, r->body_limit > 0 && r->values_max > 0);
        CU_ASSERT_EQUAL(r->bodies != 0, r->body_limit > 0 && r->parse != NULL);
        /* Whatever names a namespace needs a right in it, and whatever writes needs the right to. */
        bool tenant = strstr(r->pattern, "{namespace}") != NULL;
        CU_ASSERT_EQUAL(tenant, r->access == ROUTE_READ || r->access == ROUTE_WRITE);
        if (tenant)
            CU_ASSERT_EQUAL(r->method != HTTP_GET, r->access == ROUTE_WRITE);
        /* Only these ways of calling a handler find out who asks. */
        if (r->access >= ROUTE_TOKEN)
            CU_ASSERT_TRUE(r->kind == ROUTE_QUERY || r->kind == ROUTE_LONG_QUERY || r->kind == ROUTE_CHANGE);
        if (r->kind == ROUTE_QUERY || r->kind == ROUTE_LONG_QUERY)
            check_query(r);
    }
    check_names(api_statements[API_AUTHORISE].columns, api_statements[API_AUTHORISE].n_columns, access_columns, ROUTE_ACCESS_COLUMNS);
}

/* A request with the segments of a path, as request_open would leave it. */
static void with_path(struct request *rq, enum http_method method, const char *path, bool internal)
{
    memset(rq, 0, sizeof *rq);
    rq->method = method;
    rq->internal = internal;
    for (const char *at = path + 1; *at != '\0';) {
        size_t n = strcspn(at, "/");
        rq->segments[rq->n_segments++] = strndup(at, n);
        at += n + (at[n] == '/');
    }
}

static void test_find(void)
{
    static const struct {
        enum http_method method;
        const char *path;
        bool internal;
        const char *pattern; /* NULL: none */
        enum problem_kind problem;
        const char *allow;
    } rows[] = {
        {HTTP_GET, "/v1/services/demo", false, "/v1/services/{namespace}", PROBLEM_NONE, ""},
        {HTTP_GET, "/v1/services/demo/", false, "/v1/services/{namespace}", PROBLEM_NONE, ""},
        {HTTP_PUT, "/v1/services/demo/web/start/", false, "/v1/services/{namespace}/{name}/start", PROBLEM_NONE, ""},
        {HTTP_GET, "/v1/services/demo/web/instances/u/logs", false, "/v1/services/{namespace}/{name}/instances/{uuid}/logs",
         PROBLEM_NONE, ""},
        {HTTP_GET, "/v1/auth/demo/profile/", false, "/v1/auth/{user}/profile", PROBLEM_NONE, ""},
        {HTTP_GET, "/v1/regions/demo/here/nodes", false, "/v1/regions/{namespace}/{region}/nodes", PROBLEM_NONE, ""},
        {HTTP_GET, "/v1/orgs", false, "/v1/orgs", PROBLEM_NONE, ""},
        {HTTP_GET, "/v1/orgs/acme", false, "/v1/orgs/{organisation}", PROBLEM_NONE, ""},
        {HTTP_GET, "/v1/services", false, NULL, PROBLEM_NOT_FOUND, ""},
        {HTTP_GET, "/v1/services/demo/web/other", false, NULL, PROBLEM_NOT_FOUND, ""},
        {HTTP_GET, "/v1/services//web", false, NULL, PROBLEM_NOT_FOUND, ""},
        {HTTP_GET, "/metrics", false, NULL, PROBLEM_NOT_FOUND, ""},
        {HTTP_GET, "/metrics", true, "/metrics", PROBLEM_NONE, ""},
        {HTTP_DELETE, "/v1/services/demo", false, NULL, PROBLEM_METHOD, "Allow: POST, GET, HEAD, OPTIONS\r\n"},
        {HTTP_OTHER, "/v1/services/demo/web", false, NULL, PROBLEM_METHOD, "Allow: GET, HEAD, PUT, DELETE, OPTIONS\r\n"},
        {HTTP_OPTIONS, "/v1/services/demo/web", false, NULL, PROBLEM_NONE, "Allow: GET, HEAD, PUT, DELETE, OPTIONS\r\n"},
        {HTTP_OPTIONS, "/nothing", false, NULL, PROBLEM_NOT_FOUND, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct request rq;
        with_path(&rq, rows[i].method, rows[i].path, rows[i].internal);
        const struct route *r = route_find(&rq);
        CU_ASSERT_EQUAL(r == NULL, rows[i].pattern == NULL);
        if (r != NULL && rows[i].pattern != NULL)
            CU_ASSERT_STRING_EQUAL(r->pattern, rows[i].pattern);
        CU_ASSERT_EQUAL(rq.problem.kind, rows[i].problem);
        CU_ASSERT_STRING_EQUAL(buf_text(&rq.headers), rows[i].allow);
        request_close(&rq);
    }
}

/* A row that needs a parameter of the URL is found with it only, and adds nothing to Allow. */
static void test_find_by_query(void)
{
    static const char path[] = "/v1/services/demo/web/instances/u/metrics", query[] = "point_per_period=1m";
    const char *fault;
    for (int with = 0; with < 2; with++) {
        for (int put = 0; put < 2; put++) {
            struct request rq;
            with_path(&rq, put ? HTTP_PUT : HTTP_GET, path, false);
            if (with)
                CU_ASSERT_EQUAL(form_parse_urlencoded(&rq.query, query, strlen(query), &fault), 0);
            const struct route *r = route_find(&rq);
            CU_ASSERT_EQUAL(r == NULL, put == 1);
            if (r != NULL)
                CU_ASSERT_EQUAL(r->query != NULL, with == 1);
            CU_ASSERT_STRING_EQUAL(buf_text(&rq.headers), put ? "Allow: GET, HEAD, OPTIONS\r\n" : "");
            request_close(&rq);
        }
    }
}

void suite_route(void)
{
    CU_pSuite suite = CU_add_suite("route", NULL, NULL);
    CU_add_test(suite, "every row is complete and safe", test_rows_complete);
    CU_add_test(suite, "a path finds its row", test_find);
    CU_add_test(suite, "a parameter finds its row", test_find_by_query);
}
