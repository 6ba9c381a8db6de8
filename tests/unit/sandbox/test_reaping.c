/* SPDX-License-Identifier: MIT */
/* What loses its parents in a box becomes a child of the box's init, which reaps it: else
 * the dead would take up the box's processes. */
#include <signal.h>
#include <unistd.h>

#include "base/util.h"
#include "real_spawner.h"

/* Counted by what the shell has in itself: a command would be one more. The parent of
 * each of the four has ended. 0 when there are no more than before. */
#define COUNT "set -- /proc/[0-9]*; "
static const char orphans[] = COUNT "before=$#\n"
                                    "for i in 1 2 3 4; do (true &); done\n"
                                    "for i in 0 1 2 3 4 5 6 7 8 9; do\n"
                                    "    " COUNT "[ $# -gt $before ] || exit 0\n"
                                    "    sleep 1\n"
                                    "done\n"
                                    "exit 1";

static void the_dead_without_parents_are_reaped(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/sh", "-c", orphans, NULL};
    open_workspace(WORKSPACE);
    struct streams streams = start_program(STAGE, argv, 64);
    struct sandbox_reply end = wait_for(REPLY_ENDED, STAGE);
    assert_string_equal(end.failed_step, "");
    assert_int_equal(end.signal, 0);
    assert_int_equal(end.exit_code, 0);
    close_streams(&streams);
}

/* They are children of init, as it is itself. */
static void a_signal_finds_the_program_among_many_orphans(void **state)
{
    (void)state;
    static const char *const argv[] = {"/bin/sh", "-c",
                                       "trap 'exit 9' USR1; i=0\n"
                                       "while [ $i -lt 200 ]; do (sleep 600 &); i=$((i+1)); done\n"
                                       "echo ready; while :; do sleep 0.01; done",
                                       NULL};
    char byte = 0;
    open_workspace(WORKSPACE);
    struct streams streams = start_program(STAGE, argv, 64);
    assert_int_equal(read(streams.output, &byte, 1), 1);
    assert_int_equal(sandbox_stage_signal(spawner, STAGE, SIGUSR1, NULL), 0);
    assert_int_equal(wait_for(REPLY_ENDED, STAGE).exit_code, 9);
    close_streams(&streams);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_A_SPAWNER(the_dead_without_parents_are_reaped),
        WITH_A_SPAWNER(a_signal_finds_the_program_among_many_orphans),
    };
    return cmocka_run_group_tests(tests, real_spawner_group, real_spawner_group_end);
}
