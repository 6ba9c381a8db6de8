/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "base/util.h"
#include "sandbox/message.h"

enum { SPACE = 4096, TEXTS = 64 };

static char space[SPACE];
static const char *texts[TEXTS];

static struct message_reader reader(size_t len)
{
    return (struct message_reader){
        .at = space, .end = space + len, .texts = texts, .texts_room = TEXTS};
}

static const char *const argv[] = {"/usr/bin/python3", "", "with blank", NULL};
static const char *const env[] = {"PATH=/usr/bin", NULL};
static const char *const nothing[] = {NULL};

static size_t write_a_stage(void)
{
    struct stage_start_message message = {
        .workspace = 7, .rootfs = 1, .flags = STAGE_FLAG_TTY, .argv = argv, .env = env};
    message.limits.value[LIMIT_MEMORY] = 64 * MIB;
    struct message_writer to = {.at = space, .room = sizeof space};
    write_header(&to, REQUEST_STAGE_START, 42);
    write_stage_start(&to, &message);
    assert_false(to.failed);
    return to.len;
}

static void a_stage_arrives_as_it_was_written(void **state)
{
    (void)state;
    struct message_reader from = reader(write_a_stage());
    struct request_header header;
    struct stage_start_message message;
    assert_int_equal(read_header(&from, &header), 0);
    assert_int_equal(header.kind, REQUEST_STAGE_START);
    assert_int_equal(header.id, 42);
    assert_int_equal(read_stage_start(&from, &message), 0);
    assert_int_equal(message.workspace, 7);
    assert_int_equal(message.rootfs, 1);
    assert_int_equal(message.flags, STAGE_FLAG_TTY);
    assert_int_equal(message.limits.value[LIMIT_MEMORY], 64 * MIB);
    for (size_t i = 0; i < ARRAY_LEN(argv) - 1; i++)
        assert_string_equal(message.argv[i], argv[i]);
    assert_null(message.argv[ARRAY_LEN(argv) - 1]);
    assert_string_equal(message.env[0], env[0]);
    assert_null(message.env[1]);
}

static void a_workspace_arrives_as_it_was_written(void **state)
{
    (void)state;
    static const char *const paths[] = {"main.py", "data/in.txt", NULL};
    static const uint64_t sizes[] = {10, 1ULL << 40};
    struct workspace_open_message message = {
        .bytes = MIB, .inodes = 16, .paths = paths, .sizes = {(const char *)sizes, sizeof sizes}};
    struct message_writer to = {.at = space, .room = sizeof space};
    write_workspace_open(&to, &message);
    struct message_reader from = reader(to.len);
    struct workspace_open_message got;
    assert_int_equal(read_workspace_open(&from, &got), 0);
    assert_int_equal(got.bytes, MIB);
    assert_string_equal(got.paths[1], paths[1]);
    assert_int_equal(got.sizes.len, sizeof sizes);
    assert_memory_equal(got.sizes.at, sizes, sizeof sizes);
}

static void a_collection_arrives_as_it_was_written(void **state)
{
    (void)state;
    struct workspace_collect_message message = {"outputs", 10, UINT64_MAX};
    struct message_writer to = {.at = space, .room = sizeof space};
    write_workspace_collect(&to, &message);
    struct message_reader from = reader(to.len);
    struct workspace_collect_message got;
    assert_int_equal(read_workspace_collect(&from, &got), 0);
    assert_string_equal(got.folder, "outputs");
    assert_int_equal(got.max_files, 10);
    assert_true(got.max_bytes == UINT64_MAX);
    for (size_t cut = 0; cut < to.len; cut++) {
        from = reader(cut);
        assert_true(read_workspace_collect(&from, &got) < 0);
    }
    memset(space, 'x', to.len); /* a text without an end */
    from = reader(to.len);
    assert_true(read_workspace_collect(&from, &got) < 0);
}

static void settings_arrive_as_they_were_written(void **state)
{
    (void)state;
    static const char program[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct settings_message message = {.max_boxes = 4,
                                       .allow_missing = 1,
                                       .uid_base = 100000,
                                       .front_uid = 101024,
                                       .cgroup_root = NULL,
                                       .etc = env,
                                       .rootfs = nothing,
                                       .seccomp_program = {program, sizeof program},
                                       .front_argv = argv};
    struct message_writer to = {.at = space, .room = sizeof space};
    write_settings(&to, &message);
    struct message_reader from = reader(to.len);
    struct settings_message got;
    assert_int_equal(read_settings(&from, &got), 0);
    assert_int_equal(got.max_boxes, 4);
    assert_int_equal(got.front_uid, 101024);
    assert_string_equal(got.cgroup_root, "");
    assert_null(got.rootfs[0]);
    assert_int_equal(got.seccomp_program.len, sizeof program);
    assert_string_equal(got.front_argv[2], argv[2]);
}

static void a_message_cut_short_anywhere_is_refused(void **state)
{
    (void)state;
    size_t len = write_a_stage();
    for (size_t cut = 0; cut < len; cut++) {
        struct message_reader from = reader(cut);
        struct request_header header;
        struct stage_start_message message;
        assert_true(read_header(&from, &header) < 0 || read_stage_start(&from, &message) < 0);
    }
}

static void a_message_with_a_byte_too_many_is_refused(void **state)
{
    (void)state;
    size_t len = write_a_stage();
    space[len] = 0;
    struct message_reader from = reader(len + 1);
    struct request_header header;
    struct stage_start_message message;
    assert_int_equal(read_header(&from, &header), 0);
    assert_true(read_stage_start(&from, &message) < 0);
}

static void an_unknown_request_is_refused(void **state)
{
    (void)state;
    struct request_header written = {.kind = REQUEST_KINDS, .id = 1};
    memcpy(space, &written, sizeof written);
    struct message_reader from = reader(sizeof written);
    struct request_header header;
    assert_true(read_header(&from, &header) < 0);
}

/* Whatever stands in the bytes, a reader stays inside them and its texts. */
static void no_byte_makes_a_reader_leave_its_bounds(void **state)
{
    (void)state;
    size_t len = write_a_stage();
    for (size_t at = sizeof(struct request_header); at < len; at++) {
        for (unsigned value = 0; value < 256; value += 51) {
            (void)write_a_stage();
            space[at] = (char)value;
            struct message_reader from = reader(len);
            struct request_header header;
            struct stage_start_message message;
            assert_int_equal(read_header(&from, &header), 0);
            if (read_stage_start(&from, &message) < 0)
                continue;
            for (size_t i = 0; message.argv[i]; i++)
                assert_true(message.argv[i] >= space && message.argv[i] < space + len);
        }
    }
}

static void more_texts_than_there_is_room_for_are_refused(void **state)
{
    (void)state;
    size_t len = write_a_stage();
    struct message_reader from = reader(len);
    from.texts_room = ARRAY_LEN(argv); /* argv fits, env does not */
    struct request_header header;
    struct stage_start_message message;
    assert_int_equal(read_header(&from, &header), 0);
    assert_true(read_stage_start(&from, &message) < 0);
}

static void what_does_not_fit_is_not_written(void **state)
{
    (void)state;
    struct stage_start_message message = {.argv = argv, .env = env};
    struct message_writer to = {.at = space, .room = 20};
    write_stage_start(&to, &message);
    assert_true(to.failed);
    assert_true(to.len <= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stage_arrives_as_it_was_written),
        cmocka_unit_test(a_workspace_arrives_as_it_was_written),
        cmocka_unit_test(a_collection_arrives_as_it_was_written),
        cmocka_unit_test(settings_arrive_as_they_were_written),
        cmocka_unit_test(a_message_cut_short_anywhere_is_refused),
        cmocka_unit_test(a_message_with_a_byte_too_many_is_refused),
        cmocka_unit_test(an_unknown_request_is_refused),
        cmocka_unit_test(no_byte_makes_a_reader_leave_its_bounds),
        cmocka_unit_test(more_texts_than_there_is_room_for_are_refused),
        cmocka_unit_test(what_does_not_fit_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
