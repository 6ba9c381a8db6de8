/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "account_fixture.h"
#include "base/util.h"

struct seen {
    char text[512];
};

static void on_state(void *context, const struct account_state *state)
{
    struct seen *seen = context;
    size_t used = strlen(seen->text);
    static const unsigned char nothing[STORE_DIGEST_SIZE];
    assert_memory_equal(state->key->token_digest, nothing, sizeof nothing);
    assert_true(state->from_environment);
    assert_true(state->key->number >= 1ULL << 62 && state->key->number < 1ULL << 63);
    (void)snprintf(seen->text + used, sizeof seen->text - used, "%s:%u:%u:%u|", state->key->label,
                   (unsigned)state->key->rate_milli, (unsigned)state->key->burst,
                   state->key->scopes);
}

static void entries_are_read_with_their_defaults(void **state)
{
    static const struct {
        const char *text;
        const char *read;
    } rows[] = {
        {"dev_123", "default:5000:10:3|"},
        {"dev_123:dev:5:10", "dev:5000:10:3|"},
        {" a:one , b:two:0.5,c::7:3", "one:5000:10:3|two:500:10:3|default:7000:3:3|"},
        {"a:::2,", "default:5000:2:3|"},
        {",a:b c:1000000:1000000", "b c:1000000000:1000000:3|"},
        {"a:caf\xc3\xa9", "caf\xc3\xa9:5000:10:3|"},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct seen seen = {0};
        fixture_open(fixture, rows[i].text);
        accounts_list(fixture->accounts, on_state, &seen);
        assert_string_equal(seen.text, rows[i].read);
        assert_true(accounts_have_keys(fixture->accounts));
    }
}

static void mistakes_name_the_entry_and_never_show_it(void **state)
{
    static const struct {
        const char *text;
        const char *entry;
    } rows[] = {
        {"sesame:ci:x", "entry 1 "},
        {"a,sesame:ci:0", "entry 2 "},
        {"a,sesame:ci:-1", "entry 2 "},
        {"a,b,sesame:ci:1:0", "entry 3 "},
        {"sesame:ci:1:1.5", "entry 1 "},
        {"sesame:ci:1:1000001", "entry 1 "},
        {"sesame:ci:1000001", "entry 1 "},
        {"sesame:ci:1:2:3", "entry 1 "},
        {"a,:sesame", "entry 2 "},
        {"se same:ci", "entry 1 "},
        {"sesam\xc3\xa9", "entry 1 "},
        {"sesame,b,sesame:again", "entry 3 "},
        {"sesame:c\x01i", "entry 1 "},
        {"sesame:\xff", "entry 1 "},
        {"sesame:0123456789012345678901234567890123456789012345678901234567890123", "entry 1 "},
        {",, ,", "there is no key in it"},
        {"sesame:ci:NaN", "entry 1 "},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct accounts_config config = {.api_keys = rows[i].text};
        struct err err = {0};
        assert_null(accounts_new(fixture->loop, NULL, &config, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.text, rows[i].entry));
        assert_null(strstr(err.text, "sesam"));
    }
}

static void a_token_is_the_same_key_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture, "a,b,c");
    uint64_t before = fixture_key(fixture, "b");
    fixture_open(fixture, "b:renamed");
    assert_int_equal(fixture_key(fixture, "b"), before);
    assert_int_equal(fixture_key(fixture, "a"), 0);
}

static void such_keys_are_no_administrators(void **state)
{
    struct fixture *fixture = *state;
    struct caller caller;
    fixture_open(fixture, "a:ci");
    assert_int_equal(accounts_by_token(fixture->accounts, "a", &caller, NULL), 0);
    assert_int_equal(caller.scopes, STORE_SCOPE_RUN | STORE_SCOPE_FILES);
    assert_string_equal(caller.label, "ci");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_are_read_with_their_defaults),
        TEST(mistakes_name_the_entry_and_never_show_it),
        TEST(a_token_is_the_same_key_after_a_restart),
        TEST(such_keys_are_no_administrators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
