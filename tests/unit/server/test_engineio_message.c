/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "engineio_fake.h"

static void nobody_speaks_before_being_connected(void **state)
{
    (void)state;
    static const char *const rows[] = {"42[\"a\"]", "41", "431[]", "42", "4"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fake fake;
        fake_start(&fake, NULL);
        fake_open(&fake);
        assert_false(fake_post(&fake, rows[i]));
        fake_expect(&fake, "");
        assert_int_equal(engineio_count(fake.engineio), 0);
        fake_end(&fake);
    }
}

static void the_owner_may_emit_as_soon_as_the_client_is_connected(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, NULL);
    fake.emit_at_once = "hello";
    fake_open(&fake);
    assert_non_null(fake_poll(&fake, "a"));
    assert_true(fake_post(&fake, "40"));
    fake_expect(&fake, "connected\npoll a: 200 " TEXT_PLAIN " 40{\"sid\":\"…\"}|42[\"hello\"]\n");
    fake_end(&fake);
}

static void a_client_may_disconnect_and_connect_again(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, NULL);
    fake_connect(&fake);
    assert_true(fake_post(&fake, "41"));
    fake_expect(&fake, "closed\n");
    assert_true(fake_post(&fake, "40"));
    fake_expect(&fake, "connected\n");
    assert_true(fake_post(&fake, "41\x1e"
                                 "1"));
    fake_expect(&fake, "closed\n");
    assert_int_equal(engineio_count(fake.engineio), 0);
    fake_end(&fake);
}

static void there_is_only_the_main_namespace(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, NULL);
    fake_open(&fake);
    assert_true(fake_post(&fake, "40/admin,\x1e"
                                 "40/random\x1e"
                                 "40/x,{\"token\":1}"));
    assert_null(fake_poll(&fake, "a"));
    fake_expect(&fake, "poll a: 200 " TEXT_PLAIN " 44/admin,{\"message\":\"Invalid namespace\"}|"
                       "44/random,{\"message\":\"Invalid namespace\"}|"
                       "44/x,{\"message\":\"Invalid namespace\"}\n");
    assert_true(fake_post(&fake, "40/,"));
    fake_expect(&fake, "connected\n");
    fake_end(&fake);
}

static void a_client_can_be_refused(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, NULL);
    fake.refuse_clients = true;
    fake.emit_at_once = "unheard";
    fake_open(&fake);
    assert_true(fake_post(&fake, "40"));
    assert_null(fake_poll(&fake, "a"));
    fake_expect(&fake,
                "connected\npoll a: 200 " TEXT_PLAIN " 44{\"message\":\"Service unavailable\"}\n");
    assert_false(fake_post(&fake, "42[\"a\"]"));
    fake_expect(&fake, "");
    fake_end(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_speaks_before_being_connected),
        cmocka_unit_test(the_owner_may_emit_as_soon_as_the_client_is_connected),
        cmocka_unit_test(a_client_may_disconnect_and_connect_again),
        cmocka_unit_test(there_is_only_the_main_namespace),
        cmocka_unit_test(a_client_can_be_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
