/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/util.h"
#include "fixture.h"

static void a_run_comes_back_as_it_was_given(void **state)
{
    struct fixture *fixture = *state;
    const struct store_pair pairs[] = {{"user", "alice"}, {"app", "x"}};
    struct store_run run = some_run("run_1", 1000);
    run.metadata = pairs;
    run.metadata_count = 2;
    fixture_open(fixture);
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_string_equal(fixture->existing, "");
    assert_int_equal(get_run(fixture, "run_1", true), NO_ERROR);
    const struct stored_run *stored = &fixture->run;
    assert_false(stored->is_finished);
    assert_false(stored->is_interrupted);
    assert_string_equal(stored->run.id, "run_1");
    assert_int_equal(stored->run.key, 1);
    assert_string_equal(stored->run.language, "python");
    assert_int_equal(stored->run.created_ms, 1000);
    assert_true(slice_equal(stored->run.accepted, run.accepted));
    assert_true(slice_equal(stored->run.request, run.request));
    assert_int_equal(stored->run.metadata_count, 2);
    assert_string_equal(stored->run.metadata[0].name, "user");
    assert_string_equal(stored->run.metadata[1].value, "x");
}

static void its_end_comes_back_too(void **state)
{
    struct fixture *fixture = *state;
    struct store_run run = some_run("run_1", 1000);
    struct store_file files[] = {some_file("file_a", 1, 1500), some_file("file_b", 1, 1500)};
    struct store_end end = some_end("succeeded", 2000);
    end.artifacts = files;
    end.artifact_count = 2;
    fixture_open(fixture);
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_int_equal(finish_run(fixture, "run_1", &end), NO_ERROR);
    assert_int_equal(get_run(fixture, "run_1", true), NO_ERROR);
    const struct stored_run *stored = &fixture->run;
    assert_true(stored->is_finished);
    assert_string_equal(stored->end.verdict, "succeeded");
    assert_int_equal(stored->end.finished_ms, 2000);
    assert_int_equal(stored->end.queued_ms, 3);
    assert_int_equal(stored->end.wall_ms, 250);
    assert_int_equal(stored->end.cpu_ms, 40);
    assert_true(slice_equal(stored->end.result, end.result));
    assert_true(slice_equal(stored->end.events, end.events));
    assert_int_equal(stored->end.artifact_count, 2);
    assert_string_equal(stored->end.artifacts[1].id, "file_b");
    assert_string_equal(stored->end.artifacts[1].run, "run_1");
    assert_memory_equal(stored->end.artifacts[1].sha256, files[1].sha256, STORE_DIGEST_SIZE);
    assert_int_equal(get_run(fixture, "run_1", false), NO_ERROR);
    assert_int_equal(fixture->run.end.events.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_run_comes_back_as_it_was_given, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(its_end_comes_back_too, fixture_set_up, fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
