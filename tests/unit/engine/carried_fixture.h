/* SPDX-License-Identifier: MIT */
/* carried_fixture.h — an engine whose runs go to a fake carrier, with one client. */
#ifndef RUNNEL_TESTS_CARRIED_FIXTURE_H
#define RUNNEL_TESTS_CARRIED_FIXTURE_H

#include "fake_carrier.h"
#include "fixture.h"

enum { CARRIED_STEP = 64 * 1024, CARRIED_UNATTENDED_MS = 2000, CARRIED_QUEUE = 3 };

struct carried {
    struct fixture fixture;
    struct fake_carrier carrier;
    struct client client;
};
extern struct carried carried;

int carried_set_up(void **state);
int carried_tear_down(void **state); /* checks that nothing is left */

struct run_spec carried_live_spec(void); /* streaming */
/* Submitted, accepted, and with the client attached. */
struct run *carried_accepted(const struct run_spec *spec, enum reader_form form);
struct fake_cargo *carried_cargo_of(const struct run *run); /* fails when it is freed */
void carried_say(struct run *run, enum event_kind kind, const char *text);
void carried_say_bytes(struct run *run, size_t len);
void carried_end(struct run *run);

#endif
