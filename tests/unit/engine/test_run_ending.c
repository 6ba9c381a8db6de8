/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "fixture.h"

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    fixture_init(&fixture, 1, 8);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (fixture.recorded && run_state(fixture.recorded) != RUN_FINISHED)
        run_recorded(fixture.recorded);
    fixture.records_at_once = true;
    fixture_fini(&fixture);
    return 0;
}

static const char *const folders[] = {"outputs/", NULL};

static struct run_spec spec_with_artifacts(bool recorded)
{
    struct run_spec spec = spec_of(&interpreted);
    spec.artifacts = "outputs";
    spec.folders = folders;
    spec.recorded = recorded;
    return spec;
}

/* Until the program has ended, whatever follows. */
static struct run *play(const struct run_spec *spec)
{
    struct run *run = submit_and_settle(&fixture, spec);
    fake_stage_start(stage_of(&fixture));
    fake_stage_print_text(stage_of(&fixture), STAGE_STDOUT, "hello");
    fake_stage_exit(stage_of(&fixture), 0);
    fake_loop_settle(fixture.loop);
    return run;
}

static void find(const struct fake_found *found, size_t count)
{
    fake_of_fixture(&fixture)->found = found;
    fake_of_fixture(&fixture)->found_count = count;
}

static void what_it_left_comes_before_its_end(void **state)
{
    (void)state;
    static const struct fake_found found[] = {
        {.path = "plot.svg", .content = {"<svg/>", 6}},
        {.path = "link", .refusal = "a symbolic link"},
    };
    find(found, 2);
    struct run_spec spec = spec_with_artifacts(true);
    struct run *run = play(&spec);
    assert_int_equal(fixture.recordings, 1);
    assert_ptr_equal(fixture.recorded, run);
    assert_int_equal(run_state(run), RUN_RUNNING);
    assert_null(run_result(run));
    assert_int_equal(fixture.result->verdict, VERDICT_SUCCEEDED);
    assert_int_equal(fixture.artifact_count, 2);
    assert_string_equal(fixture.artifacts[0].path, "plot.svg");
    assert_true(fixture.artifacts[0].fd >= 0);
    assert_string_equal(fixture.artifacts[1].refusal, "a symbolic link");
    assert_string_equal(fake_of_fixture(&fixture)->collect_folder, "outputs");
    assert_int_equal(fake_of_fixture(&fixture)->collect_max_files, 10);
    assert_int_equal(fake_of_fixture(&fixture)->collect_max_bytes, 5 * MIB);
    assert_int_equal(fake_of_fixture(&fixture)->workspaces, 0); /* its descriptors outlive it */

    char bytes[16];
    assert_int_equal(read(fixture.artifacts[0].fd, bytes, sizeof bytes), 6);
    run_recorded(run);
    assert_int_equal(run_state(run), RUN_FINISHED);
    struct client client;
    client_replay(&client, run, READER_TEXT);
    assert_string_equal(client.story, "queued preparing running out finished end");
    client_fini(&client);
}

static void nobody_is_told_before_it_is_recorded(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.recorded = true;
    struct run *run = play(&spec);
    struct client client = {0};
    client_attach(&client, run, 0, READER_TEXT);
    fake_loop_advance(fixture.loop, 120000);
    assert_int_equal(client.ends, 0);
    assert_int_equal(engine_running(fixture.engine), 1); /* it holds its slot */
    struct run *next = submit_and_settle(&fixture, &spec);
    assert_int_equal(run_state(next), RUN_QUEUED);
    run_recorded(run);
    fake_loop_settle(fixture.loop);
    assert_int_equal(client.ends, 1);
    assert_int_equal(run_state(next), RUN_PREPARING);
    client_leave(&client);
    client_fini(&client);
    run_cancel(next, "enough");
    fake_loop_settle(fixture.loop);
}

static void what_comes_while_it_is_recorded_comes_too_late(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct err err;
    spec.recorded = true;
    spec.streaming = true;
    spec.input_stays_open = true;
    spec.ends_unattended = true;
    spec.unattended_ms = 10;
    struct run *run = play(&spec);
    struct client client = {0};
    client_attach(&client, run, 0, READER_TEXT);
    client_leave(&client);
    fake_loop_advance(fixture.loop, 1000);
    run_cancel(run, "too late");
    run_close_input(run);
    run_signal(run, 15);
    run_resize(run, 80, 24);
    run_forget(run);
    assert_int_equal(run_write(run, slice_of("x"), &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    fake_loop_settle(fixture.loop);
    run_recorded(run);
    assert_int_equal(run_result(run)->verdict, VERDICT_SUCCEEDED);
    assert_int_equal(fixture.recordings, 1);
    client_fini(&client);
}

static void who_leaves_the_queue_waits_for_its_recorder_and_holds_nobody(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *first = submit_and_settle(&fixture, &spec);
    spec.recorded = true;
    struct run *leaving = submit_and_settle(&fixture, &spec);
    spec.recorded = false;
    struct run *last = submit_and_settle(&fixture, &spec);
    run_cancel(leaving, "enough");
    fake_loop_settle(fixture.loop);
    assert_int_equal(fixture.recordings, 1);
    assert_null(run_result(leaving));
    run_cancel(last, "enough");
    run_cancel(first, "enough");
    fake_loop_settle(fixture.loop);
    assert_int_equal(run_state(first), RUN_FINISHED);
    assert_int_equal(run_state(last), RUN_FINISHED);
    assert_int_equal(fixture.recordings, 1);
    run_recorded(leaving);
    assert_int_equal(run_result(leaving)->verdict, VERDICT_CANCELLED);
}

static void a_recorder_may_be_done_within_the_call(void **state)
{
    (void)state;
    fixture.records_at_once = true;
    struct run_spec spec = spec_with_artifacts(true);
    struct run *run = play(&spec);
    assert_int_equal(run_state(run), RUN_FINISHED);
}

static void without_a_wish_nothing_is_recorded_or_collected(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = play(&spec);
    assert_int_equal(run_state(run), RUN_FINISHED);
    assert_int_equal(fixture.recordings, 0);
    assert_int_equal(fake_of_fixture(&fixture)->collections, 0);
}

static void a_program_that_never_ran_left_nothing(void **state)
{
    (void)state;
    fixture.records_at_once = true;
    struct run_spec spec = spec_with_artifacts(true);
    spec.language = &compiled;
    struct run *run = submit_and_settle(&fixture, &spec);
    fake_stage_start(stage_of(&fixture));
    fake_stage_exit(stage_of(&fixture), 1);
    fake_loop_settle(fixture.loop);
    assert_int_equal(run_result(run)->verdict, VERDICT_COMPILE_FAILED);
    assert_int_equal(fake_of_fixture(&fixture)->collections, 0);
    run = submit(&fixture, &spec);
    run_cancel(run, "in the queue");
    fake_loop_settle(fixture.loop);
    assert_int_equal(run_result(run)->verdict, VERDICT_CANCELLED);
    assert_int_equal(fixture.recordings, 2);
}

static void a_run_that_leaves_the_queue_is_recorded_once(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    (void)submit_and_settle(&fixture, &spec);
    spec.recorded = true;
    struct run *run = submit_and_settle(&fixture, &spec);
    run_cancel(run, "in the queue");
    fake_loop_settle(fixture.loop);
    assert_int_equal(fixture.recordings, 1);
    assert_int_equal(run_state(run), RUN_QUEUED);
    run_cancel(run, "again");
    fake_stage_exit(stage_of(&fixture), 0); /* the dispatcher comes by */
    fake_loop_settle(fixture.loop);
    assert_int_equal(fixture.recordings, 1);
    run_recorded(run);
    assert_int_equal(run_result(run)->verdict, VERDICT_CANCELLED);
}

static bool is_drained;

static void on_drained(void *context)
{
    (void)context;
    is_drained = true;
}

static void a_drain_waits_for_the_recorder(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    (void)submit_and_settle(&fixture, &spec);
    spec.recorded = true;
    struct run *run = submit_and_settle(&fixture, &spec);
    run_cancel(run, "in the queue");
    fake_loop_settle(fixture.loop);
    is_drained = false;
    engine_drain(fixture.engine, 1000, on_drained, NULL);
    fake_stage_exit(stage_of(&fixture), 0);
    fake_loop_settle(fixture.loop);
    assert_int_equal(engine_running(fixture.engine), 0);
    assert_false(is_drained);
    run_recorded(run);
    fake_loop_settle(fixture.loop);
    assert_true(is_drained);
}

static void a_collection_that_does_not_come_is_not_waited_for(void **state)
{
    (void)state;
    fake_of_fixture(&fixture)->collect_held = true;
    struct run_spec spec = spec_with_artifacts(false);
    struct run *run = play(&spec);
    assert_int_equal(run_state(run), RUN_RUNNING);
    fake_loop_advance(fixture.loop, 60000);
    assert_int_equal(run_state(run), RUN_FINISHED);
    assert_int_equal(run_result(run)->verdict, VERDICT_SUCCEEDED);
}

static void a_run_carries_what_its_owner_gave_it(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.id = "run_0123456789ab";
    spec.owner = 7;
    spec.note = slice_of("a note");
    struct run *run = submit_and_settle(&fixture, &spec);
    assert_ptr_equal(engine_find(fixture.engine, "run_0123456789ab"), run);
    assert_int_equal(run_owner(run), 7);
    assert_string_equal(run_note(run).at, "a note");
    fake_stage_exit(stage_of(&fixture), 0);
    fake_loop_settle(fixture.loop);
    run_forget(run);
    assert_null(engine_find(fixture.engine, "run_0123456789ab"));
}

static void what_is_prepared_is_seen_once_it_starts(void **state)
{
    (void)state;
    struct err err;
    struct run_spec spec = spec_of(&interpreted);
    spec.id = "run_prepared";
    struct run *run = engine_prepare(fixture.engine, &spec, &err);
    assert_non_null(run);
    assert_null(engine_find(fixture.engine, "run_prepared"));
    engine_discard(run);
    run = engine_prepare(fixture.engine, &spec, &err);
    assert_int_equal(engine_start(run, &err), 0);
    assert_ptr_equal(engine_find(fixture.engine, "run_prepared"), run);
    for (uint64_t i = 0; i < 8; i++)
        (void)submit(
            &fixture,
            &(struct run_spec){.language = &interpreted, .source = slice_of("1"), .tenant = i % 2});
    run = engine_prepare(fixture.engine, &(struct run_spec){.language = &interpreted}, &err);
    assert_int_equal(engine_start(run, &err), -1);
    assert_int_equal(err.code, ERR_BUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_it_left_comes_before_its_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_is_told_before_it_is_recorded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_comes_while_it_is_recorded_comes_too_late, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            who_leaves_the_queue_waits_for_its_recorder_and_holds_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_recorder_may_be_done_within_the_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_wish_nothing_is_recorded_or_collected, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_program_that_never_ran_left_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_run_that_leaves_the_queue_is_recorded_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_drain_waits_for_the_recorder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_collection_that_does_not_come_is_not_waited_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_run_carries_what_its_owner_gave_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_prepared_is_seen_once_it_starts, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
