/* SPDX-License-Identifier: MIT */
#include "account_fixture.h"

#include <stdlib.h>

#include "account/account_private.h"

uint64_t fixture_unix_ms;

uint64_t account_unix_ms(void)
{
    return fixture_unix_ms;
}

int fixture_set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture_unix_ms = 1800000000ULL * 1000;
    fixture->loop = loop_new();
    fixture->store = calloc(1, sizeof *fixture->store);
    assert_non_null(fixture->store);
    *state = fixture;
    return 0;
}

int fixture_tear_down(void **state)
{
    struct fixture *fixture = *state;
    accounts_free(fixture->accounts);
    (void)fake_store_answer(fixture->store); /* to those that are gone */
    free(fixture->store);
    loop_free(fixture->loop);
    free(fixture);
    return 0;
}

void fixture_open(struct fixture *fixture, const char *api_keys)
{
    struct accounts_config config = {.api_keys = api_keys, .secret = "s", .cookie_ms = 3600 * 1000};
    struct err err = {0};
    accounts_free(fixture->accounts);
    fixture->accounts = accounts_new(fixture->loop, fixture->store, &config, &err);
    assert_string_equal(err.text, "");
    assert_non_null(fixture->accounts);
}

void fixture_pass(struct fixture *fixture, uint64_t ms)
{
    fixture_unix_ms += ms;
    fake_loop_advance(fixture->loop, ms);
}

uint64_t fixture_key(struct fixture *fixture, const char *token)
{
    struct caller caller = {0};
    struct err err = {0};
    if (accounts_by_token(fixture->accounts, token, &caller, &err) == 0)
        return caller.key;
    assert_int_equal(err.code, ERR_UNAUTHORIZED);
    assert_string_equal(err.text, token ? "invalid token" : "missing bearer token");
    return 0;
}
