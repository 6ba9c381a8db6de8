/* SPDX-License-Identifier: MIT */
/* Runs that are looked up by their ids, and those of other machines. */
#include <stdio.h>
#include <string.h>

#include "fake_carrier.h"
#include "fixture.h"

enum { UNATTENDED_MS = 30000, ANSWER_MS = 5000 };

static const char elsewhere[] = "00000000-0000-4000-8000-000000000000";

static struct fixture fixture;
static struct fake_carrier carrier;
static struct client client;
static struct run *found;
static char listed[RUN_ID_SIZE];
static unsigned answers;

static int set_up(void **state)
{
    (void)state;
    fake_carrier_init(&carrier);
    fixture_init_carried(&fixture, &carrier.carrier, 3);
    carrier.engine = fixture.engine;
    carrier.elsewhere = spec_of(&interpreted);
    carrier.elsewhere.id = elsewhere;
    carrier.elsewhere.ends_unattended = true;
    client = (struct client){0};
    found = NULL;
    answers = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (client.reader)
        client_fini(&client);
    fixture_fini(&fixture);
    fake_carrier_fini(&carrier);
    return 0;
}

static void on_found(void *context, struct run *run)
{
    (void)context;
    found = run;
    answers++;
}

static struct run *look_up(const char *id)
{
    unsigned before = answers;
    engine_look_up(fixture.engine, id, on_found, NULL);
    assert_int_equal(answers, before); /* from the loop */
    fake_loop_settle(fixture.loop);
    assert_int_equal(answers, before + 1);
    return found;
}

static void end(struct run *run)
{
    struct run_result result = {.verdict = VERDICT_SUCCEEDED, .reason = "it exited with 0"};
    run_carried_ended(run, &result, NULL, 0);
    fake_loop_settle(fixture.loop);
}

/* --- looked up --- */

static void ones_own_are_found_here(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct run *run = submit(&fixture, &spec);
    assert_ptr_equal(look_up(run_id(run)), run);
    assert_int_equal(carrier.finds, 0);
    end(run);
    assert_ptr_equal(look_up(run_id(run)), run);
}

static void what_nobody_knows_is_not_found(void **state)
{
    (void)state;
    assert_null(look_up("11111111-0000-4000-8000-000000000000"));
    assert_int_equal(carrier.finds, 1);
    assert_null(look_up("an id that is so long that nothing could ever have it"));
    assert_null(look_up(""));
    assert_int_equal(carrier.finds, 1);
}

static void an_engine_of_its_own_runs_asks_nobody(void **state)
{
    (void)state;
    struct fixture local;
    struct run_spec spec = spec_of(&interpreted);
    fixture_init(&local, 1, 1);
    struct run *run = submit(&local, &spec);
    engine_look_up(local.engine, run_id(run), on_found, NULL);
    assert_int_equal(answers, 0);
    fake_loop_settle(local.loop);
    assert_ptr_equal(found, run);
    engine_look_up(local.engine, elsewhere, on_found, NULL);
    fake_loop_settle(local.loop);
    assert_int_equal(answers, 2);
    assert_null(found);
    fake_stage_exit(stage_of(&local), 0);
    fixture_fini(&local);
}

static void on_listed(void *context, const char *ids, size_t count)
{
    (void)context;
    (void)snprintf(listed, sizeof listed, "%s", count > 0 ? ids : "");
    answers++;
}

static void list_of_others_comes_from_the_loop(void **state)
{
    (void)state;
    engine_list(fixture.engine, 100, on_listed, NULL);
    assert_int_equal(carrier.lists, 0);
    fake_loop_settle(fixture.loop);
    assert_int_equal(answers, 1);
    assert_string_equal(listed, elsewhere);
    engine_list(fixture.engine, 0, on_listed, NULL); /* nobody need be asked */
    fake_loop_settle(fixture.loop);
    assert_int_equal(carrier.lists, 1);
    assert_string_equal(listed, "");
}

static void list_of_others_is_empty_where_there_are_none(void **state)
{
    (void)state;
    struct fixture local;
    fixture_init(&local, 1, 1);
    engine_list(local.engine, 100, on_listed, NULL);
    fake_loop_settle(local.loop);
    assert_int_equal(answers, 1);
    engine_drain(local.engine, 0, NULL, NULL);
    fake_loop_settle(local.loop);
    engine_list(local.engine, 100, on_listed, NULL);
    engine_free(local.engine);
    assert_int_equal(answers, 2);
    local.executor->ops->executor_free(local.executor);
    loop_free(local.loop);
    buf_fini(&local.observed);
}

static void who_still_waits_is_answered_at_the_end(void **state)
{
    (void)state;
    struct fixture local;
    fixture_init(&local, 1, 1);
    engine_drain(local.engine, 0, NULL, NULL);
    fake_loop_settle(local.loop);
    engine_look_up(local.engine, elsewhere, on_found, NULL);
    engine_free(local.engine);
    assert_int_equal(answers, 1);
    assert_null(found);
    local.executor->ops->executor_free(local.executor);
    loop_free(local.loop);
    buf_fini(&local.observed);
}

/* --- those of other machines --- */

static void one_of_another_machine_is_read_as_ones_own(void **state)
{
    (void)state;
    struct run *run = look_up(elsewhere);
    assert_non_null(run);
    assert_string_equal(run_id(run), elsewhere);
    client_attach(&client, run, 0, READER_TEXT);
    run_carried_state(run, RUN_QUEUED);
    run_carried_state(run, RUN_RUNNING);
    run_carried_output(run, EVENT_STDOUT, slice_of("text"));
    assert_int_equal(engine_running(fixture.engine), 0);
    assert_int_equal(engine_queued(fixture.engine), 0);
    assert_ptr_equal(look_up(elsewhere), run);
    end(run);
    assert_string_equal(client.story, "queued preparing running out finished end");
    assert_int_equal(fixture.recordings, 0);
    assert_int_equal(fixture.observed.len, 0);
    assert_int_equal(carrier.live, 0);
    assert_ptr_equal(engine_find(fixture.engine, elsewhere), run);
    client_fini(&client);
    assert_ptr_equal(engine_find(fixture.engine, elsewhere), run); /* as any that has ended */
}

static void one_that_is_asked_for_twice_is_one(void **state)
{
    (void)state;
    struct run *run = look_up(elsewhere);
    fake_carrier_answer(&carrier); /* the other had asked at the same moment */
    assert_ptr_equal(found, run);
    assert_int_equal(carrier.live, 1);
}

static void one_that_has_ended_is_there_for_who_asked(void **state)
{
    (void)state;
    struct run *run = look_up(elsewhere);
    struct run_result result = {.verdict = VERDICT_FAILED};
    run_carried_ended(run, &result, NULL, 0);
    assert_int_equal(run_result(run)->verdict, VERDICT_FAILED);
    client_attach(&client, run, 0, READER_TEXT);
    fake_loop_advance(fixture.loop, 1);
    assert_string_equal(client.story, "queued finished end");
    assert_ptr_equal(engine_find(fixture.engine, elsewhere), run);
}

static void one_that_nobody_reads_is_not_followed(void **state)
{
    (void)state;
    struct run *run = look_up(elsewhere);
    fake_loop_advance(fixture.loop, UNATTENDED_MS - 1);
    client_attach(&client, run, 0, READER_TEXT);
    fake_loop_advance(fixture.loop, UNATTENDED_MS);
    assert_int_equal(carrier.live, 1);
    client_fini(&client);
    fake_loop_advance(fixture.loop, UNATTENDED_MS - 1);
    struct fake_cargo *cargo = fake_cargo_of(&carrier, run);
    assert_int_equal(cargo->cancels, 0); /* where it was taken, that is decided */
    fake_loop_advance(fixture.loop, 1);
    assert_int_equal(carrier.live, 0);
    assert_int_equal(carrier.last_verdict, FAKE_GONE_ON);
    assert_null(engine_find(fixture.engine, elsewhere));
}

static void one_of_another_machine_may_be_cancelled_here(void **state)
{
    (void)state;
    struct run *run = look_up(elsewhere);
    client_attach(&client, run, 0, READER_TEXT);
    run_cancel(run, "the client stopped it");
    assert_int_equal(fake_cargo_of(&carrier, run)->cancels, 1);
    fake_loop_advance(fixture.loop, ANSWER_MS);
    assert_int_equal(run_result(run)->verdict, VERDICT_CANCELLED);
    assert_string_equal(client.story, "queued finished end");
}

static void one_of_another_machine_does_not_hold_our_end_up(void **state)
{
    (void)state;
    (void)look_up(elsewhere);
    assert_int_equal(carrier.live, 1); /* until the fixture's end */
}

static void its_age_is_where_it_was_taken(void **state)
{
    (void)state;
    struct fake_cargo *cargo = fake_cargo_new(&carrier, NULL);
    struct run *run = engine_adopt(fixture.engine, &carrier.elsewhere, &cargo->cargo, 12345, NULL);
    cargo->run = run;
    assert_int_equal(run_time_ms(run), 12345);
}

static void what_cannot_be_adopted_frees_its_cargo(void **state)
{
    (void)state;
    struct err err = {0};
    struct fake_cargo *cargo = fake_cargo_new(&carrier, NULL);
    carrier.elsewhere.entry_file = "../x";
    assert_null(engine_adopt(fixture.engine, &carrier.elsewhere, &cargo->cargo, 0, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(carrier.live, 0);
}

/* --- of a process before this one --- */

static struct run *resume(bool has_client)
{
    struct fake_cargo *cargo = fake_cargo_new(&carrier, NULL);
    carrier.elsewhere.recorded = true;
    carrier.elsewhere.ends_unattended = !has_client;
    cargo->run = engine_adopt(fixture.engine, &carrier.elsewhere, &cargo->cargo, 12345, NULL);
    assert_non_null(cargo->run);
    fake_loop_settle(fixture.loop);
    if (has_client)
        client_attach(&client, cargo->run, 0, READER_TEXT);
    return cargo->run;
}

static void one_that_is_resumed_is_one_of_ours(void **state)
{
    (void)state;
    struct run *run = resume(true);
    assert_int_equal(engine_queued(fixture.engine), 1);
    run_carried_state(run, RUN_RUNNING);
    assert_int_equal(engine_running(fixture.engine), 1);
    fixture.records_at_once = true;
    end(run);
    assert_int_equal(fixture.recordings, 1);
    assert_string_equal(buf_text(&fixture.observed), "queued preparing running finished ");
    assert_string_equal(client.story, "queued preparing running finished end");
}

static void one_that_is_resumed_stays_though_nobody_reads_it(void **state)
{
    (void)state;
    carrier.elsewhere.limits.value[LIMIT_QUEUE] = 0;
    struct run *run = resume(true);
    client_leave(&client);
    fake_loop_advance(fixture.loop, UNATTENDED_MS + 1);
    assert_ptr_equal(engine_find(fixture.engine, elsewhere), run);
    assert_int_equal(carrier.live, 1);
    fixture.records_at_once = true;
}

static void one_that_is_resumed_ends_when_its_client_does_not_come_back(void **state)
{
    (void)state;
    struct run *run = resume(false);
    run_carried_state(run, RUN_RUNNING);
    fake_loop_advance(fixture.loop, UNATTENDED_MS + 1);
    assert_int_equal(fake_cargo_of(&carrier, run)->cancels, 1);
    fixture.records_at_once = true;
}

static void one_that_is_resumed_waits_no_longer_than_it_may(void **state)
{
    (void)state;
    carrier.elsewhere.limits.value[LIMIT_QUEUE] = 1000;
    struct run *run = resume(true);
    fixture.records_at_once = true;
    fake_loop_advance(fixture.loop, 1001);
    assert_int_equal(run_result(run)->verdict, VERDICT_QUEUE_TIMEOUT);
}

static void none_is_resumed_when_we_end(void **state)
{
    (void)state;
    struct err err = {0};
    struct fake_cargo *cargo = fake_cargo_new(&carrier, NULL);
    carrier.elsewhere.recorded = true;
    engine_drain(fixture.engine, 1000, NULL, NULL);
    assert_null(engine_adopt(fixture.engine, &carrier.elsewhere, &cargo->cargo, 0, &err));
    assert_int_equal(err.code, ERR_SHUTTING_DOWN);
    assert_int_equal(carrier.live, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(ones_own_are_found_here),
        TEST(what_nobody_knows_is_not_found),
        TEST(an_engine_of_its_own_runs_asks_nobody),
        TEST(list_of_others_comes_from_the_loop),
        TEST(list_of_others_is_empty_where_there_are_none),
        TEST(who_still_waits_is_answered_at_the_end),
        TEST(one_of_another_machine_is_read_as_ones_own),
        TEST(one_that_is_asked_for_twice_is_one),
        TEST(one_that_has_ended_is_there_for_who_asked),
        TEST(one_that_nobody_reads_is_not_followed),
        TEST(one_of_another_machine_may_be_cancelled_here),
        TEST(one_of_another_machine_does_not_hold_our_end_up),
        TEST(its_age_is_where_it_was_taken),
        TEST(what_cannot_be_adopted_frees_its_cargo),
        TEST(one_that_is_resumed_is_one_of_ours),
        TEST(one_that_is_resumed_stays_though_nobody_reads_it),
        TEST(one_that_is_resumed_ends_when_its_client_does_not_come_back),
        TEST(one_that_is_resumed_waits_no_longer_than_it_may),
        TEST(none_is_resumed_when_we_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
