/* SPDX-License-Identifier: MIT */
/* A run that another machine carries out, seen from its clients. */
#include <signal.h>
#include <string.h>

#include "carried_fixture.h"

/* --- from submission to result --- */

static void its_life_is_told_as_if_it_were_here(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&compiled);
    struct run *run = carried_accepted(&spec, READER_TEXT);
    run_carried_state(run, RUN_QUEUED); /* as the far side's own log begins */
    run_carried_state(run, RUN_PREPARING);
    run_carried_state(run, RUN_COMPILING);
    carried_say(run, EVENT_NOTICE, "a warning");
    run_carried_state(run, RUN_RUNNING);
    carried_say(run, EVENT_STDOUT, "one");
    carried_say(run, EVENT_STDERR, "two");
    carried_end(run);
    assert_string_equal(carried.client.story,
                        "queued preparing compiling notice running out err finished end");
    assert_string_equal(buf_text(&carried.client.notice), "a warning");
    assert_string_equal(buf_text(&carried.fixture.observed),
                        "queued preparing compiling running finished ");
    assert_string_equal(run_result(run)->reason, "it exited with 0");
    assert_int_equal(run_attempt(run), 1);
}

static void nothing_is_readable_before_it_is_accepted(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = submit_and_settle(&carried.fixture, &spec);
    client_attach(&carried.client, run, 0, READER_TEXT);
    fake_loop_settle(carried.fixture.loop);
    assert_int_equal(carried_cargo_of(run)->sent, 1);
    assert_int_equal(run_state(run), RUN_QUEUED);
    assert_int_equal(carried.client.calls, 0);
    run_carried_accepted(run);
    run_carried_accepted(run);
    fake_loop_settle(carried.fixture.loop);
    assert_string_equal(carried.client.story, "queued");
    carried_end(run);
}

static void a_refused_run_was_never_queued(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = submit_and_settle(&carried.fixture, &spec);
    client_attach(&carried.client, run, 0, READER_TEXT);
    run_carried_refused(run, "no broker is there");
    fake_loop_settle(carried.fixture.loop);
    assert_string_equal(carried.client.story, "finished end");
    assert_int_equal(run_result(run)->verdict, VERDICT_INTERNAL_ERROR);
    assert_non_null(strstr(run_result(run)->reason, "no broker is there"));
}

/* The loop may bring its end before our own next turn. */
static void it_is_observed_from_its_beginning(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    run_carried_refused(submit(&carried.fixture, &spec), "no broker is there");
    run_carried_state(submit(&carried.fixture, &spec), RUN_PREPARING);
    assert_string_equal(buf_text(&carried.fixture.observed), "queued finished queued preparing ");
}

static void states_that_were_not_heard_are_made_up(void **state)
{
    (void)state;
    static const struct {
        enum run_state told[3];
        const char *story;
    } rows[] = {
        {{RUN_RUNNING}, "queued preparing running"},
        {{RUN_WAITING}, "queued preparing running waiting"},
        {{RUN_COMPILING, RUN_WAITING}, "queued preparing compiling running waiting"},
        {{RUN_RUNNING, RUN_COMPILING, RUN_PREPARING}, "queued preparing running"},
        {{RUN_WAITING, RUN_RUNNING, RUN_RUNNING}, "queued preparing running waiting running"},
        {{RUN_WAITING, RUN_FINISHED}, "queued preparing running waiting"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct run_spec spec = spec_of(&compiled);
        struct run *run = carried_accepted(&spec, READER_TEXT);
        for (size_t j = 0; j < 3; j++) /* the rest is queued, which is passed over */
            run_carried_state(run, rows[i].told[j]);
        fake_loop_settle(carried.fixture.loop);
        assert_string_equal(carried.client.story, rows[i].story);
        carried_end(run);
        client_fini(&carried.client);
    }
}

static void events_stay_as_they_were_cut(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = carried_accepted(&spec, READER_TEXT);
    run_carried_output(run, EVENT_STDOUT, slice_of("one"));
    run_carried_output(run, EVENT_STDOUT, slice_of("two"));
    carried_end(run);
    assert_string_equal(carried.client.story, "queued preparing out out finished end");
    assert_int_equal(carried.client.last_number, 6);
}

static void output_past_the_cap_is_cut_off(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.limits.value[LIMIT_OUTPUT] = 5;
    struct run *run = carried_accepted(&spec, READER_TEXT);
    carried_say(run, EVENT_STDOUT, "1234567");
    carried_say(run, EVENT_NOTICE, "1234567");
    carried_say(run, EVENT_NOTICE, "1");
    carried_end(run);
    assert_string_equal(buf_text(&carried.client.out), "12345");
    assert_string_equal(buf_text(&carried.client.notice), "12345");
    assert_int_equal(run_result(run)->verdict, VERDICT_SUCCEEDED); /* the far side decides */
}

static void artifacts_are_recorded_without_their_bytes(void **state)
{
    (void)state;
    char paths[2][2] = {"a", "b"};
    struct run_artifact artifacts[] = {
        {.path = paths[0], .size = 7, .fd = -1, .refusal = "a symbolic link"},
        {.path = paths[1], .size = 8, .fd = -1},
    };
    struct run_result result = {.verdict = VERDICT_SUCCEEDED, .artifacts_unlisted = 4};
    struct run_spec spec = spec_of(&interpreted);
    spec.recorded = true;
    struct run *run = carried_accepted(&spec, READER_TEXT);
    run_carried_ended(run, &result, artifacts, 2);
    paths[0][0] = '\0';
    assert_int_equal(carried.fixture.artifact_count, 2);
    assert_string_equal(carried.fixture.artifacts[0].path, "a");
    assert_string_equal(carried.fixture.artifacts[0].refusal, "a symbolic link");
    assert_int_equal(carried.fixture.artifacts[1].size, 8);
    assert_int_equal(carried.fixture.artifacts[1].fd, -1);
    assert_non_null(carried.fixture.artifacts[1].refusal);
    assert_int_equal(carried.fixture.result->artifacts_unlisted, 4);
    assert_int_not_equal(run_state(run), RUN_FINISHED);
    assert_int_equal(carried.carrier.live, 1);
    run_recorded(run);
    assert_int_equal(run_state(run), RUN_FINISHED);
    assert_int_equal(carried.carrier.last_verdict, VERDICT_SUCCEEDED);
}

/* --- what goes there --- */

static void what_clients_do_reaches_the_carrier(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_spec spec = carried_live_spec();
    spec.tty = true;
    spec.input = slice_of("in the job");
    spec.input_stays_open = true;
    struct run *run = carried_accepted(&spec, READER_BYTES);
    struct fake_cargo *cargo = carried_cargo_of(run);
    assert_int_equal(run_write(run, slice_of("early "), &err), 0); /* it is queued */
    run_carried_state(run, RUN_RUNNING);
    assert_int_equal(run_write(run, slice_of("late"), &err), 0);
    run_signal(run, SIGUSR1);
    run_resize(run, 100, 30);
    run_close_input(run);
    run_close_input(run);
    assert_string_equal(buf_text(&cargo->input), "early late");
    assert_true(cargo->input_closed);
    assert_int_equal(cargo->signal, SIGUSR1);
    assert_int_equal(cargo->columns, 100);
    assert_int_equal(cargo->rows, 30);
    assert_int_equal(run_write(run, slice_of("later"), &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    run_cancel(run, "the client stopped it");
    run_cancel(run, "the client stopped it again");
    assert_int_equal(cargo->cancels, 1);
    assert_string_equal(cargo->why, "the client stopped it");
    carried_end(run);
}

static void its_place_in_line_is_the_carriers(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.lane = LANE_HIGH;
    struct run *run = carried_accepted(&spec, READER_TEXT);
    carried_cargo_of(run)->position = 7;
    carried_cargo_of(run)->wait_ms = 9500;
    assert_int_equal(run_queue_position(run), 7);
    assert_int_equal(run_expected_wait_ms(run), 9500);
    assert_int_equal(engine_retry_after_s(carried.fixture.engine), 10);
    assert_int_equal(engine_queued(carried.fixture.engine), 1);
    assert_int_equal(engine_queued_in(carried.fixture.engine, LANE_HIGH), 1);
    assert_int_equal(engine_queued_in(carried.fixture.engine, LANE_NORMAL), 0);
    run_carried_state(run, RUN_PREPARING);
    assert_int_equal(engine_queued_in(carried.fixture.engine, LANE_HIGH), 0);
    assert_int_equal(run_queue_position(run), 0);
    assert_int_equal(run_expected_wait_ms(run), 0);
    assert_int_equal(engine_retry_after_s(carried.fixture.engine), 1);
    assert_int_equal(engine_queued(carried.fixture.engine), 0);
    assert_int_equal(engine_running(carried.fixture.engine), 1);
    carried_end(run);
    assert_int_equal(run_queue_position(run), 0);
    assert_int_equal(engine_running(carried.fixture.engine), 0);
    assert_string_equal(engine_isolation(carried.fixture.engine), "elsewhere");
}

static void what_cannot_be_sent_is_refused_at_once(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_spec spec = spec_of(&interpreted);
    carried.carrier.is_alone = true;
    assert_null(engine_submit(carried.fixture.engine, &spec, &err));
    assert_int_equal(err.code, ERR_NOT_INSTALLED);
    carried.carrier.is_alone = false;
    carried.carrier.cannot_encode = true;
    assert_null(engine_submit(carried.fixture.engine, &spec, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    carried.carrier.cannot_encode = false;
    carried.carrier.refuses = ERR_BROKER;
    assert_null(engine_submit(carried.fixture.engine, &spec, &err));
    assert_int_equal(err.code, ERR_BROKER);
    carried.carrier.refuses = 0;
    for (int i = 0; i < 3; i++)
        (void)submit(&carried.fixture, &spec);
    assert_null(engine_submit(carried.fixture.engine, &spec, &err));
    assert_int_equal(err.code, ERR_BUSY);
    assert_int_equal(carried.carrier.live, 3);
    assert_int_equal(carried.carrier.freed, 2);
}

/* --- back-pressure --- */

/* Not more, and less by no more than a step. */
static void expect_told(const struct fake_cargo *cargo, uint64_t bytes)
{
    assert_true(cargo->taken <= bytes && cargo->taken + CARRIED_STEP > bytes);
}

static void the_carrier_is_told_what_readers_have_taken(void **state)
{
    (void)state;
    struct run_spec spec = carried_live_spec();
    struct run *run = carried_accepted(&spec, READER_BYTES);
    struct fake_cargo *cargo = carried_cargo_of(run);
    carried.client.slow = true;
    carried_say_bytes(run, CARRIED_STEP - 1);
    client_read(&carried.client);
    assert_int_equal(cargo->takes, 0);
    carried_say_bytes(run, 2 * CARRIED_STEP);
    assert_int_equal(cargo->takes, 0);
    client_read(&carried.client);
    expect_told(cargo, 3 * CARRIED_STEP - 1);
    run_carried_usage(run, 1, 2); /* which is no output */
    run_carried_gap(run, CARRIED_STEP);
    client_read(&carried.client);
    expect_told(cargo, 4 * CARRIED_STEP - 1);
    assert_int_equal(carried.client.lost_bytes, CARRIED_STEP);
    carried_end(run);
}

static void nothing(void *context)
{
    (void)context;
}

static void times_are_those_of_the_far_side_and_rise_and_are_past(void **state)
{
    (void)state;
    static const struct {
        uint64_t at_ms;
        uint64_t told_ms;
    } rows[] = {{200, 200}, {150, 200}, {0, 1000}, {900, 1000}, {5000, 1000}};
    struct run_spec spec = carried_live_spec();
    struct run *run = carried_accepted(&spec, READER_BYTES);
    uint64_t from = run_next_event(run);
    struct event event;
    fake_loop_advance(carried.fixture.loop, 1000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        run_carried_at(run, rows[i].at_ms);
        run_carried_usage(run, i, i);
        run_carried_state(run, i % 2 == 0 ? RUN_RUNNING : RUN_WAITING);
    }
    struct reader *reader = run_attach(run, from, READER_BYTES, nothing, NULL, NULL);
    uint64_t told_ms[ARRAY_LEN(rows)] = {0};
    size_t count = 0;
    while (reader_next(reader, &event) > 0) {
        bool is_told = event.state == RUN_RUNNING || event.state == RUN_WAITING;
        if (event.kind == EVENT_STATE && is_told && count < ARRAY_LEN(rows))
            told_ms[count++] = event.time_ms;
    }
    reader_free(reader);
    assert_int_equal(count, ARRAY_LEN(rows));
    for (size_t i = 0; i < count; i++)
        assert_int_equal(told_ms[i], rows[i].told_ms);
    carried_end(run);
}

static void output_waits_for_the_slowest_reader(void **state)
{
    (void)state;
    struct client slow = {.slow = true};
    struct run_spec spec = carried_live_spec();
    struct run *run = carried_accepted(&spec, READER_BYTES);
    client_attach(&slow, run, 0, READER_BYTES);
    carried_say_bytes(run, 4 * CARRIED_STEP);
    fake_loop_settle(carried.fixture.loop);
    assert_int_equal(carried.client.out.len, 4 * CARRIED_STEP);
    assert_int_equal(carried_cargo_of(run)->takes, 0);
    client_fini(&slow);
    assert_int_equal(carried_cargo_of(run)->taken, 4 * CARRIED_STEP);
    carried_end(run);
}

static void output_waits_for_a_reader_that_may_come_back(void **state)
{
    (void)state;
    struct run_spec spec = carried_live_spec();
    struct run *run = carried_accepted(&spec, READER_BYTES);
    carried_say_bytes(run, CARRIED_STEP);
    fake_loop_settle(carried.fixture.loop);
    client_fini(&carried.client);
    carried_say_bytes(run, 4 * CARRIED_STEP);
    fake_loop_advance(carried.fixture.loop, CARRIED_UNATTENDED_MS - 1);
    assert_int_equal(carried_cargo_of(run)->taken, CARRIED_STEP);
    fake_loop_advance(carried.fixture.loop, 1);
    assert_int_equal(carried_cargo_of(run)->taken, 5 * CARRIED_STEP);
    carried_end(run);
}

static void a_cancel_is_not_held_back_by_a_slow_reader(void **state)
{
    (void)state;
    struct run_spec spec = carried_live_spec();
    struct run *run = carried_accepted(&spec, READER_BYTES);
    carried.client.slow = true;
    carried_say_bytes(run, 16 * CARRIED_STEP);
    run_cancel(run, "the client stopped it");
    assert_int_equal(carried_cargo_of(run)->taken, 16 * CARRIED_STEP);
    carried_end(run);
}

/* A far side that does not mind what it is told. */
static void more_than_can_be_held_is_not(void **state)
{
    (void)state;
    struct run_spec spec = carried_live_spec();
    struct run *run = carried_accepted(&spec, READER_BYTES);
    carried.client.slow = true;
    carried_say_bytes(run, 40 * MIB);
    client_read(&carried.client);
    assert_true(carried.client.lost_bytes >= 23 * MIB);
    assert_true(carried.client.lost_bytes + carried.client.out.len == 40 * MIB);
    carried_end(run);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, carried_set_up, carried_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(its_life_is_told_as_if_it_were_here),
        TEST(nothing_is_readable_before_it_is_accepted),
        TEST(a_refused_run_was_never_queued),
        TEST(it_is_observed_from_its_beginning),
        TEST(states_that_were_not_heard_are_made_up),
        TEST(events_stay_as_they_were_cut),
        TEST(output_past_the_cap_is_cut_off),
        TEST(artifacts_are_recorded_without_their_bytes),
        TEST(what_clients_do_reaches_the_carrier),
        TEST(its_place_in_line_is_the_carriers),
        TEST(what_cannot_be_sent_is_refused_at_once),
        TEST(the_carrier_is_told_what_readers_have_taken),
        TEST(times_are_those_of_the_far_side_and_rise_and_are_past),
        TEST(output_waits_for_the_slowest_reader),
        TEST(output_waits_for_a_reader_that_may_come_back),
        TEST(a_cancel_is_not_held_back_by_a_slow_reader),
        TEST(more_than_can_be_held_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
