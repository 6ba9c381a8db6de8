/* SPDX-License-Identifier: MIT */
/* A run that another machine carries out, seen from its clients. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_carrier.h"
#include "fixture.h"

enum { STEP = 64 * 1024, UNATTENDED_MS = 2000 };

static struct fixture fixture;
static struct fake_carrier carrier;
static struct client client;

static int set_up(void **state)
{
    (void)state;
    fake_carrier_init(&carrier);
    fixture_init_carried(&fixture, &carrier.carrier, 3);
    carrier.engine = fixture.engine;
    client = (struct client){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (client.reader)
        client_fini(&client);
    fixture_fini(&fixture);
    fake_carrier_fini(&carrier);
    return 0;
}

static struct run_spec live_spec(void)
{
    struct run_spec spec = spec_of(&interpreted);
    spec.profile = PROFILE_LIVE;
    spec.streaming = true;
    spec.unattended_ms = UNATTENDED_MS;
    return spec;
}

/* Submitted, accepted, and with the client attached. */
static struct run *accepted(const struct run_spec *spec, enum reader_form form)
{
    struct run *run = submit_and_settle(&fixture, spec);
    run_carried_accepted(run);
    client_attach(&client, run, 0, form);
    return run;
}

static void end(struct run *run)
{
    struct run_result result = {.verdict = VERDICT_SUCCEEDED, .reason = "it exited with 0"};
    run_carried_ended(run, &result, NULL, 0);
    fake_loop_settle(fixture.loop);
}

static void say(struct run *run, enum event_kind kind, const char *text)
{
    run_carried_output(run, kind, slice_of(text));
    fake_loop_settle(fixture.loop);
}

static void say_bytes(struct run *run, size_t len)
{
    static char bytes[STEP];
    for (size_t part; len > 0; len -= part) {
        part = MIN(len, sizeof bytes);
        run_carried_output(run, EVENT_STDOUT, (struct slice){bytes, part});
    }
}

static struct fake_cargo *cargo_of(const struct run *run)
{
    struct fake_cargo *cargo = fake_cargo_of(&carrier, run);
    assert_non_null(cargo);
    return cargo;
}

/* --- from submission to result --- */

static void its_life_is_told_as_if_it_were_here(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&compiled);
    struct run *run = accepted(&spec, READER_TEXT);
    run_carried_state(run, RUN_QUEUED); /* as the far side's own log begins */
    run_carried_state(run, RUN_PREPARING);
    run_carried_state(run, RUN_COMPILING);
    say(run, EVENT_NOTICE, "a warning");
    run_carried_state(run, RUN_RUNNING);
    say(run, EVENT_STDOUT, "one");
    say(run, EVENT_STDERR, "two");
    end(run);
    assert_string_equal(client.story,
                        "queued preparing compiling notice running out err finished end");
    assert_string_equal(buf_text(&client.notice), "a warning");
    assert_string_equal(buf_text(&fixture.observed),
                        "queued preparing compiling running finished ");
    assert_string_equal(run_result(run)->reason, "it exited with 0");
    assert_int_equal(run_attempt(run), 1);
}

static void nothing_is_readable_before_it_is_accepted(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = submit_and_settle(&fixture, &spec);
    client_attach(&client, run, 0, READER_TEXT);
    fake_loop_settle(fixture.loop);
    assert_int_equal(cargo_of(run)->sent, 1);
    assert_int_equal(run_state(run), RUN_QUEUED);
    assert_int_equal(client.calls, 0);
    run_carried_accepted(run);
    run_carried_accepted(run);
    fake_loop_settle(fixture.loop);
    assert_string_equal(client.story, "queued");
    end(run);
}

static void a_refused_run_was_never_queued(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = submit_and_settle(&fixture, &spec);
    client_attach(&client, run, 0, READER_TEXT);
    run_carried_refused(run, "no broker is there");
    fake_loop_settle(fixture.loop);
    assert_string_equal(client.story, "finished end");
    assert_int_equal(run_result(run)->verdict, VERDICT_INTERNAL_ERROR);
    assert_non_null(strstr(run_result(run)->reason, "no broker is there"));
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
        struct run *run = accepted(&spec, READER_TEXT);
        for (size_t j = 0; j < 3; j++) /* the rest is queued, which is passed over */
            run_carried_state(run, rows[i].told[j]);
        fake_loop_settle(fixture.loop);
        assert_string_equal(client.story, rows[i].story);
        end(run);
        client_fini(&client);
    }
}

static void events_stay_as_they_were_cut(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = accepted(&spec, READER_TEXT);
    run_carried_output(run, EVENT_STDOUT, slice_of("one"));
    run_carried_output(run, EVENT_STDOUT, slice_of("two"));
    end(run);
    assert_string_equal(client.story, "queued preparing out out finished end");
    assert_int_equal(client.last_number, 6);
}

static void output_past_the_cap_is_cut_off(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.limits.value[LIMIT_OUTPUT] = 5;
    struct run *run = accepted(&spec, READER_TEXT);
    say(run, EVENT_STDOUT, "1234567");
    say(run, EVENT_NOTICE, "1234567");
    say(run, EVENT_NOTICE, "1");
    end(run);
    assert_string_equal(buf_text(&client.out), "12345");
    assert_string_equal(buf_text(&client.notice), "12345");
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
    struct run *run = accepted(&spec, READER_TEXT);
    run_carried_ended(run, &result, artifacts, 2);
    paths[0][0] = '\0';
    assert_int_equal(fixture.artifact_count, 2);
    assert_string_equal(fixture.artifacts[0].path, "a");
    assert_string_equal(fixture.artifacts[0].refusal, "a symbolic link");
    assert_int_equal(fixture.artifacts[1].size, 8);
    assert_int_equal(fixture.artifacts[1].fd, -1);
    assert_non_null(fixture.artifacts[1].refusal);
    assert_int_equal(fixture.result->artifacts_unlisted, 4);
    assert_int_not_equal(run_state(run), RUN_FINISHED);
    assert_int_equal(carrier.live, 1);
    run_recorded(run);
    assert_int_equal(run_state(run), RUN_FINISHED);
    assert_int_equal(carrier.last_verdict, VERDICT_SUCCEEDED);
}

/* --- what goes there --- */

static void what_clients_do_reaches_the_carrier(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_spec spec = live_spec();
    spec.tty = true;
    spec.input = slice_of("in the job");
    spec.input_stays_open = true;
    struct run *run = accepted(&spec, READER_BYTES);
    struct fake_cargo *cargo = cargo_of(run);
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
    end(run);
}

static void its_place_in_line_is_the_carriers(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = accepted(&spec, READER_TEXT);
    cargo_of(run)->position = 7;
    cargo_of(run)->wait_ms = 9500;
    assert_int_equal(run_queue_position(run), 7);
    assert_int_equal(run_expected_wait_ms(run), 9500);
    assert_int_equal(engine_retry_after_s(fixture.engine), 10);
    assert_int_equal(engine_queued(fixture.engine), 1);
    run_carried_state(run, RUN_PREPARING);
    assert_int_equal(run_queue_position(run), 0);
    assert_int_equal(run_expected_wait_ms(run), 0);
    assert_int_equal(engine_retry_after_s(fixture.engine), 1);
    assert_int_equal(engine_queued(fixture.engine), 0);
    assert_int_equal(engine_running(fixture.engine), 1);
    end(run);
    assert_int_equal(run_queue_position(run), 0);
    assert_int_equal(engine_running(fixture.engine), 0);
    assert_string_equal(engine_isolation(fixture.engine), "elsewhere");
}

static void what_cannot_be_sent_is_refused_at_once(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_spec spec = spec_of(&interpreted);
    carrier.is_alone = true;
    assert_null(engine_submit(fixture.engine, &spec, &err));
    assert_int_equal(err.code, ERR_NOT_INSTALLED);
    carrier.is_alone = false;
    carrier.cannot_encode = true;
    assert_null(engine_submit(fixture.engine, &spec, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    carrier.cannot_encode = false;
    carrier.refuses = ERR_BROKER;
    assert_null(engine_submit(fixture.engine, &spec, &err));
    assert_int_equal(err.code, ERR_BROKER);
    carrier.refuses = 0;
    for (int i = 0; i < 3; i++)
        (void)submit(&fixture, &spec);
    assert_null(engine_submit(fixture.engine, &spec, &err));
    assert_int_equal(err.code, ERR_BUSY);
    assert_int_equal(carrier.live, 3);
    assert_int_equal(carrier.freed, 2);
}

/* --- back-pressure --- */

/* Not more, and less by no more than a step. */
static void expect_told(const struct fake_cargo *cargo, uint64_t bytes)
{
    assert_true(cargo->taken <= bytes && cargo->taken + STEP > bytes);
}

static void the_carrier_is_told_what_readers_have_taken(void **state)
{
    (void)state;
    struct run_spec spec = live_spec();
    struct run *run = accepted(&spec, READER_BYTES);
    struct fake_cargo *cargo = cargo_of(run);
    client.slow = true;
    say_bytes(run, STEP - 1);
    client_read(&client);
    assert_int_equal(cargo->takes, 0);
    say_bytes(run, 2 * STEP);
    assert_int_equal(cargo->takes, 0);
    client_read(&client);
    expect_told(cargo, 3 * STEP - 1);
    run_carried_usage(run, 1, 2); /* which is no output */
    run_carried_gap(run, STEP);
    client_read(&client);
    expect_told(cargo, 4 * STEP - 1);
    assert_int_equal(client.lost_bytes, STEP);
    end(run);
}

static void output_waits_for_the_slowest_reader(void **state)
{
    (void)state;
    struct client slow = {.slow = true};
    struct run_spec spec = live_spec();
    struct run *run = accepted(&spec, READER_BYTES);
    client_attach(&slow, run, 0, READER_BYTES);
    say_bytes(run, 4 * STEP);
    fake_loop_settle(fixture.loop);
    assert_int_equal(client.out.len, 4 * STEP);
    assert_int_equal(cargo_of(run)->takes, 0);
    client_fini(&slow);
    assert_int_equal(cargo_of(run)->taken, 4 * STEP);
    end(run);
}

static void output_waits_for_a_reader_that_may_come_back(void **state)
{
    (void)state;
    struct run_spec spec = live_spec();
    struct run *run = accepted(&spec, READER_BYTES);
    say_bytes(run, STEP);
    fake_loop_settle(fixture.loop);
    client_fini(&client);
    say_bytes(run, 4 * STEP);
    fake_loop_advance(fixture.loop, UNATTENDED_MS - 1);
    assert_int_equal(cargo_of(run)->taken, STEP);
    fake_loop_advance(fixture.loop, 1);
    assert_int_equal(cargo_of(run)->taken, 5 * STEP);
    end(run);
}

static void a_cancel_is_not_held_back_by_a_slow_reader(void **state)
{
    (void)state;
    struct run_spec spec = live_spec();
    struct run *run = accepted(&spec, READER_BYTES);
    client.slow = true;
    say_bytes(run, 16 * STEP);
    run_cancel(run, "the client stopped it");
    assert_int_equal(cargo_of(run)->taken, 16 * STEP);
    end(run);
}

/* A far side that does not mind what it is told. */
static void more_than_can_be_held_is_not(void **state)
{
    (void)state;
    struct run_spec spec = live_spec();
    struct run *run = accepted(&spec, READER_BYTES);
    client.slow = true;
    say_bytes(run, 40 * MIB);
    client_read(&client);
    assert_true(client.lost_bytes >= 23 * MIB);
    assert_true(client.lost_bytes + client.out.len == 40 * MIB);
    end(run);
}

/* --- delivered once more --- */

static void a_second_attempt_begins_anew(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.limits.value[LIMIT_OUTPUT] = 6;
    struct run *run = accepted(&spec, READER_TEXT);
    run_carried_state(run, RUN_RUNNING);
    say(run, EVENT_STDOUT, "void\xc3"); /* the first half of a character */
    run_carried_again(run, 2);
    fake_loop_settle(fixture.loop);
    assert_int_equal(client.attempt, 2);
    assert_int_equal(run_attempt(run), 2);
    assert_int_equal(run_state(run), RUN_QUEUED);
    assert_int_equal(engine_queued(fixture.engine), 1);
    run_carried_again(run, 2); /* told twice */
    run_carried_again(run, 1);
    run_carried_state(run, RUN_RUNNING);
    say(run, EVENT_STDOUT, "123456789");
    end(run);
    assert_string_equal(client.story,
                        "queued preparing running out queued preparing running out finished end");
    assert_string_equal(buf_text(&client.out), "void123456");
    assert_string_equal(buf_text(&fixture.observed),
                        "queued preparing running queued preparing running finished ");
}

static void events_carry_their_attempt_whoever_reads_from_where(void **state)
{
    (void)state;
    static const struct {
        uint64_t from;
        unsigned attempt;
    } rows[] = {{0, 1}, {3, 1}, {4, 2}, {5, 2}, {7, 3}};
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = submit_and_settle(&fixture, &spec);
    run_carried_state(run, RUN_RUNNING); /* 1, 2, 3 */
    run_carried_again(run, 2);           /* 4 */
    run_carried_state(run, RUN_RUNNING); /* 5, 6 */
    run_carried_again(run, 3);           /* 7 */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct event event;
        client_attach(&client, run, rows[i].from, READER_TEXT);
        assert_int_equal(reader_next(client.reader, &event), 1);
        assert_int_equal(event.attempt, rows[i].attempt);
        while (reader_next(client.reader, &event) > 0)
            assert_true(event.attempt == 3 || event.number < 7);
        client_fini(&client);
    }
    end(run);
}

static void a_second_attempt_has_a_queue_deadline_of_its_own(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.limits.value[LIMIT_QUEUE] = 1000;
    struct run *run = accepted(&spec, READER_TEXT);
    run_carried_state(run, RUN_RUNNING);
    fake_loop_advance(fixture.loop, 5000);
    run_carried_again(run, 2);
    fake_loop_advance(fixture.loop, 999);
    assert_int_equal(run_state(run), RUN_QUEUED);
    fake_loop_advance(fixture.loop, 1);
    assert_int_equal(run_result(run)->verdict, VERDICT_QUEUE_TIMEOUT);
    assert_int_equal(run_result(run)->usage.queued_ms, 6000);
}

static void what_was_taken_of_an_earlier_attempt_does_not_count(void **state)
{
    (void)state;
    struct run_spec spec = live_spec();
    struct run *run = accepted(&spec, READER_BYTES);
    say_bytes(run, 4 * STEP);
    fake_loop_settle(fixture.loop);
    assert_int_equal(cargo_of(run)->taken, 4 * STEP);
    run_carried_again(run, 2);
    say_bytes(run, STEP);
    fake_loop_settle(fixture.loop);
    assert_int_equal(cargo_of(run)->taken, STEP);
    end(run);
}

/* --- the end of service --- */

static void on_drained(void *context)
{
    *(bool *)context = true;
}

static void at_the_end_batch_runs_go_on_without_us(void **state)
{
    (void)state;
    bool drained = false;
    struct run_spec batch = spec_of(&interpreted);
    struct run_spec interactive = batch;
    interactive.input_stays_open = true;
    struct run *alone = submit_and_settle(&fixture, &batch);
    char id[RUN_ID_SIZE];
    keep_id(id, alone);
    run_carried_accepted(alone);
    (void)submit_and_settle(&fixture, &batch); /* not accepted: nobody could find it */
    struct run *other = accepted(&interactive, READER_TEXT);
    run_carried_state(other, RUN_RUNNING);
    engine_drain(fixture.engine, 1000, on_drained, &drained);
    fake_loop_advance(fixture.loop, 999);
    assert_int_equal(carrier.live, 3);
    fake_loop_advance(fixture.loop, 1);
    assert_int_equal(carrier.live, 2);
    assert_int_equal(carrier.last_verdict, FAKE_GONE_ON);
    assert_null(engine_find(fixture.engine, id));
    assert_int_equal(cargo_of(other)->cancels, 1);
    assert_false(drained);
    fake_loop_advance(fixture.loop, 5000); /* nobody answers */
    assert_true(drained);
    assert_string_equal(client.story, "queued preparing running finished end");
}

static void a_client_of_a_run_that_goes_on_may_still_leave(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = accepted(&spec, READER_TEXT);
    struct err err = {0};
    engine_drain(fixture.engine, 0, NULL, NULL);
    assert_int_equal(carrier.live, 0);
    run_cancel(run, "the client left");
    run_signal(run, SIGTERM);
    run_resize(run, 1, 1);
    run_close_input(run);
    assert_int_equal(run_write(run, slice_of("late"), &err), -1);
    assert_int_equal(run_queue_position(run), 0);
    assert_null(run_attach(run, 0, READER_TEXT, NULL, NULL, &err));
    client_read(&client);
    assert_string_equal(client.story, "queued");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(its_life_is_told_as_if_it_were_here),
        TEST(nothing_is_readable_before_it_is_accepted),
        TEST(a_refused_run_was_never_queued),
        TEST(states_that_were_not_heard_are_made_up),
        TEST(events_stay_as_they_were_cut),
        TEST(output_past_the_cap_is_cut_off),
        TEST(artifacts_are_recorded_without_their_bytes),
        TEST(what_clients_do_reaches_the_carrier),
        TEST(its_place_in_line_is_the_carriers),
        TEST(what_cannot_be_sent_is_refused_at_once),
        TEST(the_carrier_is_told_what_readers_have_taken),
        TEST(output_waits_for_the_slowest_reader),
        TEST(output_waits_for_a_reader_that_may_come_back),
        TEST(a_cancel_is_not_held_back_by_a_slow_reader),
        TEST(more_than_can_be_held_is_not),
        TEST(a_second_attempt_begins_anew),
        TEST(events_carry_their_attempt_whoever_reads_from_where),
        TEST(a_second_attempt_has_a_queue_deadline_of_its_own),
        TEST(what_was_taken_of_an_earlier_attempt_does_not_count),
        TEST(at_the_end_batch_runs_go_on_without_us),
        TEST(a_client_of_a_run_that_goes_on_may_still_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
