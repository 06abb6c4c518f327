/* GET of a namespace's services, page by page. Pages are cut from the newest service that the first page saw
 * (as_of), so that rows added meanwhile move nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/checks.h"
#include "fcgi/handlers.h"
#include "fcgi/link.h"
#include "fcgi/query_check.h"
#include "gen/api_statements.h"

#define PAGE_SIZE_DEFAULT 20
#define PAGE_SIZE_MAX 100
#define PAGE_MAX 1000000000LL

/* Which page is asked for; the texts are parameters of the statement. */
struct list_page {
    int64_t number, size;
    char size_text[24], offset_text[24];
};

void bind_services_list(struct request *rq, const char **params)
{
    static const char *const names[] = {"page", "page_size", "as_of", "target_state", "name",
                                        "region_name", "application", "project_name", NULL}; /* old clients send the latter */
    query_check_names(rq, names);
    struct list_page *p = rq->asked = arena_alloc(&rq->arena, sizeof *p);
    if (p == NULL)
        return;
    p->number = query_integer(rq, "page", 1, PAGE_MAX, 1);
    p->size = query_integer(rq, "page_size", 1, PAGE_SIZE_MAX, PAGE_SIZE_DEFAULT);
    query_integer(rq, "as_of", 0, INT64_MAX, 0);
    const char *state = form_get(&rq->query, "target_state"), *prefix = form_get(&rq->query, "name");
    if (state != NULL && strcmp(state, "STARTED") != 0 && strcmp(state, "STOPPED") != 0)
        problem_add(&rq->problem, "target_state", "must be one of STARTED, STOPPED");
    snprintf(p->size_text, sizeof p->size_text, "%" PRId64, p->size);
    snprintf(p->offset_text, sizeof p->offset_text, "%" PRId64, (p->number - 1) * p->size);
    params[API_SERVICES_LIST_P_PAGE_SIZE] = p->size_text;
    params[API_SERVICES_LIST_P_OFFSET] = p->offset_text;
    params[API_SERVICES_LIST_P_AS_OF] = form_get(&rq->query, "as_of");
    params[API_SERVICES_LIST_P_TARGET_STATE] = state;
    params[API_SERVICES_LIST_P_PREFIX] = prefix;
}

/* Adds the absolute URL of a page as a JSON string, or null when there is no such page. */
static void add_page_url(struct request *rq, int64_t number, bool exists, const char *as_of)
{
    if (!exists) {
        buf_adds(&rq->reply, "null");
        return;
    }
    const struct list_page *p = rq->asked;
    struct buf url = {0};
    char text[24];
    link_add_self(rq, &url);
    snprintf(text, sizeof text, "%" PRId64, number);
    link_add_parameter(&url, "page", text);
    link_add_parameter(&url, "page_size", p->size_text);
    link_add_parameter(&url, "as_of", as_of);
    for (size_t i = 0; i < rq->query.n; i++) {
        const struct form_field *f = &rq->query.fields[i];
        if (strcmp(f->name, "target_state") == 0 || strcmp(f->name, "name") == 0)
            link_add_parameter(&url, f->name, f->value);
    }
    buf_add_json(&rq->reply, buf_text(&url), url.len);
    buf_free(&url);
}

void handle_services_list(struct request *rq, const PGresult *result)
{
    const char *given = form_get(&rq->query, "as_of");
    const char *as_of = given != NULL ? given : db_text(result, 0, API_SERVICES_LIST_C_NEWEST);
    int64_t count = db_int(result, 0, API_SERVICES_LIST_C_COUNT);
    const char *region = form_get(&rq->query, "region_name"), *own_region = db_text(result, 0, API_SERVICES_LIST_C_REGION_NAME);
    if (rq->settings->strict_region && region != NULL && strcmp(region, own_region) != 0) {
        problem_add(&rq->problem, "region_name", "must be \"%s\" here, or absent", own_region);
        return;
    }
    const struct list_page *p = rq->asked;
    int64_t pages = count > 0 ? (count + p->size - 1) / p->size : 1;
    if (p->number > pages) {
        problem_set(&rq->problem, PROBLEM_NOT_FOUND, "There is no page %" PRId64 "; the last one is %" PRId64 ".",
                    p->number, pages);
        return;
    }
    buf_addf(&rq->reply, "{\"count\":%" PRId64 ",\"previous\":", count);
    add_page_url(rq, p->number - 1, p->number > 1, as_of);
    buf_adds(&rq->reply, ",\"next\":");
    add_page_url(rq, p->number + 1, p->number < pages, as_of);
    buf_adds(&rq->reply, ",\"results\":");
    db_add(&rq->reply, result, 0, API_SERVICES_LIST_C_RESULTS);
    buf_addc(&rq->reply, '}');
}
