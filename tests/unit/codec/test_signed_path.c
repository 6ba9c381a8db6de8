/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "base/util.h"
#include "codec/signed_path.h"

#define PATH "/v1/files/file_0123456789ab"
#define EXPIRES 1800000000ULL
/* Made by Python's hmac, json and base64, as clients of services of this form check it. */
#define PAYLOAD                                                                  \
    "eyJwYXRoIjoiL3YxL2ZpbGVzL2ZpbGVfMDEyMzQ1Njc4OWFiIiwiZXhwIjoxODAwMDAwMDAwLC" \
    "JtZXRob2QiOiJHRVQifQ"
#define SIG "78579a9358397dbe12a0f6a7cd87395fe3b4221fda17f8d395404f4357e6255e"

static const struct slice keys[] = {{"another-key", 11}, {"local-signing-key", 17}};

static void links_are_written_to_the_byte(void **state)
{
    (void)state;
    struct buf url;
    buf_init(&url, 4096);
    signed_path_write(&url, PATH, EXPIRES, keys[1]);
    assert_string_equal(buf_text(&url), PATH "?payload=" PAYLOAD "&sig=" SIG);
    buf_fini(&url);
}

static void what_is_wrong_is_told_in_known_words(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *payload;
        const char *sig;
        uint64_t now_s;
        const char *wrong;
    } rows[] = {
        {PATH, PAYLOAD, SIG, EXPIRES, NULL},
        {PATH, PAYLOAD, SIG, EXPIRES + 1, "url expired"},
        {PATH, NULL, SIG, 0, "missing signature"},
        {PATH, PAYLOAD, NULL, 0, "missing signature"},
        {PATH, PAYLOAD, "", 0, "invalid signature"},
        {PATH, "", SIG, 0, "invalid signature"},
        {PATH, PAYLOAD, "78579a93", 0, "invalid signature"},
        {PATH, PAYLOAD, SIG "0", 0, "invalid signature"},
        {PATH, PAYLOAD "==", SIG, 0, NULL}, /* some clients pad */
        {PATH, "!!!", SIG, 0, "invalid signature"},
        {"/v1/files/file_0123456789ac", PAYLOAD, SIG, 0, "path mismatch"},
        /* Of the same key: for PUT, and no JSON. */
        {PATH,
         "eyJwYXRoIjoiL3YxL2ZpbGVzL2ZpbGVfMDEyMzQ1Njc4OWFiIiwiZXhwIjoxODAwMDAwMDAwLC"
         "JtZXRob2QiOiJQVVQifQ",
         "065b0021e9c03f05b72fda240cb866d27899dc3dbd8fdff08737ade4fdc15482", 0, "method mismatch"},
        {PATH, "bm8ganNvbg", "a7a08d751f7dfc5e414b1399745c2f9fac2992889b30bc082cbb876a3db292da", 0,
         "invalid signature"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *wrong = signed_path_check(rows[i].path, rows[i].payload, rows[i].sig, keys,
                                              ARRAY_LEN(keys), rows[i].now_s);
        if (!rows[i].wrong)
            assert_null(wrong);
        else if (!wrong || strcmp(wrong, rows[i].wrong) != 0)
            fail_msg("row %zu: %s instead of %s", i, wrong ? wrong : "good", rows[i].wrong);
    }
}

static void what_is_longer_than_any_link_is_none(void **state)
{
    (void)state;
    static char payload[20000];
    memset(payload, 'A', sizeof payload - 1);
    for (size_t len = 600; len < sizeof payload; len += 101) {
        const char *cut = payload + sizeof payload - 1 - len;
        assert_string_equal(signed_path_check(PATH, cut, SIG, keys, ARRAY_LEN(keys), 0),
                            "invalid signature");
    }
}

static void every_changed_letter_is_noticed(void **state)
{
    (void)state;
    char payload[] = PAYLOAD;
    char sig[] = SIG;
    for (size_t i = 0; payload[i]; i++) {
        char right = payload[i];
        payload[i] = right == 'A' ? 'B' : 'A';
        const char *wrong = signed_path_check(PATH, payload, SIG, keys, ARRAY_LEN(keys), 0);
        payload[i] = right;
        /* The last letter's low bits are in no byte: the text is the same. */
        assert_true(wrong || i == strlen(payload) - 1);
    }
    for (size_t i = 0; sig[i]; i++) {
        char right = sig[i];
        sig[i] = right == '0' ? '1' : '0';
        assert_string_equal(signed_path_check(PATH, PAYLOAD, sig, keys, ARRAY_LEN(keys), 0),
                            "invalid signature");
        sig[i] = right;
    }
}

static void a_key_that_was_replaced_opens_what_it_signed(void **state)
{
    (void)state;
    assert_null(signed_path_check(PATH, PAYLOAD, SIG, keys, 2, EXPIRES));
    assert_string_equal(signed_path_check(PATH, PAYLOAD, SIG, keys, 1, EXPIRES),
                        "invalid signature");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_written_to_the_byte),
        cmocka_unit_test(what_is_wrong_is_told_in_known_words),
        cmocka_unit_test(what_is_longer_than_any_link_is_none),
        cmocka_unit_test(every_changed_letter_is_noticed),
        cmocka_unit_test(a_key_that_was_replaced_opens_what_it_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
