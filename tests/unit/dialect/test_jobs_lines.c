/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "dialect/jobs_lines.h"

/* The lines of pieces, each in brackets; "|" is where the last one was told at the end. */
static const char *cut(const char *const *pieces, struct buf *told)
{
    struct jobs_lines lines;
    struct slice line;
    jobs_lines_init(&lines);
    for (; *pieces; pieces++) {
        struct slice piece = slice_of(*pieces);
        while (jobs_lines_next(&lines, &piece, &line))
            buf_add_format(told, "[%.*s]", (int)line.len, line.at);
        assert_int_equal(piece.len, 0);
    }
    buf_add_char(told, '|');
    while (jobs_lines_last(&lines, &line))
        buf_add_format(told, "[%.*s]", (int)line.len, line.at);
    jobs_lines_fini(&lines);
    return buf_text(told);
}

static void lines_are_cut_wherever_the_pieces_are(void **state)
{
    (void)state;
    static const struct {
        const char *pieces[6];
        const char *told;
    } rows[] = {
        {{"one\ntwo\n"}, "[one][two]|"},
        {{"one", "\ntw", "o\n"}, "[one][two]|"},
        {{"one\ntwo"}, "[one]|[two]"},
        {{"o", "n", "e"}, "|[one]"},
        {{"\n\n"}, "[][]|"},
        {{"", "\n", ""}, "[]|"},
        {{NULL}, "|"},
        {{"one\r\n", "two\r", "\n"}, "[one][two]|"},
        {{"a\rb\n"}, "[a\rb]|"},
        {{"one\n", "two\nthree\nfo", "ur\nfive"}, "[one][two][three][four]|[five]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_buf struct buf told;
        buf_init(&told, 4096);
        assert_string_equal(cut(rows[i].pieces, &told), rows[i].told);
    }
}

/* Of three-byte characters, so that the bound falls into one. */
static void a_line_that_is_too_long_comes_in_several_whole_characters_each(void **state)
{
    (void)state;
    auto_buf struct buf text;
    struct jobs_lines lines;
    struct slice line;
    size_t bytes = 0;
    size_t count = 0;
    buf_init(&text, MIB);
    while (text.len < 3 * JOBS_LINE_MAX)
        buf_add_text(&text, "€");
    buf_add_char(&text, '\n');
    jobs_lines_init(&lines);
    struct slice rest = buf_slice(&text);
    while (rest.len > 0) { /* in pieces that do not split a character */
        struct slice piece = {rest.at, MIN(rest.len, 3 * 10007)};
        rest.at += piece.len;
        rest.len -= piece.len;
        while (jobs_lines_next(&lines, &piece, &line)) {
            assert_true(line.len <= JOBS_LINE_MAX && line.len % 3 == 0);
            bytes += line.len;
            count++;
        }
    }
    assert_false(jobs_lines_last(&lines, &line));
    assert_int_equal(bytes, text.len - 1);
    assert_in_range(count, 3, 5);
    jobs_lines_fini(&lines);
}

static void what_is_cleared_is_not_told(void **state)
{
    (void)state;
    struct jobs_lines lines;
    struct slice piece = slice_of("begun");
    struct slice line;
    jobs_lines_init(&lines);
    assert_false(jobs_lines_next(&lines, &piece, &line));
    jobs_lines_clear(&lines);
    assert_false(jobs_lines_last(&lines, &line));
    jobs_lines_fini(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_cut_wherever_the_pieces_are),
        cmocka_unit_test(a_line_that_is_too_long_comes_in_several_whole_characters_each),
        cmocka_unit_test(what_is_cleared_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
