/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "account_fixture.h"
#include "base/util.h"
#include "dialect/access.h"
#include "dialect/request_access.h"
#include "fake_request.h"
#include "server/rate_limit.h"

/* --- may this come in? --- */

static const struct http_route open_route = {"GET", "/v1/me", .access = HTTP_OPEN};
static const struct http_route any_route = {"GET", "/v1/tickets"};
static const struct http_route files_route = {"POST", "/v1/files", .access = STORE_SCOPE_FILES};
static const struct http_route admin_route = {"GET", "/v1/keys", .access = STORE_SCOPE_ADMIN};
static const struct http_route execute_route = {"POST", "/execute"};

static const char *const anonymous[] = {"session", "runs", NULL};

static bool enters(struct fixture *fixture, struct http_request *request, const char *mount,
                   const struct http_route *route)
{
    struct request_access access = {.accounts = fixture->accounts, .allow_anonymous = anonymous};
    bool may = request_authorize(&access, request, mount, route);
    assert_true(may == (request->status == 0));
    return may;
}

static void assert_refused(struct fixture *fixture, struct http_request request, const char *text)
{
    char answer[256];
    (void)snprintf(answer, sizeof answer, "{\"error\":\"%s\",\"data\":null}", text);
    assert_false(enters(fixture, &request, "runs", &any_route));
    assert_int_equal(request.status, 401);
    assert_string_equal(request.answer, answer);
    fake_request_fini(&request);
}

static void without_keys_nobody_is_asked(void **state)
{
    struct fixture *fixture = *state;
    static const struct http_route *const routes[] = {&open_route, &any_route, &files_route,
                                                      &admin_route, &execute_route};
    fixture_open(fixture, NULL);
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        struct http_request request = {
            .authorization = "Bearer nonsense", .cookie = "x", .authorizations = 2};
        assert_true(enters(fixture, &request, "runs", routes[i]));
        assert_int_equal(request.key, 0);
        assert_int_equal(request.scopes, 7);
    }
}

static void a_header_is_read_as_clients_write_it(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *header;
        const char *refusal; /* NULL: it comes in */
    } rows[] = {
        {"Bearer sesame", NULL},
        {"Bearer   sesame \t", NULL},
        {NULL, "missing bearer token"},
        {"", "missing bearer token"},
        {"Bearer", "missing bearer token"},
        {"bearer sesame", "missing bearer token"},
        {"BEARER sesame", "missing bearer token"},
        {"Basic c2VzYW1l", "missing bearer token"},
        {"sesame", "missing bearer token"},
        {" Bearer sesame", "missing bearer token"},
        {"Bearer\tsesame", "missing bearer token"},
        {"Bearer ", "invalid token"},
        {"Bearer Sesame", "invalid token"},
        {"Bearer sesam", "invalid token"},
        {"Bearer sesame2", "invalid token"},
        {"Bearer sesame sesame", "invalid token"},
        {"Bearer sesame,", "invalid token"},
        {"Bearer Bearer sesame", "invalid token"},
        {"Bearer constructor", "invalid token"},
        {"Bearer __proto__", "invalid token"},
        {"Bearer ci", "invalid token"},
    };
    fixture_open(fixture, "sesame:ci");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_request request = {.authorization = rows[i].header};
        if (rows[i].refusal) {
            assert_refused(fixture, request, rows[i].refusal);
            continue;
        }
        assert_true(enters(fixture, &request, "runs", &any_route));
        assert_true(request.key >= 1ULL << 62);
        assert_int_equal(request.scopes, 3);
    }
    struct http_request two = {.authorization = "Bearer sesame", .authorizations = 2};
    assert_refused(fixture, two, "invalid token");
}

static void scopes_are_asked_for(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        unsigned scopes;
        const struct http_route *route;
        const char *missing; /* NULL: it comes in */
    } rows[] = {
        {STORE_SCOPE_RUN, &any_route, NULL},        {STORE_SCOPE_FILES, &any_route, NULL},
        {STORE_SCOPE_FILES, &files_route, NULL},    {STORE_SCOPE_RUN, &files_route, "files"},
        {STORE_SCOPE_ADMIN, &files_route, "files"}, {STORE_SCOPE_ADMIN, &admin_route, NULL},
        {STORE_SCOPE_RUN, &admin_route, "admin"},   {STORE_SCOPE_RUN, &execute_route, NULL},
        {STORE_SCOPE_FILES, &execute_route, "run"}, {STORE_SCOPE_ADMIN, &execute_route, "run"},
        {STORE_SCOPE_FILES, &open_route, NULL},
    };
    struct store_key *key = fake_store_add(fixture->store, "rk_a", "a");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char answer[128];
        struct http_request request = {.authorization = "Bearer rk_a"};
        key->scopes = rows[i].scopes;
        fixture_open(fixture, NULL);
        assert_true(enters(fixture, &request, "execute", rows[i].route) == !rows[i].missing);
        if (!rows[i].missing)
            continue;
        (void)snprintf(answer, sizeof answer,
                       "{\"error\":\"this key lacks the scope %s\",\"data\":null,"
                       "\"code\":\"forbidden\"}",
                       rows[i].missing);
        assert_int_equal(request.status, 403);
        assert_string_equal(request.answer, answer);
    }
}

static void what_makes_no_run_has_a_rate(void **state)
{
    struct fixture *fixture = *state;
    static const struct http_route runs_route = {"POST", "/v1/runs", .access = STORE_SCOPE_RUN};
    struct store_key *key = fake_store_add(fixture->store, "rk_a", "a");
    key->rate_milli = key->burst = 1;
    fixture_open(fixture, NULL);
    for (int i = 0; i < 200; i++) {
        struct http_request request = {.method = "GET", .authorization = "Bearer rk_a"};
        assert_true(enters(fixture, &request, "runs", &any_route));
    }
    struct http_request request = {.method = "GET", .authorization = "Bearer rk_a"};
    assert_false(enters(fixture, &request, "runs", &any_route));
    assert_int_equal(request.status, 429);
    assert_string_equal(request.answer, "{\"error\":\"rate limit exceeded\",\"data\":null,"
                                        "\"code\":\"rate_limited\"}");
    assert_string_equal(fake_header(&request, "Retry-After"), "1");
    fake_request_fini(&request);
    struct http_request others[] = {{.method = "POST", .authorization = "Bearer rk_a"},
                                    {.method = "POST", .authorization = "Bearer rk_a"}};
    assert_true(enters(fixture, &others[0], "runs", &runs_route));
    assert_true(enters(fixture, &others[1], "execute", &execute_route));
}

/* Those are asked for again and again. */
static void polls_of_jobs_have_it_too(void **state)
{
    struct fixture *fixture = *state;
    static const struct http_route polls[] = {{"GET", "/api/jobs"}, {"GET", "/api/jobs/:id"}};
    struct store_key *key = fake_store_add(fixture->store, "rk_a", "a");
    key->rate_milli = key->burst = 1;
    fixture_open(fixture, NULL);
    for (int i = 0; i < 202; i++) {
        struct http_request request = {.method = "GET", .authorization = "Bearer rk_a"};
        assert_true(enters(fixture, &request, "jobs", &polls[i % 2]) == (i < 200));
        fake_request_fini(&request);
    }
}

static void a_long_answer_costs_as_much_as_many(void **state)
{
    struct fixture *fixture = *state;
    struct http_request request = {.method = "GET", .authorization = "Bearer rk_a"};
    struct store_key *key = fake_store_add(fixture->store, "rk_a", "a");
    key->rate_milli = key->burst = 1;
    fixture_open(fixture, NULL);
    struct request_access access = {.accounts = fixture->accounts};
    assert_true(enters(fixture, &request, "runs", &any_route));
    request_charge(&access, &request, &execute_route, 1000 * MIB); /* has a rate of its own */
    request_charge(&access, &request, &any_route, 199 * MIB - 1);
    assert_true(enters(fixture, &request, "runs", &any_route));
    assert_false(enters(fixture, &request, "runs", &any_route));
    fake_request_fini(&request);
}

static void an_open_route_knows_who_comes_and_lets_anybody_in(void **state)
{
    struct fixture *fixture = *state;
    (void)fake_store_add(fixture->store, "rk_a", "a");
    fixture_open(fixture, NULL);
    struct http_request known = {.authorization = "Bearer rk_a"};
    assert_true(enters(fixture, &known, "access", &open_route));
    assert_int_equal(known.key, 1);
    struct http_request unknown = {.authorization = "Bearer wrong"};
    assert_true(enters(fixture, &unknown, "access", &open_route));
    assert_int_equal(unknown.key, 0);
    assert_int_equal(unknown.scopes, 0);
}

static void anonymous_dialects_need_no_key_and_v1_always_does(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture, "sesame");
    struct http_request request = {0};
    assert_true(enters(fixture, &request, "session", &execute_route));
    assert_int_equal(request.key, 0);
    assert_int_equal(request.scopes, STORE_SCOPE_RUN);
    request = (struct http_request){.authorization = "Bearer sesame"};
    assert_true(enters(fixture, &request, "session", &execute_route));
    assert_true(request.key > 0);
    request = (struct http_request){0};
    assert_false(enters(fixture, &request, "execute", &execute_route));
    request = (struct http_request){0};
    assert_false(enters(fixture, &request, "runs", &any_route));
    request = (struct http_request){0};
    assert_false(enters(fixture, &request, "session", &any_route));
}

static void names_of_anonymous_dialects_are_checked(void **state)
{
    (void)state;
    static const char *const dialects[] = {"execute", "session", "runs", NULL};
    static const char *const fine[] = {"session", "execute", NULL};
    static const char *const runs[] = {"session", "runs", NULL};
    static const char *const unknown[] = {"sesion", NULL};
    struct err err = {0};
    assert_int_equal(request_access_check(fine, dialects, &err), 0);
    assert_int_equal(request_access_check(NULL, dialects, &err), 0);
    assert_int_equal(request_access_check(runs, dialects, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_int_equal(request_access_check(unknown, dialects, &err), -1);
    assert_non_null(strstr(err.text, "'sesion'"));
}

/* --- the routes --- */

static struct access access_of(struct fixture *fixture)
{
    static const unsigned char webhook_secret[32];
    return (struct access){
        .accounts = fixture->accounts,
        .store = fixture->store,
        .webhook_secret = webhook_secret,
        .login_ms = 3600000,
    };
}

static void call(struct access *access, struct http_request *request, const char *method,
                 const char *path)
{
    for (const struct http_route *route = access_routes; route->method; route++) {
        if (strcmp(route->method, method) != 0 || strcmp(route->path, path) != 0)
            continue;
        route->handle(request, access);
        return;
    }
    fail_msg("%s %s has no route", method, path);
}

static struct http_request post(const char *body)
{
    return (struct http_request){
        .method = "POST", .type = "application/json", .body = slice_of(body)};
}

static void a_browser_logs_in_uses_its_cookie_and_logs_out(void **state)
{
    struct fixture *fixture = *state;
    char cookie[256];
    (void)fake_store_add(fixture->store, "rk_a", "ci");
    fixture_open(fixture, NULL);
    struct access access = access_of(fixture);
    access.limiter = rate_limiter_new(10, 60000, 16);
    struct http_request request = post("{\"key\":\"rk_a\"}");
    call(&access, &request, "POST", "/v1/login");
    assert_int_equal(request.status, 204);
    const char *set = fake_header(&request, "Set-Cookie");
    const char *name = accounts_cookie_name(fixture->accounts);
    assert_memory_equal(set, name, strlen(name));
    assert_int_equal(set[strlen(name)], '=');
    assert_non_null(strstr(set, "; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict"));
    assert_null(strstr(set, "Secure"));
    assert_null(strstr(set, "rk_a"));
    assert_string_equal(fake_header(&request, "Cache-Control"), "no-store");
    (void)snprintf(cookie, sizeof cookie, "%.*s", (int)strcspn(set, ";"), set);
    fake_request_fini(&request);
    request = (struct http_request){.cookie = cookie};
    assert_true(enters(fixture, &request, "runs", &any_route));
    assert_int_equal(request.key, 1);
    char other[256];
    (void)snprintf(other, sizeof other, "%s=1.2.3.4", name);
    assert_refused(fixture, (struct http_request){.cookie = other}, "invalid login");
    (void)snprintf(other, sizeof other, "runnel_anothers%s", strchr(cookie, '='));
    assert_refused(fixture, (struct http_request){.cookie = other}, "missing bearer token");
    /* SameSite knows no ports: a page of another one brings the cookie along. */
    request = (struct http_request){
        .cookie = cookie, .host = "localhost:8080", .origin = "http://localhost:8080"};
    assert_true(enters(fixture, &request, "runs", &any_route));
    request.origin = "http://localhost:3000";
    assert_refused(fixture, request, "missing bearer token");
    request = (struct http_request){.cookie = cookie, .site = "same-site"};
    assert_refused(fixture, request, "missing bearer token");
    request = (struct http_request){.cookie = cookie, .site = "same-origin"};
    assert_true(enters(fixture, &request, "runs", &any_route));
    request = (struct http_request){.method = "POST", .cookie = cookie, .is_https = true};
    call(&access, &request, "POST", "/v1/logout");
    assert_int_equal(request.status, 204);
    (void)snprintf(other, sizeof other, "%s=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure",
                   name);
    assert_string_equal(fake_header(&request, "Set-Cookie"), other);
    fake_request_fini(&request);
    assert_refused(fixture, (struct http_request){.cookie = cookie}, "the login has ended");
    rate_limiter_free(access.limiter);
}

static void a_login_that_makes_no_sense_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *body;
        const char *answer;
        int status;
    } rows[] = {
        {"", "invalid_request|", 400},
        {"[]", "invalid_request|", 400},
        {"{}", "invalid_request|key|key is required", 400},
        {"{\"key\":null}", "invalid_request|key|key is required", 400},
        {"{\"key\":5}", "invalid_request|key|", 400},
        {"{\"key\":\"a\\u0000\"}", "invalid_request|", 400},
        {"{\"key\":\"\"}", "{\"error\":\"invalid token\",\"data\":null}", 401},
        {"{\"key\":\"constructor\"}", "{\"error\":\"invalid token\",\"data\":null}", 401},
    };
    fixture_open(fixture, "sesame");
    struct access access = access_of(fixture);
    access.limiter = rate_limiter_new(10, 60000, 16);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_request request = post(rows[i].body);
        call(&access, &request, "POST", "/v1/login");
        assert_int_equal(request.status, rows[i].status);
        assert_memory_equal(request.answer, rows[i].answer, strlen(rows[i].answer));
        assert_null(fake_header(&request, "Set-Cookie"));
        fake_request_fini(&request);
    }
    struct http_request form = post("{\"key\":\"sesame\"}");
    form.type = "text/plain";
    call(&access, &form, "POST", "/v1/login");
    assert_int_equal(form.status, 415);
    rate_limiter_free(access.limiter);
}

static int log_in(struct access *access, const char *client, const char *body)
{
    struct http_request request = post(body);
    request.client = client;
    call(access, &request, "POST", "/v1/login");
    int status = request.status;
    assert_true((status == 429) == (fake_header(&request, "Retry-After") != NULL));
    fake_request_fini(&request);
    return status;
}

static void who_guesses_has_to_wait(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture, "sesame");
    struct access access = access_of(fixture);
    access.limiter = rate_limiter_new(3, 60000, 16);
    for (int i = 0; i < 10; i++) /* what is right costs nothing */
        assert_int_equal(log_in(&access, "192.0.2.1", "{\"key\":\"sesame\"}"), 204);
    for (int i = 0; i < 3; i++)
        assert_int_equal(log_in(&access, "192.0.2.1", "{\"key\":\"guess\"}"), 401);
    assert_int_equal(log_in(&access, "192.0.2.1", "{\"key\":\"guess\"}"), 429);
    assert_int_equal(log_in(&access, "192.0.2.1", "{\"key\":\"sesame\"}"), 429);
    assert_int_equal(log_in(&access, "192.0.2.2", "{\"key\":\"sesame\"}"), 204);
    fixture_pass(fixture, 60000);
    assert_int_equal(log_in(&access, "192.0.2.1", "{\"key\":\"sesame\"}"), 204);
    rate_limiter_free(access.limiter);
}

static void a_ticket_opens_a_websocket_or_an_event_source_once(void **state)
{
    struct fixture *fixture = *state;
    char ticket[64];
    (void)fake_store_add(fixture->store, "rk_a", "ci");
    fixture_open(fixture, NULL);
    struct access access = access_of(fixture);
    for (int kind = 0; kind < 3; kind++) {
        struct http_request request = {.method = "POST", .key = 1, .scopes = 3};
        call(&access, &request, "POST", "/v1/tickets");
        assert_int_equal(request.status, 200);
        assert_memory_equal(request.answer, "{\"ticket\":\"", 11);
        assert_non_null(strstr(request.answer, "\",\"expires_at\":\"20"));
        (void)snprintf(ticket, sizeof ticket, "%.43s", request.answer + 11);
        fake_request_fini(&request);
        struct http_request use = {.ticket = ticket,
                                   .is_websocket = kind == 0,
                                   .accept = kind == 1 ? "text/event-stream" : "*/*"};
        struct http_request again = use;
        if (kind == 2) { /* neither of them */
            assert_refused(fixture, use, "missing bearer token");
            continue;
        }
        assert_true(enters(fixture, &use, "runs", &any_route));
        assert_int_equal(use.key, 1);
        assert_refused(fixture, again, "invalid ticket");
    }
}

static void one_is_told_who_one_is(void **state)
{
    struct fixture *fixture = *state;
    (void)fake_store_add(fixture->store, "rk_a", "c\"i");
    fixture_open(fixture, NULL);
    struct access access = access_of(fixture);
    struct http_request request = {.key = 1, .scopes = 5};
    call(&access, &request, "GET", "/v1/me");
    assert_string_equal(
        request.answer,
        "{\"key\":\"c\\\"i\",\"scopes\":[\"run\",\"admin\"],\"keys_configured\":true,\"webhook_"
        "secret\":\"whsec_kI6VZyJmAw0cu4Ddj/Qt2VzsNqaxWmqXVpq0b6JX24E=\"}");
    fake_request_fini(&request);
    call(&access, &request, "GET", "/v1/me");
    assert_string_equal(
        request.answer,
        "{\"key\":null,\"scopes\":[],\"keys_configured\":true,\"webhook_secret\":null}");
    fake_request_fini(&request);
}

static void a_key_is_made_shown_once_and_good_at_once(void **state)
{
    struct fixture *fixture = *state;
    char header_text[64];
    static const char answer[] = "{\"number\":1,\"label\":\"ci\",\"token\":\"";
    fixture_open(fixture, "env:first");
    struct access access = access_of(fixture);
    struct http_request request =
        post("{\"label\":\"ci\",\"scopes\":[\"files\"],\"rate\":0.5,\"burst\":3,\"concurrency\":4,"
             "\"daily_ms\":3600000,\"lasts_ms\":99999999999}");
    call(&access, &request, "POST", "/v1/keys");
    assert_int_equal(request.status, 0);
    (void)fake_store_answer(fixture->store);
    assert_int_equal(request.status, 201);
    assert_memory_equal(request.answer, answer, sizeof answer - 1);
    (void)snprintf(header_text, sizeof header_text, "Bearer %.46s",
                   request.answer + sizeof answer - 1);
    fake_request_fini(&request);
    const struct store_key *key = &fixture->store->keys[0];
    assert_int_equal(key->scopes, STORE_SCOPE_FILES);
    assert_int_equal(key->rate_milli, 500);
    assert_int_equal(key->burst, 3);
    assert_int_equal(key->concurrency, 4);
    assert_int_equal(key->daily_run_ms, 3600000);
    assert_int_equal(key->expires_ms, key->created_ms + 99999999999);
    request = (struct http_request){.authorization = header_text};
    assert_true(enters(fixture, &request, "files", &files_route));
    call(&access, &request, "GET", "/v1/keys");
    assert_non_null(strstr(request.answer, "{\"number\":null,\"label\":\"first\","
                                           "\"from_environment\":true,"));
    assert_non_null(strstr(request.answer, "{\"number\":1,\"label\":\"ci\","));
    assert_null(strstr(request.answer, header_text + 7));
    fake_request_fini(&request);
    request = (struct http_request){.number = "1"};
    call(&access, &request, "DELETE", "/v1/keys/:number");
    (void)fake_store_answer(fixture->store);
    assert_int_equal(request.status, 204);
    fake_request_fini(&request);
    assert_refused(fixture, (struct http_request){.authorization = header_text}, "invalid token");
}

static void a_key_that_makes_no_sense_names_the_field(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *body;
        const char *field;
    } rows[] = {
        {"{\"label\":5}", "label"},
        {"{\"label\":\"\"}", "label"},
        {"{\"label\":\"7\"}", "label"},
        {"{\"scopes\":\"run\"}", "scopes"},
        {"{\"scopes\":[]}", "scopes"},
        {"{\"scopes\":[\"run,files\"]}", "scopes"},
        {"{\"scopes\":[5]}", "scopes"},
        {"{\"rate\":-1}", "rate"},
        {"{\"rate\":\"5\"}", "rate"},
        {"{\"rate\":1e300}", "rate"},
        {"{\"rate\":0.0001}", "rate"},
        {"{\"burst\":0}", "burst"},
        {"{\"burst\":1.5}", "burst"},
        {"{\"burst\":1000001}", "burst"},
        {"{\"concurrency\":-1}", "concurrency"},
        {"{\"daily_ms\":\"1h\"}", "daily_ms"},
        {"{\"lasts_ms\":18446744073709551615}", "lasts_ms"},
        {"{\"token\":\"mine\"}", "token"},
    };
    fixture_open(fixture, "env");
    struct access access = access_of(fixture);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char start[64];
        struct http_request request = post(rows[i].body);
        call(&access, &request, "POST", "/v1/keys");
        (void)snprintf(start, sizeof start, "invalid_request|%s|", rows[i].field);
        assert_int_equal(request.status, 400);
        if (strncmp(request.answer, start, strlen(start)) != 0)
            fail_msg("%s: %s", rows[i].body, request.answer);
    }
    assert_int_equal(fixture->store->count, 0);
}

static void what_the_store_cannot_do_is_said(void **state)
{
    struct fixture *fixture = *state;
    static const char *const strange[] = {
        "0", "x", "-1", "1x", "4611686018427387904", "99999999999999999999"};
    fixture_open(fixture, "env");
    struct access access = access_of(fixture);
    for (size_t i = 0; i < ARRAY_LEN(strange); i++) {
        struct http_request request = {.number = strange[i]};
        call(&access, &request, "DELETE", "/v1/keys/:number");
        assert_int_equal(request.status, 404);
    }
    struct http_request request = {.number = "7"};
    call(&access, &request, "DELETE", "/v1/keys/:number");
    (void)fake_store_answer(fixture->store);
    assert_int_equal(request.status, 404);
    fixture->store->fails = true;
    request = post("{}");
    call(&access, &request, "POST", "/v1/keys");
    (void)fake_store_answer(fixture->store);
    assert_int_equal(request.status, 507);
    access.store = NULL;
    request = post("{}");
    call(&access, &request, "POST", "/v1/keys");
    assert_int_equal(request.status, 409);
}

static void a_key_that_is_still_good_is_not_said_to_be_gone(void **state)
{
    struct fixture *fixture = *state;
    (void)fake_store_add(fixture->store, "rk_a", "a");
    fixture_open(fixture, NULL);
    struct access access = access_of(fixture);
    struct http_request request = {.number = "1"};
    call(&access, &request, "DELETE", "/v1/keys/:number");
    fixture->store->fails_to_list = true;
    (void)fake_store_answer(fixture->store); /* it is revoked, … */
    (void)fake_store_answer(fixture->store); /* … and cannot be read */
    assert_int_equal(request.status, 500);
    assert_non_null(
        strstr(request.answer, "it is revoked, but good here until the keys can be read again: "));
    fake_request_fini(&request);
    request = (struct http_request){.authorization = "Bearer rk_a"};
    assert_true(enters(fixture, &request, "runs", &any_route));
}

static void a_client_that_leaves_is_not_answered(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture, "env");
    struct access access = access_of(fixture);
    struct http_request request = post("{}");
    call(&access, &request, "POST", "/v1/keys");
    request.gone(request.gone_context);
    (void)fake_store_answer(fixture->store);
    assert_int_equal(request.status, 0);
    assert_int_equal(fixture->store->count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_keys_nobody_is_asked),
        TEST(a_header_is_read_as_clients_write_it),
        TEST(scopes_are_asked_for),
        TEST(what_makes_no_run_has_a_rate),
        TEST(polls_of_jobs_have_it_too),
        TEST(a_long_answer_costs_as_much_as_many),
        TEST(an_open_route_knows_who_comes_and_lets_anybody_in),
        TEST(anonymous_dialects_need_no_key_and_v1_always_does),
        TEST(names_of_anonymous_dialects_are_checked),
        TEST(a_browser_logs_in_uses_its_cookie_and_logs_out),
        TEST(a_login_that_makes_no_sense_is_refused),
        TEST(who_guesses_has_to_wait),
        TEST(a_ticket_opens_a_websocket_or_an_event_source_once),
        TEST(one_is_told_who_one_is),
        TEST(a_key_is_made_shown_once_and_good_at_once),
        TEST(a_key_that_makes_no_sense_names_the_field),
        TEST(what_the_store_cannot_do_is_said),
        TEST(a_key_that_is_still_good_is_not_said_to_be_gone),
        TEST(a_client_that_leaves_is_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
