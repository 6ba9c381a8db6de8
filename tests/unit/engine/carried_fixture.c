/* SPDX-License-Identifier: MIT */
#include "carried_fixture.h"

struct carried carried;

int carried_set_up(void **state)
{
    (void)state;
    fake_carrier_init(&carried.carrier);
    fixture_init_carried(&carried.fixture, &carried.carrier.carrier, CARRIED_QUEUE);
    carried.carrier.engine = carried.fixture.engine;
    carried.client = (struct client){0};
    return 0;
}

int carried_tear_down(void **state)
{
    (void)state;
    if (carried.client.reader)
        client_fini(&carried.client);
    fixture_fini(&carried.fixture);
    fake_carrier_fini(&carried.carrier);
    return 0;
}

struct run_spec carried_live_spec(void)
{
    struct run_spec spec = spec_of(&interpreted);
    spec.profile = PROFILE_LIVE;
    spec.streaming = true;
    spec.unattended_ms = CARRIED_UNATTENDED_MS;
    return spec;
}

struct run *carried_accepted(const struct run_spec *spec, enum reader_form form)
{
    struct run *run = submit_and_settle(&carried.fixture, spec);
    run_carried_accepted(run);
    client_attach(&carried.client, run, 0, form);
    return run;
}

void carried_end(struct run *run)
{
    struct run_result result = {.verdict = VERDICT_SUCCEEDED, .reason = "it exited with 0"};
    run_carried_ended(run, &result, NULL, 0);
    fake_loop_settle(carried.fixture.loop);
}

void carried_say(struct run *run, enum event_kind kind, const char *text)
{
    run_carried_output(run, kind, slice_of(text));
    fake_loop_settle(carried.fixture.loop);
}

void carried_say_bytes(struct run *run, size_t len)
{
    static char bytes[CARRIED_STEP];
    for (size_t part; len > 0; len -= part) {
        part = MIN(len, sizeof bytes);
        run_carried_output(run, EVENT_STDOUT, (struct slice){bytes, part});
    }
}

struct fake_cargo *carried_cargo_of(const struct run *run)
{
    struct fake_cargo *cargo = fake_cargo_of(&carried.carrier, run);
    assert_non_null(cargo);
    return cargo;
}
