/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "base/buf.h"

static void text_is_always_followed_by_a_nul(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 100);
    assert_string_equal(buf_text(&buf), "");
    buf_add_text(&buf, "one");
    buf_add_char(&buf, ' ');
    buf_add_slice(&buf, (struct slice){"two!", 3});
    buf_add_format(&buf, " %d", 3);
    buf_add(&buf, NULL, 0);
    assert_false(buf.failed);
    assert_int_equal(buf.len, 9);
    assert_string_equal(buf_text(&buf), "one two 3");
    assert_true(slice_is(buf_slice(&buf), "one two 3"));
}

static void maximum_is_exact_and_failure_sticks(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 4);
    buf_add_text(&buf, "1234");
    assert_false(buf.failed);
    buf_add_char(&buf, '5');
    assert_true(buf.failed);
    buf_add_text(&buf, "");
    assert_string_equal(buf_text(&buf), "1234");
    assert_null(buf_reserve(&buf, 0));
    buf_clear(&buf);
    assert_false(buf.failed);
    buf_add_text(&buf, "again");
    assert_true(buf.failed);
    assert_string_equal(buf_text(&buf), "");
}

static void huge_reservation_fails_without_overflow(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 1000);
    buf_add_text(&buf, "x");
    assert_null(buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
    assert_int_equal(buf.len, 1);
}

static void format_longer_than_the_rest_changes_nothing(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 5);
    buf_add_text(&buf, "ab");
    buf_add_format(&buf, "%s", "cdef");
    assert_true(buf.failed);
    assert_string_equal(buf_text(&buf), "ab");
}

static void many_appends_grow_it(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 100000);
    for (int i = 0; i < 100000; i++)
        buf_add_char(&buf, (char)('a' + i % 26));
    assert_false(buf.failed);
    assert_int_equal(buf.len, 100000);
    assert_int_equal(strlen(buf_text(&buf)), 100000);
    assert_int_equal(buf.at[99999], 'a' + 99999 % 26);
}

static void consuming_drops_the_start(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 100);
    buf_consume(&buf, 0);
    buf_add_text(&buf, "headtail");
    buf_consume(&buf, 4);
    assert_string_equal(buf_text(&buf), "tail");
    buf_consume(&buf, 4);
    assert_string_equal(buf_text(&buf), "");
    assert_int_equal(buf.len, 0);
}

static void taking_leaves_it_empty_and_usable(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 10);
    auto_free char *nothing = buf_take(&buf);
    assert_string_equal(nothing, "");
    buf_add_text(&buf, "text");
    auto_free char *text = buf_take(&buf);
    assert_string_equal(text, "text");
    assert_int_equal(buf.len, 0);
    buf_add_text(&buf, "0123456789");
    assert_false(buf.failed);
    buf_add_char(&buf, '!');
    assert_null(buf_take(&buf));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_always_followed_by_a_nul),
        cmocka_unit_test(maximum_is_exact_and_failure_sticks),
        cmocka_unit_test(huge_reservation_fails_without_overflow),
        cmocka_unit_test(format_longer_than_the_rest_changes_nothing),
        cmocka_unit_test(many_appends_grow_it),
        cmocka_unit_test(consuming_drops_the_start),
        cmocka_unit_test(taking_leaves_it_empty_and_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
