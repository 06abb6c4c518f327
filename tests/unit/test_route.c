/* route: every row says who may use it, and a path finds its row. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/route.h"
#include "gen/api_statements.h"
#include "tests/unit/suites.h"

static void test_rows_complete(void)
{
    for (size_t i = 0; i < n_routes; i++) {
        const struct route *r = &routes[i];
        CU_ASSERT_TRUE(r->access > ROUTE_DENIED && r->access < ROUTE__MAX);
        CU_ASSERT_PTR_NOT_NULL(r->handle);
        CU_ASSERT_PTR_NOT_NULL(r->help);
        /* Whatever names a namespace needs a right in it, and whatever writes needs the right to. */
        bool tenant = strstr(r->pattern, "{namespace}") != NULL;
        CU_ASSERT_EQUAL(tenant, r->access == ROUTE_READ || r->access == ROUTE_WRITE);
        if (tenant)
            CU_ASSERT_EQUAL(r->method != HTTP_GET, r->access == ROUTE_WRITE);
        /* Only these ways of calling a handler find out who asks. */
        if (r->access >= ROUTE_TOKEN)
            CU_ASSERT_TRUE(r->kind == ROUTE_QUERY || r->kind == ROUTE_CHANGE);
        if (r->kind == ROUTE_QUERY) {
            CU_ASSERT_PTR_NOT_NULL(strstr(api_statements[r->statement].sql, "skylark.access($1::bytea, $2::text)"));
            CU_ASSERT_PTR_NOT_NULL(
                strstr(api_statements[r->statement].sql, "SELECT a.token_id, a.user_name, a.granted, a.token_unmarked"));
            CU_ASSERT_TRUE(api_statements[r->statement].n_params <= ROUTE_PARAMETERS_MAX);
        }
    }
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

void suite_route(void)
{
    CU_pSuite suite = CU_add_suite("route", NULL, NULL);
    CU_add_test(suite, "every row is complete and safe", test_rows_complete);
    CU_add_test(suite, "a path finds its row", test_find);
}
