/* SPDX-License-Identifier: MIT */
/* Random calls, and restarts between them, on the store and on a model of it: an
 * array. Both say the same, by fixed seeds. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "fixture.h"

enum { RUNS = 150, FILES = 60, KEYS = 3, TOKENS = 12, CALLS = 3000 };

enum state { ABSENT, ADDED, FINISHED, INTERRUPTED };

struct model_run {
    uint64_t key;
    uint64_t created_ms;
    enum state state;
    unsigned order; /* of its adding */
    int language;
    int verdict;
    int pair;  /* -1: none */
    int token; /* of idempotency, -1: none */
    int digest;
    bool has_webhook;
};

struct model_file {
    bool is_there;
    uint64_t key;
    uint64_t created_ms;
    unsigned order;
    int run; /* -1: uploaded */
};

static const char *const languages[] = {"python", "c", "node"};
static const char *const verdicts[] = {"succeeded", "failed"};
static const struct store_pair pairs[] = {{"user", "alice"}, {"user", "bob"}};

static struct model_run runs[RUNS];
static struct model_file files[FILES];
static unsigned orders;
static uint32_t seed;

static uint32_t roll(uint32_t below)
{
    seed = seed * 1664525U + 1013904223U;
    return (seed >> 8) % below;
}

static const char *run_id(int at)
{
    static char id[STORE_ID_SIZE];
    (void)snprintf(id, sizeof id, "run_%d", at);
    return id;
}

static const char *file_id(int at)
{
    static char id[STORE_ID_SIZE];
    (void)snprintf(id, sizeof id, "file_%d", at);
    return id;
}

static int known_token(uint64_t key, int token)
{
    for (int at = 0; token >= 0 && at < RUNS; at++) {
        if (runs[at].state != ABSENT && runs[at].key == key && runs[at].token == token)
            return at;
    }
    return -1;
}

static void try_add(struct fixture *fixture, int at)
{
    struct model_run model = {
        .state = ADDED,
        .key = roll(KEYS),
        .created_ms = 1000 + roll(50),
        .language = (int)roll(ARRAY_LEN(languages)),
        .pair = (int)roll(3) - 1,
        .token = roll(2) ? (int)roll(TOKENS) : -1,
        .digest = (int)roll(2),
        .has_webhook = roll(4) == 0,
    };
    char token[16];
    struct store_run run = some_run(run_id(at), model.created_ms);
    (void)snprintf(token, sizeof token, "token-%d", model.token);
    run.key = model.key;
    run.language = languages[model.language];
    run.metadata = model.pair >= 0 ? &pairs[model.pair] : NULL;
    run.metadata_count = model.pair >= 0;
    run.idempotency_key = model.token >= 0 ? token : NULL;
    memset(run.request_digest, model.digest, sizeof run.request_digest);
    run.webhook_url = model.has_webhook ? "https://example.org/" : NULL;
    int known = known_token(model.key, model.token);
    enum err_code code = add_run(fixture, &run);
    if (known >= 0) {
        assert_int_equal(code, NO_ERROR);
        assert_string_equal(fixture->existing, run_id(known));
        assert_int_equal(fixture->same_request, runs[known].digest == model.digest);
    } else if (runs[at].state != ABSENT)
        assert_int_equal(code, ERR_CONFLICT);
    else {
        assert_int_equal(code, NO_ERROR);
        assert_string_equal(fixture->existing, "");
        model.order = orders++;
        runs[at] = model;
    }
}

static void try_finish(struct fixture *fixture, int at)
{
    int file_at = (int)roll(FILES);
    bool has_file = roll(2);
    int verdict = (int)roll(ARRAY_LEN(verdicts));
    struct store_end end = some_end(verdicts[verdict], 2000);
    struct store_file file = some_file(file_id(file_at), runs[at].key, 1500);
    end.artifacts = &file;
    end.artifact_count = has_file;
    enum err_code code = finish_run(fixture, run_id(at), &end);
    if (runs[at].state == ABSENT)
        assert_int_equal(code, ERR_NOT_FOUND);
    else if (runs[at].state != ADDED || (has_file && files[file_at].is_there))
        assert_int_equal(code, ERR_CONFLICT);
    else {
        assert_int_equal(code, NO_ERROR);
        runs[at].state = FINISHED;
        runs[at].verdict = verdict;
        if (has_file)
            files[file_at] = (struct model_file){true, runs[at].key, 1500, orders++, at};
    }
}

static void try_remove(struct fixture *fixture, int at)
{
    enum err_code code = remove_run(fixture, run_id(at));
    assert_int_equal(code, runs[at].state == ABSENT ? ERR_NOT_FOUND : NO_ERROR);
    runs[at].state = ABSENT;
    for (int i = 0; i < FILES; i++)
        files[i].is_there = files[i].is_there && files[i].run != at;
}

static const char *verdict_of(const struct model_run *run)
{
    switch (run->state) {
    case FINISHED:
        return verdicts[run->verdict];
    case INTERRUPTED:
        return "internal_error";
    case ABSENT:
    case ADDED:
        break;
    }
    return "";
}

static void check_run(const struct stored_run *stored, int at)
{
    const struct model_run *run = &runs[at];
    assert_string_equal(stored->run.id, run_id(at));
    assert_int_equal(stored->run.key, run->key);
    assert_int_equal(stored->run.created_ms, run->created_ms);
    assert_string_equal(stored->run.language, languages[run->language]);
    assert_int_equal(stored->is_finished, run->state != ADDED);
    assert_int_equal(stored->is_interrupted, run->state == INTERRUPTED);
    assert_string_equal(stored->end.verdict, verdict_of(run));
    assert_int_equal(stored->run.metadata_count, run->pair >= 0);
    if (run->pair >= 0)
        assert_string_equal(stored->run.metadata[0].value, pairs[run->pair].value);
}

static void try_get(struct fixture *fixture, int at)
{
    enum err_code code = get_run(fixture, run_id(at), true);
    size_t artifacts = 0;
    if (runs[at].state == ABSENT) {
        assert_int_equal(code, ERR_NOT_FOUND);
        return;
    }
    assert_int_equal(code, NO_ERROR);
    check_run(&fixture->run, at);
    for (int i = 0; i < FILES; i++)
        artifacts += files[i].is_there && files[i].run == at;
    assert_int_equal(fixture->run.end.artifact_count, artifacts);
}

static bool is_behind(uint64_t created_ms, unsigned order, uint64_t than_ms, unsigned than_order)
{
    return created_ms < than_ms || (created_ms == than_ms && order < than_order);
}

/* The newest that is wanted and behind that place; -1: none. */
static int next_run(const struct store_filter *filter, uint64_t than_ms, unsigned than_order)
{
    int best = -1;
    for (int at = 0; at < RUNS; at++) {
        const struct model_run *run = &runs[at];
        if (run->state == ABSENT || (!filter->any_key && run->key != filter->key) ||
            (filter->verdict && strcmp(filter->verdict, verdict_of(run)) != 0) ||
            (filter->language && strcmp(filter->language, languages[run->language]) != 0) ||
            (filter->metadata_count && (run->pair < 0 || filter->metadata != &pairs[run->pair])) ||
            !is_behind(run->created_ms, run->order, than_ms, than_order))
            continue;
        if (best < 0 ||
            is_behind(runs[best].created_ms, runs[best].order, run->created_ms, run->order))
            best = at;
    }
    return best;
}

static void try_list(struct fixture *fixture, int before)
{
    static const char *const asked[] = {NULL, "", "succeeded", "failed", "internal_error"};
    uint64_t than_ms = UINT64_MAX;
    unsigned than_order = 0;
    struct store_filter filter = {
        .key = roll(KEYS),
        .any_key = roll(2),
        .verdict = asked[roll(ARRAY_LEN(asked))],
        .language = roll(2) ? languages[roll(ARRAY_LEN(languages))] : NULL,
        .metadata = &pairs[roll(2)],
        .metadata_count = roll(2),
        .limit = 1 + roll(20),
    };
    if (runs[before].state != ABSENT && roll(2)) {
        filter.before = run_id(before);
        filter.key = runs[before].key;
        than_ms = runs[before].created_ms;
        than_order = runs[before].order;
    }
    assert_int_equal(list_runs(fixture, &filter), NO_ERROR);
    for (size_t i = 0; i < fixture->count; i++) {
        int expected = next_run(&filter, than_ms, than_order);
        assert_true(expected >= 0);
        check_run(&fixture->runs[i], expected);
        than_ms = runs[expected].created_ms;
        than_order = runs[expected].order;
    }
    assert_true(fixture->count <= filter.limit);
    assert_int_equal(fixture->more, next_run(&filter, than_ms, than_order) >= 0);
    assert_true(fixture->more == (fixture->count == filter.limit) || !fixture->more);
}

static void try_add_file(struct fixture *fixture, int at)
{
    struct model_file model = {true, roll(KEYS), 1000 + roll(20), orders, -1};
    struct store_file file = some_file(file_id(at), model.key, model.created_ms);
    enum err_code code = add_file(fixture, &file);
    assert_int_equal(code, files[at].is_there ? ERR_CONFLICT : NO_ERROR);
    if (files[at].is_there)
        return;
    files[at] = model;
    orders++;
}

static void try_remove_file(struct fixture *fixture, int at)
{
    enum err_code code = remove_file(fixture, file_id(at));
    assert_int_equal(code, files[at].is_there ? NO_ERROR : ERR_NOT_FOUND);
    files[at].is_there = false;
}

static void try_list_files(struct fixture *fixture)
{
    uint64_t key = roll(KEYS);
    size_t expected = 0;
    for (int i = 0; i < FILES; i++)
        expected += files[i].is_there && files[i].run < 0 && files[i].key == key;
    assert_int_equal(list_files(fixture, key, NULL, 100), NO_ERROR);
    assert_int_equal(fixture->count, expected);
    for (size_t i = 1; i < fixture->count; i++)
        assert_true(fixture->files[i].created_ms <= fixture->files[i - 1].created_ms);
}

static void restart(struct fixture *fixture)
{
    fixture_reopen(fixture);
    for (int at = 0; at < RUNS; at++) {
        if (runs[at].state == ADDED)
            runs[at].state = INTERRUPTED;
    }
}

static void check_totals(struct fixture *fixture)
{
    size_t run_count = 0;
    size_t file_count = 0;
    size_t webhook_counts[KEYS] = {0};
    for (int at = 0; at < RUNS; at++) {
        run_count += runs[at].state != ABSENT;
        webhook_counts[runs[at].key] += runs[at].state > ADDED && runs[at].has_webhook;
    }
    for (int i = 0; i < FILES; i++)
        file_count += files[i].is_there;
    assert_int_equal(store_size(fixture->store).runs, run_count);
    assert_int_equal(store_size(fixture->store).files, file_count);
    size_t due_count = 0;
    for (size_t key = 0; key < KEYS; key++)
        due_count += MIN(webhook_counts[key], STORE_WEBHOOKS_OF_KEY);
    assert_int_equal(due_webhooks(fixture, UINT64_MAX / 4, 0), NO_ERROR);
    assert_int_equal(fixture->count, due_count);
}

static void live(struct fixture *fixture, uint32_t from)
{
    seed = from;
    for (int call = 0; call < CALLS; call++) {
        int at = (int)roll(RUNS);
        uint32_t what = roll(100);
        if (what < 30)
            try_add(fixture, at);
        else if (what < 50)
            try_finish(fixture, at);
        else if (what < 58)
            try_remove(fixture, at);
        else if (what < 68)
            try_get(fixture, at);
        else if (what < 80)
            try_list(fixture, at);
        else if (what < 90)
            try_add_file(fixture, at % FILES);
        else if (what < 95)
            try_remove_file(fixture, at % FILES);
        else if (what < 98)
            try_list_files(fixture);
        else if (what < 99)
            check_totals(fixture);
        else
            restart(fixture);
        arena_fini(&fixture->memory);
    }
    check_totals(fixture);
}

static void store_and_model_say_the_same(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t from = 1; from <= 3; from++) {
        fixture_open(fixture);
        memset(runs, 0, sizeof runs);
        memset(files, 0, sizeof files);
        live(fixture, from);
        for (int at = 0; at < RUNS; at++) /* empty for the next seed */
            (void)remove_run(fixture, run_id(at));
        for (int at = 0; at < FILES; at++)
            (void)remove_file(fixture, file_id(at));
        assert_int_equal(store_size(fixture->store).bytes, 0);
        fixture_close(fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(store_and_model_say_the_same, fixture_set_up,
                                        fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
