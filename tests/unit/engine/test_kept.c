/* SPDX-License-Identifier: MIT */
/* How long runs that have ended are known. */
#include "fixture.h"

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    fixture_init(&fixture, 2, 3);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_fini(&fixture);
    return 0;
}

static void a_finished_run_is_kept_for_a_while(void **state)
{
    (void)state;
    char ids[2][RUN_ID_SIZE];
    for (size_t i = 0; i < 2; i++) {
        keep_id(ids[i], submit_one(&fixture));
        fake_loop_settle(fixture.loop);
        fake_stage_exit(stage_of(&fixture), 0);
        fake_loop_advance(fixture.loop, 1000);
    }
    fake_loop_advance(fixture.loop, 57999); /* the first is 59.999 s old */
    assert_non_null(engine_find(fixture.engine, ids[0]));
    fake_loop_advance(fixture.loop, 1);
    assert_null(engine_find(fixture.engine, ids[0]));
    assert_non_null(engine_find(fixture.engine, ids[1]));
    fake_loop_advance(fixture.loop, 1000);
    assert_null(engine_find(fixture.engine, ids[1]));
}

static void a_passing_run_is_kept_for_its_readers_alone(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    struct client client = {0};
    char ids[3][RUN_ID_SIZE];
    for (size_t i = 0; i < 3; i++) {
        spec.passing = i > 0;
        struct run *run = submit_and_settle(&fixture, &spec);
        keep_id(ids[i], run);
        if (i == 1)
            client_attach(&client, run, 0, READER_TEXT);
        fake_stage_exit(stage_of(&fixture), 0);
        fake_loop_settle(fixture.loop);
    }
    assert_non_null(engine_find(fixture.engine, ids[0]));
    assert_non_null(engine_find(fixture.engine, ids[1]));
    assert_null(engine_find(fixture.engine, ids[2]));
    assert_int_equal(client.ends, 1);
    client_leave(&client);
    fake_loop_settle(fixture.loop);
    assert_null(engine_find(fixture.engine, ids[1]));
    fake_loop_advance(fixture.loop, 60000); /* as long as ever for the one that does not pass */
    assert_null(engine_find(fixture.engine, ids[0]));
    client_fini(&client);
}

/* Whoever found a run by its id, and reads it to write its record, goes on with it after that. */
static void a_passing_run_outlives_its_last_reader_by_the_turn(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.passing = true;
    for (size_t i = 0; i < 2; i++) {
        char id[RUN_ID_SIZE];
        struct client first = {0};
        struct client again = {0};
        struct run *run = submit_and_settle(&fixture, &spec);
        keep_id(id, run);
        if (i == 1)
            client_attach(&first, run, 0, READER_TEXT);
        fake_stage_exit(stage_of(&fixture), 0); /* in this turn, as all that follows */
        client_leave(&first);
        client_replay(&again, engine_find(fixture.engine, id), READER_TEXT);
        assert_int_equal(again.ends, 1);
        assert_int_equal(run_result(run)->verdict, VERDICT_SUCCEEDED);
        assert_ptr_equal(engine_find(fixture.engine, id), run);
        fake_loop_settle(fixture.loop);
        assert_null(engine_find(fixture.engine, id));
        client_fini(&first);
        client_fini(&again);
    }
}

/* Each of ten with so much, of which there is room for that of three. */
static void check_kept(struct slice output, struct slice note)
{
    struct err err = {0};
    struct engine_config config = {.concurrency = 1, .keep_ms = 1000000, .keep_bytes = 400 * KIB};
    struct engine *usual = fixture.engine;
    fixture.engine = engine_new(fixture.loop, &config, fixture.executor, &err);
    char ids[10][RUN_ID_SIZE];
    for (size_t i = 0; i < 10; i++) {
        struct run_spec spec = spec_of(&interpreted);
        spec.note = note;
        keep_id(ids[i], submit_and_settle(&fixture, &spec));
        fake_stage_print(stage_of(&fixture), STAGE_STDOUT, output);
        fake_stage_exit(stage_of(&fixture), 0);
        fake_loop_settle(fixture.loop);
    }
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(engine_find(fixture.engine, ids[i]) != NULL, i >= 7);
    engine_free(fixture.engine);
    fixture.engine = usual;
}

static void finished_runs_are_kept_in_bounded_memory(void **state)
{
    (void)state;
    static char block[100 * KIB];
    check_kept((struct slice){block, sizeof block}, (struct slice){0});
    check_kept((struct slice){block, 1}, (struct slice){block, sizeof block});
}

static void many_runs_are_found_by_id(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static char ids[COUNT][RUN_ID_SIZE];
    for (size_t i = 0; i < COUNT; i++) {
        keep_id(ids[i], submit_one(&fixture));
        fake_loop_settle(fixture.loop);
        fake_stage_exit(stage_of(&fixture), 0);
        fake_loop_settle(fixture.loop);
    }
    for (size_t i = 0; i < COUNT; i++)
        assert_string_equal(run_id(engine_find(fixture.engine, ids[i])), ids[i]);
    assert_null(engine_find(fixture.engine, "constructor"));
    assert_null(engine_find(fixture.engine, ""));
    assert_int_equal(ids[0][14], '4');
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_finished_run_is_kept_for_a_while),
        TEST(a_passing_run_is_kept_for_its_readers_alone),
        TEST(a_passing_run_outlives_its_last_reader_by_the_turn),
        TEST(finished_runs_are_kept_in_bounded_memory),
        TEST(many_runs_are_found_by_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
