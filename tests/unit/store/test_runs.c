/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "fixture.h"
#include "store/database.h"

static void a_run_comes_back_as_it_was_given(void **state)
{
    struct fixture *fixture = *state;
    const struct store_pair pairs[] = {{"user", "alice"}, {"app", ""}};
    struct store_run run = some_run("run_1", 1000);
    run.key = (1ULL << 62) + 12345; /* of API_KEYS: no row of keys */
    run.metadata = pairs;
    run.metadata_count = 2;
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_string_equal(fixture->existing, "");
    assert_int_equal(get_run(fixture, "run_1", true), NO_ERROR);
    const struct stored_run *stored = &fixture->run;
    assert_false(stored->is_finished);
    assert_false(stored->is_interrupted);
    assert_string_equal(stored->run.id, "run_1");
    assert_int_equal(stored->run.key, run.key);
    assert_string_equal(stored->run.language, "python");
    assert_int_equal(stored->run.created_ms, 1000);
    assert_true(slice_equal(stored->run.accepted, run.accepted));
    assert_true(slice_equal(stored->run.request, run.request));
    assert_int_equal(stored->run.metadata_count, 2);
    assert_string_equal(stored->run.metadata[0].name, "user");
    assert_string_equal(stored->run.metadata[1].value, "");
}

static void its_end_comes_back_too(void **state)
{
    struct fixture *fixture = *state;
    struct store_run run = some_run("run_1", 1000);
    struct store_file files[] = {some_file("file_a", 1, 1500), some_file("file_b", 1, 1500)};
    struct store_end end = some_end("succeeded", 2000);
    end.artifacts = files;
    end.artifact_count = 2;
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_int_equal(finish_run(fixture, "run_1", &end), NO_ERROR);
    assert_int_equal(get_run(fixture, "run_1", true), NO_ERROR);
    const struct stored_run *stored = &fixture->run;
    assert_true(stored->is_finished);
    assert_false(stored->is_interrupted);
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

static void a_large_run_comes_back_whole(void **state)
{
    enum { SIZE = 3 * 1024 * 1024 + 7 };
    struct fixture *fixture = *state;
    struct store_run run = some_run("run_1", 1000);
    struct store_end end = some_end("failed", 2000);
    char *bytes = arena_get(&fixture->memory, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 31 >> 3);
    run.request = end.result = end.events = (struct slice){bytes, SIZE};
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_int_equal(finish_run(fixture, "run_1", &end), NO_ERROR);
    assert_int_equal(get_run(fixture, "run_1", true), NO_ERROR);
    assert_true(slice_equal(fixture->run.run.request, run.request));
    assert_true(slice_equal(fixture->run.end.result, end.result));
    assert_true(slice_equal(fixture->run.end.events, end.events));
}

static void on_bounded(void *context, const struct stored_run *run, const struct err *err)
{
    struct fixture *fixture = context;
    assert_null(err);
    fixture->run.lacks_events = run->lacks_events;
    fixture->count = run->end.events.len;
    fixture->done = true;
    loop_stop(fixture->loop);
}

static void events_that_are_longer_than_asked_for_stay_where_they_are(void **state)
{
    struct fixture *fixture = *state;
    struct store_run run = some_run("run_1", 1000);
    struct store_end end = some_end("succeeded", 2000);
    size_t len = end.events.len;
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_int_equal(finish_run(fixture, "run_1", &end), NO_ERROR);
    for (size_t i = 0; i < 3; i++) {
        store_run_get(fixture->store, "run_1", len - 1 + i, on_bounded, fixture);
        fixture_wait(fixture);
        assert_true(fixture->run.lacks_events == (i == 0));
        assert_int_equal(fixture->count, i == 0 ? 0 : len);
    }
}

static void a_run_that_is_not_there_is_not_found(void **state)
{
    struct fixture *fixture = *state;
    struct store_end end = some_end("succeeded", 2000);
    assert_int_equal(get_run(fixture, "run_none", true), ERR_NOT_FOUND);
    assert_int_equal(finish_run(fixture, "run_none", &end), ERR_NOT_FOUND);
    assert_int_equal(remove_run(fixture, "run_none"), ERR_NOT_FOUND);
    assert_int_equal(
        list_runs(fixture, &(struct store_filter){.key = 1, .before = "run_none", .limit = 5}),
        ERR_NOT_FOUND);
}

static void an_id_is_taken_once(void **state)
{
    struct fixture *fixture = *state;
    struct store_run run = some_run("run_1", 1000);
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_int_equal(add_run(fixture, &run), ERR_CONFLICT);
}

static void a_run_finishes_once(void **state)
{
    struct fixture *fixture = *state;
    struct store_run run = some_run("run_1", 1000);
    struct store_end end = some_end("succeeded", 2000);
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_int_equal(finish_run(fixture, "run_1", &end), NO_ERROR);
    end.verdict = "failed";
    assert_int_equal(finish_run(fixture, "run_1", &end), ERR_CONFLICT);
    assert_int_equal(get_run(fixture, "run_1", true), NO_ERROR);
    assert_string_equal(fixture->run.end.verdict, "succeeded");
}

/* The artifact's id is taken: then nothing of the end is there. */
static void an_end_is_stored_whole_or_not_at_all(void **state)
{
    struct fixture *fixture = *state;
    struct store_run run = some_run("run_1", 1000);
    struct store_file files[] = {some_file("file_new", 1, 1500), some_file("file_a", 1, 1500)};
    struct store_end end = some_end("succeeded", 2000);
    end.artifacts = files;
    end.artifact_count = 2;
    run.webhook_url = "https://example.org/";
    assert_int_equal(add_file(fixture, &files[1]), NO_ERROR);
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_int_equal(finish_run(fixture, "run_1", &end), ERR_CONFLICT);
    assert_int_equal(get_run(fixture, "run_1", true), NO_ERROR);
    assert_false(fixture->run.is_finished);
    assert_int_equal(fixture->run.end.events.len, 0);
    assert_int_equal(get_file(fixture, "file_new"), ERR_NOT_FOUND);
    assert_int_equal(list_usage(fixture, 0), NO_ERROR);
    assert_int_equal(fixture->count, 0);
    assert_int_equal(due_webhooks(fixture, UINT64_MAX / 4, 0), NO_ERROR);
    assert_int_equal(fixture->count, 0);
}

/* --- idempotency --- */

static void the_same_request_of_a_key_is_one_run(void **state)
{
    struct fixture *fixture = *state;
    struct store_run run = some_run("run_1", 1000);
    run.idempotency_key = "order-66";
    memset(run.request_digest, 7, sizeof run.request_digest);
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_string_equal(fixture->existing, "");
    run.id = "run_2";
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_string_equal(fixture->existing, "run_1");
    assert_true(fixture->same_request);
    run.request_digest[31] ^= 1;
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_string_equal(fixture->existing, "run_1");
    assert_false(fixture->same_request);
    assert_int_equal(get_run(fixture, "run_2", false), ERR_NOT_FOUND);
    run.key = 2;
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_string_equal(fixture->existing, "");
}

static void the_same_request_is_found_before_anything_is_added(void **state)
{
    struct fixture *fixture = *state;
    struct store_run run = some_run("run_1", 1000);
    run.idempotency_key = "order-66";
    assert_int_equal(find_same_run(fixture, &run), NO_ERROR);
    assert_string_equal(fixture->existing, "");
    assert_int_equal(get_run(fixture, "run_1", false), ERR_NOT_FOUND);
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_int_equal(find_same_run(fixture, &run), NO_ERROR);
    assert_string_equal(fixture->existing, "run_1");
    assert_true(fixture->same_request);
    run.request_digest[0] ^= 1;
    assert_int_equal(find_same_run(fixture, &run), NO_ERROR);
    assert_false(fixture->same_request);
    run.key++;
    assert_int_equal(find_same_run(fixture, &run), NO_ERROR);
    assert_string_equal(fixture->existing, "");
}

static void an_idempotency_key_is_known_as_long_as_its_run(void **state)
{
    struct fixture *fixture = *state;
    struct store_run run = some_run("run_1", 1000);
    run.idempotency_key = "order-66";
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    fixture_reopen(fixture);
    run.id = "run_2";
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_string_equal(fixture->existing, "run_1");
    assert_int_equal(remove_run(fixture, "run_1"), NO_ERROR);
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_string_equal(fixture->existing, "");
}

/* Whatever looks for it before. */
static void two_runs_of_a_key_have_no_idempotency_key_in_common(void **state)
{
    struct fixture *fixture = *state;
    struct database db = {0};
    struct err err = {0};
    uint64_t number = 0;
    char path[200];
    (void)snprintf(path, sizeof path, "%s/runnel.db", fixture->dir);
    assert_int_equal(database_open(&db, path, &err), 0);
    assert_int_equal(database_execute(&db,
                                      "INSERT OR IGNORE INTO"
                                      " runs(id, key, language, created_ms, bytes, idempotency_key)"
                                      " VALUES('a', 1, 0, 1, 1, 'k'), ('b', 1, 0, 1, 1, 'k'),"
                                      " ('c', 2, 0, 1, 1, 'k'), ('d', 1, 0, 1, 1, NULL)",
                                      &err),
                     0);
    assert_int_equal(database_number(&db, "SELECT count(*) FROM runs", &number, &err), 0);
    assert_int_equal(number, 3);
    database_close(&db);
}

/* --- remove --- */

static void a_run_goes_with_all_that_is_its(void **state)
{
    struct fixture *fixture = *state;
    const struct store_pair pairs[] = {{"user", "alice"}};
    struct store_run run = some_run("run_1", 1000);
    struct store_file file = some_file("file_a", 1, 1500);
    struct store_end end = some_end("succeeded", 2000);
    end.artifacts = &file;
    end.artifact_count = 1;
    run.webhook_url = "https://example.org/";
    run.metadata = pairs;
    run.metadata_count = 1;
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    make_content(fixture, "file_a");
    assert_int_equal(finish_run(fixture, "run_1", &end), NO_ERROR);
    assert_int_equal(store_size(fixture->store).files, 1);
    assert_int_equal(remove_run(fixture, "run_1"), NO_ERROR);
    assert_int_equal(get_run(fixture, "run_1", true), ERR_NOT_FOUND);
    assert_int_equal(get_file(fixture, "file_a"), ERR_NOT_FOUND);
    assert_false(has_content(fixture, "file_a"));
    assert_int_equal(due_webhooks(fixture, UINT64_MAX / 4, 0), NO_ERROR);
    assert_int_equal(fixture->count, 0);
    struct store_size size = store_size(fixture->store);
    assert_int_equal(size.runs, 0);
    assert_int_equal(size.files, 0);
    assert_int_equal(size.bytes, 0);
    assert_int_equal(list_usage(fixture, 0), NO_ERROR); /* what was used was used */
    assert_int_equal(fixture->count, 1);
}

/* --- restart --- */

static void a_run_that_was_left_is_interrupted(void **state)
{
    struct fixture *fixture = *state;
    struct store_run run = some_run("run_1", 1000);
    struct store_end end = some_end("succeeded", 2000);
    run.webhook_url = "https://example.org/";
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    run = some_run("run_2", 1000);
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_int_equal(finish_run(fixture, "run_2", &end), NO_ERROR);
    fixture_reopen(fixture);
    assert_int_equal(get_run(fixture, "run_1", true), NO_ERROR);
    assert_true(fixture->run.is_finished);
    assert_true(fixture->run.is_interrupted);
    assert_string_equal(fixture->run.end.verdict, "internal_error");
    assert_true(fixture->run.end.finished_ms >= 1000);
    assert_int_equal(fixture->run.end.result.len, 0);
    assert_int_equal(finish_run(fixture, "run_1", &end), ERR_CONFLICT);
    assert_int_equal(get_run(fixture, "run_2", true), NO_ERROR);
    assert_false(fixture->run.is_interrupted);
    assert_string_equal(fixture->run.end.verdict, "succeeded");
    assert_int_equal(due_webhooks(fixture, UINT64_MAX / 4, 0), NO_ERROR);
    assert_int_equal(fixture->count, 1);
    assert_string_equal(fixture->webhooks[0].run, "run_1");
}

static void count_open(void *context, const struct stored_run *runs, size_t count, bool more,
                       const struct err *err)
{
    size_t *open = context;
    assert_null(err);
    assert_false(more);
    for (size_t i = 0; i < count; i++)
        assert_false(runs[i].is_finished);
    *open += count;
}

static void a_run_that_may_go_on_elsewhere_stays_open(void **state)
{
    struct fixture *fixture = *state;
    struct store_run run = some_run("run_1", 1000);
    struct store_end end = some_end("succeeded", 2000);
    struct store_filter filter = {.any_key = true, .verdict = "", .limit = STORE_PAGE_MAX};
    size_t open = 0;
    run.webhook_url = "https://example.org/";
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    run = some_run("run_2", 1000);
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    run = some_run("run_3", 1000);
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_int_equal(finish_run(fixture, "run_3", &end), NO_ERROR);
    fixture_close(fixture);
    fixture->config.keeps_open = true;
    assert_int_equal(store_open(&fixture->config, &fixture->store, NULL), 0);
    assert_int_equal(store_run_list_now(fixture->store, &filter, count_open, &open, NULL), 0);
    assert_int_equal(open, 2);
    assert_int_equal(store_start(fixture->store, fixture->loop, NULL), 0);
    assert_int_equal(finish_run(fixture, "run_2", &end), NO_ERROR);
    assert_int_equal(interrupt_run(fixture, "run_1"), NO_ERROR);
    assert_int_equal(get_run(fixture, "run_1", true), NO_ERROR);
    assert_true(fixture->run.is_interrupted);
    assert_string_equal(fixture->run.end.verdict, "internal_error");
    assert_int_equal(due_webhooks(fixture, UINT64_MAX / 4, 0), NO_ERROR);
    assert_int_equal(fixture->count, 1);
    assert_string_equal(fixture->webhooks[0].run, "run_1");
}

static void a_run_is_interrupted_only_while_it_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct store_run run = some_run("run_1", 1000);
    struct store_end end = some_end("succeeded", 2000);
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_int_equal(finish_run(fixture, "run_1", &end), NO_ERROR);
    assert_int_equal(interrupt_run(fixture, "run_1"), ERR_CONFLICT);
    assert_int_equal(interrupt_run(fixture, "run_0"), ERR_NOT_FOUND);
    assert_int_equal(get_run(fixture, "run_1", true), NO_ERROR);
    assert_string_equal(fixture->run.end.verdict, "succeeded");
}

/* --- order --- */

struct order {
    struct fixture *fixture;
    int said;
    int expected;
    bool wrong;
};

static struct order order;
static int numbers[600];

static void in_order(const int *number)
{
    order.wrong |= *number != order.said;
    order.said++;
    if (order.said == order.expected) {
        order.fixture->done = true;
        loop_stop(order.fixture->loop);
    }
}

static void on_done_in_order(void *context, const struct err *err)
{
    (void)err;
    in_order(context);
}

static void on_added_in_order(void *context, const char *existing, bool same, const struct err *err)
{
    (void)existing, (void)same, (void)err;
    in_order(context);
}

static void on_run_in_order(void *context, const struct stored_run *run, const struct err *err)
{
    int at = *(const int *)context;
    order.wrong |= (at % 3 == 2) != (run != NULL); /* it was added two calls before */
    (void)err;
    in_order(context);
}

static void results_come_in_the_order_of_calls(void **state)
{
    struct fixture *fixture = *state;
    struct store_end end = some_end("succeeded", 2000);
    order = (struct order){.fixture = fixture, .expected = ARRAY_LEN(numbers)};
    for (int i = 0; i < (int)ARRAY_LEN(numbers); i++) {
        char id[STORE_ID_SIZE];
        struct store_run run = some_run(id, 1000);
        (void)snprintf(id, sizeof id, "run_%d", i / 3);
        numbers[i] = i;
        if (i % 3 == 0)
            store_run_add(fixture->store, &run, on_added_in_order, &numbers[i]);
        else if (i % 3 == 1)
            store_run_finish(fixture->store, i % 2 ? id : "run_none", &end, on_done_in_order,
                             &numbers[i]);
        else
            store_run_get(fixture->store, id, SIZE_MAX, on_run_in_order, &numbers[i]);
    }
    fixture_wait(fixture);
    assert_false(order.wrong);
}

static void what_was_asked_for_is_done_before_the_store_goes(void **state)
{
    struct fixture *fixture = *state;
    order = (struct order){.fixture = fixture, .expected = 100};
    for (int i = 0; i < 100; i++) {
        char id[STORE_ID_SIZE];
        struct store_run run = some_run(id, 1000);
        (void)snprintf(id, sizeof id, "run_%d", i);
        numbers[i] = i;
        store_run_add(fixture->store, &run, on_added_in_order, &numbers[i]);
    }
    fixture_close(fixture);
    assert_int_equal(order.said, 100);
    assert_false(order.wrong);
    fixture->done = false;
    fixture_open(fixture);
    assert_int_equal(store_size(fixture->store).runs, 100);
}

/* --- usage --- */

static void usage_is_counted_by_key_and_day(void **state)
{
    enum { DAY = 86400000 };
    static const struct {
        uint64_t key;
        uint64_t finished_ms;
    } runs[] = {{1, DAY - 1}, {1, DAY}, {1, DAY + 5}, {2, DAY + 5}};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        char id[STORE_ID_SIZE];
        struct store_run run = some_run(id, 1000);
        struct store_end end = some_end("succeeded", runs[i].finished_ms);
        (void)snprintf(id, sizeof id, "run_%zu", i);
        run.key = runs[i].key;
        assert_int_equal(add_run(fixture, &run), NO_ERROR);
        assert_int_equal(finish_run(fixture, id, &end), NO_ERROR);
    }
    assert_int_equal(list_usage(fixture, 1), NO_ERROR);
    assert_int_equal(fixture->count, 2);
    assert_int_equal(fixture->usages[0].key, 1);
    assert_int_equal(fixture->usages[0].day, 1);
    assert_int_equal(fixture->usages[0].runs, 2);
    assert_int_equal(fixture->usages[0].run_ms, 500);
    assert_int_equal(fixture->usages[0].cpu_ms, 80);
    assert_int_equal(fixture->usages[1].key, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up_open, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_comes_back_as_it_was_given),
        TEST(its_end_comes_back_too),
        TEST(a_large_run_comes_back_whole),
        TEST(events_that_are_longer_than_asked_for_stay_where_they_are),
        TEST(a_run_that_is_not_there_is_not_found),
        TEST(an_id_is_taken_once),
        TEST(a_run_finishes_once),
        TEST(an_end_is_stored_whole_or_not_at_all),
        TEST(the_same_request_of_a_key_is_one_run),
        TEST(the_same_request_is_found_before_anything_is_added),
        TEST(an_idempotency_key_is_known_as_long_as_its_run),
        TEST(two_runs_of_a_key_have_no_idempotency_key_in_common),
        TEST(a_run_goes_with_all_that_is_its),
        TEST(a_run_that_was_left_is_interrupted),
        TEST(a_run_that_may_go_on_elsewhere_stays_open),
        TEST(a_run_is_interrupted_only_while_it_goes_on),
        TEST(results_come_in_the_order_of_calls),
        TEST(what_was_asked_for_is_done_before_the_store_goes),
        TEST(usage_is_counted_by_key_and_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
