/* SPDX-License-Identifier: MIT */
/* account_fixture.h — accounts on a fake loop and a fake store, at a wall clock
 * that stands at fixture_unix_ms. */
#ifndef RUNNEL_TESTS_ACCOUNT_FIXTURE_H
#define RUNNEL_TESTS_ACCOUNT_FIXTURE_H

/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "account/account.h"
#include "fake_loop.h"
#include "fake_store.h"

extern uint64_t fixture_unix_ms; /* begins at 2027-01-15 08:00 UTC each time */

struct fixture {
    struct loop *loop;
    struct store *store;
    struct accounts *accounts;
};

int fixture_set_up(void **state);
int fixture_tear_down(void **state);
/* The accounts, after what the store holds and api_keys say; made again when they are. */
void fixture_open(struct fixture *fixture, const char *api_keys);
/* Both clocks. */
void fixture_pass(struct fixture *fixture, uint64_t ms);
/* The number of the key that has this token; 0: it is no good. */
uint64_t fixture_key(struct fixture *fixture, const char *token);

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

#endif
