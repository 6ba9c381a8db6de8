/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/util.h"
#include "codec/utf8_tail.h"

static void a_tail_is_the_start_of_a_character_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *bytes;
        const char *tail;
    } rows[] = {
        {"", "abc", ""},
        {"", "ab\xE2", "\xE2"},
        {"", "\xE2\x82", "\xE2\x82"},
        {"\xE2\x82", "\xAC", ""},
        {"\xE2", "\x82", "\xE2\x82"},
        {"\xF0", "\x9F\x98", "\xF0\x9F\x98"},
        {"\xF0\x9F\x98", "\x80", ""},
        {"\xF0\x9F\x98", "x", ""},
        {"\xF0\x9F", "abcd\xC3", "\xC3"},
        {"", "\x82\xAC", ""},
        {"", "\xF0\x80", ""}, /* overlong: no start of anything */
        {"\xF0", "\xE2\x82", "\xE2\x82"},
        {"\xE2\x82", "", "\xE2\x82"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct utf8_tail tail = {0};
        utf8_tail_follow(&tail, slice_of(rows[i].before));
        utf8_tail_follow(&tail, slice_of(rows[i].bytes));
        assert_true(slice_is((struct slice){tail.bytes, tail.len}, rows[i].tail));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tail_is_the_start_of_a_character_and_nothing_else),
    };
    return cmocka_run_group_tests_name("codec/utf8_tail", tests, NULL, NULL);
}
