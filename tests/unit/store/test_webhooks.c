/* SPDX-License-Identifier: MIT */
/* What is told of runs' ends: when, to whom first, and for how long. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "fixture.h"

static void a_webhook_is_due_until_it_is_delivered(void **state)
{
    struct fixture *fixture = *state;
    struct store_end end = some_end("succeeded", 5000);
    struct store_run run = some_run("run_1", 1000);
    uint64_t began_ms = store_steady_ms(fixture->store);
    run.webhook_url = "https://example.org/hook";
    run.webhook_base = "http://localhost:8080";
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_int_equal(due_webhooks(fixture, UINT64_MAX / 4, 0), NO_ERROR);
    assert_int_equal(fixture->count, 0);
    assert_int_equal(fixture->next_ms, 0);
    assert_int_equal(finish_run(fixture, "run_1", &end), NO_ERROR);
    assert_int_equal(due_webhooks(fixture, began_ms - 1, 0), NO_ERROR);
    assert_int_equal(fixture->count, 0);
    assert_in_range(fixture->next_ms, began_ms, store_steady_ms(fixture->store));
    assert_int_equal(due_webhooks(fixture, store_steady_ms(fixture->store), 0), NO_ERROR);
    assert_int_equal(fixture->count, 1);
    assert_string_equal(fixture->webhooks[0].url, "https://example.org/hook");
    assert_int_equal(fixture->webhooks[0].attempts, 0);
    assert_int_equal(tried_webhook(fixture, "run_1", 6000, 7000), NO_ERROR);
    fixture_reopen(fixture);
    assert_int_equal(due_webhooks(fixture, 7000, 0), NO_ERROR);
    assert_string_equal(fixture->webhooks[0].base, "http://localhost:8080");
    assert_int_equal(fixture->webhooks[0].attempts, 1);
    assert_int_equal(fixture->webhooks[0].first_ms, 6000);
    assert_int_equal(tried_webhook(fixture, "run_1", 6000, 0), NO_ERROR);
    assert_int_equal(due_webhooks(fixture, 9000, 0), NO_ERROR);
    assert_int_equal(fixture->count, 0);
    assert_int_equal(tried_webhook(fixture, "run_1", 6000, 0), ERR_NOT_FOUND);
}

/* Each due a millisecond after the one before. */
static void add_due_webhooks(struct fixture *fixture, uint64_t key, int count, uint64_t from_ms)
{
    for (int i = 0; i < count; i++) {
        char id[STORE_ID_SIZE];
        struct store_run run = some_run(id, 1000);
        struct store_end end = some_end("succeeded", 2000);
        (void)snprintf(id, sizeof id, "run_%d_%d", (int)key, i);
        run.key = key;
        run.webhook_url = "https://example.org/";
        assert_int_equal(add_run(fixture, &run), NO_ERROR);
        assert_int_equal(finish_run(fixture, id, &end), NO_ERROR);
        assert_int_equal(tried_webhook(fixture, id, 2000, from_ms + (uint64_t)i), NO_ERROR);
    }
}

static void check_due(struct fixture *fixture, uint64_t after_key, const char *const *wanted,
                      size_t count)
{
    assert_int_equal(due_webhooks(fixture, 9000, after_key), NO_ERROR);
    assert_int_equal(fixture->count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(fixture->webhooks[i].run, wanted[i]);
}

static void keys_take_turns_with_their_webhooks(void **state)
{
    static const char *const from_first[] = {"run_0_0", "run_2_0", "run_7_0", "run_2_1",
                                             "run_7_1", "run_2_2", "run_2_3"};
    static const char *const behind_2[] = {"run_7_0", "run_0_0", "run_2_0", "run_7_1",
                                           "run_2_1", "run_2_2", "run_2_3"};
    struct fixture *fixture = *state;
    add_due_webhooks(fixture, 2, 20, 2000);
    add_due_webhooks(fixture, 7, 2, 8000);
    add_due_webhooks(fixture, 0, 1, 8500);
    add_due_webhooks(fixture, 9, 1, 9500); /* not yet */
    check_due(fixture, 7, from_first, ARRAY_LEN(from_first));
    assert_int_equal(fixture->next_ms, 9500);
    assert_int_equal(fixture->webhooks[1].key, 2);
    assert_null(fixture->webhooks[1].base);
    check_due(fixture, 2, behind_2, ARRAY_LEN(behind_2));
    assert_int_equal(tried_webhook(fixture, "run_2_0", 9000, 9600), NO_ERROR);
    assert_int_equal(due_webhooks(fixture, 9000, 2), NO_ERROR);
    assert_string_equal(fixture->webhooks[2].run, "run_2_1");
}

/* The clock was set while the service was away, or it was away for long. */
static void a_start_bounds_what_webhooks_wait_for(void **state)
{
    enum { HOUR_MS = 3600000, PAUSE_MS = 30000, PAST_MS = 36000, SPARE_MS = 20000 };
    static const struct {
        int64_t was_ms, next_ms, first_ms; /* from now on */
    } rows[] = {
        {HOUR_MS, PAUSE_MS, PAUSE_MS - PAST_MS},
        {-HOUR_MS, -HOUR_MS, -PAST_MS},
        {PAUSE_MS / 2, PAUSE_MS / 2, PAUSE_MS / 2 - PAST_MS},
    };
    struct fixture *fixture = *state;
    add_due_webhooks(fixture, 1, 1, 2000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t now_ms = store_steady_ms(fixture->store);
        uint64_t was_ms = now_ms + (uint64_t)rows[i].was_ms;
        uint64_t next_ms = now_ms + (uint64_t)rows[i].next_ms;
        uint64_t first_ms = now_ms + (uint64_t)rows[i].first_ms;
        assert_int_equal(tried_webhook(fixture, "run_1_0", was_ms - PAST_MS, was_ms), NO_ERROR);
        fixture_reopen(fixture);
        store_webhook_resume(fixture->store, (unsigned)i + 1, PAUSE_MS, PAST_MS); /* another's */
        store_webhook_resume(fixture->store, (unsigned)i + 2, PAUSE_MS, PAST_MS);
        assert_int_equal(due_webhooks(fixture, 1, 0), NO_ERROR);
        assert_in_range(fixture->next_ms, next_ms, next_ms + SPARE_MS);
        assert_int_equal(due_webhooks(fixture, UINT64_MAX / 4, 0), NO_ERROR);
        assert_in_range(fixture->webhooks[0].first_ms, first_ms, first_ms + SPARE_MS);
    }
}

static void many_webhooks_come_some_at_a_time(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t key = 0; key < 12; key++)
        add_due_webhooks(fixture, key, 3, 2000);
    assert_int_equal(due_webhooks(fixture, 9000, 3), NO_ERROR);
    assert_int_equal(fixture->count, 32);
    assert_string_equal(fixture->webhooks[0].run, "run_4_0");
    assert_string_equal(fixture->webhooks[12].run, "run_4_1");
    assert_int_equal(fixture->next_ms, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up_open, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_webhook_is_due_until_it_is_delivered),
        TEST(keys_take_turns_with_their_webhooks),
        TEST(a_start_bounds_what_webhooks_wait_for),
        TEST(many_webhooks_come_some_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
