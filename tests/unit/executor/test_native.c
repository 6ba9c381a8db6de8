/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "native_fixture.h"
#include "os/fd.h"

static void both_streams_arrive_before_the_end(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    reply(fixture, (struct sandbox_reply){.kind = REPLY_STARTED});
    say(fixture, STAGE_STDOUT, "to stdout");
    say(fixture, STAGE_STDERR, "to stderr");
    die(fixture);
    turn(fixture);
    assert_int_equal(fixture->started, 1);
    assert_string_equal(buf_text(&fixture->out[STAGE_STDOUT]), "to stdout");
    assert_string_equal(buf_text(&fixture->out[STAGE_STDERR]), "to stderr");
    assert_int_equal(fixture->ended, 1);
    assert_int_equal(fixture->end.exit_code, 3);
    assert_false(fixture->end.failed);
    assert_int_equal(fixture->kills, 0);
}

static void output_comes_while_the_box_lives(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    say(fixture, STAGE_STDOUT, "early");
    turn(fixture);
    assert_string_equal(buf_text(&fixture->out[STAGE_STDOUT]), "early");
    assert_int_equal(fixture->ended, 0);
}

static void one_read_moves_at_most_a_chunk(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    assert_true(fcntl(fixture->program[1], F_SETPIPE_SZ, 1 << 20) > 0);
    size_t sum = flood(fixture, STAGE_STDOUT);
    assert_true(sum > 64 * KIB);
    for (int i = 0; i < 100 && fixture->out[STAGE_STDOUT].len < sum; i++)
        turn(fixture);
    assert_int_equal(fixture->out[STAGE_STDOUT].len, sum);
    assert_int_equal(fixture->largest, 32 * KIB);
}

static void a_closed_stdout_does_not_end_the_stage(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    fd_close(&fixture->program[1]);
    fd_close(&fixture->program[2]);
    turn(fixture);
    assert_int_equal(fixture->ended, 0);
    die(fixture);
    turn(fixture);
    assert_int_equal(fixture->ended, 1);
}

/* A closed pipe is always ready to be read. */
static void closed_streams_keep_nobody_busy(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    for (int i = 0; i < 3; i++)
        fd_close(&fixture->program[i]);
    clock_t before = clock();
    for (int i = 0; i < 25; i++) /* half a second */
        turn(fixture);
    assert_true(clock() - before < CLOCKS_PER_SEC / 20);
    assert_int_equal(fixture->ended, 0);
}

static void a_death_does_not_wait_for_a_write_end_held_elsewhere(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    say(fixture, STAGE_STDOUT, "last");
    reply(fixture, (struct sandbox_reply){.kind = REPLY_ENDED});
    turn(fixture);
    assert_string_equal(buf_text(&fixture->out[STAGE_STDOUT]), "last");
    assert_int_equal(fixture->ended, 1);
}

static void a_paused_stage_keeps_its_bytes_and_its_end(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    fixture->executor->ops->stage_pause(fixture->stage, true);
    size_t sum = flood(fixture, STAGE_STDOUT);
    die(fixture);
    turn(fixture);
    assert_int_equal(fixture->out[STAGE_STDOUT].len, 0);
    assert_int_equal(fixture->ended, 0);
    fixture->executor->ops->stage_pause(fixture->stage, false);
    assert_int_equal(fixture->out[STAGE_STDOUT].len, 0); /* never inside the call */
    turn(fixture);
    assert_int_equal(fixture->out[STAGE_STDOUT].len, sum);
    assert_int_equal(fixture->ended, 1);
}

static void a_pause_from_within_output_holds_the_rest(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    fixture->pause_in_output = true;
    say(fixture, STAGE_STDOUT, "first");
    say(fixture, STAGE_STDERR, "second");
    die(fixture);
    turn(fixture);
    assert_int_equal(fixture->out[0].len + fixture->out[1].len, 5);
    fixture->pause_in_output = false;
    fixture->executor->ops->stage_pause(fixture->stage, false);
    turn(fixture);
    assert_string_equal(buf_text(&fixture->out[STAGE_STDERR]), "second");
    assert_int_equal(fixture->ended, 1);
}

static void input_takes_what_fits_and_tells_of_room(void **state)
{
    struct fixture *fixture = *state;
    static char block[256 * KIB];
    start(fixture);
    const struct executor_ops *ops = fixture->executor->ops;
    size_t took = ops->stage_write(fixture->stage, (struct slice){block, sizeof block});
    assert_int_equal(took, 64 * KIB);
    turn(fixture);
    assert_int_equal(fixture->input_ready, 0);
    assert_int_equal(read(fixture->program[0], block, 64 * KIB), 64 * KIB);
    turn(fixture);
    assert_int_equal(fixture->input_ready, 1);
    assert_int_equal(ops->stage_write(fixture->stage, slice_of("more")), 4);
    ops->stage_close_input(fixture->stage);
    assert_int_equal(read(fixture->program[0], block, sizeof block), 4);
    assert_int_equal(read(fixture->program[0], block, sizeof block), 0);
    assert_int_equal(ops->stage_write(fixture->stage, slice_of("late")), 0);
}

static void input_that_nobody_reads_is_not_taken(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    fd_close(&fixture->program[0]);
    assert_int_equal(fixture->executor->ops->stage_write(fixture->stage, slice_of("x")), 0);
    turn(fixture);
    assert_int_equal(fixture->ended, 0);
}

static bool probe(struct fixture *fixture)
{
    return fixture->executor->ops->stage_probe(fixture->stage);
}

static void a_drained_stage_can_be_probed(void **state)
{
    struct fixture *fixture = *state;
    char text[8];
    start(fixture);
    const struct executor_ops *ops = fixture->executor->ops;
    assert_true(probe(fixture));
    assert_int_equal(ops->stage_write(fixture->stage, slice_of("joe")), 3);
    assert_false(probe(fixture));
    assert_int_equal(read(fixture->program[0], text, sizeof text), 3);
    assert_true(probe(fixture));
    say(fixture, STAGE_STDERR, "x");
    assert_false(probe(fixture));
    turn(fixture);
    assert_true(probe(fixture));
    ops->stage_close_input(fixture->stage);
    assert_false(probe(fixture));
    assert_int_equal(fixture->probes, 3);
}

static void the_answer_of_a_probe_is_handed_on(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    reply(fixture, (struct sandbox_reply){.kind = REPLY_PROBED, .waiting = true});
    turn(fixture);
    assert_int_equal(fixture->probed, 1);
    assert_true(fixture->waiting);
    reply(fixture, (struct sandbox_reply){.kind = REPLY_PROBED});
    turn(fixture);
    assert_int_equal(fixture->probed, 2);
    assert_false(fixture->waiting);
}

/* Else a client would see a program wait, and then its prompt. */
static void who_has_just_written_does_not_wait_yet(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    fixture->executor->ops->stage_pause(fixture->stage, true);
    say(fixture, STAGE_STDOUT, "name? ");
    reply(fixture, (struct sandbox_reply){.kind = REPLY_PROBED, .waiting = true});
    turn(fixture);
    assert_int_equal(fixture->probed, 1);
    assert_false(fixture->waiting);
}

static void a_terminal_can_be_probed(void **state)
{
    struct fixture *fixture = *state;
    start_with(fixture, "/usr/bin/program", true);
    assert_true(probe(fixture));
    assert_int_equal(fixture->executor->ops->stage_write(fixture->stage, slice_of("joe\n")), 4);
    turn(fixture);               /* takes the echo */
    assert_true(probe(fixture)); /* who reads a terminal knows what is in its queue */
}

static void a_stage_may_be_freed_in_its_output(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    fixture->free_in_output = true;
    say(fixture, STAGE_STDOUT, "x");
    say(fixture, STAGE_STDERR, "y");
    turn(fixture);
    assert_null(fixture->stage);
    assert_int_equal(fixture->kills, 1);
    assert_int_equal(fixture->out[0].len + fixture->out[1].len, 1);
    die(fixture); /* its reply speaks of a stage that is no more */
    turn(fixture);
    assert_int_equal(fixture->ended, 0);
}

static void a_stage_may_be_freed_while_it_drains(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    fixture->free_in_output = true;
    fixture->executor->ops->stage_pause(fixture->stage, true);
    say(fixture, STAGE_STDOUT, "x");
    die(fixture);
    turn(fixture);
    fixture->executor->ops->stage_pause(fixture->stage, false);
    turn(fixture);
    assert_null(fixture->stage);
    assert_int_equal(fixture->ended, 0);
}

static void a_lost_spawner_fails_every_stage(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};
    start(fixture);
    say(fixture, STAGE_STDOUT, "before");
    fd_close(&fixture->spawner);
    turn(fixture);
    assert_int_equal(fixture->lost, 1);
    assert_int_equal(fixture->ended, 1);
    assert_true(fixture->end.failed);
    assert_int_equal(fixture->end.failure.code, ERR_UNAVAILABLE);
    assert_string_equal(buf_text(&fixture->out[STAGE_STDOUT]), "before");
    const char *argv[] = {"/bin/true", NULL};
    struct stage_spec spec = {.argv = argv, .env = argv + 1};
    assert_null(executor_stage_start(fixture->workspace, &spec, &events, fixture, &err));
    assert_int_equal(err.code, ERR_UNAVAILABLE);
}

static void a_failed_step_is_our_failure(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    reply(fixture, (struct sandbox_reply){
                       .kind = REPLY_ENDED, .failed_step = "exec", .failed_errno = ENOENT});
    turn(fixture);
    assert_true(fixture->end.failed);
    assert_string_equal(fixture->end.failure.text,
                        "the box could not be made: exec: No such file or directory");
}

static void a_program_that_was_not_built_is_the_programs_failure(void **state)
{
    struct fixture *fixture = *state;
    start_with(fixture, "./main", false);
    reply(fixture, (struct sandbox_reply){
                       .kind = REPLY_ENDED, .failed_step = "exec", .failed_errno = ENOENT});
    turn(fixture);
    assert_false(fixture->end.failed);
    assert_int_equal(fixture->end.exit_code, 127);
    assert_string_equal(buf_text(&fixture->out[STAGE_STDERR]),
                        "cannot start ./main: No such file or directory\n");
}

static void facts_of_the_kernel_are_passed_on(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    reply(fixture, (struct sandbox_reply){.kind = REPLY_ENDED,
                                          .signal = SIGXFSZ,
                                          .out_of_memory = true,
                                          .process_limit_hits = 7,
                                          .workspace_full = 1,
                                          .usage = {1, 2, 3, 4}});
    turn(fixture);
    assert_int_equal(fixture->end.signal, SIGXFSZ);
    assert_true(fixture->end.out_of_memory);
    assert_int_equal(fixture->end.hits.processes, 7);
    assert_int_equal(fixture->end.hits.workspace, 1);
    assert_int_equal(fixture->end.hits.file_size, 1);
    assert_int_equal(fixture->end.usage.wall_ns, 1);
    assert_int_equal(fixture->end.usage.memory_peak_bytes, 4);
}

static void what_was_killed_for_the_memory_of_others_is_our_failure(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    reply(fixture, (struct sandbox_reply){.kind = REPLY_ENDED, .signal = SIGKILL, .starved = true});
    turn(fixture);
    assert_true(fixture->end.failed);
    assert_false(fixture->end.out_of_memory);
    assert_non_null(strstr(fixture->end.failure.text, "ran out of memory"));
}

static void a_terminal_carries_all_streams_and_a_size(void **state)
{
    struct fixture *fixture = *state;
    struct winsize size = {0};
    start_with(fixture, "/usr/bin/program", true);
    assert_true(isatty(fixture->program[0]));
    fixture->executor->ops->stage_resize(fixture->stage, 132, 43);
    assert_int_equal(ioctl(fixture->program[0], TIOCGWINSZ, &size), 0);
    assert_int_equal(size.ws_col, 132);
    say(fixture, STAGE_STDOUT, "out ");
    say(fixture, STAGE_STDERR, "err");
    turn(fixture);
    assert_string_equal(buf_text(&fixture->out[STAGE_STDOUT]), "out err");
    die(fixture);
    turn(fixture);
    assert_int_equal(fixture->ended, 1);
}

/* As a program reads it: "" at the end of its input. */
static void expect_input(struct fixture *fixture, const char *text)
{
    char got[64];
    ssize_t len = read(fixture->program[0], got, sizeof got);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(got, text, strlen(text));
}

static void input_of_a_terminal_ends_behind_a_part_of_a_line(void **state)
{
    struct fixture *fixture = *state;
    start_with(fixture, "/usr/bin/program", true);
    const struct executor_ops *ops = fixture->executor->ops;
    assert_int_equal(ops->stage_write(fixture->stage, slice_of("one\ntwo")), 7);
    ops->stage_close_input(fixture->stage);
    assert_int_equal(ops->stage_write(fixture->stage, slice_of("late")), 0);
    expect_input(fixture, "one\n");
    expect_input(fixture, "two");
    expect_input(fixture, "");
}

static void input_of_a_full_terminal_ends_when_there_is_room(void **state)
{
    struct fixture *fixture = *state;
    static char block[256 * KIB];
    start_with(fixture, "/usr/bin/program", true);
    const struct executor_ops *ops = fixture->executor->ops;
    memset(block, 'x', sizeof block);
    for (size_t i = 63; i < sizeof block; i += 64)
        block[i] = '\n';
    size_t written = ops->stage_write(fixture->stage, (struct slice){block, sizeof block});
    assert_in_range(written, 1, sizeof block - 1);
    ops->stage_close_input(fixture->stage);
    size_t got = 0;
    for (ssize_t len = 1; len > 0; got += (size_t)len) {
        turn(fixture);
        struct pollfd readable = {.fd = fixture->program[0], .events = POLLIN};
        assert_int_equal(poll(&readable, 1, 10000), 1); /* else its end never comes */
        len = read(fixture->program[0], block, sizeof block);
        assert_true(len >= 0);
    }
    assert_int_equal(got, written);
}

static void only_trees_that_the_spawner_knows_can_be_named(void **state)
{
    struct fixture *fixture = *state;
    const char *argv[] = {"/bin/true", NULL};
    struct stage_spec spec = {.argv = argv, .env = argv + 1, .rootfs = "/srv/two"};
    struct err err = {0};
    fixture->stage = executor_stage_start(fixture->workspace, &spec, &events, fixture, &err);
    assert_non_null(fixture->stage);
    assert_int_equal(fixture->rootfs, 2);
    executor_stage_free(fixture->stage);
    fixture->stage = NULL;
    spec.rootfs = "/etc";
    assert_null(executor_stage_start(fixture->workspace, &spec, &events, fixture, &err));
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* --- what is left in a workspace --- */

static struct {
    int items;
    char words[128];
    uint64_t unlisted;
    int done;
    bool failed;
    struct fixture *close_in_item; /* its workspace */
} collected;

static void on_item(void *context, const struct collect_item *item)
{
    int fd = item->fd;
    (void)context;
    collected.items++;
    (void)snprintf(collected.words, sizeof collected.words, "%s: %s", item->path,
                   item->refusal ? item->refusal : "");
    fd_close(&fd);
    if (collected.close_in_item) {
        executor_workspace_close(collected.close_in_item->workspace);
        collected.close_in_item->workspace = NULL;
    }
}

static void on_done(void *context, uint64_t unlisted, const struct err *failure)
{
    (void)context;
    collected.done++;
    collected.unlisted = unlisted;
    collected.failed = failure && failure->text[0] != '\0';
}

static void collect(struct fixture *fixture)
{
    static const struct collect_events collect_events = {.item = on_item, .done = on_done};
    struct collect_spec spec = {.folder = "outputs", .max_files = 7, .max_bytes = 50};
    memset(&collected, 0, sizeof collected);
    executor_workspace_collect(fixture->workspace, &spec, &collect_events, fixture);
    assert_int_equal(collected.items + collected.done, 0);
}

/* The descriptor's number is good here, too: no other process is asked. */
static void find(struct fixture *fixture, enum sandbox_refusal refusal, int fd)
{
    struct sandbox_reply found = {.kind = REPLY_FOUND,
                                  .id = fixture->workspace_id,
                                  .refusal = refusal,
                                  .fd = fd,
                                  .path = "a/b"};
    assert_int_equal(send(fixture->spawner, &found, sizeof found, 0), sizeof found);
}

static void end_collection(struct fixture *fixture, int failed_errno)
{
    struct sandbox_reply end = {.kind = REPLY_COLLECTED,
                                .id = fixture->workspace_id,
                                .unlisted = 5,
                                .failed_errno = failed_errno,
                                .fd = -1};
    assert_int_equal(send(fixture->spawner, &end, sizeof end, 0), sizeof end);
}

static void what_was_found_is_handed_over(void **state)
{
    struct fixture *fixture = *state;
    collect(fixture);
    find(fixture, REFUSED_NOT, memfd_create("found", MFD_CLOEXEC));
    end_collection(fixture, 0);
    turn(fixture);
    assert_string_equal(collected.words, "a/b: ");
    assert_int_equal(collected.items, 1);
    assert_int_equal(collected.done, 1);
    assert_int_equal(collected.unlisted, 5);
    assert_false(collected.failed);
}

static void each_refusal_has_its_words(void **state)
{
    struct fixture *fixture = *state;
    collect(fixture);
    for (int refusal = 0; refusal < REFUSALS; refusal++) {
        find(fixture, (enum sandbox_refusal)refusal, -1);
        turn(fixture);
        assert_int_equal(collected.items, refusal + 1);
        assert_string_not_equal(collected.words, "a/b: refused");
        assert_true(strlen(collected.words) > strlen("a/b: "));
        if (refusal == REFUSED_COUNT)
            assert_string_equal(collected.words, "a/b: more than 7 files");
        if (refusal == REFUSED_BYTES)
            assert_string_equal(collected.words, "a/b: over 50 bytes together");
    }
    find(fixture, REFUSALS, -1);
    turn(fixture);
    assert_string_equal(collected.words, "a/b: refused");
}

static void a_workspace_closed_meanwhile_is_told_no_more(void **state)
{
    struct fixture *fixture = *state;
    int late = memfd_create("found", MFD_CLOEXEC);
    collect(fixture);
    collected.close_in_item = fixture;
    find(fixture, REFUSED_SYMLINK, -1);
    find(fixture, REFUSED_NOT, late);
    end_collection(fixture, 0);
    turn(fixture);
    assert_int_equal(collected.items, 1);
    assert_int_equal(collected.done, 0);
    assert_int_equal(fcntl(late, F_GETFD), -1); /* and what comes is not kept */
}

static void a_collection_that_failed_says_so(void **state)
{
    struct fixture *fixture = *state;
    collect(fixture);
    end_collection(fixture, ENOMEM);
    turn(fixture);
    assert_int_equal(collected.done, 1);
    assert_true(collected.failed);
}

static void a_lost_spawner_fails_what_is_collected(void **state)
{
    struct fixture *fixture = *state;
    collect(fixture);
    fd_close(&fixture->spawner);
    turn(fixture);
    assert_int_equal(fixture->lost, 1);
    assert_int_equal(collected.done, 1);
    assert_true(collected.failed);
}

static void nothing_is_collected_from_a_lost_spawner(void **state)
{
    struct fixture *fixture = *state;
    fd_close(&fixture->spawner);
    turn(fixture);
    collect(fixture);
    turn(fixture);
    assert_int_equal(collected.done, 1);
    assert_true(collected.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(both_streams_arrive_before_the_end),
        ROW(output_comes_while_the_box_lives),
        ROW(one_read_moves_at_most_a_chunk),
        ROW(a_closed_stdout_does_not_end_the_stage),
        ROW(closed_streams_keep_nobody_busy),
        ROW(a_death_does_not_wait_for_a_write_end_held_elsewhere),
        ROW(a_paused_stage_keeps_its_bytes_and_its_end),
        ROW(a_pause_from_within_output_holds_the_rest),
        ROW(input_takes_what_fits_and_tells_of_room),
        ROW(input_that_nobody_reads_is_not_taken),
        ROW(a_drained_stage_can_be_probed),
        ROW(the_answer_of_a_probe_is_handed_on),
        ROW(who_has_just_written_does_not_wait_yet),
        ROW(a_terminal_can_be_probed),
        ROW(a_stage_may_be_freed_in_its_output),
        ROW(a_stage_may_be_freed_while_it_drains),
        ROW(a_lost_spawner_fails_every_stage),
        ROW(what_was_found_is_handed_over),
        ROW(each_refusal_has_its_words),
        ROW(a_workspace_closed_meanwhile_is_told_no_more),
        ROW(a_collection_that_failed_says_so),
        ROW(a_lost_spawner_fails_what_is_collected),
        ROW(nothing_is_collected_from_a_lost_spawner),
        ROW(a_failed_step_is_our_failure),
        ROW(a_program_that_was_not_built_is_the_programs_failure),
        ROW(facts_of_the_kernel_are_passed_on),
        ROW(what_was_killed_for_the_memory_of_others_is_our_failure),
        ROW(a_terminal_carries_all_streams_and_a_size),
        ROW(input_of_a_terminal_ends_behind_a_part_of_a_line),
        ROW(input_of_a_full_terminal_ends_when_there_is_room),
        ROW(only_trees_that_the_spawner_knows_can_be_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
