/* SPDX-License-Identifier: MIT */
#include "base/util.h"
#include "webhook/webhook_private.h"
#include "webhook_fixture.h"

/* The example that standardwebhooks.com and the libraries of its form are tested with:
 * the secret "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", decoded. */
static void the_published_example_has_its_signature(void **state)
{
    (void)state;
    static const char secret[] = "\x31\xf2\x90\xf6\xbf\x06\x29\x8a\xab\x4f\x08\xd4"
                                 "\x3c\x3f\x08\x2c\xf6\x48\xa3\x62\xda\x2d\xa4\xb0";
    char signature[WEBHOOK_SIGNATURE_SIZE];
    webhook_sign((struct slice){secret, sizeof secret - 1}, "msg_p5jXN8AQM9LWM0D4loKWxJek",
                 1614265330, slice_of("{\"test\": 2432232314}"), signature);
    assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void every_part_is_signed(void **state)
{
    (void)state;
    static const struct {
        const char *secret;
        const char *id;
        uint64_t timestamp;
        const char *body;
    } rows[] = {
        {"s", "a", 1, "b"}, {"t", "a", 1, "b"}, {"s", "c", 1, "b"},
        {"s", "a", 2, "b"}, {"s", "a", 1, "d"}, {"s", "a", 1, ""},
    };
    char signatures[ARRAY_LEN(rows)][WEBHOOK_SIGNATURE_SIZE];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        webhook_sign(slice_of(rows[i].secret), rows[i].id, rows[i].timestamp,
                     slice_of(rows[i].body), signatures[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(signatures[i], signatures[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_example_has_its_signature),
        cmocka_unit_test(every_part_is_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
