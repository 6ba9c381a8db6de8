/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "codec/ini_read.h"

static int note(void *context, const struct ini_line *line, struct err *err)
{
    struct buf *seen = context;
    if (line->key && strcmp(line->key, "stop") == 0)
        return err_set(err, ERR_INVALID, "%s: stopped", line->place);
    if (line->key)
        buf_add_format(seen, "%s [%s] %s=%s;", line->place, line->section, line->key, line->value);
    else
        buf_add_format(seen, "%s [%s];", line->place, line->section);
    return 0;
}

static void lines_come_with_place_and_section(void **state)
{
    (void)state;
    static const char text[] = "\xEF\xBB\xBF# a comment\r\n"
                               "one = 1\n"
                               "\n"
                               "   two=a = b ; c # d\t\r\n"
                               "; another\n"
                               "empty =\n"
                               "[limits]\n"
                               "  indented = is no continuation\n"
                               "[ ]\n"
                               "url = http://x:80/#y";
    auto_buf struct buf seen;
    buf_init(&seen, 1000);
    struct err err = {0};
    int rc = ini_read("f", slice_of(text), note, &seen, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, 0);
    assert_string_equal(buf_text(&seen), "f:2 [] one=1;f:4 [] two=a = b ; c # d;f:6 [] empty=;"
                                         "f:7 [limits];f:8 [limits] indented=is no continuation;"
                                         "f:9 [ ];f:10 [ ] url=http://x:80/#y;");
}

static void bad_lines_are_named_and_end_the_reading(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"a=1\nword\nb=2", "f:2: a line is written key = value"},
        {"key: value", "f:1: a line is written key = value"},
        {"a:b = c", "f:1: a key holds no ':'"},
        {"= 5", "f:1: a line is written key = value"},
        {"\n\n[open", "f:3: a section is written [name]"},
        {"[]", "f:1: a section is written [name]"},
        {"[a]b]", "f:1: a section is written [name]"},
        {"[0123456789012345678901234567890123456789012345678901]", "f:1: the section's name"},
        {"a=1\nstop=1\nstop=2", "f:2: stopped"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_buf struct buf seen;
        buf_init(&seen, 1000);
        struct err err = {0};
        assert_int_equal(ini_read("f", slice_of(rows[i].text), note, &seen, &err), -1);
        if (strncmp(err.text, rows[i].words, strlen(rows[i].words)) != 0)
            fail_msg("%s: %s", rows[i].text, err.text);
        assert_null(strstr(buf_text(&seen), "b=2"));
    }
    struct err err = {0};
    assert_int_equal(ini_read("f", (struct slice){"a=1\0b", 5}, note, NULL, &err), -1);
    assert_string_equal(err.text, "f:1: the line holds a NUL");
}

static void long_lines_are_whole_or_refused(void **state)
{
    (void)state;
    for (size_t len = 8000; len < 8400; len++) {
        auto_buf struct buf text;
        auto_buf struct buf seen;
        buf_init(&text, 20000);
        buf_init(&seen, 20000);
        buf_add_text(&text, "k=");
        for (size_t i = 0; i < len; i++)
            buf_add_char(&text, 'v');
        buf_add_text(&text, "\nlast=1");
        struct err err = {0};
        if (ini_read("f", buf_slice(&text), note, &seen, &err) == 0)
            assert_int_equal(seen.len, len + strlen("f:1 [] k=;f:2 [] last=1;"));
        else
            assert_string_equal(err.text, "f:1: the line is too long");
        assert_int_equal(err.text[0] != '\0', len + 2 >= 8192);
    }
}

static void a_long_key_is_not_cut(void **state)
{
    (void)state;
    auto_buf struct buf text;
    auto_buf struct buf seen;
    buf_init(&text, 1000);
    buf_init(&seen, 1000);
    for (int i = 0; i < 300; i++)
        buf_add_char(&text, 'k');
    buf_add_text(&text, "=v");
    struct err err = {0};
    assert_int_equal(ini_read("f", buf_slice(&text), note, &seen, &err), 0);
    assert_int_equal(seen.len, 300 + strlen("f:1 [] =v;"));
    assert_int_equal(ini_read("f", (struct slice){NULL, 0}, note, &seen, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_with_place_and_section),
        cmocka_unit_test(bad_lines_are_named_and_end_the_reading),
        cmocka_unit_test(long_lines_are_whole_or_refused),
        cmocka_unit_test(a_long_key_is_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
