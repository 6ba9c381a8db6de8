/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "base/nearest.h"
#include "base/util.h"

static void what_was_meant_is_found_among_similar_words(void **state)
{
    (void)state;
    static const struct {
        const char *typed;
        const char *meant;
    } slips[] = {
        {"pyton", "python"}, {"pyhton", "python"}, {"rsut", "rust"}, {"python", "python"},
        {"fortran", NULL},   {"x", NULL},          {"q", NULL},      {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
        struct nearest nearest = nearest_to(slips[i].typed);
        (void)nearest_offer(&nearest, "ruby");
        (void)nearest_offer(&nearest, "rust");
        (void)nearest_offer(&nearest, "python");
        (void)nearest_offer(&nearest, "c");
        if (slips[i].meant)
            assert_string_equal(nearest.best, slips[i].meant);
        else
            assert_null(nearest.best);
    }
}

static void no_more_slips_than_are_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *typed;
        size_t most;
        bool is_near;
    } slips[] = {
        {"RUNNEL_PROT", 1, true}, {"RUNNEL_POT", 1, true},   {"RUNNEL_FOOT", 2, true},
        {"RUNNEL_FOO", 2, false}, {"RUNNEL_FOOT", 1, false}, {"RUNNEL_PORT", 0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
        struct nearest nearest = nearest_within(slips[i].typed, slips[i].most);
        assert_int_equal(nearest_offer(&nearest, "RUNNEL_PORT"), slips[i].is_near);
        assert_int_equal(nearest.best != NULL, slips[i].is_near);
    }
}

static void words_that_are_too_long_are_near_nothing(void **state)
{
    (void)state;
    char longest[64];
    char longer[65];
    memset(longest, 'x', sizeof longest - 1);
    memset(longer, 'x', sizeof longer - 1);
    longest[sizeof longest - 1] = '\0';
    longer[sizeof longer - 1] = '\0';
    struct nearest nearest = nearest_to(longest);
    assert_false(nearest_offer(&nearest, longer));
    assert_true(nearest_offer(&nearest, longest));
    nearest = nearest_to(longer);
    assert_false(nearest_offer(&nearest, longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_meant_is_found_among_similar_words),
        cmocka_unit_test(no_more_slips_than_are_allowed),
        cmocka_unit_test(words_that_are_too_long_are_near_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
