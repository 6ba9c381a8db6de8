/* SPDX-License-Identifier: MIT */
/* A folder in place of /proc says who handles core dumps. */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "sandbox/core_handler.h"

#define PATTERN "sys/kernel/core_pattern"

static char folder[] = "/tmp/runnel-core-XXXXXX";
static int proc_fd = -1;

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    proc_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return mkdirat(proc_fd, "sys", 0700) < 0 ? -1 : mkdirat(proc_fd, "sys/kernel", 0700);
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlinkat(proc_fd, PATTERN, 0);
    (void)unlinkat(proc_fd, "sys/kernel", AT_REMOVEDIR);
    (void)unlinkat(proc_fd, "sys", AT_REMOVEDIR);
    fd_close(&proc_fd);
    return rmdir(folder);
}

static void a_socket_is_told_from_a_file_and_a_pipe(void **state)
{
    static const struct {
        const char *pattern;
        int is_socket;
    } rows[] = {
        {"core\n", 0},
        {"\n", 0},
        {"", 0},
        {"|/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c %h\n", 0},
        {"/var/crash/core.%p@%h\n", 0},
        {" @/run/crash.socket\n", 0}, /* a file of that name */
        {"@/run/systemd/coredump\n", 1},
        {"@@/run/crash.socket\n", 1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_close int fd =
            openat(proc_fd, PATTERN, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(fd_write_full(fd, rows[i].pattern, strlen(rows[i].pattern)), 0);
        assert_int_equal(core_handler_is_socket(proc_fd), rows[i].is_socket);
    }
}

static void what_cannot_be_read_is_told(void **state)
{
    (void)state;
    (void)unlinkat(proc_fd, PATTERN, 0);
    assert_int_equal(core_handler_is_socket(proc_fd), 0); /* no core dumps at all */
    assert_int_equal(mkdirat(proc_fd, PATTERN, 0700), 0);
    assert_int_equal(core_handler_is_socket(proc_fd), -EISDIR);
    assert_int_equal(unlinkat(proc_fd, PATTERN, AT_REMOVEDIR), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_is_told_from_a_file_and_a_pipe),
        cmocka_unit_test(what_cannot_be_read_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
