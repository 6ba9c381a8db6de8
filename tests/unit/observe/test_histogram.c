/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "observe/histogram.h"

static void each_time_counts_once_at_its_bound(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
        histogram_add(&histogram, histogram_bounds_ms[i]);
        histogram_add(&histogram, histogram_bounds_ms[i] + 1);
    }
    assert_int_equal(histogram.counts[0], 1);
    for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++)
        assert_int_equal(histogram.counts[i], 2);
    assert_int_equal(histogram.counts[HISTOGRAM_BOUNDS], 1);
}

static void the_sum_is_of_all(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    histogram_add(&histogram, 0);
    histogram_add(&histogram, 7);
    histogram_add(&histogram, UINT32_MAX);
    assert_int_equal(histogram.sum_ms, 7ULL + UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_time_counts_once_at_its_bound),
        cmocka_unit_test(the_sum_is_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
