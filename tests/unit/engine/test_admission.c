/* SPDX-License-Identifier: MIT */
/* Who may wait, who may start, and how long that takes: the queue's places shared, memory
 * promised, waits told beforehand. */
#include <stdio.h>
#include <string.h>

#include "fake_carrier.h"
#include "fixture.h"

static struct fixture fixture;
static struct fake_carrier carrier;

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

static int set_up_elsewhere(void **state)
{
    (void)state;
    fake_carrier_init(&carrier);
    fixture_init_carried(&fixture, &carrier.carrier, 8);
    return 0;
}

static int tear_down_elsewhere(void **state)
{
    (void)tear_down(state);
    fake_carrier_fini(&carrier);
    return 0;
}

static void bound_memory(uint64_t mib, unsigned concurrency)
{
    struct engine_config config = {
        .concurrency = concurrency,
        .queue_length = 16,
        .keep_ms = 60000,
        .memory_bytes = mib * MIB,
    };
    fixture_renew(&fixture, &config);
}

static struct run_spec wish(const struct language *language, uint64_t mib)
{
    struct run_spec spec = spec_of(language);
    spec.limits.value[LIMIT_MEMORY] = mib * MIB;
    return spec;
}

static struct run *submit_with(uint64_t mib)
{
    struct run_spec spec = wish(&interpreted, mib);
    return submit(&fixture, &spec);
}

static void expect_promised(uint64_t mib, size_t running)
{
    fake_loop_settle(fixture.loop);
    assert_int_equal(engine_promised_bytes(fixture.engine) / MIB, mib);
    assert_int_equal(engine_running(fixture.engine), running);
}

/* --- memory --- */

static void a_run_starts_when_its_memory_can_be_promised(void **state)
{
    (void)state;
    bound_memory(1000, 10);
    (void)submit_with(400);
    (void)submit_with(400);
    (void)submit_with(200);
    expect_promised(1000, 3);
    struct run *waits = submit_with(4);
    expect_promised(1000, 3);
    assert_int_equal(run_queue_position(waits), 1);
    end_oldest_stage(&fixture);
    expect_promised(604, 3);
    end_oldest_stage(&fixture);
    end_oldest_stage(&fixture);
    end_oldest_stage(&fixture);
    expect_promised(0, 0);
}

static void who_waits_for_memory_is_not_overtaken_by_a_smaller_one(void **state)
{
    (void)state;
    bound_memory(1000, 10);
    (void)submit_with(400);
    (void)submit_with(500);
    struct run *big = submit_with(900);
    struct run *small = submit_with(50);
    expect_promised(900, 2);
    assert_int_equal(run_queue_position(big), 1);
    assert_int_equal(run_queue_position(small), 2);
    end_oldest_stage(&fixture);
    expect_promised(500, 1);
    end_oldest_stage(&fixture);
    expect_promised(950, 2);
}

static void a_cancelled_run_waits_for_no_memory_and_lets_others_go(void **state)
{
    (void)state;
    bound_memory(1000, 10);
    (void)submit_with(400);
    struct run *big = submit_with(900);
    (void)submit_with(50);
    expect_promised(400, 1);
    run_cancel(big, "the client stopped it");
    expect_promised(450, 2);
}

static void a_run_has_what_its_stages_may_take(void **state)
{
    (void)state;
    uint64_t compiler_mib = profile_limits(PROFILE_COMPILE)->value[LIMIT_MEMORY] / MIB;
    const struct {
        const struct language *language;
        uint64_t bound, asked, promised;
    } rows[] = {
        /* a workspace is half of the memory, and 64 MiB at most */
        {&interpreted, 4096, 64, 64},
        {&compiled, 4096, 64, compiler_mib},
        {&compiled, 4096, compiler_mib - 10, compiler_mib + 54}, /* and what is left in it */
        {&compiled, compiler_mib + 1, compiler_mib + 1, compiler_mib + 1},
        {&compiled, 100, 64, 100}, /* a compiler's is cut */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bound_memory(rows[i].bound, 1);
        struct run_spec spec = wish(rows[i].language, rows[i].asked);
        struct run *run = submit(&fixture, &spec);
        expect_promised(rows[i].promised, 1);
        if (rows[i].language == &compiled)
            assert_int_equal(stage_of(&fixture)->limits.value[LIMIT_MEMORY] / MIB,
                             MIN(compiler_mib, rows[i].bound));
        run_cancel(run, "enough");
        fake_loop_settle(fixture.loop);
        expect_promised(0, 0);
    }
}

static void a_run_that_never_fits_is_refused_with_the_field(void **state)
{
    (void)state;
    struct err err = {0};
    bound_memory(1000, 10);
    struct run_spec spec = wish(&interpreted, 1001);
    assert_null(engine_submit(fixture.engine, &spec, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(err.field, "limits.memory_mb");
    (void)submit_with(1000);
    expect_promised(1000, 1);
}

/* --- places in the queue --- */

static struct run *submit_as(uint64_t tenant, enum lane lane)
{
    struct run_spec spec = spec_of(&interpreted);
    struct err err = {0};
    spec.tenant = tenant;
    spec.lane = lane;
    struct run *run = engine_submit(fixture.engine, &spec, &err);
    assert_true(run || err.code == ERR_BUSY);
    return run;
}

static void who_floods_the_queue_leaves_room_and_turns_to_others(void **state)
{
    (void)state;
    size_t taken = 0;
    while (submit_as(1, LANE_NORMAL))
        taken++;
    assert_int_equal(taken, 2 + 6); /* slots, and three quarters of eight places */
    fake_loop_settle(fixture.loop);
    assert_null(submit_as(1, LANE_HIGH)); /* not by another lane either */
    struct run *other = submit_as(2, LANE_NORMAL);
    struct run *urgent = submit_as(3, LANE_HIGH);
    assert_null(submit_as(4, LANE_NORMAL)); /* full for all */
    assert_int_equal(run_queue_position(urgent), 1);
    assert_int_equal(run_queue_position(other), 3);
    assert_int_equal(run_lane(urgent), LANE_HIGH);
    end_oldest_stage(&fixture);
    end_oldest_stage(&fixture);
    assert_int_equal(run_state(urgent), RUN_PREPARING);
    assert_int_equal(run_queue_position(other), 1);
}

static void who_floods_what_goes_to_other_machines_leaves_room_there_too(void **state)
{
    (void)state;
    size_t taken = 0;
    while (submit_as(1, LANE_NORMAL))
        taken++;
    assert_int_equal(taken, 6);
    assert_null(submit_as(1, LANE_HIGH));
    struct run *other = submit_as(2, LANE_NORMAL);
    assert_non_null(submit_as(3, LANE_NORMAL));
    assert_null(submit_as(4, LANE_NORMAL)); /* full for all */
    fake_loop_settle(fixture.loop);
    run_carried_state(other, RUN_PREPARING); /* a place, and not for who has his share */
    assert_null(submit_as(1, LANE_NORMAL));
    assert_non_null(submit_as(4, LANE_NORMAL));
}

/* --- how long it takes --- */

/* So many, each of which holds its slot so long, one after the other. */
static void live_through(size_t count, uint64_t ms, enum lane lane)
{
    for (size_t i = 0; i < count; i++) {
        assert_non_null(submit_as(1, lane));
        fake_loop_settle(fixture.loop);
        fake_loop_advance(fixture.loop, ms);
        end_oldest_stage(&fixture);
    }
}

static void a_wait_is_told_by_what_runs_of_late_took(void **state)
{
    (void)state;
    live_through(40, 9000, LANE_NORMAL); /* forgotten, but for the last 32 … */
    live_through(32, 1000, LANE_NORMAL); /* … which are these */
    live_through(1, 100, LANE_HIGH);
    struct run *runs[6];
    for (size_t i = 0; i < ARRAY_LEN(runs); i++)
        runs[i] = submit_as(1, LANE_NORMAL);
    assert_int_equal(run_expected_wait_ms(runs[1]), 0); /* a slot is free for it */
    fake_loop_settle(fixture.loop);
    const uint64_t waits[] = {0, 0, 500, 1000, 1500, 2000};
    for (size_t i = 0; i < ARRAY_LEN(runs); i++)
        assert_int_equal(run_expected_wait_ms(runs[i]), waits[i]);
    assert_int_equal(engine_retry_after_s(fixture.engine), 1 + 2);
    struct run *urgent = submit_as(1, LANE_HIGH);
    assert_int_equal(run_expected_wait_ms(urgent), 500);
    assert_int_equal(run_expected_wait_ms(runs[2]), 550);
    run_cancel(runs[2], "enough");
    assert_int_equal(run_expected_wait_ms(runs[2]), 0);
    assert_int_equal(run_expected_wait_ms(runs[5]), 1550);
}

static void before_any_has_ended_it_takes_no_less_than_until_now(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        (void)submit_as(1, LANE_NORMAL);
    fake_loop_settle(fixture.loop);
    struct run *run = submit_as(1, LANE_NORMAL);
    assert_int_equal(run_expected_wait_ms(run), 0);
    fake_loop_advance(fixture.loop, 3000);
    assert_int_equal(run_expected_wait_ms(run), 1500);
}

static void who_would_wait_in_vain_is_refused_at_once(void **state)
{
    (void)state;
    struct err err = {0};
    live_through(8, 1000, LANE_NORMAL);
    for (int i = 0; i < 4; i++)
        (void)submit_as(1, LANE_NORMAL);
    fake_loop_settle(fixture.loop);
    struct run_spec spec = spec_of(&interpreted);
    spec.limits.value[LIMIT_QUEUE] = 1400; /* it would be the third: after 1500 ms */
    spec.lane = LANE_NORMAL;
    spec.tenant = 1;
    assert_null(engine_submit(fixture.engine, &spec, &err));
    assert_int_equal(err.code, ERR_BUSY);
    assert_int_equal(engine_queued(fixture.engine), 2);
    spec.tenant = 2; /* his turn is earlier */
    assert_non_null(engine_submit(fixture.engine, &spec, &err));
    assert_int_equal(engine_queued(fixture.engine), 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_ELSEWHERE(name) \
    cmocka_unit_test_setup_teardown(name, set_up_elsewhere, tear_down_elsewhere)
    const struct CMUnitTest tests[] = {
        TEST(a_run_starts_when_its_memory_can_be_promised),
        TEST(who_waits_for_memory_is_not_overtaken_by_a_smaller_one),
        TEST(a_cancelled_run_waits_for_no_memory_and_lets_others_go),
        TEST(a_run_has_what_its_stages_may_take),
        TEST(a_run_that_never_fits_is_refused_with_the_field),
        TEST(who_floods_the_queue_leaves_room_and_turns_to_others),
        TEST_ELSEWHERE(who_floods_what_goes_to_other_machines_leaves_room_there_too),
        TEST(a_wait_is_told_by_what_runs_of_late_took),
        TEST(before_any_has_ended_it_takes_no_less_than_until_now),
        TEST(who_would_wait_in_vain_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
