/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/util.h"
#include "loop/loop.h"
#include "webhook/webhook_private.h"
#include "webhook_fixture.h"

#define NO_CONTENT "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"

/* The value of a header of a request. */
static const char *header(const char *request, const char *name, char value[128])
{
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "\r\n%s: ", name);
    const char *at = strstr(request, wanted);
    assert_non_null(at);
    at += strlen(wanted);
    (void)snprintf(value, 128, "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

static void a_delivery_is_signed_and_says_what_it_is(void **state)
{
    struct fixture *fixture = *state;
    char request[REQUEST_MAX];
    char value[128];
    char expected[WEBHOOK_SIGNATURE_SIZE];
    static const char body[] = "{\"id\":\"run_1\",\"status\":\"succeeded\"}";
    fixture_serve(fixture, NO_CONTENT, 0);
    fixture_open(fixture, "127.0.0.0/8", 0, 0);
    assert_int_equal(fixture_post(fixture, "127.0.0.1", "/a/../b?c=d", body, NULL), 0);
    assert_int_equal(fixture->count, 0);
    fixture_await(fixture, 1);
    assert_int_equal(fixture->results[0].status, 204);
    (void)fixture_requests(fixture, request);
    assert_memory_equal(request, "POST /a/../b?c=d HTTP/1.1\r\n", 27);
    assert_string_equal(header(request, "Content-Type", value), "application/json");
    assert_string_equal(header(request, "User-Agent", value), "runnel/" RUNNEL_VERSION);
    assert_string_equal(header(request, "Webhook-Id", value), "run_1");
    uint64_t timestamp = strtoull(header(request, "Webhook-Timestamp", value), NULL, 10);
    assert_in_range(timestamp, (uint64_t)time(NULL) - 60, (uint64_t)time(NULL));
    webhook_sign(slice_of(FIXTURE_SECRET), "run_1", timestamp, slice_of(body), expected);
    assert_string_equal(header(request, "Webhook-Signature", value), expected);
    assert_string_equal(strstr(request, "\r\n\r\n") + 4, body);
    assert_null(strstr(request, "Expect"));
    assert_null(strstr(request, "Cookie"));
}

static void every_status_is_told(void **state)
{
    struct fixture *fixture = *state;
    fixture_serve(fixture, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 0);
    fixture_open(fixture, "127.0.0.1", 0, 0);
    assert_int_equal(fixture_post(fixture, "127.0.0.1", "/", "", NULL), 0);
    fixture_await(fixture, 1);
    assert_int_equal(fixture->results[0].status, 500);
}

static void a_name_is_resolved_without_waiting(void **state)
{
    struct fixture *fixture = *state;
    fixture_serve(fixture, NO_CONTENT, 0);
    fixture_open(fixture, "127.0.0.0/8", 0, 0);
    assert_int_equal(fixture_post(fixture, "localhost", "/", "{}", NULL), 0);
    fixture_await(fixture, 1);
    assert_int_equal(fixture->results[0].status, 204);
}

/* However they are written. The server would answer all of them. */
static void our_own_addresses_are_not_called(void **state)
{
    struct fixture *fixture = *state;
    char request[REQUEST_MAX];
    static const char *const hosts[] = {
        "127.0.0.1",
        "localhost",
        "127.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "127.000.000.01",
        "0x7f.1",
        "LOCALHOST",
        "127.0.0.1.",
        "[::ffff:0:0]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    };
    fixture_serve(fixture, NO_CONTENT, 0);
    fixture_open(fixture, NULL, 0, ARRAY_LEN(hosts));
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
        assert_int_equal(fixture_post(fixture, hosts[i], "/", "{}", NULL), 0);
    fixture_await(fixture, ARRAY_LEN(hosts));
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        assert_int_equal(fixture->results[i].status, 0);
        if (fixture->results[i].err.code != ERR_FORBIDDEN) /* "127.0.0.1." may be a name */
            assert_non_null(strstr(fixture->results[i].err.text, "resolve"));
    }
    assert_int_equal(fixture_requests(fixture, request), 0);
}

static void no_word_of_the_environment_leads_elsewhere(void **state)
{
    struct fixture *fixture = *state;
    char request[REQUEST_MAX];
    char proxy[64];
    (void)snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", (unsigned)fixture->port);
    assert_int_equal(setenv("http_proxy", proxy, 1), 0);
    assert_int_equal(setenv("ALL_PROXY", proxy, 1), 0);
    fixture_serve(fixture, NO_CONTENT, 0);
    fixture_open(fixture, "127.0.0.1", 0, 0);
    assert_int_equal(fixture_post(fixture, "127.0.0.2", "/", "{}", NULL), 0);
    fixture_await(fixture, 1);
    assert_int_equal(fixture->results[0].err.code, ERR_FORBIDDEN);
    assert_int_equal(fixture_requests(fixture, request), 0);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(unsetenv("ALL_PROXY"), 0);
}

static void a_redirect_is_an_answer_and_not_followed(void **state)
{
    struct fixture *fixture = *state;
    char request[REQUEST_MAX];
    fixture_serve(fixture,
                  "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n"
                  "Connection: close\r\n\r\n",
                  0);
    fixture_open(fixture, "127.0.0.0/8", 0, 0);
    assert_int_equal(fixture_post(fixture, "127.0.0.1", "/first", "{}", NULL), 0);
    fixture_await(fixture, 1);
    assert_int_equal(fixture->results[0].status, 302);
    (void)fixture_requests(fixture, request);
    assert_null(strstr(request, "/other"));
}

static void silence_ends_with_the_timeout(void **state)
{
    struct fixture *fixture = *state;
    fixture_serve(fixture, NULL, 0);
    fixture_open(fixture, "127.0.0.0/8", 200, 0);
    uint64_t began_ns = loop_now_ns();
    assert_int_equal(fixture_post(fixture, "127.0.0.1", "/", "{}", NULL), 0);
    fixture_await(fixture, 1);
    assert_int_equal(fixture->results[0].status, 0);
    assert_non_null(strstr(fixture->results[0].err.text, "no answer within 200 ms"));
    assert_true(loop_now_ns() - began_ns >= 190 * NS_PER_MS);
    assert_true(loop_now_ns() - began_ns < 10 * NS_PER_S);
}

static void nobody_there_is_told_at_once(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture, "127.0.0.0/8", 0, 0);
    (void)shutdown(fixture->listener, SHUT_RD); /* listens no more */
    assert_int_equal(fixture_post(fixture, "127.0.0.1", "/", "{}", NULL), 0);
    fixture_await(fixture, 1);
    assert_int_equal(fixture->results[0].status, 0);
    assert_true(strncmp(fixture->results[0].err.text, "webhook: ", 9) == 0);
}

static uint64_t max_resident_kib(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (uint64_t)usage.ru_maxrss;
}

static void an_answer_of_a_gibibyte_is_not_read(void **state)
{
    struct fixture *fixture = *state;
    fixture_serve(fixture, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", GIB);
    fixture_open(fixture, "127.0.0.0/8", 0, 0);
    uint64_t before_kib = max_resident_kib();
    assert_int_equal(fixture_post(fixture, "127.0.0.1", "/", "{}", NULL), 0);
    fixture_await(fixture, 1);
    assert_int_equal(fixture->results[0].status, 200); /* it was taken, whatever else was said */
    assert_true(max_resident_kib() - before_kib < 32 * 1024);
    assert_true(*fixture->given < GIB / 2); /* the kernel's buffers, and what we looked at */
}

static void endless_headers_are_not_read(void **state)
{
    struct fixture *fixture = *state;
    static char answer[256 * 1024];
    size_t len = (size_t)snprintf(answer, sizeof answer, "HTTP/1.1 100 Continue\r\n\r\n");
    while (len < sizeof answer - 64)
        len += (size_t)snprintf(answer + len, sizeof answer - len, "HTTP/1.1 100 Continue\r\n\r\n");
    fixture_serve(fixture, answer, 0);
    fixture_open(fixture, "127.0.0.0/8", 0, 0);
    assert_int_equal(fixture_post(fixture, "127.0.0.1", "/", "{}", NULL), 0);
    fixture_await(fixture, 1);
    assert_int_equal(fixture->results[0].status, 0);
}

static void so_many_are_under_way_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};
    fixture_serve(fixture, NULL, 0);
    fixture_open(fixture, "127.0.0.0/8", 300, 2);
    assert_int_equal(fixture_post(fixture, "127.0.0.1", "/", "{}", NULL), 0);
    assert_int_equal(fixture_post(fixture, "127.0.0.1", "/", "{}", NULL), 0);
    assert_int_equal(fixture_post(fixture, "127.0.0.1", "/", "{}", &err), -1);
    assert_int_equal(err.code, ERR_BUSY);
    fixture_await(fixture, 2);
    assert_int_equal(fixture_post(fixture, "127.0.0.1", "/", "{}", NULL), 0);
    fixture_await(fixture, 3);
}

static void what_is_freed_under_way_says_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture_serve(fixture, NULL, 0);
    for (int turn = 0; turn < 3; turn++) {
        fixture_open(fixture, "127.0.0.0/8", 0, 0);
        assert_int_equal(fixture_post(fixture, "127.0.0.1", "/", "{}", NULL), 0);
        assert_int_equal(fixture_post(fixture, "localhost", "/", "{}", NULL), 0);
        struct loop_timer *timer =
            loop_timer_new(fixture->loop, (loop_fn *)loop_stop, fixture->loop);
        loop_timer_start(timer, 20 * (uint64_t)turn);
        loop_run(fixture->loop); /* to some place in their midst */
        loop_timer_free(timer);
        webhooks_free(take_ptr(&fixture->webhooks));
    }
    assert_int_equal(fixture->count, 0);
}

static void free_all(void *context, int status, const struct err *err)
{
    struct fixture *fixture = context;
    (void)status, (void)err;
    fixture->count++;
    webhooks_free(take_ptr(&fixture->webhooks));
    loop_stop(fixture->loop);
}

static void whoever_is_told_may_free_everything(void **state)
{
    struct fixture *fixture = *state;
    const struct webhook_message message = {.url = "http://127.0.0.1:9/", .id = "a"};
    fixture_open(fixture, NULL, 0, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(webhook_post(fixture->webhooks, &message, free_all, fixture, NULL), 0);
    loop_run(fixture->loop);
    assert_int_equal(fixture->count, 1);
}

static void a_network_that_is_none_keeps_us_from_starting(void **state)
{
    struct fixture *fixture = *state;
    static const char *const wrong[] = {"10.0.0.0/33", "10.0.0",    "localhost",  "",
                                        "::1/129",     "10.0.0.0/", "1.2.3.4/-1", "fd00::/8 "};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        const char *const networks[] = {"::1", wrong[i], NULL};
        const struct webhooks_config config = {.allowed = networks};
        struct err err = {0};
        assert_null(webhooks_new(fixture->loop, &config, &err));
        assert_int_equal(err.code, ERR_CONFIG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_delivery_is_signed_and_says_what_it_is),
        TEST(every_status_is_told),
        TEST(a_name_is_resolved_without_waiting),
        TEST(our_own_addresses_are_not_called),
        TEST(no_word_of_the_environment_leads_elsewhere),
        TEST(a_redirect_is_an_answer_and_not_followed),
        TEST(silence_ends_with_the_timeout),
        TEST(nobody_there_is_told_at_once),
        TEST(an_answer_of_a_gibibyte_is_not_read),
        TEST(endless_headers_are_not_read),
        TEST(so_many_are_under_way_at_once),
        TEST(what_is_freed_under_way_says_nothing),
        TEST(whoever_is_told_may_free_everything),
        TEST(a_network_that_is_none_keeps_us_from_starting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
