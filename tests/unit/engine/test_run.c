/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

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

static void expect_end(struct run *run, enum verdict verdict, const char *story)
{
    struct client client;
    client_replay(&client, run, READER_TEXT);
    assert_int_equal(run_state(run), RUN_FINISHED);
    assert_non_null(run_result(run));
    if (run_result(run)->verdict != verdict)
        fail_msg("%s instead of %s: %s", verdict_name(run_result(run)->verdict),
                 verdict_name(verdict), run_result(run)->reason);
    assert_string_equal(client.story, story);
    assert_int_equal(client.ends, 1);
    assert_int_equal(fake_of_fixture(&fixture)->stages_live, 0);
    assert_int_equal(fake_of_fixture(&fixture)->workspaces, 0);
    assert_int_equal(engine_running(fixture.engine), 0);
    client_fini(&client);
}

static struct run *running(const struct run_spec *spec)
{
    struct run *run = submit_and_settle(&fixture, spec);
    fake_stage_start(stage_of(&fixture));
    assert_int_equal(run_state(run), RUN_RUNNING);
    return run;
}

static void a_run_goes_from_queue_to_result(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.args = (const char *const[]){"one", "two", NULL};
    struct run *run = submit(&fixture, &spec);
    assert_int_equal(strlen(run_id(run)), 36);
    assert_ptr_equal(engine_find(fixture.engine, run_id(run)), run);
    assert_int_equal(run_state(run), RUN_QUEUED);
    assert_int_equal(fixture.observed.len, 0); /* not from inside the call */
    fake_loop_advance(fixture.loop, 3);
    assert_int_equal(run_state(run), RUN_PREPARING);
    struct fake_stage *stage = stage_of(&fixture);
    assert_string_equal(stage->command, "/usr/bin/python3 main.py one two");
    assert_string_equal(fake_of_fixture(&fixture)->files, "main.py=print(1);");
    assert_true(stage->input_closed); /* a batch program reads EOF at once */
    fake_stage_start(stage);
    fake_stage_print_text(stage, STAGE_STDOUT, "1\n");
    assert_null(run_result(run));
    struct stage_end end = {.usage = {.wall_ns = 20 * NS_PER_MS,
                                      .cpu_ns = 9 * NS_PER_MS + 600000,
                                      .memory_peak_bytes = 4096}};
    fake_stage_end(stage, &end);
    expect_end(run, VERDICT_SUCCEEDED, "queued preparing running out finished end");
    assert_string_equal(buf_text(&fixture.observed), "queued preparing running finished ");
    assert_int_equal(run_result(run)->usage.wall_ms, 20);
    assert_int_equal(run_result(run)->usage.cpu_ms, 10);
    assert_int_equal(run_result(run)->usage.memory_peak_bytes, 4096);
    assert_false(run_result(run)->compile_stage);
}

static void a_compiled_run_has_a_stage_for_each_command(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&compiled);
    struct run_file files[] = {
        {"util.c", slice_of("int u;")}, {"data/x.txt", slice_of("1")}, {"lib/v.c", slice_of("")}};
    spec.files = files;
    spec.file_count = ARRAY_LEN(files);
    struct run *run = submit_and_settle(&fixture, &spec);
    assert_string_equal(fake_of_fixture(&fixture)->files,
                        "main.c=print(1);util.c=int u;;data/x.txt=1;lib/v.c=;");
    struct fake_stage *stage = stage_of(&fixture);
    assert_string_equal(stage->command, "/usr/bin/cc -c main.c util.c lib/v.c");
    assert_int_equal(stage->limits.value[LIMIT_MEMORY], 512 * MIB);
    assert_true(stage->input_closed);
    fake_stage_start(stage);
    assert_int_equal(run_state(run), RUN_COMPILING);
    struct stage_end end = {.usage = {.wall_ns = 100 * NS_PER_MS, .cpu_ns = 80 * NS_PER_MS}};
    fake_stage_end(stage, &end);

    stage = stage_of(&fixture);
    assert_string_equal(stage->command, "/usr/bin/ld main.o");
    fake_stage_start(stage);
    assert_int_equal(run_state(run), RUN_COMPILING);
    fake_stage_end(stage, &end);

    stage = stage_of(&fixture);
    assert_string_equal(stage->command, "./main");
    assert_int_equal(stage->limits.value[LIMIT_MEMORY], 256 * MIB);
    fake_stage_start(stage);
    fake_stage_exit(stage, 0);
    expect_end(run, VERDICT_SUCCEEDED, "queued preparing compiling running finished end");
    assert_int_equal(run_result(run)->usage.compile_ms, 200);
    assert_int_equal(run_result(run)->usage.cpu_ms, 160);
    assert_int_equal(run_result(run)->usage.wall_ms, 0);
    assert_int_equal(fixture.charged_ms, 200);
}

static void what_a_failing_compiler_says_is_shown_as_stderr(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&compiled);
    struct run *run = submit_and_settle(&fixture, &spec);
    struct fake_stage *stage = stage_of(&fixture);
    fake_stage_start(stage);
    fake_stage_print_text(stage, STAGE_STDERR, "main.c:1: error: ");
    fake_stage_print_text(stage, STAGE_STDOUT, "nonsense\n");
    fake_stage_exit(stage, 2);
    expect_end(run, VERDICT_COMPILE_FAILED, "queued preparing compiling err finished end");
    struct client client;
    client_replay(&client, run, READER_TEXT);
    assert_string_equal(buf_text(&client.err), "main.c:1: error: nonsense\n");
    client_fini(&client);
    assert_true(run_result(run)->compile_stage);
    assert_int_equal(run_result(run)->exit_code, 2);
}

static void what_a_successful_compiler_says_is_a_notice(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&compiled);
    struct run *run = submit_and_settle(&fixture, &spec);
    fake_stage_start(stage_of(&fixture));
    fake_stage_print_text(stage_of(&fixture), STAGE_STDERR, "warning: unused\n");
    fake_stage_exit(stage_of(&fixture), 0);
    fake_stage_start(stage_of(&fixture));
    fake_stage_print_text(stage_of(&fixture), STAGE_STDERR, "ld: error\n");
    fake_stage_exit(stage_of(&fixture), 1);
    expect_end(run, VERDICT_COMPILE_FAILED, "queued preparing compiling notice err finished end");
}

static void compiler_text_is_capped_to_the_byte(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&compiled);
    spec.limits.value[LIMIT_OUTPUT] = 10;
    for (size_t over = 0; over < 2; over++) {
        struct run *run = submit_and_settle(&fixture, &spec);
        struct fake_stage *stage = stage_of(&fixture);
        fake_stage_start(stage);
        fake_stage_print_text(stage, STAGE_STDERR, "12345");
        fake_stage_print_text(stage, STAGE_STDOUT, over ? "67890X" : "67890");
        assert_int_equal(stage->killed, over);
        if (over)
            fake_loop_settle(fixture.loop);
        else
            fake_stage_exit(stage, 1);
        expect_end(run, over ? VERDICT_OUTPUT_LIMIT : VERDICT_COMPILE_FAILED,
                   "queued preparing compiling err finished end");
        struct client client;
        client_replay(&client, run, READER_BYTES);
        assert_string_equal(buf_text(&client.err), "1234567890");
        client_fini(&client);
    }
}

/* How a stage ended, and what that makes of the run. */
static const struct {
    struct stage_end end;
    enum verdict verdict;
    int exit_code;
    int signal;
} ends[] = {
    {{.exit_code = 0}, VERDICT_SUCCEEDED, 0, 0},
    {{.exit_code = 3}, VERDICT_FAILED, 3, 0},
    {{.exit_code = 124}, VERDICT_FAILED, 124, 0},
    {{.exit_code = 137}, VERDICT_FAILED, 137, 0},
    {{.signal = SIGSEGV}, VERDICT_KILLED_BY_SIGNAL, -1, SIGSEGV},
    {{.signal = SIGKILL}, VERDICT_KILLED_BY_SIGNAL, -1, SIGKILL},
    {{.signal = SIGKILL, .out_of_memory = true}, VERDICT_MEMORY_LIMIT, -1, SIGKILL},
    {{.exit_code = 0, .out_of_memory = true}, VERDICT_MEMORY_LIMIT, 0, 0},
    {{.exit_code = 0, .usage.cpu_ns = 10 * NS_PER_S}, VERDICT_SUCCEEDED, 0, 0},
    {{.exit_code = 0, .usage.cpu_ns = 10 * NS_PER_S + 1}, VERDICT_CPU_LIMIT, 0, 0},
    {{.failed = true, .failure.text = "no box"}, VERDICT_INTERNAL_ERROR, -1, 0},
};

static void the_end_of_a_stage_decides_the_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct run_spec spec = spec_of(&interpreted);
        struct run *run = running(&spec);
        fake_stage_end(stage_of(&fixture), &ends[i].end);
        expect_end(run, ends[i].verdict, "queued preparing running finished end");
        assert_int_equal(run_result(run)->exit_code, ends[i].exit_code);
        assert_int_equal(run_result(run)->signal, ends[i].signal);
    }
}

static void a_box_that_cannot_be_made_is_our_failure(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    fake_of_fixture(&fixture)->workspace_fails = true;
    struct run *run = submit_and_settle(&fixture, &spec);
    expect_end(run, VERDICT_INTERNAL_ERROR, "queued preparing finished end");
    assert_string_equal(run_result(run)->reason, "no workspace today");
    assert_int_equal(run_result(run)->exit_code, -1);

    fake_of_fixture(&fixture)->stage_fails = true;
    run = submit_and_settle(&fixture, &spec);
    expect_end(run, VERDICT_INTERNAL_ERROR, "queued preparing finished end");

    run = submit_and_settle(&fixture, &spec);
    struct stage_end end = {.failed = true, .failure.text = "the box could not be made: mounts"};
    fake_stage_end(stage_of(&fixture), &end); /* before it was started */
    expect_end(run, VERDICT_INTERNAL_ERROR, "queued preparing finished end");
    assert_string_equal(run_result(run)->reason, "the box could not be made: mounts");
}

static void a_failure_between_compilation_and_execution_is_ours(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&compiled);
    struct run *run = submit_and_settle(&fixture, &spec);
    fake_stage_start(stage_of(&fixture));
    fake_of_fixture(&fixture)->stage_fails = true;
    fake_stage_exit(stage_of(&fixture), 0);
    expect_end(run, VERDICT_INTERNAL_ERROR, "queued preparing compiling finished end");
    assert_int_equal(run_result(run)->exit_code, -1);
}

static void output_past_the_cap_ends_the_run_with_all_up_to_it(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.limits.value[LIMIT_OUTPUT] = 5;
    struct run *run = running(&spec);
    struct fake_stage *stage = stage_of(&fixture);
    fake_stage_print_text(stage, STAGE_STDOUT, "12345");
    fake_stage_print_text(stage, STAGE_STDERR, "abcde"); /* a cap of its own */
    assert_false(stage->killed);
    fake_stage_print_text(stage, STAGE_STDERR, "f");
    assert_true(stage->killed);
    fake_stage_print_text(stage, STAGE_STDOUT, "6"); /* what is left in the pipe */
    fake_loop_settle(fixture.loop);
    expect_end(run, VERDICT_OUTPUT_LIMIT, "queued preparing running out err finished end");
    struct client client;
    client_replay(&client, run, READER_BYTES);
    assert_string_equal(buf_text(&client.out), "12345");
    assert_string_equal(buf_text(&client.err), "abcde");
    client_fini(&client);
}

static void output_before_the_word_that_it_started_is_no_surprise(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = submit_and_settle(&fixture, &spec);
    struct fake_stage *stage = stage_of(&fixture);
    fake_stage_print_text(stage, STAGE_STDOUT, "quick");
    fake_stage_start(stage);
    fake_stage_exit(stage, 0);
    expect_end(run, VERDICT_SUCCEEDED, "queued preparing running out finished end");
}

static void input_is_written_as_the_pipe_takes_it_and_then_closed(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    enum { SIZE = 300000 };
    char *input = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        input[i] = (char)(i * 7 + i / 251);
    spec.input = (struct slice){input, SIZE};
    spec.input_stays_open = true;
    struct run *run = submit(&fixture, &spec);
    struct err err = {0};
    assert_int_equal(run_write(run, slice_of("more"), &err), 0); /* before it has a slot */
    fake_loop_settle(fixture.loop);
    struct fake_stage *stage = stage_of(&fixture);
    assert_int_equal(stage->input.len, SIZE + 4);
    stage->input_room = 0;
    assert_int_equal(run_write(run, slice_of("abc"), &err), 0);
    run_close_input(run);
    assert_int_equal(run_write(run, slice_of("late"), &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_false(stage->input_closed);
    fake_stage_room(stage, 1);
    fake_stage_room(stage, 1);
    assert_false(stage->input_closed);
    fake_stage_room(stage, 100);
    assert_true(stage->input_closed);
    assert_memory_equal(stage->input.at, input, SIZE);
    assert_string_equal(stage->input.at + SIZE, "moreabc");
    fake_stage_start(stage);
    fake_stage_exit(stage, 0);
    assert_int_equal(run_write(run, slice_of("late"), &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    free(input);
}

static void input_that_nobody_reads_is_bounded_and_does_no_harm(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.input_stays_open = true;
    struct run *run = running(&spec);
    stage_of(&fixture)->input_room = 0;
    char block[4096] = {0};
    struct err err = {0};
    size_t taken = 0;
    while (run_write(run, (struct slice){block, sizeof block}, &err) == 0)
        taken += sizeof block;
    assert_int_equal(err.code, ERR_BUSY);
    assert_true(taken > MIB && taken <= MIB + sizeof block);
    fake_stage_exit(stage_of(&fixture), 0);
    expect_end(run, VERDICT_SUCCEEDED, "queued preparing running finished end");
}

#define BIT(signal) (UINT64_C(1) << ((signal)-1))

static void signals_and_sizes_reach_the_program_only(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&compiled);
    spec.tty = true;
    struct run *run = submit(&fixture, &spec);
    run_signal(run, SIGHUP); /* nobody there: kept */
    run_resize(run, 132, 40);
    fake_loop_settle(fixture.loop);
    fake_stage_start(stage_of(&fixture));
    run_signal(run, SIGINT);
    assert_int_equal(stage_of(&fixture)->signal, 0);
    assert_int_equal(stage_of(&fixture)->columns, 0);
    assert_false(stage_of(&fixture)->tty);
    fake_stage_exit(stage_of(&fixture), 0);
    fake_stage_exit(stage_of(&fixture), 0);
    struct fake_stage *stage = stage_of(&fixture);
    assert_true(stage->tty);
    assert_int_equal(stage->columns, 132);
    run_signal(run, SIGUSR1);
    assert_int_equal(stage->signals, 0);
    fake_stage_start(stage);
    assert_int_equal(stage->signals, BIT(SIGHUP) | BIT(SIGINT) | BIT(SIGUSR1));
    run_signal(run, SIGTERM);
    run_resize(run, 80, 24);
    assert_int_equal(stage->signal, SIGTERM);
    assert_int_equal(stage->signals_sent, 4);
    assert_int_equal(stage->columns, 80);
    fake_stage_exit(stage, 0);
    run_signal(run, SIGINT);
    run_resize(run, 1, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_run_goes_from_queue_to_result),
        TEST(a_compiled_run_has_a_stage_for_each_command),
        TEST(what_a_failing_compiler_says_is_shown_as_stderr),
        TEST(what_a_successful_compiler_says_is_a_notice),
        TEST(compiler_text_is_capped_to_the_byte),
        TEST(the_end_of_a_stage_decides_the_verdict),
        TEST(a_box_that_cannot_be_made_is_our_failure),
        TEST(a_failure_between_compilation_and_execution_is_ours),
        TEST(output_past_the_cap_ends_the_run_with_all_up_to_it),
        TEST(output_before_the_word_that_it_started_is_no_surprise),
        TEST(input_is_written_as_the_pipe_takes_it_and_then_closed),
        TEST(input_that_nobody_reads_is_bounded_and_does_no_harm),
        TEST(signals_and_sizes_reach_the_program_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
