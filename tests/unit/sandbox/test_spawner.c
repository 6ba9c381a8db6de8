/* SPDX-License-Identifier: MIT */
/* A real spawner, asked as a front asks it, and as a front that was taken over
 * might. Works as root and without; where no box can be made it fails. */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "real_spawner.h"
#include "sandbox/client.h"
#include "sandbox/message.h"

enum { MANY_FILES = 2000 };

static void assert_spawner_ends(void)
{
    struct sandbox_reply reply;
    while (next_reply(&reply))
        ;
    struct err err = {0};
    assert_int_equal(sandbox_receive(spawner, &reply, &err), -1);
}

static void a_program_runs_and_its_end_is_told(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/sh", "-c", "cat folder/hello.txt; exit 3", NULL};
    char text[64] = {0};
    open_workspace(WORKSPACE);
    struct streams streams = start_program(STAGE, argv, 64);
    (void)wait_for(REPLY_STARTED, STAGE);
    struct sandbox_reply end = wait_for(REPLY_ENDED, STAGE);
    assert_string_equal(end.failed_step, "");
    assert_int_equal(end.exit_code, 3);
    assert_int_equal(end.signal, 0);
    assert_true(end.usage.wall_ns > 0);
    assert_true(fd_read_full(streams.output, text, sizeof text - 1) == 6);
    assert_string_equal(text, "hello\n");
    close_streams(&streams);
}

static void stages_of_a_run_share_its_workspace(void **state)
{
    (void)state;
    static const char *const first[] = {"/bin/sh", "-c", "echo made > made", NULL};
    static const char *const second[] = {"/bin/sh", "-c", "test -s made", NULL};
    open_workspace(WORKSPACE);
    struct streams streams = start_program(STAGE, first, 64);
    assert_int_equal(wait_for(REPLY_ENDED, STAGE).exit_code, 0);
    close_streams(&streams);
    streams = start_program(STAGE + 1, second, 64);
    assert_int_equal(wait_for(REPLY_ENDED, STAGE + 1).exit_code, 0);
    close_streams(&streams);
}

static void a_killed_stage_ends(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/sh", "-c", "sleep 1000 & sleep 1000", NULL};
    open_workspace(WORKSPACE);
    struct streams streams = start_program(STAGE, argv, 64);
    (void)wait_for(REPLY_STARTED, STAGE);
    assert_int_equal(sandbox_stage_sample(spawner, STAGE, NULL), 0);
    (void)wait_for(REPLY_SAMPLED, STAGE);
    assert_int_equal(sandbox_stage_kill(spawner, STAGE, NULL), 0);
    assert_int_equal(wait_for(REPLY_ENDED, STAGE).signal, SIGKILL);
    close_streams(&streams);
}

static void a_signal_reaches_the_program(void **state)
{
    (void)state;
    static const char *const argv[] = {
        "/bin/sh", "-c", "trap 'exit 9' USR1; echo ready; while :; do sleep 0.01; done", NULL};
    char byte = 0;
    open_workspace(WORKSPACE);
    struct streams streams = start_program(STAGE, argv, 64);
    assert_int_equal(read(streams.output, &byte, 1), 1);
    assert_int_equal(sandbox_stage_signal(spawner, STAGE, SIGUSR1, NULL), 0);
    assert_int_equal(wait_for(REPLY_ENDED, STAGE).exit_code, 9);
    close_streams(&streams);
}

static void a_signal_before_the_program_is_there_is_owed_to_it(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/sleep", "1000", NULL};
    open_workspace(WORKSPACE);
    for (uint32_t i = 0; i < 20; i++) {
        struct streams streams = start_program(STAGE + i, argv, 64);
        assert_int_equal(sandbox_stage_signal(spawner, STAGE + i, SIGTERM, NULL), 0);
        assert_int_equal(wait_for(REPLY_ENDED, STAGE + i).signal, SIGTERM);
        close_streams(&streams);
    }
}

static void a_workspace_may_be_closed_while_its_stage_ends(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/sleep", "1000", NULL};
    open_workspace(WORKSPACE);
    struct streams streams = start_program(STAGE, argv, 64);
    assert_int_equal(sandbox_stage_kill(spawner, STAGE, NULL), 0);
    assert_int_equal(sandbox_workspace_close(spawner, WORKSPACE, NULL), 0);
    assert_int_equal(wait_for(REPLY_ENDED, STAGE).signal, SIGKILL);
    close_streams(&streams);
    open_workspace(WORKSPACE); /* its number is free again */
}

static void a_plan_over_the_ceiling_is_not_carried_out(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/true", NULL};
    open_workspace(WORKSPACE);
    static const uint64_t too_much[] = {257, 0 /* no limit at all */};
    for (uint32_t i = 0; i < ARRAY_LEN(too_much); i++) {
        struct streams streams = start_program(STAGE + i, argv, too_much[i]);
        assert_string_equal(wait_for(REPLY_ENDED, STAGE + i).failed_step, "ceiling");
        close_streams(&streams);
    }
}

static void more_boxes_than_allowed_are_not_made(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/sleep", "1000", NULL};
    struct streams streams[BOXES + 1];
    open_workspace(WORKSPACE);
    for (uint32_t i = 0; i <= BOXES; i++)
        streams[i] = start_program(STAGE + i, argv, 64);
    assert_string_equal(wait_for(REPLY_ENDED, STAGE + BOXES).failed_step, "boxes");
    for (uint32_t i = 0; i <= BOXES; i++)
        close_streams(&streams[i]);
}

static void a_program_that_is_not_there_is_a_failed_step(void **state)
{
    (void)state;
    static const char *const argv[] = {"./not-there", NULL};
    open_workspace(WORKSPACE);
    struct streams streams = start_program(STAGE, argv, 64);
    struct sandbox_reply end = wait_for(REPLY_ENDED, STAGE);
    assert_string_equal(end.failed_step, "exec");
    assert_int_equal(end.failed_errno, ENOENT);
    close_streams(&streams);
}

static void a_path_out_of_the_workspace_is_not_made(void **state)
{
    (void)state;
    static const char *const paths[] = {"../x", "/x", "a/../../x", "a//x", ".",    "",
                                        "a//",  "/",  "./",        "../",  "a/../"};
    static const char *const argv[] = {"/bin/true", NULL};
    for (uint32_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct sandbox_file file = {paths[i], {"x", 1}};
        struct sandbox_workspace workspace = {MIB, 64, &file, 1};
        assert_int_equal(sandbox_workspace_open(spawner, WORKSPACE, &workspace, NULL), 0);
        struct streams streams = start_program(STAGE + i, argv, 64);
        struct sandbox_reply end = wait_for(REPLY_ENDED, STAGE + i);
        assert_string_equal(end.failed_step, "workspace");
        assert_int_equal(end.failed_errno, EINVAL);
        close_streams(&streams);
        assert_int_equal(sandbox_workspace_close(spawner, WORKSPACE, NULL), 0);
    }
}

static void a_path_that_ends_in_a_slash_is_an_empty_folder(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/sh", "-c", "rmdir a && touch b/c/x", NULL};
    static const struct sandbox_file files[] = {
        {"a/", {"", 0}}, {"b/y", {"y", 1}}, {"b/", {"", 0}}, {"b/c/", {"", 0}}};
    struct sandbox_workspace workspace = {MIB, 64, files, ARRAY_LEN(files)};
    assert_int_equal(sandbox_workspace_open(spawner, WORKSPACE, &workspace, NULL), 0);
    struct streams streams = start_program(STAGE, argv, 64);
    struct sandbox_reply end = wait_for(REPLY_ENDED, STAGE);
    assert_string_equal(end.failed_step, "");
    assert_int_equal(end.exit_code, 0);
    close_streams(&streams);
}

static void a_folder_with_content_or_in_a_files_place_is_not_made(void **state)
{
    (void)state;
    static const struct sandbox_file wrong[][2] = {{{"a/", {"x", 1}}, {"b", {"", 0}}},
                                                   {{"a", {"x", 1}}, {"a/", {"", 0}}}};
    static const char *const argv[] = {"/bin/true", NULL};
    for (uint32_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct sandbox_workspace workspace = {MIB, 64, wrong[i], 2};
        assert_int_equal(sandbox_workspace_open(spawner, WORKSPACE, &workspace, NULL), 0);
        struct streams streams = start_program(STAGE + i, argv, 64);
        assert_string_equal(wait_for(REPLY_ENDED, STAGE + i).failed_step, "workspace");
        close_streams(&streams);
        assert_int_equal(sandbox_workspace_close(spawner, WORKSPACE, NULL), 0);
    }
}

static void collect(uint32_t workspace, const char *folder)
{
    struct sandbox_collect spec = {folder, UINT64_MAX, UINT64_MAX};
    assert_int_equal(sandbox_workspace_collect(spawner, workspace, &spec, NULL), 0);
}

static void what_is_left_is_told(void **state)
{
    (void)state;
    char text[16] = "";
    open_workspace(WORKSPACE);
    collect(WORKSPACE, "folder");
    struct sandbox_reply found = wait_for(REPLY_FOUND, WORKSPACE);
    assert_string_equal(found.path, "hello.txt");
    assert_int_equal(found.size, 6);
    assert_int_equal(read(found.fd, text, sizeof text), 6);
    assert_string_equal(text, "hello\n");
    fd_close(&found.fd);
    struct sandbox_reply end = wait_for(REPLY_COLLECTED, WORKSPACE);
    assert_int_equal(end.failed_errno, 0);
    assert_int_equal(end.fd, -1);
}

/* With all/0000, all/0001 … */
static void open_workspace_with_files(uint32_t id, size_t count)
{
    static char names[MANY_FILES][16];
    static struct sandbox_file files[MANY_FILES];
    struct sandbox_workspace workspace = {64 * MIB, 8192, files, count};
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof names[i], "all/%04zu", i);
        files[i] = (struct sandbox_file){names[i], {"x", 1}};
    }
    assert_int_equal(sandbox_workspace_open(spawner, id, &workspace, NULL), 0);
}

static void assert_all_comes(uint32_t workspace, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[16];
        struct sandbox_reply found = wait_for(REPLY_FOUND, workspace);
        (void)snprintf(name, sizeof name, "%04zu", i);
        assert_string_equal(found.path, name);
        assert_true(found.fd >= 0);
        fd_close(&found.fd);
    }
    assert_int_equal(wait_for(REPLY_COLLECTED, workspace).unlisted, 0);
}

/* A front that asks for everything, does not read, and goes on asking: boxes are
 * made meanwhile, and when it reads, nothing is missing. */
static void a_front_that_does_not_read_what_was_found_holds_nothing_up(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/echo", "done", NULL};
    char text[8] = "";
    for (uint32_t id = 2; id <= 5; id++) {
        open_workspace_with_files(id, id == 4 ? 1 : (size_t)MANY_FILES);
        collect(id, "all");
    }
    assert_int_equal(sandbox_workspace_close(spawner, 3, NULL), 0);
    open_workspace(WORKSPACE);
    struct streams streams = start_program(STAGE, argv, 64);
    assert_int_equal(fd_read_full(streams.output, text, 5), 5);
    assert_string_equal(text, "done\n");
    assert_all_comes(2, MANY_FILES);
    assert_all_comes(4, 1);
    assert_all_comes(5, MANY_FILES);
    close_streams(&streams);
}

static void a_front_without_a_free_descriptor_is_told_all_the_same(void **state)
{
    (void)state;
    struct rlimit limit;
    struct rlimit none;
    open_workspace(WORKSPACE);
    collect(WORKSPACE, "folder");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct sandbox_reply reply;
    while (sandbox_receive(spawner, &reply, NULL) == 0)
        ;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(reply.kind, REPLY_FOUND);
    assert_string_equal(reply.path, "hello.txt");
    assert_int_equal(reply.fd, -1);
    (void)wait_for(REPLY_COLLECTED, WORKSPACE);
}

/* What follows no front of ours sends: the spawner ends. */

static void bytes_that_are_no_request_end_the_spawner(void **state)
{
    (void)state;
    static const char rubbish[100] = "rubbish";
    assert_int_equal(fd_send(spawner, rubbish, sizeof rubbish, NULL, 0), 0);
    assert_spawner_ends();
}

static void a_number_in_use_ends_the_spawner(void **state)
{
    (void)state;
    open_workspace(WORKSPACE);
    open_workspace(WORKSPACE);
    assert_spawner_ends();
}

static void a_stage_without_its_workspace_ends_the_spawner(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/true", NULL};
    struct streams streams = start_program(STAGE, argv, 64);
    assert_spawner_ends();
    close_streams(&streams);
}

/* The box would become its owner. */
static void a_file_as_a_stream_ends_the_spawner(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/true", NULL};
    struct sandbox_stage spec = {.argv = argv, .env = nothing};
    spec.limits.value[LIMIT_OPEN_FILES] = 64;
    open_workspace(WORKSPACE);
    auto_close int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    int stdio[3] = {file, file, file};
    assert_int_equal(sandbox_stage_start(spawner, STAGE, WORKSPACE, &spec, stdio, NULL), 0);
    assert_spawner_ends();
}

static void a_request_without_its_descriptors_ends_the_spawner(void **state)
{
    (void)state;
    char space[256];
    struct stage_start_message message = {.argv = nothing, .env = nothing};
    struct message_writer to = {.at = space, .room = sizeof space};
    write_header(&to, REQUEST_STAGE_START, STAGE);
    write_stage_start(&to, &message);
    assert_int_equal(fd_send(spawner, space, to.len, NULL, 0), 0);
    assert_spawner_ends();
}

/* What is asked for must be a folder inside, of a workspace whose programs are dead. */

static void ask_to_collect(uint32_t id, const char *folder, int more, size_t fd_count)
{
    static char bytes[4096];
    int fds[FD_PASS_MAX];
    for (size_t i = 0; i < FD_PASS_MAX; i++)
        fds[i] = STDERR_FILENO;
    struct workspace_collect_message message = {folder, 10, MIB};
    struct message_writer to = {.at = bytes, .room = sizeof bytes};
    write_header(&to, REQUEST_WORKSPACE_COLLECT, id);
    write_workspace_collect(&to, &message);
    assert_false(to.failed);
    size_t len = to.len + (size_t)more;
    assert_int_equal(fd_send(spawner, bytes, len, fds, fd_count), 0);
}

static void a_wrong_collection_ends_the_spawner(void **state)
{
    static char name[SANDBOX_PATH_MAX + 2];
    static char path[SANDBOX_PATH_MAX + 2];
    static const struct {
        const char *folder;
        uint32_t id;
        int more; /* bytes */
        size_t fd_count;
    } rows[] = {
        {"folder", WORKSPACE + 1, 0, 0},
        {"folder", 0, 0, 0},
        {"", WORKSPACE, 0, 0},
        {".", WORKSPACE, 0, 0},
        {"..", WORKSPACE, 0, 0},
        {"../folder", WORKSPACE, 0, 0},
        {"/", WORKSPACE, 0, 0},
        {"/etc", WORKSPACE, 0, 0},
        {"folder/", WORKSPACE, 0, 0},
        {"folder//x", WORKSPACE, 0, 0},
        {"folder/../..", WORKSPACE, 0, 0},
        {"./folder", WORKSPACE, 0, 0},
        {"folder/./x", WORKSPACE, 0, 0},
        {name, WORKSPACE, 0, 0},
        {path, WORKSPACE, 0, 0},
        {"folder", WORKSPACE, 1, 0},
        {"folder", WORKSPACE, -1, 0},
        {"folder", WORKSPACE, -16, 0},
        {"folder", WORKSPACE, -17, 0},
        {"folder", WORKSPACE, -23, 0},
        {"folder", WORKSPACE, 0, 1},
        {"folder", WORKSPACE, 0, FD_PASS_MAX},
    };
    memset(name, 'x', 256);
    for (size_t i = 0; i < sizeof path - 1; i++)
        path[i] = i % 2 ? '/' : 'x';
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        open_workspace(WORKSPACE);
        ask_to_collect(rows[i].id, rows[i].folder, rows[i].more, rows[i].fd_count);
        assert_spawner_ends();
        assert_int_equal(real_spawner_stop(state), 0);
        assert_int_equal(real_spawner_start(state), 0);
    }
}

static void collecting_while_a_stage_runs_ends_the_spawner(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/sleep", "1000", NULL};
    open_workspace(WORKSPACE);
    struct streams streams = start_program(STAGE, argv, 64);
    (void)wait_for(REPLY_STARTED, STAGE);
    ask_to_collect(WORKSPACE, "folder", 0, 0);
    assert_spawner_ends();
    close_streams(&streams);
}

static void collecting_twice_ends_the_spawner(void **state)
{
    (void)state;
    open_workspace(WORKSPACE);
    ask_to_collect(WORKSPACE, "folder", 0, 0);
    (void)wait_for(REPLY_COLLECTED, WORKSPACE);
    ask_to_collect(WORKSPACE, "folder", 0, 0);
    assert_spawner_ends();
}

static void a_stage_after_collecting_ends_the_spawner(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/true", NULL};
    open_workspace(WORKSPACE);
    ask_to_collect(WORKSPACE, "folder", 0, 0);
    struct streams streams = start_program(STAGE, argv, 64);
    assert_spawner_ends();
    close_streams(&streams);
}

static void collecting_what_is_closed_ends_the_spawner(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/sleep", "1000", NULL};
    open_workspace(WORKSPACE);
    struct streams streams = start_program(STAGE, argv, 64);
    assert_int_equal(sandbox_workspace_close(spawner, WORKSPACE, NULL), 0);
    ask_to_collect(WORKSPACE, "folder", 0, 0);
    assert_spawner_ends();
    close_streams(&streams);
}

/* Reading replies is the front's affair: one that never does holds nobody up. */
static void a_front_that_does_not_read_holds_nothing_up(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/sleep", "1000", NULL};
    open_workspace(WORKSPACE);
    struct streams streams = start_program(STAGE, argv, 64);
    for (int i = 0; i < 20000; i++)
        assert_int_equal(sandbox_stage_sample(spawner, STAGE, NULL), 0);
    assert_int_equal(sandbox_stage_kill(spawner, STAGE, NULL), 0);
    assert_int_equal(wait_for(REPLY_ENDED, STAGE).signal, SIGKILL);
    close_streams(&streams);
}

/* What fails before there is a box to fail is not a layer that the host lacks. */
static void a_box_that_was_not_even_begun_is_no_layers_fault(void **state)
{
    (void)state;
    struct err err = {0};
    struct layer_report report;
    struct sandbox_settings settings = real_spawner_settings();
    settings.max_boxes = 0;
    assert_int_equal(sandbox_start_spawner(&settings, &spawner, &err), 0);
    assert_int_equal(sandbox_receive_report(spawner, &report, &err), -1);
    assert_non_null(strstr(err.text, "a box cannot be made: boxes"));
    for (int layer = 0; layer < LAYER_COUNT; layer++)
        assert_null(strstr(report.layer[layer].detail, "boxes:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_A_SPAWNER(a_program_runs_and_its_end_is_told),
        WITH_A_SPAWNER(stages_of_a_run_share_its_workspace),
        WITH_A_SPAWNER(a_killed_stage_ends),
        WITH_A_SPAWNER(a_signal_reaches_the_program),
        WITH_A_SPAWNER(a_signal_before_the_program_is_there_is_owed_to_it),
        WITH_A_SPAWNER(a_workspace_may_be_closed_while_its_stage_ends),
        WITH_A_SPAWNER(a_plan_over_the_ceiling_is_not_carried_out),
        WITH_A_SPAWNER(more_boxes_than_allowed_are_not_made),
        WITH_A_SPAWNER(a_program_that_is_not_there_is_a_failed_step),
        WITH_A_SPAWNER(a_path_out_of_the_workspace_is_not_made),
        WITH_A_SPAWNER(a_path_that_ends_in_a_slash_is_an_empty_folder),
        WITH_A_SPAWNER(a_folder_with_content_or_in_a_files_place_is_not_made),
        WITH_A_SPAWNER(what_is_left_is_told),
        WITH_A_SPAWNER(a_front_that_does_not_read_what_was_found_holds_nothing_up),
        WITH_A_SPAWNER(a_front_without_a_free_descriptor_is_told_all_the_same),
        WITH_A_SPAWNER(bytes_that_are_no_request_end_the_spawner),
        WITH_A_SPAWNER(a_number_in_use_ends_the_spawner),
        WITH_A_SPAWNER(a_stage_without_its_workspace_ends_the_spawner),
        WITH_A_SPAWNER(a_file_as_a_stream_ends_the_spawner),
        WITH_A_SPAWNER(a_request_without_its_descriptors_ends_the_spawner),
        WITH_A_SPAWNER(a_wrong_collection_ends_the_spawner),
        WITH_A_SPAWNER(collecting_while_a_stage_runs_ends_the_spawner),
        WITH_A_SPAWNER(collecting_twice_ends_the_spawner),
        WITH_A_SPAWNER(a_stage_after_collecting_ends_the_spawner),
        WITH_A_SPAWNER(collecting_what_is_closed_ends_the_spawner),
        WITH_A_SPAWNER(a_front_that_does_not_read_holds_nothing_up),
        cmocka_unit_test_teardown(a_box_that_was_not_even_begun_is_no_layers_fault,
                                  real_spawner_stop),
    };
    return cmocka_run_group_tests(tests, real_spawner_group, real_spawner_group_end);
}
