/* SPDX-License-Identifier: MIT */
/* Linked so that calloc is ours (meson.build). */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>
#include <string.h>

#include "base/reserve.h"

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool has_none;

void *__wrap_calloc(size_t count, size_t size)
{
    return has_none ? NULL : __real_calloc(count, size);
}

static void there_is_a_reserve_when_memory_is_short(void **state)
{
    (void)state;
    static char *blocks[RESERVE_BLOCKS];
    has_none = true;
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < RESERVE_BLOCKS; i++) {
            blocks[i] = reserve_take(RESERVE_BLOCK);
            assert_non_null(blocks[i]);
            assert_int_equal(blocks[i][0] | blocks[i][RESERVE_BLOCK - 1], 0);
            memset(blocks[i], (int)i + 1, RESERVE_BLOCK);
        }
        assert_null(reserve_take(1));
        for (size_t i = 0; i < RESERVE_BLOCKS; i++) {
            assert_int_equal((unsigned char)blocks[i][RESERVE_BLOCK - 1], (i + 1) & 0xFF);
            reserve_give(blocks[i]);
        }
    }
    has_none = false;
}

static void it_is_for_small_things(void **state)
{
    (void)state;
    has_none = true;
    assert_null(reserve_take(RESERVE_BLOCK + 1));
    has_none = false;
}

static void otherwise_memory_is_malloc_s(void **state)
{
    (void)state;
    char *large = reserve_take(10 * RESERVE_BLOCK);
    assert_non_null(large);
    assert_int_equal(large[10 * RESERVE_BLOCK - 1], 0);
    reserve_give(large);
    reserve_give(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_a_reserve_when_memory_is_short),
        cmocka_unit_test(it_is_for_small_things),
        cmocka_unit_test(otherwise_memory_is_malloc_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
