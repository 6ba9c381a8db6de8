/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void set_replaces_whatever_was_there(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(err_field(&err, "limits.cpus", "must be %s", "less"), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(err.field, "limits.cpus");
    assert_string_equal(err.text, "must be less");
    assert_int_equal(err_config(&err, "port", "%s: no port", "F:1"), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_string_equal(err.field, "port");
    assert_string_equal(err.text, "F:1: no port");
    assert_int_equal(err_set(&err, ERR_BUSY, "try in %d s", 5), -1);
    assert_int_equal(err.code, ERR_BUSY);
    assert_int_equal(err.sys, 0);
    assert_string_equal(err.field, "");
    assert_string_equal(err.text, "try in 5 s");
}

static void system_error_says_why(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(err_sys(&err, ENOENT, "open %s", "/x"), -1);
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_int_equal(err.sys, ENOENT);
    assert_string_equal(err.text, "open /x: No such file or directory");
}

static void wrap_keeps_code_field_and_inner_text(void **state)
{
    (void)state;
    struct err err;
    (void)err_field(&err, "code", "is empty");
    assert_int_equal(err_wrap(&err, "cannot start run %d", 7), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(err.field, "code");
    assert_string_equal(err.text, "cannot start run 7: is empty");
}

static void long_texts_are_cut_not_overrun(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct err err;
    (void)err_field(&err, text, "%s", text);
    assert_int_equal(strlen(err.field), sizeof err.field - 1);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    (void)err_wrap(&err, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    (void)err_sys(&err, EPERM, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void nobody_needs_to_listen(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_INVALID, "x"), -1);
    assert_int_equal(err_field(NULL, "f", "x"), -1);
    assert_int_equal(err_config(NULL, "k", "x"), -1);
    assert_int_equal(err_sys(NULL, EPERM, "x"), -1);
    assert_int_equal(err_wrap(NULL, "x"), -1);
}

static void every_code_has_a_row(void **state)
{
    (void)state;
    for (enum err_code code = 0; code < ERR_CODE_COUNT; code++) {
        assert_non_null(err_code_name(code));
        assert_in_range(err_http_status(code), 400, 507);
        assert_in_range(err_exit_status(code), 64, 78);
        for (enum err_code other = 0; other < code; other++)
            assert_string_not_equal(err_code_name(other), err_code_name(code));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_replaces_whatever_was_there),
        cmocka_unit_test(system_error_says_why),
        cmocka_unit_test(wrap_keeps_code_field_and_inner_text),
        cmocka_unit_test(long_texts_are_cut_not_overrun),
        cmocka_unit_test(nobody_needs_to_listen),
        cmocka_unit_test(every_code_has_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
