/* SPDX-License-Identifier: MIT */
/* The inside of a box, without a spawner round it. */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "sandbox/box.h"

/* Killed by nobody: it ends before the box has asked for its death to be told. */
static void be_spawner(int report)
{
    const struct box_plan plan = {
        .spawner = (int)syscall(SYS_pidfd_open, getpid(), 0),
        .report = report,
        .workspace_mount = -1,
        .netns = -1,
        .mntns = -1,
    };
    pid_t box = plan.spawner < 0 ? -1 : fork();
    if (box == 0) {
        struct pollfd spawner = {.fd = plan.spawner, .events = POLLIN};
        (void)poll(&spawner, 1, 60000);
        box_init(&plan);
    }
    _exit(box < 0);
}

static void a_box_whose_spawner_is_gone_already_does_nothing(void **state)
{
    struct box_report report = {0};
    int pipes[2];
    int status = 0;
    (void)state;
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    pid_t spawner = fork();
    if (spawner == 0)
        be_spawner(pipes[1]);
    assert_int_equal(close(pipes[1]), 0);
    assert_int_equal(waitpid(spawner, &status, 0), spawner);
    assert_int_equal(status, 0);
    assert_int_equal(fd_read_full(pipes[0], &report, sizeof report), sizeof report);
    assert_string_equal(report.failed_step, "leash");
    assert_int_equal(report.failed_errno, ESRCH);
    assert_int_equal(close(pipes[0]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_whose_spawner_is_gone_already_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
