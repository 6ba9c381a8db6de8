/* SPDX-License-Identifier: MIT */
/* Many runs, an executor and clients that do anything they may, at random but
 * by a fixed seed: every run ends exactly once, no slot and no memory is lost. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

enum { RUNS = 3000, CLIENTS = 40, CONCURRENCY = 5, QUEUE = 20, MEMORY_MIB = 1024 };

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
static struct watcher watchers[CLIENTS];
static size_t submitted;
static size_t finished;
static size_t watched_to_the_end;

static void count_finished(void *context, const struct run *run)
{
    (void)context;
    finished += run_state(run) == RUN_FINISHED;
    assert_true(engine_running(fixture.engine) <= CONCURRENCY);
    assert_true(engine_promised_bytes(fixture.engine) <= MEMORY_MIB * MIB);
    assert_true(run_queue_position(run) <= engine_queued(fixture.engine));
    assert_int_equal(run_result(run) != NULL, run_state(run) == RUN_FINISHED);
}

static void leave(struct watcher *watcher)
{
    if (!watcher->run)
        return;
    watched_to_the_end += watcher->client.ends;
    client_fini(&watcher->client);
    watcher->run = NULL;
}

static void submit_some_run(void)
{
    static char source[100];
    struct run_spec spec = spec_of(roll(2) ? &interpreted : &compiled);
    struct err err = {0};
    spec.source = (struct slice){source, roll(sizeof source)};
    spec.streaming = roll(3) == 0;
    spec.profile = spec.streaming ? PROFILE_LIVE : PROFILE_BATCH;
    spec.input = (struct slice){source, roll(sizeof source)};
    spec.input_stays_open = roll(2);
    spec.limits.value[LIMIT_OUTPUT] = 1 + roll(40000);
    spec.limits.value[LIMIT_WALL] = 1 + roll(3000);
    spec.limits.value[LIMIT_QUEUE] = 1 + roll(3000);
    spec.limits.value[LIMIT_IDLE] = roll(2) ? 1 + roll(1000) : 0;
    spec.limits.value[LIMIT_CPU_TIME] = 1 + roll(3000);
    spec.limits.value[LIMIT_MEMORY] = (4 + roll(MEMORY_MIB - 3)) * MIB;
    spec.lane = (enum lane)roll(LANES);
    spec.tenant = roll(4);
    struct run *run = engine_submit(fixture.engine, &spec, &err);
    if (!run) {
        assert_int_equal(err.code, ERR_BUSY);
        return;
    }
    submitted++;
    for (uint32_t i = roll(3); i > 0; i--) {
        struct watcher *watcher = &watchers[roll(CLIENTS)];
        leave(watcher);
        watcher->client = (struct client){.slow = roll(3) == 0};
        client_attach(&watcher->client, run, roll(10), roll(2) ? READER_TEXT : READER_BYTES);
        watcher->run = run;
    }
}

static struct fake_stage *some_stage(void)
{
    struct fake_executor *executor = fake_of_fixture(&fixture);
    if (executor->stages_live == 0)
        return NULL;
    struct list *link = executor->stages.next;
    for (uint32_t i = roll((uint32_t)executor->stages_live); i > 0; i--)
        link = link->next;
    return CONTAINER_OF(link, struct fake_stage, link);
}

static void end_stage(struct fake_stage *stage)
{
    struct stage_end end = {
        .failed = roll(20) == 0,
        .exit_code = roll(3) == 0 ? (int)roll(256) : 0,
        .signal = roll(10) == 0 ? SIGSEGV : 0,
        .out_of_memory = roll(20) == 0,
        .usage = {.wall_ns = roll(1000) * NS_PER_MS, .cpu_ns = roll(1000) * NS_PER_MS},
    };
    if (end.failed)
        (void)err_set(&end.failure, ERR_INTERNAL, "the fake failed");
    fake_stage_end(stage, &end);
}

static void act_as_executor(void)
{
    static char bytes[9000];
    struct fake_executor *executor = fake_of_fixture(&fixture);
    executor->deaf = roll(50) == 0;
    executor->workspace_fails = roll(100) == 0;
    executor->stage_fails = roll(100) == 0;
    struct fake_stage *stage = some_stage();
    if (!stage)
        return;
    for (size_t i = 0; i < 50; i++)
        bytes[roll(sizeof bytes)] = (char)roll(256);
    switch (roll(6)) {
    case 0:
        end_stage(stage);
        break;
    case 1:
        fake_stage_start(stage);
        break;
    case 2:
        fake_stage_use_cpu(stage, roll(4000) * NS_PER_MS);
        break;
    case 3:
        fake_stage_room(stage, roll(100));
        break;
    default:
        if (!stage->paused)
            fake_stage_print(stage, roll(2) ? STAGE_STDOUT : STAGE_STDERR,
                             (struct slice){bytes, roll(sizeof bytes)});
        break;
    }
}

static void act_as_client(void)
{
    struct watcher *watcher = &watchers[roll(CLIENTS)];
    if (!watcher->run)
        return;
    switch (roll(6)) {
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
    default:
        client_read(&watcher->client);
        break;
    }
}

static void live(uint32_t with_seed)
{
    seed = with_seed;
    submitted = finished = watched_to_the_end = 0;
    fixture_init(&fixture, CONCURRENCY, QUEUE);
    engine_free(fixture.engine);
    struct engine_config config = {
        .concurrency = CONCURRENCY,
        .queue_length = QUEUE,
        .keep_ms = 500,
        .memory_bytes = MEMORY_MIB * MIB,
        .observer = count_finished,
    };
    fixture.engine = engine_new(fixture.loop, &config, fixture.executor, NULL);
    assert_non_null(fixture.engine);
    while (submitted < RUNS) {
        switch (roll(8)) {
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
        default:
            act_as_executor();
            break;
        }
    }
    fake_of_fixture(&fixture)->deaf = false;
    fake_loop_advance(fixture.loop, 100000);
    assert_int_equal(engine_running(fixture.engine), 0);
    assert_int_equal(engine_queued(fixture.engine), 0);
    assert_int_equal(engine_promised_bytes(fixture.engine), 0);
    assert_int_equal(finished, submitted);
    for (size_t i = 0; i < CLIENTS; i++) {
        if (watchers[i].run)
            client_read(&watchers[i].client);
        assert_true(!watchers[i].run || watchers[i].client.ends == 1);
        leave(&watchers[i]);
    }
    assert_true(watched_to_the_end > 0);
    fixture_fini(&fixture);
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
