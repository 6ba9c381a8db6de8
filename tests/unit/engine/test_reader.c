/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "fixture.h"

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    fixture_init(&fixture, 2, 8);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_fini(&fixture);
    return 0;
}

static struct run *running(const struct run_spec *spec)
{
    struct run *run = submit_and_settle(&fixture, spec);
    fake_stage_start(stage_of(&fixture));
    fake_loop_settle(fixture.loop);
    return run;
}

static struct run *streaming(uint64_t ring)
{
    struct run_spec spec = live_spec();
    spec.limits.value[LIMIT_OUTPUT] = ring;
    return running(&spec);
}

static void print(const char *bytes, size_t len)
{
    fake_stage_print(stage_of(&fixture), STAGE_STDOUT, (struct slice){bytes, len});
}

static void print_apart(const char *bytes, size_t len)
{
    fake_loop_advance(fixture.loop, 100); /* too late to be one event with the last */
    print(bytes, len);
}

static void a_reader_is_told_from_the_loop_and_reads_as_it_comes(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = running(&spec);
    struct client client = {0};
    client_attach(&client, run, 0, READER_TEXT);
    assert_int_equal(client.calls, 0);
    fake_loop_settle(fixture.loop);
    assert_int_equal(client.calls, 1);
    assert_string_equal(client.story, "queued preparing running");
    print("a", 1);
    assert_int_equal(client.calls, 1);
    fake_loop_settle(fixture.loop);
    assert_string_equal(client.story, "queued preparing running out");
    fake_stage_exit(stage_of(&fixture), 0);
    fake_loop_settle(fixture.loop);
    assert_string_equal(client.story, "queued preparing running out finished end");
    assert_int_equal(client.calls, 3);
    client_fini(&client);
}

static void a_late_reader_reads_from_where_it_likes(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = running(&spec);
    print_apart("first", 5);
    print_apart("second", 6);
    fake_stage_exit(stage_of(&fixture), 0);
    fake_loop_advance(fixture.loop, 59000);
    static const struct {
        uint64_t from;
        const char *story;
        const char *out;
    } rows[] = {
        {0, "queued preparing running out out finished end", "firstsecond"},
        {1, "queued preparing running out out finished end", "firstsecond"},
        {4, "out out finished end", "firstsecond"},
        {5, "out finished end", "second"},
        {7, "end", ""},
        {8, "end", ""}, /* the end is never missed */
        {UINT64_MAX, "end", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct client client = {0};
        client_attach(&client, run, rows[i].from, READER_TEXT);
        fake_loop_settle(fixture.loop);
        assert_string_equal(client.story, rows[i].story);
        assert_string_equal(buf_text(&client.out), rows[i].out);
        client_fini(&client);
    }
}

static void bytes_are_unaltered(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = running(&spec);
    char all[256];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)i;
    for (size_t at = 0; at < sizeof all; at += 16)
        print_apart(all + at, 16);
    fake_stage_exit(stage_of(&fixture), 0);
    struct client client;
    client_replay(&client, run, READER_BYTES);
    assert_int_equal(client.out.len, sizeof all);
    assert_memory_equal(client.out.at, all, sizeof all);
    client_fini(&client);
}

static const char mixed[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";

/* Wherever the text is split, and whatever comes in between on the other
 * stream, a text reader gets whole characters. */
static void text_is_whole_wherever_it_is_split(void **state)
{
    (void)state;
    size_t len = sizeof mixed - 1;
    for (size_t first = 0; first <= len; first++) {
        for (size_t second = first; second <= len; second++) {
            struct run_spec spec = spec_of(&interpreted);
            struct run *run = running(&spec);
            print_apart(mixed, first);
            fake_stage_print_text(stage_of(&fixture), STAGE_STDERR, "\xC3");
            print_apart(mixed + first, second - first);
            fake_stage_print_text(stage_of(&fixture), STAGE_STDERR, "\xA9");
            print_apart(mixed + second, len - second);
            fake_stage_exit(stage_of(&fixture), 0);
            struct client client;
            client_replay(&client, run, READER_TEXT);
            assert_string_equal(buf_text(&client.out), mixed);
            assert_string_equal(buf_text(&client.err), "\xC3\xA9");
            client_fini(&client);
            fake_loop_advance(fixture.loop, 61000);
        }
    }
}

/* Whatever number a reader begins with, in the middle of a character too, it
 * gets every character that was not whole before. */
static void text_is_whole_wherever_a_reader_joins(void **state)
{
    (void)state;
    enum { FIRST_OUTPUT = 4 };
    static const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10}; /* bytes, after each byte */
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = running(&spec);
    for (size_t i = 0; i < sizeof mixed - 1; i++)
        print_apart(mixed + i, 1);
    fake_stage_exit(stage_of(&fixture), 0);
    for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
        struct client client = {0};
        client_attach(&client, run, FIRST_OUTPUT + i, READER_TEXT);
        client_read(&client);
        assert_string_equal(buf_text(&client.out), mixed + whole[i]);
        client_fini(&client);
    }
}

static void a_character_cut_off_by_the_end_is_replaced(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = running(&spec);
    print("a\xE2\x82", 3);
    fake_stage_exit(stage_of(&fixture), 0);
    struct client client;
    client_replay(&client, run, READER_TEXT);
    assert_string_equal(buf_text(&client.out), "a\xEF\xBF\xBD");
    assert_string_equal(client.story, "queued preparing running out out finished end");
    client_fini(&client);
    client_replay(&client, run, READER_BYTES);
    assert_string_equal(buf_text(&client.out), "a\xE2\x82");
    assert_string_equal(client.story, "queued preparing running out finished end");
    client_fini(&client);
}

static void what_is_not_text_is_replaced(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = running(&spec);
    print_apart("a\xFFz\xE2", 4);
    print_apart("x", 1);
    fake_stage_exit(stage_of(&fixture), 0);
    struct client client;
    client_replay(&client, run, READER_TEXT);
    assert_string_equal(buf_text(&client.out), "a\xEF\xBF\xBDz\xEF\xBF\xBDx");
    client_fini(&client);
}

static void a_slow_reader_holds_the_program(void **state)
{
    (void)state;
    struct run *run = streaming(64 * KIB);
    struct client slow = {.slow = true};
    struct client fast = {0};
    client_attach(&slow, run, 0, READER_BYTES);
    client_attach(&fast, run, 0, READER_BYTES);
    static char block[8 * KIB];
    size_t printed = 0;
    for (size_t round = 0; round < 20; round++) {
        while (!stage_of(&fixture)->paused) {
            print_apart(block, sizeof block);
            printed += sizeof block;
        }
        client_read(&slow);
        assert_false(stage_of(&fixture)->paused);
    }
    assert_true(stage_of(&fixture)->pauses >= 20);
    fake_stage_exit(stage_of(&fixture), 0);
    fake_loop_settle(fixture.loop);
    client_read(&slow);
    assert_int_equal(slow.out.len, printed); /* nothing was lost */
    assert_int_equal(fast.out.len, printed);
    assert_int_equal(slow.lost_bytes + fast.lost_bytes, 0);
    assert_int_equal(slow.ends, 1);
    client_fini(&slow);
    client_fini(&fast);
}

static void a_held_program_goes_on_when_half_the_ring_is_read(void **state)
{
    (void)state;
    struct run *run = streaming(64 * KIB);
    struct client client = {.slow = true};
    struct event event;
    static char block[8 * KIB];
    client_attach(&client, run, 0, READER_BYTES);
    while (!stage_of(&fixture)->paused)
        print_apart(block, sizeof block);
    for (size_t read = 0; read <= 32 * KIB; read += event.bytes.len) {
        assert_true(stage_of(&fixture)->paused);
        assert_int_equal(reader_next(client.reader, &event), 1);
    }
    assert_false(stage_of(&fixture)->paused);
    client_fini(&client);
}

static void a_full_ring_waits_for_the_first_reader(void **state)
{
    (void)state;
    struct run_spec spec = live_spec();
    spec.ends_unattended = true; /* else it goes on (test_run_clock.c) */
    spec.limits.value[LIMIT_OUTPUT] = 16 * KIB;
    struct run *run = running(&spec);
    static char block[16 * KIB];
    print(block, sizeof block);
    assert_true(stage_of(&fixture)->paused);
    fake_loop_advance(fixture.loop, 120000);
    assert_true(stage_of(&fixture)->paused);
    struct client client = {0};
    client_attach(&client, run, 0, READER_BYTES);
    fake_loop_settle(fixture.loop);
    assert_false(stage_of(&fixture)->paused);
    assert_int_equal(client.out.len, sizeof block);
    client_fini(&client);
}

static void a_full_ring_waits_a_while_for_a_reader_that_has_gone(void **state)
{
    (void)state;
    struct run *run = streaming(16 * KIB);
    static char block[16 * KIB];
    struct client client = {0};
    client_attach(&client, run, 0, READER_BYTES);
    fake_loop_settle(fixture.loop);
    client_leave(&client);
    print_apart(block, sizeof block);
    assert_true(stage_of(&fixture)->paused);
    fake_loop_advance(fixture.loop, 29000);
    assert_true(stage_of(&fixture)->paused);
    fake_loop_advance(fixture.loop, 1000);
    assert_false(stage_of(&fixture)->paused);
    for (size_t i = 0; i < 100; i++)
        print_apart(block, sizeof block); /* on it goes, and the oldest is lost */
    assert_false(stage_of(&fixture)->paused);
    struct client late = {0};
    client_attach(&late, run, client.last_number + 1, READER_BYTES);
    client_read(&late);
    assert_int_equal(strncmp(late.story, "gap out", 7), 0);
    assert_int_equal(late.lost_bytes + late.out.len, 101 * sizeof block);
    client_fini(&late);
    client_fini(&client);
}

static void a_slow_reader_does_not_hold_a_cancel(void **state)
{
    (void)state;
    struct run *run = streaming(16 * KIB);
    static char block[16 * KIB];
    struct client client = {.slow = true};
    client_attach(&client, run, 0, READER_BYTES);
    print(block, sizeof block);
    assert_true(stage_of(&fixture)->paused);
    run_cancel(run, "the client stopped it");
    assert_false(stage_of(&fixture)->paused);
    for (size_t i = 0; i < 50; i++)
        print(block, sizeof block); /* what was in the pipe */
    fake_loop_settle(fixture.loop);
    assert_int_equal(run_state(run), RUN_FINISHED);
    client_read(&client);
    assert_int_equal(client.ends, 1);
    assert_int_equal(client.lost_bytes + client.out.len, 51 * sizeof block);
    assert_true(client.lost_bytes > 0); /* the ring did not grow for the slow one */
    client_fini(&client);
}

static void a_reader_keeps_a_run_that_is_forgotten(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = running(&spec);
    char id[RUN_ID_SIZE];
    keep_id(id, run);
    struct client client = {.slow = true};
    client_attach(&client, run, 0, READER_TEXT);
    print("kept", 4);
    fake_stage_exit(stage_of(&fixture), 0);
    fake_loop_advance(fixture.loop, 60001);
    assert_null(engine_find(fixture.engine, id));
    client_read(&client);
    assert_string_equal(buf_text(&client.out), "kept");
    assert_int_equal(run_result(run)->verdict, VERDICT_SUCCEEDED);
    struct err err = {0};
    assert_null(run_attach(run, 0, READER_TEXT, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    client_fini(&client);
}

static struct reader *own;
static void free_own(void *context)
{
    (void)context;
    reader_free(own);
    own = NULL;
}

static void a_reader_may_free_itself_when_it_is_told(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = running(&spec);
    own = run_attach(run, 0, READER_TEXT, free_own, NULL, NULL);
    fake_loop_settle(fixture.loop);
    assert_null(own);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_reader_is_told_from_the_loop_and_reads_as_it_comes),
        TEST(a_late_reader_reads_from_where_it_likes),
        TEST(bytes_are_unaltered),
        TEST(text_is_whole_wherever_it_is_split),
        TEST(text_is_whole_wherever_a_reader_joins),
        TEST(a_character_cut_off_by_the_end_is_replaced),
        TEST(what_is_not_text_is_replaced),
        TEST(a_slow_reader_holds_the_program),
        TEST(a_held_program_goes_on_when_half_the_ring_is_read),
        TEST(a_full_ring_waits_for_the_first_reader),
        TEST(a_full_ring_waits_a_while_for_a_reader_that_has_gone),
        TEST(a_slow_reader_does_not_hold_a_cancel),
        TEST(a_reader_keeps_a_run_that_is_forgotten),
        TEST(a_reader_may_free_itself_when_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
