/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "account_fixture.h"
#include "base/util.h"

static void a_token_is_43_characters_of_base64url_behind_its_prefix(void **state)
{
    (void)state;
    char token[ACCOUNT_TOKEN_SIZE];
    char other[ACCOUNT_TOKEN_SIZE];
    unsigned char digest[32];
    unsigned char again[32];
    assert_int_equal(account_token_new(token, digest, NULL), 0);
    assert_int_equal(account_token_new(other, again, NULL), 0);
    assert_string_not_equal(token, other);
    assert_int_equal(strlen(token), 46);
    assert_memory_equal(token, "rk_", 3);
    assert_int_equal(strspn(token + 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-_"),
                     43);
    account_token_digest(token, again);
    assert_memory_equal(digest, again, sizeof digest);
}

static void the_digest_is_sha256(void **state)
{
    (void)state;
    static const unsigned char of_abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                                           0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                                           0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
                                           0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    unsigned char digest[32];
    account_token_digest("abc", digest);
    assert_memory_equal(digest, of_abc, sizeof digest);
}

static void scopes_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned bits;
        const char *written;
    } rows[] = {
        {"run", STORE_SCOPE_RUN, "run"},
        {"files,run", STORE_SCOPE_RUN | STORE_SCOPE_FILES, "run,files"},
        {"admin,run,files,run", STORE_SCOPE_RUN | STORE_SCOPE_FILES | STORE_SCOPE_ADMIN,
         "run,files,admin"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned bits = 0;
        char text[32];
        assert_int_equal(account_scopes_parse(rows[i].text, &bits, NULL), 0);
        assert_int_equal(bits, rows[i].bits);
        assert_string_equal(account_scopes_text(bits, text), rows[i].written);
    }
    char text[32];
    assert_string_equal(account_scopes_text(0, text), "");
    static const char *const wrong[] = {"",     ",",   "run,", "run,,files", ",run",
                                        "runs", "all", "Run",  "run files"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct err err = {0};
        unsigned bits = 77;
        assert_int_equal(account_scopes_parse(wrong[i], &bits, &err), -1);
        assert_int_equal(bits, 77);
        assert_string_equal(err.field, "scopes");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_43_characters_of_base64url_behind_its_prefix),
        cmocka_unit_test(the_digest_is_sha256),
        cmocka_unit_test(scopes_are_read_and_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
