/* SPDX-License-Identifier: MIT */
/* Who is ended, and as what, when memory runs out: of a box, or of a group above all boxes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "real_spawner.h"
#include "sandbox/cgroup_driver.h"

enum { SKIPPED = 77 };

#define ABOVE_BYTES "50331648" /* less than a box may have: 64 MiB */

/* tail keeps all that it gets. */
static const char *const hog[] = {"/bin/sh", "-c", "head -c 400M /dev/zero | tail -n 1 | wc -c",
                                  NULL};
static const char *const idle[] = {"/bin/sh", "-c", "echo ready; read line; exit 5", NULL};

static void a_host_without_memory_takes_boxes_first(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/cat", "/proc/self/oom_score_adj", NULL};
    char text[8] = "";
    open_workspace(WORKSPACE);
    struct streams streams = start_program(STAGE, argv, 64);
    assert_int_equal(wait_for(REPLY_ENDED, STAGE).exit_code, 0);
    assert_true(read(streams.output, text, sizeof text - 1) > 0);
    assert_string_equal(text, "1000\n");
    close_streams(&streams);
}

static void a_box_that_meets_its_own_limit_is_out_of_memory(void **state)
{
    (void)state;
    open_workspace(WORKSPACE);
    struct streams streams = start_program(STAGE, hog, 64);
    struct sandbox_reply end = wait_for(REPLY_ENDED, STAGE);
    assert_true(end.out_of_memory);
    assert_false(end.starved);
    close_streams(&streams);
}

static void what_a_group_above_lacks_ends_only_the_box_that_lost_a_process(void **state)
{
    (void)state;
    char byte = 0;
    open_workspace(WORKSPACE);
    struct streams beside = start_program(STAGE, idle, 64);
    assert_int_equal(read(beside.output, &byte, 1), 1);
    struct streams streams = start_program(STAGE + 1, hog, 64);
    struct sandbox_reply end = wait_for(REPLY_ENDED, STAGE + 1);
    assert_false(end.out_of_memory);
    assert_true(end.starved);
    close_streams(&streams);

    assert_int_equal(write(beside.input, "\n", 1), 1);
    end = wait_for(REPLY_ENDED, STAGE);
    assert_int_equal(end.signal, 0);
    assert_int_equal(end.exit_code, 5);
    assert_false(end.out_of_memory);
    assert_false(end.starved);
    close_streams(&beside);
}

/* ---- the group above ---- */

static const char *const v1_controllers[] = {"memory", "pids", "cpu", "cpuacct"};
static const char *const v1_files[] = {"memory.limit_in_bytes", "memory.memsw.limit_in_bytes"};
static const char *const v2_controllers[] = {NULL}; /* the one hierarchy */
static const char *const v2_files[] = {"memory.max", "memory.swap.max"};

/* At the top of each hierarchy: all have the same path then. */
static char above_name[64];
static struct cgroup_place above[ARRAY_LEN(v1_controllers)];
static size_t above_count;

static int make_above(void)
{
    auto_free char *self = cgroup_read_whole(AT_FDCWD, "/proc/self/cgroup");
    auto_free char *mounts = cgroup_read_whole(AT_FDCWD, "/proc/self/mountinfo");
    struct cgroup_host host = {.self = self, .mounts = mounts, .root = above_name};
    (void)snprintf(above_name, sizeof above_name, "/above-%d", getpid());
    bool is_v1 = cgroup_find(&host, v1_controllers[0], &above[0]) == 0;
    const char *const *controllers = is_v1 ? v1_controllers : v2_controllers;
    const char *const *files = is_v1 ? v1_files : v2_files;
    size_t count = is_v1 ? ARRAY_LEN(v1_controllers) : ARRAY_LEN(v2_controllers);
    for (; above_count < count; above_count++) {
        struct cgroup_place *place = &above[above_count];
        if (cgroup_find(&host, controllers[above_count], place) < 0)
            return -ENOENT;
        auto_close int top = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (!is_v1)
            (void)fd_write_text_at(top, "cgroup.subtree_control", "+memory +pids +cpu");
        if (mkdir(place->path, 0755) < 0 && errno != EEXIST) /* cpu and cpuacct may be one */
            return -errno;
    }
    auto_close int dir_fd = open(above[0].path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd_write_text_at(dir_fd, files[0], ABOVE_BYTES);
    if (rc == 0) /* a kernel without swap has none */
        (void)fd_write_text_at(dir_fd, files[1], is_v1 ? ABOVE_BYTES : "0");
    return rc;
}

static void remove_above(void)
{
    while (above_count > 0)
        (void)rmdir(above[--above_count].path);
}

static int start_below(void **state)
{
    (void)state;
    struct sandbox_settings settings = real_spawner_settings();
    settings.cgroup_root = above_name;
    struct layer_report report;
    struct err err = {0};
    if (sandbox_start_spawner(&settings, &spawner, &err) == 0 &&
        sandbox_receive_report(spawner, &report, &err) == 0)
        return 0;
    print_error("%s\n", err.text);
    return -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_A_SPAWNER(a_host_without_memory_takes_boxes_first),
        WITH_A_SPAWNER(a_box_that_meets_its_own_limit_is_out_of_memory),
        cmocka_unit_test_setup_teardown(
            what_a_group_above_lacks_ends_only_the_box_that_lost_a_process, start_below,
            real_spawner_stop),
    };
    int rc = geteuid() == 0 ? make_above() : -EPERM;
    if (rc < 0) {
        print_message("skipped: %s\n", geteuid() ? "needs root" : strerror(-rc));
        remove_above();
        return SKIPPED;
    }
    int failed = cmocka_run_group_tests(tests, real_spawner_group, real_spawner_group_end);
    remove_above();
    return failed;
}
