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

static struct run *running(const struct run_spec *spec)
{
    struct run *run = submit_and_settle(&fixture, spec);
    fake_stage_start(stage_of(&fixture));
    return run;
}

static void expect(struct run *run, enum verdict verdict)
{
    assert_int_equal(run_state(run), RUN_FINISHED);
    if (run_result(run)->verdict != verdict)
        fail_msg("%s instead of %s", verdict_name(run_result(run)->verdict), verdict_name(verdict));
    assert_int_equal(engine_running(fixture.engine), 0);
}

static void the_wall_clock_runs_from_the_start_of_the_program(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = submit_and_settle(&fixture, &spec);
    fake_loop_advance(fixture.loop, 5000); /* the box takes its time */
    fake_stage_start(stage_of(&fixture));
    fake_loop_advance(fixture.loop, 9999);
    assert_false(stage_of(&fixture)->killed);
    fake_loop_advance(fixture.loop, 1);
    expect(run, VERDICT_TIMEOUT);
    assert_string_equal(run_result(run)->reason, "the program ran longer than 10 s");
}

static void each_compile_stage_has_a_wall_clock_of_its_own(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&compiled);
    struct run *run = submit_and_settle(&fixture, &spec);
    fake_stage_start(stage_of(&fixture));
    fake_loop_advance(fixture.loop, 29000);
    fake_stage_exit(stage_of(&fixture), 0);
    fake_stage_start(stage_of(&fixture));
    fake_loop_advance(fixture.loop, 29000);
    assert_int_equal(run_state(run), RUN_COMPILING);
    fake_loop_advance(fixture.loop, 1000);
    expect(run, VERDICT_TIMEOUT);
    assert_true(run_result(run)->compile_stage);
    assert_string_equal(run_result(run)->reason, "the compiler ran longer than 30 s");
}

static void ending_by_itself_while_being_killed_ends_it_once(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = running(&spec);
    fake_of_fixture(&fixture)->deaf = true;
    fake_loop_advance(fixture.loop, 10000);
    assert_true(stage_of(&fixture)->killed);
    assert_int_equal(run_state(run), RUN_RUNNING);
    run_cancel(run, "the client stopped it");
    fake_stage_exit(stage_of(&fixture), 0);
    expect(run, VERDICT_CANCELLED); /* both hold; the table's order decides */
    struct client client;
    client_replay(&client, run, READER_TEXT);
    assert_string_equal(client.story, "queued preparing running finished end");
    client_fini(&client);
}

static void idleness_counts_from_the_last_output_or_input(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.profile = PROFILE_LIVE;
    spec.limits.value[LIMIT_IDLE] = 1000;
    spec.input_stays_open = true;
    struct run *run = running(&spec);
    struct fake_stage *stage = stage_of(&fixture);
    fake_loop_advance(fixture.loop, 900);
    fake_stage_print_text(stage, STAGE_STDOUT, "x");
    fake_loop_advance(fixture.loop, 900);
    fake_stage_print_text(stage, STAGE_STDERR, "x");
    fake_loop_advance(fixture.loop, 900);
    assert_int_equal(run_write(run, slice_of("y"), NULL), 0);
    fake_loop_advance(fixture.loop, 900);
    assert_int_equal(run_state(run), RUN_RUNNING);
    fake_loop_advance(fixture.loop, 100);
    expect(run, VERDICT_IDLE_TIMEOUT);
    assert_string_equal(run_result(run)->reason, "no output and no input for 1 s");
}

static void idleness_does_not_count_while_compiling_or_making_the_box(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&compiled);
    spec.limits.value[LIMIT_IDLE] = 1000;
    struct run *run = submit_and_settle(&fixture, &spec);
    fake_loop_advance(fixture.loop, 5000);
    fake_stage_start(stage_of(&fixture));
    fake_loop_advance(fixture.loop, 5000);
    fake_stage_exit(stage_of(&fixture), 0);
    fake_stage_exit(stage_of(&fixture), 0);
    fake_loop_advance(fixture.loop, 5000);
    fake_stage_start(stage_of(&fixture));
    fake_loop_advance(fixture.loop, 999);
    assert_int_equal(run_state(run), RUN_RUNNING);
    fake_loop_advance(fixture.loop, 1);
    expect(run, VERDICT_IDLE_TIMEOUT);
}

static void a_program_that_we_hold_is_not_idle(void **state)
{
    (void)state;
    struct run_spec spec = live_spec();
    spec.limits.value[LIMIT_IDLE] = 1000;
    spec.limits.value[LIMIT_OUTPUT] = 1024;
    struct client client = {.slow = true};
    struct run *run = running(&spec);
    client_attach(&client, run, 0, READER_BYTES);
    char block[1100] = {0};
    fake_stage_print(stage_of(&fixture), STAGE_STDOUT, (struct slice){block, sizeof block});
    assert_true(stage_of(&fixture)->paused);
    fake_loop_advance(fixture.loop, 60000);
    assert_int_equal(run_state(run), RUN_RUNNING);
    client_read(&client);
    assert_false(stage_of(&fixture)->paused);
    fake_loop_advance(fixture.loop, 999);
    assert_int_equal(run_state(run), RUN_RUNNING);
    fake_loop_advance(fixture.loop, 1);
    expect(run, VERDICT_IDLE_TIMEOUT);
    client_fini(&client);
}

/* What it said waits for a reader that does not come before the limit. */
static void a_program_that_had_ended_was_not_too_slow(void **state)
{
    (void)state;
    struct run_spec spec = live_spec();
    spec.limits.value[LIMIT_WALL] = 3000;
    struct run *run = running(&spec);
    fake_of_fixture(&fixture)->deaf = true;
    fake_loop_advance(fixture.loop, 3000);
    struct stage_end end = {.usage.wall_ns = 22 * NS_PER_MS};
    fake_stage_end(stage_of(&fixture), &end);
    expect(run, VERDICT_SUCCEEDED);
}

static void a_run_that_nobody_ever_reads_goes_on(void **state)
{
    (void)state;
    struct run_spec spec = live_spec();
    spec.unattended_ms = 500;
    spec.limits.value[LIMIT_OUTPUT] = 1024;
    struct run *run = running(&spec);
    char block[1100] = {0};
    fake_stage_print(stage_of(&fixture), STAGE_STDOUT, (struct slice){block, sizeof block});
    assert_true(stage_of(&fixture)->paused);
    fake_loop_advance(fixture.loop, 500);
    assert_false(stage_of(&fixture)->paused);
    fake_stage_exit(stage_of(&fixture), 0);
    expect(run, VERDICT_SUCCEEDED);
}

static void a_byte_of_output_is_enough_to_begin(void **state)
{
    (void)state;
    struct run_spec spec = live_spec();
    spec.limits.value[LIMIT_OUTPUT] = 1;
    struct client client = {0};
    struct run *run = submit_and_settle(&fixture, &spec);
    client_attach(&client, run, 0, READER_BYTES);
    fake_loop_settle(fixture.loop);
    fake_stage_start(stage_of(&fixture));
    fake_loop_settle(fixture.loop);
    assert_false(stage_of(&fixture)->paused);
    fake_stage_exit(stage_of(&fixture), 0);
    expect(run, VERDICT_SUCCEEDED);
    client_fini(&client);
}

static void cpu_is_sampled_no_sooner_than_the_budget_could_be_gone(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.limits.value[LIMIT_WALL] = 100000;
    spec.limits.value[LIMIT_CPU_TIME] = 1000;
    spec.limits.value[LIMIT_CPUS] = 2000;
    struct run *run = running(&spec);
    struct fake_stage *stage = stage_of(&fixture);
    fake_loop_advance(fixture.loop, 499);
    assert_int_equal(stage->samples, 0);
    fake_loop_advance(fixture.loop, 1); /* 1 s of budget on two processors */
    assert_int_equal(stage->samples, 1);
    fake_stage_use_cpu(stage, 200 * NS_PER_MS);
    fake_loop_advance(fixture.loop, 399);
    assert_int_equal(stage->samples, 1);
    fake_loop_advance(fixture.loop, 1);
    assert_int_equal(stage->samples, 2);
    fake_stage_use_cpu(stage, 999 * NS_PER_MS);
    fake_loop_advance(fixture.loop, 9);
    assert_int_equal(stage->samples, 2); /* the grain is 10 ms */
    fake_loop_advance(fixture.loop, 1);
    assert_int_equal(stage->samples, 3);
    fake_stage_use_cpu(stage, 1000 * NS_PER_MS); /* not over it */
    assert_false(stage->killed);
    fake_loop_advance(fixture.loop, 10);
    fake_stage_use_cpu(stage, 1000 * NS_PER_MS + 1);
    assert_true(stage->killed);
    fake_stage_use_cpu(stage, 1001 * NS_PER_MS); /* a sample that was under way */
    fake_loop_settle(fixture.loop);
    expect(run, VERDICT_CPU_LIMIT);
}

static void a_sample_under_way_survives_the_end(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = running(&spec);
    fake_loop_advance(fixture.loop, 9990);
    fake_stage_exit(stage_of(&fixture), 0);
    fake_loop_advance(fixture.loop, 20000);
    expect(run, VERDICT_SUCCEEDED);
}

static void a_box_that_never_comes_gives_its_slot_back(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = submit_and_settle(&fixture, &spec);
    fake_loop_advance(fixture.loop, 30000);
    expect(run, VERDICT_INTERNAL_ERROR);
    assert_string_equal(run_result(run)->reason, "the box was not ready in time");
    assert_int_equal(fake_of_fixture(&fixture)->stages_live, 0);
}

static void a_box_that_never_ends_gives_its_slot_back(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = running(&spec);
    fake_of_fixture(&fixture)->deaf = true;
    run_cancel(run, "the client stopped it");
    fake_loop_advance(fixture.loop, 30000);
    expect(run, VERDICT_INTERNAL_ERROR);
    assert_string_equal(run_result(run)->reason, "the box did not end when it was killed");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_wall_clock_runs_from_the_start_of_the_program),
        TEST(each_compile_stage_has_a_wall_clock_of_its_own),
        TEST(ending_by_itself_while_being_killed_ends_it_once),
        TEST(idleness_counts_from_the_last_output_or_input),
        TEST(idleness_does_not_count_while_compiling_or_making_the_box),
        TEST(a_program_that_we_hold_is_not_idle),
        TEST(a_program_that_had_ended_was_not_too_slow),
        TEST(a_run_that_nobody_ever_reads_goes_on),
        TEST(a_byte_of_output_is_enough_to_begin),
        TEST(cpu_is_sampled_no_sooner_than_the_budget_could_be_gone),
        TEST(a_sample_under_way_survives_the_end),
        TEST(a_box_that_never_comes_gives_its_slot_back),
        TEST(a_box_that_never_ends_gives_its_slot_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
