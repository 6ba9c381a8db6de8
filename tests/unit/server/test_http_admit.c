/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_fixture.h"

#define USUAL_HEADERS "Content-Type,Authorization,Idempotency-Key,Last-Event-ID"

/* Whether the caller may is said by the token: "key 7 3" is key 7 with scopes 3. */
static struct world {
    struct http_fixture http;
    int asked;
    int handled;
    char mount[16];
    int access;
    uint64_t charged_key;
    size_t charged;
} world;

static bool authorize(void *context, struct http_request *request, const char *mount,
                      const struct http_route *route)
{
    assert_ptr_equal(context, &world);
    world.asked++;
    world.access = route->access;
    (void)snprintf(world.mount, sizeof world.mount, "%s", mount);
    const char *token = http_request_header(request, "Authorization");
    unsigned long key = 0;
    unsigned scopes = 0;
    if (route->access == HTTP_OPEN)
        return true;
    if (token && sscanf(token, "key %lu %u", &key, &scopes) == 2) { /* NOLINT(cert-err34-c) */
        http_set_caller(request, key, scopes);
        return true;
    }
    struct err err;
    (void)err_set(&err, ERR_UNAUTHORIZED, "a key is needed");
    http_add_header(request, "WWW-Authenticate", "Bearer");
    http_reply_err(request, &err);
    return false;
}

static void charge(void *context, const struct http_request *request,
                   const struct http_route *route, size_t len)
{
    assert_ptr_equal(context, &world);
    assert_string_equal(route->path, "/long/:size");
    world.charged_key = http_request_key(request);
    world.charged = len;
}

static void tell_long(struct http_request *request, void *context)
{
    (void)context;
    size_t size = strtoul(http_request_capture(request, "size"), NULL, 10);
    auto_buf struct buf body;
    buf_init(&body, size);
    char *bytes = buf_reserve(&body, size);
    memset(bytes, 'x', size);
    buf_commit(&body, size);
    http_reply_take(request, 200, "text/plain", &body);
}

static void who(struct http_request *request, void *context)
{
    (void)context;
    char text[64];
    world.handled++;
    (void)snprintf(text, sizeof text, "%lu %x", (unsigned long)http_request_key(request),
                   http_request_scopes(request));
    http_reply(request, 200, "text/plain", slice_of(text));
}

static void cookie(struct http_request *request, void *context)
{
    (void)context;
    char value[8] = "before";
    bool found = http_request_cookie(request, "session", value, sizeof value);
    http_reply(request, found ? 200 : 404, "text/plain", slice_of(value));
}

static void socket_of(struct http_request *request, void *context)
{
    (void)context;
    world.handled++;
    http_reply(request, 200, "text/plain", slice_of("a socket"));
}

static const struct http_route routes[] = {
    {"GET", "/open", 0, who, .access = HTTP_OPEN},
    {HTTP_WEBSOCKET, "/open", 0, socket_of, .access = HTTP_ANY_KEY},
    {"GET", "/any", 0, who},
    {"POST", "/files", 1000, who, .access = 2},
    {"GET", "/cookie", 0, cookie, .access = HTTP_OPEN},
    {"GET", "/long/:size", 0, tell_long},
    {0},
};

static int start(bool with_keys)
{
    world = (struct world){0};
    if (with_keys)
        world.http.config.authorize = authorize;
    world.http.config.charge = charge;
    world.http.config.authorize_context = &world;
    http_fixture_start(&world.http, routes, &world);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return start(true);
}

static int set_up_without_keys(void **state)
{
    (void)state;
    return start(false);
}

static int tear_down(void **state)
{
    (void)state;
    http_fixture_stop(&world.http);
    return 0;
}

static void everybody_may_everything_without_keys(void **state)
{
    (void)state;
    assert_string_equal(answer_body(http_fixture_get(&world.http, "GET /any", "")), "0 ffffffff");
    assert_int_equal(world.asked, 0);
}

static void a_route_is_reached_by_those_that_are_authorized(void **state)
{
    static const struct {
        const char *line;
        const char *headers;
        int status;
        const char *body; /* NULL: an error's */
        int asked;
        int access;
    } rows[] = {
        {"GET /open", "", 200, "0 ffffffff", 1, HTTP_OPEN},
        {"GET /any", "", 401, NULL, 1, HTTP_ANY_KEY},
        {"GET /any", "Authorization: key 7 3\r\n", 200, "7 3", 1, HTTP_ANY_KEY},
        {"HEAD /any", "", 401, "", 1, HTTP_ANY_KEY},
        /* another protocol than a WebSocket's: it may be ignored, and is */
        {"GET /open", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n", 200, "0 ffffffff",
         1, HTTP_OPEN},
        {"GET /open", "Upgrade: websockets\r\n", 200, "0 ffffffff", 1, HTTP_OPEN},
        {"GET /open", "Upgrade: WebSocket\r\n", 401, NULL, 1, HTTP_ANY_KEY},
        {"GET /open", "Upgrade: h2c, websocket\r\nAuthorization: key 7 3\r\n", 200, "a socket", 1,
         HTTP_ANY_KEY},
        {"GET /open", "Upgrade: h2c\r\nOrigin: http://evil.example\r\n", 200, "0 ffffffff", 1,
         HTTP_OPEN},
        {"GET /open", "Upgrade: websocket\r\nOrigin: http://evil.example\r\n", 403, NULL, 0, 0},
        {"GET /none", "", 404, NULL, 0, 0},
        {"GET /any", "Host: other\r\n", 400, NULL, 0, 0}, /* two of them */
        {"OPTIONS /any", "", 204, "", 0, 0},
        {"GET /any", "Origin: http://evil.example\r\n", 401, NULL, 1, HTTP_ANY_KEY},
        {"POST /files", "Origin: http://evil.example\r\n", 403, NULL, 0, 0},
        {"POST /files", "Origin: http://localhost\r\nOrigin: http://evil.example\r\n", 403, NULL, 0,
         0},
        /* the body is not waited for */
        {"POST /files", "Content-Length: 5\r\n", 401, NULL, 1, 2},
        {"POST /files", "Transfer-Encoding: chunked\r\n", 401, NULL, 1, 2},
        {"POST /files", "Content-Length: 1001\r\n", 401, NULL, 1, 2},
        {"POST /files", "Content-Length: 5\r\nExpect: 100-continue\r\n", 401, NULL, 1, 2},
        {"POST /files", "Content-Length: 1001\r\nAuthorization: key 1 2\r\n", 413, NULL, 1, 2},
        {"POST /files", "Content-Encoding: gzip\r\n", 401, NULL, 1, 2},
        {"POST /files", "Content-Encoding: gzip\r\nAuthorization: key 1 2\r\n", 415, NULL, 1, 2},
        {"POST /files", "Content-Length: 0\r\nAuthorization: key 1 2\r\n", 200, "1 2", 1, 2},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        world.asked = world.handled = world.access = 0;
        const char *answer = http_fixture_get(&world.http, rows[i].line, rows[i].headers);
        assert_int_equal(answer_status(answer), rows[i].status);
        if (rows[i].body)
            assert_string_equal(answer_body(answer), rows[i].body);
        assert_int_equal(world.handled, rows[i].status == 200);
        assert_int_equal(world.asked, rows[i].asked);
        assert_int_equal(world.access, rows[i].access);
        char value[256];
        if (rows[i].status == 401)
            assert_string_equal(answer_header(answer, "WWW-Authenticate", value), "Bearer");
    }
    assert_string_equal(world.mount, "test");
}

static void each_request_of_a_connection_has_its_own_caller(void **state)
{
    (void)state;
    const char *answer = http_fixture_ask(
        &world.http, "GET /any HTTP/1.1\r\nHost: localhost\r\nAuthorization: key 7 1\r\n\r\n"
                     "GET /open HTTP/1.1\r\nHost: localhost\r\n\r\n"
                     "GET /any HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(answer, "\r\n\r\n7 1HTTP/1.1 200"));
    assert_non_null(strstr(answer, "\r\n\r\n0 ffffffffHTTP/1.1 401"));
}

static void pages_of_allowed_origins_may_read_and_send(void **state)
{
    static const struct {
        const char *line;
        const char *origin;
        const char *allowed; /* what is said; "": nothing at all */
    } rows[] = {
        {"GET /open", "Origin: http://localhost:5500\r\n", "http://localhost:5500"},
        {"OPTIONS /files", "Origin: http://localhost:5500\r\n", "http://localhost:5500"},
        {"GET /any", "Origin: http://127.0.0.1\r\n", "http://127.0.0.1"},
        {"GET /open", "Origin: http://evil.example\r\n", ""},
        {"OPTIONS /files", "Origin: http://evil.example\r\n", ""},
        {"OPTIONS /files", "Origin: null\r\n", ""},
        {"OPTIONS /files", "", ""},
    };
    (void)state;
    char value[256];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *answer = http_fixture_get(&world.http, rows[i].line, rows[i].origin);
        bool preflight = rows[i].line[0] == 'O' && rows[i].allowed[0];
        assert_string_equal(answer_header(answer, "Vary", value), "Origin");
        assert_string_equal(answer_header(answer, "Access-Control-Allow-Origin", value),
                            rows[i].allowed);
        assert_string_equal(answer_header(answer, "Access-Control-Allow-Credentials", value),
                            rows[i].allowed[0] ? "true" : "");
        assert_string_equal(answer_header(answer, "Access-Control-Expose-Headers", value),
                            rows[i].allowed[0]
                                ? "RateLimit-Limit,RateLimit-Remaining,RateLimit-Reset,Retry-After"
                                : "");
        assert_string_equal(answer_header(answer, "Access-Control-Allow-Methods", value),
                            preflight ? "GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS" : "");
        assert_string_equal(answer_header(answer, "Access-Control-Allow-Headers", value),
                            preflight ? USUAL_HEADERS : "");
    }
}

static void a_preflight_is_allowed_the_headers_that_it_asks_for(void **state)
{
    static const struct {
        const char *asked;
        const char *allowed;
    } rows[] = {
        {"last-event-id", "last-event-id"},
        {"content-type, x-trace_id", "content-type, x-trace_id"},
        {"content-type,authorization", "content-type,authorization"},
        {"", USUAL_HEADERS},
        {"a;b", USUAL_HEADERS},
        {"a\tb", USUAL_HEADERS},
        {"\"a\"", USUAL_HEADERS},
        {"\xC3\xA9", USUAL_HEADERS},
    };
    (void)state;
    char value[256];
    char headers[2 * KIB];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        (void)snprintf(headers, sizeof headers,
                       "Origin: http://localhost\r\nAccess-Control-Request-Headers: %s\r\n",
                       rows[i].asked);
        const char *answer = http_fixture_get(&world.http, "OPTIONS /files", headers);
        assert_string_equal(answer_header(answer, "Access-Control-Allow-Headers", value),
                            rows[i].allowed);
    }
    (void)snprintf(headers, sizeof headers,
                   "Origin: http://localhost\r\nAccess-Control-Request-Headers: %01100d\r\n", 0);
    const char *answer = http_fixture_get(&world.http, "OPTIONS /files", headers);
    assert_string_equal(answer_header(answer, "Access-Control-Allow-Headers", value),
                        USUAL_HEADERS);
}

static void a_cookie_is_found_among_others(void **state)
{
    static const struct {
        const char *headers;
        const char *value; /* NULL: there is none */
    } rows[] = {
        {"", NULL},
        {"Cookie: session=abc\r\n", "abc"},
        {"cookie: a=1; session=abc; b=2\r\n", "abc"},
        {"Cookie: a=1;session=abc;b=2\r\n", "abc"},
        {"Cookie: a=1; \t session \t= \t abc \t \r\n", "abc"},
        {"Cookie: session=\"abc\"\r\n", "abc"},
        {"Cookie: session=a=b\r\n", "a=b"},
        {"Cookie: session=\r\n", ""},
        {"Cookie: session=abc; session=def\r\n", "abc"},
        {"Cookie: a=1\r\nCookie: session=abc\r\n", "abc"},
        {"Cookie: a=1\r\nCookie: b=2; session=abc\r\nCookie: session=def\r\n", "abc"},
        {"Cookie: session=1234567\r\n", "1234567"},
        {"Cookie: session=12345678\r\n", NULL}, /* no room */
        {"Cookie: Session=abc\r\n", NULL},
        {"Cookie: xsession=abc; sessionx=abc; session\r\n", NULL},
        {"Cookie: a=\"x; session=abc\"\r\n", "abc\""}, /* quotes do not hide a semicolon */
        {"Cookie: ;;; = ;=;\r\n", NULL},
        {"Cookie: \r\n", NULL},
        {"X-Cookie: session=abc\r\n", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *answer = http_fixture_get(&world.http, "GET /cookie", rows[i].headers);
        assert_int_equal(answer_status(answer), rows[i].value ? 200 : 404);
        assert_string_equal(answer_body(answer), rows[i].value ? rows[i].value : "before");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void whose_answer_is_long_is_told(void **state)
{
    static const char key[] = "Authorization: key 7 3\r\n";
    (void)state;
    (void)http_fixture_get(&world.http, "GET /long/262143", key);
    assert_int_equal(world.charged, 0);
    (void)http_fixture_get(&world.http, "GET /long/262144", key);
    assert_int_equal(world.charged, 262144);
    assert_int_equal(world.charged_key, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everybody_may_everything_without_keys, set_up_without_keys,
                                        tear_down),
        TEST(a_route_is_reached_by_those_that_are_authorized),
        TEST(whose_answer_is_long_is_told),
        TEST(each_request_of_a_connection_has_its_own_caller),
        TEST(pages_of_allowed_origins_may_read_and_send),
        TEST(a_preflight_is_allowed_the_headers_that_it_asks_for),
        TEST(a_cookie_is_found_among_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
