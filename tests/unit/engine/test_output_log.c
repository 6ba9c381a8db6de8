/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/output_log.h"

enum { FAR_APART_MS = 1000 };

static void add(struct output_log *log, enum event_kind kind, const char *text, uint64_t time_ms)
{
    assert_int_equal(output_log_add(log, kind, slice_of(text), time_ms), 0);
}

/* All that a fresh cursor finds: "STATE" and gaps as words, bytes as they are. */
static void read_all(struct output_log *log, uint64_t from, char *text, size_t size)
{
    struct log_cursor cursor;
    struct event event;
    struct buf out;
    buf_init(&out, size - 1);
    log_cursor_open(&cursor, log, from);
    while (log_cursor_next(&cursor, log, &event)) {
        if (event.kind == EVENT_GAP)
            buf_add_format(&out, "[gap %d]", (int)event.lost_bytes);
        else if (event.kind == EVENT_STATE)
            buf_add_format(&out, "[%s]", run_state_name(event.state));
        else if (event.kind == EVENT_END)
            buf_add_text(&out, "[end]");
        else
            buf_add_format(&out, "%s%.*s|", event.kind == EVENT_STDERR ? "!" : "",
                           (int)event.bytes.len, event.bytes.at);
    }
    log_cursor_close(&cursor, log);
    assert_false(out.failed);
    memcpy(text, buf_text(&out), out.len + 1);
    buf_fini(&out);
}

static void events_come_back_in_order(void **state)
{
    (void)state;
    struct output_log log;
    char text[256];
    assert_int_equal(output_log_init(&log, false, 100), 0);
    output_log_add_state(&log, RUN_RUNNING, 0);
    add(&log, EVENT_STDOUT, "a", 1);
    add(&log, EVENT_STDERR, "b", 2);
    add(&log, EVENT_STDOUT, "c", 3);
    output_log_add_state(&log, RUN_FINISHED, 4);
    output_log_add_end(&log, 5);
    read_all(&log, 0, text, sizeof text);
    assert_string_equal(text, "[running]a|!b|c|[finished][end]");
    output_log_fini(&log);
}

static void output_close_in_time_is_one_event(void **state)
{
    (void)state;
    struct output_log log;
    char text[64];
    assert_int_equal(output_log_init(&log, false, 100), 0);
    add(&log, EVENT_STDOUT, "a", 1);
    add(&log, EVENT_STDOUT, "b", 2);
    add(&log, EVENT_STDOUT, "c", 2 + FAR_APART_MS);
    read_all(&log, 0, text, sizeof text);
    assert_string_equal(text, "ab|c|");
    add(&log, EVENT_STDOUT, "d", 2 + FAR_APART_MS); /* not into what was read */
    read_all(&log, 0, text, sizeof text);
    assert_string_equal(text, "ab|c|d|");
    output_log_fini(&log);
}

/* For each cap and size of piece: bytes up to the cap are kept, the byte after
 * is refused, and the other stream has a cap of its own. */
static void a_cap_is_exact_to_the_byte(void **state)
{
    (void)state;
    static const size_t caps[] = {1,
                                  2,
                                  100,
                                  LOG_BLOCK_SIZE - 1,
                                  LOG_BLOCK_SIZE,
                                  LOG_BLOCK_SIZE + 1,
                                  (size_t)3 * LOG_BLOCK_SIZE};
    static const size_t pieces[] = {1, 7, 4096, LOG_BLOCK_SIZE, 65536};
    char *bytes = calloc(1, 65536);
    for (size_t c = 0; c < ARRAY_LEN(caps); c++) {
        for (size_t p = 0; p < ARRAY_LEN(pieces); p++) {
            struct output_log log;
            assert_int_equal(output_log_init(&log, false, caps[c]), 0);
            size_t given = 0;
            while (given < caps[c]) {
                size_t len = MIN(pieces[p], caps[c] - given);
                assert_int_equal(output_log_add(&log, EVENT_STDOUT, (struct slice){bytes, len}, 0),
                                 0);
                given += len;
            }
            assert_int_equal(output_log_add(&log, EVENT_STDOUT, (struct slice){bytes, 0}, 0), 0);
            assert_int_equal(output_log_add(&log, EVENT_STDOUT, (struct slice){bytes, 1}, 0), 1);
            assert_int_equal(log.stream_bytes[STAGE_STDOUT], caps[c]);
            assert_int_equal(
                output_log_add(&log, EVENT_STDERR,
                               (struct slice){bytes, caps[c] + 1 > 65536 ? 1 : caps[c] + 1}, 0),
                caps[c] + 1 <= 65536);
            output_log_fini(&log);
        }
    }
    free(bytes);
}

static void one_write_past_the_cap_keeps_what_is_below_it(void **state)
{
    (void)state;
    struct output_log log;
    char text[64];
    assert_int_equal(output_log_init(&log, false, 4), 0);
    assert_int_equal(output_log_add(&log, EVENT_STDOUT, slice_of("abcdef"), 0), 1);
    read_all(&log, 0, text, sizeof text);
    assert_string_equal(text, "abcd|");
    output_log_fini(&log);
}

static void notices_do_not_count_towards_the_cap(void **state)
{
    (void)state;
    struct output_log log;
    assert_int_equal(output_log_init(&log, false, 4), 0);
    add(&log, EVENT_NOTICE, "warning: unused", 0);
    add(&log, EVENT_STDOUT, "abcd", 0);
    output_log_fini(&log);
}

static void large_output_is_kept_unaltered_across_blocks(void **state)
{
    (void)state;
    struct output_log log;
    enum { SIZE = 5 * LOG_BLOCK_SIZE + 123 };
    unsigned char *bytes = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)(i * 31 + i / 256); /* all 256 values, no short period */
    assert_int_equal(output_log_init(&log, false, SIZE), 0);
    for (size_t at = 0; at < SIZE;) {
        size_t len = MIN((size_t)SIZE - at, at % 9973 + 1);
        struct slice piece = {(char *)bytes + at, len};
        assert_int_equal(output_log_add(&log, EVENT_STDOUT, piece, at), 0);
        at += len;
    }
    struct log_cursor cursor;
    struct event event;
    size_t at = 0;
    log_cursor_open(&cursor, &log, 0);
    while (log_cursor_next(&cursor, &log, &event)) {
        assert_memory_equal(event.bytes.at, bytes + at, event.bytes.len);
        at += event.bytes.len;
    }
    assert_int_equal(at, SIZE);
    log_cursor_close(&cursor, &log);
    output_log_fini(&log);
    free(bytes);
}

static void byte_by_byte_output_costs_a_bounded_amount(void **state)
{
    (void)state;
    struct output_log log;
    enum { SIZE = 100000 };
    assert_int_equal(output_log_init(&log, false, SIZE), 0);
    for (size_t i = 0; i < 2 * (size_t)SIZE; i++)
        add(&log, i % 2 ? EVENT_STDERR : EVENT_STDOUT, "x", i);
    assert_true(output_log_memory(&log) < 30 * (size_t)SIZE);
    output_log_fini(&log);
}

static void fill(struct output_log *log, size_t count, size_t len, uint64_t *time_ms)
{
    char *bytes = malloc(len);
    memset(bytes, 'x', len);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(
            output_log_add(log, EVENT_STDOUT, (struct slice){bytes, len}, *time_ms += FAR_APART_MS),
            0);
    free(bytes);
}

static void a_ring_keeps_the_newest_and_tells_the_gap(void **state)
{
    (void)state;
    struct output_log log;
    struct log_cursor cursor;
    struct event event;
    uint64_t time_ms = 0;
    assert_int_equal(output_log_init(&log, true, 100 * KIB), 0);
    output_log_release(&log); /* nobody comes */
    fill(&log, 1000, 1024, &time_ms);
    output_log_add_end(&log, time_ms);
    log_cursor_open(&cursor, &log, 0);
    assert_true(log_cursor_next(&cursor, &log, &event));
    assert_int_equal(event.kind, EVENT_GAP);
    uint64_t bytes = event.lost_bytes;
    uint64_t number = event.number;
    while (log_cursor_next(&cursor, &log, &event)) {
        assert_int_equal(event.number, ++number); /* everything still held, no second gap */
        bytes += event.bytes.len;
    }
    assert_int_equal(event.kind, EVENT_END);
    assert_int_equal(number, 1001);
    assert_int_equal(bytes, 1000 * KIB);
    assert_true(output_log_memory(&log) < 120 * KIB);
    log_cursor_close(&cursor, &log);
    output_log_fini(&log);
}

static void a_ring_holds_what_the_slowest_has_not_read(void **state)
{
    (void)state;
    struct output_log log;
    struct log_cursor slow;
    struct log_cursor fast;
    struct event event;
    uint64_t time_ms = 0;
    assert_int_equal(output_log_init(&log, true, 50 * KIB), 0);
    log_cursor_open(&slow, &log, 0);
    log_cursor_open(&fast, &log, 0);
    fill(&log, 100, 1024, &time_ms);
    while (log_cursor_next(&fast, &log, &event))
        ;
    assert_true(output_log_unread(&log) >= 100 * KIB);
    for (size_t i = 0; i < 100; i++) {
        assert_true(log_cursor_next(&slow, &log, &event));
        assert_int_equal(event.kind, EVENT_STDOUT);
    }
    assert_int_equal(output_log_unread(&log), 0);
    log_cursor_close(&slow, &log);
    log_cursor_close(&fast, &log);
    output_log_fini(&log);
}

static void a_ring_is_held_before_the_first_and_after_the_last_reader(void **state)
{
    (void)state;
    struct output_log log;
    struct log_cursor cursor;
    struct event event;
    uint64_t time_ms = 0;
    assert_int_equal(output_log_init(&log, true, 10 * KIB), 0);
    fill(&log, 50, 1024, &time_ms);
    assert_true(output_log_unread(&log) >= 50 * KIB);
    log_cursor_open(&cursor, &log, 0);
    for (size_t i = 0; i < 50; i++)
        assert_true(log_cursor_next(&cursor, &log, &event));
    assert_int_equal(event.number, 50);
    log_cursor_close(&cursor, &log);
    fill(&log, 50, 1024, &time_ms);
    assert_true(output_log_unread(&log) >= 50 * KIB);

    log_cursor_open(&cursor, &log, 51); /* it comes back */
    assert_true(log_cursor_next(&cursor, &log, &event));
    assert_int_equal(event.number, 51);
    log_cursor_close(&cursor, &log);

    output_log_release(&log); /* it does not */
    assert_int_equal(output_log_unread(&log), 0);
    log_cursor_open(&cursor, &log, 52);
    assert_true(log_cursor_next(&cursor, &log, &event));
    assert_int_equal(event.kind, EVENT_GAP);
    assert_int_equal(event.lost_bytes % 1024, 0); /* known, since it had left right there */
    assert_true(event.lost_bytes > 0);
    log_cursor_close(&cursor, &log);
    output_log_fini(&log);
}

static void lent_bytes_outlive_being_overwritten(void **state)
{
    (void)state;
    struct output_log log;
    struct log_cursor cursor;
    struct event event;
    uint64_t time_ms = 0;
    assert_int_equal(output_log_init(&log, true, 10 * KIB), 0);
    log_cursor_open(&cursor, &log, 0);
    add(&log, EVENT_STDOUT, "precious", 0);
    assert_true(log_cursor_next(&cursor, &log, &event));
    output_log_overwrite(&log);
    fill(&log, 1000, 1024, &time_ms);
    assert_true(slice_is(event.bytes, "precious"));
    assert_true(log_cursor_next(&cursor, &log, &event));
    assert_int_equal(event.kind, EVENT_GAP);
    log_cursor_close(&cursor, &log);
    output_log_fini(&log);
}

static void lent_bytes_outlive_the_log(void **state)
{
    (void)state;
    struct output_log log;
    struct log_cursor cursor;
    struct event event;
    assert_int_equal(output_log_init(&log, false, 1024), 0);
    log_cursor_open(&cursor, &log, 0);
    add(&log, EVENT_STDOUT, "precious", 0);
    assert_true(log_cursor_next(&cursor, &log, &event));
    output_log_add_end(&log, 0); /* gives back memory, but not this */
    assert_true(slice_is(event.bytes, "precious"));
    log_cursor_close(&cursor, &log);
    output_log_fini(&log);
}

static void lost_output_is_told_where_it_was_lost(void **state)
{
    (void)state;
    static const struct {
        uint64_t lost;
        const char *told;
    } rows[] = {
        {4096, "a|[gap 4096]b|"},
        {0, "a|[gap 0]b|"},
        {0xffffff, "a|[gap 16777215]b|"},
        {0x1000000, "a|[gap 0]b|"}, /* more than a record can say */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct output_log log;
        char text[256];
        assert_int_equal(output_log_init(&log, i % 2, 100), 0);
        add(&log, EVENT_STDOUT, "a", 0);
        output_log_add_gap(&log, rows[i].lost, 0);
        add(&log, EVENT_STDOUT, "b", 0);
        read_all(&log, 0, text, sizeof text);
        assert_string_equal(text, rows[i].told);
        output_log_fini(&log);
    }
}

static void sealed_events_do_not_grow(void **state)
{
    (void)state;
    struct output_log log;
    char text[256];
    assert_int_equal(output_log_init(&log, false, 100), 0);
    output_log_seal(&log);
    add(&log, EVENT_STDOUT, "a", 0);
    add(&log, EVENT_STDOUT, "b", 0);
    output_log_seal(&log);
    add(&log, EVENT_STDOUT, "c", 0);
    read_all(&log, 0, text, sizeof text);
    assert_string_equal(text, "ab|c|");
    output_log_fini(&log);
}

static void an_attempt_has_caps_and_texts_of_its_own(void **state)
{
    (void)state;
    struct output_log log;
    char text[256];
    assert_int_equal(output_log_init(&log, false, 3), 0);
    add(&log, EVENT_STDOUT, "ab\xe2", 0);
    output_log_add_attempt(&log, 2, 0);
    add(&log, EVENT_STDOUT, "cde", 0);
    assert_int_equal(output_log_add(&log, EVENT_STDOUT, slice_of("f"), 0), 1);
    output_log_end_streams(&log, 0); /* nothing of it is cut off */
    read_all(&log, 0, text, sizeof text);
    assert_string_equal(text, "ab\xe2|[queued]cde|");
    output_log_fini(&log);
}

/* Whatever was dropped, and wherever a cursor begins. */
static void events_know_their_attempt(void **state)
{
    (void)state;
    enum { ATTEMPTS = 200, EACH = 3 };
    for (int ring = 0; ring < 2; ring++) {
        struct output_log log;
        assert_int_equal(output_log_init(&log, ring, 300), 0);
        output_log_release(&log);
        for (unsigned attempt = 1; attempt <= ATTEMPTS; attempt++) {
            if (attempt == 1)
                output_log_add_state(&log, RUN_QUEUED, 0);
            else
                output_log_add_attempt(&log, attempt, 0);
            for (int i = 1; i < EACH; i++) {
                add(&log, EVENT_STDOUT, "text", 0);
                output_log_seal(&log);
            }
        }
        assert_int_equal(log.first_number > 1, ring);
        for (uint64_t from = 1; from <= (uint64_t)ATTEMPTS * EACH; from++) {
            struct log_cursor cursor;
            struct event event;
            log_cursor_open(&cursor, &log, from);
            while (log_cursor_next(&cursor, &log, &event)) {
                if (event.kind != EVENT_GAP)
                    assert_int_equal(event.attempt, (event.number - 1) / EACH + 1);
            }
            log_cursor_close(&cursor, &log);
            output_log_release(&log);
        }
        output_log_fini(&log);
    }
}

static void a_reader_that_comes_back_knows_its_attempt(void **state)
{
    (void)state;
    struct output_log log;
    struct log_cursor cursor;
    struct event event;
    assert_int_equal(output_log_init(&log, true, 100), 0);
    log_cursor_open(&cursor, &log, 0);
    output_log_add_attempt(&log, 2, 0);
    add(&log, EVENT_STDOUT, "read", 0);
    assert_true(log_cursor_next(&cursor, &log, &event));
    assert_true(log_cursor_next(&cursor, &log, &event));
    uint64_t next = cursor.number;
    log_cursor_close(&cursor, &log);
    add(&log, EVENT_STDOUT, "unread", 0);
    log_cursor_open(&cursor, &log, next);
    assert_true(log_cursor_next(&cursor, &log, &event));
    assert_true(slice_is(event.bytes, "unread"));
    assert_int_equal(event.attempt, 2);
    log_cursor_close(&cursor, &log);
    output_log_fini(&log);
}

static void what_is_held_has_a_bound_of_its_own(void **state)
{
    (void)state;
    struct output_log log;
    static char bytes[1000];
    assert_int_equal(output_log_init(&log, true, 10 * 1000), 0);
    log.held_max = 50 * 1000;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(output_log_add(&log, EVENT_STDOUT, (struct slice){bytes, sizeof bytes}, 0),
                         0);
        output_log_seal(&log);
        assert_true(output_log_unread(&log) <= log.held_max);
        assert_true(output_log_unread_bytes(&log) <= output_log_unread(&log));
    }
    assert_true(output_log_unread_bytes(&log) > 48 * 1000);
    output_log_release(&log);
    assert_int_equal(output_log_unread_bytes(&log), 0);
    assert_true(output_log_memory(&log) < 200 * 1000);
    output_log_fini(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_back_in_order),
        cmocka_unit_test(output_close_in_time_is_one_event),
        cmocka_unit_test(a_cap_is_exact_to_the_byte),
        cmocka_unit_test(one_write_past_the_cap_keeps_what_is_below_it),
        cmocka_unit_test(notices_do_not_count_towards_the_cap),
        cmocka_unit_test(large_output_is_kept_unaltered_across_blocks),
        cmocka_unit_test(byte_by_byte_output_costs_a_bounded_amount),
        cmocka_unit_test(a_ring_keeps_the_newest_and_tells_the_gap),
        cmocka_unit_test(a_ring_holds_what_the_slowest_has_not_read),
        cmocka_unit_test(a_ring_is_held_before_the_first_and_after_the_last_reader),
        cmocka_unit_test(lent_bytes_outlive_being_overwritten),
        cmocka_unit_test(lent_bytes_outlive_the_log),
        cmocka_unit_test(lost_output_is_told_where_it_was_lost),
        cmocka_unit_test(sealed_events_do_not_grow),
        cmocka_unit_test(an_attempt_has_caps_and_texts_of_its_own),
        cmocka_unit_test(events_know_their_attempt),
        cmocka_unit_test(a_reader_that_comes_back_knows_its_attempt),
        cmocka_unit_test(what_is_held_has_a_bound_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
