/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "loop/loop.h"

struct fixture {
    struct loop *loop;
    struct loop_watch *watch;
    struct loop_watch *other_watch;
    struct loop_timer *timer;
    struct loop_timer *late; /* ends a test that would hang */
    struct loop_task *task;
    struct loop_task *other_task;
    struct loop_signal *signal;
    int fds[2];
    int calls;
    unsigned ready;
    bool was_late;
    char order[32];
};

static void on_late(void *context)
{
    struct fixture *fixture = context;
    fixture->was_late = true;
    loop_stop(fixture->loop);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->loop = loop_new();
    fixture->late = loop_timer_new(fixture->loop, on_late, fixture);
    loop_timer_start(fixture->late, 5000);
    fixture->fds[0] = fixture->fds[1] = -1;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    assert_false(fixture->was_late);
    loop_watch_free(fixture->watch);
    loop_watch_free(fixture->other_watch);
    loop_timer_free(fixture->timer);
    loop_timer_free(fixture->late);
    loop_task_free(fixture->task);
    loop_task_free(fixture->other_task);
    loop_signal_free(fixture->signal);
    loop_free(fixture->loop);
    for (int i = 0; i < 2; i++) {
        if (fixture->fds[i] >= 0)
            (void)close(fixture->fds[i]);
    }
    free(fixture);
    return 0;
}

static void make_pair(struct fixture *fixture)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fixture->fds), 0);
}

static void stop_after_call(void *context, unsigned ready)
{
    struct fixture *fixture = context;
    fixture->calls++;
    fixture->ready = ready;
    loop_stop(fixture->loop);
}

static void a_watch_tells_what_is_ready_until_it_is_taken(void **state)
{
    struct fixture *fixture = *state;
    make_pair(fixture);
    fixture->watch = loop_watch_new(fixture->loop, fixture->fds[0], LOOP_READ | LOOP_WRITE,
                                    stop_after_call, fixture);
    loop_run(fixture->loop);
    assert_int_equal(fixture->ready, LOOP_WRITE);
    assert_int_equal(write(fixture->fds[1], "x", 1), 1);
    loop_watch_set(fixture->watch, LOOP_READ);
    loop_run(fixture->loop);
    assert_int_equal(fixture->ready, LOOP_READ);
    loop_run(fixture->loop);
    assert_int_equal(fixture->calls, 3); /* level-triggered */
    assert_true(fcntl(fixture->fds[0], F_GETFL) & O_NONBLOCK);
}

static void only_stop(void *context)
{
    struct fixture *fixture = context;
    loop_stop(fixture->loop);
}

static void a_paused_watch_is_silent_and_can_go_on(void **state)
{
    struct fixture *fixture = *state;
    make_pair(fixture);
    fixture->watch = loop_watch_new(fixture->loop, fixture->fds[0], 0, stop_after_call, fixture);
    fixture->timer = loop_timer_new(fixture->loop, only_stop, fixture);
    assert_int_equal(write(fixture->fds[1], "x", 1), 1);
    loop_timer_start(fixture->timer, 5);
    loop_run(fixture->loop);
    assert_int_equal(fixture->calls, 0);
    loop_watch_set(fixture->watch, LOOP_READ);
    loop_run(fixture->loop);
    assert_int_equal(fixture->calls, 1);
    loop_watch_set(fixture->watch, 0);
    loop_timer_start(fixture->timer, 5);
    loop_run(fixture->loop);
    assert_int_equal(fixture->calls, 1);
}

static void a_vanished_reader_makes_the_writer_ready(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(pipe2(fixture->fds, O_CLOEXEC | O_NONBLOCK), 0);
    char block[4096] = {0};
    while (write(fixture->fds[1], block, sizeof block) > 0) /* until it is full */
        ;
    (void)close(fixture->fds[0]);
    fixture->fds[0] = -1;
    fixture->watch =
        loop_watch_new(fixture->loop, fixture->fds[1], LOOP_WRITE, stop_after_call, fixture);
    for (int i = 1; i <= 3; i++) { /* told again and again, as with any readiness */
        loop_run(fixture->loop);
        assert_int_equal(fixture->calls, i);
        assert_int_equal(fixture->ready, LOOP_WRITE);
    }
}

static void the_end_of_a_pipe_is_readable(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(pipe2(fixture->fds, O_CLOEXEC), 0);
    (void)close(fixture->fds[1]);
    fixture->fds[1] = -1;
    fixture->watch =
        loop_watch_new(fixture->loop, fixture->fds[0], LOOP_READ, stop_after_call, fixture);
    loop_run(fixture->loop);
    assert_int_equal(fixture->ready, LOOP_READ);
}

static void free_both_watches(void *context, unsigned ready)
{
    (void)ready;
    struct fixture *fixture = context;
    fixture->calls++;
    loop_watch_free(fixture->watch);
    loop_watch_free(fixture->other_watch);
    fixture->watch = fixture->other_watch = NULL;
    for (int i = 0; i < 2; i++) { /* the owner may close, and the number be used again, at once */
        (void)close(fixture->fds[i]);
        fixture->fds[i] = -1;
    }
    make_pair(fixture);
    fixture->watch =
        loop_watch_new(fixture->loop, fixture->fds[0], LOOP_WRITE, stop_after_call, fixture);
}

static void a_callback_may_free_its_own_watch_and_one_that_is_ready_too(void **state)
{
    struct fixture *fixture = *state;
    make_pair(fixture);
    fixture->watch =
        loop_watch_new(fixture->loop, fixture->fds[0], LOOP_WRITE, free_both_watches, fixture);
    fixture->other_watch =
        loop_watch_new(fixture->loop, fixture->fds[1], LOOP_WRITE, free_both_watches, fixture);
    loop_run(fixture->loop);
    assert_int_equal(fixture->calls, 2);
}

static void count_to_three(void *context, unsigned ready)
{
    struct fixture *fixture = context;
    fixture->ready = ready;
    if (++fixture->calls < 3)
        return;
    loop_watch_free(fixture->watch);
    fixture->watch = NULL;
    loop_timer_free(fixture->late);
    fixture->late = NULL;
}

static void what_epoll_refuses_is_always_ready(void **state)
{
    struct fixture *fixture = *state;
    fixture->fds[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
    fixture->watch =
        loop_watch_new(fixture->loop, fixture->fds[0], LOOP_READ, count_to_three, fixture);
    loop_run(fixture->loop); /* ends by itself: nothing is left */
    assert_int_equal(fixture->calls, 3);
    assert_int_equal(fixture->ready, LOOP_READ);
}

static void pause_itself(void *context, unsigned ready)
{
    (void)ready;
    struct fixture *fixture = context;
    fixture->calls++;
    loop_watch_set(fixture->watch, 0);
}

static void what_epoll_refuses_can_be_paused(void **state)
{
    struct fixture *fixture = *state;
    FILE *file = tmpfile();
    assert_non_null(file);
    fixture->fds[0] = dup(fileno(file));
    (void)fclose(file);
    fixture->watch =
        loop_watch_new(fixture->loop, fixture->fds[0], LOOP_READ, pause_itself, fixture);
    fixture->timer = loop_timer_new(fixture->loop, only_stop, fixture);
    loop_timer_start(fixture->timer, 5);
    loop_run(fixture->loop);
    assert_int_equal(fixture->calls, 1);
    loop_watch_set(fixture->watch, LOOP_READ);
    loop_timer_start(fixture->timer, 5);
    loop_run(fixture->loop);
    assert_int_equal(fixture->calls, 2);
}

static void note_time(void *context)
{
    struct fixture *fixture = context;
    fixture->calls++;
    loop_stop(fixture->loop);
}

static void a_timer_is_never_early(void **state)
{
    struct fixture *fixture = *state;
    fixture->timer = loop_timer_new(fixture->loop, note_time, fixture);
    for (uint64_t ms = 0; ms < 30; ms++) {
        struct timespec nap = {.tv_nsec = (long)(ms * 37000)}; /* off the whole ms */
        (void)nanosleep(&nap, NULL);
        uint64_t before = loop_now_ns();
        loop_timer_start(fixture->timer, ms);
        loop_run(fixture->loop);
        assert_true(loop_now_ns() - before >= ms * NS_PER_MS);
    }
    assert_int_equal(fixture->calls, 30);
}

static void start_late_in_the_turn(void *context)
{
    struct fixture *fixture = context;
    struct timespec slow = {.tv_nsec = 20000000};
    (void)nanosleep(&slow, NULL);
    loop_timer_start(fixture->timer, 15);
    loop_task_schedule(fixture->other_task); /* runs in the next turn, behind its timers */
}

static void expect_no_timer_yet(void *context)
{
    struct fixture *fixture = context;
    assert_int_equal(fixture->calls, 0);
}

static void a_slow_callback_does_not_shorten_a_timer(void **state)
{
    struct fixture *fixture = *state;
    fixture->timer = loop_timer_new(fixture->loop, note_time, fixture);
    fixture->task = loop_task_new(fixture->loop, start_late_in_the_turn, fixture);
    fixture->other_task = loop_task_new(fixture->loop, expect_no_timer_yet, fixture);
    loop_task_schedule(fixture->task);
    loop_run(fixture->loop);
    assert_int_equal(fixture->calls, 1);
}

static void a_timer_stops_restarts_and_may_be_far_away(void **state)
{
    struct fixture *fixture = *state;
    struct loop_timer *stopper = loop_timer_new(fixture->loop, only_stop, fixture);
    fixture->timer = loop_timer_new(fixture->loop, note_time, fixture);
    loop_timer_start(fixture->timer, UINT64_MAX);
    loop_timer_start(stopper, 5);
    loop_run(fixture->loop);
    loop_timer_start(fixture->timer, 1);
    loop_timer_stop(fixture->timer);
    loop_timer_stop(fixture->timer);
    loop_timer_start(stopper, 10);
    loop_run(fixture->loop);
    assert_int_equal(fixture->calls, 0);
    loop_timer_start(fixture->timer, 1000);
    loop_timer_start(fixture->timer, 1);
    loop_run(fixture->loop);
    assert_int_equal(fixture->calls, 1);
    loop_timer_free(stopper);
}

static void restart_at_once(void *context)
{
    struct fixture *fixture = context;
    fixture->calls++;
    loop_timer_start(fixture->timer, 0);
}

static void a_timer_that_restarts_itself_starves_nobody(void **state)
{
    struct fixture *fixture = *state;
    make_pair(fixture);
    fixture->timer = loop_timer_new(fixture->loop, restart_at_once, fixture);
    loop_timer_start(fixture->timer, 0);
    fixture->watch =
        loop_watch_new(fixture->loop, fixture->fds[0], LOOP_WRITE, stop_after_call, fixture);
    loop_run(fixture->loop);
    assert_int_equal(fixture->ready, LOOP_WRITE);
}

static void free_timer(void *context)
{
    struct fixture *fixture = context;
    loop_timer_free(fixture->timer);
    loop_timer_free(fixture->late);
    fixture->timer = fixture->late = NULL;
}

static void a_callback_may_free_its_own_timer(void **state)
{
    struct fixture *fixture = *state;
    fixture->timer = loop_timer_new(fixture->loop, free_timer, fixture);
    loop_timer_start(fixture->timer, 1);
    loop_run(fixture->loop);
    assert_null(fixture->timer);
}

static void write_a(void *context)
{
    struct fixture *fixture = context;
    (void)strncat(fixture->order, "a", sizeof fixture->order - strlen(fixture->order) - 1);
}

static void write_b_and_again(void *context)
{
    struct fixture *fixture = context;
    (void)strncat(fixture->order, "b", sizeof fixture->order - strlen(fixture->order) - 1);
    if (++fixture->calls < 3)
        loop_task_schedule(fixture->other_task);
    else
        loop_stop(fixture->loop);
    loop_task_schedule(fixture->task);
}

static void tasks_run_once_each_in_order(void **state)
{
    struct fixture *fixture = *state;
    fixture->task = loop_task_new(fixture->loop, write_a, fixture);
    fixture->other_task = loop_task_new(fixture->loop, write_b_and_again, fixture);
    loop_task_schedule(fixture->task);
    loop_task_schedule(fixture->other_task);
    loop_task_schedule(fixture->task);
    loop_task_schedule(fixture->other_task);
    assert_string_equal(fixture->order, ""); /* not inside the caller's stack */
    loop_run(fixture->loop);
    assert_string_equal(fixture->order, "abbab");
}

static void schedule_forever(void *context)
{
    struct fixture *fixture = context;
    fixture->calls++;
    loop_task_schedule(fixture->task);
}

static void a_task_that_schedules_itself_starves_nobody(void **state)
{
    struct fixture *fixture = *state;
    make_pair(fixture);
    fixture->task = loop_task_new(fixture->loop, schedule_forever, fixture);
    loop_task_schedule(fixture->task);
    fixture->watch =
        loop_watch_new(fixture->loop, fixture->fds[0], LOOP_WRITE, stop_after_call, fixture);
    loop_run(fixture->loop);
    assert_int_equal(fixture->ready, LOOP_WRITE);
    fixture->timer = loop_timer_new(fixture->loop, only_stop, fixture);
    loop_watch_set(fixture->watch, 0);
    loop_timer_start(fixture->timer, 5);
    loop_run(fixture->loop);
    assert_true(fixture->calls > 10);
}

static void free_both_tasks(void *context)
{
    struct fixture *fixture = context;
    fixture->calls++;
    loop_task_free(fixture->task);
    loop_task_free(fixture->other_task);
    fixture->task = fixture->other_task = NULL;
    loop_stop(fixture->loop);
}

static void a_task_may_free_itself_and_the_next(void **state)
{
    struct fixture *fixture = *state;
    fixture->task = loop_task_new(fixture->loop, free_both_tasks, fixture);
    fixture->other_task = loop_task_new(fixture->loop, free_both_tasks, fixture);
    loop_task_schedule(fixture->task);
    loop_task_schedule(fixture->other_task);
    loop_run(fixture->loop);
    assert_int_equal(fixture->calls, 1);
}

static void an_unscheduled_task_does_not_run(void **state)
{
    struct fixture *fixture = *state;
    fixture->task = loop_task_new(fixture->loop, write_a, fixture);
    loop_task_schedule(fixture->task);
    loop_task_unschedule(fixture->task);
    loop_task_unschedule(fixture->task);
    loop_timer_free(fixture->late);
    fixture->late = NULL;
    loop_run(fixture->loop);
    assert_string_equal(fixture->order, "");
}

static void on_signal(void *context, int number)
{
    struct fixture *fixture = context;
    fixture->calls = number;
    loop_signal_free(fixture->signal);
    fixture->signal = NULL;
    loop_stop(fixture->loop);
}

static void a_signal_arrives_as_a_callback(void **state)
{
    struct fixture *fixture = *state;
    fixture->signal = loop_signal_new(fixture->loop, SIGUSR1, on_signal, fixture);
    assert_int_equal(raise(SIGUSR1), 0);
    loop_run(fixture->loop);
    assert_int_equal(fixture->calls, SIGUSR1);
}

static void a_loop_can_end_with_a_signal_on_its_way(void **state)
{
    struct fixture *fixture = *state;
    fixture->signal = loop_signal_new(fixture->loop, SIGUSR2, on_signal, fixture);
    assert_int_equal(raise(SIGUSR2), 0);
    loop_signal_free(fixture->signal);
    fixture->signal = NULL;
    assert_int_equal(fixture->calls, 0);
}

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    loop_watch_free(NULL);
    loop_timer_free(NULL);
    loop_signal_free(NULL);
    loop_task_free(NULL);
    loop_free(NULL);
    loop_free(loop_new());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_watch_tells_what_is_ready_until_it_is_taken),
        TEST(a_paused_watch_is_silent_and_can_go_on),
        TEST(a_vanished_reader_makes_the_writer_ready),
        TEST(the_end_of_a_pipe_is_readable),
        TEST(a_callback_may_free_its_own_watch_and_one_that_is_ready_too),
        TEST(what_epoll_refuses_is_always_ready),
        TEST(what_epoll_refuses_can_be_paused),
        TEST(a_timer_is_never_early),
        TEST(a_slow_callback_does_not_shorten_a_timer),
        TEST(a_timer_stops_restarts_and_may_be_far_away),
        TEST(a_timer_that_restarts_itself_starves_nobody),
        TEST(a_callback_may_free_its_own_timer),
        TEST(tasks_run_once_each_in_order),
        TEST(a_task_that_schedules_itself_starves_nobody),
        TEST(a_task_may_free_itself_and_the_next),
        TEST(an_unscheduled_task_does_not_run),
        TEST(a_signal_arrives_as_a_callback),
        TEST(a_loop_can_end_with_a_signal_on_its_way),
        TEST(freeing_nothing_is_allowed),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
