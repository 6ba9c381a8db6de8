/* SPDX-License-Identifier: MIT */
/* The queue, the slots, cancelling, draining. */
#include <stdio.h>
#include <string.h>

#include "fixture.h"

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    fixture_init(&fixture, 2, 3);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_fini(&fixture);
    return 0;
}

static struct fake_stage *oldest_stage(void)
{
    struct fake_executor *executor = fake_of_fixture(&fixture);
    assert_false(list_empty(&executor->stages));
    return CONTAINER_OF(executor->stages.next, struct fake_stage, link);
}

static void expect_cancelled(struct run *run)
{
    assert_int_equal(run_state(run), RUN_FINISHED);
    assert_int_equal(run_result(run)->verdict, VERDICT_CANCELLED);
    assert_string_equal(run_result(run)->reason, "the client stopped it");
    struct client client;
    client_replay(&client, run, READER_TEXT);
    assert_int_equal(client.ends, 1);
    client_fini(&client);
}

static void slots_are_given_in_the_order_of_arrival(void **state)
{
    (void)state;
    struct run *runs[5];
    for (size_t i = 0; i < ARRAY_LEN(runs); i++)
        runs[i] = submit_one(&fixture);
    fake_loop_settle(fixture.loop);
    for (size_t next = 2;; next++) {
        assert_int_equal(engine_running(fixture.engine), MIN((size_t)2, 7 - next));
        for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
            bool waits = i >= next;
            assert_int_equal(run_state(runs[i]) == RUN_QUEUED, waits);
            assert_int_equal(run_queue_position(runs[i]), waits ? i - next + 1 : 0);
        }
        if (list_empty(&fake_of_fixture(&fixture)->stages))
            break;
        fake_stage_exit(oldest_stage(), 0);
        fake_loop_settle(fixture.loop);
    }
}

static void a_full_queue_refuses_and_takes_again_when_there_is_room(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct err err = {0};
    struct run *last = NULL;
    for (size_t i = 0; i < 5; i++) /* two slots and three places */
        last = submit_one(&fixture);
    assert_null(engine_submit(fixture.engine, &spec, &err));
    assert_int_equal(err.code, ERR_BUSY);
    fake_loop_settle(fixture.loop);
    assert_int_equal(engine_queued(fixture.engine), 3);
    assert_null(engine_submit(fixture.engine, &spec, &err));
    assert_int_equal(err.code, ERR_BUSY);
    run_cancel(last, "the client stopped it");
    assert_non_null(engine_submit(fixture.engine, &spec, &err));
    assert_null(engine_submit(fixture.engine, &spec, &err));
}

static void a_run_that_waits_too_long_is_told_so(void **state)
{
    (void)state;
    submit_one(&fixture);
    submit_one(&fixture);
    struct run_spec spec = spec_of(&interpreted);
    spec.limits.value[LIMIT_QUEUE] = 2000;
    struct run *run = submit_and_settle(&fixture, &spec);
    struct run *patient = submit_one(&fixture);
    fake_loop_advance(fixture.loop, 1999);
    assert_int_equal(run_state(run), RUN_QUEUED);
    fake_loop_advance(fixture.loop, 1);
    assert_int_equal(run_state(run), RUN_FINISHED);
    assert_int_equal(run_result(run)->verdict, VERDICT_QUEUE_TIMEOUT);
    assert_int_equal(run_result(run)->usage.queued_ms, 2000);
    assert_string_equal(run_result(run)->reason, "no slot was free within 2 s");
    assert_int_equal(run_queue_position(patient), 1);
    struct client client;
    client_replay(&client, run, READER_TEXT);
    assert_string_equal(client.story, "queued finished end");
    client_fini(&client);
}

/* Brings a compiled run this far; the states of its life, and between them. */
static const struct {
    const char *where;
    int steps;
    enum run_state state;
} places[] = {
    {"right after submit", 0, RUN_QUEUED}, {"preparing", 1, RUN_PREPARING},
    {"compiling", 2, RUN_COMPILING},       {"between two compile stages", 3, RUN_COMPILING},
    {"compiled", 4, RUN_COMPILING},        {"running", 5, RUN_RUNNING},
    {"finished", 6, RUN_FINISHED},
};

static struct run *bring_to(int steps)
{
    struct run_spec spec = spec_of(&compiled);
    struct run *run = submit(&fixture, &spec);
    for (int step = 1; step <= steps; step++) {
        if (step == 1)
            fake_loop_settle(fixture.loop);
        else if (step == 2 || step == 5)
            fake_stage_start(stage_of(&fixture));
        else
            fake_stage_exit(stage_of(&fixture), 0);
    }
    return run;
}

static void a_run_is_cancelled_once_wherever_it_stands(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct run *run = bring_to(places[i].steps);
        assert_int_equal(run_state(run), places[i].state);
        run_cancel(run, "the client stopped it");
        run_cancel(run, "somebody else");
        assert_int_equal(run_state(run), places[i].state); /* not from inside the call */
        fake_loop_settle(fixture.loop);
        run_cancel(run, "somebody else");
        fake_loop_settle(fixture.loop);
        if (places[i].state != RUN_FINISHED)
            expect_cancelled(run);
        else
            assert_int_equal(run_result(run)->verdict, VERDICT_SUCCEEDED);
        assert_int_equal(engine_running(fixture.engine) + engine_queued(fixture.engine), 0);
    }
}

static void a_waiting_run_is_cancelled_without_a_slot(void **state)
{
    (void)state;
    submit_one(&fixture);
    submit_one(&fixture);
    struct run *first = submit_one(&fixture);
    struct run *second = submit_one(&fixture);
    fake_loop_settle(fixture.loop);
    run_cancel(first, "the client stopped it");
    run_cancel(first, "somebody else");
    assert_int_equal(engine_queued(fixture.engine), 1);
    assert_int_equal(run_queue_position(second), 1);
    fake_loop_settle(fixture.loop);
    expect_cancelled(first);
    assert_int_equal(fake_of_fixture(&fixture)->stages_started, 2);
}

static void an_end_that_beats_the_kill_is_still_the_only_end(void **state)
{
    (void)state;
    struct run *run = bring_to(5);
    run_cancel(run, "the client stopped it");
    fake_stage_exit(stage_of(&fixture), 0);
    fake_loop_settle(fixture.loop);
    expect_cancelled(run);
}

static enum run_state cancel_at;
static void cancel_from_observer(void *context, const struct run *run)
{
    (void)context;
    if (run_state(run) == cancel_at)
        run_cancel(engine_find(fixture.engine, run_id(run)), "the client stopped it");
}

static void an_observer_may_cancel_in_every_state(void **state)
{
    (void)state;
    struct err err = {0};
    struct engine_config config = {
        .concurrency = 1, .keep_ms = 1000, .observer = cancel_from_observer};
    struct engine *usual = fixture.engine;
    fixture.engine = engine_new(fixture.loop, &config, fixture.executor, &err);
    assert_non_null(fixture.engine);
    for (cancel_at = RUN_QUEUED; cancel_at <= RUN_RUNNING; cancel_at++) {
        struct run_spec spec = spec_of(&compiled);
        size_t stages = fake_of_fixture(&fixture)->stages_started;
        struct run *run = submit_and_settle(&fixture, &spec);
        stages = fake_of_fixture(&fixture)->stages_started - stages;
        assert_int_equal(stages, cancel_at > RUN_PREPARING); /* none that nobody wants */
        for (int i = 0; i < 3 && run_state(run) != RUN_FINISHED; i++) {
            fake_stage_start(stage_of(&fixture));
            if (!stage_of(&fixture)->killed)
                fake_stage_exit(stage_of(&fixture), 0);
            fake_loop_settle(fixture.loop);
        }
        expect_cancelled(run);
    }
    engine_free(fixture.engine);
    fixture.engine = usual;
}

static char heard[200];
static bool submit_again;
static void submit_from_observer(void *context, const struct run *run)
{
    (void)context;
    size_t len = strlen(heard);
    (void)snprintf(heard + len, sizeof heard - len, "%c:%s ", submit_again ? 'a' : 'b',
                   run_state_name(run_state(run)));
    if (run_state(run) == RUN_PREPARING && submit_again) {
        submit_again = false;
        submit_one(&fixture);
    }
}

static void a_run_that_an_observer_submits_is_heard_of_first_as_queued(void **state)
{
    (void)state;
    struct err err = {0};
    struct engine_config config = {
        .concurrency = 2, .keep_ms = 1000, .observer = submit_from_observer};
    struct engine *usual = fixture.engine;
    fixture.engine = engine_new(fixture.loop, &config, fixture.executor, &err);
    assert_non_null(fixture.engine);
    heard[0] = '\0';
    submit_again = true;
    submit_one(&fixture);
    fake_loop_settle(fixture.loop);
    assert_string_equal(heard, "a:queued a:preparing b:queued b:preparing ");
    fake_stage_exit(oldest_stage(), 0);
    fake_stage_exit(oldest_stage(), 0);
    fake_loop_settle(fixture.loop);
    engine_free(fixture.engine);
    fixture.engine = usual;
}

static void note_drained(void *context)
{
    ++*(int *)context;
}

static void a_drain_lets_runs_end_and_refuses_new_ones(void **state)
{
    (void)state;
    struct run *runs[3];
    int drained = 0;
    for (size_t i = 0; i < ARRAY_LEN(runs); i++)
        runs[i] = submit_one(&fixture);
    fake_loop_settle(fixture.loop);
    engine_drain(fixture.engine, 10000, note_drained, &drained);
    struct run_spec spec = spec_of(&interpreted);
    struct err err = {0};
    assert_null(engine_submit(fixture.engine, &spec, &err));
    assert_int_equal(err.code, ERR_SHUTTING_DOWN);
    for (size_t i = 0; i < ARRAY_LEN(runs); i++) { /* the one that waited is served too */
        fake_loop_advance(fixture.loop, 100);
        assert_int_equal(drained, 0);
        fake_stage_exit(oldest_stage(), 0);
    }
    fake_loop_settle(fixture.loop);
    assert_int_equal(drained, 1);
    fake_loop_advance(fixture.loop, 20000);
    assert_int_equal(drained, 1);
    for (size_t i = 0; i < ARRAY_LEN(runs); i++)
        assert_int_equal(run_result(runs[i])->verdict, VERDICT_SUCCEEDED);
}

static void after_its_grace_a_drain_cancels_the_rest(void **state)
{
    (void)state;
    struct run *runs[4];
    int drained = 0;
    for (size_t i = 0; i < ARRAY_LEN(runs); i++)
        runs[i] = submit_one(&fixture);
    fake_loop_settle(fixture.loop);
    fake_stage_start(stage_of(&fixture));
    engine_drain(fixture.engine, 3000, note_drained, &drained);
    fake_loop_advance(fixture.loop, 2999);
    assert_int_equal(drained, 0);
    fake_loop_advance(fixture.loop, 1);
    assert_int_equal(drained, 1);
    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        assert_int_equal(run_result(runs[i])->verdict, VERDICT_CANCELLED);
        assert_string_equal(run_result(runs[i])->reason, "the server is shutting down");
    }
}

static void a_drain_can_be_hurried(void **state)
{
    (void)state;
    int drained = 0;
    struct run *run = submit_one(&fixture);
    fake_loop_settle(fixture.loop);
    engine_drain(fixture.engine, 10000, note_drained, &drained);
    engine_drain(fixture.engine, 0, note_drained, &drained);
    assert_int_equal(drained, 0); /* not from inside the call */
    fake_loop_settle(fixture.loop);
    assert_int_equal(drained, 1);
    assert_int_equal(run_result(run)->verdict, VERDICT_CANCELLED);
}

static void a_drain_of_an_idle_engine_is_done_at_once(void **state)
{
    (void)state;
    int drained = 0;
    engine_drain(fixture.engine, 10000, note_drained, &drained);
    assert_int_equal(drained, 0);
    fake_loop_settle(fixture.loop);
    assert_int_equal(drained, 1);
}

static void retry_after_grows_with_the_queue_and_what_runs_take(void **state)
{
    (void)state;
    assert_int_equal(engine_retry_after_s(fixture.engine), 1);
    submit_one(&fixture);
    fake_loop_settle(fixture.loop);
    fake_stage_start(stage_of(&fixture));
    fake_loop_advance(fixture.loop, 8000);
    fake_stage_exit(stage_of(&fixture), 0);
    for (size_t i = 0; i < 5; i++)
        submit_one(&fixture);
    fake_loop_settle(fixture.loop);
    assert_int_equal(engine_retry_after_s(fixture.engine), 1 + 4 * 8 / 2);
}

static void a_language_that_is_not_there_is_refused(void **state)
{
    (void)state;
    struct language dart = interpreted;
    struct run_spec spec = spec_of(&dart);
    struct err err = {0};
    dart.title = "Dart";
    dart.installed = false;
    dart.packages = "dart";
    assert_null(engine_submit(fixture.engine, &spec, &err));
    assert_int_equal(err.code, ERR_NOT_INSTALLED);
    assert_string_equal(err.text, "Dart is not installed; it needs: dart");
    dart.unavailable = "no package is known";
    assert_null(engine_submit(fixture.engine, &spec, &err));
    assert_string_equal(err.text, "Dart is not installed: no package is known");
}

static void an_engine_without_slots_is_refused(void **state)
{
    (void)state;
    struct engine_config config = {0};
    struct err err = {0};
    assert_null(engine_new(fixture.loop, &config, fixture.executor, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_string_equal(engine_isolation(fixture.engine), "none: a fake");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(slots_are_given_in_the_order_of_arrival),
        TEST(a_full_queue_refuses_and_takes_again_when_there_is_room),
        TEST(a_run_that_waits_too_long_is_told_so),
        TEST(a_run_is_cancelled_once_wherever_it_stands),
        TEST(a_waiting_run_is_cancelled_without_a_slot),
        TEST(an_end_that_beats_the_kill_is_still_the_only_end),
        TEST(an_observer_may_cancel_in_every_state),
        TEST(a_run_that_an_observer_submits_is_heard_of_first_as_queued),
        TEST(a_drain_lets_runs_end_and_refuses_new_ones),
        TEST(after_its_grace_a_drain_cancels_the_rest),
        TEST(a_drain_can_be_hurried),
        TEST(a_drain_of_an_idle_engine_is_done_at_once),
        TEST(retry_after_grows_with_the_queue_and_what_runs_take),
        TEST(a_language_that_is_not_there_is_refused),
        TEST(an_engine_without_slots_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
