/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "dialect/stats.h"
#include "engine/engine.h"
#include "loop/loop.h"
#include "os/clock.h"
#include "store/store.h"

enum { STEP_MS = 10000 };

/* --- the engine, the store and the server, as far as they are asked --- */

struct http_request {
    int status;
    char body[256 * KIB];
};

static uint64_t now_ns;

uint64_t loop_now_ns(void)
{
    return now_ns;
}

uint64_t clock_unix_ms(void)
{
    return 1800000000000;
}

size_t engine_running(const struct engine *engine)
{
    (void)engine;
    return 2;
}

size_t engine_queued(const struct engine *engine)
{
    (void)engine;
    return 5;
}

size_t engine_queued_in(const struct engine *engine, enum lane lane)
{
    (void)engine;
    return lane == LANE_LOW ? 5 : 0;
}

const char *lane_name(enum lane lane)
{
    static const char *const names[] = {"high", "normal", "low"};
    return names[lane];
}

uint64_t engine_promised_bytes(const struct engine *engine)
{
    (void)engine;
    return 3 * GIB;
}

const char *engine_isolation(const struct engine *engine)
{
    (void)engine;
    return "full";
}

struct store_size store_size(const struct store *store)
{
    (void)store;
    return (struct store_size){.bytes = 1, .free_bytes = 2, .runs = 3, .files = 4};
}

void http_add_header(struct http_request *request, const char *name, const char *value)
{
    (void)request;
    assert_string_equal(name, "Cache-Control");
    assert_string_equal(value, "no-store");
}

void http_reply_take(struct http_request *request, int status, const char *content_type,
                     struct buf *body)
{
    assert_string_equal(content_type, "application/json; charset=utf-8");
    assert_false(body->failed);
    assert_true(body->len < sizeof request->body);
    request->status = status;
    memcpy(request->body, buf_text(body), body->len + 1);
    buf_fini(body);
}

/* --- tests --- */

static struct stats stats;
static struct http_request request;

static int set_up(void **state)
{
    (void)state;
    now_ns = 1000 * NS_PER_S;
    stats = (struct stats){.version = "1.2.3",
                           .slots = 4,
                           .queue_length = 64,
                           .memory_bytes = 8 * GIB,
                           .started_ns = now_ns};
    history_init(&stats.history, STEP_MS, now_ns / NS_PER_MS);
    return 0;
}

static json_t *ask(void)
{
    request.status = 0;
    stats_routes[0].handle(&request, &stats);
    assert_int_equal(request.status, 200);
    json_t *answer = json_loads(request.body, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(answer);
    return answer;
}

static json_int_t number(const json_t *object, const char *key)
{
    assert_true(json_is_integer(json_object_get(object, key)));
    return json_integer_value(json_object_get(object, key));
}

static void run_ended(const char *verdict, const char *language, uint64_t queued_ms,
                      uint64_t wall_ms)
{
    tally_add(&stats.verdicts, verdict);
    tally_add(&stats.languages, language);
    latency_add(&stats.queued, queued_ms);
    latency_add(&stats.wall, wall_ms);
    history_ended(&stats.history, now_ns / NS_PER_MS, wall_ms);
}

static void it_is_for_administrators(void **state)
{
    (void)state;
    assert_string_equal(stats_routes[0].path, "/v1/stats");
    assert_int_equal(stats_routes[0].access, STORE_SCOPE_ADMIN);
    assert_null(stats_routes[1].method);
}

static void what_goes_on_is_told(void **state)
{
    (void)state;
    now_ns += 90 * NS_PER_S;
    json_t *answer = ask();
    assert_string_equal(json_string_value(json_object_get(answer, "version")), "1.2.3");
    assert_string_equal(json_string_value(json_object_get(answer, "isolation")), "full");
    assert_int_equal(number(answer, "uptime_s"), 90);
    assert_int_equal(number(answer, "slots"), 4);
    assert_int_equal(number(answer, "running"), 2);
    assert_int_equal(number(answer, "queued"), 5);
    assert_int_equal(number(answer, "queue_length"), 64);
    assert_int_equal(number(json_object_get(answer, "queued_by_priority"), "low"), 5);
    assert_int_equal(number(answer, "memory_promised_bytes"), 3 * GIB);
    assert_int_equal(number(answer, "memory_bytes"), 8 * GIB);
    const json_t *store = json_object_get(answer, "store");
    assert_int_equal(number(store, "bytes"), 1);
    assert_int_equal(number(store, "free_bytes"), 2);
    assert_int_equal(number(store, "runs"), 3);
    assert_int_equal(number(store, "files"), 4);
    json_decref(answer);
}

static void without_runs_there_are_no_latencies(void **state)
{
    (void)state;
    now_ns += 2 * STEP_MS * NS_PER_MS;
    json_t *answer = ask();
    const json_t *latency = json_object_get(answer, "latency");
    assert_int_equal(number(latency, "runs"), 0);
    assert_true(json_is_null(json_object_get(latency, "queued_ms")));
    assert_true(json_is_null(json_object_get(latency, "wall_ms")));
    assert_int_equal(number(json_object_get(answer, "ended"), "total"), 0);
    const json_t *points = json_object_get(json_object_get(answer, "history"), "points");
    assert_int_equal(json_array_size(points), 2);
    assert_true(json_is_null(json_object_get(json_array_get(points, 0), "p50_wall_ms")));
    json_decref(answer);
}

static void runs_that_ended_are_counted_by_verdict_and_language(void **state)
{
    (void)state;
    run_ended("succeeded", "python", 1, 10);
    run_ended("succeeded", "c", 3, 30);
    run_ended("timeout", "python", 2, 5000);
    json_t *answer = ask();
    const json_t *ended = json_object_get(answer, "ended");
    const json_t *latency = json_object_get(answer, "latency");
    assert_int_equal(number(ended, "total"), 3);
    assert_int_equal(number(json_object_get(ended, "verdicts"), "succeeded"), 2);
    assert_int_equal(number(json_object_get(ended, "verdicts"), "timeout"), 1);
    assert_int_equal(number(json_object_get(ended, "languages"), "python"), 2);
    assert_int_equal(number(latency, "runs"), 3);
    assert_int_equal(number(json_object_get(latency, "queued_ms"), "p50"), 2);
    assert_int_equal(number(json_object_get(latency, "wall_ms"), "p50"), 30);
    assert_int_equal(number(json_object_get(latency, "wall_ms"), "p99"), 5000);
    json_decref(answer);
}

static void points_have_the_time_of_day_of_their_start(void **state)
{
    (void)state;
    history_levels(&stats.history, now_ns / NS_PER_MS, 7, 3);
    run_ended("succeeded", "python", 1, 10);
    now_ns += (2 * STEP_MS + 1) * NS_PER_MS;
    json_t *answer = ask();
    const json_t *history = json_object_get(answer, "history");
    const json_t *points = json_object_get(history, "points");
    assert_int_equal(number(history, "step_ms"), STEP_MS);
    assert_int_equal(json_array_size(points), 2);
    const json_t *first = json_array_get(points, 0);
    assert_int_equal(number(first, "t"), 1800000000000 - 2 * STEP_MS - 1);
    assert_int_equal(number(first, "queued"), 7);
    assert_int_equal(number(first, "running"), 3);
    assert_int_equal(number(first, "ended"), 1);
    assert_int_equal(number(first, "p50_wall_ms"), 10);
    assert_int_equal(number(json_array_get(points, 1), "ended"), 0);
    json_decref(answer);
}

static void the_longest_answer_fits(void **state)
{
    (void)state;
    for (size_t i = 0; i < HISTORY_POINTS + 5; i++) {
        history_levels(&stats.history, now_ns / NS_PER_MS, UINT64_MAX, UINT64_MAX);
        run_ended("killed_by_signal", "javascript", UINT64_MAX, UINT64_MAX);
        now_ns += STEP_MS * NS_PER_MS;
    }
    stats_routes[0].handle(&request, &stats);
    assert_int_equal(request.status, 200);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_for_administrators),
        TEST(what_goes_on_is_told),
        TEST(without_runs_there_are_no_latencies),
        TEST(runs_that_ended_are_counted_by_verdict_and_language),
        TEST(points_have_the_time_of_day_of_their_start),
        TEST(the_longest_answer_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
