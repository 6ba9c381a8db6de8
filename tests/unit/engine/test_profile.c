/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>

#include "base/util.h"
#include "engine/profile.h"

static const struct limits none;

static struct limits one(enum limit limit, uint64_t value)
{
    struct limits limits = {0};
    limits.value[limit] = value;
    return limits;
}

static void each_profile_is_within_the_range_of_every_limit(void **state)
{
    (void)state;
    for (enum profile profile = 0; profile < PROFILE_COUNT; profile++) {
        assert_non_null(profile_name(profile));
        for (enum limit limit = 0; limit < LIMIT_KINDS; limit++) {
            uint64_t value = profile_limits(profile)->value[limit];
            bool may_be_none = limit == LIMIT_IDLE || limit == LIMIT_QUEUE;
            assert_true((value == 0 && may_be_none) || (value >= limit_info(limit)->smallest &&
                                                        value <= limit_info(limit)->largest));
        }
    }
}

static void an_untouched_profile_resolves_to_itself(void **state)
{
    (void)state;
    for (enum profile profile = 0; profile < PROFILE_COUNT; profile++) {
        struct limits result = limits_resolve(profile, &none, &none, &none);
        assert_memory_equal(&result, profile_limits(profile), sizeof result);
    }
}

/* One limit each: minimum, request, ceiling → what comes out of `batch`. */
static const struct {
    enum limit limit;
    uint64_t minimum, request, ceiling, result;
} rows[] = {
    {LIMIT_MEMORY, 0, 0, 0, 256 * MIB},
    {LIMIT_MEMORY, 512 * MIB, 0, 0, 512 * MIB},
    {LIMIT_MEMORY, 128 * MIB, 0, 0, 256 * MIB},
    {LIMIT_MEMORY, 512 * MIB, 300 * MIB, 0, 300 * MIB},
    {LIMIT_MEMORY, 512 * MIB, 0, 400 * MIB, 400 * MIB},
    {LIMIT_MEMORY, 0, GIB, 400 * MIB, 400 * MIB},
    {LIMIT_MEMORY, 0, 0, GIB, 256 * MIB},
    {LIMIT_PROCESSES, 100, 0, 0, 100},
    {LIMIT_WALL, 0, 60000, 0, 60000},
    {LIMIT_WALL, 0, 60000, 20000, 20000},
    {LIMIT_IDLE, 0, 0, 0, 0},
    {LIMIT_IDLE, 5000, 0, 0, 0}, /* none is more than any minimum */
    {LIMIT_IDLE, 0, 5000, 0, 5000},
    {LIMIT_IDLE, 0, 0, 9000, 9000},
};

static void limits_are_raised_replaced_and_cut_in_this_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct limits minimum = one(rows[i].limit, rows[i].minimum);
        struct limits request = one(rows[i].limit, rows[i].request);
        struct limits ceiling = one(rows[i].limit, rows[i].ceiling);
        struct limits result = limits_resolve(PROFILE_BATCH, &minimum, &request, &ceiling);
        assert_int_equal(result.value[rows[i].limit], rows[i].result);
    }
}

static void cpu_time_follows_the_wall_where_the_profile_says_so(void **state)
{
    (void)state;
    struct limits request = one(LIMIT_WALL, 4000);
    assert_int_equal(limits_resolve(PROFILE_LIVE, &none, &request, &none).value[LIMIT_CPU_TIME],
                     4000);
    assert_int_equal(limits_resolve(PROFILE_BATCH, &none, &request, &none).value[LIMIT_CPU_TIME],
                     10000);
    request.value[LIMIT_CPU_TIME] = 1000;
    assert_int_equal(limits_resolve(PROFILE_LIVE, &none, &request, &none).value[LIMIT_CPU_TIME],
                     1000);
}

static void a_file_may_be_as_large_as_the_workspace(void **state)
{
    (void)state;
    struct limits request = one(LIMIT_WORKSPACE, 8 * MIB);
    struct limits result = limits_resolve(PROFILE_BATCH, &none, &request, &none);
    assert_int_equal(result.value[LIMIT_FILE_SIZE], 8 * MIB);
    request.value[LIMIT_FILE_SIZE] = 16 * MIB;
    result = limits_resolve(PROFILE_BATCH, &none, &request, &none);
    assert_int_equal(result.value[LIMIT_FILE_SIZE], 8 * MIB);
}

static void the_workspace_is_at_most_half_the_memory(void **state)
{
    (void)state;
    struct limits request = one(LIMIT_MEMORY, 64 * MIB);
    struct limits result = limits_resolve(PROFILE_BATCH, &none, &request, &none);
    assert_int_equal(result.value[LIMIT_WORKSPACE], 32 * MIB);
    assert_int_equal(result.value[LIMIT_FILE_SIZE], 32 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_profile_is_within_the_range_of_every_limit),
        cmocka_unit_test(an_untouched_profile_resolves_to_itself),
        cmocka_unit_test(limits_are_raised_replaced_and_cut_in_this_order),
        cmocka_unit_test(cpu_time_follows_the_wall_where_the_profile_says_so),
        cmocka_unit_test(a_file_may_be_as_large_as_the_workspace),
        cmocka_unit_test(the_workspace_is_at_most_half_the_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
