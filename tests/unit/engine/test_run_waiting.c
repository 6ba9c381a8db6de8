/* SPDX-License-Identifier: MIT */
#include "fixture.h"

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    fixture_init(&fixture, 2, 8);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_fini(&fixture);
    return 0;
}

static struct run *running(const struct run_spec *spec, struct client *client)
{
    struct run *run = submit_and_settle(&fixture, spec);
    if (client)
        client_attach(client, run, 0, READER_TEXT);
    fake_stage_start(stage_of(&fixture));
    return run;
}

static struct run *reading(struct client *client)
{
    struct run_spec spec = spec_of(&interpreted);
    spec.profile = PROFILE_LIVE;
    spec.input_stays_open = true;
    return running(&spec, client);
}

/* A run that waits since 30 ms after its start. */
static struct run *waiting(struct client *client)
{
    struct run *run = reading(client);
    fake_loop_advance(fixture.loop, 30);
    fake_stage_answer(stage_of(&fixture), true);
    assert_int_equal(run_state(run), RUN_WAITING);
    return run;
}

static void expect_probes(unsigned count)
{
    assert_int_equal(stage_of(&fixture)->probes, count);
}

static void a_quiet_run_is_asked_about_and_waits(void **state)
{
    (void)state;
    struct client client = {0};
    struct run *run = reading(&client);
    fake_stage_print_text(stage_of(&fixture), STAGE_STDOUT, "name? ");
    fake_loop_advance(fixture.loop, 29);
    expect_probes(0);
    fake_loop_advance(fixture.loop, 1);
    expect_probes(1);
    assert_int_equal(run_state(run), RUN_RUNNING);
    fake_stage_answer(stage_of(&fixture), true);
    assert_int_equal(run_state(run), RUN_WAITING);
    fake_loop_settle(fixture.loop);
    assert_string_equal(client.story, "queued preparing running out waiting");
    client_fini(&client);
}

static void output_and_input_put_the_question_off(void **state)
{
    (void)state;
    struct client client = {0};
    struct run *run = reading(&client);
    for (int i = 0; i < 10; i++) {
        fake_loop_advance(fixture.loop, 20);
        fake_stage_print_text(stage_of(&fixture), STAGE_STDERR, "x");
        fake_loop_advance(fixture.loop, 20);
        assert_int_equal(run_write(run, slice_of("y"), NULL), 0);
    }
    expect_probes(0);
    fake_loop_advance(fixture.loop, 30);
    expect_probes(1);
    client_fini(&client);
}

static void output_ends_the_waiting(void **state)
{
    (void)state;
    struct client client = {0};
    struct run *run = waiting(&client);
    fake_stage_print_text(stage_of(&fixture), STAGE_STDOUT, "x");
    assert_int_equal(run_state(run), RUN_RUNNING);
    fake_loop_settle(fixture.loop);
    assert_string_equal(client.story, "queued preparing running waiting running out");
    client_fini(&client);
}

static void input_ends_the_waiting(void **state)
{
    (void)state;
    struct client client = {0};
    struct run *run = waiting(&client);
    assert_int_equal(run_write(run, slice_of("joe\n"), NULL), 0);
    assert_int_equal(run_state(run), RUN_RUNNING);
    fake_loop_advance(fixture.loop, 30);
    expect_probes(2);
    fake_stage_answer(stage_of(&fixture), true);
    assert_int_equal(run_state(run), RUN_WAITING);
    fake_loop_settle(fixture.loop);
    assert_string_equal(client.story, "queued preparing running waiting running waiting");
    client_fini(&client);
}

static void the_end_of_input_ends_the_waiting_for_good(void **state)
{
    (void)state;
    struct client client = {0};
    struct run *run = waiting(&client);
    run_close_input(run);
    assert_int_equal(run_state(run), RUN_RUNNING);
    fake_loop_advance(fixture.loop, 60000);
    expect_probes(1);
    assert_int_equal(run_state(run), RUN_RUNNING);
    client_fini(&client);
}

static void the_program_may_end_while_it_waits(void **state)
{
    (void)state;
    struct client client = {0};
    struct run *run = waiting(&client);
    fake_stage_exit(stage_of(&fixture), 0);
    fake_loop_settle(fixture.loop);
    assert_int_equal(run_state(run), RUN_FINISHED);
    assert_string_equal(client.story, "queued preparing running waiting finished end");
    client_fini(&client);
}

static void a_waiting_run_can_be_cancelled(void **state)
{
    (void)state;
    struct client client = {0};
    struct run *run = waiting(&client);
    run_cancel(run, "the client stopped it");
    fake_loop_settle(fixture.loop);
    assert_int_equal(run_result(run)->verdict, VERDICT_CANCELLED);
    assert_string_equal(client.story, "queued preparing running waiting finished end");
    client_fini(&client);
}

static void who_waits_is_idle(void **state)
{
    (void)state;
    struct client client = {0};
    struct run_spec spec = spec_of(&interpreted);
    spec.limits.value[LIMIT_IDLE] = 1000;
    spec.input_stays_open = true;
    struct run *run = running(&spec, &client);
    fake_loop_advance(fixture.loop, 30);
    fake_stage_answer(stage_of(&fixture), true);
    fake_loop_advance(fixture.loop, 969);
    assert_int_equal(run_state(run), RUN_WAITING);
    fake_loop_advance(fixture.loop, 1);
    assert_int_equal(run_result(run)->verdict, VERDICT_IDLE_TIMEOUT);
    client_fini(&client);
}

static void questions_become_rare_while_the_answer_is_no(void **state)
{
    (void)state;
    static const uint64_t pauses_ms[] = {60, 120, 240, 480, 960, 1000, 1000};
    struct client client = {0};
    struct run *run = reading(&client);
    fake_loop_advance(fixture.loop, 30);
    for (unsigned i = 0; i < ARRAY_LEN(pauses_ms); i++) {
        fake_stage_answer(stage_of(&fixture), false);
        fake_loop_advance(fixture.loop, pauses_ms[i] - 1);
        expect_probes(i + 1);
        fake_loop_advance(fixture.loop, 1);
        expect_probes(i + 2);
    }
    fake_stage_answer(stage_of(&fixture), false);
    fake_stage_print_text(stage_of(&fixture), STAGE_STDOUT, "x");
    fake_loop_advance(fixture.loop, 30); /* frequent again */
    expect_probes(ARRAY_LEN(pauses_ms) + 2);
    assert_int_equal(run_state(run), RUN_RUNNING);
    client_fini(&client);
}

static void a_program_that_goes_on_by_itself_is_noticed(void **state)
{
    (void)state;
    struct client client = {0};
    struct run *run = waiting(&client);
    fake_loop_advance(fixture.loop, 1000);
    expect_probes(2);
    fake_stage_answer(stage_of(&fixture), true);
    assert_int_equal(run_state(run), RUN_WAITING);
    fake_loop_advance(fixture.loop, 1000);
    fake_stage_answer(stage_of(&fixture), false);
    assert_int_equal(run_state(run), RUN_WAITING);
    fake_loop_advance(fixture.loop, 30);
    expect_probes(4);
    fake_stage_answer(stage_of(&fixture), false);
    assert_int_equal(run_state(run), RUN_RUNNING);
    fake_loop_advance(fixture.loop, 60);
    expect_probes(5);
    client_fini(&client);
}

static void a_thread_that_runs_for_a_moment_changes_nothing(void **state)
{
    (void)state;
    struct client client = {0};
    struct run *run = waiting(&client);
    fake_loop_advance(fixture.loop, 1000);
    fake_stage_answer(stage_of(&fixture), false);
    fake_loop_advance(fixture.loop, 30);
    fake_stage_answer(stage_of(&fixture), true);
    assert_int_equal(run_state(run), RUN_WAITING);
    fake_loop_advance(fixture.loop, 999);
    expect_probes(3);
    fake_loop_settle(fixture.loop);
    assert_string_equal(client.story, "queued preparing running waiting");
    client_fini(&client);
}

static void an_answer_that_comes_too_late_does_not_count(void **state)
{
    (void)state;
    struct client client = {0};
    struct run *run = reading(&client);
    fake_loop_advance(fixture.loop, 30);
    assert_int_equal(run_write(run, slice_of("joe\n"), NULL), 0);
    fake_stage_answer(stage_of(&fixture), true);
    assert_int_equal(run_state(run), RUN_RUNNING);
    fake_loop_advance(fixture.loop, 30);
    expect_probes(2);
    fake_stage_print_text(stage_of(&fixture), STAGE_STDOUT, "x");
    fake_loop_advance(fixture.loop, 5000);
    expect_probes(2); /* one at a time */
    fake_stage_answer(stage_of(&fixture), true);
    assert_int_equal(run_state(run), RUN_RUNNING);
    fake_loop_advance(fixture.loop, 30);
    expect_probes(3);
    client_fini(&client);
}

static void unread_bytes_answer_for_the_program(void **state)
{
    (void)state;
    struct client client = {0};
    struct run *run = reading(&client);
    stage_of(&fixture)->unread = true;
    fake_loop_advance(fixture.loop, 89);
    stage_of(&fixture)->unread = false;
    fake_loop_advance(fixture.loop, 1);
    expect_probes(1);
    assert_int_equal(run_state(run), RUN_RUNNING);
    client_fini(&client);
}

static void nobody_asks_when_nobody_reads(void **state)
{
    (void)state;
    struct client client = {0};
    struct run *run = reading(NULL);
    fake_loop_advance(fixture.loop, 5000);
    expect_probes(0);
    client_attach(&client, run, 0, READER_TEXT);
    fake_loop_advance(fixture.loop, 30);
    expect_probes(1);
    client_leave(&client);
    fake_stage_answer(stage_of(&fixture), true); /* to a question of one who has left */
    assert_int_equal(run_state(run), RUN_RUNNING);
    fake_loop_advance(fixture.loop, 5000);
    expect_probes(1);
    client_fini(&client);
    client_attach(&client, run, 0, READER_TEXT);
    fake_loop_advance(fixture.loop, 30);
    expect_probes(2);
    client_fini(&client);
}

static void nobody_asks_when_no_input_can_come(void **state)
{
    (void)state;
    struct client client = {0};
    struct run_spec spec = spec_of(&interpreted);
    (void)running(&spec, &client);
    fake_loop_advance(fixture.loop, 5000);
    expect_probes(0);
    client_fini(&client);
}

static void nobody_asks_about_a_compiler(void **state)
{
    (void)state;
    struct client client = {0};
    struct run_spec spec = spec_of(&compiled);
    spec.input_stays_open = true;
    (void)running(&spec, &client);
    fake_loop_advance(fixture.loop, 5000);
    expect_probes(0);
    fake_stage_exit(stage_of(&fixture), 0);
    fake_stage_exit(stage_of(&fixture), 0);
    fake_loop_advance(fixture.loop, 5000);
    expect_probes(0);
    fake_stage_start(stage_of(&fixture));
    fake_loop_advance(fixture.loop, 30);
    expect_probes(1);
    client_fini(&client);
}

static void nobody_asks_while_we_hold_the_program(void **state)
{
    (void)state;
    struct client client = {.slow = true};
    struct run_spec spec = spec_of(&interpreted);
    spec.profile = PROFILE_LIVE;
    spec.streaming = true;
    spec.input_stays_open = true;
    spec.limits.value[LIMIT_OUTPUT] = 1024;
    (void)running(&spec, &client);
    char block[1100] = {0};
    fake_stage_print(stage_of(&fixture), STAGE_STDOUT, (struct slice){block, sizeof block});
    assert_true(stage_of(&fixture)->paused);
    fake_loop_advance(fixture.loop, 5000);
    expect_probes(0);
    client_read(&client);
    fake_loop_advance(fixture.loop, 1000);
    expect_probes(1);
    client_fini(&client);
}

static void the_observer_is_not_told_of_turns(void **state)
{
    (void)state;
    struct client client = {0};
    struct run *run = waiting(&client);
    assert_int_equal(run_write(run, slice_of("joe\n"), NULL), 0);
    assert_int_equal(run_state(run), RUN_RUNNING);
    assert_string_equal(buf_text(&fixture.observed), "queued preparing running ");
    client_fini(&client);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_quiet_run_is_asked_about_and_waits),
        TEST(output_and_input_put_the_question_off),
        TEST(output_ends_the_waiting),
        TEST(input_ends_the_waiting),
        TEST(the_end_of_input_ends_the_waiting_for_good),
        TEST(the_program_may_end_while_it_waits),
        TEST(a_waiting_run_can_be_cancelled),
        TEST(who_waits_is_idle),
        TEST(questions_become_rare_while_the_answer_is_no),
        TEST(a_program_that_goes_on_by_itself_is_noticed),
        TEST(a_thread_that_runs_for_a_moment_changes_nothing),
        TEST(an_answer_that_comes_too_late_does_not_count),
        TEST(unread_bytes_answer_for_the_program),
        TEST(nobody_asks_when_nobody_reads),
        TEST(nobody_asks_when_no_input_can_come),
        TEST(nobody_asks_about_a_compiler),
        TEST(nobody_asks_while_we_hold_the_program),
        TEST(the_observer_is_not_told_of_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
