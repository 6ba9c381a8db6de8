/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <signal.h>
#include <string.h>

#include "codec/json_write.h"
#include "dialect/execute_result.h"
#include "engine/engine.h"
#include "fake_engine.h"
#include "loop/loop.h"

static void exit_code_speaks_of_the_limit_then_of_the_program(void **state)
{
    (void)state;
    static const struct {
        enum verdict verdict;
        int exit_code;
        int signal;
        int expected;
    } rows[] = {
        {VERDICT_INTERNAL_ERROR, 0, 0, 126},
        {VERDICT_CANCELLED, 0, 0, 130},
        {VERDICT_CANCELLED, 0, SIGKILL, 137},
        {VERDICT_QUEUE_TIMEOUT, 0, 0, 124},
        {VERDICT_TIMEOUT, 0, SIGKILL, 124},
        {VERDICT_IDLE_TIMEOUT, 0, SIGKILL, 124},
        {VERDICT_CPU_LIMIT, 0, SIGXCPU, 124},
        {VERDICT_MEMORY_LIMIT, 0, SIGKILL, 137},
        {VERDICT_MEMORY_LIMIT, 0, 0, 137},
        {VERDICT_MEMORY_LIMIT, 1, 0, 137},
        {VERDICT_OUTPUT_LIMIT, 0, SIGPIPE, 141},
        {VERDICT_OUTPUT_LIMIT, 0, 0, 137},
        {VERDICT_COMPILE_FAILED, 1, 0, 1},
        {VERDICT_COMPILE_FAILED, 0, SIGSEGV, 139},
        {VERDICT_KILLED_BY_SIGNAL, 0, SIGABRT, 134},
        {VERDICT_FAILED, 3, 0, 3},
        {VERDICT_SUCCEEDED, 0, 0, 0},
    };
    bool seen[VERDICT_COUNT] = {false};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct run_result result = {
            .verdict = rows[i].verdict,
            .exit_code = rows[i].exit_code,
            .signal = rows[i].signal,
        };
        assert_int_equal(result_exit_code(&result), rows[i].expected);
        seen[rows[i].verdict] = true;
    }
    for (size_t i = 0; i < VERDICT_COUNT; i++)
        assert_true(seen[i]);
}

static void what_an_earlier_attempt_said_is_void(void **state)
{
    (void)state;
    static const struct {
        enum event_kind kind;
        unsigned attempt;
        const char *text;
        const char *merged; /* by then */
    } rows[] = {
        {EVENT_STDOUT, 1, "a", "a"}, {EVENT_STDERR, 1, "b", "ab"}, {EVENT_STATE, 2, "", ""},
        {EVENT_STDERR, 2, "c", "c"}, {EVENT_STDOUT, 2, "d", "cd"}, {EVENT_GAP, 3, "", ""},
        {EVENT_STDOUT, 3, "e", "e"}, {EVENT_STATE, 3, "", "e"},    {EVENT_STDOUT, 4, "f", "f"},
    };
    struct result_output output;
    result_output_init(&output);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct event event = {
            .kind = rows[i].kind,
            .attempt = rows[i].attempt,
            .bytes = slice_of(rows[i].text),
        };
        result_output_add(&output, &event);
        assert_string_equal(buf_text(&output.merged), rows[i].merged);
    }
    assert_string_equal(buf_text(&output.out), "f");
    assert_int_equal(output.err.len, 0);
    assert_false(output.is_cut); /* what was missing is void, too */
    result_output_fini(&output);
}

static void check_lost(const struct result_output *output, const char *told)
{
    auto_buf struct buf text;
    buf_init(&text, KIB);
    struct json json = json_start(&text);
    result_output_write_lost(&json, output);
    assert_string_equal(buf_text(&text), told);
}

static void what_is_missing_is_counted(void **state)
{
    (void)state;
    static char much[MIB];
    struct event gap = {.kind = EVENT_GAP, .attempt = 1};
    struct event block = {.kind = EVENT_STDERR, .attempt = 1, .bytes = {much, sizeof much}};
    struct result_output output;
    result_output_init(&output);
    check_lost(&output, "");
    result_output_add(&output, &gap); /* nobody knows how many */
    check_lost(&output, "\"lost_bytes\":0");
    gap.lost_bytes = 5;
    result_output_add(&output, &gap);
    check_lost(&output, "\"lost_bytes\":5");
    for (size_t i = 0; i < RESULT_STREAM_MAX / sizeof much + 2; i++)
        result_output_add(&output, &block);
    assert_true(result_output_failed(&output));
    check_lost(&output, "\"lost_bytes\":2097157");
    result_output_fini(&output);
}

static void nothing(void *context)
{
    (void)context;
}

static void results_are_written_whole(void **state)
{
    (void)state;
    struct engine engine = {.loop = loop_new()};
    const struct run_spec spec = {.source = slice_of("out a\"\nerr b\nend failed 3 0")};
    struct run *run = engine_submit(&engine, &spec, NULL);
    struct reader *reader = run_attach(run, 0, READER_TEXT, nothing, NULL, NULL);
    struct result_output output;
    result_output_init(&output);
    struct event event;
    while (reader_next(reader, &event) > 0)
        result_output_add(&output, &event);
    struct buf body;
    buf_init(&body, RESULT_BODY_MAX);
    execute_write_result(&body, run, &output, "full");
    const char *rest = strstr(buf_text(&body), ",\"status\"");
    assert_non_null(rest);
    assert_string_equal(
        rest,
        ",\"status\":\"error\",\"output\":\"a\\\"\\nb\\n\",\"exitCode\":3,\"verdict\":\"failed\","
        "\"reason\":\"it was to end as failed\",\"stdout\":\"a\\\"\\n\",\"stderr\":\"b\\n\","
        "\"usage\":{\"wall_ms\":12,\"cpu_ms\":10,\"compile_ms\":0,\"memory_peak_bytes\":4194304,"
        "\"max_rss_mb\":4,"
        "\"queued_ms\":1},\"limits\":{\"timeout_ms\":10000,\"cpus\":1.5,\"memory_mb\":256},"
        "\"isolation\":\"full\",\"limits_hit\":{\"processes\":0,\"workspace\":0,\"file_size\":0,"
        "\"open_files\":0}}");
    buf_fini(&body);
    result_output_fini(&output);
    reader_free(reader);
    loop_free(engine.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_code_speaks_of_the_limit_then_of_the_program),
        cmocka_unit_test(what_an_earlier_attempt_said_is_void),
        cmocka_unit_test(what_is_missing_is_counted),
        cmocka_unit_test(results_are_written_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
