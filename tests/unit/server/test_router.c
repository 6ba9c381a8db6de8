/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "base/util.h"
#include "server/router.h"

static const struct http_route first_routes[] = {
    {.method = "GET", .path = "/"},
    {.method = "GET", .path = "/health"},
    {.method = "POST", .path = "/runs/:id/input/:name"},
    {.method = "GET", .path = "/runs/:id"},
    {.method = "*", .path = "/runs/*"},
    {0},
};
static const struct http_route second_routes[] = {
    {.method = "GET", .path = "/health"},
    {.method = "GET", .path = "/second"},
    {.method = HTTP_WEBSOCKET, .path = "/"},
    {.method = HTTP_WEBSOCKET, .path = "*"},
    {0},
};
static const struct http_mount mounts[] = {
    {"first", first_routes, (void *)"first"},
    {"second", second_routes, (void *)"second"},
};
static const struct http_config config = {.mounts = mounts, .mount_count = ARRAY_LEN(mounts)};

static void requests_find_their_row(void **state)
{
    (void)state;
    static const struct {
        const char *dialect;
        const char *method;
        const char *path;
        const char *mount; /* NULL: none */
        const char *row;
    } rows[] = {
        {NULL, "GET", "/", "first", "/"},
        {NULL, "GET", "/health", "first", "/health"},
        {"second", "GET", "/health", "second", "/health"},
        {"other", "GET", "/health", "first", "/health"},
        {"second", "GET", "/", "first", "/"},
        {NULL, HTTP_WEBSOCKET, "/", "second", "/"},
        {NULL, HTTP_WEBSOCKET, "/runs/5/x", NULL, NULL},
        {"second", HTTP_WEBSOCKET, "/x", NULL, NULL},
        {"second", "GET", "/runs/5", "first", "/runs/:id"},
        {NULL, "HEAD", "/second", "second", "/second"},
        {NULL, "GET", "/second/", "second", "/second"},
        {NULL, "GET", "/second//", NULL, NULL},
        {NULL, "POST", "/second", NULL, NULL},
        {NULL, "get", "/second", NULL, NULL},
        {NULL, "GET", "/Second", NULL, NULL},
        {NULL, "GET", "/secondx", NULL, NULL},
        {NULL, "GET", "/second/x", NULL, NULL},
        {NULL, "GET", "second", NULL, NULL},
        {NULL, "GET", "*", NULL, NULL},
        {NULL, "GET", "", NULL, NULL},
        {NULL, "GET", "//", NULL, NULL},
        {NULL, "GET", "/runs", NULL, NULL},
        {NULL, "GET", "/runs/", "first", "/runs/*"},
        {NULL, "DELETE", "/runs/5", "first", "/runs/*"},
        {NULL, "GET", "/runs/5/x/y", "first", "/runs/*"},
        {NULL, "POST", "/runs/5/input/a.txt", "first", "/runs/:id/input/:name"},
        {NULL, "POST", "/runs//input/a.txt", "first", "/runs/*"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct route_match match =
            route_find(&config, rows[i].dialect, rows[i].method, rows[i].path);
        if (!rows[i].mount) {
            assert_null(match.route);
            continue;
        }
        assert_non_null(match.route);
        assert_string_equal(match.route->path, rows[i].row);
        assert_string_equal(match.context, rows[i].mount);
    }
}

static void captures_are_named(void **state)
{
    (void)state;
    struct route_match match = route_find(&config, NULL, "POST", "/runs/5/input/a.txt");
    assert_int_equal(match.capture_count, 2);
    assert_true(slice_is(match.captures[0].name, "id"));
    assert_true(slice_is(match.captures[0].value, "5"));
    assert_true(slice_is(match.captures[1].name, "name"));
    assert_true(slice_is(match.captures[1].value, "a.txt"));
    assert_int_equal(route_find(&config, NULL, "DELETE", "/runs/5/input/a").capture_count, 0);
}

static void what_nobody_takes_is_the_listeners_dialects(void **state)
{
    (void)state;
    struct route_match match = route_find_rest(&config, "second", HTTP_WEBSOCKET);
    assert_string_equal(match.route->path, "*");
    assert_string_equal(match.mount, "second");
    assert_string_equal(match.context, "second");
    assert_null(route_find_rest(&config, "second", "GET").route);
    assert_null(route_find_rest(&config, "first", HTTP_WEBSOCKET).route);
    assert_null(route_find_rest(&config, "third", HTTP_WEBSOCKET).route);
    assert_null(route_find_rest(&config, NULL, HTTP_WEBSOCKET).route);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_find_their_row),
        cmocka_unit_test(captures_are_named),
        cmocka_unit_test(what_nobody_takes_is_the_listeners_dialects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
