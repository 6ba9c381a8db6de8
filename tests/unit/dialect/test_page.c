/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "dialect/page.h"

const struct page_file page_files[] = {
    {"/", "html", "W/\"aa11\"", {"packed page", 11}, {"plain page", 10}},
    {"/assets/main-1.js", "js", "W/\"bb22\"", {"packed script", 13}},
    {"/assets/style-1.css", "css", "W/\"cc33\"", {"packed style", 12}},
    {"/assets/icon-1.svg", "svg", "W/\"dd44\"", {"packed icon", 11}},
    {"/assets/strange-1.wasm", "wasm", "W/\"ee55\"", {"packed bytes", 12}},
    {0},
};

/* --- a server that holds one request and its answer --- */

enum { HEADERS_MAX = 16 };

struct http_request {
    const char *path;
    const char *accept_encoding;
    const char *if_none_match;
    size_t header_count;
    struct http_header headers[HEADERS_MAX];
    int status;
    const char *type;
    struct slice body;
};

struct slice http_request_path(const struct http_request *request)
{
    return slice_of(request->path);
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    if (strcmp(name, "Accept-Encoding") == 0)
        return request->accept_encoding;
    assert_string_equal(name, "If-None-Match");
    return request->if_none_match;
}

void http_add_header(struct http_request *request, const char *name, const char *value)
{
    assert_true(request->header_count < HEADERS_MAX);
    request->headers[request->header_count++] = (struct http_header){name, value};
}

void http_reply(struct http_request *request, int status, const char *content_type,
                struct slice body)
{
    assert_int_equal(request->status, 0);
    request->status = status;
    request->type = content_type;
    request->body = body;
}

void http_reply_err(struct http_request *request, const struct err *err)
{
    http_reply(request, err_http_status(err->code), "application/json", slice_of("{}"));
}

static const char *header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

static struct http_request get(const char *path, const char *accept_encoding,
                               const char *if_none_match)
{
    struct http_request request = {
        .path = path, .accept_encoding = accept_encoding, .if_none_match = if_none_match};
    page_routes[0].handle(&request, NULL);
    return request;
}

/* --- tests --- */

static void page_and_its_files_have_routes(void **state)
{
    (void)state;
    assert_string_equal(page_routes[0].path, "/");
    assert_string_equal(page_routes[1].path, "/assets/:name");
    assert_ptr_equal(page_routes[0].handle, page_routes[1].handle);
    for (size_t i = 0; page_routes[i].method; i++)
        assert_string_equal(page_routes[i].method, "GET");
}

static void every_file_has_its_type(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *type;
        const char *body;
    } rows[] = {
        {"/", "text/html; charset=utf-8", "packed page"},
        {"/assets/main-1.js", "text/javascript; charset=utf-8", "packed script"},
        {"/assets/style-1.css", "text/css; charset=utf-8", "packed style"},
        {"/assets/icon-1.svg", "image/svg+xml", "packed icon"},
        {"/assets/strange-1.wasm", "application/octet-stream", "packed bytes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_request request = get(rows[i].path, "gzip, deflate, br", NULL);
        assert_int_equal(request.status, 200);
        assert_string_equal(request.type, rows[i].type);
        assert_string_equal(header(&request, "Content-Encoding"), "gzip");
        assert_string_equal(header(&request, "Vary"), "Accept-Encoding");
        assert_true(slice_is(request.body, rows[i].body));
    }
}

static void unknown_file_is_not_found(void **state)
{
    (void)state;
    static const char *const paths[] = {"/assets/none.js", "/assets/", "/assets/main-1.js/",
                                        "/assets/../main-1.js"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        assert_int_equal(get(paths[i], "gzip", NULL).status, 404);
}

static void hashed_names_may_be_kept_and_the_page_is_asked_for_again(void **state)
{
    (void)state;
    struct http_request page = get("/", "gzip", NULL);
    assert_string_equal(header(&page, "Cache-Control"), "no-cache");
    assert_string_equal(header(&page, "ETag"), "W/\"aa11\"");
    struct http_request script = get("/assets/main-1.js", "gzip", NULL);
    assert_string_equal(header(&script, "Cache-Control"), "public, max-age=31536000, immutable");
}

static void what_the_client_has_is_not_sent_again(void **state)
{
    (void)state;
    static const struct {
        const char *known;
        int status;
    } rows[] = {
        {"W/\"aa11\"", 304},  {"\"aa11\"", 304},    {"*", 304},  {"W/\"0\", W/\"aa11\"", 304},
        {"W/\"bb22\"", 200},  {"aa11", 200},        {"", 200},   {"W/\"aa11", 200},
        {"W/\"xaa11\"", 200}, {"W/\"aa11x\"", 200}, {NULL, 200},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_request request = get("/", "gzip", rows[i].known);
        assert_int_equal(request.status, rows[i].status);
        assert_string_equal(header(&request, "ETag"), "W/\"aa11\"");
        assert_int_equal(request.body.len, rows[i].status == 304 ? 0 : 11);
        if (rows[i].status == 304)
            assert_null(header(&request, "Content-Encoding"));
    }
}

static void only_who_takes_gzip_gets_it(void **state)
{
    (void)state;
    static const struct {
        const char *accepted;
        bool gzip;
    } rows[] = {
        {"gzip", true},
        {"GZIP", true},
        {"x-gzip", true},
        {"*", true},
        {"deflate, gzip;q=1.0, *;q=0.5", true},
        {"br,gzip;q=0.001", true},
        {"br , gzip", true},
        {NULL, false},
        {"", false},
        {",,", false},
        {"identity", false},
        {"br, gzipped", false},
        {"gzip;q=0", false},
        {"gzip; q=0.000", false},
        {"gzip;q=", false},
        {"gzip;q=0, br;q=1", false},
        {"*;q=0", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_request page = get("/", rows[i].accepted, NULL);
        assert_int_equal(page.status, 200);
        assert_true(slice_is(page.body, rows[i].gzip ? "packed page" : "plain page"));
        assert_true(rows[i].gzip == (header(&page, "Content-Encoding") != NULL));
        struct http_request script = get("/assets/main-1.js", rows[i].accepted, NULL);
        assert_int_equal(script.status, rows[i].gzip ? 200 : 406);
    }
}

static void policy_lets_in_nothing_inline_and_nothing_foreign(void **state)
{
    (void)state;
    static const char *const paths[] = {"/", "/assets/main-1.js", "/assets/icon-1.svg"};
    static const char *const parts[] = {
        "default-src 'none'",     "script-src 'self';",
        "style-src 'self';",      "base-uri 'none'",
        "frame-ancestors 'none'", "form-action 'none'",
        "connect-src 'self'",     "require-trusted-types-for 'script'",
    };
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct http_request request = get(paths[i], "gzip", NULL);
        const char *policy = header(&request, "Content-Security-Policy");
        assert_non_null(policy);
        for (size_t j = 0; j < ARRAY_LEN(parts); j++)
            assert_non_null(strstr(policy, parts[j]));
        assert_null(strstr(policy, "unsafe"));
        assert_string_equal(header(&request, "X-Frame-Options"), "DENY");
        assert_string_equal(header(&request, "Referrer-Policy"), "no-referrer");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_and_its_files_have_routes),
        cmocka_unit_test(every_file_has_its_type),
        cmocka_unit_test(unknown_file_is_not_found),
        cmocka_unit_test(hashed_names_may_be_kept_and_the_page_is_asked_for_again),
        cmocka_unit_test(what_the_client_has_is_not_sent_again),
        cmocka_unit_test(only_who_takes_gzip_gets_it),
        cmocka_unit_test(policy_lets_in_nothing_inline_and_nothing_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
