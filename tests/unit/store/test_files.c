/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "fixture.h"

static uint64_t now_ms(void)
{
    return (uint64_t)time(NULL) * 1000;
}

static void a_file_comes_back_as_it_was_given(void **state)
{
    struct fixture *fixture = *state;
    struct store_file file = some_file("file_a", 7, 1000);
    file.name = "Übersicht \"1\".svg";
    file.size = 1ULL << 40;
    file.expires_ms = now_ms() + 60000;
    assert_int_equal(add_file(fixture, &file), NO_ERROR);
    assert_int_equal(get_file(fixture, "file_a"), NO_ERROR);
    assert_string_equal(fixture->file.id, "file_a");
    assert_int_equal(fixture->file.key, 7);
    assert_null(fixture->file.run);
    assert_string_equal(fixture->file.name, file.name);
    assert_int_equal(fixture->file.size, file.size);
    assert_memory_equal(fixture->file.sha256, file.sha256, STORE_DIGEST_SIZE);
    assert_int_equal(fixture->file.created_ms, 1000);
    assert_int_equal(fixture->file.expires_ms, file.expires_ms);
    assert_int_equal(add_file(fixture, &file), ERR_CONFLICT);
    assert_int_equal(store_size(fixture->store).bytes, file.size);
}

static void an_expired_file_is_not_found_and_goes(void **state)
{
    struct fixture *fixture = *state;
    struct store_file file = some_file("file_a", 7, 1000);
    file.expires_ms = now_ms() - 1000;
    make_content(fixture, "file_a");
    assert_int_equal(add_file(fixture, &file), NO_ERROR);
    assert_int_equal(get_file(fixture, "file_a"), ERR_NOT_FOUND);
    assert_int_equal(list_files(fixture, 7, NULL, 10), NO_ERROR);
    assert_int_equal(fixture->count, 0);
    for (int i = 0; i < 100 && has_content(fixture, "file_a"); i++)
        fixture_sleep(fixture, 50);
    assert_false(has_content(fixture, "file_a"));
    assert_int_equal(store_size(fixture->store).files, 0);
}

static void a_file_goes_with_its_content(void **state)
{
    struct fixture *fixture = *state;
    struct store_file file = some_file("file_a", 7, 1000);
    make_content(fixture, "file_a");
    assert_int_equal(add_file(fixture, &file), NO_ERROR);
    assert_int_equal(remove_file(fixture, "file_a"), NO_ERROR);
    assert_int_equal(get_file(fixture, "file_a"), ERR_NOT_FOUND);
    assert_false(has_content(fixture, "file_a"));
    assert_int_equal(remove_file(fixture, "file_a"), ERR_NOT_FOUND);
}

static void an_artifact_belongs_to_its_run(void **state)
{
    struct fixture *fixture = *state;
    struct store_run run = some_run("run_1", 1000);
    struct store_file file = some_file("file_a", 1, 1000);
    file.run = "run_1";
    assert_int_equal(add_file(fixture, &file), ERR_NOT_FOUND);
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_int_equal(add_file(fixture, &file), NO_ERROR);
    assert_int_equal(get_file(fixture, "file_a"), NO_ERROR);
    assert_string_equal(fixture->file.run, "run_1");
    assert_int_equal(list_files(fixture, 1, NULL, 10), NO_ERROR); /* uploads only */
    assert_int_equal(fixture->count, 0);
    assert_int_equal(remove_run(fixture, "run_1"), NO_ERROR);
    assert_int_equal(get_file(fixture, "file_a"), ERR_NOT_FOUND);
}

static void uploads_are_listed_newest_first_by_pages(void **state)
{
    struct fixture *fixture = *state;
    char before[STORE_ID_SIZE];
    for (int i = 0; i < 20; i++) {
        char id[STORE_ID_SIZE];
        (void)snprintf(id, sizeof id, "file_%02d", i);
        struct store_file file = some_file(id, (uint64_t)(i % 2), 1000 + (uint64_t)(i / 4));
        assert_int_equal(add_file(fixture, &file), NO_ERROR);
    }
    for (int at = 19; at > 0;) {
        assert_int_equal(list_files(fixture, 1, at == 19 ? NULL : before, 4), NO_ERROR);
        assert_int_equal(fixture->count, at > 3 ? 4 : 2);
        for (size_t i = 0; i < fixture->count; i++, at -= 2) {
            (void)snprintf(before, sizeof before, "file_%02d", at);
            assert_string_equal(fixture->files[i].id, before);
        }
    }
    assert_int_equal(list_files(fixture, 1, before, 4), NO_ERROR);
    assert_int_equal(fixture->count, 0);
    assert_int_equal(list_files(fixture, 1, "file_00", 4), ERR_NOT_FOUND); /* of key 0 */
}

static void contents_without_a_row_go_at_the_start(void **state)
{
    struct fixture *fixture = *state;
    struct store_file file = some_file("file_a", 7, 1000);
    make_content(fixture, "file_a");
    make_content(fixture, "file_b");
    make_content(fixture, "file_c.part");
    assert_int_equal(add_file(fixture, &file), NO_ERROR);
    fixture_reopen(fixture);
    assert_true(has_content(fixture, "file_a"));
    assert_false(has_content(fixture, "file_b"));
    assert_false(has_content(fixture, "file_c.part"));
}

/* --- retention --- */

static void add_runs(struct fixture *fixture, int count, uint64_t created_ms)
{
    for (int i = 0; i < count; i++) {
        char id[STORE_ID_SIZE];
        char file_id[STORE_ID_SIZE];
        (void)snprintf(id, sizeof id, "run_%d", i);
        (void)snprintf(file_id, sizeof file_id, "file_%d", i);
        struct store_run run = some_run(id, created_ms + (uint64_t)i);
        struct store_file file = some_file(file_id, 1, created_ms);
        struct store_end end = some_end("succeeded", created_ms + 1);
        file.size = 100000;
        end.artifacts = &file;
        end.artifact_count = 1;
        make_content(fixture, file_id);
        assert_int_equal(add_run(fixture, &run), NO_ERROR);
        if (i % 10 != 9) /* the others have not finished */
            assert_int_equal(finish_run(fixture, id, &end), NO_ERROR);
    }
}

static void wait_for_runs(struct fixture *fixture, uint64_t runs)
{
    for (int i = 0; i < 200 && store_size(fixture->store).runs > runs; i++)
        fixture_sleep(fixture, 50);
    assert_int_equal(store_size(fixture->store).runs, runs);
}

static void wait_for_bytes(struct fixture *fixture, uint64_t bytes)
{
    for (int i = 0; i < 200 && store_size(fixture->store).bytes > bytes; i++)
        fixture_sleep(fixture, 50);
    assert_true(store_size(fixture->store).bytes <= bytes);
}

static void old_runs_go_while_it_runs(void **state)
{
    struct fixture *fixture = *state;
    fixture->config.keep_ms = 60000;
    fixture_reopen(fixture);
    struct store_run young = some_run("run_young", now_ms());
    struct store_end end = some_end("succeeded", now_ms());
    assert_int_equal(add_run(fixture, &young), NO_ERROR);
    assert_int_equal(finish_run(fixture, "run_young", &end), NO_ERROR);
    add_runs(fixture, 300, 1000);
    wait_for_runs(fixture, 31); /* those that run, and the young one */
    assert_int_equal(get_run(fixture, "run_9", false), NO_ERROR);
    assert_int_equal(get_run(fixture, "run_young", false), NO_ERROR);
    assert_int_equal(get_run(fixture, "run_0", false), ERR_NOT_FOUND);
    assert_false(has_content(fixture, "file_0"));
    assert_true(has_content(fixture, "file_9"));
}

static void the_oldest_go_when_there_is_too_much(void **state)
{
    struct fixture *fixture = *state;
    fixture->config.keep_bytes = 3000000;
    fixture_reopen(fixture);
    add_runs(fixture, 60, now_ms());
    wait_for_bytes(fixture, 3000000);
    assert_true(store_size(fixture->store).bytes > 2800000); /* no more than must */
    assert_int_equal(get_run(fixture, "run_0", false), ERR_NOT_FOUND);
    assert_int_equal(get_run(fixture, "run_9", false), NO_ERROR);
    assert_int_equal(get_run(fixture, "run_58", false), NO_ERROR);
    assert_true(has_content(fixture, "file_58"));
    assert_false(has_content(fixture, "file_0"));
}

static void add_upload(struct fixture *fixture, const char *id, uint64_t key, uint64_t created_ms)
{
    struct store_file file = some_file(id, key, created_ms);
    file.size = 450000;
    make_content(fixture, id);
    assert_int_equal(add_file(fixture, &file), NO_ERROR);
}

static void add_finished_run(struct fixture *fixture, const char *id, uint64_t key,
                             uint64_t created_ms)
{
    struct store_run run = some_run(id, created_ms);
    struct store_end end = some_end("succeeded", created_ms + 1);
    run.key = key;
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_int_equal(finish_run(fixture, id, &end), NO_ERROR);
}

static void the_oldest_of_runs_and_uploads_go(void **state)
{
    struct fixture *fixture = *state;
    fixture->config.keep_bytes = 1000000;
    fixture_reopen(fixture);
    add_finished_run(fixture, "run_old", 1, 1000);
    add_upload(fixture, "file_0", 1, 2000);
    add_upload(fixture, "file_1", 1, 3000);
    add_finished_run(fixture, "run_young", 1, 4000);
    add_upload(fixture, "file_2", 1, 5000);
    wait_for_bytes(fixture, 1000000);
    assert_int_equal(get_run(fixture, "run_old", false), ERR_NOT_FOUND);
    assert_int_equal(get_file(fixture, "file_0"), ERR_NOT_FOUND);
    assert_false(has_content(fixture, "file_0"));
    assert_int_equal(get_file(fixture, "file_1"), NO_ERROR);
    assert_int_equal(get_run(fixture, "run_young", false), NO_ERROR);
    assert_int_equal(get_file(fixture, "file_2"), NO_ERROR);
}

/* Key 2 brings more than there is room for, also after the others' runs, and pays for it. */
static void the_uploads_of_one_key_cost_the_others_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture->config.keep_bytes = 1000000;
    fixture_reopen(fixture);
    add_finished_run(fixture, "run_1", 1, 1000);
    add_upload(fixture, "file_1", 1, 1000);
    for (int i = 0; i < 4; i++) {
        char id[STORE_ID_SIZE];
        (void)snprintf(id, sizeof id, "file_of_2_%d", i);
        add_upload(fixture, id, 2, 2000 + (uint64_t)i);
        wait_for_bytes(fixture, 1000000);
    }
    assert_int_equal(get_run(fixture, "run_1", false), NO_ERROR);
    assert_int_equal(get_file(fixture, "file_1"), NO_ERROR);
    assert_int_equal(get_file(fixture, "file_of_2_2"), ERR_NOT_FOUND);
    assert_int_equal(get_file(fixture, "file_of_2_3"), NO_ERROR);
    add_finished_run(fixture, "run_1_next", 1, 9000);
    fixture_sleep(fixture, 2500); /* longer than between two steps */
    assert_int_equal(get_run(fixture, "run_1_next", false), NO_ERROR);
}

/* What cannot go does not keep the others' from going. */
static void runs_that_go_on_are_passed_over(void **state)
{
    struct fixture *fixture = *state;
    static char text[350000];
    fixture->config.keep_bytes = 800000;
    fixture_reopen(fixture);
    for (int i = 0; i < 2; i++) {
        char id[STORE_ID_SIZE];
        (void)snprintf(id, sizeof id, "run_%d", i);
        struct store_run run = some_run(id, 1000);
        run.key = 2;
        run.request = (struct slice){text, sizeof text};
        assert_int_equal(add_run(fixture, &run), NO_ERROR);
    }
    add_upload(fixture, "file_1", 1, 2000);
    wait_for_bytes(fixture, 800000);
    assert_int_equal(get_file(fixture, "file_1"), ERR_NOT_FOUND);
    assert_int_equal(store_size(fixture->store).runs, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up_open, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_comes_back_as_it_was_given),
        TEST(an_expired_file_is_not_found_and_goes),
        TEST(a_file_goes_with_its_content),
        TEST(an_artifact_belongs_to_its_run),
        TEST(uploads_are_listed_newest_first_by_pages),
        TEST(contents_without_a_row_go_at_the_start),
        TEST(old_runs_go_while_it_runs),
        TEST(the_oldest_go_when_there_is_too_much),
        TEST(the_oldest_of_runs_and_uploads_go),
        TEST(the_uploads_of_one_key_cost_the_others_nothing),
        TEST(runs_that_go_on_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
