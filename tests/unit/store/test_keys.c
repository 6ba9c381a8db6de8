/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "fixture.h"

static struct store_key some_key(unsigned char token)
{
    struct store_key key = {
        .label = "ci",
        .scopes = STORE_SCOPE_RUN | STORE_SCOPE_FILES,
        .rate_milli = 5000,
        .burst = 10,
        .concurrency = 4,
        .daily_run_ms = 3600000,
        .created_ms = 1000,
        .expires_ms = 9000,
    };
    memset(key.token_digest, token, sizeof key.token_digest);
    return key;
}

static void a_key_comes_back_as_it_was_given(void **state)
{
    struct fixture *fixture = *state;
    struct store_key key = some_key(1);
    assert_int_equal(add_key(fixture, &key), NO_ERROR);
    assert_int_equal(list_keys(fixture, false), NO_ERROR);
    assert_int_equal(fixture->count, 1);
    const struct store_key *stored = &fixture->keys[0];
    assert_int_not_equal(stored->number, 0);
    assert_string_equal(stored->label, "ci");
    assert_memory_equal(stored->token_digest, key.token_digest, sizeof key.token_digest);
    assert_int_equal(stored->scopes, key.scopes);
    assert_int_equal(stored->rate_milli, 5000);
    assert_int_equal(stored->burst, 10);
    assert_int_equal(stored->concurrency, 4);
    assert_int_equal(stored->daily_run_ms, 3600000);
    assert_int_equal(stored->created_ms, 1000);
    assert_int_equal(stored->expires_ms, 9000);
    assert_int_equal(stored->revoked_ms, 0);
}

static void a_token_is_one_key(void **state)
{
    struct fixture *fixture = *state;
    struct store_key key = some_key(1);
    assert_int_equal(add_key(fixture, &key), NO_ERROR);
    assert_int_equal(add_key(fixture, &key), ERR_CONFLICT);
    assert_string_equal(fixture->err.text, "this token is known already");
}

static void a_key_is_revoked_once(void **state)
{
    struct fixture *fixture = *state;
    struct store_key key = some_key(1);
    assert_int_equal(add_key(fixture, &key), NO_ERROR);
    assert_int_equal(revoke_key(fixture, 1, 5000), NO_ERROR);
    assert_int_equal(revoke_key(fixture, 1, 6000), NO_ERROR);
    assert_int_equal(revoke_key(fixture, 2, 6000), ERR_NOT_FOUND);
    assert_int_equal(list_keys(fixture, false), NO_ERROR);
    assert_int_equal(fixture->keys[0].revoked_ms, 5000);
}

static void a_list_says_whether_something_has_changed(void **state)
{
    struct fixture *fixture = *state;
    struct store_key key = some_key(1);
    struct store_run run = some_run("run_1", 1000);
    assert_int_equal(list_keys(fixture, true), NO_ERROR);
    assert_false(fixture->unchanged); /* never asked before */
    assert_int_equal(fixture->count, 0);
    assert_int_equal(list_keys(fixture, true), NO_ERROR);
    assert_true(fixture->unchanged);
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    assert_int_equal(list_keys(fixture, true), NO_ERROR);
    assert_true(fixture->unchanged);
    assert_int_equal(add_key(fixture, &key), NO_ERROR);
    assert_int_equal(list_keys(fixture, true), NO_ERROR);
    assert_false(fixture->unchanged);
    assert_int_equal(fixture->count, 1);
    assert_int_equal(revoke_key(fixture, 1, 5000), NO_ERROR);
    assert_int_equal(list_keys(fixture, false), NO_ERROR);
    assert_int_equal(list_keys(fixture, true), NO_ERROR);
    assert_true(fixture->unchanged);
}

/* --- another process --- */

static size_t keys_seen;

static void count_keys(void *context, const struct store_key *keys, size_t count,
                       const struct err *err)
{
    (void)context, (void)keys, (void)err;
    keys_seen = count;
}

/* What `runnel key create` does; the exit status says how it went. */
static int be_beside(const char *dir, unsigned char token, bool revoke_first)
{
    struct store *store = NULL;
    struct store_key key = some_key(token);
    uint64_t number = 0;
    if (store_open_beside(dir, &store, NULL) < 0)
        return 1;
    if (revoke_first && store_key_revoke_now(store, 1, 5000, NULL) < 0)
        return 2;
    if (store_key_add_now(store, &key, &number, NULL) < 0 || number == 0)
        return 3;
    if (store_key_list_now(store, count_keys, NULL, NULL) < 0 || keys_seen == 0)
        return 4;
    store_free(store);
    return 0;
}

/* A program of its own: SQLite's locks, and what a thread holds, do not bear a mere fork. */
static int add_beside(const char *dir, unsigned char token, bool revoke_first)
{
    char word[4];
    (void)snprintf(word, sizeof word, "%u", token);
    pid_t child = fork();
    if (child == 0) {
        (void)execl("/proc/self/exe", "test_keys", dir, word, revoke_first ? "revoke" : NULL, NULL);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_key_of_another_process_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    assert_int_equal(list_keys(fixture, true), NO_ERROR);
    assert_int_equal(add_beside(fixture->dir, 1, false), 0);
    assert_int_equal(list_keys(fixture, true), NO_ERROR);
    assert_false(fixture->unchanged);
    assert_int_equal(fixture->count, 1);
    assert_int_equal(add_beside(fixture->dir, 2, true), 0);
    assert_int_equal(list_keys(fixture, true), NO_ERROR);
    assert_int_equal(fixture->count, 2);
    assert_int_equal(fixture->keys[0].revoked_ms, 5000);
    assert_int_equal(list_keys(fixture, true), NO_ERROR);
    assert_true(fixture->unchanged);
    struct store_run run = some_run("run_1", 1000); /* and the service goes on */
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
}

static void a_key_can_be_made_before_the_first_start(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(add_beside(fixture->dir, 1, false), 0);
    fixture_open(fixture);
    assert_int_equal(list_keys(fixture, true), NO_ERROR);
    assert_int_equal(fixture->count, 1);
    assert_int_equal(add_beside(fixture->dir, 1, false), 3);
}

static void keys_can_be_made_before_the_thread_starts(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};
    struct store_key key = some_key(1);
    uint64_t number = 0;
    assert_int_equal(store_open(&fixture->config, &fixture->store, &err), 0);
    assert_int_equal(store_key_add_now(fixture->store, &key, &number, &err), 0);
    assert_int_equal(store_key_add_now(fixture->store, &key, NULL, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(store_key_revoke_now(fixture->store, number, 7000, &err), 0);
    assert_int_equal(store_key_revoke_now(fixture->store, 99, 7000, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(store_start(fixture->store, fixture->loop, &err), 0);
    assert_int_equal(list_keys(fixture, false), NO_ERROR);
    assert_int_equal(fixture->keys[0].revoked_ms, 7000);
}

static void a_secret_is_made_once(void **state)
{
    struct fixture *fixture = *state;
    unsigned char first[32];
    unsigned char again[32];
    struct err err = {0};
    assert_int_equal(store_open(&fixture->config, &fixture->store, &err), 0);
    assert_int_equal(store_secret(fixture->store, "signing", first, &err), 0);
    assert_int_equal(store_secret(fixture->store, "signing", again, &err), 0);
    assert_memory_equal(first, again, sizeof first);
    assert_int_equal(store_secret(fixture->store, "cookies", again, &err), 0);
    assert_memory_not_equal(first, again, sizeof first);
    fixture_close(fixture);
    assert_int_equal(store_open(&fixture->config, &fixture->store, &err), 0);
    assert_int_equal(store_secret(fixture->store, "signing", again, &err), 0);
    assert_memory_equal(first, again, sizeof first);
}

#define TEST(name, set_up) cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(int argc, char **argv)
{
    if (argc > 2)
        _exit(be_beside(argv[1], (unsigned char)strtoul(argv[2], NULL, 10), argc > 3));
    const struct CMUnitTest tests[] = {
        TEST(a_key_comes_back_as_it_was_given, fixture_set_up_open),
        TEST(a_token_is_one_key, fixture_set_up_open),
        TEST(a_key_is_revoked_once, fixture_set_up_open),
        TEST(a_list_says_whether_something_has_changed, fixture_set_up_open),
        TEST(a_key_of_another_process_is_noticed, fixture_set_up),
        TEST(a_key_can_be_made_before_the_first_start, fixture_set_up),
        TEST(keys_can_be_made_before_the_thread_starts, fixture_set_up),
        TEST(a_secret_is_made_once, fixture_set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
