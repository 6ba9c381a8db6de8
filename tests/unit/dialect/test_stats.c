/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <jansson.h>
#include <stdio.h>
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
    char type[64];
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
    (void)snprintf(request->type, sizeof request->type, "%s", content_type);
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
    assert_string_equal(request.type, "application/json; charset=utf-8");
    json_t *answer = json_loads(request.body, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(answer);
    return answer;
}

static void ask_metrics(void)
{
    stats_routes[1].handle(&request, &stats);
    assert_int_equal(request.status, 200);
    assert_string_equal(request.type, "text/plain; version=0.0.4; charset=utf-8");
}

static void assert_said(const char *line)
{
    char whole[256];
    (void)snprintf(whole, sizeof whole, "\n%s\n", line);
    if (!strstr(request.body, whole))
        fail_msg("no line '%s'", line);
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
    histogram_add(&stats.queued_all, queued_ms);
    histogram_add(&stats.wall_all, wall_ms);
    history_ended(&stats.history, now_ns / NS_PER_MS, wall_ms);
}

static const struct stats_worker workers[] = {
    {"one", "host-1", "1.2.3", 4, 3, 8 * GIB, GIB, 1500, 250, 2000, false},
    {"a \"b\\\nc", "host-2", "1.2.4", 2, 0, 0, 0, 0, 0, 0, true},
};

static void each_worker(void *context, stats_worker_fn *fn, void *fn_context)
{
    (void)context;
    for (size_t i = 0; i < ARRAY_LEN(workers); i++)
        fn(fn_context, &workers[i]);
}

static bool is_there(void *context)
{
    (void)context;
    return true;
}

static bool is_away(void *context)
{
    (void)context;
    return false;
}

static void it_is_for_administrators(void **state)
{
    (void)state;
    assert_string_equal(stats_routes[0].path, "/v1/stats");
    assert_string_equal(stats_routes[1].path, "/metrics");
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(stats_routes[i].access, STORE_SCOPE_ADMIN);
    assert_null(stats_routes[2].method);
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

static void workers_are_told_where_there_are_any(void **state)
{
    (void)state;
    json_t *answer = ask();
    assert_null(json_object_get(answer, "workers"));
    json_decref(answer);
    stats.fleet = (struct stats_fleet){each_worker, is_there, is_away, NULL};
    answer = ask();
    const json_t *told = json_object_get(answer, "workers");
    assert_int_equal(json_array_size(told), 2);
    assert_int_equal(number(json_array_get(told, 0), "promised_mb"), 1024);
    assert_string_equal(json_string_value(json_object_get(json_array_get(told, 1), "name")),
                        workers[1].name);
    assert_true(json_is_true(json_object_get(json_array_get(told, 1), "draining")));
    json_decref(answer);
}

static void metrics_say_what_goes_on(void **state)
{
    (void)state;
    now_ns += 90 * NS_PER_S;
    ask_metrics();
    static const char *const lines[] = {
        "# TYPE runnel_uptime_seconds gauge",
        "runnel_uptime_seconds 90",
        "runnel_slots 4",
        "runnel_runs_running 2",
        "runnel_runs_queued{lane=\"low\"} 5",
        "runnel_memory_promised_bytes 3221225472",
        "runnel_store_free_bytes 2",
        "runnel_run_wall_seconds_bucket{le=\"+Inf\"} 0",
    };
    assert_non_null(strstr(request.body, "runnel_info{version=\"1.2.3\",isolation=\"full\"} 1\n"));
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_said(lines[i]);
    assert_null(strstr(request.body, "worker"));
}

static void metrics_count_runs_that_ended(void **state)
{
    (void)state;
    run_ended("succeeded", "python", 1, 10);
    run_ended("succeeded", "c", 3, 30);
    run_ended("timeout", "python", 2, 5001);
    ask_metrics();
    static const char *const lines[] = {
        "# TYPE runnel_runs_ended_total counter",
        "runnel_runs_ended_total{verdict=\"succeeded\"} 2",
        "runnel_runs_ended_by_language_total{language=\"python\"} 2",
        "# TYPE runnel_run_wall_seconds histogram",
        "runnel_run_wall_seconds_bucket{le=\"0.005\"} 0",
        "runnel_run_wall_seconds_bucket{le=\"0.010\"} 1",
        "runnel_run_wall_seconds_bucket{le=\"5.000\"} 2",
        "runnel_run_wall_seconds_bucket{le=\"10.000\"} 3",
        "runnel_run_wall_seconds_bucket{le=\"+Inf\"} 3",
        "runnel_run_wall_seconds_sum 5.041",
        "runnel_run_wall_seconds_count 3",
        "runnel_run_queued_seconds_sum 0.006",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_said(lines[i]);
}

static void metrics_name_workers_whatever_they_are_called(void **state)
{
    (void)state;
    stats.fleet = (struct stats_fleet){each_worker, is_there, is_away, NULL};
    ask_metrics();
    static const char *const lines[] = {
        "runnel_broker_connected 1",
        "runnel_stream_connected 0",
        "runnel_worker_info{worker=\"one\",host=\"host-1\",version=\"1.2.3\"} 1",
        "runnel_worker_slots{worker=\"a \\\"b\\\\\\nc\"} 2",
        "runnel_worker_load1{worker=\"one\"} 1.500",
        "runnel_worker_seen_seconds{worker=\"one\"} 2.000",
        "runnel_worker_draining{worker=\"a \\\"b\\\\\\nc\"} 1",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_said(lines[i]);
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
        TEST(workers_are_told_where_there_are_any),
        TEST(metrics_say_what_goes_on),
        TEST(metrics_count_runs_that_ended),
        TEST(metrics_name_workers_whatever_they_are_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
