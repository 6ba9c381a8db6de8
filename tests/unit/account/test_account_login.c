/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "account_fixture.h"
#include "base/util.h"

static struct caller log_in(struct fixture *fixture, const char *token, char *cookie)
{
    struct caller caller;
    assert_int_equal(accounts_by_token(fixture->accounts, token, &caller, NULL), 0);
    assert_int_equal(accounts_make_cookie(fixture->accounts, &caller, cookie, NULL), 0);
    return caller;
}

static int by_cookie(struct fixture *fixture, const char *cookie)
{
    struct caller caller = {0};
    struct err err = {0};
    int rc = accounts_by_cookie(fixture->accounts, cookie, &caller, &err);
    assert_int_equal(rc == 0 ? 0 : ERR_UNAUTHORIZED, err.code);
    return rc;
}

static void a_cookie_is_the_key_that_it_was_made_from(void **state)
{
    struct fixture *fixture = *state;
    char cookie[ACCOUNT_COOKIE_SIZE];
    char other[ACCOUNT_COOKIE_SIZE];
    struct caller back;
    (void)fake_store_add(fixture->store, "rk_a", "ci");
    fixture_open(fixture, "sesame:env");
    (void)log_in(fixture, "rk_a", cookie);
    assert_int_equal(accounts_by_cookie(fixture->accounts, cookie, &back, NULL), 0);
    assert_int_equal(back.key, 1);
    assert_string_equal(back.label, "ci");
    assert_int_equal(back.scopes, STORE_SCOPE_RUN | STORE_SCOPE_FILES);
    (void)log_in(fixture, "rk_a", other);
    assert_string_not_equal(cookie, other);
    struct caller env = log_in(fixture, "sesame", cookie);
    assert_true(strlen(cookie) < 128);
    assert_int_equal(accounts_by_cookie(fixture->accounts, cookie, &back, NULL), 0);
    assert_int_equal(back.key, env.key);
    fixture_open(fixture, "sesame:env"); /* a restart */
    assert_int_equal(by_cookie(fixture, cookie), 0);
}

static void no_bit_of_a_cookie_may_differ(void **state)
{
    struct fixture *fixture = *state;
    char cookie[ACCOUNT_COOKIE_SIZE];
    (void)fake_store_add(fixture->store, "rk_a", "ci");
    fixture_open(fixture, NULL);
    (void)log_in(fixture, "rk_a", cookie);
    size_t len = strlen(cookie);
    for (size_t i = 0; i < len; i++) {
        char changed[ACCOUNT_COOKIE_SIZE];
        memcpy(changed, cookie, sizeof changed);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_int_equal(by_cookie(fixture, changed), -1);
        memcpy(changed, cookie, sizeof changed);
        changed[i] = '\0';
        assert_int_equal(by_cookie(fixture, changed), -1);
    }
    char longer[2 * ACCOUNT_COOKIE_SIZE];
    (void)snprintf(longer, sizeof longer, "%sA", cookie);
    assert_int_equal(by_cookie(fixture, longer), -1);
    (void)snprintf(longer, sizeof longer, "%s%s", cookie, cookie);
    assert_int_equal(by_cookie(fixture, longer), -1);
    static const char *const wrong[] = {"", ".", "...", "....", "1", "1.1.1.1", "rk_a"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(by_cookie(fixture, wrong[i]), -1);
}

static void a_cookie_ends_with_its_time(void **state)
{
    struct fixture *fixture = *state;
    char cookie[ACCOUNT_COOKIE_SIZE];
    fixture_open(fixture, "a");
    (void)log_in(fixture, "a", cookie);
    fixture_unix_ms += 3599 * 1000;
    assert_int_equal(by_cookie(fixture, cookie), 0);
    fixture_unix_ms += 1000;
    assert_int_equal(by_cookie(fixture, cookie), -1);
}

static void a_cookie_ends_with_its_key(void **state)
{
    struct fixture *fixture = *state;
    char cookie[ACCOUNT_COOKIE_SIZE];
    struct store_key *key = fake_store_add(fixture->store, "rk_a", "ci");
    fixture_open(fixture, "a");
    (void)log_in(fixture, "rk_a", cookie);
    key->revoked_ms = 1;
    accounts_reload(fixture->accounts, NULL, NULL);
    (void)fake_store_answer(fixture->store);
    assert_int_equal(by_cookie(fixture, cookie), -1);
    (void)log_in(fixture, "a", cookie);
    fixture_open(fixture, "b");
    assert_int_equal(by_cookie(fixture, cookie), -1);
}

static void a_logout_ends_its_login_and_no_other(void **state)
{
    struct fixture *fixture = *state;
    char cookie[ACCOUNT_COOKIE_SIZE];
    char other[ACCOUNT_COOKIE_SIZE];
    char wrong[ACCOUNT_COOKIE_SIZE];
    fixture_open(fixture, "a,b");
    (void)log_in(fixture, "a", cookie);
    (void)log_in(fixture, "a", other);
    memcpy(wrong, cookie, sizeof wrong);
    wrong[strlen(wrong) - 1] ^= 1;
    accounts_end_cookie(fixture->accounts, wrong);
    accounts_end_cookie(fixture->accounts, "");
    assert_int_equal(by_cookie(fixture, cookie), 0);
    accounts_end_cookie(fixture->accounts, cookie);
    assert_int_equal(by_cookie(fixture, cookie), -1);
    assert_int_equal(by_cookie(fixture, other), 0);
}

static void no_logout_is_forgotten_for_others_of_its_key(void **state)
{
    struct fixture *fixture = *state;
    static char ended[65][ACCOUNT_COOKIE_SIZE];
    char older[ACCOUNT_COOKIE_SIZE];
    char newer[ACCOUNT_COOKIE_SIZE];
    char anothers[ACCOUNT_COOKIE_SIZE];
    fixture_open(fixture, "a,b");
    (void)log_in(fixture, "a", older);
    (void)log_in(fixture, "b", anothers);
    for (size_t i = 0; i < ARRAY_LEN(ended); i++) {
        fixture_unix_ms += 1000;
        (void)log_in(fixture, "a", ended[i]);
        for (int twice = 0; twice < 2; twice++) /* takes one place */
            accounts_end_cookie(fixture->accounts, ended[i]);
        assert_int_equal(by_cookie(fixture, older), i < 64 ? 0 : -1);
    }
    (void)log_in(fixture, "a", newer);
    for (size_t i = 0; i < ARRAY_LEN(ended); i++)
        assert_int_equal(by_cookie(fixture, ended[i]), -1);
    assert_int_equal(by_cookie(fixture, newer), 0);
    assert_int_equal(by_cookie(fixture, anothers), 0);
}

/* Of a service with this secret. */
static void name_of(struct fixture *fixture, const char *secret,
                    char ret_name[ACCOUNT_COOKIE_NAME_SIZE])
{
    struct accounts_config config = {.cookie_ms = 1000};
    (void)snprintf((char *)config.secret, sizeof config.secret, "%s", secret);
    struct accounts *accounts = accounts_new(fixture->loop, NULL, &config, NULL);
    assert_non_null(accounts);
    (void)snprintf(ret_name, ACCOUNT_COOKIE_NAME_SIZE, "%s", accounts_cookie_name(accounts));
    accounts_free(accounts);
}

static void each_service_has_a_cookie_of_its_own(void **state)
{
    char name[ACCOUNT_COOKIE_NAME_SIZE];
    char again[ACCOUNT_COOKIE_NAME_SIZE];
    char others[ACCOUNT_COOKIE_NAME_SIZE];
    name_of(*state, "s", name);
    name_of(*state, "s", again);
    name_of(*state, "t", others);
    assert_string_equal(name, again);
    assert_string_not_equal(name, others);
    assert_int_equal(strlen(name), ACCOUNT_COOKIE_NAME_SIZE - 1);
    assert_int_equal(
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"),
        strlen(name));
}

static void nobody_in_particular_has_no_cookie(void **state)
{
    struct fixture *fixture = *state;
    struct caller caller;
    char cookie[ACCOUNT_COOKIE_SIZE];
    fixture_open(fixture, NULL);
    assert_int_equal(accounts_by_token(fixture->accounts, NULL, &caller, NULL), 0);
    assert_int_equal(accounts_make_cookie(fixture->accounts, &caller, cookie, NULL), -1);
}

/* --- tickets --- */

static int by_ticket(struct fixture *fixture, const char *ticket)
{
    struct caller caller = {0};
    struct err err = {0};
    int rc = accounts_by_ticket(fixture->accounts, ticket, &caller, &err);
    if (rc < 0)
        assert_string_equal(err.text, "invalid ticket");
    return rc < 0 ? -1 : (int)caller.key;
}

static void make_ticket(struct fixture *fixture, const char *token, char *ticket)
{
    struct caller caller;
    assert_int_equal(accounts_by_token(fixture->accounts, token, &caller, NULL), 0);
    assert_int_equal(accounts_make_ticket(fixture->accounts, &caller, ticket, NULL), 0);
}

static void a_ticket_is_good_once(void **state)
{
    struct fixture *fixture = *state;
    char ticket[ACCOUNT_TICKET_SIZE];
    (void)fake_store_add(fixture->store, "rk_a", "a");
    fixture_open(fixture, NULL);
    make_ticket(fixture, "rk_a", ticket);
    assert_int_equal(strlen(ticket), 43);
    assert_int_equal(by_ticket(fixture, ticket), 1);
    assert_int_equal(by_ticket(fixture, ticket), -1);
    assert_int_equal(by_ticket(fixture, ""), -1);
    assert_int_equal(by_ticket(fixture, "0123456789012345678901234567890123456789012345678901"),
                     -1);
}

static void a_ticket_ends_after_30_s_and_with_its_key(void **state)
{
    struct fixture *fixture = *state;
    char ticket[ACCOUNT_TICKET_SIZE];
    struct store_key *key = fake_store_add(fixture->store, "rk_a", "a");
    fixture_open(fixture, NULL);
    make_ticket(fixture, "rk_a", ticket);
    fixture_pass(fixture, 29999);
    assert_int_equal(by_ticket(fixture, ticket), 1);
    make_ticket(fixture, "rk_a", ticket);
    fixture_pass(fixture, 30000);
    assert_int_equal(by_ticket(fixture, ticket), -1);
    make_ticket(fixture, "rk_a", ticket);
    key->expires_ms = 1;
    accounts_reload(fixture->accounts, NULL, NULL);
    (void)fake_store_answer(fixture->store);
    assert_int_equal(by_ticket(fixture, ticket), -1);
}

static void tickets_are_bounded_and_no_key_takes_all_places(void **state)
{
    struct fixture *fixture = *state;
    static char of_a[65][ACCOUNT_TICKET_SIZE];
    char of_b[ACCOUNT_TICKET_SIZE];
    (void)fake_store_add(fixture->store, "rk_a", "a");
    (void)fake_store_add(fixture->store, "rk_b", "b");
    fixture_open(fixture, NULL);
    make_ticket(fixture, "rk_b", of_b);
    for (size_t i = 0; i < ARRAY_LEN(of_a); i++) {
        fixture_pass(fixture, 1);
        make_ticket(fixture, "rk_a", of_a[i]);
    }
    assert_int_equal(by_ticket(fixture, of_a[0]), -1);
    assert_int_equal(by_ticket(fixture, of_a[1]), 1);
    assert_int_equal(by_ticket(fixture, of_a[64]), 1);
    assert_int_equal(by_ticket(fixture, of_b), 2);
}

static void the_oldest_of_all_tickets_goes(void **state)
{
    struct fixture *fixture = *state;
    static char tickets[1025][ACCOUNT_TICKET_SIZE];
    static char tokens[1025][16];
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        (void)snprintf(tokens[i], sizeof tokens[i], "t%zu", i);
        (void)fake_store_add(fixture->store, tokens[i], "x");
    }
    fixture_open(fixture, NULL);
    for (size_t i = 0; i < ARRAY_LEN(tickets); i++) {
        fixture_pass(fixture, 1);
        make_ticket(fixture, tokens[i], tickets[i]);
    }
    assert_int_equal(by_ticket(fixture, tickets[0]), -1);
    assert_int_equal(by_ticket(fixture, tickets[1]), 2);
    assert_int_equal(by_ticket(fixture, tickets[1024]), 1025);
}

static void without_keys_every_ticket_is_good_and_none_later(void **state)
{
    struct fixture *fixture = *state;
    char ticket[ACCOUNT_TICKET_SIZE];
    fixture_open(fixture, NULL);
    make_ticket(fixture, NULL, ticket);
    assert_int_equal(by_ticket(fixture, "whatever"), 0);
    (void)fake_store_add(fixture->store, "rk_a", "a");
    accounts_reload(fixture->accounts, NULL, NULL);
    (void)fake_store_answer(fixture->store);
    assert_int_equal(by_ticket(fixture, ticket), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cookie_is_the_key_that_it_was_made_from),
        TEST(no_bit_of_a_cookie_may_differ),
        TEST(a_cookie_ends_with_its_time),
        TEST(a_cookie_ends_with_its_key),
        TEST(a_logout_ends_its_login_and_no_other),
        TEST(no_logout_is_forgotten_for_others_of_its_key),
        TEST(each_service_has_a_cookie_of_its_own),
        TEST(nobody_in_particular_has_no_cookie),
        TEST(a_ticket_is_good_once),
        TEST(a_ticket_ends_after_30_s_and_with_its_key),
        TEST(tickets_are_bounded_and_no_key_takes_all_places),
        TEST(the_oldest_of_all_tickets_goes),
        TEST(without_keys_every_ticket_is_good_and_none_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
