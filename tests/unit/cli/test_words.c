/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/util.h"
#include "cli/words.h"

static void an_empty_list_is_a_list(void **state)
{
    (void)state;
    struct words words = {0};
    assert_null(words_list(&words)[0]);
    assert_false(words_have(&words, "a"));
    words_fini(&words);
}

static void words_stand_in_their_order_and_end_with_null(void **state)
{
    (void)state;
    static const char *const said[] = {"a", "b", "a", ""};
    struct words words = {0};
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        assert_int_equal(words_add(&words, said[i], NULL), 0);
        assert_int_equal(words.count, i + 1);
        assert_ptr_equal(words_list(&words)[i], said[i]);
        assert_null(words_list(&words)[i + 1]);
    }
    assert_true(words_have(&words, "b"));
    assert_false(words_have(&words, "c"));
    words_fini(&words);
    assert_int_equal(words.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_list_is_a_list),
        cmocka_unit_test(words_stand_in_their_order_and_end_with_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
