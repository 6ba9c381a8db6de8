/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "codec/surrogates.h"

static void halves_without_the_other_are_replaced_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *clean;
    } rows[] = {
        {"", ""},
        {"\"plain\"", "\"plain\""},
        {"\"\\ud83d\"", "\"\\ufffd\""},
        {"\"\\uDE00\"", "\"\\ufffd\""},
        {"\"\\ud83d\\ude00\"", "\"\\ud83d\\ude00\""},
        {"\"\\uD83D\\uDE00\"", "\"\\uD83D\\uDE00\""},
        {"\"\\ude00\\ud83d\"", "\"\\ufffd\\ufffd\""},
        {"\"\\ud83d\\ud83d\\ude00\"", "\"\\ufffd\\ud83d\\ude00\""},
        {"\"\\ud83d\\ude00\\ude00\"", "\"\\ud83d\\ude00\\ufffd\""},
        {"\"\\ud83dx\\ude00\"", "\"\\ufffdx\\ufffd\""},
        {"\"\\ud83d\\n\"", "\"\\ufffd\\n\""},
        {"\"a\\ud800b\\udfffc\"", "\"a\\ufffdb\\ufffdc\""},
        {"\"\\ud7ff\\ue000\\u0000\"", "\"\\ud7ff\\ue000\\u0000\""},
        {"\"\\\\ud83d\"", "\"\\\\ud83d\""}, /* a backslash, and a word */
        {"\"\\\\\\ud83d\"", "\"\\\\\\ufffd\""},
        {"\"\\\"\\ud83d\"", "\"\\\"\\ufffd\""},
        {"\"\\ud83\"", "\"\\ud83\""}, /* no escapes: whoever parses them says so */
        {"\"\\ud83", "\"\\ud83"},
        {"\"\\ud83g\"", "\"\\ud83g\""},
        {"\\", "\\"},
        {"\\u", "\\u"},
        {"\"\\ud83d", "\"\\ufffd"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_buf struct buf clean;
        buf_init(&clean, KIB);
        struct slice text = slice_of(rows[i].text);
        surrogates_append_clean(&clean, text);
        assert_string_equal(buf_text(&clean), rows[i].clean);
        bool same = slice_equal(text, buf_slice(&clean));
        assert_int_equal(surrogates_find_lone(text, 0) == text.len, same);
        assert_int_equal(surrogates_find_lone(buf_slice(&clean), 0), clean.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_without_the_other_are_replaced_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
