/* SPDX-License-Identifier: MIT */
/* Many runs on other machines, a carrier and clients that do anything they may, at random
 * but by a fixed seed: every run ends exactly once, and every cargo is freed. */
#include <stdio.h>

#include "fake_carrier.h"
#include "fixture.h"

enum { RUNS = 2000, CLIENTS = 40, QUEUE = 20 };

static uint32_t seed;

static uint32_t roll(uint32_t below)
{
    seed = seed * 1664525U + 1013904223U;
    return (seed >> 8) % below;
}

struct watcher {
    struct client client;
    struct run *run; /* NULL: free to watch another */
};

static struct fixture fixture;
static struct fake_carrier carrier;
static struct watcher watchers[CLIENTS];
static size_t submitted;
static size_t finished;
static size_t adopted;

static void count_finished(void *context, const struct run *run)
{
    (void)context;
    finished += run_state(run) == RUN_FINISHED;
    assert_int_equal(run_result(run) != NULL, run_state(run) == RUN_FINISHED);
}

static void leave(struct watcher *watcher)
{
    if (!watcher->run)
        return;
    client_fini(&watcher->client);
    watcher->run = NULL;
}

static void watch(struct run *run)
{
    struct watcher *watcher = &watchers[roll(CLIENTS)];
    if (watcher->run == run)
        return; /* without its last reader it might be gone */
    leave(watcher);
    watcher->client = (struct client){.slow = roll(3) == 0};
    client_attach(&watcher->client, run, roll(10), roll(2) ? READER_TEXT : READER_BYTES);
    watcher->run = run;
}

static struct run_spec some_spec(void)
{
    struct run_spec spec = spec_of(roll(2) ? &interpreted : &compiled);
    spec.streaming = roll(3) == 0;
    spec.profile = spec.streaming ? PROFILE_LIVE : PROFILE_BATCH;
    spec.input_stays_open = roll(2);
    spec.passing = roll(5) == 0;
    spec.ends_unattended = roll(5) == 0;
    spec.unattended_ms = 1 + roll(1000);
    spec.recorded = roll(2);
    spec.limits.value[LIMIT_OUTPUT] = 1 + roll(40000);
    spec.limits.value[LIMIT_QUEUE] = 1 + roll(3000);
    return spec;
}

static void submit_some_run(void)
{
    struct run_spec spec = some_spec();
    struct err err = {0};
    carrier.cannot_encode = roll(50) == 0;
    carrier.refuses = roll(50) == 0 ? ERR_BROKER : 0;
    struct run *run = engine_submit(fixture.engine, &spec, &err);
    if (!run) {
        assert_true(err.code == ERR_BUSY || err.code == ERR_BROKER || err.code == ERR_TOO_LARGE);
        return;
    }
    submitted++;
    for (uint32_t i = roll(3); i > 0; i--)
        watch(run);
}

static void on_found(void *context, struct run *run)
{
    (void)context;
    if (run && roll(2))
        watch(run);
    adopted += run != NULL;
}

/* One that is recorded here was this engine's before, and counts as it did then. */
static void look_for_some_run(void)
{
    static char id[RUN_ID_SIZE];
    size_t adopted_before = adopted;
    (void)snprintf(id, sizeof id, "run-%u", (unsigned)roll(50));
    carrier.elsewhere = some_spec();
    carrier.elsewhere.id = roll(3) ? id : NULL;
    bool is_known = engine_find(fixture.engine, id) != NULL;
    engine_look_up(fixture.engine, id, on_found, NULL);
    fake_loop_settle(fixture.loop);
    if (!is_known && carrier.elsewhere.recorded && adopted > adopted_before)
        submitted++;
}

static struct run *some_run(void)
{
    if (carrier.live == 0)
        return NULL;
    struct list *link = carrier.cargos.next;
    for (uint32_t i = roll((uint32_t)carrier.live); i > 0; i--)
        link = link->next;
    return CONTAINER_OF(link, struct fake_cargo, link)->run;
}

static void say_something(struct run *run)
{
    static const enum event_kind kinds[] = {EVENT_STDOUT, EVENT_STDERR, EVENT_NOTICE};
    static char bytes[9000];
    for (size_t i = 0; i < 50; i++)
        bytes[roll(sizeof bytes)] = (char)roll(256);
    run_carried_output(run, kinds[roll(3)], (struct slice){bytes, roll(sizeof bytes)});
}

static void end(struct run *run)
{
    struct run_result result = {.verdict = (enum verdict)roll(VERDICT_COUNT), .reason = "so it is"};
    run_carried_ended(run, &result, NULL, 0);
}

static void act_as_carrier(void)
{
    struct run *run = some_run();
    if (!run)
        return;
    switch (roll(12)) {
    case 0:
        run_carried_accepted(run);
        break;
    case 1:
        run_carried_refused(run, "no");
        break;
    case 2:
        run_carried_again(run, roll(4));
        break;
    case 3:
        run_carried_gap(run, roll(1000));
        break;
    case 4:
        run_carried_usage(run, roll(1000), roll(1000));
        break;
    case 5:
        end(run);
        break;
    case 6:
    case 7:
    case 8:
        run_carried_state(run, (enum run_state)roll(RUN_STATE_COUNT));
        break;
    default:
        say_something(run);
        break;
    }
}

static void act_as_client(void)
{
    struct watcher *watcher = &watchers[roll(CLIENTS)];
    if (!watcher->run)
        return;
    switch (roll(7)) {
    case 0:
        run_cancel(watcher->run, "the client stopped it");
        break;
    case 1:
        (void)run_write(watcher->run, slice_of("some input\n"), NULL);
        break;
    case 2:
        run_close_input(watcher->run);
        break;
    case 3:
        leave(watcher);
        break;
    case 4:
        run_signal(watcher->run, 15);
        break;
    default:
        client_read(&watcher->client);
        break;
    }
}

static void act(void)
{
    switch (roll(9)) {
    case 0:
        submit_some_run();
        break;
    case 1:
        fake_loop_advance(fixture.loop, roll(30));
        break;
    case 2:
        act_as_client();
        break;
    case 3:
        fake_loop_settle(fixture.loop);
        break;
    case 4:
        look_for_some_run();
        break;
    default:
        act_as_carrier();
        break;
    }
}

static void record(void *context, struct run *run, const struct run_result *result,
                   struct run_artifact *artifacts, size_t artifact_count)
{
    (void)context;
    (void)result;
    (void)artifacts;
    assert_int_equal(artifact_count, 0);
    run_recorded(run);
}

static void live(uint32_t with_seed)
{
    seed = with_seed;
    submitted = finished = adopted = 0;
    fake_carrier_init(&carrier);
    fixture_init_carried(&fixture, &carrier.carrier, QUEUE);
    engine_free(fixture.engine);
    struct engine_config config = {
        .carrier = &carrier.carrier,
        .queue_length = QUEUE,
        .keep_ms = 500,
        .observer = count_finished,
        .recorder = {record, NULL},
    };
    fixture.engine = carrier.engine = engine_new(fixture.loop, &config, NULL, NULL);
    assert_non_null(fixture.engine);
    while (submitted < RUNS)
        act();
    for (struct run *run; (run = some_run()) != NULL;) {
        end(run);
        fake_loop_settle(fixture.loop);
    }
    assert_int_equal(engine_running(fixture.engine), 0);
    assert_int_equal(engine_queued(fixture.engine), 0);
    assert_int_equal(finished, submitted);
    assert_true(adopted > 0);
    for (size_t i = 0; i < CLIENTS; i++) {
        if (watchers[i].run)
            client_read(&watchers[i].client);
        assert_true(!watchers[i].run || watchers[i].client.ends == 1);
        leave(&watchers[i]);
    }
    fixture_fini(&fixture);
    fake_carrier_fini(&carrier);
}

static void every_run_ends_once_and_nothing_leaks(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 5; i++)
        live(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_run_ends_once_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
