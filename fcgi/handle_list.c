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

/* A page is put together before its first byte is sent. With no more than this the worker's peak stays small: the page, the row that
 * would not fit any more, and libpq's copy of that. */
#define PAGE_BYTES ((size_t)8 << 20)

/* Which page is asked for; the texts are parameters of the statements. */
struct list_page {
    int64_t number, size;
    char size_text[24], offset_text[24];
    const char *target_state, *prefix; /* NULL: any */
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
    p->target_state = state;
    p->prefix = prefix;
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

/* Adds the documents with commas between, or reports that they are too large together. */
static void add_documents(struct request *rq, const char *namespace_id, const char *as_of)
{
    const struct list_page *p = rq->asked;
    const char *params[API_SERVICES_PAGE_P__MAX] = {
        [API_SERVICES_PAGE_P_NAMESPACE_ID] = namespace_id, [API_SERVICES_PAGE_P_PAGE_SIZE] = p->size_text,
        [API_SERVICES_PAGE_P_OFFSET] = p->offset_text,     [API_SERVICES_PAGE_P_AS_OF] = as_of,
        [API_SERVICES_PAGE_P_TARGET_STATE] = p->target_state, [API_SERVICES_PAGE_P_PREFIX] = p->prefix,
    };
    const PGresult *row = NULL;
    int64_t n = 0;
    bool room = true;
    enum db_status status = db_stream_begin(rq->db, API_SERVICES_PAGE, params);
    if (status == DB_OK)
        status = db_stream_next(rq->db, &row);
    while (status == DB_OK && row != NULL && room) {
        room = n == 0 || rq->reply.len + db_length(row, 0, API_SERVICES_PAGE_C_DOCUMENT) <= PAGE_BYTES;
        if (!room)
            break;
        if (n++ > 0)
            buf_addc(&rq->reply, ',');
        db_add(&rq->reply, row, 0, API_SERVICES_PAGE_C_DOCUMENT);
        status = db_stream_next(rq->db, &row);
    }
    if (status != DB_OK)
        request_db_problem(rq, status);
    else if (!room)
        problem_add(&rq->problem, "page_size", "would give more than %zu MiB of services; ask for fewer, %" PRId64 " at the most here",
                    PAGE_BYTES >> 20, n);
    db_stream_end(rq->db);
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
    buf_addc(&rq->reply, '[');
    if (count > 0)
        add_documents(rq, db_text(result, 0, API_SERVICES_LIST_C_NAMESPACE_ID), as_of);
    buf_adds(&rq->reply, "]}");
}
