/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "account_fixture.h"
#include "base/cleanup.h"
#include "base/util.h"

static void without_keys_everybody_is_nobody_in_particular(void **state)
{
    struct fixture *fixture = *state;
    static const char *const tokens[] = {NULL, "", "constructor", "anything"};
    fixture_open(fixture, NULL);
    assert_false(accounts_have_keys(fixture->accounts));
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        struct caller caller = {.key = 7};
        assert_int_equal(accounts_by_token(fixture->accounts, tokens[i], &caller, NULL), 0);
        assert_int_equal(caller.key, 0);
        assert_int_equal(caller.scopes, STORE_SCOPE_RUN | STORE_SCOPE_FILES | STORE_SCOPE_ADMIN);
        assert_string_equal(caller.label, "");
    }
}

static void every_wrong_token_fails_alike(void **state)
{
    struct fixture *fixture = *state;
    char lengthy[100001];
    memset(lengthy, 'x', sizeof lengthy);
    lengthy[sizeof lengthy - 1] = '\0';
    static const char *const wrong[] = {
        "",          " ",          "sesam",     "sesame ",   "sesame2",        " sesame",
        "Sesame",    "esame",      "__proto__", "toString",  "constructor",    "hasOwnProperty",
        "prototype", "sesame,b",   "sesame:ci", "null",      "undefined",      "0",
        "\xff\xfe",  "Bearer ses", "ci",        "sesame\x1", "sesame\nsesame",
    };
    (void)fake_store_add(fixture->store, "rk_other", "other");
    fixture_open(fixture, "sesame:ci");
    assert_true(fixture_key(fixture, "sesame") > 0);
    assert_int_equal(fixture_key(fixture, "rk_other"), 1);
    assert_int_equal(fixture_key(fixture, NULL), 0);
    assert_int_equal(fixture_key(fixture, lengthy), 0);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(fixture_key(fixture, wrong[i]), 0);
}

static void a_thousand_keys_are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    static char tokens[1000][16];
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        (void)snprintf(tokens[i], sizeof tokens[i], "token-%zu", i);
        (void)fake_store_add(fixture->store, tokens[i], "one of many");
    }
    fixture_open(fixture, NULL);
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++)
        assert_int_equal(fixture_key(fixture, tokens[i]), i + 1);
}

static void keys_of_the_store_are_known_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct caller caller;
    struct store_key *key = fake_store_add(fixture->store, "rk_a", "ci");
    key->scopes = STORE_SCOPE_ADMIN;
    fixture_open(fixture, NULL);
    assert_true(accounts_have_keys(fixture->accounts));
    assert_int_equal(accounts_by_token(fixture->accounts, "rk_a", &caller, NULL), 0);
    assert_int_equal(caller.key, 1);
    assert_int_equal(caller.scopes, STORE_SCOPE_ADMIN);
    assert_string_equal(caller.label, "ci");
}

static void a_store_that_cannot_be_read_keeps_us_from_starting(void **state)
{
    struct fixture *fixture = *state;
    struct accounts_config config = {0};
    struct err err = {0};
    fixture->store->fails = true;
    assert_null(accounts_new(fixture->loop, fixture->store, &config, &err));
    assert_string_equal(err.text, "the keys cannot be read: the disk is gone");
}

static void keys_made_and_revoked_elsewhere_count_within_two_seconds(void **state)
{
    struct fixture *fixture = *state;
    struct store_key *first = fake_store_add(fixture->store, "rk_a", "a");
    fixture_open(fixture, "env");
    fixture_pass(fixture, 0);
    (void)fake_store_answer(fixture->store);
    (void)fake_store_add(fixture->store, "rk_b", "b");
    first->revoked_ms = fixture_unix_ms;
    assert_int_equal(fixture_key(fixture, "rk_b"), 0);
    fixture_pass(fixture, 1000);
    assert_int_equal(fake_store_answer(fixture->store), 1);
    assert_int_equal(fixture_key(fixture, "rk_b"), 2);
    assert_int_equal(fixture_key(fixture, "rk_a"), 0);
    assert_true(fixture_key(fixture, "env") > 0); /* no row of the store, and there */
}

static void the_store_is_asked_one_question_at_a_time(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture, NULL);
    fixture_pass(fixture, 10000);
    assert_int_equal(fake_store_answer(fixture->store), 2); /* usage, keys */
    fixture_pass(fixture, 3000);
    assert_int_equal(fake_store_answer(fixture->store), 1);
}

static void an_error_of_the_store_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    (void)fake_store_add(fixture->store, "rk_a", "a");
    fixture_open(fixture, NULL);
    fixture->store->fails = true;
    fixture_pass(fixture, 5000);
    (void)fake_store_answer(fixture->store);
    assert_int_equal(fixture_key(fixture, "rk_a"), 1);
}

static void a_row_that_is_gone_is_no_key_any_more(void **state)
{
    struct fixture *fixture = *state;
    (void)fake_store_add(fixture->store, "rk_a", "a");
    fixture_open(fixture, NULL);
    fixture->store->count = 0;
    fixture->store->changed = true;
    fixture_pass(fixture, 0);
    (void)fake_store_answer(fixture->store);
    assert_int_equal(fixture_key(fixture, "rk_a"), 0);
    assert_true(accounts_have_keys(fixture->accounts));
}

static void revoking_the_last_key_opens_no_door(void **state)
{
    struct fixture *fixture = *state;
    struct store_key *key = fake_store_add(fixture->store, "rk_a", "a");
    fixture_open(fixture, NULL);
    key->revoked_ms = fixture_unix_ms;
    fixture_pass(fixture, 0);
    (void)fake_store_answer(fixture->store);
    assert_true(accounts_have_keys(fixture->accounts));
    assert_int_equal(fixture_key(fixture, "rk_a"), 0);
    assert_int_equal(fixture_key(fixture, NULL), 0);
}

static void a_key_expires(void **state)
{
    struct fixture *fixture = *state;
    fake_store_add(fixture->store, "rk_a", "a")->expires_ms = fixture_unix_ms + 5000;
    fixture_open(fixture, NULL);
    assert_int_equal(fixture_key(fixture, "rk_a"), 1);
    fixture_unix_ms += 5000;
    assert_int_equal(fixture_key(fixture, "rk_a"), 0);
    assert_true(accounts_have_keys(fixture->accounts));
}

static void the_last_key_that_is_revoked_leaves_the_doors_shut(void **state)
{
    struct fixture *fixture = *state;
    fake_store_add(fixture->store, "rk_a", "a")->revoked_ms = 1;
    fixture_open(fixture, NULL); /* a start later */
    assert_true(accounts_have_keys(fixture->accounts));
    assert_int_equal(fixture_key(fixture, "rk_a"), 0);
}

static void a_key_of_both_places_lives_while_one_does(void **state)
{
    struct fixture *fixture = *state;
    fake_store_add(fixture->store, "sesame", "a")->revoked_ms = 1;
    fixture_open(fixture, "sesame:b");
    assert_true(fixture_key(fixture, "sesame") > 1);
}

static void count_calls(void *context)
{
    ++*(int *)context;
}

struct reloads {
    int done;
    int failed;
};

static void count_reloads(void *context, const struct err *err)
{
    struct reloads *reloads = context;
    if (err)
        reloads->failed++;
    else
        reloads->done++;
}

static void what_was_opened_is_good_as_long_as_its_key(void **state)
{
    struct fixture *fixture = *state;
    int looks = 0;
    fixture_open(fixture, NULL);
    accounts_on_looked(fixture->accounts, count_calls, &looks);
    assert_true(accounts_is_good(fixture->accounts, 0));
    assert_int_equal(accounts_scopes(fixture->accounts, 0),
                     STORE_SCOPE_RUN | STORE_SCOPE_FILES | STORE_SCOPE_ADMIN);
    assert_false(accounts_is_good(fixture->accounts, 1));
    struct store_key *key = fake_store_add(fixture->store, "rk_a", "a");
    key->expires_ms = fixture_unix_ms + 5000;
    accounts_reload(fixture->accounts, NULL, NULL);
    (void)fake_store_answer(fixture->store);
    assert_int_equal(looks, 1);
    assert_false(accounts_is_good(fixture->accounts, 0));
    assert_int_equal(accounts_scopes(fixture->accounts, 0), 0);
    assert_true(accounts_is_good(fixture->accounts, 1));
    assert_int_equal(accounts_scopes(fixture->accounts, 1), STORE_SCOPE_RUN | STORE_SCOPE_FILES);
    fixture_pass(fixture, 5000); /* nobody has changed a row, and somebody is told to look */
    (void)fake_store_answer(fixture->store);
    assert_int_equal(looks, 2);
    assert_false(accounts_is_good(fixture->accounts, 1));
    assert_int_equal(accounts_scopes(fixture->accounts, 1), 0);
}

static void a_reload_says_when_it_is_done(void **state)
{
    struct fixture *fixture = *state;
    struct reloads reloads = {0};
    fixture_open(fixture, "env");
    (void)fake_store_add(fixture->store, "rk_a", "a");
    accounts_reload(fixture->accounts, count_reloads, &reloads);
    assert_int_equal(fixture_key(fixture, "rk_a"), 0);
    assert_int_equal(reloads.done, 0);
    (void)fake_store_answer(fixture->store);
    assert_int_equal(reloads.done, 1);
    assert_int_equal(fixture_key(fixture, "rk_a"), 1);
    fixture->store->fails = true;
    accounts_reload(fixture->accounts, count_reloads, &reloads);
    (void)fake_store_answer(fixture->store);
    assert_int_equal(reloads.failed, 1);
    accounts_reload(fixture->accounts, count_reloads, &reloads);
    accounts_free(take_ptr(&fixture->accounts));
    (void)fake_store_answer(fixture->store);
    assert_int_equal(reloads.done + reloads.failed, 2);
}

static void without_a_store_a_reload_is_done_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct accounts_config config = {.api_keys = "a"};
    struct reloads reloads = {0};
    struct accounts *accounts = accounts_new(fixture->loop, NULL, &config, NULL);
    accounts_reload(accounts, count_reloads, &reloads);
    assert_int_equal(reloads.done, 1);
    assert_int_equal(fake_loop_objects(fixture->loop), 0);
    accounts_free(accounts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_keys_everybody_is_nobody_in_particular),
        TEST(every_wrong_token_fails_alike),
        TEST(a_thousand_keys_are_told_apart),
        TEST(keys_of_the_store_are_known_at_once),
        TEST(a_store_that_cannot_be_read_keeps_us_from_starting),
        TEST(keys_made_and_revoked_elsewhere_count_within_two_seconds),
        TEST(the_store_is_asked_one_question_at_a_time),
        TEST(an_error_of_the_store_changes_nothing),
        TEST(a_row_that_is_gone_is_no_key_any_more),
        TEST(revoking_the_last_key_opens_no_door),
        TEST(a_key_expires),
        TEST(the_last_key_that_is_revoked_leaves_the_doors_shut),
        TEST(a_key_of_both_places_lives_while_one_does),
        TEST(what_was_opened_is_good_as_long_as_its_key),
        TEST(a_reload_says_when_it_is_done),
        TEST(without_a_store_a_reload_is_done_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
