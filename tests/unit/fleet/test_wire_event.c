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

static const char mixed[] = "a\0\xff\n 1 2 stdout\n";
#define MIXED                   \
    {                           \
        mixed, sizeof mixed - 1 \
    }

static void events_are_lines_and_bytes(void **state)
{
    (void)state;
    static const struct {
        struct carried_event event;
        const char *text;
        size_t bytes; /* of `mixed`, behind the text */
    } rows[] = {
        {{1, 1, 0, EVENT_STATE, RUN_QUEUED}, "1 1 0 state queued\n", 0},
        {{2, 1, 5, EVENT_STATE, RUN_WAITING}, "2 1 5 state waiting\n", 0},
        {{3, 2, 17, EVENT_STDOUT, .bytes = MIXED}, "3 2 17 stdout\n", sizeof mixed - 1},
        {{4, 2, 17, EVENT_STDERR, .bytes = MIXED}, "4 2 17 stderr\n", sizeof mixed - 1},
        {{5, 2, 17, EVENT_NOTICE}, "5 2 17 notice\n", 0},
        {{6, 2, 99, EVENT_USAGE, .cpu_ms = 12, .memory_bytes = 4096}, "6 2 99 usage 12 4096\n", 0},
        {{7, 2, 99, EVENT_GAP, .lost_bytes = 65536}, "7 2 99 gap 65536\n", 0},
        {{8, 0, 99, EVENT_END, .bytes = MIXED}, "8 0 99 end\n", sizeof mixed - 1},
        {{INT64_MAX, UINT32_MAX, UINT64_MAX, EVENT_END},
         "9223372036854775807 4294967295 18446744073709551615 end\n",
         0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct carried_event *want = &rows[i].event;
        struct carried_event event;
        struct err err = {0};
        struct buf text;
        buf_init(&text, 4096);
        event_encode(want, &text);
        assert_int_equal(text.len, strlen(rows[i].text) + rows[i].bytes);
        assert_memory_equal(text.at, rows[i].text, strlen(rows[i].text));
        assert_int_equal(event_decode(buf_slice(&text), &event, &err), 0);
        assert_int_equal(event.number, want->number);
        assert_int_equal(event.attempt, want->attempt);
        assert_int_equal(event.time_ms, want->time_ms);
        assert_int_equal(event.kind, want->kind);
        assert_int_equal(event.state, want->state);
        assert_int_equal(event.cpu_ms, want->cpu_ms);
        assert_int_equal(event.memory_bytes, want->memory_bytes);
        assert_int_equal(event.lost_bytes, want->lost_bytes);
        assert_true(slice_equal(event.bytes, want->bytes));
        buf_fini(&text);
    }
}

static void what_is_no_event_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "\n",
        "1 1 0 state running",
        "1 1 0 state\n",
        "1 1 0 state dancing\n",
        "0 1 0 end\n",
        "-1 1 0 end\n",
        "+1 1 0 end\n",
        "1.0 1 0 end\n",
        "1  1 0 end\n",
        " 1 1 0 end\n",
        "18446744073709551616 1 0 end\n",
        "1 4294967296 0 end\n",
        "1 1 end\n",
        "1 1 0\n",
        "1 1 0 END\n",
        "1 1 0 usage 5\n",
        "1 1 0 usage 5 x\n",
        "1 1 0 gap\n",
        "1 1 0 gap -1\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct carried_event event;
        struct err err = {0};
        if (event_decode(slice_of(rows[i]), &event, &err) == 0)
            fail_msg("row %zu was taken: %s", i, rows[i]);
        assert_int_equal(err.code, ERR_INVALID);
        assert_true(err.text[0] != '\0');
    }
}

static void words_that_are_not_known_yet_are_passed_over(void **state)
{
    (void)state;
    struct carried_event event;
    struct err err = {0};
    assert_int_equal(event_decode(slice_of("4 1 9 stdout colour=red\nhi"), &event, &err), 0);
    assert_int_equal(event.kind, EVENT_STDOUT);
    assert_true(slice_is(event.bytes, "hi"));
    assert_int_equal(event_decode(slice_of("4 1 9 gap 7 8 9\n"), &event, &err), 0);
    assert_int_equal(event.lost_bytes, 7);
}

static void a_line_without_an_end_is_not_searched_for_ever(void **state)
{
    (void)state;
    char text[1024];
    struct carried_event event;
    struct err err = {0};
    memset(text, '1', sizeof text);
    text[sizeof text - 1] = '\n';
    assert_int_equal(event_decode((struct slice){text, sizeof text}, &event, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_lines_and_bytes),
        cmocka_unit_test(what_is_no_event_is_refused),
        cmocka_unit_test(words_that_are_not_known_yet_are_passed_over),
        cmocka_unit_test(a_line_without_an_end_is_not_searched_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
