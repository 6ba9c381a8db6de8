/* SPDX-License-Identifier: MIT */
/* A run on another machine that begins once more, and one that is left to its own. */
#include <signal.h>
#include <string.h>

#include "carried_fixture.h"

/* --- delivered once more --- */

static void a_second_attempt_begins_anew(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.limits.value[LIMIT_OUTPUT] = 6;
    struct run *run = carried_accepted(&spec, READER_TEXT);
    run_carried_state(run, RUN_RUNNING);
    carried_say(run, EVENT_NOTICE, "123456");
    carried_say(run, EVENT_STDOUT, "void\xc3"); /* the first half of a character */
    run_carried_again(run, 2);
    fake_loop_settle(carried.fixture.loop);
    assert_int_equal(carried.client.attempt, 2);
    assert_int_equal(run_attempt(run), 2);
    assert_int_equal(run_state(run), RUN_QUEUED);
    assert_int_equal(engine_queued(carried.fixture.engine), 1);
    run_carried_again(run, 2); /* told twice */
    run_carried_again(run, 1);
    run_carried_state(run, RUN_RUNNING);
    carried_say(run, EVENT_NOTICE, "abc");
    carried_say(run, EVENT_STDOUT, "123456789");
    carried_end(run);
    assert_string_equal(carried.client.story, "queued preparing running notice out "
                                              "queued preparing running notice out finished end");
    assert_string_equal(buf_text(&carried.client.notice), "123456abc");
    assert_string_equal(buf_text(&carried.client.out), "void123456");
    assert_string_equal(buf_text(&carried.fixture.observed),
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
    struct run *run = submit_and_settle(&carried.fixture, &spec);
    run_carried_state(run, RUN_RUNNING); /* 1, 2, 3 */
    run_carried_again(run, 2);           /* 4 */
    run_carried_state(run, RUN_RUNNING); /* 5, 6 */
    run_carried_again(run, 3);           /* 7 */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct event event;
        client_attach(&carried.client, run, rows[i].from, READER_TEXT);
        assert_int_equal(reader_next(carried.client.reader, &event), 1);
        assert_int_equal(event.attempt, rows[i].attempt);
        while (reader_next(carried.client.reader, &event) > 0)
            assert_true(event.attempt == 3 || event.number < 7);
        client_fini(&carried.client);
    }
    carried_end(run);
}

static void a_second_attempt_has_a_queue_deadline_of_its_own(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.limits.value[LIMIT_QUEUE] = 1000;
    struct run *run = carried_accepted(&spec, READER_TEXT);
    run_carried_state(run, RUN_RUNNING);
    fake_loop_advance(carried.fixture.loop, 5000);
    run_carried_again(run, 2);
    fake_loop_advance(carried.fixture.loop, 999);
    assert_int_equal(run_state(run), RUN_QUEUED);
    fake_loop_advance(carried.fixture.loop, 1);
    assert_int_equal(run_result(run)->verdict, VERDICT_QUEUE_TIMEOUT);
    assert_int_equal(run_result(run)->usage.queued_ms, 6000);
}

/* Twice its limit of time, and a minute. */
enum { UNHEARD_WALL_MS = 2000, UNHEARD_MS = 2 * UNHEARD_WALL_MS + 60000 };

static struct run *may_run_unheard(void)
{
    struct run_spec spec = spec_of(&interpreted);
    spec.limits.value[LIMIT_QUEUE] = 1000;
    spec.limits.value[LIMIT_WALL] = UNHEARD_WALL_MS;
    struct run *run = carried_accepted(&spec, READER_TEXT);
    carried_cargo_of(run)->may_have_begun = true;
    fake_loop_advance(carried.fixture.loop, 1000);
    return run;
}

static void one_that_may_run_unheard_ends_as_it_is_told(void **state)
{
    (void)state;
    struct run *run = may_run_unheard();
    fake_loop_advance(carried.fixture.loop, UNHEARD_MS - 1);
    assert_int_equal(run_state(run), RUN_QUEUED);
    assert_int_equal(carried_cargo_of(run)->cancels, 0);
    carried_end(run);
    assert_int_equal(run_result(run)->verdict, VERDICT_SUCCEEDED);
}

static void one_that_may_run_unheard_is_not_waited_for_for_ever(void **state)
{
    (void)state;
    struct run *run = may_run_unheard();
    fake_loop_advance(carried.fixture.loop, UNHEARD_MS - 1);
    assert_null(run_result(run));
    fake_loop_advance(carried.fixture.loop, 1);
    assert_int_equal(run_result(run)->verdict, VERDICT_QUEUE_TIMEOUT);
}

static void one_that_is_heard_of_late_has_its_time(void **state)
{
    (void)state;
    struct run *run = may_run_unheard();
    run_carried_state(run, RUN_RUNNING);
    fake_loop_advance(carried.fixture.loop, 2 * UNHEARD_MS);
    assert_int_equal(run_state(run), RUN_RUNNING);
    carried_end(run);
}

static void a_cancel_holds_for_the_next_attempt(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.limits.value[LIMIT_QUEUE] = 1000;
    struct run *run = carried_accepted(&spec, READER_TEXT);
    run_carried_state(run, RUN_RUNNING);
    run_cancel(run, "the client stopped it");
    run_carried_again(run, 2);
    fake_loop_advance(carried.fixture.loop, 29999);
    assert_int_equal(run_state(run), RUN_QUEUED);
    fake_loop_advance(carried.fixture.loop, 1);
    assert_int_equal(run_result(run)->verdict, VERDICT_CANCELLED);
}

static void what_was_taken_of_an_earlier_attempt_does_not_count(void **state)
{
    (void)state;
    struct run_spec spec = carried_live_spec();
    struct run *run = carried_accepted(&spec, READER_BYTES);
    carried_say_bytes(run, 4 * CARRIED_STEP);
    fake_loop_settle(carried.fixture.loop);
    assert_int_equal(carried_cargo_of(run)->taken, 4 * CARRIED_STEP);
    run_carried_again(run, 2);
    carried_say_bytes(run, CARRIED_STEP);
    fake_loop_settle(carried.fixture.loop);
    assert_int_equal(carried_cargo_of(run)->taken, CARRIED_STEP);
    carried_end(run);
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
    struct run *alone = submit_and_settle(&carried.fixture, &batch);
    char id[RUN_ID_SIZE];
    keep_id(id, alone);
    run_carried_accepted(alone);
    (void)submit_and_settle(&carried.fixture, &batch); /* not accepted: nobody could find it */
    struct run *other = carried_accepted(&interactive, READER_TEXT);
    run_carried_state(other, RUN_RUNNING);
    engine_drain(carried.fixture.engine, 1000, on_drained, &drained);
    fake_loop_advance(carried.fixture.loop, 999);
    assert_int_equal(carried.carrier.live, 3);
    fake_loop_advance(carried.fixture.loop, 1);
    assert_int_equal(carried.carrier.live, 2);
    assert_int_equal(carried.carrier.last_verdict, FAKE_GONE_ON);
    assert_null(engine_find(carried.fixture.engine, id));
    assert_int_equal(carried_cargo_of(other)->cancels, 1);
    assert_false(drained);
    fake_loop_advance(carried.fixture.loop, 5000); /* nobody answers */
    assert_true(drained);
    assert_string_equal(carried.client.story, "queued preparing running finished end");
}

static void at_the_end_nobody_is_waited_for_long(void **state)
{
    (void)state;
    bool drained = false;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = carried_accepted(&spec, READER_TEXT);
    run_carried_state(run, RUN_RUNNING);
    run_cancel(run, "the client stopped it"); /* which may take 30 s */
    engine_drain(carried.fixture.engine, 0, on_drained, &drained);
    fake_loop_advance(carried.fixture.loop, 4999);
    assert_false(drained);
    fake_loop_advance(carried.fixture.loop, 1);
    assert_true(drained);
    assert_int_equal(run_result(run)->verdict, VERDICT_INTERNAL_ERROR);
}

static void a_client_of_a_run_that_goes_on_may_still_leave(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = carried_accepted(&spec, READER_TEXT);
    struct err err = {0};
    engine_drain(carried.fixture.engine, 0, NULL, NULL);
    assert_int_equal(carried.carrier.live, 0);
    run_cancel(run, "the client left");
    run_signal(run, SIGTERM);
    run_resize(run, 1, 1);
    run_close_input(run);
    assert_int_equal(run_write(run, slice_of("late"), &err), -1);
    assert_int_equal(run_queue_position(run), 0);
    assert_null(run_attach(run, 0, READER_TEXT, NULL, NULL, &err));
    client_read(&carried.client);
    assert_string_equal(carried.client.story, "queued");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, carried_set_up, carried_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_second_attempt_begins_anew),
        TEST(events_carry_their_attempt_whoever_reads_from_where),
        TEST(a_second_attempt_has_a_queue_deadline_of_its_own),
        TEST(one_that_may_run_unheard_ends_as_it_is_told),
        TEST(one_that_may_run_unheard_is_not_waited_for_for_ever),
        TEST(one_that_is_heard_of_late_has_its_time),
        TEST(a_cancel_holds_for_the_next_attempt),
        TEST(what_was_taken_of_an_earlier_attempt_does_not_count),
        TEST(at_the_end_batch_runs_go_on_without_us),
        TEST(at_the_end_nobody_is_waited_for_long),
        TEST(a_client_of_a_run_that_goes_on_may_still_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
