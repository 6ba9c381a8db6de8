/* SPDX-License-Identifier: MIT */
/* Lists of runs, against what a filter in C says about the same runs. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "fixture.h"

enum { RUNS = 60, KEYS = 3, PAGE = 7 };

static const char *const languages[] = {"python", "c"};
static const char *const verdicts[] = {"succeeded", "failed", ""};
static const struct store_pair users[] = {{"user", "alice"}, {"user", "bob"}, {"app", "x"}};

/* What run `at` is made of; pairs of runs share their time. */
static struct store_run run_of(int at, char id[STORE_ID_SIZE])
{
    struct store_run run = some_run(id, 1000 + (uint64_t)(at / 2));
    (void)snprintf(id, STORE_ID_SIZE, "run_%d", at);
    run.key = (uint64_t)(at % KEYS);
    run.language = languages[at / 3 % 2];
    run.metadata = at % 4 == 3 ? NULL : &users[at % 2];
    run.metadata_count = at % 4 == 3 ? 0 : at % 4 == 1 ? 2 : 1; /* bob's have app=x, too */
    return run;
}

static const char *verdict_of(int at)
{
    return verdicts[at / 5 % 3];
}

static void fill(struct fixture *fixture)
{
    for (int at = 0; at < RUNS; at++) {
        char id[STORE_ID_SIZE];
        struct store_run run = run_of(at, id);
        struct store_end end = some_end(verdict_of(at), 2000);
        assert_int_equal(add_run(fixture, &run), NO_ERROR);
        if (*end.verdict)
            assert_int_equal(finish_run(fixture, id, &end), NO_ERROR);
    }
}

static bool has_pair(const struct store_run *run, const struct store_pair *wanted)
{
    for (size_t i = 0; i < run->metadata_count; i++) {
        if (strcmp(run->metadata[i].name, wanted->name) == 0 &&
            strcmp(run->metadata[i].value, wanted->value) == 0)
            return true;
    }
    return false;
}

static bool is_wanted(int at, const struct store_filter *filter)
{
    char id[STORE_ID_SIZE];
    struct store_run run = run_of(at, id);
    bool wanted = (filter->any_key || filter->key == run.key) &&
                  (!filter->verdict || strcmp(filter->verdict, verdict_of(at)) == 0) &&
                  (!filter->language || strcmp(filter->language, run.language) == 0) &&
                  run.created_ms >= filter->since_ms &&
                  (filter->until_ms == 0 || run.created_ms < filter->until_ms);
    for (size_t i = 0; i < filter->metadata_count; i++)
        wanted = wanted && has_pair(&run, &filter->metadata[i]);
    return wanted;
}

/* The whole list, page by page, is what the filter in C says, newest first. */
static void check_list(struct fixture *fixture, struct store_filter filter)
{
    char before[STORE_ID_SIZE];
    size_t at_page = 0;
    filter.limit = PAGE;
    fixture->count = 0;
    for (int at = RUNS - 1; at >= 0; at--) {
        char id[STORE_ID_SIZE];
        if (!is_wanted(at, &filter))
            continue;
        struct store_run run = run_of(at, id);
        if (at_page == fixture->count) {
            assert_true(!filter.before || fixture->more);
            assert_int_equal(list_runs(fixture, &filter), NO_ERROR);
            at_page = 0;
        }
        assert_true(at_page < fixture->count);
        const struct stored_run *stored = &fixture->runs[at_page++];
        assert_string_equal(stored->run.id, id);
        assert_int_equal(stored->run.metadata_count, run.metadata_count);
        assert_int_equal(stored->is_finished, *verdict_of(at) != '\0');
        assert_string_equal(stored->end.verdict, verdict_of(at));
        assert_true(slice_equal(stored->run.accepted, run.accepted));
        assert_int_equal(stored->run.request.len, 0);
        assert_int_equal(stored->end.events.len, 0);
        (void)snprintf(before, sizeof before, "%s", id);
        filter.before = before;
    }
    if (!filter.before)
        assert_int_equal(list_runs(fixture, &filter), NO_ERROR);
    assert_int_equal(at_page, fixture->count);
    assert_false(fixture->more);
}

static void every_filter_says_what_a_filter_in_c_says(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    for (unsigned bits = 0; bits < 2 * 4 * 3 * 5 * 4; bits++) {
        unsigned rest = bits;
        struct store_filter filter = {.key = 1, .any_key = rest % 2};
        rest /= 2;
        filter.verdict = rest % 4 < 3 ? verdicts[rest % 4] : NULL;
        rest /= 4;
        filter.language = rest % 3 < 2 ? languages[rest % 3] : NULL;
        rest /= 3;
        filter.metadata = &users[rest % 5 < 3 ? rest % 5 : 1];
        filter.metadata_count = rest % 5 < 3 ? 1 : rest % 5 == 3 ? 2 : 0;
        rest /= 5;
        filter.since_ms = rest % 2 ? 1007 : 0;
        filter.until_ms = rest / 2 ? 1020 : 0;
        check_list(fixture, filter);
    }
}

static void what_no_run_has_gives_an_empty_page(void **state)
{
    static const struct store_pair pair = {"user", "carol"};
    static const struct store_filter filters[] = {
        {.key = 77, .limit = 5},
        {.key = 1, .language = "cobol", .limit = 5},
        {.key = 1, .verdict = "idle_timeout", .limit = 5},
        {.key = 1, .metadata = &pair, .metadata_count = 1, .limit = 5},
        {.key = 1, .since_ms = 5000, .limit = 5},
        {.key = 1, .until_ms = 5, .limit = 5},
    };
    struct fixture *fixture = *state;
    fill(fixture);
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        assert_int_equal(list_runs(fixture, &filters[i]), NO_ERROR);
        assert_int_equal(fixture->count, 0);
        assert_false(fixture->more);
    }
}

static void the_place_of_another_key_s_run_is_not_found(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    struct store_filter filter = {.key = 1, .before = "run_2", .limit = 5};
    assert_int_equal(list_runs(fixture, &filter), ERR_NOT_FOUND);
    filter.any_key = true;
    assert_int_equal(list_runs(fixture, &filter), NO_ERROR);
    assert_int_equal(fixture->count, 2);
}

static void a_page_of_long_runs_ends_early(void **state)
{
    enum { SIZE = 3 * 1024 * 1024 };
    struct fixture *fixture = *state;
    struct store_filter filter = {.key = 1, .limit = 100};
    char *bytes = arena_get(&fixture->memory, SIZE);
    for (int i = 0; i < 6; i++) {
        char id[STORE_ID_SIZE];
        struct store_run run = some_run(id, 1000);
        struct store_end end = some_end("succeeded", 2000);
        (void)snprintf(id, sizeof id, "run_%d", i);
        end.result = (struct slice){bytes, SIZE};
        assert_int_equal(add_run(fixture, &run), NO_ERROR);
        assert_int_equal(finish_run(fixture, id, &end), NO_ERROR);
    }
    assert_int_equal(list_runs(fixture, &filter), NO_ERROR);
    assert_int_equal(fixture->count, 3);
    assert_true(fixture->more);
    filter.before = fixture->runs[2].run.id;
    assert_int_equal(list_runs(fixture, &filter), NO_ERROR);
    assert_int_equal(fixture->count, 3);
    assert_false(fixture->more);
}

static void a_page_has_at_most_a_hundred_runs(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < STORE_PAGE_MAX + 1; i++) {
        char id[STORE_ID_SIZE];
        struct store_run run = some_run(id, 1000);
        (void)snprintf(id, sizeof id, "run_%d", i);
        assert_int_equal(add_run(fixture, &run), NO_ERROR);
    }
    assert_int_equal(list_runs(fixture, &(struct store_filter){.key = 1, .limit = 5000}), NO_ERROR);
    assert_int_equal(fixture->count, STORE_PAGE_MAX);
    assert_true(fixture->more);
}

static void add_copies(const struct fixture *fixture, const char *id, int count)
{
    char path[128];
    char text[1024];
    sqlite3 *db = NULL;
    (void)snprintf(path, sizeof path, "%s/runnel.db", fixture->dir);
    (void)snprintf(text, sizeof text,
                   "CREATE TEMP TABLE copies AS WITH RECURSIVE n(i) AS"
                   " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
                   " SELECT i, number, (SELECT max(number) FROM runs) + i copy FROM n, runs"
                   " WHERE id = '%s';"
                   "INSERT INTO runs(number, id, key, language, verdict, created_ms, bytes)"
                   " SELECT copy, id || i, key, language, verdict, created_ms + i, bytes"
                   " FROM copies CROSS JOIN runs USING(number);"
                   "INSERT INTO metadata SELECT copy, place, pair, key, created_ms + i, name, value"
                   " FROM copies CROSS JOIN metadata ON run = number;"
                   "INSERT INTO answers SELECT copy, accepted, result"
                   " FROM copies CROSS JOIN answers ON run = number;",
                   count, id);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Among as many as that all others would wait for the one thread. */
static void a_filter_that_few_meet_ends_its_walk(void **state)
{
    struct fixture *fixture = *state;
    static const struct store_pair x = {"project", "x"};
    static const struct store_pair y = {"project", "y"};
    static const struct {
        const char *id;
        const struct store_pair *pair;
        const char *verdict;
        uint64_t created_ms;
    } rows[] = {
        {"run_old", &x, "failed", 1000},
        {"run_x", &x, "succeeded", 2000},
        {"run_y", &y, "failed", 2000},
        {"run_new", &x, "failed", 1000000},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct store_run run = some_run(rows[i].id, rows[i].created_ms);
        struct store_end end = some_end(rows[i].verdict, 2000000);
        run.metadata = rows[i].pair;
        run.metadata_count = 1;
        assert_int_equal(add_run(fixture, &run), NO_ERROR);
        assert_int_equal(finish_run(fixture, rows[i].id, &end), NO_ERROR);
    }
    add_copies(fixture, "run_x", 70000);
    add_copies(fixture, "run_y", 70000);
    struct store_filter filter = {
        .key = 1, .verdict = "failed", .metadata = &x, .metadata_count = 1, .limit = 5};
    assert_int_equal(list_runs(fixture, &filter), NO_ERROR);
    assert_int_equal(fixture->count, 1);
    assert_string_equal(fixture->runs[0].run.id, "run_new");
    assert_true(fixture->more);
    filter.before = "run_new";
    assert_int_equal(list_runs(fixture, &filter), ERR_INVALID);
    assert_string_equal(fixture->err.field, "since");
    filter.until_ms = 20000;
    assert_int_equal(list_runs(fixture, &filter), NO_ERROR);
    assert_string_equal(fixture->runs[0].run.id, "run_old");
    assert_false(fixture->more);
    filter = (struct store_filter){.key = 1, .verdict = "failed", .limit = 5};
    assert_int_equal(list_runs(fixture, &filter), NO_ERROR);
    assert_int_equal(fixture->count, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up_open, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_filter_says_what_a_filter_in_c_says),
        TEST(what_no_run_has_gives_an_empty_page),
        TEST(the_place_of_another_key_s_run_is_not_found),
        TEST(a_page_of_long_runs_ends_early),
        TEST(a_page_has_at_most_a_hundred_runs),
        TEST(a_filter_that_few_meet_ends_its_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
