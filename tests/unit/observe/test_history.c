/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "observe/history.h"

enum { START = 5000, STEP = 10 };

static struct history history;

static int set_up(void **state)
{
    (void)state;
    history_init(&history, STEP, START);
    return 0;
}

static struct history_point last(uint64_t now_ms)
{
    size_t count = history_count(&history, now_ms);
    assert_true(count > 0);
    return history_at(&history, count - 1);
}

static void a_step_is_told_when_it_is_over(void **state)
{
    (void)state;
    assert_int_equal(history_count(&history, START), 0);
    assert_int_equal(history_count(&history, START + STEP - 1), 0);
    assert_int_equal(history_count(&history, START + STEP), 1);
    assert_int_equal(history_at(&history, 0).start_ms, START);
    assert_int_equal(last(START + 5 * STEP).start_ms, START + 4 * STEP);
    assert_int_equal(history_count(&history, START + 5 * STEP), 5);
}

static void the_most_at_once_is_kept(void **state)
{
    (void)state;
    history_levels(&history, START, 0, 1);
    history_levels(&history, START + 1, 7, 2);
    history_levels(&history, START + 2, 1, 4);
    struct history_point point = last(START + STEP);
    assert_int_equal(point.queued, 7);
    assert_int_equal(point.running, 4);
}

static void a_level_stays_until_another_is_said(void **state)
{
    (void)state;
    history_levels(&history, START, 3, 2);
    struct history_point point = last(START + 4 * STEP);
    assert_int_equal(point.queued, 3);
    assert_int_equal(point.running, 2);
    history_levels(&history, START + 4 * STEP + 1, 0, 0);
    point = last(START + 5 * STEP);
    assert_int_equal(point.queued, 3); /* that step began with it */
    assert_int_equal(last(START + 6 * STEP).queued, 0);
}

static void ends_count_in_their_step(void **state)
{
    (void)state;
    history_ended(&history, START, 10);
    history_ended(&history, START + 9, 30);
    history_ended(&history, START + STEP, 500);
    assert_int_equal(history_count(&history, START + 3 * STEP), 3);
    struct history_point first = history_at(&history, 0);
    assert_int_equal(first.ended, 2);
    assert_int_equal(first.p50_ms, 10);
    assert_int_equal(first.p95_ms, 30);
    assert_int_equal(history_at(&history, 1).ended, 1);
    assert_int_equal(history_at(&history, 1).p50_ms, 500);
    assert_int_equal(history_at(&history, 2).ended, 0);
    assert_int_equal(history_at(&history, 2).p95_ms, 0);
}

static void the_oldest_steps_go(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 2 * HISTORY_POINTS + 7; i++)
        history_ended(&history, START + i * STEP, i);
    uint64_t now_ms = START + (2 * HISTORY_POINTS + 7) * STEP;
    assert_int_equal(history_count(&history, now_ms), HISTORY_POINTS);
    for (size_t i = 0; i < HISTORY_POINTS; i++) {
        struct history_point point = history_at(&history, i);
        assert_int_equal(point.start_ms, START + (HISTORY_POINTS + 7 + i) * STEP);
        assert_int_equal(point.p50_ms, HISTORY_POINTS + 7 + i);
    }
}

static void a_year_of_silence_costs_nothing(void **state)
{
    (void)state;
    history_ended(&history, START, 1);
    uint64_t now_ms = START + 365ULL * 24 * 3600 * 1000;
    assert_int_equal(history_count(&history, now_ms), HISTORY_POINTS);
    for (size_t i = 0; i < HISTORY_POINTS; i++) {
        assert_int_equal(history_at(&history, i).ended, 0);
        assert_int_equal(history_at(&history, i).start_ms, now_ms - (HISTORY_POINTS - i) * STEP);
    }
}

static void a_clock_that_stands_changes_nothing(void **state)
{
    (void)state;
    history_levels(&history, START, 1, 1);
    assert_int_equal(history_count(&history, START - 100), 0);
    assert_int_equal(history_count(&history, START), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_step_is_told_when_it_is_over),
        TEST(the_most_at_once_is_kept),
        TEST(a_level_stays_until_another_is_said),
        TEST(ends_count_in_their_step),
        TEST(the_oldest_steps_go),
        TEST(a_year_of_silence_costs_nothing),
        TEST(a_clock_that_stands_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
