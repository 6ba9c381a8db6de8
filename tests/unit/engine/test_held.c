/* SPDX-License-Identifier: MIT */
/* Room for the files and the input of runs that wait: bounded, and shared. */
#include "fake_carrier.h"
#include "fixture.h"

static struct fixture fixture;
static struct fake_carrier carrier;

static int set_up(void **state)
{
    (void)state;
    fake_carrier_init(&carrier);
    fixture_init(&fixture, 1, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_fini(&fixture);
    fake_carrier_fini(&carrier);
    return 0;
}

/* For sixteen of bring_as, twelve of them one tenant's. What a run brings beside files and input
 * is little. */
static void bound(struct carrier *elsewhere)
{
    struct engine_config config = {
        .concurrency = 1,
        .queue_length = 100,
        .keep_ms = 60000,
        .held_bytes = 1700 * KIB,
        .carrier = elsewhere,
    };
    fixture_renew(&fixture, &config);
}

static void take_slot(void)
{
    (void)submit_one(&fixture);
    fake_loop_settle(fixture.loop);
}

static struct run *prepare_as(uint64_t tenant, size_t len)
{
    static char bytes[2 * MIB];
    struct run_file file = {"data", {bytes, len / 2}};
    struct run_spec spec = spec_of(&interpreted);
    struct err err = {0};
    spec.tenant = tenant;
    spec.files = &file;
    spec.file_count = 1;
    spec.input = file.content;
    spec.input_stays_open = true;
    struct run *run = engine_prepare(fixture.engine, &spec, &err);
    assert_true(run || err.code == ERR_BUSY);
    return run;
}

static struct run *bring_as(uint64_t tenant)
{
    struct run *run = prepare_as(tenant, 100 * KIB);
    assert_true(!run || engine_start(run, NULL) == 0);
    return run;
}

static void what_waiting_runs_bring_is_bounded_and_shared(void **state)
{
    (void)state;
    struct run *runs[12];
    struct run *prepared[4];
    bound(NULL);
    take_slot();
    for (size_t i = 0; i < ARRAY_LEN(runs); i++)
        assert_non_null(runs[i] = bring_as(1));
    assert_null(bring_as(1));
    for (size_t i = 0; i < ARRAY_LEN(prepared); i++) /* which the store has not taken yet */
        assert_non_null(prepared[i] = prepare_as(2, 100 * KIB));
    assert_null(bring_as(2)); /* full for all */
    for (size_t i = 0; i < ARRAY_LEN(prepared); i++)
        engine_discard(prepared[i]);
    assert_null(bring_as(1));
    run_cancel(runs[11], "enough");
    fake_loop_settle(fixture.loop);
    assert_non_null(bring_as(1));
    end_oldest_stage(&fixture); /* the next one has the slot, and its files are in its box */
    assert_non_null(bring_as(1));
    assert_null(bring_as(1));
}

static void who_holds_nothing_may_bring_as_much_as_a_run_can(void **state)
{
    (void)state;
    bound(NULL);
    take_slot();
    struct run *run = prepare_as(1, 2 * MIB);
    assert_non_null(run);
    assert_null(prepare_as(1, 1));
    assert_null(prepare_as(2, 1));
    engine_discard(run);
    run = bring_as(2);
    assert_non_null(run);
    struct run *most = prepare_as(1, 1400 * KIB); /* more than a tenant's share */
    assert_non_null(most);
    assert_null(prepare_as(1, 1));
    engine_discard(most);
}

static void input_of_a_waiting_run_counts_until_it_starts(void **state)
{
    (void)state;
    static char input[1000 * KIB];
    struct slice bytes = {input, sizeof input};
    struct err err = {0};
    bound(NULL);
    take_slot();
    struct run *run = bring_as(1);
    assert_int_equal(run_write(run, bytes, &err), 0);
    assert_non_null(bring_as(1));
    assert_null(bring_as(1));
    struct run *other = bring_as(2);
    assert_int_equal(run_write(other, bytes, &err), -1);
    assert_int_equal(err.code, ERR_BUSY);
    assert_int_equal(run_write(other, (struct slice){input, 1}, &err), 0);
    run_cancel(run, "enough");
    fake_loop_settle(fixture.loop);
    assert_int_equal(run_write(other, bytes, &err), 0);
}

static void what_goes_elsewhere_is_held_until_it_was_taken(void **state)
{
    (void)state;
    struct run *runs[12];
    bound(&carrier.carrier);
    for (size_t i = 0; i < ARRAY_LEN(runs); i++)
        assert_non_null(runs[i] = bring_as(1));
    fake_loop_settle(fixture.loop);
    assert_null(bring_as(1));
    run_carried_accepted(runs[3]);
    assert_non_null(bring_as(1));
    assert_null(bring_as(1));
    run_carried_refused(runs[4], "it is full");
    assert_non_null(bring_as(1));
    assert_null(bring_as(1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_waiting_runs_bring_is_bounded_and_shared),
        TEST(who_holds_nothing_may_bring_as_much_as_a_run_can),
        TEST(input_of_a_waiting_run_counts_until_it_starts),
        TEST(what_goes_elsewhere_is_held_until_it_was_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
