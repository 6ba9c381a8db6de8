/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>

#include "broker/amqp_private.h"

enum { MANY = 1000 };

static struct posting postings[MANY];

static void add_many(struct confirms *confirms, uint64_t first)
{
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(confirms_add(confirms, &postings[i]), first + i);
}

static void all_up_to_a_number_are_taken_in_their_order(void **state)
{
    struct confirms confirms = {0};
    (void)state;
    for (uint64_t round = 0; round < 3; round++) {
        uint64_t first = 1 + round * MANY;
        add_many(&confirms, first);
        for (size_t i = 0; i < 10; i++)
            assert_ptr_equal(confirms_take(&confirms, first + 9, true), &postings[i]);
        assert_null(confirms_take(&confirms, first + 9, true));
        for (size_t i = 10; i < MANY; i++)
            assert_ptr_equal(confirms_take(&confirms, UINT64_MAX, true), &postings[i]);
        assert_null(confirms_take(&confirms, UINT64_MAX, true));
    }
    confirms_fini(&confirms);
}

static void each_is_taken_once_in_any_order(void **state)
{
    struct confirms confirms = {0};
    (void)state;
    add_many(&confirms, 1);
    for (size_t i = MANY; i > 0; i -= 2)
        assert_ptr_equal(confirms_take(&confirms, i, false), &postings[i - 1]);
    assert_null(confirms_take(&confirms, MANY, false));
    assert_null(confirms_find(&confirms, 2));
    assert_ptr_equal(confirms_find(&confirms, 1), &postings[0]);
    for (size_t i = 0; i < MANY; i += 2)
        assert_ptr_equal(confirms_take(&confirms, MANY, true), &postings[i]);
    assert_null(confirms_take(&confirms, MANY, true));
    assert_int_equal(confirms_add(&confirms, &postings[0]), MANY + 1);
    confirms_fini(&confirms);
}

static void numbers_that_were_never_given_are_nothing(void **state)
{
    static const uint64_t numbers[] = {0, 2, 3, UINT64_MAX};
    struct confirms confirms = {0};
    (void)state;
    assert_null(confirms_find(&confirms, 0));
    assert_null(confirms_take(&confirms, 0, true));
    assert_null(confirms_take(&confirms, 1, false));
    assert_int_equal(confirms_add(&confirms, &postings[0]), 1);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        assert_null(confirms_take(&confirms, numbers[i], false));
    assert_null(confirms_take(&confirms, 0, true));
    confirms_fini(&confirms);
    assert_int_equal(confirms_add(&confirms, &postings[0]), 1);
    confirms_fini(&confirms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_up_to_a_number_are_taken_in_their_order),
        cmocka_unit_test(each_is_taken_once_in_any_order),
        cmocka_unit_test(numbers_that_were_never_given_are_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
