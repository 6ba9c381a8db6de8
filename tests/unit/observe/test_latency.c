/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/util.h"
#include "observe/latency.h"
#include "observe/tally.h"

static struct latency latency;

static int set_up(void **state)
{
    (void)state;
    latency = (struct latency){0};
    return 0;
}

static void quantiles_are_values_that_were_there(void **state)
{
    (void)state;
    static const struct {
        uint64_t upto; /* 1, 2, … in an order that is not theirs */
        uint64_t p50, p95, p99;
    } rows[] = {
        {0, 0, 0, 0},          {1, 1, 1, 1},           {2, 1, 2, 2},      {3, 2, 3, 3},
        {10, 5, 10, 10},       {20, 10, 19, 20},       {100, 50, 95, 99}, {101, 51, 96, 100},
        {1000, 500, 950, 990}, {1024, 512, 973, 1014},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        latency_clear(&latency);
        for (uint64_t n = 0; n < rows[i].upto; n++)
            latency_add(&latency, (n % 2 ? rows[i].upto - n / 2 : n / 2 + 1));
        struct latency_quantiles seen = latency_quantiles(&latency);
        assert_int_equal(seen.count, rows[i].upto);
        assert_int_equal(seen.p50_ms, rows[i].p50);
        assert_int_equal(seen.p95_ms, rows[i].p95);
        assert_int_equal(seen.p99_ms, rows[i].p99);
    }
}

static void the_newest_alone_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < LATENCY_SAMPLES; i++)
        latency_add(&latency, UINT64_MAX);
    assert_int_equal(latency_quantiles(&latency).p50_ms, UINT64_MAX);
    for (size_t i = 0; i < LATENCY_SAMPLES - 1; i++)
        latency_add(&latency, 7);
    assert_int_equal(latency_quantiles(&latency).count, LATENCY_SAMPLES);
    assert_int_equal(latency_quantiles(&latency).p99_ms, 7);
    latency_add(&latency, 8);
    latency_add(&latency, 8);
    assert_int_equal(latency_quantiles(&latency).p50_ms, 7);
}

static void one_slow_among_few_is_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < 9; i++)
        latency_add(&latency, 1);
    latency_add(&latency, 9000);
    assert_int_equal(latency_quantiles(&latency).p50_ms, 1);
    assert_int_equal(latency_quantiles(&latency).p95_ms, 9000);
}

static void names_are_counted_in_the_order_they_came(void **state)
{
    (void)state;
    struct tally tally = {0};
    assert_int_equal(tally_total(&tally), 0);
    tally_add(&tally, "b");
    tally_add(&tally, "a");
    tally_add(&tally, "b");
    assert_int_equal(tally.len, 2);
    assert_string_equal(tally.rows[0].name, "b");
    assert_int_equal(tally.rows[0].count, 2);
    assert_string_equal(tally.rows[1].name, "a");
    assert_int_equal(tally_total(&tally), 3);
}

static void more_names_than_places_are_others(void **state)
{
    (void)state;
    static char names[TALLY_NAMES + 50][4];
    struct tally tally = {0};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        names[i][0] = (char)('a' + i % 26);
        names[i][1] = (char)('a' + i / 26);
        tally_add(&tally, names[i]);
        tally_add(&tally, names[0]);
    }
    assert_int_equal(tally.len, TALLY_NAMES);
    assert_string_equal(tally.rows[TALLY_NAMES - 1].name, "other");
    assert_int_equal(tally.rows[TALLY_NAMES - 1].count, 51);
    assert_int_equal(tally_total(&tally), 2 * ARRAY_LEN(names));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(quantiles_are_values_that_were_there), TEST(the_newest_alone_count),
        TEST(one_slow_among_few_is_seen),           TEST(names_are_counted_in_the_order_they_came),
        TEST(more_names_than_places_are_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
