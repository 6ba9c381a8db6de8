/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/util.h"
#include "loop/loop.h"

struct fixture {
    struct loop *loop;
    struct loop_timer *late; /* ends a test that would hang */
    struct loop_wake *wake;
    pthread_t owner;
    pthread_t worker;
    atomic_int running;
    atomic_int most;
    int done;
    int again;
    int wanted;
    int wakes;
    bool was_late;
};

static void nap_ms(long ms)
{
    struct timespec nap = {.tv_nsec = ms * (long)NS_PER_MS};
    (void)nanosleep(&nap, NULL);
}

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
    fixture->owner = pthread_self();
    fixture->loop = loop_new();
    fixture->late = loop_timer_new(fixture->loop, on_late, fixture);
    loop_timer_start(fixture->late, 10000);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    assert_false(fixture->was_late);
    loop_wake_free(fixture->wake);
    loop_timer_free(fixture->late);
    loop_free(fixture->loop);
    free(fixture);
    return 0;
}

static void note_thread(void *context)
{
    struct fixture *fixture = context;
    fixture->worker = pthread_self();
}

static void on_done(void *context)
{
    struct fixture *fixture = context;
    assert_true(pthread_equal(pthread_self(), fixture->owner));
    if (++fixture->done == fixture->wanted)
        loop_stop(fixture->loop);
}

static void work_is_done_beside_the_loop_and_told_by_it(void **state)
{
    struct fixture *fixture = *state;
    fixture->wanted = 1;
    loop_work(fixture->loop, note_thread, on_done, fixture);
    assert_int_equal(fixture->done, 0);
    loop_run(fixture->loop);
    assert_int_equal(fixture->done, 1);
    assert_false(pthread_equal(fixture->worker, fixture->owner));
}

static void be_slow(void *context)
{
    struct fixture *fixture = context;
    int running = atomic_fetch_add(&fixture->running, 1) + 1;
    int most = atomic_load(&fixture->most);
    while (running > most && !atomic_compare_exchange_weak(&fixture->most, &most, running))
        ;
    nap_ms(50);
    (void)atomic_fetch_sub(&fixture->running, 1);
}

static void four_threads_do_all_work(void **state)
{
    struct fixture *fixture = *state;
    fixture->wanted = 12;
    for (int i = 0; i < fixture->wanted; i++)
        loop_work(fixture->loop, be_slow, on_done, fixture);
    loop_run(fixture->loop);
    assert_int_equal(fixture->done, 12);
    assert_in_range(atomic_load(&fixture->most), 2, 4);
}

static void want_more(void *context)
{
    struct fixture *fixture = context;
    fixture->done++;
    if (fixture->again-- > 0)
        loop_work(fixture->loop, be_slow, want_more, fixture);
}

static void the_loop_ends_after_its_work(void **state)
{
    struct fixture *fixture = *state;
    struct loop *loop = fixture->loop;
    fixture->again = 2;
    loop_work(loop, be_slow, want_more, fixture);
    loop_timer_free(fixture->late);
    loop_free(loop);
    assert_int_equal(fixture->done, 3);
    fixture->loop = loop_new();
    fixture->late = NULL;
}

static void count_wake(void *context)
{
    struct fixture *fixture = context;
    assert_true(pthread_equal(pthread_self(), fixture->owner));
    if (++fixture->wakes == fixture->wanted)
        loop_stop(fixture->loop);
}

static void *wake_often(void *context)
{
    struct fixture *fixture = context;
    for (int i = 0; i < 1000; i++)
        loop_wake(fixture->wake);
    return NULL;
}

static void a_thread_wakes_the_loop_at_least_once(void **state)
{
    struct fixture *fixture = *state;
    fixture->wanted = 1;
    fixture->wake = loop_wake_new(fixture->loop, count_wake, fixture);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_often, fixture), 0);
    loop_run(fixture->loop);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_in_range(fixture->wakes, 1, 1000);
}

static void news_from_the_loop_itself_come_later(void **state)
{
    struct fixture *fixture = *state;
    fixture->wanted = 1;
    fixture->wake = loop_wake_new(fixture->loop, count_wake, fixture);
    loop_wake(fixture->wake);
    loop_wake(fixture->wake);
    assert_int_equal(fixture->wakes, 0);
    loop_run(fixture->loop);
    assert_int_equal(fixture->wakes, 1);
}

static void a_freed_wake_is_silent(void **state)
{
    struct fixture *fixture = *state;
    fixture->wake = loop_wake_new(fixture->loop, count_wake, fixture);
    loop_wake(fixture->wake);
    loop_wake_free(fixture->wake);
    fixture->wake = NULL;
    loop_timer_free(fixture->late);
    fixture->late = NULL;
    loop_run(fixture->loop); /* ends by itself: nothing is left */
    assert_int_equal(fixture->wakes, 0);
    loop_wake_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(work_is_done_beside_the_loop_and_told_by_it),
        TEST(four_threads_do_all_work),
        TEST(the_loop_ends_after_its_work),
        TEST(a_thread_wakes_the_loop_at_least_once),
        TEST(news_from_the_loop_itself_come_later),
        TEST(a_freed_wake_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
