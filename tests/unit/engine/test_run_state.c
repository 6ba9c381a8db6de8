/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/run_state.h"

static void every_state_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (enum run_state a = 0; a < RUN_STATE_COUNT; a++) {
        assert_non_null(run_state_name(a));
        for (enum run_state b = 0; b < a; b++)
            assert_string_not_equal(run_state_name(a), run_state_name(b));
    }
}

/* The picture of run_state.h, row by row: Q P C R W F. */
static const char *const arrows[] = {
    [RUN_QUEUED] = ".x...x",  [RUN_PREPARING] = "x.xx.x", [RUN_COMPILING] = "x..x.x",
    [RUN_RUNNING] = "x...xx", [RUN_WAITING] = "...x.x",   [RUN_FINISHED] = "......",
};

static void exactly_the_drawn_arrows_may_be_taken(void **state)
{
    (void)state;
    for (enum run_state from = 0; from < RUN_STATE_COUNT; from++) {
        for (enum run_state to = 0; to < RUN_STATE_COUNT; to++)
            assert_int_equal(run_state_may_move(from, to), arrows[from][to] == 'x');
    }
}

static void a_drawn_arrow_moves(void **state)
{
    (void)state;
    enum run_state run = RUN_QUEUED;
    run_state_move(&run, RUN_PREPARING);
    assert_int_equal(run, RUN_PREPARING);
}

static void an_undrawn_arrow_aborts(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGABRT, SIG_DFL);
        (void)close(STDERR_FILENO); /* its last words are not for the test's log */
        enum run_state run = RUN_FINISHED;
        run_state_move(&run, RUN_RUNNING);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_has_a_name_of_its_own),
        cmocka_unit_test(exactly_the_drawn_arrows_may_be_taken),
        cmocka_unit_test(a_drawn_arrow_moves),
        cmocka_unit_test(an_undrawn_arrow_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
