/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <string.h>

#include "dialect/request_form.h"

static void a_form_becomes_texts_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *form;
        const char *json;
    } rows[] = {
        {"a=1&b=two", "{\"a\": \"1\", \"b\": \"two\"}"},
        {"a=x+y%20z%2B", "{\"a\": \"x y z+\"}"},
        {"a=%e2%82%AC", "{\"a\": \"€\"}"},
        {"a=100%&b=%zz%4", "{\"a\": \"100%\", \"b\": \"%zz%4\"}"},
        {"a=1=2", "{\"a\": \"1=2\"}"},
        {"a&b=", "{\"a\": \"\", \"b\": \"\"}"},
        {"&&a=1&", "{\"a\": \"1\"}"},
        {"=x", "{}"},
        {"", "{}"},
        {"l[]=1&l%5B%5D=2", "{\"l\": [\"1\", \"2\"]}"},
        {"a=line%0d%0aline", "{\"a\": \"line\\r\\nline\"}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        auto_json json_t *form = request_read_form(slice_of(rows[i].form), &err);
        auto_free char *text = form ? json_dumps(form, JSON_SORT_KEYS) : NULL;
        assert_non_null(text);
        assert_string_equal(text, rows[i].json);
    }
}

static void what_is_no_form_is_refused(void **state)
{
    (void)state;
    char many[1024] = "";
    char name[256];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (int i = 0; i < 70; i++) {
        char one[16];
        (void)snprintf(one, sizeof one, "a%d=1&", i);
        (void)strcat(many, one);
    }
    const char *const rows[] = {"a=1&a=2", "a=1&a[]=2", "a[]=1&a=2", "a=%ff", "%ff=1",
                                "a=%00",   "a%00=1",    many,        name};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        assert_null(request_read_form(slice_of(rows[i]), &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_true(err.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_becomes_texts_by_name),
        cmocka_unit_test(what_is_no_form_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
