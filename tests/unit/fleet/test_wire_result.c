/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "fleet/wire.h"

static struct carried_event events[] = {
    {1, 2, 0, EVENT_STATE, RUN_RUNNING},
    {2, 2, 4, EVENT_STDOUT, .bytes = {"hi\n", 3}},
    {3, 2, 5, EVENT_STDERR, .bytes = {"\0\xff\n", 3}},
};
static struct run_artifact artifacts[] = {
    {(char[]){"a/b.txt"}, 12, 5, NULL},
    {(char[]){"odd \xff name"}, 0, -1, "not a file"},
};
static const struct job_result whole = {
    .id = "job-1",
    .worker = "box-7",
    .attempt = 2,
    .result =
        {
            .verdict = VERDICT_TIMEOUT,
            .reason = "it ran longer than 10 s",
            .compile_stage = true,
            .exit_code = -1,
            .signal = 9,
            .usage = {10001, 20, 3, 4 * MIB, 77},
            .hits = {1, 2, 3, 4},
            .artifacts_unlisted = 6,
        },
    .last_event = 3,
    .events = events,
    .event_count = ARRAY_LEN(events),
    .artifacts = artifacts,
    .artifact_count = ARRAY_LEN(artifacts),
};

static void assert_end_equal(const struct run_result *a, const struct run_result *b)
{
    assert_int_equal(a->verdict, b->verdict);
    assert_string_equal(a->reason, b->reason);
    assert_int_equal(a->compile_stage, b->compile_stage);
    assert_int_equal(a->exit_code, b->exit_code);
    assert_int_equal(a->signal, b->signal);
    assert_memory_equal(&a->usage, &b->usage, sizeof a->usage);
    assert_memory_equal(&a->hits, &b->hits, sizeof a->hits);
    assert_int_equal(a->artifacts_unlisted, b->artifacts_unlisted);
}

static void assert_events_equal(const struct job_result *result)
{
    assert_int_equal(result->event_count, ARRAY_LEN(events));
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        assert_int_equal(result->events[i].number, events[i].number);
        assert_int_equal(result->events[i].attempt, events[i].attempt);
        assert_int_equal(result->events[i].time_ms, events[i].time_ms);
        assert_int_equal(result->events[i].kind, events[i].kind);
        assert_int_equal(result->events[i].state, events[i].state);
        assert_true(slice_equal(result->events[i].bytes, events[i].bytes));
    }
}

static void assert_artifacts_equal(const struct job_result *result)
{
    assert_int_equal(result->artifact_count, ARRAY_LEN(artifacts));
    for (size_t i = 0; i < ARRAY_LEN(artifacts); i++) {
        assert_string_equal(result->artifacts[i].path, artifacts[i].path);
        assert_int_equal(result->artifacts[i].size, artifacts[i].size);
        assert_int_equal(result->artifacts[i].fd, -1);
    }
    assert_null(result->artifacts[0].refusal);
    assert_string_equal(result->artifacts[1].refusal, "not a file");
}

static void a_result_comes_out_as_it_went_in(void **state)
{
    (void)state;
    for (int with_events = 0; with_events < 2; with_events++) {
        struct job_result result;
        struct err err = {0};
        struct buf text;
        buf_init(&text, 65536);
        assert_int_equal(result_encode(&whole, with_events, &text), 0);
        if (result_decode(buf_slice(&text), &result, &err) < 0)
            fail_msg("%s: %s", err.text, buf_text(&text));
        assert_string_equal(result.id, "job-1");
        assert_string_equal(result.worker, "box-7");
        assert_int_equal(result.attempt, 2);
        assert_int_equal(result.last_event, 3);
        assert_end_equal(&result.result, &whole.result);
        assert_artifacts_equal(&result);
        if (with_events)
            assert_events_equal(&result);
        else
            assert_int_equal(result.event_count, 0);
        result_fini(&result);
        buf_fini(&text);
    }
}

static void every_verdict_and_every_end_travels(void **state)
{
    (void)state;
    static const struct {
        int exit_code;
        int signal;
    } ends[] = {{0, 0}, {255, 0}, {-1, 0}, {-1, 64}, {0, 9}};
    for (enum verdict verdict = 0; verdict < VERDICT_COUNT; verdict++) {
        struct job_result sent = {.id = "i",
                                  .result = {.verdict = verdict,
                                             .exit_code = ends[verdict % 5].exit_code,
                                             .signal = ends[verdict % 5].signal}};
        struct job_result result;
        struct err err = {0};
        struct buf text;
        buf_init(&text, 4096);
        assert_int_equal(result_encode(&sent, true, &text), 0);
        assert_int_equal(result_decode(buf_slice(&text), &result, &err), 0);
        assert_end_equal(&result.result, &sent.result);
        result_fini(&result);
        buf_fini(&text);
    }
}

static void what_does_not_fit_is_said(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 200);
    assert_int_equal(result_encode(&whole, true, &text), -1);
    buf_fini(&text);
}

static void long_odd_paths_have_their_room(void **state)
{
    (void)state;
    char path[4000];
    struct run_artifact many[20];
    struct job_result sent = {.id = "i", .artifacts = many, .artifact_count = ARRAY_LEN(many)};
    struct job_result result;
    struct err err = {0};
    struct buf text;
    memset(path, 0xfe, sizeof path);
    path[sizeof path - 1] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = (struct run_artifact){.path = path + i};
    buf_init(&text, MIB);
    assert_int_equal(result_encode(&sent, true, &text), 0);
    if (result_decode(buf_slice(&text), &result, &err) < 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        assert_string_equal(result.artifacts[i].path, path + i);
    result_fini(&result);
    buf_fini(&text);
}

/* As much as a worker ever says (EVENTS_MAX of worker_result.c, the most that max_artifact_files
 * may be), and each of it in its longest form. */
static void a_result_of_very_many_events_is_read(void **state)
{
    (void)state;
    enum { EVENTS = 65536, ARTIFACTS = 4096 };
    static struct carried_event said[EVENTS];
    static struct run_artifact left[ARTIFACTS];
    static char odd[] = "\xff";
    struct job_result result = whole;
    struct job_result decoded;
    struct err err = {0};
    auto_buf struct buf text;
    for (size_t i = 0; i < EVENTS; i++)
        said[i] = (struct carried_event){i + 1, 2, i, EVENT_STDOUT, .bytes = {"\0\xff", 2}};
    for (size_t i = 0; i < ARTIFACTS; i++)
        left[i] = (struct run_artifact){odd, 1, -1, odd};
    result.events = said;
    result.event_count = EVENTS;
    result.artifacts = left;
    result.artifact_count = ARTIFACTS;
    buf_init(&text, RESULT_MAX_BYTES);
    assert_int_equal(result_encode(&result, true, &text), 0);
    if (result_decode(buf_slice(&text), &decoded, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(decoded.event_count, EVENTS);
    assert_int_equal(decoded.artifact_count, ARTIFACTS);
    result_fini(&decoded);
}

static void what_is_no_result_is_refused_by_its_field(void **state)
{
    (void)state;
#define START "{\"fleet_version\":1,"
#define NAMES "\"id\":\"i\",\"verdict\":\"failed\""
    static const struct {
        const char *text;
        const char *field;
    } rows[] = {
        {"", ""},
        {"{}", "fleet_version"},
        {START "\"verdict\":\"failed\"}", "id"},
        {START "\"id\":\"i\"}", "verdict"},
        {START "\"id\":\"i\",\"verdict\":\"won\"}", "verdict"},
        {START NAMES ",\"exit_code\":256}", "exit_code"},
        {START NAMES ",\"exit_code\":-2}", "exit_code"},
        {START NAMES ",\"exit_code\":\"0\"}", "exit_code"},
        {START NAMES ",\"exit_code\":0.0}", "exit_code"},
        {START NAMES ",\"signal\":65}", "signal"},
        {START NAMES ",\"attempt\":-1}", "attempt"},
        {START NAMES ",\"attempt\":4294967296}", "attempt"},
        {START NAMES ",\"wall_ms\":1.5}", "wall_ms"},
        {START NAMES ",\"events\":7}", "events"},
        {START NAMES ",\"events\":[7]}", "events"},
        {START NAMES ",\"events\":[\"hello\"]}", ""},
        {START NAMES ",\"artifacts\":[{}]}", "artifacts"},
        {START NAMES ",\"artifacts\":[{\"path\":\"a\",\"size\":-1}]}", "size"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct job_result result;
        struct err err = {0};
        if (result_decode(slice_of(rows[i].text), &result, &err) == 0)
            fail_msg("row %zu was taken: %s", i, rows[i].text);
        if (strcmp(err.field, rows[i].field) != 0)
            fail_msg("row %zu: '%s' %s", i, err.field, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_comes_out_as_it_went_in),
        cmocka_unit_test(every_verdict_and_every_end_travels),
        cmocka_unit_test(what_does_not_fit_is_said),
        cmocka_unit_test(long_odd_paths_have_their_room),
        cmocka_unit_test(a_result_of_very_many_events_is_read),
        cmocka_unit_test(what_is_no_result_is_refused_by_its_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
