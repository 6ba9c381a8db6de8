/* SPDX-License-Identifier: MIT */
/* Looks into a box that is a folder: what one waits for holds up nobody else. */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fd.h"
#include "sandbox/spawner.h"

enum { PATIENCE_MS = 10000, TURN_MS = 1000, BOXES = 2 };

/* An init, 1, whose one process, 2, sleeps in a read of its descriptor 0. */
#define STAT "2/task/2/stat"
#define CALL "2/task/2/syscall"
static const struct {
    const char *path;
    const char *text; /* NULL: a folder */
} files[] = {
    {"1", NULL},
    {"1/task", NULL},
    {"1/task/1", NULL},
    {"1/task/1/children", "2 "},
    {"2", NULL},
    {"2/task", NULL},
    {"2/task/2", NULL},
    {"2/task/2/children", ""},
    {STAT, "2 (cat) S 1 2 2"},
    {CALL, "0 0x0 0x7ffc 0x1000 0x0 0x0 0x0 0x7ffc 0x7f00"},
    {"2/fd", NULL},
    {"2/fd/0", ""},
};

static char folder[32];
static struct spawner spawner;
static struct spawner_stage stage;

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/runnel-look-XXXXXX");
    assert_non_null(mkdtemp(folder));
    spawner = (struct spawner){.proc_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC),
                               .settings.max_boxes = BOXES};
    assert_true(spawner.proc_fd >= 0);
    list_init(&spawner.looks);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        if (!files[i].text) {
            assert_int_equal(mkdirat(spawner.proc_fd, files[i].path, 0700), 0);
            continue;
        }
        auto_close int fd =
            openat(spawner.proc_fd, files[i].path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(fd_write_full(fd, files[i].text, strlen(files[i].text)), 0);
        stage = (struct spawner_stage){.pid = 1, .pidfd = 0};
        spawner_note_input(&stage, fd); /* the last of them */
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    spawner_drop_looks(&spawner);
    for (size_t i = ARRAY_LEN(files); i-- > 0;)
        (void)unlinkat(spawner.proc_fd, files[i].path, files[i].text ? 0 : AT_REMOVEDIR);
    fd_close(&spawner.proc_fd);
    return rmdir(folder);
}

/* Nobody ever writes to it: whoever opens it waits until killed. */
static void make_unreadable(const char *path)
{
    assert_int_equal(unlinkat(spawner.proc_fd, path, 0), 0);
    assert_int_equal(mkfifoat(spawner.proc_fd, path, 0600), 0);
}

static void set_text(const char *path, const char *text)
{
    auto_close int fd = openat(spawner.proc_fd, path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
}

static void probe(void)
{
    stage.owed = 0;
    spawner_probe_stage(&spawner, &stage);
}

static bool is_told(void)
{
    return stage.owed == 1U << REPLY_PROBED;
}

/* As the loop of the spawner does. */
static void turn(void)
{
    struct pollfd ended = {.fd = -1, .events = POLLIN};
    list_for_each (link, &spawner.looks)
        ended.fd = CONTAINER_OF(link, struct spawner_look, link)->pidfd;
    if (poll(&ended, 1, TURN_MS) > 0)
        spawner_reap_looks(&spawner);
    (void)spawner_hurry_looks(&spawner);
}

static bool answer(void)
{
    uint64_t until_ns = spawner_now_ns() + PATIENCE_MS * NS_PER_MS;
    probe();
    while (!is_told() && spawner_now_ns() < until_ns)
        turn();
    assert_true(is_told());
    return stage.waiting;
}

static void nothing_is_left(void)
{
    uint64_t until_ns = spawner_now_ns() + PATIENCE_MS * NS_PER_MS;
    while (!list_empty(&spawner.looks) && spawner_now_ns() < until_ns)
        turn();
    assert_null(stage.look);
    assert_int_equal(spawner.look_count, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
    assert_int_equal(errno, ECHILD);
}

static void who_reads_its_input_waits(void **state)
{
    (void)state;
    assert_true(answer());
    nothing_is_left();
    assert_true(stage.probe_after_ns > 0);
}

static void a_look_that_is_held_up_is_answered_and_ends(void **state)
{
    (void)state;
    make_unreadable(STAT);
    probe();
    assert_false(is_told());
    assert_false(answer()); /* asked twice meanwhile, told once */
    nothing_is_left();
}

/* Else a look into a box that executes something waits for it. */
static void the_call_of_a_task_that_runs_is_not_asked_for(void **state)
{
    static const char *const states[] = {"2 (cat) R 1 2 2", "2 (a) S 1) R 1 2 2", "2 (cat) D 1 2 2",
                                         "2 (cat) T 1 2 2", "2 (cat) Z 1 2 2",    "2 (cat"};
    (void)state;
    make_unreadable(CALL);
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        set_text(STAT, states[i]);
        stage.probe_after_ns = 0;
        probe();
        assert_non_null(stage.look);
        struct pollfd ended = {.fd = stage.look->pidfd, .events = POLLIN};
        assert_int_equal(poll(&ended, 1, PATIENCE_MS), 1); /* by itself */
        spawner_reap_looks(&spawner);
        assert_true(is_told());
        assert_false(stage.waiting);
        nothing_is_left();
    }
}

static void the_end_of_a_box_ends_its_look(void **state)
{
    (void)state;
    make_unreadable(CALL);
    probe();
    spawner_leave_look(&stage);
    nothing_is_left();
    assert_false(is_told());
}

static void there_are_no_more_looks_than_boxes(void **state)
{
    (void)state;
    make_unreadable(CALL);
    for (int i = 0; i < BOXES; i++) {
        probe();
        spawner_leave_look(&stage);
    }
    probe();
    assert_true(is_told());
    assert_false(stage.waiting);
    nothing_is_left();
}

/* It is not a copy of the spawner that outlives it with all that it has. */
static void a_look_keeps_no_descriptor_of_the_spawner(void **state)
{
    char path[32];
    int ends[2];
    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    make_unreadable(CALL);
    probe();
    assert_non_null(stage.look);
    (void)close(ends[1]);
    struct pollfd closed = {.fd = ends[0], .events = POLLIN};
    assert_int_equal(poll(&closed, 1, PATIENCE_MS), 1);
    assert_true(closed.revents & POLLHUP);
    (void)close(ends[0]);
    (void)snprintf(path, sizeof path, "/proc/%d", stage.look->pid);
    assert_int_equal(access(path, F_OK), 0); /* it is still at it */
    spawner_leave_look(&stage);
    nothing_is_left();
}

int main(void)
{
#define LOOK_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LOOK_TEST(who_reads_its_input_waits),
        LOOK_TEST(a_look_that_is_held_up_is_answered_and_ends),
        LOOK_TEST(the_call_of_a_task_that_runs_is_not_asked_for),
        LOOK_TEST(the_end_of_a_box_ends_its_look),
        LOOK_TEST(there_are_no_more_looks_than_boxes),
        LOOK_TEST(a_look_keeps_no_descriptor_of_the_spawner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
