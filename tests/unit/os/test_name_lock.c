/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/name_lock.h"

static void one_has_it_at_a_time(void **state)
{
    (void)state;
    char name[40];
    (void)snprintf(name, sizeof name, "runnel-test-%d", (int)getpid());
    int fd = name_lock(name);
    assert_true(fd >= 0);
    assert_int_equal(name_lock(name), -EADDRINUSE);
    name[strlen(name) - 1]++; /* another */
    int other = name_lock(name);
    assert_true(other >= 0);
    name[strlen(name) - 1]--;
    fd_close(&fd);
    fd = name_lock(name);
    assert_true(fd >= 0);
    fd_close(&fd);
    fd_close(&other);
}

static void a_name_that_has_no_room_is_refused(void **state)
{
    (void)state;
    char name[200];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_int_equal(name_lock(name), -ENAMETOOLONG);
}

/* 0: it is another place; 1: the same; 2: there is no right to make one. */
static int place_of_a_network(const char *here)
{
    char there[NAME_LOCK_PLACE_SIZE];
    if (unshare(CLONE_NEWNET) < 0)
        return 2;
    return name_lock_place(there) < 0 || strcmp(here, there) == 0;
}

static void a_network_namespace_is_a_place(void **state)
{
    (void)state;
    char here[NAME_LOCK_PLACE_SIZE];
    char again[NAME_LOCK_PLACE_SIZE];
    int status;
    assert_int_equal(name_lock_place(here), 0);
    assert_int_equal(name_lock_place(again), 0);
    assert_string_equal(here, again);
    pid_t child = fork();
    if (child == 0)
        _exit(place_of_a_network(here));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_not_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_has_it_at_a_time),
        cmocka_unit_test(a_name_that_has_no_room_is_refused),
        cmocka_unit_test(a_network_namespace_is_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
