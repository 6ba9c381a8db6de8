/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "dialect/access.h"
#include "dialect/access_operations.h"
#include "dialect/files.h"
#include "dialect/files_operations.h"
#include "dialect/openapi_write.h"
#include "dialect/page.h"
#include "dialect/runs.h"
#include "dialect/runs_operations.h"
#include "dialect/stats.h"
#include "dialect/stats_operations.h"

static void every_route_below_v1_is_described_once_and_nothing_else(void **state)
{
    (void)state;
    const struct http_mount mounts[] = {
        {RUNS_NAME, runs_routes, NULL},       {FILES_NAME, files_routes, NULL},
        {ACCESS_NAME, access_routes, NULL},   {PAGE_NAME, page_routes, NULL},
        {OPENAPI_NAME, openapi_routes, NULL}, {STATS_NAME, stats_routes, NULL},
    };
    const struct operation *const tables[] = {runs_operations,    files_operations,
                                              access_operations,  stats_operations,
                                              openapi_operations, NULL};
    const struct openapi openapi = {mounts, ARRAY_LEN(mounts), tables, NULL};
    struct err err = {0};
    if (openapi_check(&openapi, &err) < 0)
        fail_msg("%s", err.text);
}

/* --- made up --- */

static void handle(struct http_request *request, void *context)
{
    (void)request;
    (void)context;
}

static const struct schema_field inner_fields[] = {{"deep", SCHEMA_TEXT}, {NULL}};
static const struct schema inner = {"Inner", inner_fields, NULL};
static const struct schema_field outer_fields[] = {
    {"one", SCHEMA_OBJECT, .items = &inner}, {"many", SCHEMA_OBJECTS, .items = &inner}, {NULL}};
static const struct schema outer = {"Outer", outer_fields, NULL};

static const struct http_route routes[] = {
    {"GET", "/v1/a", 0, handle, NULL, .access = HTTP_OPEN},
    {"POST", "/v1/b/:id/c", 100, handle, NULL, .access = 2},
    {"GET", "/elsewhere", 0, handle, NULL, .access = HTTP_OPEN},
    {0},
};
static const struct operation first = {
    .method = "GET", .path = "/v1/a", .id = "a", .summary = "s", .answers = {{200, "h", &outer}}};
static const struct operation second = {.method = "POST",
                                        .path = "/v1/b/:id/c",
                                        .id = "b",
                                        .summary = "s",
                                        .body = &inner,
                                        .answers = {{204, "h"}},
                                        .errors = {507, 404, 400}};

static int check(const struct operation *rows, struct err *err)
{
    const struct http_mount mounts[] = {{"made up", routes, NULL}};
    const struct operation *const tables[] = {rows, NULL};
    return openapi_check(&(struct openapi){mounts, 1, tables, NULL}, err);
}

static void what_was_forgotten_is_named(void **state)
{
    (void)state;
    struct operation other = first;
    struct operation double_id = second;
    struct operation with_body = first;
    other.path = "/v1/nowhere";
    other.id = "other";
    double_id.id = "a";
    with_body.body = &inner;
    const struct {
        struct operation rows[4];
        const char *text; /* NULL: it is complete */
    } cases[] = {
        {{first, second}, NULL},
        {{first}, "POST /v1/b/:id/c of made up is not described"},
        {{second}, "GET /v1/a of made up is not described"},
        {{first, second, other}, "other describes GET /v1/nowhere, which is no route"},
        {{first, double_id}, "there is another a, or another for GET /v1/a"},
        {{first, second, first}, "there is another a, or another for GET /v1/a"},
        {{with_body, second}, "a has a body, which its route does not take"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        assert_int_equal(check(cases[i].rows, &err), cases[i].text ? -1 : 0);
        assert_string_equal(err.text, cases[i].text ? cases[i].text : "");
    }
}

static void refusals_are_those_of_the_row_and_of_the_route(void **state)
{
    (void)state;
    int statuses[OPENAPI_STATUSES_MAX];
    static const int expected[] = {400, 401, 403, 404, 413, 415, 429, 507, 0};
    openapi_errors(&second, &routes[1], statuses);
    assert_memory_equal(statuses, expected, sizeof expected);
    openapi_errors(&first, &routes[0], statuses);
    assert_int_equal(statuses[0], 429);
    assert_int_equal(statuses[1], 0);
}

static void every_refusal_has_its_words(void **state)
{
    (void)state;
    const struct operation *const tables[] = {runs_operations, files_operations, access_operations};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        for (const struct operation *row = tables[i]; row->method; row++) {
            for (size_t k = 0; k < OPERATION_ERRORS_MAX && row->errors[k] != 0; k++)
                assert_string_not_equal(openapi_status_text(row->errors[k]), "");
        }
    }
}

static void a_schema_that_is_used_often_is_described_once(void **state)
{
    (void)state;
    const struct operation rows[] = {first, second, {0}};
    const struct operation *const tables[] = {rows, NULL};
    const struct schema *found[OPENAPI_SCHEMAS_MAX];
    openapi_schemas(&(struct openapi){.tables = tables}, found);
    assert_ptr_equal(found[0], &outer);
    assert_ptr_equal(found[1], &inner);
    assert_ptr_equal(found[2], &request_error_schema);
    assert_null(found[3]);
}

static void what_comes_from_outside_is_text_in_both_forms(void **state)
{
    (void)state;
    const struct http_mount mounts[] = {{"made up", routes, NULL}};
    const struct operation rows[] = {first, second, {0}};
    const struct operation *const tables[] = {rows, NULL};
    const struct openapi openapi = {mounts, 1, tables, NULL};
    static const char server[] = "http://x\"><script>&";
    auto_buf struct buf page;
    auto_buf struct buf document;
    buf_init(&page, MIB);
    buf_init(&document, MIB);
    openapi_write_page(&page, &openapi, server);
    openapi_write_document(&document, &openapi, server);
    assert_null(strstr(buf_text(&page), "<script"));
    assert_non_null(strstr(buf_text(&page), "http://x&quot;&gt;&lt;script&gt;&amp;/v1/b/ID/c"));
    assert_non_null(strstr(buf_text(&document), "\"url\":\"http://x\\\"><script>&\""));
    assert_non_null(strstr(buf_text(&document), "\"/v1/b/{id}/c\":{\"post\":{"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_below_v1_is_described_once_and_nothing_else),
        cmocka_unit_test(what_was_forgotten_is_named),
        cmocka_unit_test(refusals_are_those_of_the_row_and_of_the_route),
        cmocka_unit_test(every_refusal_has_its_words),
        cmocka_unit_test(a_schema_that_is_used_often_is_described_once),
        cmocka_unit_test(what_comes_from_outside_is_text_in_both_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
