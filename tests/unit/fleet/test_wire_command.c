/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "fleet/wire.h"

static void commands_are_lines_and_bytes(void **state)
{
    (void)state;
    static const struct {
        struct command command;
        const char *text;
    } rows[] = {
        {{COMMAND_INPUT, 1, .bytes = {"5 eof\n", 6}}, "1 input\n5 eof\n"},
        {{COMMAND_INPUT, 2}, "2 input\n"},
        {{COMMAND_EOF, 3}, "3 eof\n"},
        {{COMMAND_SIGNAL, 4, .a = 15}, "4 signal 15\n"},
        {{COMMAND_RESIZE, 5, .a = 80, .b = 24}, "5 resize 80 24\n"},
        {{COMMAND_ANEW, 1}, "1 anew\n"},
        {{COMMAND_CANCEL, 6, .bytes = {"the client left", 15}}, "6 cancel\nthe client left"},
        {{COMMAND_TAKEN, UINT64_MAX, .a = UINT64_MAX},
         "18446744073709551615 taken 18446744073709551615\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct command command;
        struct err err = {0};
        struct buf text;
        buf_init(&text, 4096);
        command_encode(&rows[i].command, &text);
        assert_string_equal(buf_text(&text), rows[i].text);
        assert_int_equal(command_decode(buf_slice(&text), &command, &err), 0);
        assert_int_equal(command.kind, rows[i].command.kind);
        assert_int_equal(command.number, rows[i].command.number);
        assert_int_equal(command.a, rows[i].command.a);
        assert_int_equal(command.b, rows[i].command.b);
        assert_true(slice_equal(command.bytes, rows[i].command.bytes));
        buf_fini(&text);
    }
}

static void what_is_no_command_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "\n",
        "1 eof",
        "0 eof\n",
        "1\n",
        "eof\n",
        "1 dance\n",
        "-1 eof\n",
        "1 signal\n",
        "1 signal 0\n",
        "1 signal 65\n",
        "1 signal x\n",
        "1 resize 80\n",
        "1 resize 0 24\n",
        "1 resize 65536 24\n",
        "1 taken\n",
        "1 taken -5\n",
        "1 taken 18446744073709551616\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct command command;
        struct err err = {0};
        if (command_decode(slice_of(rows[i]), &command, &err) == 0)
            fail_msg("row %zu was taken: %s", i, rows[i]);
        assert_int_equal(err.code, ERR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_lines_and_bytes),
        cmocka_unit_test(what_is_no_command_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
