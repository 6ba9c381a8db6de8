/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "account_fixture.h"
#include "base/util.h"

enum { DAY_MS = 86400000, HOUR_MS = 3600000 };

static bool take(struct fixture *fixture)
{
    return accounts_take(fixture->accounts, 1).allowed;
}

static size_t take_all(struct fixture *fixture)
{
    size_t taken = 0;
    while (take(fixture))
        taken++;
    return taken;
}

static struct store_key *with_rate(struct fixture *fixture, uint64_t rate_milli, uint64_t burst)
{
    struct store_key *key = fake_store_add(fixture->store, "rk_a", "a");
    key->rate_milli = rate_milli;
    key->burst = burst;
    fixture_open(fixture, NULL);
    return key;
}

static void a_bucket_starts_full_and_fills_at_its_rate(void **state)
{
    struct fixture *fixture = *state;
    (void)with_rate(fixture, 5000, 10);
    assert_int_equal(take_all(fixture), 10);
    fixture_pass(fixture, 199);
    assert_int_equal(take_all(fixture), 0);
    fixture_pass(fixture, 1);
    assert_int_equal(take_all(fixture), 1);
    fixture_pass(fixture, 1000);
    assert_int_equal(take_all(fixture), 5);
    fixture_pass(fixture, HOUR_MS);
    assert_int_equal(take_all(fixture), 10);
}

static void many_small_looks_lose_no_time(void **state)
{
    struct fixture *fixture = *state;
    size_t taken = 0;
    (void)with_rate(fixture, 333, 3);
    assert_int_equal(take_all(fixture), 3);
    for (int ms = 0; ms < 60000; ms++) {
        fixture_pass(fixture, 1);
        taken += take(fixture);
    }
    assert_int_equal(taken, 19); /* of 19.98 */
}

static void an_answer_says_what_is_left_and_when_to_come_again(void **state)
{
    struct fixture *fixture = *state;
    (void)with_rate(fixture, 2000, 2);
    struct account_rate rate = accounts_take(fixture->accounts, 1);
    assert_true(rate.allowed && rate.limited);
    assert_int_equal(rate.limit, 2);
    assert_int_equal(rate.remaining, 1);
    assert_in_range(rate.reset_ms, 500, 501);
    assert_int_equal(rate.retry_ms, 0);
    assert_true(take(fixture));
    rate = accounts_take(fixture->accounts, 1);
    assert_false(rate.allowed);
    assert_int_equal(rate.remaining, 0);
    assert_in_range(rate.retry_ms, 500, 501);
    assert_in_range(rate.reset_ms, 1000, 1001);
    fixture_pass(fixture, rate.retry_ms);
    assert_true(take(fixture));
}

static void the_wall_clock_changes_no_rate(void **state)
{
    struct fixture *fixture = *state;
    (void)with_rate(fixture, 1000, 1);
    assert_true(take(fixture));
    fixture_unix_ms += HOUR_MS;
    assert_false(take(fixture));
    fixture_unix_ms -= 2 * HOUR_MS;
    assert_false(take(fixture));
    fixture_pass(fixture, 1000);
    assert_true(take(fixture));
}

static size_t take_all_requests(struct fixture *fixture)
{
    size_t taken = 0;
    while (accounts_take_request(fixture->accounts, 1).allowed)
        taken++;
    return taken;
}

static void what_is_owed_comes_in_first(void **state)
{
    struct fixture *fixture = *state;
    (void)with_rate(fixture, 5000, 10);
    accounts_owe_requests(fixture->accounts, 1, 50);
    assert_int_equal(take_all_requests(fixture), 150);
    accounts_owe_requests(fixture->accounts, 1, 300); /* three seconds */
    struct account_rate rate = accounts_take_request(fixture->accounts, 1);
    assert_false(rate.allowed);
    assert_in_range(rate.retry_ms, 3010, 3011);
    assert_in_range(rate.reset_ms, 5000, 5001);
    fixture_pass(fixture, 3000);
    assert_int_equal(take_all_requests(fixture), 0);
    fixture_pass(fixture, 1000);
    assert_int_equal(take_all_requests(fixture), 100);
    assert_int_equal(take_all(fixture), 10); /* of runs nothing was taken */
}

static void who_has_no_rate_owes_nothing(void **state)
{
    struct fixture *fixture = *state;
    (void)with_rate(fixture, 0, 0);
    accounts_owe_requests(fixture->accounts, 1, 1000000);
    accounts_owe_requests(fixture->accounts, 0, 1000000);
    assert_true(accounts_take_request(fixture->accounts, 1).allowed);
    assert_true(accounts_take_request(fixture->accounts, 0).allowed);
}

static void what_makes_no_run_is_taken_from_another_bucket(void **state)
{
    static const struct {
        uint64_t rate_milli, burst, at_once, a_second;
    } rows[] = {
        {1, 1, 200, 100},
        {5000, 10, 200, 100},
        {50000, 100, 1000, 500},
        {ACCOUNT_RATE_MILLI_MAX, 1000, 10000, 10000},
    };
    struct fixture *fixture = *state;
    struct store_key *key = with_rate(fixture, 1, 1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        *key = (struct store_key){
            .number = 1, .rate_milli = rows[i].rate_milli, .burst = rows[i].burst};
        fixture_open(fixture, NULL);
        assert_int_equal(take_all_requests(fixture), rows[i].at_once);
        assert_true(take(fixture));
        fixture_pass(fixture, 1000);
        assert_int_equal(take_all_requests(fixture), rows[i].a_second);
    }
}

static void extremes_of_rate_and_burst_stay_right(void **state)
{
    struct fixture *fixture = *state;
    struct store_key *key = with_rate(fixture, 1, 1000000); /* one in 1000 s */
    for (int i = 0; i < 1000000; i++)
        assert_true(take(fixture));
    assert_false(take(fixture));
    fixture_pass(fixture, 999999);
    assert_false(take(fixture));
    fixture_pass(fixture, 1);
    assert_true(take(fixture));
    fixture_pass(fixture, 300ULL * DAY_MS);
    assert_int_equal(accounts_take(fixture->accounts, 1).remaining, 25920 - 1);
    *key = (struct store_key){.number = 1, .rate_milli = UINT64_MAX, .burst = UINT64_MAX};
    fixture_open(fixture, NULL);
    assert_int_equal(accounts_take(fixture->accounts, 1).remaining, 999999);
    assert_int_equal(accounts_take_request(fixture->accounts, 1).remaining, 9999999);
}

static void nobody_and_a_key_without_a_rate_are_not_limited(void **state)
{
    struct fixture *fixture = *state;
    (void)with_rate(fixture, 0, 10);
    for (int i = 0; i < 100; i++) {
        assert_true(accounts_take(fixture->accounts, 1).allowed);
        assert_true(accounts_take(fixture->accounts, 0).allowed);
        assert_false(accounts_take(fixture->accounts, 77).limited);
        assert_false(accounts_take_request(fixture->accounts, 1).limited);
        assert_false(accounts_take_request(fixture->accounts, 77).limited);
    }
}

/* --- concurrency, and run time of a day --- */

static struct err start_refused(struct fixture *fixture)
{
    struct err err = {0};
    assert_int_equal(accounts_run_starts(fixture->accounts, 1, &err), -1);
    assert_int_equal(err.code, ERR_RATE_LIMITED);
    return err;
}

static void a_key_has_so_many_runs_at_once(void **state)
{
    struct fixture *fixture = *state;
    fake_store_add(fixture->store, "rk_a", "a")->concurrency = 2;
    fixture_open(fixture, NULL);
    assert_int_equal(accounts_run_starts(fixture->accounts, 1, NULL), 0);
    assert_int_equal(accounts_run_starts(fixture->accounts, 1, NULL), 0);
    assert_non_null(strstr(start_refused(fixture).text, "2 runs at once"));
    accounts_run_ended(fixture->accounts, 1, 5);
    assert_int_equal(accounts_run_starts(fixture->accounts, 1, NULL), 0);
    (void)start_refused(fixture);
    assert_int_equal(accounts_run_starts(fixture->accounts, 0, NULL), 0);
    assert_int_equal(accounts_run_starts(fixture->accounts, 99, NULL), 0);
    accounts_run_ended(fixture->accounts, 0, 5);
    accounts_run_ended(fixture->accounts, 99, 5);
}

static void run(struct fixture *fixture, uint64_t wall_ms)
{
    assert_int_equal(accounts_run_starts(fixture->accounts, 1, NULL), 0);
    accounts_run_ended(fixture->accounts, 1, wall_ms);
}

static void with_day(struct fixture *fixture, uint64_t daily_run_ms)
{
    fake_store_add(fixture->store, "rk_a", "a")->daily_run_ms = daily_run_ms;
    fixture_open(fixture, NULL);
}

static void the_time_of_a_day_is_used_up_until_midnight(void **state)
{
    struct fixture *fixture = *state;
    with_day(fixture, 60000);
    run(fixture, 59999);
    run(fixture, 1);
    struct err err = start_refused(fixture);
    assert_non_null(strstr(err.text, "60 seconds"));
    assert_non_null(strstr(err.text, "in 16 h 0 min"));
    fixture_pass(fixture, 16ULL * HOUR_MS - 1);
    (void)start_refused(fixture);
    fixture_pass(fixture, 1);
    run(fixture, 1);
}

static void a_clock_that_jumps_back_begins_no_day_again(void **state)
{
    struct fixture *fixture = *state;
    with_day(fixture, 1000);
    run(fixture, 1000);
    fixture_unix_ms -= 2ULL * DAY_MS;
    (void)start_refused(fixture);
    fixture_pass(fixture, DAY_MS - 1000);
    (void)start_refused(fixture);
    fixture_pass(fixture, 1000); /* and yet no day lasts longer than one */
    run(fixture, 1000);
    (void)start_refused(fixture);
}

static void a_clock_that_was_years_ahead_does_not_lock_a_key_out(void **state)
{
    struct fixture *fixture = *state;
    with_day(fixture, 1000);
    fixture_unix_ms += 3650ULL * DAY_MS;
    run(fixture, 1000);
    fixture_unix_ms -= 3650ULL * DAY_MS;
    (void)start_refused(fixture);
    fixture_pass(fixture, DAY_MS);
    run(fixture, 1000);
}

static void on_state(void *context, const struct account_state *state)
{
    *(struct account_state *)context = *state;
}

static void what_was_used_before_a_restart_counts(void **state)
{
    struct fixture *fixture = *state;
    struct account_state seen = {0};
    uint64_t today = fixture_unix_ms / DAY_MS;
    fixture->store->usages[0] = (struct store_usage){.key = 1, .day = today - 1, .run_ms = 5000};
    fixture->store->usages[1] =
        (struct store_usage){.key = 1, .day = today, .runs = 3, .run_ms = 900};
    fixture->store->usages[2] = (struct store_usage){.key = 0, .day = today, .run_ms = 5000};
    fixture->store->usages[3] = (struct store_usage){.key = 9, .day = today, .run_ms = 5000};
    fixture->store->usage_count = 4;
    with_day(fixture, 1000);
    fixture_pass(fixture, 0);
    assert_true(fixture->store->asked[0].usage);
    assert_int_equal(fixture->store->asked[0].from_day, today);
    run(fixture, 50); /* meanwhile */
    (void)fake_store_answer(fixture->store);
    accounts_list(fixture->accounts, on_state, &seen);
    assert_int_equal(seen.today_runs, 4);
    assert_int_equal(seen.today_run_ms, 950);
    run(fixture, 50);
    (void)start_refused(fixture);
    fixture_pass(fixture, 5000);
    assert_int_equal(fake_store_answer(fixture->store), 1); /* it is asked for once */
}

static void a_run_that_never_was_is_not_counted(void **state)
{
    struct fixture *fixture = *state;
    struct account_state seen = {0};
    with_day(fixture, 1000);
    run(fixture, 0);
    run(fixture, 1);
    assert_int_equal(accounts_run_starts(fixture->accounts, 1, NULL), 0);
    accounts_list(fixture->accounts, on_state, &seen);
    assert_int_equal(seen.today_runs, 1);
    assert_int_equal(seen.running, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_bucket_starts_full_and_fills_at_its_rate),
        TEST(many_small_looks_lose_no_time),
        TEST(an_answer_says_what_is_left_and_when_to_come_again),
        TEST(the_wall_clock_changes_no_rate),
        TEST(what_is_owed_comes_in_first),
        TEST(who_has_no_rate_owes_nothing),
        TEST(what_makes_no_run_is_taken_from_another_bucket),
        TEST(extremes_of_rate_and_burst_stay_right),
        TEST(nobody_and_a_key_without_a_rate_are_not_limited),
        TEST(a_key_has_so_many_runs_at_once),
        TEST(the_time_of_a_day_is_used_up_until_midnight),
        TEST(a_clock_that_jumps_back_begins_no_day_again),
        TEST(a_clock_that_was_years_ahead_does_not_lock_a_key_out),
        TEST(what_was_used_before_a_restart_counts),
        TEST(a_run_that_never_was_is_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
